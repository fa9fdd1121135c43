"""R39: what is known of who becomes privacy blocked goes with the run that removes them; they may come back."""

import pytest

from shared.cards.business_central import contact_from_values
from shared.engine.company_state import FeedState
from shared.engine.erasing import erase
from shared.engine.fan_out import serve_company
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.limits import Limits
from shared.engine.model import Trigger
from shared.errors import ContactError, RequestError
from shared.pace import Pace
from shared.planning.model import OnOutOfScope
from tests.fakes.faults import Died
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, codes, crowd, links, names, note, outlook_card, seen, twin, wrote_nothing
from tests.rules.scenes import undo
from tests.rules.test_r39_erase import ADDRESS, full_anna, known_values

OLD = ("Bonn", "Ulm", "0171-888")


def told(w: World) -> str:
    """Anna, with a conflict, a preview, and values that are no longer there in log and journal."""
    bc_id = full_anna(w)
    crowd(w, 2)
    w.sync()
    w.bc.edit(bc_id, city="Bonn")
    w.mailbox().edit(twin(w, bc_id), city="Ulm", mobile="0171-888")
    w.sync()
    w.bc.edit(bc_id, city="Kiel")
    w.sync()
    w.bc.edit(bc_id, phoneNumber="0151-555-1")
    w.sync(preview=True)
    assert set(known_values(w, (*VALUES, *OLD))) == {*VALUES, *OLD}
    return bc_id


VALUES = ("Anna", "Berg", ADDRESS, "0151-555", "Lindenweg")


def test_r39_nothing_of_a_blocked_person_is_stored_after_the_run_that_removes_them(world: World) -> None:
    bc_id = told(world)
    world.bc.edit(bc_id, privacyBlocked=True)

    report = world.sync()

    assert (report.to_outlook.deleted, names(world)) == (1, ["Person 000", "Person 001"])
    assert known_values(world, (*VALUES, *OLD)) == []
    wrote_nothing(world)
    assert known_values(world, (*VALUES, *OLD)) == []


@pytest.mark.parametrize("why", ["full", "expired", "lost"])
def test_r39_a_run_that_looks_at_everything_does_the_same(world: World, why: str) -> None:
    bc_id = told(world)
    world.bc.edit(bc_id, privacyBlocked=True)
    if why == "expired":
        world.mailbox().forget_positions()
    elif why == "lost":
        company = world.state.companies.of(COMPANY)
        company.state = FeedState(head=company.state.head)
        company.contacts.clear()

    world.full() if why == "full" else world.sync()

    assert names(world) == ["Person 000", "Person 001"] and known_values(world, (*VALUES, *OLD)) == []


def test_r39_every_mailbox_that_wrote_to_them_once_is_cleaned(world: World) -> None:
    world.profile("ben", filter={"city": "Kiel"})
    world.profile("cleo", filter={"city": "Rom"})
    bc_id = told(world)
    world.sync("ben")
    world.bc.edit(bc_id, city="Rom")
    for user in ("ben", "cleo"):
        world.sync(user)  # Ben has her no longer, but a journal
    world.bc.edit(bc_id, privacyBlocked=True)

    world.clock.advance(seconds=1)
    serve_company(world.services, CompanyJob(COMPANY, Reason.BC, world.clock()))
    for user in ("ada", "ben", "cleo"):
        world.work(user)

    assert not names(world, "ben") and not names(world, "cleo")
    assert known_values(world, (*VALUES, *OLD)) == []


def test_r39_an_unblocked_person_comes_back_with_what_bc_holds_then(world: World) -> None:
    bc_id = told(world)
    world.bc.edit(bc_id, privacyBlocked=True)
    world.sync()
    world.bc.edit(bc_id, city="Rom")
    world.sync()
    assert known_values(world, (*VALUES, *OLD, "Rom")) == []

    world.bc.edit(bc_id, privacyBlocked=False)
    world.sync()

    assert outlook_card(world, bc_id).city == "Rom"
    wrote_nothing(world)


def test_r39_an_edit_that_nobody_saw_goes_without_a_note(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    world.mailbox().edit(twin(world, bc_id), city="Ulm")
    world.bc.edit(bc_id, privacyBlocked=True)
    assert codes(world.sync()) == [] and known_values(world, (*VALUES, "Ulm")) == []


def test_r39_what_could_not_be_removed_is_named_nowhere_and_goes_with_its_retry(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    world.bc.edit(bc_id, privacyBlocked=True)
    world.faults.fail(1, ContactError("The service failed at this contact."), call="graph.remove")

    report = world.sync()

    (said,) = report.notes
    assert (said.bc_id, said.name, said.email) == (bc_id, "", "")
    assert links(world)
    world.sync()
    assert not links(world) and known_values(world) == []


def test_r39_a_run_that_dies_on_the_way_leaves_it_to_the_next(world: World) -> None:
    at = 0
    while True:
        at += 2
        w = World.new(Limits(apply_batch=2))
        w.state.rows_per_transaction = 2
        w.profile("ada")
        bc_id = told(w)
        w.bc.edit(bc_id, privacyBlocked=True)
        w.request()
        w.faults.die(at)
        try:
            w.work()
        except Died:
            w.work_after_death()
            assert known_values(w, (*VALUES, *OLD)) == [], f"died at call {at}"
            assert names(w) == ["Person 000", "Person 001"]
            continue
        break
    assert at > 20


def test_r22_kept_contacts_and_copies_of_a_blocked_person_go_too(world: World) -> None:
    world.profile("ada", filter={"city": "Ulm"}, policies={"on_out_of_scope": OnOutOfScope.KEEP})
    bc_id, other = full_anna(world), anna(world, displayName="Otto", email="o@x.example", city="Ulm")
    world.bc.edit(bc_id, city="Ulm")
    world.sync()
    world.mailbox().copy(twin(world, other))
    world.sync()
    world.bc.edit(bc_id, city="Bonn")
    world.sync()
    assert names(world) == ["Anna Berg", "Otto", "Otto"] and set(links(world)) == {other}

    for each in (bc_id, other):
        world.bc.edit(each, privacyBlocked=True)
    world.sync()

    assert names(world) == [] and known_values(world, (*VALUES, "Otto", "o@x.example")) == []


def test_r7_a_contact_with_a_blocked_persons_address_is_not_sent_and_the_note_names_nobody(world: World) -> None:
    bc_id = full_anna(world)
    world.bc.edit(bc_id, privacyBlocked=True)
    world.sync()
    made = world.mailbox().add(world.folder(), name="Anna Berg", email=ADDRESS)

    preview = world.sync(preview=True)
    assert not preview.plan and codes(preview) == ["privacy-blocked"]
    said = note(world.sync(), "privacy-blocked")

    assert (said.outlook_id, said.name, said.email) == (made, "", "")
    assert list(world.bc.rows) == [bc_id]
    wrote_nothing(world)
    world.bc.edit(bc_id, privacyBlocked=False)
    world.sync()
    assert links(world)[bc_id].outlook_id == made  # known by its address, as anybody's contact is


def test_r39_bc_is_asked_about_addresses_only_where_somebody_is_blocked(world: World) -> None:
    crowd(world, 2)
    world.sync()
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example")
    before = world.faults.calls.count("bc.find_persons")
    world.sync()
    assert world.faults.calls.count("bc.find_persons") == before + 1  # right before the creation


def test_r22_a_run_with_a_filter_of_its_own_removes_a_blocked_person_too(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    world.bc.edit(bc_id, privacyBlocked=True)
    world.sync(filter={"city": "Rom"}, save_filter=False)
    assert names(world) == []


def test_r36_no_undo_knows_a_blocked_persons_values_any_more(world: World) -> None:
    bc_id = full_anna(world)
    first = world.sync()
    world.bc.edit(bc_id, city="Bonn")
    second = world.sync()
    world.bc.edit(bc_id, privacyBlocked=True)
    third = world.sync()

    for run in (first, second, third):
        undo(world, run)
    assert names(world) == [] and known_values(world, (*VALUES, "Bonn")) == []
    world.bc.edit(bc_id, privacyBlocked=False)
    world.sync()
    for run in (first, second, third):
        undo(world, run)
    assert [each.name for each in seen(world)] == ["Anna Berg"] and outlook_card(world, bc_id).city == "Bonn"


def test_r39_a_blocked_person_is_erased_with_the_address_that_only_bc_knows(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    world.bc.edit(bc_id, privacyBlocked=True)
    world.sync()
    with pytest.raises(RequestError) as caught:
        erase(world.services, COMPANY, ADDRESS, "boss", Pace(world.clock.monotonic() + 100))
    assert caught.value.code == "still-in-bc"

    erase(world.services, COMPANY, bc_id, "boss", Pace(world.clock.monotonic() + 100))
    world.work()
    world.bc.delete(bc_id)
    world.mailbox().add(world.folder(), name="Anna Berg", email=ADDRESS)
    assert codes(world.sync()) == ["erased"] and not world.bc.rows


def test_r33_a_company_restored_to_before_the_block_brings_the_person_back_when_that_is_approved(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    before = world.bc.rows[bc_id]
    world.bc.edit(bc_id, privacyBlocked=True)
    world.sync()
    world.bc.rows[bc_id] = contact_from_values(before.id, before.etag, before.modified, before.values)
    assert world.sync().status == "held" and names(world) == []


def test_r22_who_is_blocked_since_the_feed_was_read_is_removed_by_a_run_for_news_of_outlook(world: World) -> None:
    bc_id = full_anna(world)
    world.sync()
    world.bc.edit(bc_id, privacyBlocked=True)
    world.profile("ada", filter={"city": "Rom"})  # so that BC is asked
    world.request(trigger=Trigger.GRAPH, fresh_feed=False)
    world.work()
    assert names(world) == []
    world.sync()
    assert known_values(world) == []
