"""R36: what a run created is removed, what it removed comes back."""

from datetime import timedelta

import pytest

from shared.engine.model import Report, Undoes
from shared.engine.undo_requests import request_undo
from shared.planning.model import OnBcDelete, OnOutlookDelete, OnOutOfScope
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, codes, crowd, names, outlook_card, seen, twin, wrote_nothing
from tests.rules.scenes import undo


def test_r36_what_a_run_created_in_outlook_is_removed_until_it_changes_in_bc(world: World) -> None:
    ids = crowd(world, 3)
    run = world.sync()

    report = undo(world, run)

    assert seen(world) == [] and report.to_outlook.deleted == 3
    wrote_nothing(world)
    world.bc.edit(ids[1], city="Ulm")
    world.sync()
    assert names(world) == ["Person 001"]
    world.bc.edit(ids[2], city="Ulm")
    world.full()
    assert names(world) == ["Person 001", "Person 002"]
    wrote_nothing(world)


def test_r36_a_contact_that_was_changed_since_its_creation_stays(world: World) -> None:
    bc_id = anna(world)
    run = world.sync()
    world.mailbox().edit(twin(world, bc_id), city="Ulm")
    report = undo(world, run)
    assert names(world) == ["Anna Berg"] and codes(report) == ["changed-since"]


def test_r36_what_a_run_created_in_bc_is_removed_and_the_users_contact_stays_as_it_was(world: World) -> None:
    world.sync()
    own = world.mailbox().add(world.folder(), name="Carla", email="c@x.example", city="Ulm")
    before = world.mailbox().entries[own].contact
    run = world.sync()
    assert len(world.bc.rows) == 1

    undo(world, run)

    now = world.mailbox().entries[own]
    assert not world.bc.rows and now.contact.card == before.card
    assert now.stamp is None and now.contact.categories == ()
    wrote_nothing(world)
    world.mailbox().edit(own, city="Wien")
    world.sync()
    assert [each.card.city for each in world.bc.rows.values()] == ["Wien"]
    wrote_nothing(world)


def test_r36_a_person_that_bc_uses_by_now_stays(world: World) -> None:
    world.sync()
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example")
    run = world.sync()
    world.bc.edit(next(iter(world.bc.rows)), contactBusinessRelation="Customer")
    assert codes(undo(world, run)) == ["has-business-relation"] and len(world.bc.rows) == 1


# ---------------------------------------------------------------- removed


@pytest.mark.parametrize("policy", list(OnBcDelete))
def test_r36_a_contact_removed_for_a_deletion_in_bc_comes_back_and_stays(world: World, policy: OnBcDelete) -> None:
    bc_id = anna(world, city="Bonn")
    world.sync()
    before = outlook_card(world, bc_id)
    world.bc.delete(bc_id)
    run = world.sync()
    assert seen(world) == []
    world.profile("ada", policies={"on_bc_delete": policy})

    report = undo(world, run)

    assert seen(world) == [before] and codes(report) == ["put-back-in-part"]
    wrote_nothing(world)
    assert seen(world) == [before]


@pytest.mark.parametrize("policy", list(OnOutOfScope))
def test_r36_a_contact_removed_for_leaving_the_scope_comes_back_and_is_synced_again_when_in_scope(
    world: World, policy: OnOutOfScope
) -> None:
    world.profile("ada", filter={"city": "Berlin"})
    bc_id = anna(world, city="Berlin")
    world.sync()
    before = outlook_card(world, bc_id)
    world.bc.edit(bc_id, city="Ulm")
    run = world.sync()
    world.profile("ada", policies={"on_out_of_scope": policy})

    undo(world, run)

    assert seen(world) == [before]
    wrote_nothing(world)
    world.bc.edit(bc_id, city="Berlin", jobTitle="Chief")
    world.sync()
    assert [each.job_title for each in seen(world)] == ["Chief"]
    wrote_nothing(world)


def test_r22_a_privacy_blocked_person_does_not_come_back(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    world.bc.edit(bc_id, privacyBlocked=True)
    run = world.sync()
    assert codes(undo(world, run)) == ["privacy-blocked"]
    world.bc.delete(bc_id)
    world.sync()
    assert codes(undo(world, run)) == ["privacy-blocked"] and seen(world) == []


def test_r36_a_contact_deleted_in_bc_comes_back_as_a_new_record_only_if_that_is_wanted(world: World) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.DELETE})
    bc_id = anna(world, city="Bonn")
    world.sync()
    before = world.bc.rows[bc_id].card
    world.mailbox().delete(twin(world, bc_id))
    run = world.sync()
    assert not world.bc.rows

    assert codes(undo(world, run)) == ["needs-recreate"] and not world.bc.rows
    report = undo(world, run, recreate=True)

    assert report.to_bc.created == 1
    assert [(key != bc_id, each.card) for key, each in world.bc.rows.items()] == [(True, before)]
    assert seen(world) == []
    wrote_nothing(world)
    undo(world, run, recreate=True)
    assert len(world.bc.rows) == 1
    world.bc.edit(next(iter(world.bc.rows)), city="Ulm")
    world.sync()
    assert names(world) == ["Anna Berg"]


def _deleted_by_a_run(w: World) -> Report:
    w.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.DELETE})
    bc_id = anna(w)
    w.sync()
    w.mailbox().delete(twin(w, bc_id))
    return w.sync()


def test_r09_an_undo_creates_nobody_whom_another_mailbox_is_creating_at_that_moment(world: World) -> None:
    run = _deleted_by_a_run(world)
    until = world.clock() + timedelta(minutes=10)
    world.state.companies.claim(COMPANY, ["anna@berg.example"], "another run", until)

    assert codes(undo(world, run, recreate=True)) == ["being-created"] and not world.bc.rows

    world.clock.advance(minutes=10)
    undo(world, run, recreate=True)
    assert [each.card.name for each in world.bc.rows.values()] == ["Anna Berg"]
    free = world.state.companies.claim(COMPANY, ["anna@berg.example"], "another run", until + timedelta(hours=1))
    assert free == {"anna@berg.example"}, "the undo keeps its claim"


def test_r09_an_undo_looks_again_right_before_it_creates_somebody_anew(world: World) -> None:
    run = _deleted_by_a_run(world)
    request_undo(world.services, Undoes(run.run_id, recreate=True), "boss")
    look = "bc.find_persons"  # the first look is for the plan
    world.faults.before(look, lambda: world.faults.before(look, lambda: anna(world, city="Ulm")))
    world.work()
    assert [each.card.city for each in world.bc.rows.values()] == ["Ulm"]


def test_r10_two_with_one_address_are_both_put_back_in_bc(world: World) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.DELETE})
    ids = [anna(world), anna(world, displayName="Anna Berger")]
    world.sync()
    for bc_id in ids:
        world.mailbox().delete(twin(world, bc_id))
    run = world.sync()
    undo(world, run, recreate=True)
    assert sorted(each.card.name for each in world.bc.rows.values()) == ["Anna Berg", "Anna Berger"]
    wrote_nothing(world)


def test_r36_what_was_typed_while_an_undo_was_under_way_is_not_removed(world: World) -> None:
    bc_id = anna(world)
    run = world.sync()
    ours = twin(world, bc_id)
    world.faults.before("graph.remove", lambda: world.mailbox().edit(ours, job_title="Typed just now"))

    report = undo(world, run)

    assert codes(report) == ["changed-meanwhile"]
    assert [each.job_title for each in seen(world)] == ["Typed just now"]
