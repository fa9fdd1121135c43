"""R39: an erased person is removed from every folder for good, is known nowhere any more, and does not come back."""

from dataclasses import asdict

import pytest

from shared.cards.model import Field
from shared.engine.company_state import FeedState
from shared.engine.erasing import erase
from shared.engine.finding import find
from shared.engine.model import Report, RunStatus, Undoes
from shared.engine.undo_requests import request_undo
from shared.errors import RequestError
from shared.pace import Pace
from shared.planning.model import Direction, OnBcDelete, OnOutlookDelete
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, codes, crowd, links, names, note, seen, twin, wrote_nothing

ADDRESS = "anna@berg.example"
VALUES = ("Anna", "Berg", ADDRESS, "0151-555", "Lindenweg")


def erased(w: World, contact: str, *users: str) -> list[Report]:
    """Erase, let the mailboxes work, and answer their reports."""
    w.clock.advance(seconds=1)
    asked = erase(w.services, COMPANY, contact, "boss", Pace(w.clock.monotonic() + 100))
    for user in users or ("ada",):
        w.work(user)
    done = [w.state.reports.get(each.run_id) for each in asked]
    return [each for each in done if each is not None]


def known_values(w: World, values: tuple[str, ...] = VALUES) -> list[str]:
    """Which of the values stand anywhere in storage."""
    state = w.state
    everything = repr(
        [
            [[repr(row) for row in (each.contacts, each.log, each.claims)] for each in state.companies.rows.values()],
            [repr(each) for each in state.mailboxes.rows.values()],
            [repr(each) for each in state.mailboxes.lines.values()],
            [repr(asdict(each)) for each in state.reports.rows.values()],
            [repr(each) for each in state.journal.rows.values()],
            [repr(each) for each in state.messages.sent],
        ]
    )
    return [each for each in values if each in everything]


def full_anna(w: World) -> str:
    return anna(w, phoneNumber="0151-555", addressLine1="Lindenweg 3")


def test_r39_the_contact_leaves_every_folder_for_good_and_all_values_go(world: World) -> None:
    world.profile("bob")
    bc_id = full_anna(world)
    others = crowd(world, 2)
    for user in ("ada", "bob"):
        world.sync(user)
    world.mailbox().edit(twin(world, bc_id), city="Ulm")
    world.bc.edit(bc_id, city="Bonn")
    world.sync()  # a conflict: its note holds a value
    world.sync("bob", preview=True)
    assert known_values(world) == list(VALUES)

    ada, bob = erased(world, bc_id, "ada", "bob")

    assert known_values(world) == []
    assert names(world) == names(world, "bob") == ["Person 000", "Person 001"]
    assert len(world.mailbox().erased) == len(world.mailbox("bob").erased) == 1
    for each in (ada, bob):
        assert (each.status, each.to_outlook.deleted, each.actor) == (RunStatus.SUCCEEDED, 1, "boss")
    assert set(links(world)) == set(others)
    assert bc_id in world.bc.rows  # Business Central is its own master


def test_r39_a_person_still_in_bc_does_not_come_back_whatever_changes_there(world: World) -> None:
    bc_id = full_anna(world)
    crowd(world, 1)
    world.sync()
    erased(world, bc_id)

    wrote_nothing(world)
    world.bc.edit(bc_id, city="Bonn")
    wrote_nothing(world)
    world.bc.edit(bc_id, email="other@berg.example")
    wrote_nothing(world)
    assert names(world) == ["Person 000"] and known_values(world, (*VALUES, "other@berg.example")) == []


def test_r39_a_person_made_anew_in_bc_with_that_address_does_not_come_back(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    erased(world, bc_id)
    world.bc.delete(bc_id)
    world.sync()
    anna(world)

    wrote_nothing(world)
    assert names(world) == [] and known_values(world) == []


def test_r39_what_a_user_types_anew_with_that_address_stays_in_outlook_only(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    erased(world, bc_id)
    before = set(world.bc.rows)
    made = world.mailbox().add(world.folder(), name="Anna Berg", email=f"second@x.example;{ADDRESS.upper()}")

    report = world.sync()

    said = note(report, "erased")
    assert (said.outlook_id, said.name, said.email) == (made, "", "")
    assert set(world.bc.rows) == before and names(world) == ["Anna Berg"]
    assert known_values(world) == []
    wrote_nothing(world)


def test_r39_what_a_user_types_with_the_address_that_an_erased_person_has_by_now_stays_too(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    erased(world, bc_id)
    world.bc.edit(bc_id, email="new@berg.example")
    world.mailbox().add(world.folder(), name="Nora New", email="new@berg.example")

    assert codes(world.sync()) == ["erased"]
    assert names(world) == ["Nora New"] and list(world.bc.rows) == [bc_id]
    wrote_nothing(world)


def test_r39_an_undo_brings_nothing_back(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    world.bc.edit(bc_id, email="")
    run = world.sync()  # removed by that run, with its values in the journal
    assert names(world) == []
    erased(world, bc_id)

    world.clock.advance(seconds=1)
    asked = request_undo(world.services, Undoes(run.run_id), "boss")
    world.work()

    assert codes(world.state.reports.get(asked.run_id)) == ["erased"]
    assert names(world) == [] and known_values(world) == []


def test_r39_an_address_that_another_person_has_as_well_stops_nobody(world: World) -> None:
    bc_id, other = anna(world), anna(world, displayName="Otto Berg")
    world.sync()
    erased(world, bc_id)

    wrote_nothing(world)
    assert names(world) == ["Otto Berg"] and set(links(world)) == {other}
    world.bc.edit(other, city="Bonn")
    world.sync()
    assert seen(world)[0].city == "Bonn"


def test_r39_hidden_parked_and_held_contacts_are_forgotten(world: World) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.HIDE})
    bc_id = full_anna(world)
    world.sync()
    world.mailbox().delete(twin(world, bc_id))
    world.sync()
    double = world.mailbox().add(world.folder(), name="Anna Berg", email=ADDRESS)
    again = world.mailbox().add(world.folder(), name="Anna Again", email=ADDRESS)
    world.sync()
    rows = world.state.mailboxes.of("ada", COMPANY, "ada")
    assert rows.links and rows.parked and known_values(world)

    erased(world, bc_id)

    assert not (rows.links or rows.parked or rows.hidden or rows.retries)
    assert sorted(world.mailbox().erased) == sorted([double, again])
    assert known_values(world) == []


def test_r39_what_waits_for_approval_is_counted_without_them(world: World) -> None:
    ids = crowd(world, 40)
    world.sync()
    for each in ids[:20]:
        world.bc.edit(each, email="")
    assert world.sync().status is RunStatus.HELD
    erased(world, ids[0])

    rows = world.state.mailboxes.of("ada", COMPANY, "ada")
    assert rows.positions is not None and rows.positions.holds["outlook-removals"].count == 19
    assert rows.held["outlook-removals"] == set(ids[1:20])


def test_r39_in_the_main_folder_the_users_own_contact_only_loses_our_marks(world: World) -> None:
    world.profile("ada", main_folder=True)
    own = world.mailbox().add("main-folder", name="Anna Berg", email=ADDRESS, categories=("Business Central",))
    bc_id = anna(world)
    world.sync()
    assert twin(world, bc_id) == own

    erased(world, bc_id)

    assert world.mailbox().entries[own].stamp is None and not links(world)
    assert known_values(world) == []
    wrote_nothing(world)


@pytest.mark.parametrize("by", ["id", "address"])
def test_r39_somebody_who_is_gone_from_bc_is_erased_all_the_same(world: World, by: str) -> None:
    world.profile("ada", policies={"on_bc_delete": OnBcDelete.KEEP})
    bc_id = full_anna(world)
    world.sync()
    world.bc.delete(bc_id)
    world.sync()
    assert names(world) == ["Anna Berg"]

    erased(world, bc_id if by == "id" else ADDRESS)

    assert names(world) == [] and known_values(world) == []
    world.mailbox().add(world.folder(), name="Anna Berg", email=ADDRESS)
    assert codes(world.sync()) == ["erased"] and not world.bc.rows


def test_r39_an_address_that_somebody_in_bc_has_is_not_enough(world: World) -> None:
    anna(world)
    world.sync()
    with pytest.raises(RequestError) as caught:
        erased(world, ADDRESS)
    assert (caught.value.code, caught.value.status) == ("still-in-bc", 409)


def test_r39_a_broken_mailbox_keeps_no_values_and_is_cleaned_when_it_is_back(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    world.directory.unavailable.add("ada")
    (report,) = erased(world, bc_id)
    assert (report.status, report.error_code) == (RunStatus.FAILED, "no-mailbox")
    assert known_values(world) == [] and names(world) == ["Anna Berg"]

    world.directory.unavailable.clear()
    world.clock.advance(minutes=10)
    world.tick()

    assert names(world) == [] and len(world.mailbox().erased) == 1 and not links(world)
    assert known_values(world) == []


def test_r39_a_parked_contact_of_a_broken_mailbox_is_removed_later_too(world: World) -> None:
    world.profile("ada", policies={"on_bc_delete": OnBcDelete.KEEP})
    bc_id = full_anna(world)
    world.sync()
    world.bc.delete(bc_id)
    world.sync()
    world.directory.unavailable.add("ada")
    erased(world, bc_id)
    world.directory.unavailable.clear()
    world.clock.advance(minutes=10)
    world.tick()

    assert names(world) == [] and len(world.mailbox().erased) == 1
    assert not world.state.mailboxes.of("ada", COMPANY, "ada").parked and known_values(world) == []


def test_r39_a_profile_that_is_switched_off_or_only_reads_is_cleaned_as_well(world: World) -> None:
    world.profile("ada", direction=Direction.TO_OUTLOOK)
    bc_id = full_anna(world)
    world.sync()
    world.profile("ada", enabled=False)

    (report,) = erased(world, bc_id)

    assert report.status is RunStatus.SUCCEEDED and names(world) == [] and known_values(world) == []


def test_r39_an_erasure_can_be_repeated(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    erased(world, bc_id)
    (report,) = erased(world, bc_id)
    assert (report.status, report.to_outlook.deleted) == (RunStatus.SUCCEEDED, 0)


def test_r39_a_run_asks_who_was_erased_only_where_somebody_was(world: World) -> None:
    bc_id = full_anna(world)
    crowd(world, 3)
    world.sync()  # builds the feed, which has to know
    before = world.faults.calls.count("companies.erased")
    world.sync()
    world.full()
    world.tick()
    assert world.faults.calls.count("companies.erased") == before
    erased(world, bc_id)
    world.sync()
    assert world.faults.calls.count("companies.erased") > before


@pytest.mark.parametrize("main_folder", [False, True])
@pytest.mark.parametrize("enabled", [True, False])
def test_r39_a_folder_whose_record_was_lost_is_found_and_cleaned(
    world: World, main_folder: bool, enabled: bool
) -> None:
    world.profile("ada", main_folder=main_folder)
    bc_id = full_anna(world)
    world.sync()
    folder = world.folder()
    world.state.mailboxes.rows.clear()
    world.profile("ada", enabled=enabled)

    erased(world, bc_id)

    assert not world.mailbox().in_folder(folder) and len(world.mailbox().erased) == 1


def test_r39_a_contact_of_ours_of_which_no_record_is_left_goes_with_the_next_look_at_the_folder(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    world.directory.unavailable.add("ada")
    erased(world, bc_id)
    world.directory.unavailable.clear()
    world.state.mailboxes.rows.clear()

    world.sync()

    assert names(world) == [] and len(world.mailbox().erased) == 1
    assert known_values(world) == []


def test_r39_a_feed_whose_state_was_lost_still_knows_who_was_erased(world: World) -> None:
    bc_id = full_anna(world)
    crowd(world, 1)
    world.sync()
    erased(world, bc_id)
    company = world.state.companies.of(COMPANY)
    company.state = FeedState(head=company.state.head)
    company.contacts.clear()

    wrote_nothing(world)
    assert names(world) == ["Person 000"] and known_values(world) == []


def test_r39_find_tells_which_mailboxes_hold_a_person(world: World) -> None:
    world.profile("bob", filter={"city": "Ulm"})
    world.profile("cleo")
    bc_id = full_anna(world)
    for user in ("ada", "bob"):
        world.sync(user)

    for asked in (bc_id, ADDRESS, world.bc.rows[bc_id].number):
        found = find(world.services, COMPANY, asked)
        assert [each.id for each in found.contacts] == [bc_id]
        assert [(each.profile.id, each.linked) for each in found.places] == [("ada", (bc_id,))]
    world.bc.delete(bc_id)
    assert [each.profile.id for each in find(world.services, COMPANY, ADDRESS).places] == ["ada"]
    with pytest.raises(RequestError) as caught:
        find(world.services, COMPANY, "nobody@x.example")
    assert caught.value.code == "unknown-contact"


def test_r39_an_edit_that_no_run_has_seen_goes_with_the_contact(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    world.mailbox().edit(twin(world, bc_id), mobile="0170-999")
    erased(world, bc_id)
    assert world.bc.rows[bc_id].card.get(Field.MOBILE) == "" and names(world) == []
    assert known_values(world, (*VALUES, "0170-999")) == []
