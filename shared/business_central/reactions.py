"""What BC's refusals mean to us: its error table (BC reference 11.2) in our errors.

Messages of ours hold no contact data. BC's own words, which may quote a value, go into `detail` of InvalidValue, for
the note alone; they are never logged.
"""

import logging
import re
from collections.abc import Mapping

from shared.cards.model import Field
from shared.errors import (
    ChangedMeanwhile,
    CompanyUnavailable,
    ContactError,
    ContactGone,
    InvalidValue,
    NotDone,
    OutcomeUnknown,
    RetryableError,
    SetupRefused,
    SyncError,
)
from shared.logs import log_event
from shared.transport.batch import Unanswered
from shared.transport.client import Answer

logger = logging.getLogger(__name__)

_CORRELATION = re.compile(r"\s*CorrelationId:\s*([0-9A-Fa-f-]{36})\.?\s*$")
_PERMISSION = re.compile(r"TableData \d+ .+? (?:Indirect)?(?:Read|Insert|Modify|Delete)[^)]*")
_SETUP = re.compile(r"Marketing Setup|Contact Nos\.|numbers from the number series|number series .* does not exist")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|Value: .*|\(.*\)", re.DOTALL)

_STALE = frozenset({"request_entitychanged", "badrequest_invalidtoken"})
_OUR_MISTAKE = frozenset(
    {"application_evaluateexception", "application_invalidguid", "application_filtererrorexception"}
)

_QUOTED_VALUE = re.compile(r"Value: (.*)$", re.DOTALL)
NOTHING: Mapping[str, str] = {}

#: Codes that are about the record's values, and the code of the note
_REFUSALS = {
    "application_dialogexception": "refused",
    "application_fieldvalidationexception": "refused",
    "application_stringexceededlength": "too-long",
    "application_callbacknotallowed": "extension-refused",
    "badrequest_requiredparamnotprovided": "required",
    "internal_entitywithsamekeyexists": "number-taken",
    "internal_invalidtablerelation": "not-in-table",
    "internal_recordnotfound": "refused",
    "internal_datanotfoundfilter": "refused",
}

#: How messages name fields; a caption that is part of another comes after it
_CAPTIONS: tuple[tuple[str, str], ...] = (
    ("email address", Field.EMAIL.value),
    ("Mobile Phone No.", Field.MOBILE.value),
    ("Country/Region Code", Field.COUNTRY.value),
    ("Company No.", "companyNumber"),
    ("Phone No.", Field.PHONE.value),
    ("Post Code", Field.POSTAL_CODE.value),
    ("Job Title", Field.JOB_TITLE.value),
    ("Home Page", Field.WEBSITE.value),
    ("E-Mail", Field.EMAIL.value),
    ('"displayName"', Field.NAME.value),
)
_SPECIAL = {
    ("not-in-table", Field.COUNTRY.value): "country-unknown",
    ("not-in-table", "companyNumber"): "company-unknown",
    ("refused", Field.EMAIL.value): "invalid-email",
    ("refused", Field.PHONE.value): "letters-in-phone",
    ("refused", Field.MOBILE.value): "letters-in-phone",
    ("refused", Field.NAME.value): "required",
}


def is_final(answer: Answer) -> bool:
    """Whether repeating is pointless whatever the status says: a missing permission may come as 500 (11.2)."""
    code, message = answer.error()
    if code.lower().startswith("authorization_"):
        return True
    # a refused value may be quoted, and could say anything
    return code.lower() not in _REFUSALS and _PERMISSION.search(message) is not None


def no_such_company() -> CompanyUnavailable:
    """The company is not there, or not for the app."""
    return CompanyUnavailable(
        "Business Central does not know the company, or the app may not enter it. Check whether it was deleted, "
        "and the companies of the app's permission sets.",
        code="company-not-found",
    )


def company_error(answer: Answer, *, doing: str = "read contacts") -> SyncError:
    """What a refused reading, or a refused whole batch, means; `doing` what the app lacks permission for."""
    code, message = _note(answer)
    lower = code.lower()
    if answer.status == 401:
        return CompanyUnavailable(
            "Business Central does not accept the app's token. Check that the app is entered and enabled on BC's page "
            "'Microsoft Entra Applications' and has the application permission API.ReadWrite.All.",
            code="bc-token-refused",
        )
    if answer.status == 403 or is_final(answer):
        return CompanyUnavailable(_lacks_permission(message, doing), code="bc-permission")
    if lower == "internal_companynotfound":
        return no_such_company()
    if answer.status in {404, 405}:
        return CompanyUnavailable(
            "Business Central does not offer its contacts at the configured address. Check the environment's name and "
            "that its API v2.0 is switched on.",
            code="bc-endpoint-missing",
        )
    if answer.status in {408, 409} or answer.status in {500, 502, 503, 504}:
        return RetryableError("Business Central could not answer; it is tried again later.")
    return SyncError(f"Business Central refused a request of ours ({answer.status} {code}).", code="bc-request-refused")


def contact_error(outcome: Answer | Unanswered, sent: Mapping[str, str] = NOTHING) -> SyncError:
    """What a refused write of one contact means: a ContactError, or a CompanyError that concerns all of them.

    `sent` is the body: BC may quote the refused value instead of naming its field.
    """
    if outcome is Unanswered.UNKNOWN:
        return OutcomeUnknown("Business Central did not answer; the contact may have been created.")
    if outcome is Unanswered.NOT_DONE:
        return NotDone("The run's time was over before Business Central took the change.")
    assert isinstance(outcome, Answer)  # noqa: S101 - for the type checker
    code, message = _note(outcome)
    lower = code.lower()
    if lower in _STALE or outcome.status == 412:
        return ChangedMeanwhile("The contact was changed in Business Central meanwhile.")
    if outcome.status == 403 or is_final(outcome):
        return SetupRefused(_lacks_permission(message, "change contacts"), code="bc-permission")
    no_endpoint = lower == "badrequest_notfound" and "No HTTP resource was found" in message
    if outcome.status == 401 or lower == "internal_companynotfound" or no_endpoint:
        return company_error(outcome)
    if outcome.status == 404 and lower == "badrequest_resourcenotfound":
        return ContactGone("The contact does not exist in Business Central any more.")
    return _refusal(outcome.status, lower, message, sent)


def _refusal(status: int, lower: str, message: str, sent: Mapping[str, str]) -> SyncError:
    """A refusal that is about this record, or about our request."""
    if lower in _REFUSALS or (lower.startswith("application_") and lower not in _OUR_MISTAKE):
        if _SETUP.search(_QUOTED.sub("", message)):
            return SetupRefused(
                "Business Central cannot number new contacts. Check 'Contact Nos.' in the company's Marketing Setup "
                "and that number series.",
                code="bc-number-series",
            )
        return _invalid_value(_REFUSALS.get(lower, "refused"), message, sent)
    if status in {404, 410}:
        return ContactError("Business Central does not find the contact, for an unclear reason.", code="bc-unclear")
    if status == 409:
        return ContactError("Business Central reports a conflict; it is tried again later.", code="bc-conflict")
    if status >= 500 and status != 501:
        return ContactError("Business Central failed at this contact; it is tried again later.", code="bc-failure")
    return ContactError(f"Business Central refused a request of ours ({status} {lower}).", code="bc-request-refused")


def _invalid_value(code: str, message: str, sent: Mapping[str, str]) -> InvalidValue:
    field = _quoted_field(message, sent)
    if field is None:
        said = _QUOTED_VALUE.sub("", message)
        field = next((name for caption, name in _CAPTIONS if caption in said), None)
    code = _SPECIAL.get((code, field or ""), code)
    where = f" of {field}" if field else ""
    return InvalidValue(f"Business Central refuses a value{where}.", code=code, field=field, detail=message)


def _quoted_field(message: str, sent: Mapping[str, str]) -> str | None:
    """The field whose value, and no other one's, BC quotes as too long (older versions hold shorter websites)."""
    found = _QUOTED_VALUE.search(message)
    fields = [name for name, value in sent.items() if found and value.strip() == found.group(1).strip()]
    return fields[0] if len(fields) == 1 else None


def _lacks_permission(message: str, what: str) -> str:
    found = _PERMISSION.search(message)
    named = f" ({found.group()})" if found else ""
    return f"The app may not {what} in this company{named}. Give its entry in 'Microsoft Entra Applications' the right."


def _note(answer: Answer) -> tuple[str, str]:
    """Code and message without the correlation id, which is logged: Microsoft's support asks for it."""
    code, message = answer.error()
    found = _CORRELATION.search(message)
    correlation = found.group(1) if found else ""
    log_event(logger, "bc_refused", status=answer.status, code=code[:80], correlation_id=correlation)
    return code, _CORRELATION.sub("", message)
