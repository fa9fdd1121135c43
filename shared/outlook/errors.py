"""What an error of Graph means, and which of our errors stands for it: the table of Graph reference 10.5 and 12.2.

Decided by code first, since one code comes with several statuses, then by status; never by message, except for the
inner status in an "ExtensionError" (reference 9.2). A 404 says "gone" only with an item-level code (R25).
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from shared.errors import (
    ChangedMeanwhile,
    ContactError,
    ContactGone,
    FolderMissing,
    InvalidValue,
    MailboxUnavailable,
    NotDone,
    PositionExpired,
    ProfileError,
    RetryableError,
    SyncError,
)
from shared.transport.client import Answer


class Meaning(StrEnum):
    """What an error says, independent of what was asked."""

    GONE = "gone"  #: the item or folder that was asked for is not there
    FOLDER_GONE = "folder-gone"  #: the folder is not there
    BAD_ID = "invalid-id"
    EXPIRED = "expired"  #: the delta link
    CONFLICT = "conflict"
    EXISTS = "exists"  #: a folder of that name
    REFUSED = "refused"  #: a value or the whole request
    FULL = "full"
    NO_MAILBOX = "no-mailbox"
    UNKNOWN_USER = "unknown-user"
    NO_PERMISSION = "no-permission"
    NO_DIRECTORY = "no-directory-permission"
    BUSY = "busy"  #: the service cannot now; later it can
    OTHER = "unexpected-answer"


_CODES: dict[str, Meaning] = {
    code.lower(): meaning
    for meaning, codes in {
        Meaning.GONE: ("ErrorItemNotFound", "itemNotFound"),
        Meaning.FOLDER_GONE: ("ErrorFolderNotFound", "ErrorSyncFolderNotFound", "ErrorParentFolderNotFound"),
        Meaning.EXPIRED: (
            "syncStateNotFound", "syncStateInvalid", "ErrorInvalidSyncStateData", "resyncRequired",
            "resyncApplyDifferences", "resyncUploadDifferences",
        ),
        Meaning.CONFLICT: (
            "ErrorIrresolvableConflict", "resourceModified", "entityTagDoesNotMatch", "ErrorStaleObject",
            "ErrorChangeKeyRequiredForWriteOperations",
        ),
        Meaning.EXISTS: ("ErrorFolderExists", "nameAlreadyExists"),
        Meaning.FULL: ("quotaLimitReached", "ErrorQuotaExceeded"),
        Meaning.NO_MAILBOX: (
            "MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "ErrorNonExistentMailbox",
            "ResourceNotFound",
        ),
        Meaning.UNKNOWN_USER: ("ErrorInvalidUser", "Request_ResourceNotFound"),
        Meaning.NO_PERMISSION: ("ErrorAccessDenied", "accessDenied"),
        Meaning.NO_DIRECTORY: ("Authorization_RequestDenied",),
        Meaning.BUSY: (
            "ErrorServerBusy", "ErrorExceededConnectionCount", "ErrorMailboxMoveInProgress",
            "ErrorMailboxStoreUnavailable", "ErrorMailboxFailover", "ErrorInsufficientResources", "ErrorADUnavailable",
            "ErrorConnectionFailed", "ErrorTimeoutExpired", "ErrorInternalServerTransientError", "serviceNotAvailable",
            "ApplicationThrottled", "TooManyRequests", "activityLimitReached", "throttledRequest",
        ),
    }.items()
    for code in codes
}  # fmt: skip
_STATUSES: dict[int, Meaning] = {
    400: Meaning.REFUSED,
    401: Meaning.NO_PERMISSION,
    403: Meaning.NO_PERMISSION,
    409: Meaning.CONFLICT,
    410: Meaning.EXPIRED,
    412: Meaning.CONFLICT,
    413: Meaning.REFUSED,
    422: Meaning.REFUSED,
    507: Meaning.FULL,
    **dict.fromkeys((408, 423, 424, 429, 500, 502, 503, 504, 509), Meaning.BUSY),
}
_INNER_STATUS = re.compile(r"\[Status Code: (\w+)")
_INNER_BUSY = {"serviceunavailable", "toomanyrequests", "internalservererror", "gatewaytimeout", "badgateway"}
_NESTED_MOST = 10

MAILBOX_TEXTS: dict[Meaning, str] = {
    Meaning.NO_MAILBOX: (
        "This user has no mailbox that Microsoft Graph can reach. Give the user an Exchange Online licence (a new "
        "mailbox can take 15 minutes and more) or move the mailbox to Exchange Online."
    ),
    Meaning.UNKNOWN_USER: (
        "Microsoft 365 knows no such user, or it is no mailbox of a person. Check the e-mail address or object id; if "
        "the user has left, remove the profile."
    ),
    Meaning.NO_PERMISSION: (
        "The app may not use this mailbox. Grant it the application permission Contacts.ReadWrite with admin consent, "
        "or put the mailbox into the app's scope (RBAC for Applications in Exchange Online, or an application access "
        "policy). Such a change can take up to 2 hours to work."
    ),
    Meaning.NO_DIRECTORY: (
        "The app may not look up users. Grant it the application permission User.Read.All with admin consent, or "
        "name the user by Entra object id."
    ),
}


def meaning(answer: Answer) -> Meaning:
    """What an answer that is not 2xx says; the innermost code that is known counts (reference 12.1)."""
    codes = [code.lower() for code in _codes(answer)]
    if inner_status(answer) in _INNER_BUSY:
        return Meaning.BUSY
    for code in reversed(codes):
        if code in _CODES:
            return _CODES[code]
        if code.startswith("errorinvalidid"):
            return Meaning.BAD_ID
    return _STATUSES.get(answer.status, Meaning.OTHER)


def inner_status(answer: Answer) -> str:
    """The status inside an "ExtensionError" in small letters ("badrequest"), which counts instead of the outer one;
    blank when there is none (reference 9.2)."""
    if "extensionerror" not in {code.lower() for code in _codes(answer)}:
        return ""
    inner = _INNER_STATUS.search(answer.error()[1])
    return inner[1].lower() if inner else ""


def is_final(answer: Answer) -> bool:
    """Answers that the transport must not repeat although their status says so: a full mailbox can come as 5xx."""
    return meaning(answer) is Meaning.FULL


def mailbox_failure(answer: Answer) -> SyncError:
    """The error for a request that concerns the mailbox, one of its folders, or the whole batch."""
    says = meaning(answer)
    if says in MAILBOX_TEXTS:
        return MailboxUnavailable(MAILBOX_TEXTS[says], code=_mailbox_code(says))
    match says:
        case Meaning.GONE | Meaning.FOLDER_GONE | Meaning.BAD_ID:
            return FolderMissing("The contact folder does not exist any more.")
        case Meaning.EXPIRED:
            return PositionExpired("Outlook does not know the position in the folder's changes any more.")
        case Meaning.EXISTS:
            return InvalidValue("The mailbox has a folder of this name already.", code="folder-exists")
        case Meaning.FULL:
            return ProfileError(
                "The mailbox is full: nothing can be written to it. Make room in it or raise its quota.",
                code="mailbox-full",
            )
        case Meaning.BUSY | Meaning.CONFLICT:
            return RetryableError("The mailbox is not available at the moment; the run goes on later.")
        case _:
            return ProfileError(
                f"Microsoft Graph gave an unexpected answer ({label(answer)}). Try again; if it stays, report it.",
                code=Meaning.OTHER.value,
            )


def contact_failure(answer: Answer, *, creating: bool) -> SyncError:
    """The error for one part of a bulk write: a ContactError where it concerns this contact only."""
    says = meaning(answer)
    match says:
        case Meaning.GONE if not creating:
            return ContactGone("Outlook says that this contact does not exist.")
        case Meaning.CONFLICT if not creating:
            return ChangedMeanwhile("The contact was changed in Outlook meanwhile.")
        case Meaning.CONFLICT | Meaning.BUSY:
            return _later(answer)
        case Meaning.REFUSED:
            return InvalidValue(f"Outlook refuses a value of this contact ({label(answer)}).", code="refused")
        case Meaning.BAD_ID if not creating:
            return InvalidValue("Outlook does not accept the contact's id.", code=Meaning.BAD_ID.value)
        case Meaning.OTHER | Meaning.EXISTS | Meaning.EXPIRED:
            return ContactError(f"Outlook gave an unexpected answer ({label(answer)}).", code=Meaning.OTHER.value)
        case _:
            return mailbox_failure(answer)


def _later(answer: Answer) -> ContactError:
    if answer.status == 500:  # the transport has repeated it often enough (reference 8.3)
        return ContactError(f"Outlook failed on this contact ({label(answer)}).", code="service-error")
    return NotDone("Outlook is busy with this contact; it is tried again later.")


def _mailbox_code(says: Meaning) -> str:
    return Meaning.NO_PERMISSION.value if says is Meaning.NO_DIRECTORY else says.value


def _codes(answer: Answer) -> Iterator[str]:
    """All codes of an error, the outermost first."""
    error: Any = answer.body.get("error") if isinstance(answer.body, dict) else None
    for _ in range(_NESTED_MOST):
        if not isinstance(error, dict):
            return
        code = error.get("code")
        if isinstance(code, str) and code:
            yield code
        error = error.get("innerError") or error.get("innererror")


def label(answer: Answer) -> str:
    """Status and outermost code; codes are the service's own words and hold no contact data."""
    code = answer.error()[0]
    return f"{answer.status} {code}" if re.fullmatch(r"[\w.-]{1,60}", code) else str(answer.status)
