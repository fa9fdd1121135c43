"""Imports of users: the work goes on in pieces, after a death, when a service is away, and on two instances."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.engine.import_run import AT_ONCE
from shared.engine.importing import begin_night, serve
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import RunStatus
from shared.errors import RetryableError, Throttled
from shared.planning.importing import Unfit
from tests.fakes.faults import Died
from tests.fakes.world import COMPANY
from tests.rules.importing import Office, users


def test_what_one_answer_has_no_time_for_goes_on_in_pieces_and_tries_nobody_twice(office: Office) -> None:
    names = [f"u{number:04d}" for number in range(5 * AT_ONCE)]
    office.members(*names)
    tenant = office.world.directory.tenant
    tenant.unusable = dict.fromkeys(names[::7], Unfit.NO_MAILBOX)
    try_mailboxes = tenant.try_mailboxes

    def slowly(user_ids: Sequence[str]) -> Sequence[Unfit | None]:
        office.world.clock.advance(seconds=5)
        return try_mailboxes(user_ids)

    tenant.try_mailboxes = slowly  # type: ignore[method-assign]
    run = office.ask(name="sales", seconds=8)
    assert not run.is_over
    assert len(run.added) + len(run.left_out) == 2 * AT_ONCE
    office.world.limits = replace(office.world.limits, run_budget=8)
    run = office.work(run.run_id)
    assert (run.status, len(run.added), len(run.left_out)) == (RunStatus.SUCCEEDED, 428, 72)
    assert len(tenant.tried) == len(set(tenant.tried)) == len(names)
    assert run.pieces == 3
    assert office.enabled() == {each for each in names if each not in tenant.unusable}


@pytest.mark.parametrize("after", [False, True])
def test_a_death_in_the_middle_doubles_nothing(office: Office, after: bool) -> None:
    office.members(*(f"u{number}" for number in range(30)))
    office.world.faults.die(12, after=after, call="profiles.save")
    with pytest.raises(Died):
        office.ask(name="sales")
    office.world.faults.restart()
    (run_id,) = office.world.state.imports.rows
    office.world.clock.advance(seconds=61)
    run = office.work(run_id)
    assert run.status is RunStatus.SUCCEEDED
    assert len(office.enabled()) == 30


def test_a_service_that_is_away_is_asked_again_later(office: Office) -> None:
    office.members("ada")
    office.world.faults.fail(1, RetryableError("away"), call="graph.members")
    run = office.ask(name="sales")
    assert not run.is_over
    office.world.faults.fail(1, Throttled("later", retry_after=90), call="graph.members")
    serve(office.world.services, CompanyJob(COMPANY, Reason.IMPORT, import_run=run.run_id))
    (message,) = [each for each in office.world.state.messages.sent if each.queue == "import"]
    assert (message.due - office.world.clock()).total_seconds() == 90
    assert users(office.work(run.run_id).added) == ["ada"]


def test_two_instances_begin_a_night_once_and_do_not_work_at_the_same_time(office: Office) -> None:
    office.members("ada")
    office.ask(name="sales")
    office.world.clock.advance(hours=24)
    services = office.world.services
    (job,) = begin_night(services, office.world.clock())
    assert begin_night(services, office.world.clock()) == []
    held = office.world.state.imports.hold(COMPANY, "the other")
    serve(services, job)
    assert office.world.state.imports.rows[job.import_run].status is RunStatus.QUEUED
    assert [each.queue for each in office.world.state.messages.sent if each.queue == "import"] == ["import"]
    held.release()  # type: ignore[union-attr]
    assert office.work(job.import_run).status is RunStatus.SUCCEEDED
