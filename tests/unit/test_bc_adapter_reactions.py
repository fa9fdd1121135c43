"""BC's error table (BC reference 11.2), row by row."""

import logging
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from shared.business_central.reactions import company_error, contact_error, is_final
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
from shared.transport.batch import Unanswered
from shared.transport.client import Answer

TABLE_DATA = "Sorry, the current permissions prevented the action. (TableData 5050 Contact Insert: Base Application)"
CORRELATION = "  CorrelationId:  1282d5e7-384c-4546-924e-62202a8125ed."


def answer(status: int, code: str = "", message: str = "") -> Answer:
    body: Any = {"error": {"code": code, "message": message + CORRELATION}} if code else None
    return Answer(status, CaseInsensitiveDict(), body)


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "ours", "field"),
    [
        # the record is refused
        (
            400,
            "Application_DialogException",
            'The email address "x" is not valid.',
            InvalidValue,
            "invalid-email",
            "email",
        ),
        (400, "Application_DialogException", "An extension says no.", InvalidValue, "refused", None),
        (
            400,
            "Application_DialogException",
            'The blank "displayName" is not allowed.',
            InvalidValue,
            "required",
            "displayName",
        ),
        (
            400,
            "Application_DialogException",
            "You cannot delete contact CT1 because there are one or more tasks open.",
            InvalidValue,
            "refused",
            None,
        ),
        (
            400,
            "Application_FieldValidationException",
            "Phone No. must not contain letters in Contact No.='CT1'.",
            InvalidValue,
            "letters-in-phone",
            "phoneNumber",
        ),
        (
            400,
            "Application_FieldValidationException",
            "Mobile Phone No. must not contain letters in Contact No.='CT1'.",
            InvalidValue,
            "letters-in-phone",
            "mobilePhoneNumber",
        ),
        (400, "Application_StringExceededLength", "The length of the string is 31.", InvalidValue, "too-long", None),
        (400, "Application_CallbackNotAllowed", "Confirm", InvalidValue, "extension-refused", None),
        (400, "Application_SomethingNew", "?", InvalidValue, "refused", None),
        (400, "BadRequest_RequiredParamNotProvided", "", InvalidValue, "required", None),
        (400, "Internal_EntityWithSameKeyExists", "", InvalidValue, "number-taken", None),
        (409, "Internal_EntityWithSameKeyExists", "", InvalidValue, "number-taken", None),
        (
            400,
            "Internal_InvalidTableRelation",
            "The field Country/Region Code of table Contact contains a value (XX)",
            InvalidValue,
            "country-unknown",
            "country",
        ),
        (
            400,
            "Internal_InvalidTableRelation",
            "The field Company No. of table Contact contains a value (X)",
            InvalidValue,
            "company-unknown",
            "companyNumber",
        ),
        (400, "Internal_RecordNotFound", "The Customer does not exist.", InvalidValue, "refused", None),
        # the set-up refuses
        (
            400,
            "Application_FieldValidationException",
            "Contact Nos. must have a value in Marketing Setup. It cannot be empty.",
            SetupRefused,
            "bc-number-series",
            None,
        ),
        (
            400,
            "Application_DialogException",
            "You cannot assign new numbers from the number series CONT on 01/01/26.",
            SetupRefused,
            "bc-number-series",
            None,
        ),
        (400, "Internal_RecordNotFound", "The Marketing Setup does not exist.", SetupRefused, "bc-number-series", None),
        (500, "Internal_ServerError", TABLE_DATA, SetupRefused, "bc-permission", None),
        (400, "Internal_ServerError", TABLE_DATA, SetupRefused, "bc-permission", None),
        (403, "Authorization_RequestDenied", "", SetupRefused, "bc-permission", None),
        (400, "Authorization_RequestDenied", "", SetupRefused, "bc-permission", None),
        (403, "", "", SetupRefused, "bc-permission", None),
        # somebody else was there
        (409, "Request_EntityChanged", "Another user", ChangedMeanwhile, "changed-meanwhile", None),
        (412, "", "", ChangedMeanwhile, "changed-meanwhile", None),
        (400, "BadRequest_InvalidToken", "", ChangedMeanwhile, "changed-meanwhile", None),
        (404, "BadRequest_ResourceNotFound", "Resource not found for the segment", ContactGone, "gone", None),
        # not the contact's fault
        (401, "Authentication_InvalidCredentials", "", CompanyUnavailable, "bc-token-refused", None),
        (401, "", "", CompanyUnavailable, "bc-token-refused", None),
        (404, "Internal_CompanyNotFound", "", CompanyUnavailable, "company-not-found", None),
        (400, "Internal_CompanyNotFound", "", CompanyUnavailable, "company-not-found", None),
        (
            404,
            "BadRequest_NotFound",
            "No HTTP resource was found that",
            CompanyUnavailable,
            "bc-endpoint-missing",
            None,
        ),
        # unclear, or our mistake: this contact only
        (404, "", "", ContactError, "bc-unclear", None),
        (404, "BadRequest_NotFound", "Bad Request - Error in query syntax", ContactError, "bc-unclear", None),
        (409, "Something", "", ContactError, "bc-conflict", None),
        (500, "Internal_ServerError", "deadlock", ContactError, "bc-failure", None),
        (400, "BadRequest", "unknown property", ContactError, "bc-request-refused", None),
        (400, "BadRequest_InvalidOperation", "Control 'id' is read-only", ContactError, "bc-request-refused", None),
        (400, "Application_EvaluateException", "", ContactError, "bc-request-refused", None),
        (400, "Unknown", "'x' is not an option.", ContactError, "bc-request-refused", None),
        (405, "BadRequest_MethodNotAllowed", "", ContactError, "bc-request-refused", None),
        (501, "BadRequest_MethodNotImplemented", "", ContactError, "bc-request-refused", None),
        (413, "", "", ContactError, "bc-request-refused", None),
    ],
)
def test_a_refused_write(
    status: int, code: str, message: str, kind: type[SyncError], ours: str, field: str | None
) -> None:
    error = contact_error(answer(status, code, message))
    assert type(error) is kind
    assert error.code == ours
    assert getattr(error, "field", None) == field


def test_a_field_that_bc_only_quotes_is_found_among_what_was_sent() -> None:
    """R17"""
    long = "https://x.example/" + "a" * 70
    refusal = answer(400, "Application_StringExceededLength", f"The length of the string is 88. Value: {long}")
    for sent, field in (
        ({"website": long, "city": "Kiel"}, "website"),
        ({"website": long, "addressLine1": long}, None),
        ({"city": "Kiel"}, None),
    ):
        error = contact_error(refusal, sent)
        assert isinstance(error, InvalidValue)
        assert (error.code, error.field) == ("too-long", field)


def test_a_write_without_an_answer() -> None:
    """R9, R32"""
    assert type(contact_error(Unanswered.UNKNOWN)) is OutcomeUnknown
    assert type(contact_error(Unanswered.NOT_DONE)) is NotDone


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "ours"),
    [
        (401, "", "", CompanyUnavailable, "bc-token-refused"),
        (403, "", "", CompanyUnavailable, "bc-permission"),
        (500, "Internal_ServerError", TABLE_DATA, CompanyUnavailable, "bc-permission"),
        (404, "Internal_CompanyNotFound", "", CompanyUnavailable, "company-not-found"),
        (400, "Internal_CompanyNotFound", "", CompanyUnavailable, "company-not-found"),
        (404, "BadRequest_NotFound", "No HTTP resource was found", CompanyUnavailable, "bc-endpoint-missing"),
        (404, "", "", CompanyUnavailable, "bc-endpoint-missing"),
        (405, "BadRequest_MethodNotAllowed", "", CompanyUnavailable, "bc-endpoint-missing"),
        (408, "", "", RetryableError, "temporarily-unavailable"),
        (500, "Internal_ServerError", "deadlock", RetryableError, "temporarily-unavailable"),
        (400, "BadRequest", "", SyncError, "bc-request-refused"),
        (501, "BadRequest_MethodNotImplemented", "", SyncError, "bc-request-refused"),
        (302, "", "", SyncError, "bc-request-refused"),
    ],
)
def test_a_refused_reading(status: int, code: str, message: str, kind: type[SyncError], ours: str) -> None:
    """R25"""
    error = company_error(answer(status, code, message))
    assert (type(error), error.code) == (kind, ours)


def test_a_missing_right_is_named_and_not_asked_for_again() -> None:
    refusal = answer(500, "Internal_ServerError", TABLE_DATA)
    assert is_final(refusal)
    assert "TableData 5050 Contact Insert: Base Application" in str(contact_error(refusal))
    assert not is_final(answer(500, "Internal_ServerError", "deadlock"))
    assert not is_final(answer(503))


@pytest.mark.parametrize(
    "value",
    [
        "Marketing Setup",
        "numbers from the number series",
        "TableData 5050 Contact Insert",
        "No HTTP resource was found",
    ],
)
def test_a_contact_cannot_pretend_to_be_the_set_up(value: str) -> None:
    """R31"""
    for message in (f'The email address "{value}" is not valid.', f"The length is 31. Value: {value}"):
        for code in ("Application_DialogException", "Application_StringExceededLength"):
            refusal = answer(400, code, message)
            assert type(contact_error(refusal)) is InvalidValue
            assert not is_final(refusal)


def test_bcs_words_are_kept_for_the_note_and_out_of_message_and_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    error = contact_error(answer(400, "Application_DialogException", 'The email address "ada@x" is not valid.'))
    assert isinstance(error, InvalidValue)
    assert error.detail == 'The email address "ada@x" is not valid.'
    assert "ada@x" not in str(error)
    assert "ada@x" not in caplog.text
    assert "1282d5e7-384c-4546-924e-62202a8125ed" in caplog.text
