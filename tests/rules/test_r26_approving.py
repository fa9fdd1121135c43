"""R26: what is held happens when a person approves the newest held run, and only what is still due."""

from dataclasses import replace

import pytest

from shared.engine.approving import approve
from shared.engine.limits import Limits
from shared.engine.model import Report, RunStatus
from shared.errors import RequestError
from shared.planning.guards import SafetyLimits
from shared.planning.model import OnOutlookDelete
from tests.fakes.faults import Died
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, crowd, links, outlook_card, seen, twin


def held(report: Report) -> dict[str, int]:
    return {each.kind: each.count for each in report.held}


def approved(w: World, report: Report, wanted: dict[str, int] | None = None, user: str = "ada") -> Report:
    """The run that carries out what a run held, at its end."""
    w.clock.advance(seconds=1)
    asked = approve(w.services, report.run_id, held(report) if wanted is None else wanted, "the admin")
    w.work(user)
    done = w.state.reports.get(asked.run_id)
    assert done is not None
    return done


def refusal(w: World, report: Report, wanted: dict[str, int] | None = None) -> str:
    with pytest.raises(RequestError) as caught:
        approve(w.services, report.run_id, held(report) if wanted is None else wanted, "the admin")
    assert not w.state.mailboxes.waiting("ada"), "a refused approval must not leave a run in line"
    assert caught.value.status == 409
    return caught.value.code


def waits(w: World) -> dict[str, int]:
    rows = w.state.mailboxes.of("ada", COMPANY, "ada")
    assert rows.positions is not None
    holds = {kind: hold.count for kind, hold in rows.positions.holds.items()}
    assert {kind: len(ids) for kind, ids in rows.held.items() if ids} == holds
    return holds


def with_held_removals(w: World, total: int = 30, gone: int = 15) -> tuple[list[str], Report]:
    ids = crowd(w, total)
    w.sync()
    for bc_id in ids[:gone]:
        w.bc.delete(bc_id)
    report = w.sync()
    assert held(report) == {"outlook-removals": gone}
    return ids, report


# ---------------------------------------------------------------- each kind


def test_r26_held_removals_from_a_folder_happen_when_approved(world: World) -> None:
    _, report = with_held_removals(world)

    done = approved(world, report)

    assert (done.status, done.to_outlook.deleted) == (RunStatus.SUCCEEDED, 15)
    assert len(seen(world)) == 15
    assert waits(world) == {}


def test_r26_held_deletions_in_bc_happen_when_approved(world: World) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.DELETE})
    ids = crowd(world, 30)
    world.sync()
    for bc_id in ids[:11]:
        world.mailbox().delete(twin(world, bc_id))

    done = approved(world, world.sync())

    assert done.to_bc.deleted == 11
    assert len(world.bc.rows) == 19


def test_r26_held_creations_in_bc_happen_when_approved(world: World) -> None:
    world.sync()
    for each in range(101):
        world.mailbox().add(world.folder(), name=f"New {each}", email=f"new{each}@x.example")

    done = approved(world, world.sync())

    assert done.to_bc.created == 101
    assert len(links(world)) == 101


def test_r26_held_strangers_of_an_old_folder_are_created_when_approved(world: World) -> None:
    folder = world.mailbox().create_folder("Business Central", None).id
    for each in range(11):
        world.mailbox().add(folder, name=f"Old {each}", email=f"old{each}@x.example")

    approved(world, world.sync())

    assert len(world.bc.rows) == 11


def test_r26_held_creations_in_a_folder_wait_and_happen_when_approved() -> None:
    w = World.new(Limits(safety=SafetyLimits(outlook_creations=8)))
    w.profile("ada")
    ids = crowd(w, 9)
    report = w.sync()
    w.bc.edit(ids[0], city="Ulm")
    touched = w.sync()
    assert (len(seen(w)), held(touched)) == (0, {"outlook-creations": 9})

    assert refusal(w, report) == "not-newest"
    approved(w, touched)

    assert len(seen(w)) == 9


# ---------------------------------------------------------------- mass updates


def many_edits(w: World, *, stop: bool, edited: int) -> tuple[list[str], Report]:
    w.limits = replace(w.limits, safety=SafetyLimits(mass_updates=stop, updates_count=5))
    ids = crowd(w, 10)
    w.sync()
    for bc_id in ids[:edited]:
        w.bc.edit(bc_id, city="Ulm")
    return ids, w.sync()


@pytest.mark.parametrize(("stop", "edited", "stops"), [(False, 10, False), (True, 5, False), (True, 6, True)])
def test_r26_many_updates_are_held_where_that_is_switched_on(
    world: World, stop: bool, edited: int, stops: bool
) -> None:
    assert not SafetyLimits().mass_updates
    ids, report = many_edits(world, stop=stop, edited=edited)
    assert held(report) == ({"outlook-updates": edited} if stops else {})
    assert sum(outlook_card(world, each).city == "Ulm" for each in ids) == (0 if stops else edited)


def test_r26_held_updates_happen_when_approved(world: World) -> None:
    ids, report = many_edits(world, stop=True, edited=6)
    assert approved(world, report).to_outlook.updated == 6
    assert sum(outlook_card(world, each).city == "Ulm" for each in ids) == 6


def test_r26_many_updates_of_bc_are_held_and_nothing_typed_is_lost(world: World) -> None:
    world.limits = replace(world.limits, safety=SafetyLimits(mass_updates=True, updates_count=5))
    ids = crowd(world, 10)
    world.sync()
    for bc_id in ids[:6]:
        world.mailbox().edit(twin(world, bc_id), city="Bonn")
        world.bc.edit(bc_id, jobTitle="Chief")

    report = world.sync()
    assert held(report) == {"bc-updates": 6, "outlook-updates": 6}
    assert {outlook_card(world, each).job_title for each in ids[:6]} == {""}
    approved(world, report)

    assert {world.bc.rows[each].card.city for each in ids[:6]} == {"Bonn"}
    assert {outlook_card(world, each).job_title for each in ids[:6]} == {"Chief"}


# ---------------------------------------------------------------- only what is still due


def test_r26_what_is_no_longer_due_stays(world: World) -> None:
    ids = crowd(world, 30)
    world.sync()
    for bc_id in ids[:15]:
        world.bc.edit(bc_id, email="")
    report = world.sync()
    for each, bc_id in enumerate(ids[:5]):
        world.bc.edit(bc_id, email=f"back{each}@x.example")

    done = approved(world, report)

    assert (done.to_outlook.deleted, len(seen(world))) == (10, 20)


def test_r26_what_came_after_the_held_run_is_held_again(world: World) -> None:
    ids, report = with_held_removals(world)
    for bc_id in ids[15:18]:
        world.bc.delete(bc_id)

    done = approved(world, report)

    assert (done.to_outlook.deleted, held(done)) == (15, {"outlook-removals": 3})
    assert len(seen(world)) == 15
    approved(world, done)
    assert len(seen(world)) == 12


def test_r26_what_joins_between_the_approval_and_its_run_is_not_approved(world: World) -> None:
    """A run that was in line before adds to what waits: that is another hold than the one that a person saw."""
    ids, report = with_held_removals(world, total=60)
    for bc_id in ids[15:28]:
        world.bc.delete(bc_id)
    world.request()
    world.clock.advance(seconds=1)
    asked = approve(world.services, report.run_id, {"outlook-removals": 15}, "the admin")
    world.work()

    done = world.state.reports.get(asked.run_id)

    assert done is not None
    assert held(done) == {"outlook-removals": 28}
    assert len(seen(world)) == 60


def test_r26_one_kind_may_be_approved_and_another_not(world: World) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.DELETE})
    ids = crowd(world, 40)
    world.sync()
    for bc_id in ids[:11]:
        world.bc.delete(bc_id)
    for bc_id in ids[11:22]:
        world.mailbox().delete(twin(world, bc_id))
    report = world.sync()
    assert held(report) == {"outlook-removals": 11, "bc-removals": 11}

    done = approved(world, report, {"outlook-removals": 11})

    assert (done.to_outlook.deleted, done.to_bc.deleted) == (11, 0)
    assert held(done) == {"bc-removals": 11}
    approved(world, done)
    assert len(world.bc.rows) == 18


# ---------------------------------------------------------------- who may approve what


def test_r26_both_reports_say_who_approved_what(world: World) -> None:
    _, report = with_held_removals(world)
    done = approved(world, report)
    again = world.state.reports.get(report.run_id)
    assert again is not None
    assert done.approves is not None
    assert (done.actor, done.approves.run_id) == ("the admin", report.run_id)
    assert [(each.approved_by, each.approved_run) for each in again.held] == [("the admin", done.run_id)]
    assert again.held[0].approved_at is not None


def test_r26_only_the_newest_held_run_is_approved(world: World) -> None:
    _, first = with_held_removals(world)
    second = world.full()
    assert refusal(world, first) == "not-newest"
    approved(world, second)
    assert len(seen(world)) == 15


@pytest.mark.parametrize("wanted", [{"outlook-removals": 14}, {"outlook-removals": 16}])
def test_r26_the_number_must_be_the_one_that_was_held(world: World, wanted: dict[str, int]) -> None:
    _, report = with_held_removals(world)
    assert refusal(world, report, wanted) == "count-differs"


def test_r26_a_kind_that_the_run_did_not_hold_is_refused(world: World) -> None:
    _, report = with_held_removals(world)
    assert refusal(world, report, {"bc-removals": 15}) == "not-held"


def test_r26_neither_a_run_that_holds_nothing_nor_a_preview_is_approved(world: World) -> None:
    _, report = with_held_removals(world)
    preview = world.full(preview=True)
    assert held(preview) == {"outlook-removals": 15}
    assert refusal(world, preview) == "not-held"
    done = approved(world, report)
    assert refusal(world, done, {"outlook-removals": 15}) == "not-held"
    assert refusal(world, report) == "not-held", "it is done"


def test_r26_an_approval_that_waits_for_its_run_is_not_given_twice(world: World) -> None:
    _, report = with_held_removals(world)
    approve(world.services, report.run_id, held(report), "the admin")
    with pytest.raises(RequestError) as caught:
        approve(world.services, report.run_id, held(report), "somebody else")
    assert caught.value.code == "already-approved"
    assert len(world.state.mailboxes.waiting("ada")) == 1


def test_r26_a_hold_lapses_and_a_later_run_holds_anew_what_is_still_due(world: World) -> None:
    ids, report = with_held_removals(world)
    world.clock.advance(days=7, minutes=1)
    assert refusal(world, report) == "hold-lapsed"
    anna(world)

    later = world.tick()

    assert later is not None
    assert held(later) == {"outlook-removals": 15}
    assert refusal(world, report) == "not-newest"
    approved(world, later)
    assert len(seen(world)) == 16
    assert not links(world).keys() & set(ids[:15])


def test_r26_a_hold_may_be_approved_on_its_last_day(world: World) -> None:
    _, report = with_held_removals(world)
    world.clock.advance(days=6, hours=23)
    assert approved(world, report).to_outlook.deleted == 15


# ---------------------------------------------------------------- deaths


def test_r30_an_approving_run_may_die_at_any_point() -> None:
    deaths = 0
    while True:
        w = World.new()
        w.profile("ada")
        _, report = with_held_removals(w)
        asked = approve(w.services, report.run_id, held(report), "the admin")
        w.faults.die(deaths + 1)
        try:
            w.work()
        except Died:
            deaths += 1
            w.work_after_death()
        else:
            break  # it got to its end before the death that was planned for it
        done = w.state.reports.get(asked.run_id)
        assert done is not None
        assert (done.status, len(seen(w)), waits(w)) == (RunStatus.SUCCEEDED, 15, {}), f"died at call {deaths}"
    assert deaths > 10


# ---------------------------------------------------------------- confirmed removals


def test_r26_a_confirmation_frees_what_an_earlier_run_held(world: World) -> None:
    ids = [*crowd(world, 15, city="Ulm"), anna(world, city="Berlin")]
    world.sync()
    assert held(world.sync(filter={"city": "Berlin"})) == {"outlook-removals": 15}

    report = world.sync(filter={"city": "Berlin"}, confirm_removals=15)

    assert held(report) == {}
    assert len(seen(world)) == 1
    assert waits(world) == {}
    assert len(world.bc.rows) == len(ids)


def test_r26_a_confirmation_of_fewer_frees_nothing_that_was_held(world: World) -> None:
    """However few they are by now: eight alone would not have been held."""
    ids = crowd(world, 30, city="Ulm")
    for bc_id in ids[15:]:
        world.bc.edit(bc_id, city="Berlin")
    world.sync()
    assert held(world.sync(filter={"city": "Berlin"})) == {"outlook-removals": 15}
    for bc_id in ids[:7]:
        world.bc.edit(bc_id, city="Berlin")

    report = world.full(filter={"city": "Berlin"}, confirm_removals=5)

    assert held(report) == {"outlook-removals": 8}
    assert len(seen(world)) == 30


def test_r26_a_run_with_a_filter_of_its_own_forgets_nothing_that_waits(world: World) -> None:
    with_held_removals(world)
    report = world.full(filter={"city": "Nowhere"}, save_filter=False)
    assert waits(world) == {"outlook-removals": 15}
    approved(world, report)
    assert len(seen(world)) == 15
