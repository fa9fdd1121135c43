"""R36: an undo is a run: previewed, of one contact, undone itself, cut anywhere, refused with what to do."""

from typing import Any

import pytest

from shared.engine.model import Report, RunStatus, Undoes
from shared.engine.undo_requests import request_undo
from shared.errors import RequestError
from shared.planning.model import Direction, OnOutlookDelete
from tests.fakes.faults import Died
from tests.fakes.world import World
from tests.rules.glances import anna, codes, crowd, links, names, outlook_card, seen, twin, wrote_nothing
from tests.rules.scenes import told, undo


def picture(w: World) -> tuple[Any, ...]:
    """What both sides hold, without ids."""
    return sorted(each.card for each in w.bc.rows.values()), sorted(seen(w))


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
                w.work_after_death()
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
