"""The adapter against a function that plays Graph: users and their mailboxes."""

from typing import Any

import pytest

from shared.errors import MailboxUnavailable, RetryableError
from shared.outlook.directory import OutlookDirectory
from tests.fakes.graph import UID, Call, Graph, Reply, client_for, error

USER = {"id": UID, "userPrincipalName": "ada@t.example", "mail": "ada@x.example", "accountEnabled": True}


def look_up(user: str, by_id: Reply, by_mail: Reply = (200, {"value": []}), probe: Reply = (200, {"value": []})) -> Any:
    def reply(call: Call) -> Reply:
        if not call.in_batch:
            return probe
        return by_mail if call.url.startswith("/users?") else by_id

    graph = Graph(reply)
    return OutlookDirectory(*client_for(graph), category="x").mailbox(user), graph


@pytest.mark.parametrize(
    ("properties", "kind", "requests_made"),
    [({}, "user", 2), ({"accountEnabled": False}, "shared", 2), ({"userType": "Guest"}, "guest", 1)],
)
def test_a_user_is_looked_up_and_the_mailbox_tried(properties: Any, kind: str, requests_made: int) -> None:
    found, graph = look_up(" ada@x.example ", (200, {**USER, **properties}))
    assert (found.id, found.address, found.kind) == (UID, "ada@x.example", kind)
    assert len(graph.outer) == requests_made


def test_a_mail_address_that_is_no_user_principal_name_is_found() -> None:
    found, graph = look_up("o'x@x.example", error(404, "Request_ResourceNotFound"), (200, {"value": [USER]}))
    assert found.id == UID
    assert "mail eq 'o''x@x.example'" in graph.calls[1].url


def test_without_directory_permission_only_object_ids_work() -> None:
    denied = error(403, "Authorization_RequestDenied")
    found, _ = look_up(UID.upper(), denied)
    assert (found.id, found.kind) == (UID, "user")
    with pytest.raises(MailboxUnavailable, match=r"User\.Read\.All") as caught:
        look_up("ada@x.example", denied, denied)
    assert caught.value.code == "no-permission"


@pytest.mark.parametrize(
    ("by_id", "by_mail", "probe", "code"),
    [
        (error(404, "Request_ResourceNotFound"), (200, {"value": []}), (200, {}), "unknown-user"),
        (error(404, "Request_ResourceNotFound"), (200, {"value": [USER, USER]}), (200, {}), "ambiguous-user"),
        ((200, USER), (200, {}), error(404, "MailboxNotEnabledForRESTAPI"), "no-mailbox"),
        ((200, USER), (200, {}), error(403, "ErrorAccessDenied"), "no-permission"),
        ((200, USER), (200, {}), error(404, "ErrorInvalidUser"), "unknown-user"),
    ],
)
def test_a_mailbox_that_cannot_be_used_says_why(by_id: Reply, by_mail: Reply, probe: Reply, code: str) -> None:
    with pytest.raises(MailboxUnavailable) as caught:
        look_up("ada@x.example", by_id, by_mail, probe)
    assert caught.value.code == code


def test_a_failing_directory_is_no_unknown_user() -> None:
    """R25"""
    with pytest.raises(RetryableError):
        look_up("ada@x.example", error(500, "x"))
