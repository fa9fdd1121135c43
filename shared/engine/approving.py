"""A person approves what a run held (R26): only the newest held run, only what it names, and only for some days."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.engine.holds import COMPANY_KINDS, Approval, Hold
from shared.engine.model import HeldKind, Report, RunStatus
from shared.engine.requests import Wanted, request_run
from shared.engine.services import Services
from shared.errors import RequestError


def approve(services: Services, run_id: str, wanted: Mapping[str, int], actor: str) -> Report:
    """Put a run in line that plans anew and carries out what run `run_id` held, of the kinds in `wanted` with the
    numbers that its report gives. Answers the new run's report.

    The caller then sends the mailbox's sync-jobs message. Raises RequestError: `unknown-run`, `no-profile` (404),
    `not-held`, `count-differs`, `not-newest`, `hold-lapsed`, `already-approved`, `profile-disabled` (409).
    """
    report = _held_run(services, run_id)
    profile = services.profiles.get(report.company_id, report.profile_id)
    if profile is None:
        raise RequestError(
            "The profile of this run does not exist any more, and nothing waits for it. Made anew it compares "
            "everything, and its run holds what is due then.",
            code="no-profile",
            status=404,
            field="id",
        )
    kinds = {kind: _approved(services, report, kind, count) for kind, count in wanted.items()}
    asked = request_run(services, profile, Wanted(approves=Approval(run_id, kinds)), actor)
    at = services.now()
    held = tuple(
        replace(each, approved_by=actor, approved_at=at, approved_run=asked.run_id) if each.kind in kinds else each
        for each in report.held
    )
    services.reports.save(replace(report, held=held))
    return asked


def _held_run(services: Services, run_id: str) -> Report:
    report = services.reports.get(run_id)
    if report is None:
        raise RequestError(
            f"There is no such run: the id is wrong, or the run is older than {services.limits.retention_days} days. "
            f"{_LOOK}",
            code="unknown-run",
            status=404,
            field="id",
        )
    if report.status is RunStatus.HELD and not report.preview:
        return report
    if report.preview:
        words = "A preview only shows what would be held. Start the run itself, and approve that one."
    elif report.status in (RunStatus.QUEUED, RunStatus.RUNNING):
        words = "The run is still under way. Wait for its end; what it then holds can be approved."
    else:
        words = f"This run holds nothing back; there is nothing to approve. {_LOOK}"
    raise RequestError(words, code="not-held", status=409, field="id")


_LOOK = "`state.holds` of GET /api/profiles/{user} tells what waits, and which run is to be approved."


def _approved(services: Services, report: Report, kind: str, count: int) -> datetime | None:
    """`since` of the hold that is meant."""
    named = next((each for each in report.held if each.kind == kind), None)
    if named is None:
        kinds = ", ".join(each.kind for each in report.held)
        raise _cannot("not-held", f"This run did not hold {kind[:40]}. It held: {kinds}. Name one of these.")
    hold = _hold(services, report, named)
    if hold.has_lapsed(services.now(), services.limits.hold_days):
        days = services.limits.hold_days
        raise _cannot(
            "hold-lapsed",
            f"What is held may be approved for {days:g} days, which are over. Start a run: it holds anew what is due.",
        )
    if count != named.count:
        raise _cannot(
            "count-differs",
            f"Of {kind} this run held {named.count}, not {count}. Look into its report, and approve {named.count} if "
            "that is what should be done.",
        )
    if hold.count != named.count:
        raise _cannot(
            "count-differs",
            f"Of {kind} this run held {named.count}, but {hold.count} wait by now. Start a run, look into its report, "
            "and approve that one.",
        )
    return hold.since


def _hold(services: Services, report: Report, named: HeldKind) -> Hold:
    """What waits now, which must be what the report names."""
    _check_not_approved(services, named)
    if named.kind in COMPANY_KINDS:
        return _company_hold(services, report, named)
    state = services.mailboxes.peek(report.mailbox_id, report.company_id, report.profile_id)
    hold = state.positions().holds.get(named.kind)
    if hold is None:
        raise _cannot("not-held", f"Nothing of {named.kind} waits any more: it was done, or is not due now. {_LOOK}")
    if hold.run_id != report.run_id:
        raise _cannot(
            "not-newest", f"A later run holds this. Look into its report and approve that one: {hold.run_id}."
        )
    return hold


def _company_hold(services: Services, report: Report, named: HeldKind) -> Hold:
    """Many runs' reports carry it; it must still be the same."""
    feed = services.companies.feed(report.company_id)
    hold = next((each for each in (feed.stopped, feed.held) if each is not None and each.kind == named.kind), None)
    if hold is None:
        raise _cannot("not-held", f"Nothing of {named.kind} waits any more: it was done, or is not due now. {_LOOK}")
    if hold.since != named.since:
        raise _cannot(
            "not-newest",
            "The company holds more, or something else, by now. Start a run, look into its report, and approve that "
            "one.",
        )
    return hold


def _check_not_approved(services: Services, named: HeldKind) -> None:
    """An approval that did not come to its end may be given again."""
    carrying_out = services.reports.get(named.approved_run) if named.approved_run else None
    if carrying_out is not None and carrying_out.status in (RunStatus.QUEUED, RunStatus.RUNNING):
        raise _cannot(
            "already-approved",
            f"It was approved by {named.approved_by}. Wait for the run that carries it out: {named.approved_run}.",
        )


def _cannot(code: str, words: str) -> RequestError:
    return RequestError(words, code=code, status=409, field="holds")
