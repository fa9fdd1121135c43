"""What the engine's ports promise, kept by the Outlook adapter against the simulator, however the service behaves."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest

from dev.simulators.graph.control import GraphControl
from dev.simulators.launch import Simulators, start_simulators
from shared.cards.model import Card, Field, Origin, OutlookContact, Stamp
from shared.engine.sides import Directory, Folder, FolderStamp, OutlookDraft, OutlookSide, OutlookWrite
from shared.errors import (
    ChangedMeanwhile,
    ContactError,
    ContactGone,
    FolderMissing,
    InvalidValue,
    MailboxUnavailable,
    OutcomeUnknown,
    PositionExpired,
    ProfileError,
    RetryableError,
)
from shared.outlook.directory import OutlookDirectory
from shared.outlook.service import graph_service
from shared.pace import Pace
from shared.transport.auth import MsalTokens, Secret
from shared.transport.client import Client
from tests.fakes.http_service import FakeTime

pytestmark = pytest.mark.integration

CATEGORY = "Business Central"
ADDRESS = "ada@contoso.example"
STAMP = FolderStamp(company_id=str(uuid4()), profile_id="p1", environment="Production")
CARD = Card(
    name="Ada B. Lovelace",
    job_title="Analyst",
    company="Contoso",
    email="ada@x.example;al@x.example;a3@x.example",
    phone="+44 1",
    mobile="+44 2",
    website="https://x.example",
    address_1="1 Engine Way",
    address_2="Floor 2",
    city="London",
    postal_code="N1",
    country="Great Britain",
    given_name="Ada",
    middle_name="B.",
    surname="Lovelace",
)

#: Ways in which the real service may behave where its documentation is silent.
SERVICES: dict[str, dict[str, Any]] = {
    "strict": {},
    "lax": {
        "honour_if_match": False,
        "folder_exists_status": 400,
        "list_default_folder": True,
        "folder_path_checks_folder": False,
        "short_path_scope": "with-deleted",
        "empty_form": "null",
        "fill_email_name": False,
        "missing_extended": "empty",
        "proptag_form": "short",
        "sensitivity_always_present": False,
        "delta_items": "changed",
        "removed_reason_on_move": "changed",
        "users_by_mail": True,
        "retry_after": "fractional",
    },
    "rough": {
        "delta_duplicates": 0.3,
        "delta_replays": 0.5,
        "delta_empty_pages": 0.3,
        "delta_short_pages": 0.3,
        "empty_form": "text",
        "contact_page_limit": 7,
        "delta_page_limit": 5,
        "retry_after": "missing",
        "limit_concurrent": 3,
    },
}


@pytest.fixture(scope="module")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    with start_simulators(("entra", "graph"), folder=tmp_path_factory.mktemp("simulators")) as running:
        yield running
        assert running.graph.defects() == []


@pytest.fixture(scope="module")
def trusted(simulators: Simulators) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", simulators.addresses.ca_file)
        yield


@pytest.fixture(params=list(SERVICES))
def graph(request: pytest.FixtureRequest, simulators: Simulators) -> Iterator[GraphControl]:
    simulators.graph.reset()
    simulators.graph.reset_log()
    simulators.graph.switch(**SERVICES[request.param])
    yield simulators.graph
    simulators.graph.clear_faults()


strict_only = pytest.mark.parametrize("graph", ["strict"], indirect=True)


@pytest.fixture
def directory(simulators: Simulators, trusted: None, graph: GraphControl) -> OutlookDirectory:
    at, time = simulators.addresses, FakeTime()
    tokens = MsalTokens(
        authority_host=at.authority_host, tenant=at.tenant, client_id=at.client_id, credential=Secret(at.client_secret)
    )
    client = Client(graph_service(at.graph_root), tokens, clock=time.clock, sleep=time.sleep)
    return OutlookDirectory(client, Pace(deadline=time.now + 3600), category=CATEGORY)


@pytest.fixture
def user(graph: GraphControl) -> str:
    return graph.create_user(ADDRESS, mail=ADDRESS)


@pytest.fixture
def side(directory: OutlookDirectory, user: str) -> OutlookSide:
    return directory.outlook(user)


@pytest.fixture
def folder(side: OutlookSide) -> Folder:
    return side.create_folder("Business Central", STAMP)


@dataclass
class Outlook:
    """The user at their Outlook, with one folder in view."""

    graph: GraphControl
    user: str
    folder: str

    def contacts(self) -> dict[str, dict[str, Any]]:
        return {each["displayName"]: each for each in self.graph.contacts_of(self.user, self.folder)}

    def add(self, name: str, **properties: Any) -> str:
        return self.graph.create_contact(self.user, {"displayName": name, **properties}, self.folder)


@pytest.fixture
def outlook(graph: GraphControl, user: str, folder: Folder) -> Outlook:
    return Outlook(graph, user, folder.id)


def draft(card: Card = CARD, bc_id: str = "") -> OutlookDraft:
    return OutlookDraft(card, Stamp(bc_id or str(uuid4()), Origin.SYNC, "Production", STAMP.company_id))


def made(outcome: OutlookContact | ContactError | None) -> OutlookContact:
    assert isinstance(outcome, OutlookContact), outcome
    return outcome


def create(side: OutlookSide, folder: Folder, card: Card = CARD) -> OutlookContact:
    (outcome,) = side.create(folder.id, [draft(card)])
    return made(outcome)


def test_the_adapter_fits_the_ports(directory: OutlookDirectory, user: str) -> None:
    as_directory: Directory = directory
    as_side: OutlookSide = directory.outlook(user)
    assert as_directory
    assert as_side


# ---------------------------------------------------------------- folders


def test_a_folder_is_found_by_its_stamp_whatever_its_name(
    side: OutlookSide, folder: Folder, graph: GraphControl, user: str
) -> None:
    """R27"""
    graph.rename_folder(user, folder.id, "Mine")
    for number in range(12):
        graph.create_folder(user, f"Other {number}")
    found = side.find_folder(STAMP)
    assert found == replace(folder, name="Mine")
    assert side.folder(folder.id, folder.parent_id) == found
    assert side.find_folder(replace(STAMP, profile_id="p2")) is None
    named = side.folder_named(" mine ")
    assert named is not None
    assert named.id == folder.id
    assert side.folder_named("Business Central") is None


def test_a_taken_name_is_refused(side: OutlookSide, folder: Folder, graph: GraphControl, user: str) -> None:
    """R27"""
    graph.create_folder(user, "Private")
    with pytest.raises(InvalidValue) as created:
        side.create_folder("PRIVATE", STAMP)
    with pytest.raises(InvalidValue) as renamed:
        side.rename_folder(folder.id, "private")
    assert created.value.code == renamed.value.code == "folder-exists"
    assert side.rename_folder(folder.id, "Neu") == replace(folder, name="Neu")


def test_a_deleted_folder_is_gone_even_if_it_still_resolves(
    side: OutlookSide, folder: Folder, graph: GraphControl, user: str
) -> None:
    """R27, Graph 2.3"""
    graph.delete_folder(user, folder.id)
    assert side.folder(folder.id, folder.parent_id) is None
    assert side.find_folder(STAMP) is None
    graph.delete_folder(user, folder.id, purge=True)
    assert side.folder(folder.id, "") is None
    with pytest.raises(FolderMissing):
        side.changes(folder.id, None)
    with pytest.raises(FolderMissing):
        list(side.contacts(folder.id))
    with pytest.raises(FolderMissing):
        side.create(folder.id, [draft()])
    with pytest.raises(FolderMissing):
        side.rename_folder(folder.id, "x")


def test_an_existing_folder_is_stamped(side: OutlookSide, graph: GraphControl, user: str) -> None:
    folder_id = graph.create_folder(user, "Adopted")
    side.stamp_folder(folder_id, STAMP)
    found = side.find_folder(STAMP)
    assert found is not None
    assert (found.id, found.stamp) == (folder_id, STAMP)


@pytest.mark.parametrize("has_contact", [True, False])
@pytest.mark.parametrize("has_folder", [True, False])
def test_the_main_folder_is_found(
    side: OutlookSide, graph: GraphControl, user: str, has_contact: bool, has_folder: bool
) -> None:
    """R27, Graph 2.1"""
    if has_contact:
        graph.create_contact(user, {"displayName": "x"})
    if has_folder:
        graph.create_folder(user, "Private")
    listed = graph.switch()["list_default_folder"]
    if has_contact or has_folder or listed:
        assert side.main_folder().id == graph.read_mailbox(user)["default_folder"]
        assert side.folder_named("Contacts") is None
        return
    with pytest.raises(MailboxUnavailable) as caught:
        side.main_folder()
    assert caught.value.code == "main-folder-unknown"


@strict_only
def test_a_folder_whose_creation_got_no_answer_is_found(side: OutlookSide, graph: GraphControl) -> None:
    """R9"""
    graph.add_fault("lost-answer", service="graph", method="POST", path="contactFolders$")
    assert side.create_folder("Business Central", STAMP).stamp == STAMP


# ---------------------------------------------------------------- contacts


def test_a_created_contact_holds_every_field_and_mark(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R41, R9, R28"""
    contact = create(side, folder)
    assert contact.card == CARD
    assert contact.categories == (CATEGORY,)
    again = side.read(folder.id, [contact.id])[contact.id]
    assert again is not None
    assert again == replace(contact, created=again.created, etag=again.etag)
    assert list(side.contacts(folder.id)) == [again]
    assert len(outlook.contacts()) == 1


def test_a_write_changes_what_it_names_and_nothing_else(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R12, R16, R28"""
    contact_id = outlook.add(
        "Ada B. Lovelace",
        givenName="Ada",
        surname="Lovelace",
        businessPhones=["1", "2"],
        mobilePhone="3",
        categories=["Red"],
        personalNotes="mine",
        businessAddress={"street": "One\r\nTwo\r\nThree", "city": "Rome", "state": "RM"},
        emailAddresses=[{"name": "Work", "address": "ada@x.example"}],
    )
    current = side.read(folder.id, [contact_id])[contact_id]
    assert current is not None
    values = {
        Field.PHONE: "9",
        Field.MOBILE: "",
        Field.CITY: "Milan",
        Field.STATE: "",
        Field.EMAIL: "b@x.example;ada@x.example",
        Field.JOB_TITLE: "CTO",
    }
    stamp = draft().stamp
    (outcome,) = side.write(folder.id, [OutlookWrite(current, values, stamp=stamp)])
    after = made(outcome)
    assert after.card == current.card.with_values(values)
    assert (after.categories, after.more_phones, after.more_lines) == (("Red", CATEGORY), ("2",), ("Three",))
    assert after.email_names == ("Ada B. Lovelace", "Work")
    assert outlook.contacts()["Ada B. Lovelace"]["personalNotes"] == "mine"
    seen = side.read(folder.id, [contact_id])[contact_id]
    assert seen == after


def test_a_name_is_written_with_its_parts(side: OutlookSide, folder: Folder) -> None:
    """R20"""
    current = create(side, folder)
    write = OutlookWrite(current, {Field.NAME: "Ada King"}, name_parts=("Ada", "", "King"))
    after = made(side.write(folder.id, [write])[0])
    card = after.card
    assert (card.name, card.given_name, card.middle_name, card.surname) == ("Ada King", "Ada", "", "King")


def test_every_field_can_be_cleared(side: OutlookSide, folder: Folder) -> None:
    current = create(side, folder)
    values: dict[Field, str] = {each: "" for each in Field if each is not Field.NAME}
    after = made(side.write(folder.id, [OutlookWrite(current, values)])[0])
    assert after.card == current.card.with_values(values)


def test_marks_are_taken_off(side: OutlookSide, folder: Folder) -> None:
    """R27"""
    current = create(side, folder)
    after = made(side.write(folder.id, [OutlookWrite(current, {}, remove_marks=True)])[0])
    assert (after.stamp, after.categories) == (None, ())
    seen = side.read(folder.id, [current.id])[current.id]
    assert seen is not None
    assert (seen.stamp, seen.card) == (None, current.card)
    assert current.stamp is not None
    assert side.find_stamped(folder.id, [current.stamp.bc_id]) == {}


@pytest.mark.parametrize(("sensitivity", "private"), [(0, False), (1, True), (2, True), (3, False)])
def test_a_private_contact_is_known_as_such(
    side: OutlookSide, folder: Folder, outlook: Outlook, sensitivity: int, private: bool
) -> None:
    """R2"""
    contact_id = outlook.add("x")
    outlook.graph.mark_contact(outlook.user, contact_id, sensitivity)
    read = side.read(folder.id, [contact_id])[contact_id]
    assert read is not None
    assert [read.private, *(each.private for each in side.contacts(folder.id))] == [private, private]


def test_copies_with_one_stamp_come_oldest_first(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R9"""
    original = create(side, folder)
    assert original.stamp is not None
    copies = []
    for _ in range(8):  # more than the rough service puts into a page
        outlook.graph.advance_clock(5)
        copies.append(outlook.graph.copy_contact(outlook.user, original.id, folder.id))
    outlook.graph.copy_contact(outlook.user, original.id, "contacts")
    found = side.find_stamped(folder.id, [str(uuid4()), original.stamp.bc_id.upper()])
    assert [[each.id for each in contacts] for contacts in found.values()] == [[original.id, *copies]]


def test_reading_tells_there_from_gone(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R25"""
    there, deleted, moved, purged = (outlook.add(each) for each in ("there", "deleted", "moved", "purged"))
    outlook.graph.delete_contact(outlook.user, deleted)
    outlook.graph.move_contact(outlook.user, moved, "contacts")
    outlook.graph.purge_contact(outlook.user, purged)
    read = side.read(folder.id, [there, deleted, moved, purged, "malformed"])
    assert {each: contact is not None for each, contact in read.items()} == {
        there: True,
        deleted: False,
        moved: False,
        purged: False,
    }
    outlook.graph.delete_folder(outlook.user, folder.id, purge=True)
    with pytest.raises(FolderMissing):
        side.read(folder.id, [there])


def test_a_concurrent_edit_is_not_overwritten_unnoticed(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R13, as far as the service helps (Graph 1.3)"""
    current = create(side, folder)
    outlook.graph.edit_contact(outlook.user, current.id, {"jobTitle": "CTO"})
    (outcome,) = side.write(folder.id, [OutlookWrite(current, {Field.MOBILE: "5"})])
    if outlook.graph.switch()["honour_if_match"]:
        assert isinstance(outcome, ChangedMeanwhile)
    else:
        assert (made(outcome).card.job_title, made(outcome).card.mobile) == ("CTO", "5")


def test_a_spurious_conflict_is_a_change(side: OutlookSide, folder: Folder, graph: GraphControl) -> None:
    """Graph 1.3"""
    current = create(side, folder)
    graph.refuse_once_with_conflict(f"contacts/{current.id[:20]}")
    assert isinstance(side.write(folder.id, [OutlookWrite(current, {Field.MOBILE: "5"})])[0], ChangedMeanwhile)
    assert made(side.write(folder.id, [OutlookWrite(current, {Field.MOBILE: "5"})])[0]).card.mobile == "5"


def test_r21_removed_contacts_lie_in_deleted_items(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R21"""
    first, second = create(side, folder), create(side, folder)
    outlook.graph.purge_contact(outlook.user, second.id)
    assert side.remove(folder.id, [first.id, second.id]) == [None, None]
    assert outlook.contacts() == {}
    assert len(outlook.graph.contacts_of(outlook.user, "deleted")) == 1
    (outcome,) = side.write(folder.id, [OutlookWrite(second, {Field.MOBILE: "5"})])
    assert isinstance(outcome, ContactGone)


def test_one_refused_value_does_not_stop_the_others(side: OutlookSide, folder: Folder) -> None:
    """R31"""
    outcomes = side.create(folder.id, [draft(), draft(CARD._replace(job_title="x" * 300)), draft()])
    assert [type(each) for each in outcomes] == [OutlookContact, InvalidValue, OutlookContact]


def test_a_lost_create_is_unknown_and_found_by_its_stamp(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R9"""
    outlook.graph.add_fault("lost-answer", service="graph", method="POST", path="contacts", item=True, skip=1)
    drafts = [draft(CARD._replace(name=f"N{each}")) for each in range(3)]
    outcomes = side.create(folder.id, drafts)
    assert sorted(type(each).__name__ for each in outcomes) == ["OutcomeUnknown", "OutlookContact", "OutlookContact"]
    lost = drafts[[isinstance(each, OutcomeUnknown) for each in outcomes].index(True)].stamp.bc_id
    assert len(side.find_stamped(folder.id, [lost])[lost]) == 1
    assert len(outlook.contacts()) == 3


def test_throttled_parts_are_done_later(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R32; three at a time in the rough service: ordered batches after the first refusal"""
    outlook.graph.add_fault("answer", service="graph", item=True, path="contacts", status=503, times=4, skip=2)
    outcomes = side.create(folder.id, [draft(CARD._replace(name=f"N{each}")) for each in range(45)])
    assert all(isinstance(each, OutlookContact) for each in outcomes)
    assert len(outlook.contacts()) == 45


def test_a_full_mailbox_stops_writes_and_nothing_else(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    contact = create(side, folder)
    outlook.graph.set_mailbox(outlook.user, is_full=True)
    with pytest.raises(ProfileError) as caught:
        side.create(folder.id, [draft()])
    assert caught.value.code == "mailbox-full"
    with pytest.raises(ProfileError):
        side.write(folder.id, [OutlookWrite(contact, {Field.MOBILE: "5"})])
    assert contact.id in side.read(folder.id, [contact.id])
    assert side.remove(folder.id, [contact.id]) == [None]


@strict_only
def test_a_first_sync_of_a_thousand_takes_fifty_requests(
    side: OutlookSide, folder: Folder, graph: GraphControl
) -> None:
    graph.reset_log()
    outcomes = side.create(folder.id, [draft(CARD._replace(name=f"N{each}")) for each in range(1000)])
    assert all(isinstance(each, OutlookContact) for each in outcomes)
    assert len(graph.log(service="graph", items=False)) == 50
    graph.reset_log()
    assert len({each.id for each in side.contacts(folder.id)}) == 1000
    assert len(graph.log(service="graph", items=False)) == 2


# ---------------------------------------------------------------- the change feed


def test_the_feed_tells_what_happened_since(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R14"""
    ids = {each: outlook.add(each) for each in ("edited", "deleted", "moved", "same")}
    many = outlook.graph.seed_contacts(outlook.user, [{"displayName": f"m{n}"} for n in range(30)], folder.id)
    first = side.changes(folder.id, None)
    assert {each.id for each in first.changed} == {*ids.values(), *many}
    outlook.graph.edit_contact(outlook.user, ids["edited"], {"jobTitle": "CTO"})
    outlook.graph.delete_contact(outlook.user, ids["deleted"])
    outlook.graph.move_contact(outlook.user, ids["moved"], "contacts")
    own = create(side, folder)
    second = side.changes(folder.id, first.delta_link)
    by_id = {each.id: each for each in second.changed}
    assert {ids["edited"], own.id} <= set(by_id)
    assert set(second.removed) >= {ids["deleted"], ids["moved"]}
    assert not {ids["deleted"], ids["moved"]} & set(by_id)
    assert (by_id[ids["edited"]].card.name, by_id[ids["edited"]].card.job_title) == ("edited", "CTO")
    assert by_id[own.id].card == CARD


@strict_only
def test_a_quiet_run_takes_one_request_for_folder_and_feed_each(
    side: OutlookSide, folder: Folder, graph: GraphControl
) -> None:
    position = side.changes(folder.id, None).delta_link
    graph.reset_log()
    side.folder(folder.id, folder.parent_id)
    assert side.changes(folder.id, position).changed == ()
    assert len(graph.log(service="graph", items=False)) == 2


@pytest.mark.parametrize("with_location", [True, False])
def test_an_expired_position_is_told(side: OutlookSide, folder: Folder, outlook: Outlook, with_location: bool) -> None:
    """R33"""
    position = side.changes(folder.id, None).delta_link
    outlook.graph.expire_delta(outlook.user, folder.id, with_location=with_location)
    with pytest.raises(PositionExpired):
        side.changes(folder.id, position)
    assert side.changes(folder.id, None).delta_link


# ---------------------------------------------------------------- the directory


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
