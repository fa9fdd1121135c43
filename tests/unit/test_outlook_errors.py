"""What Graph's errors mean (Graph reference 10.5, 12.2)."""

from typing import Any

import pytest

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
)
from shared.outlook.errors import contact_failure, is_final, mailbox_failure
from shared.transport.client import Answer


def answer(status: int, code: str = "", message: str = "", inner: Any = None) -> Answer:
    return Answer(status, {}, {"error": {"code": code, "message": message, "innerError": inner}})


@pytest.mark.parametrize(
    ("given", "kind", "code"),
    [
        (answer(404, "ErrorItemNotFound"), FolderMissing, "folder-missing"),
        (answer(404, "errorsyncfoldernotfound"), FolderMissing, "folder-missing"),
        (answer(400, "ErrorParentFolderNotFound"), FolderMissing, "folder-missing"),
        (answer(400, "ErrorInvalidIdMalformed"), FolderMissing, "folder-missing"),
        (answer(410, "SyncStateNotFound"), PositionExpired, "position-expired"),
        (answer(400, "syncStateInvalid"), PositionExpired, "position-expired"),
        (answer(410), PositionExpired, "position-expired"),
        (answer(409, "ErrorFolderExists"), InvalidValue, "folder-exists"),
        (answer(400, "ErrorFolderExists"), InvalidValue, "folder-exists"),
        (answer(404, "MailboxNotEnabledForRESTAPI"), MailboxUnavailable, "no-mailbox"),
        (answer(403, "MailboxNotSupportedForRESTAPI"), MailboxUnavailable, "no-mailbox"),
        (answer(404, "ErrorNonExistentMailbox"), MailboxUnavailable, "no-mailbox"),
        (answer(404, "ResourceNotFound"), MailboxUnavailable, "no-mailbox"),
        (answer(404, "ErrorInvalidUser"), MailboxUnavailable, "unknown-user"),
        (answer(404, "Request_ResourceNotFound"), MailboxUnavailable, "unknown-user"),
        (answer(403, "ErrorAccessDenied"), MailboxUnavailable, "no-permission"),
        (answer(403, "SomethingNew"), MailboxUnavailable, "no-permission"),
        (answer(401, "InvalidAuthenticationToken"), MailboxUnavailable, "no-permission"),
        (answer(403, "Authorization_RequestDenied"), MailboxUnavailable, "no-permission"),
        (answer(403, "ExtensionError", "x; [Status Code: ServiceUnavailable; y]"), RetryableError, None),
        (answer(403, "ExtensionError", "[Status Code: Forbidden; y]"), MailboxUnavailable, "no-permission"),
        (answer(507), ProfileError, "mailbox-full"),
        (answer(400, "ErrorQuotaExceeded"), ProfileError, "mailbox-full"),
        (answer(400, "ErrorServerBusy"), RetryableError, None),
        (answer(500, "UnknownError"), RetryableError, None),
        (answer(404, "UnknownError"), ProfileError, "unexpected-answer"),
        (Answer(404, {}, None), ProfileError, "unexpected-answer"),
        (answer(400, "RequestBroker--ParseUri"), ProfileError, "unexpected-answer"),
        (answer(400, "BadRequest", inner={"code": "x", "innererror": {"code": "ErrorAccessDenied"}}),
         MailboxUnavailable, "no-permission"),
        (answer(404, "ErrorItemNotFound", inner={"code": "MailboxNotEnabledForRESTAPI"}),
         MailboxUnavailable, "no-mailbox"),
    ],
)  # fmt: skip
def test_what_a_refusal_means_for_the_mailbox(given: Answer, kind: type[Exception], code: str | None) -> None:
    error = mailbox_failure(given)
    assert type(error) is kind
    assert code is None or error.code == code


@pytest.mark.parametrize(
    ("given", "kind", "code"),
    [
        (answer(404, "ErrorItemNotFound"), ContactGone, "gone"),
        (answer(412, "ErrorIrresolvableConflict"), ChangedMeanwhile, "changed-meanwhile"),
        (answer(409, "resourceModified"), ChangedMeanwhile, "changed-meanwhile"),
        (answer(412), ChangedMeanwhile, "changed-meanwhile"),
        (answer(400, "ErrorItemSavePropertyError"), InvalidValue, "refused"),
        (answer(422), InvalidValue, "refused"),
        (answer(413), InvalidValue, "refused"),
        (answer(400, "ErrorInvalidIdMalformed"), InvalidValue, "invalid-id"),
        (answer(500, "InternalServerError"), ContactError, "service-error"),
        (answer(400, "ErrorMailboxMoveInProgress"), NotDone, "not-done"),
        (answer(404, "UnknownError"), ContactError, "unexpected-answer"),
        (answer(405, "ErrorInvalidRequest"), ContactError, "unexpected-answer"),
        (answer(404, "ErrorFolderNotFound"), FolderMissing, "folder-missing"),
        (answer(403, "ErrorAccessDenied"), MailboxUnavailable, "no-permission"),
        (answer(507), ProfileError, "mailbox-full"),
    ],
)
def test_what_a_refusal_means_for_one_contact(given: Answer, kind: type[Exception], code: str) -> None:
    error = contact_failure(given, creating=False)
    assert (type(error), error.code) == (kind, code)


def test_a_create_that_finds_nothing_misses_its_folder() -> None:
    """R25"""
    for code in ("ErrorItemNotFound", "ErrorParentFolderNotFound", "ErrorInvalidIdMalformed"):
        assert isinstance(contact_failure(answer(404, code), creating=True), FolderMissing)
    assert isinstance(contact_failure(answer(409, "ErrorIrresolvableConflict"), creating=True), NotDone)


def test_messages_of_the_service_are_not_passed_on() -> None:
    """They may hold contact data."""
    given = answer(400, "ErrorItemSavePropertyError", "bad value ada@x.example")
    assert "ada" not in str(contact_failure(given, creating=False))
    assert "ada" not in str(mailbox_failure(answer(400, "ada@x.example")))


def test_only_a_full_mailbox_is_not_worth_repeating() -> None:
    assert is_final(answer(500, "ErrorQuotaExceeded"))
    assert not is_final(answer(503, "ErrorServerBusy"))
    assert not is_final(Answer(500, {}, "text"))
