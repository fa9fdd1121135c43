"""R40: while something is paused no run starts and a running one stops; nothing is lost, and resuming catches up."""

from dataclasses import replace

import pytest

from shared.engine.callers import Caller
from shared.engine.fan_out import serve_company, serve_tick
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import RunStatus, Undoes
from shared.engine.pauses import Pause
from shared.engine.pausing import resume
from shared.engine.run import run_mailbox
from shared.engine.undo_requests import request_undo
from shared.pace import Pace
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, crowd, names, seen

SCOPES = [Pause(), Pause(COMPANY), Pause(COMPANY, "ada")]


def wake(w: World, user: str = "ada") -> None:
    run_mailbox(w.services, user, "worker")


def end(w: World, pause: Pause) -> None:
    """Resumed, with what the messages set going."""
    w.state.pauses.remove(pause.company_id, pause.profile_id)
    assert not resume(w.services, "", pause.company_id, Caller("the admin"), Pace(1e12))
    serve_company(w.services, CompanyJob(COMPANY, Reason.TIMER))
    w.work()


@pytest.mark.parametrize("pause", SCOPES)
def test_r40_no_run_starts_and_what_waits_is_run_under_its_id(world: World, pause: Pause) -> None:
    anna(world)
    world.state.pauses.save(pause)
    run_id = world.request()
    wake(world)
    assert (world.written(), len(world.state.mailboxes.waiting("ada"))) == (0, 1)

    end(world, pause)

    report = world.state.reports.get(run_id)
    assert report is not None
    assert (report.status, names(world)) == (RunStatus.SUCCEEDED, ["Anna Berg"])


@pytest.mark.parametrize("pause", SCOPES)
def test_r40_a_running_one_stops_at_its_next_batch_and_goes_on_under_its_id(world: World, pause: Pause) -> None:
    world.limits = replace(world.limits, apply_batch=5)
    crowd(world, 20)
    run_id = world.request()
    world.faults.before("graph.create", lambda: world.state.pauses.save(pause))
    wake(world)
    between = world.state.reports.get(run_id)
    assert between is not None
    assert (between.status, len(seen(world))) == (RunStatus.RUNNING, 5)

    end(world, pause)

    report = world.state.reports.get(run_id)
    assert report is not None
    assert (report.status, report.to_outlook.created, len(seen(world))) == (RunStatus.SUCCEEDED, 20, 20)


def test_r40_an_undo_stops_at_its_next_batch_too_and_goes_on_under_its_id(world: World) -> None:
    world.limits = replace(world.limits, apply_batch=5)
    crowd(world, 20)
    run = world.sync()
    run_id = request_undo(world.services, Undoes(run.run_id), "boss").run_id
    world.faults.before("graph.remove", lambda: world.state.pauses.save(Pause()))
    wake(world)
    assert len(seen(world)) == 15

    end(world, Pause())

    report = world.state.reports.get(run_id)
    assert report is not None
    assert (report.status, report.to_outlook.deleted, seen(world)) == (RunStatus.SUCCEEDED, 20, [])


@pytest.mark.parametrize("pause", [Pause(), Pause(COMPANY)])
def test_r40_a_timer_tick_leaves_positions_and_marks_as_they_are(world: World, pause: Pause) -> None:
    world.sync()
    feed = world.state.companies.feed(COMPANY)
    world.clock.advance(hours=2)
    anna(world)
    world.state.pauses.save(pause)
    serve_tick(world.services, world.clock())
    assert world.state.companies.feed(COMPANY) == feed
    assert not world.state.mailboxes.waiting("ada")

    end(world, pause)

    assert names(world) == ["Anna Berg"]


def test_r40_others_go_on(world: World) -> None:
    world.profile("ben")
    anna(world)
    world.state.pauses.save(Pause(COMPANY, "ada"))
    world.request("ada")
    wake(world, "ada")
    world.sync("ben")
    assert (names(world, "ada"), names(world, "ben")) == ([], ["Anna Berg"])
