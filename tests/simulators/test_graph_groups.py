"""Groups of the Graph simulator: transitive members, what is refused, and what is seen without permission."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from dev.simulators.graph.control import GraphControl
from dev.simulators.launch import Simulators
from tests.simulators.graph_api import code, token_for

pytestmark = pytest.mark.integration

EVENTUAL = {"ConsistencyLevel": "eventual"}
MEMBERS = "groups/{}/transitiveMembers/microsoft.graph.user?$count=true&$select=id,userPrincipalName,accountEnabled"
BOTH = ("GroupMember.Read.All", "User.Read.All")

type Ask = Callable[..., requests.Response]


@pytest.fixture
def ask(simulators: Simulators, session: requests.Session, graph: GraphControl) -> Iterator[Ask]:
    """GET with a token that has these roles."""

    def asking(path: str, *roles: str, headers: dict[str, str] = EVENTUAL) -> requests.Response:
        simulators.entra.set_roles("graph", roles or BOTH)
        token = token_for(simulators, session)
        url = path if path.startswith("https:") else f"{simulators.graph_root}/v1.0/{path}"
        return session.get(url, headers={"Authorization": f"Bearer {token}", **headers}, timeout=30)

    yield asking
    simulators.entra.set_roles("graph", ["Contacts.Read", "Contacts.ReadWrite", "User.Read.All"])


@pytest.fixture
def group(graph: GraphControl) -> str:
    """Ada, and Ben by a group inside, which holds the outer group and Ada again."""
    for name in ("ada", "ben"):
        graph.create_user(f"{name}@contoso.example")
    inner = graph.create_group("Inner", ["ben@contoso.example", "ada@contoso.example"])
    outer = graph.create_group("Outer", ["ada@contoso.example", inner])
    graph.set_members(inner, ["ben@contoso.example", "ada@contoso.example", outer])
    return outer


def users(answer: requests.Response) -> list[Any]:
    assert answer.status_code == 200, answer.text
    return [each["userPrincipalName"] for each in answer.json()["value"]]


def test_members_of_nested_groups_come_once_and_circles_end(ask: Ask, group: str) -> None:
    answer = ask(MEMBERS.format(group))
    assert users(answer) == ["ada@contoso.example", "ben@contoso.example"]
    assert answer.json()["@odata.count"] == 2


def test_without_the_cast_groups_are_members_too(ask: Ask, group: str) -> None:
    kinds = [each["@odata.type"] for each in ask(f"groups/{group}/transitiveMembers", headers={}).json()["value"]]
    assert kinds.count("#microsoft.graph.user") == 2
    assert "#microsoft.graph.group" in kinds


def test_pages_go_on_with_the_header_on_each(ask: Ask, group: str) -> None:
    first = ask(MEMBERS.format(group) + "&$top=1")
    link = first.json()["@odata.nextLink"]
    assert users(first) + users(ask(link)) == ["ada@contoso.example", "ben@contoso.example"]
    assert code(ask(link, headers={})) == (400, "Request_UnsupportedQuery")


@pytest.mark.parametrize("roles", [("User.Read.All",), ("Contacts.ReadWrite",)])
def test_reading_members_needs_its_permission(ask: Ask, group: str, roles: tuple[str, ...]) -> None:
    assert code(ask(MEMBERS.format(group), *roles)) == (403, "Authorization_RequestDenied")


def test_users_who_may_not_be_read_come_with_their_ids_alone(ask: Ask, group: str) -> None:
    answer = ask(MEMBERS.format(group), "GroupMember.Read.All")
    assert users(answer) == [None, None]
    assert all(each["id"] and each["accountEnabled"] is None for each in answer.json()["value"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("groups/{0}/transitiveMembers/microsoft.graph.user", (400, "Request_UnsupportedQuery")),
        ("groups/{0}/transitiveMembers?$filter=x", (400, "Request_UnsupportedQuery")),
        ("groups/nobody/transitiveMembers", (400, "Request_BadRequest")),
        ("groups/00000000-0000-0000-0000-000000000001/transitiveMembers", (404, "Request_ResourceNotFound")),
        ("groups/{0}/owners", (400, "BadRequest")),
    ],
)
def test_what_is_refused(ask: Ask, group: str, path: str, expected: tuple[int, str]) -> None:
    assert code(ask(path.format(group))) == expected


def test_a_mailbox_says_what_it_is_for_to_who_may_read_its_settings(ask: Ask, graph: GraphControl) -> None:
    graph.create_user("room@contoso.example", purpose="room")
    graph.create_user("new@contoso.example", mailbox_state="unlicensed")
    path = "users/{}/mailboxSettings/userPurpose"
    assert ask(path.format("room@contoso.example"), "MailboxSettings.Read").json()["value"] == "room"
    assert code(ask(path.format("new@contoso.example"), "MailboxSettings.Read")) == (404, "ResourceNotFound")
    assert code(ask(path.format("room@contoso.example"), "User.Read.All")) == (403, "ErrorAccessDenied")
