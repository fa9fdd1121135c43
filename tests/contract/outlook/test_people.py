"""What the engine's ports promise, kept by the Outlook adapter against the simulator: many users at once."""

from collections.abc import Callable, Iterator

import pytest

from dev.simulators.graph.control import GraphControl
from dev.simulators.launch import Simulators
from shared.errors import RetryableError, SourceUnreadable
from shared.outlook.directory import OutlookDirectory
from shared.planning.importing import Person, Unfit

pytestmark = pytest.mark.integration

USUAL = ["Contacts.ReadWrite", "User.Read.All"]


@pytest.fixture
def consent(simulators: Simulators) -> Iterator[Callable[..., None]]:
    """What the app may do besides its contacts; to be said before it asks for a token."""
    yield lambda *roles: simulators.entra.set_roles("graph", ["Contacts.ReadWrite", *roles])
    simulators.entra.set_roles("graph", USUAL)


@pytest.fixture
def importing(consent: Callable[..., None]) -> None:
    consent("User.Read.All", "GroupMember.Read.All", "MailboxSettings.Read")


@pytest.fixture
def group(graph: GraphControl) -> str:
    """Ada, a guest, somebody whose account is off, and one in a group inside."""
    graph.create_user("ada@t.example", mail="Ada.Lovelace@contoso.example")
    graph.create_user("guest_x.example#EXT#@t.example", userType="Guest", mailbox_state="unlicensed")
    graph.create_user("off@t.example", accountEnabled=False)
    inner = graph.create_group("Inner", [graph.create_user("ben@t.example")])
    return graph.create_group("Sales", ["ada@t.example", "guest_x.example#EXT#@t.example", "off@t.example", inner])


def told(people: list[Person]) -> dict[str, str]:
    return {each.address: each.unfit or "" for each in people}


@pytest.mark.usefixtures("importing")
def test_all_members_come_with_what_speaks_against_them(
    directory: OutlookDirectory, graph: GraphControl, group: str
) -> None:
    found = list(directory.members(group))
    assert told(found) == {
        "Ada.Lovelace@contoso.example": "", "ben@t.example": "", "off@t.example": "account-disabled",
        "guest_x.example#EXT#@t.example": "guest",
    }  # fmt: skip
    assert all(each.id for each in found)


@pytest.mark.usefixtures("importing")
def test_ten_thousand_members_take_a_request_for_each_thousand(
    directory: OutlookDirectory, graph: GraphControl
) -> None:
    users = [graph.create_user(f"u{number}@t.example") for number in range(1_200)]
    group = graph.create_group("All", users)
    graph.reset_log()
    assert [each.id for each in directory.members(group)] == users
    assert len(graph.log(kind="groups.members")) == 2


@pytest.mark.parametrize(
    ("roles", "permission"),
    [(("User.Read.All",), r"GroupMember\.Read\.All"), (("GroupMember.Read.All",), r"User\.Read\.All")],
)
def test_a_group_that_may_not_be_read_whole_is_none_and_says_what_is_missing(
    consent: Callable[..., None], directory: OutlookDirectory, group: str, roles: tuple[str, ...], permission: str
) -> None:
    consent(*roles)
    with pytest.raises(SourceUnreadable, match=permission) as caught:
        directory.members(group)
    assert caught.value.code == "no-permission"


@pytest.mark.usefixtures("importing")
def test_a_group_that_is_gone_says_so(directory: OutlookDirectory, graph: GraphControl, group: str) -> None:
    graph.delete_group(group)
    with pytest.raises(SourceUnreadable) as caught:
        directory.members(group)
    assert caught.value.code == "unknown-group"


@pytest.mark.usefixtures("importing")
@pytest.mark.parametrize("status", [404, 200])
def test_a_page_that_is_missing_makes_nobody_a_leaver(
    directory: OutlookDirectory, graph: GraphControl, status: int
) -> None:
    """R25"""
    group = graph.create_group("All", [graph.create_user(f"u{number}@t.example") for number in range(1_000)])
    graph.add_fault("answer", service="graph", path="skiptoken", status=status, body={"value": None})
    with pytest.raises(SourceUnreadable):
        directory.members(group)


@pytest.mark.usefixtures("importing")
def test_an_outage_is_for_later(directory: OutlookDirectory, graph: GraphControl, group: str) -> None:
    graph.add_fault("answer", service="graph", path="transitiveMembers", times=None, status=500, body={})
    with pytest.raises(RetryableError):
        directory.members(group)


def test_users_are_found_by_address_and_id_in_their_order(directory: OutlookDirectory, graph: GraphControl) -> None:
    ada = graph.create_user("ada@t.example", mail="Ada.Lovelace@contoso.example")
    ben = graph.create_user("ben@t.example", accountEnabled=False)
    graph.reset_log()
    names = [ben, "ada.lovelace@contoso.example", "nobody@t.example", "ada@t.example"]
    found = directory.find_all(names)
    assert [(each.id, each.unfit or "") for each in found] == [
        (ben, "account-disabled"), (ada, ""), ("", "unknown-user"), (ada, ""),
    ]  # fmt: skip
    assert not any("@" in each["path"] for each in graph.log(items=False))


def test_an_address_of_two_users_is_nobodys(directory: OutlookDirectory, graph: GraphControl) -> None:
    graph.switch(users_by_mail=False)
    for name in ("one@t.example", "two@t.example"):
        graph.create_user(name, mail="both@contoso.example")
    assert directory.find_all(["both@contoso.example"]) == [Person("", "both@contoso.example", Unfit.AMBIGUOUS)]


def test_a_look_up_without_answer_makes_nobody_unknown(directory: OutlookDirectory, graph: GraphControl) -> None:
    """R25"""
    graph.switch(users_by_mail=False)
    graph.create_user("ada@t.example", mail="Ada.Lovelace@contoso.example")
    graph.add_fault("answer", service="graph", item=True, path="filter", times=None, status=500, body={})
    with pytest.raises(RetryableError):
        directory.find_all(["ada.lovelace@contoso.example"])


def test_looking_users_up_without_permission_says_so(
    consent: Callable[..., None], directory: OutlookDirectory, graph: GraphControl
) -> None:
    graph.create_user("ada@t.example")
    consent()
    with pytest.raises(SourceUnreadable, match=r"User\.Read\.All"):
        directory.find_all(["ada@t.example"])


@pytest.fixture
def tried(graph: GraphControl) -> list[str]:
    """A user, a room, a shared mailbox, nobody's, one closed to the app, one on the move."""
    graph.create_user("closed@t.example")
    graph.block_by_policy(["closed@t.example"])
    return [
        graph.create_user("ada@t.example"),
        graph.create_user("room@t.example", purpose="room"),
        graph.create_user("team@t.example", purpose="shared"),
        graph.create_user("new@t.example", mailbox_state="unlicensed"),
        "00000000-0000-0000-0000-000000000001",
        graph.create_user("moving@t.example", mailbox_state="moving"),
    ]


@pytest.mark.usefixtures("importing")
def test_mailboxes_that_cannot_be_used_say_why(
    directory: OutlookDirectory, graph: GraphControl, tried: list[str]
) -> None:
    closed = graph.create_user("shut@t.example")
    graph.block_by_policy([closed])
    assert list(directory.unusable([*tried[:5], closed])) == [
        None, "room", "shared-mailbox", "no-mailbox", "unknown-user", "no-permission",
    ]  # fmt: skip


def test_a_mailbox_on_the_move_is_tried_at_another_time(directory: OutlookDirectory, tried: list[str]) -> None:
    assert list(directory.unusable([tried[0], tried[5]])) == [None, "not-now"]


def test_without_the_permission_for_it_nobody_asks_twice_what_mailboxes_are_for(
    consent: Callable[..., None], directory: OutlookDirectory, graph: GraphControl, tried: list[str]
) -> None:
    consent("User.Read.All")
    graph.reset_log()
    assert list(directory.unusable(tried[:4])) == [None, None, None, "no-mailbox"]
    assert list(directory.unusable(tried[:1])) == [None]
    assert sum(each["kind"] == "mailbox.purpose" for each in graph.log()) == 4
