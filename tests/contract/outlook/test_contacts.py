"""What the engine's ports promise, kept by the Outlook adapter against the simulator: contacts."""

from dataclasses import replace
from uuid import uuid4

import pytest

from dev.simulators.graph.control import GraphControl
from shared.cards.model import Field, OutlookContact
from shared.engine.sides import Folder, OutlookSide, OutlookWrite
from shared.errors import ChangedMeanwhile, ContactGone, FolderMissing, InvalidValue, OutcomeUnknown, ProfileError
from tests.contract.outlook.office import CATEGORY, Outlook, create, draft, made, strict_only
from tests.fakes.cards import FULL_CARD

pytestmark = pytest.mark.integration


def test_a_created_contact_holds_every_field_and_mark(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R41, R9, R28"""
    contact = create(side, folder)
    assert contact.card == FULL_CARD
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


def test_r39_erased_contacts_are_nowhere(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R39"""
    first, second, third = create(side, folder), create(side, folder), create(side, folder)
    outlook.graph.purge_contact(outlook.user, second.id)
    assert side.erase(folder.id, [first.id, second.id]) == [None, None]
    assert side.read(folder.id, [first.id, third.id])[first.id] is None and third.id in side.read(folder.id, [third.id])
    assert outlook.graph.contacts_of(outlook.user, "deleted") == []


def test_one_refused_value_does_not_stop_the_others(side: OutlookSide, folder: Folder) -> None:
    """R31"""
    outcomes = side.create(folder.id, [draft(), draft(FULL_CARD._replace(job_title="x" * 300)), draft()])
    assert [type(each) for each in outcomes] == [OutlookContact, InvalidValue, OutlookContact]


def test_a_lost_create_is_unknown_and_found_by_its_stamp(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R9"""
    outlook.graph.add_fault("lost-answer", service="graph", method="POST", path="contacts", item=True, skip=1)
    drafts = [draft(FULL_CARD._replace(name=f"N{each}")) for each in range(3)]
    outcomes = side.create(folder.id, drafts)
    assert sorted(type(each).__name__ for each in outcomes) == ["OutcomeUnknown", "OutlookContact", "OutlookContact"]
    lost = drafts[[isinstance(each, OutcomeUnknown) for each in outcomes].index(True)].stamp.bc_id
    assert len(side.find_stamped(folder.id, [lost])[lost]) == 1
    assert len(outlook.contacts()) == 3


def test_throttled_parts_are_done_later(side: OutlookSide, folder: Folder, outlook: Outlook) -> None:
    """R32; three at a time in the rough service: ordered batches after the first refusal"""
    outlook.graph.add_fault("answer", service="graph", item=True, path="contacts", status=503, times=4, skip=2)
    outcomes = side.create(folder.id, [draft(FULL_CARD._replace(name=f"N{each}")) for each in range(45)])
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
    outcomes = side.create(folder.id, [draft(FULL_CARD._replace(name=f"N{each}")) for each in range(1000)])
    assert all(isinstance(each, OutlookContact) for each in outcomes)
    assert len(graph.log(service="graph", items=False)) == 50
    graph.reset_log()
    assert len({each.id for each in side.contacts(folder.id)}) == 1000
    assert len(graph.log(service="graph", items=False)) == 2
