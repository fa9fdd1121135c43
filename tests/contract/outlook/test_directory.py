"""What the engine's ports promise, kept by the Outlook adapter against the simulator: users."""

from uuid import uuid4

import pytest

from dev.simulators.graph.control import GraphControl
from dev.simulators.launch import Simulators
from shared.errors import MailboxUnavailable, RetryableError
from shared.outlook.directory import OutlookDirectory
from tests.contract.outlook.office import ADDRESS, STAMP

pytestmark = pytest.mark.integration


def test_a_user_is_found_by_id_name_and_mail(directory: OutlookDirectory, graph: GraphControl) -> None:
    user = graph.create_user("ada@t.example", mail="Ada.Lovelace@contoso.example")
    graph.reset_log()
    found = [directory.mailbox(each) for each in (user, "ADA@t.example", "ada.lovelace@contoso.example")]
    assert {each.id for each in found} == {user}
    assert {each.kind for each in found} == {"user"}
    assert not any("@" in each["path"] for each in graph.log(items=False))


def test_shared_mailboxes_and_guests_are_told_apart(directory: OutlookDirectory, graph: GraphControl) -> None:
    graph.create_user("team@t.example", accountEnabled=False)
    graph.create_user("guest_x.example#EXT#@t.example", userType="Guest", mailbox_state="unlicensed")
    assert directory.mailbox("team@t.example").kind == "shared"
    assert directory.mailbox("guest_x.example#EXT#@t.example").kind == "guest"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("inactive", "no-mailbox"),
        ("unsupported", "no-mailbox"),
        ("unlicensed", "no-mailbox"),
        ("nonexistent", "no-mailbox"),
        ("invalid", "unknown-user"),
    ],
)
def test_a_mailbox_that_is_none_says_why(
    directory: OutlookDirectory, graph: GraphControl, user: str, state: str, code: str
) -> None:
    """R25"""
    folder = directory.outlook(user).create_folder("Business Central", STAMP)
    graph.set_mailbox(user, state)
    with pytest.raises(MailboxUnavailable) as caught:
        directory.mailbox(ADDRESS)
    assert caught.value.code == code
    side = directory.outlook(user)
    for call in (
        lambda: side.folder(folder.id, folder.parent_id),
        lambda: side.changes(folder.id, None),
        lambda: side.read(folder.id, ["x"]),
        lambda: side.remove(folder.id, ["x"]),
    ):
        with pytest.raises(MailboxUnavailable):
            call()


def test_an_unknown_user_says_so(directory: OutlookDirectory, graph: GraphControl) -> None:
    for name in ("nobody@t.example", str(uuid4()), ""):
        with pytest.raises(MailboxUnavailable) as caught:
            directory.mailbox(name)
        assert caught.value.code == "unknown-user"


def test_a_closed_mailbox_says_which_permission_is_missing(
    directory: OutlookDirectory, graph: GraphControl, user: str
) -> None:
    graph.block_by_policy([user])
    with pytest.raises(MailboxUnavailable, match=r"Contacts\.ReadWrite.*2 hours") as caught:
        directory.mailbox(user)
    assert caught.value.code == "no-permission"


def test_a_mailbox_on_the_move_is_for_later(directory: OutlookDirectory, graph: GraphControl, user: str) -> None:
    graph.set_mailbox(user, "moving")
    with pytest.raises(RetryableError):
        directory.mailbox(user)


def test_without_directory_permission_an_object_id_is_taken_as_it_is(
    simulators: Simulators, directory: OutlookDirectory, user: str
) -> None:
    simulators.entra.set_roles("graph", ["Contacts.ReadWrite"])
    try:
        assert directory.mailbox(user).id == user
        with pytest.raises(MailboxUnavailable, match=r"User\.Read\.All") as caught:
            directory.mailbox(ADDRESS)
    finally:
        simulators.entra.set_roles("graph", ["Contacts.ReadWrite", "User.Read.All"])
    assert caught.value.code == "no-permission"
