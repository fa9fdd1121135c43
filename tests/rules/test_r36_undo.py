"""R36: an administrator undoes a run, or one contact of it, and no later sync redoes what was undone."""

from datetime import timedelta
from typing import Any

import pytest

from shared.engine.model import Report, RunStatus, Undoes
from shared.engine.undo_requests import request_undo
from shared.errors import RequestError
from shared.planning.model import Direction, OnBcDelete, OnOutlookDelete, OnOutOfScope
from tests.fakes.faults import Died
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, codes, crowd, links, names, note, outlook_card, seen, twin, wrote_nothing
from tests.rules.scenes import told, undo


def picture(w: World) -> tuple[Any, ...]:
    """What both sides hold, without ids."""
    return sorted(each.card for each in w.bc.rows.values()), sorted(seen(w))


# ---------------------------------------------------------------- changed fields


def test_r36_what_a_run_changed_in_outlook_is_put_back_and_stays(world: World) -> None:
    bc_id = anna(world, city="Bonn", jobTitle="Clerk")
    world.sync()
    world.bc.edit(bc_id, city="Ulm", displayName="Anna Berger")
    before = outlook_card(world, bc_id)
    run = world.sync()

    report = undo(world, run)

    assert report.status is RunStatus.SUCCEEDED and report.to_outlook.updated == 1
    assert outlook_card(world, bc_id) == before
    wrote_nothing(world)
    world.bc.edit(bc_id, jobTitle="Chief")
    world.sync()
    assert (outlook_card(world, bc_id).job_title, outlook_card(world, bc_id).city) == ("Chief", "Bonn")
    world.bc.edit(bc_id, city="Köln")
    world.sync()
    assert outlook_card(world, bc_id).city == "Köln"


def test_r36_what_a_run_changed_in_bc_is_put_back_and_reaches_the_others(world: World) -> None:
    world.profile("bob")
    bc_id = anna(world, city="Bonn")
    world.sync()
    world.sync("bob")
    world.mailbox().edit(twin(world, bc_id), city="Ulm")
    run = world.sync()
    world.sync("bob")
    assert outlook_card(world, bc_id, "bob").city == "Ulm"

    report = undo(world, run)

    assert report.to_bc.updated == 1
    assert world.bc.rows[bc_id].card.city == "Bonn"
    assert outlook_card(world, bc_id).city == "Ulm"  # the user's own edit
    wrote_nothing(world)
    world.sync("bob")
    assert outlook_card(world, bc_id, "bob").city == "Bonn"
    world.mailbox().edit(twin(world, bc_id), city="Wien")
    world.sync()
    assert world.bc.rows[bc_id].card.city == "Wien"


def test_r36_a_company_link_and_what_it_filled_in_are_put_back(world: World) -> None:
    world.bc.put(displayName="Acme", type="Company", phoneNumber="555")
    bc_id = anna(world)
    world.sync()
    world.mailbox().edit(twin(world, bc_id), company="Acme")
    run = world.sync()
    assert world.bc.rows[bc_id].company_number

    undo(world, run)

    assert (world.bc.rows[bc_id].company_number, world.bc.rows[bc_id].card.phone) == ("", "")
    assert outlook_card(world, bc_id).phone == ""
    wrote_nothing(world)


def test_r36_a_first_match_is_undone_field_by_field(world: World) -> None:
    folder = world.mailbox().create_folder("Business Central", None).id
    own = world.mailbox().add(folder, name="Anna Berg", email="anna@berg.example", city="Ulm", mobile="0151")
    before = world.mailbox().entries[own].contact.card
    bc_id = anna(world, city="Bonn")
    run = world.sync()
    assert outlook_card(world, bc_id).city == "Bonn" and world.bc.rows[bc_id].card.mobile == "0151"

    undo(world, run)

    assert world.mailbox().entries[own].contact.card == before
    assert world.bc.rows[bc_id].card.mobile == ""
    wrote_nothing(world)


@pytest.mark.parametrize("by", ["the user", "bc and a later run"])
def test_r36_what_was_changed_since_is_noted_and_stays(world: World, by: str) -> None:
    bc_id = anna(world, city="Bonn", jobTitle="Clerk")
    world.sync()
    world.bc.edit(bc_id, city="Ulm", jobTitle="Chief")
    run = world.sync()
    if by == "the user":
        world.mailbox().edit(twin(world, bc_id), city="Wien")
    else:
        world.bc.edit(bc_id, city="Wien")
    world.sync()

    report = undo(world, run)

    assert (outlook_card(world, bc_id).city, outlook_card(world, bc_id).job_title) == ("Wien", "Clerk")
    said = note(report, "changed-since")
    assert (said.bc_id, said.field, said.value) == (bc_id, "city", "Bonn")
    wrote_nothing(world)


def test_r36_an_edit_that_no_run_has_seen_yet_still_travels(world: World) -> None:
    bc_id = anna(world, city="Bonn")
    world.sync()
    world.bc.edit(bc_id, city="Ulm")
    run = world.sync()
    world.mailbox().edit(twin(world, bc_id), job_title="Chief")

    undo(world, run)
    world.sync()

    assert world.bc.rows[bc_id].card.job_title == "Chief"
    assert outlook_card(world, bc_id).city == "Bonn"


@pytest.mark.parametrize("policy", list(OnOutOfScope))
def test_r36_an_edit_that_took_its_person_out_of_scope_is_not_sent_again(world: World, policy: OnOutOfScope) -> None:
    world.profile("ada", filter={"city": "Berlin"}, policies={"on_out_of_scope": policy})
    bc_id = anna(world, city="Berlin")
    world.sync()
    world.mailbox().edit(twin(world, bc_id), city="Ulm")
    before = seen(world)
    run = world.sync()
    assert world.bc.rows[bc_id].card.city == "Ulm" and bc_id not in links(world)

    undo(world, run)

    assert (world.bc.rows[bc_id].card.city, seen(world)) == ("Berlin", before)
    wrote_nothing(world)
    world.bc.edit(bc_id, jobTitle="Chief")
    world.sync()
    assert [(each.city, each.job_title) for each in seen(world)] == [("Ulm", "Chief")]


@pytest.mark.parametrize("policy", list(OnOutOfScope))
def test_r36_a_first_match_that_took_its_person_out_of_scope_is_not_made_again(
    world: World, policy: OnOutOfScope
) -> None:
    world.profile("ada", filter={"city": "<>Ulm"}, policies={"on_out_of_scope": policy})
    world.sync()
    world.mailbox().add(world.folder(), name="Anna Berg", email="anna@berg.example", city="Ulm")
    before = seen(world)
    bc_id = anna(world)
    run = world.sync()
    assert world.bc.rows[bc_id].card.city == "Ulm" and bc_id not in links(world)

    undo(world, run)

    assert (world.bc.rows[bc_id].card.city, seen(world)) == ("", before)
    wrote_nothing(world)


# ---------------------------------------------------------------- created


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


# ---------------------------------------------------------------- runs


def test_r36_one_contact_of_a_run_is_undone_by_either_id(world: World) -> None:
    ids = crowd(world, 3)
    run = world.sync()
    undo(world, run, ids[0])
    undo(world, run, twin(world, ids[1]))
    assert names(world) == ["Person 002"]
    wrote_nothing(world)


def test_r36_a_preview_says_field_by_field_what_an_undo_would_do_and_does_nothing(world: World) -> None:
    bc_id = anna(world, city="Bonn")
    world.sync()
    world.bc.edit(bc_id, city="Ulm")
    other = world.bc.put(displayName="Otto", email="otto@x.example")
    run = world.sync()
    before, wrote, rows = picture(world), world.written(), dict(world.state.journal.rows)

    report = undo(world, run, preview=True)

    assert (picture(world), world.written(), world.state.journal.rows) == (before, wrote, rows)
    shown = {str(each["bcId"]): each for each in report.plan}
    assert shown[bc_id]["operation"] == "update"
    assert shown[bc_id]["fields"] == [{"field": "city", "from": "Ulm", "to": "Bonn"}]
    assert (shown[other]["operation"], shown[other]["name"]) == ("remove", "Otto")
    assert (report.to_outlook.updated, report.to_outlook.deleted) == (1, 1)


def test_r36_an_undo_can_be_undone(world: World) -> None:
    ids = crowd(world, 2)
    world.sync()
    world.bc.edit(ids[0], city="Ulm")
    anna(world)
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example")
    run = world.sync()
    after = picture(world)

    undone = undo(world, run)
    assert picture(world) != after
    undo(world, undone, recreate=True)

    assert picture(world) == after
    wrote_nothing(world)
    world.bc.edit(ids[0], jobTitle="Chief")
    world.mailbox().edit(twin(world, ids[1]), city="Wien")
    world.sync()
    assert (outlook_card(world, ids[0]).job_title, world.bc.rows[ids[1]].card.city) == ("Chief", "Wien")


def test_r26_an_undo_is_never_held(world: World) -> None:
    crowd(world, 60)
    run = world.sync()
    report = undo(world, run)
    assert report.status is RunStatus.SUCCEEDED and seen(world) == []


def test_r37_a_profile_that_only_reads_bc_does_not_write_there_by_an_undo(world: World) -> None:
    bc_id = anna(world, city="Bonn")
    world.sync()
    world.mailbox().edit(twin(world, bc_id), city="Ulm")
    run = world.sync()
    world.profile("ada", direction=Direction.TO_OUTLOOK)
    assert codes(undo(world, run)) == ["not-sent"] and world.bc.rows[bc_id].card.city == "Ulm"


@pytest.mark.parametrize("policy", list(OnOutlookDelete))
def test_r30_an_undo_that_dies_anywhere_is_finished_by_its_repetition(policy: OnOutlookDelete) -> None:
    def ready() -> tuple[World, Report]:
        w = told(policy)
        return w, w.sync()

    w, run = ready()
    known = len(w.faults.calls)
    undo(w, run, recreate=True)
    total, wanted = len(w.faults.calls) - known, picture(w)
    for at in range(1, total + 1, 2):
        for after in (False, True):
            w, run = ready()
            request_undo(w.services, Undoes(run.run_id, recreate=True), "boss")
            w.faults.die(at, after=after)
            try:
                w.work()
            except Died:
                w.faults.restart()
                w.clock.advance(seconds=61)
                w.work()
            w.faults.restart()
            assert picture(w) == wanted, f"call {at}, after: {after}"
            before = w.written()
            w.sync()
            w.full()
            assert (picture(w), w.written()) == (wanted, before), f"call {at}, after: {after}"


def test_r36_a_whole_story_is_undone_and_stays_so() -> None:
    for policy in OnOutlookDelete:
        w = told(policy)
        before = picture(w)
        run = w.sync()
        undo(w, run, recreate=True)
        bc, outlook = picture(w)
        assert [each for each in before[1] if each not in outlook] == []
        assert bc == before[0]
        wrote_nothing(w)
        again = undo(w, run, recreate=True)
        assert (again.to_bc.created, again.to_bc.updated, again.to_outlook.created, again.to_outlook.updated) == (
            0,
        ) * 4
        wrote_nothing(w)


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        ("unknown", "unknown-run"),
        ("queued", "run-not-over"),
        ("idle", "nothing-to-undo"),
        ("contact", "unknown-contact"),
    ],
)
def test_r36_what_cannot_be_undone_is_refused_with_what_to_do(world: World, prepare: str, code: str) -> None:
    bc_id = anna(world)
    run = world.sync()
    run_id = {"unknown": "no-run", "idle": world.sync().run_id}.get(prepare, run.run_id)
    contact = "someone" if prepare == "contact" else ""
    if prepare == "queued":
        world.bc.edit(bc_id, city="Ulm")
        undo(world, run, preview=True)
        run_id = request_undo(world.services, Undoes(run.run_id), "boss").run_id
    with pytest.raises(RequestError) as refused:
        request_undo(world.services, Undoes(run_id, contact), "boss")
    assert refused.value.code == code


def test_r36_links_of_an_undone_run_still_belong_to_their_pairs(world: World) -> None:
    bc_id = anna(world, city="Bonn")
    world.sync()
    link = links(world)[bc_id]
    world.bc.edit(bc_id, city="Ulm")
    undo(world, world.sync())
    assert links(world)[bc_id].outlook_id == link.outlook_id
