"""One sync-jobs message: take the mailbox, do the runs that wait in line, report, hand over (R29, R30, R32, R35)."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial

from shared.engine import rules_of
from shared.engine.erase_run import EraseRun
from shared.engine.handing_over import is_paused
from shared.engine.model import HeldKind, Profile, Report, RunRequest, RunStatus
from shared.engine.one_run import OneRun
from shared.engine.requests import queued
from shared.engine.services import Services
from shared.engine.state import Busy, Changes, HeldMailbox, Mark, ProfileState
from shared.engine.tally import Tally
from shared.engine.undo_run import UndoRun
from shared.engine.upkeep import keep_profile, watched_as
from shared.errors import LeaseLost, OutOfTime, Paused, RetryableError, SyncError, Throttled
from shared.filters import FilterError
from shared.logs import log_event
from shared.pace import Pace
from shared.planning.model import Side

type Run = OneRun | UndoRun | EraseRun  #: what a request can ask for

logger = logging.getLogger(__name__)
BUSY_WAIT, BUSY_LOOK = 2.0, 0.2  #: seconds that a worker waits for a busy mailbox, and between two looks
HAND_OVERS_MOST = 200  #: a run that was handed over this often is closed as failed


def run_mailbox(services: Services, mailbox_id: str, owner: str) -> None:
    """Do what waits for one mailbox. Raises what is not understood; the message then comes back (and is poisoned after
    some attempts, `close_as_failed`)."""
    held = _hold(services, mailbox_id, owner)
    if held is None:
        return
    pace_until = services.monotonic() + services.limits.run_budget
    delay = 0.0
    try:
        while services.monotonic() < pace_until:
            rest = services.limits.run_gap - held.rested  # until a burst of notifications counts as over
            request = held.take(urgent=rest > 0, paused=lambda each: is_paused(services, each))
            if request is None:
                delay = max(0.0, rest)
                break
            wait = _Session(services, held, request, Pace(pace_until, held.keep)).go()
            if wait is not None:
                delay = wait
                break
    except LeaseLost:
        log_event(logger, "lease_lost", mailbox=mailbox_id)  # somebody else goes on with it
        return
    finally:
        waiting = held.release()
    if waiting and _somebody_may_go_on(services, mailbox_id):
        services.messages.sync_job(mailbox_id, delay=delay)


def _somebody_may_go_on(services: Services, mailbox_id: str) -> bool:
    """Those who are paused are woken when they are resumed (R40)."""
    if not services.pauses.all():
        return True
    return not all(is_paused(services, each) for each in services.mailboxes.waiting(mailbox_id))


def _hold(services: Services, mailbox_id: str, owner: str) -> HeldMailbox | None:
    """The mailbox; None when another worker has it, or has done the work meanwhile.

    Most runs are short, so a moment's wait saves a message. After that one is left behind, for when the lease ends: the
    holder may be dead (R30).
    """
    give_up = services.monotonic() + BUSY_WAIT
    while isinstance(held := services.mailboxes.hold(mailbox_id, owner), Busy):
        if not services.mailboxes.waiting(mailbox_id):
            return None
        if services.monotonic() >= give_up:
            services.messages.sync_job(mailbox_id, delay=held.seconds + 1.0)
            return None
        services.sleep(BUSY_LOOK)
    return held


def close_as_failed(services: Services, mailbox_id: str, code: str, reason: str) -> None:
    """A message that failed too often: every request that waits for the mailbox ends as failed, with the reason."""
    held = services.mailboxes.hold(mailbox_id, services.new_id())
    if isinstance(held, Busy):
        services.messages.sync_job(mailbox_id, delay=held.seconds + 1.0)
        return
    try:
        while (request := held.take()) is not None:
            report = services.reports.get(request.run_id) or queued(request)
            _close(services, held, request, _failed(report, services, code, reason))
    finally:
        held.release()


@dataclass(slots=True)
class _Session:
    """One request of the line, from taking it to closing it."""

    services: Services
    held: HeldMailbox
    request: RunRequest
    pace: Pace

    def go(self) -> float | None:
        """Run it; None when it is over, else the seconds after which it goes on (R32)."""
        services, request = self.services, self.request
        report = services.reports.get(request.run_id) or queued(request)
        if report.status not in (RunStatus.QUEUED, RunStatus.RUNNING):
            self.held.finish(request)  # it died between its report and its end
            return None
        if request.attempt - report.continued > services.limits.attempts_most:
            self._close(_failed(report, services, "gave-up", "The run was interrupted too often; start it again."))
            return None
        profile = services.profiles.get(request.company_id, request.profile_id)
        if not request.trigger.is_requested and (profile is None or not profile.is_automatic):
            services.reports.discard(report)  # switched off or removed since somebody noticed its work
            self.held.finish(request)
            return None
        if profile is None or not (profile.enabled or request.erases is not None):
            words = "The profile does not exist any more." if profile is None else "The profile is switched off."
            self._close(_failed(report, services, "profile-disabled", words))
            return None
        if request.filter is not None and request.save_filter and not request.preview:
            try:
                profile = self._with_filter(profile, request.filter)
            except FilterError as error:
                self._close(_failed(report, services, error.code, str(error)))
                return None
        started = report.started_at or services.now()
        report = replace(report, status=RunStatus.RUNNING, started_at=started, filter=dict(self._filter(profile)))
        if request.trigger.is_requested:
            services.reports.save(report)
        return self._run(profile, report)

    def _with_filter(self, profile: Profile, text: Mapping[str, str]) -> Profile:
        """Save the request's filter; one that cannot be read changes nothing (R5)."""
        rules_of.parse(text, profile, self.services.companies.settings(profile.company_id))
        return self.services.profiles.save(replace(profile, filter=dict(text)))

    def _filter(self, profile: Profile) -> dict[str, str]:
        """The filter that counts for this run (a preview of a new filter does not save it)."""
        return dict(self.request.filter if self.request.filter is not None else profile.filter)

    def _run(self, profile: Profile, report: Report) -> float | None:
        request, services = self.request, self.services
        seen = replace(profile, filter=self._filter(profile)) if request.save_filter else profile
        state = self.held.profile(request.company_id, request.profile_id)
        if request.heard is not None and request.heard <= set(state.positions().echoes):
            services.reports.discard(report)  # what was announced is what we wrote (R15)
            self.held.finish(request)
            return None
        self.held.use()
        tally = Tally.continued(report)
        run: Run
        if request.erases is not None:
            run = EraseRun(services, state, seen, request, request.erases, self.pace, tally)
        elif request.undoes is not None:
            run = UndoRun(services, state, seen, request, request.undoes, self.pace, tally)
        else:
            keep = partial(_keep_so_far, services, self.held, report)
            run = OneRun(services, state, seen, request, self.pace, tally, keep)
        self.pace.requests.update(report.requests)
        try:
            run.go()
        except LeaseLost:
            raise
        except RetryableError as error:
            return self._hand_over(run, report, error)
        except SyncError as error:
            self._close_failed(_failed(self._filled(run, report), services, error.code, str(error)))
            return None
        except Exception:
            log_event(logger, "run_broke", run=request.run_id, mailbox=request.mailbox_id)
            raise
        self._mark_retry(run)
        self._end(run, report)
        if run.unwatched:
            self._watch(profile, state)
        return None

    def _watch(self, profile: Profile, state: ProfileState) -> None:
        """The folder is new to us: from now on its changes are announced. If that fails, the next run tries again."""
        try:
            keep_profile(self.services, profile, self.pace)
            positions = state.positions()
            watched = watched_as(self.services, profile, positions)
            state.commit(Changes(positions=replace(positions, watched=watched)))
        except SyncError as error:
            log_event(logger, "subscription_later", code=error.code, profile=profile.id)

    def _close_failed(self, report: Report) -> None:
        """A mailbox or company that stays broken is reported once, not at every tick."""
        if not self.request.trigger.is_requested and not (report.notes or report.continued):
            page, _ = self.services.reports.of_profile(report.mailbox_id, report.company_id, report.profile_id, top=1)
            if page and page[0].status is RunStatus.FAILED and page[0].error_code == report.error_code:
                self.services.reports.discard(report)
                self.held.finish(self.request)
                _look_again(self.services, self.request)
                return
        self._close(report)

    def _end(self, run: Run, report: Report) -> None:
        """A tick that found nothing to do leaves no report (R35)."""
        if not self.request.trigger.is_requested and not run.tally.did_something and not report.continued:
            self.services.reports.discard(report)
            self.held.finish(self.request)
            return
        self._close(replace(self._filled(run, report), status=run.tally.status(), ended_at=self.services.now()))

    def _hand_over(self, run: Run, report: Report, error: RetryableError) -> float | None:
        """Not finished: what was done is recorded; the same run goes on under its id (R32)."""
        if report.continued >= HAND_OVERS_MOST and not isinstance(error, Paused):
            self._close(_failed(self._filled(run, report), self.services, error.code, str(error)))
            return None
        going_on = replace(self._filled(run, report), continued=report.continued + 1)
        self.services.reports.save(going_on)
        log_event(logger, "run_handed_over", run=self.request.run_id, code=error.code, times=going_on.continued)
        if isinstance(error, Paused):
            return None  # it stays in line; others of the mailbox may go on
        if isinstance(error, OutOfTime):
            return 0.0
        asked = error.retry_after if isinstance(error, Throttled) else 0.0
        return max(asked, min(300.0, 5.0 * float(1 << min(report.continued, 6))))

    def _filled(self, run: Run, report: Report) -> Report:
        tally = run.tally
        return replace(
            report,
            to_outlook=tally.of(Side.OUTLOOK),
            to_bc=tally.of(Side.BC),
            notes=tuple(tally.notes.values()),
            held=_each_kind_once(tally.held),
            requests=dict(self.pace.requests),
            plan=tuple(run.described),
        )

    def _mark_retry(self, run: Run) -> None:
        if run.next_retry is not None:
            request = self.request
            self.services.marks.put(
                Mark(request.company_id, request.profile_id, request.mailbox_id, run.next_retry, "retry")
            )

    def _close(self, report: Report) -> None:
        _close(self.services, self.held, self.request, report)


def _close(services: Services, held: HeldMailbox, request: RunRequest, report: Report) -> None:
    services.reports.save(report)
    held.finish(request)
    if report.status is RunStatus.FAILED:
        _look_again(services, request)
    took = (report.ended_at - report.started_at) if report.ended_at and report.started_at else timedelta()
    waited = (report.started_at - report.requested_at) if report.started_at else timedelta()
    log_event(
        logger,
        "run_finished",
        run=report.run_id,
        mailbox=report.mailbox_id,
        company=report.company_id,
        status=report.status.value,
        mode=report.mode.value,
        trigger=report.trigger.value,
        error=report.error_code,
        waited=round(waited.total_seconds(), 3),
        seconds=round(took.total_seconds(), 3),
        to_outlook=asdict(report.to_outlook),
        to_bc=asdict(report.to_bc),
        requests=dict(report.requests),
        notes=len(report.notes),
    )


def _look_again(services: Services, request: RunRequest) -> None:
    """A failed run has not read its news: the profile is looked at again soon, whoever announces its changes."""
    due = services.now() + timedelta(seconds=services.limits.retry_first)
    services.marks.put(Mark(request.company_id, request.profile_id, request.mailbox_id, due, "failed"))


def _keep_so_far(services: Services, held: HeldMailbox, report: Report, tally: Tally) -> None:
    """Save the report of a run that is under way: its notes hold values that the run is about to replace. Raises
    LeaseLost: whoever took the mailbox over may have ended the run."""
    held.keep()
    notes = tuple(tally.notes.values())
    services.reports.save(replace(report, to_outlook=tally.of(Side.OUTLOOK), to_bc=tally.of(Side.BC), notes=notes))


def _failed(report: Report, services: Services, code: str, reason: str) -> Report:
    now = services.now()
    return replace(
        report,
        status=RunStatus.FAILED,
        started_at=report.started_at or now,
        ended_at=now,
        error_code=code,
        error=reason,
    )


def _each_kind_once(held: list[HeldKind]) -> tuple[HeldKind, ...]:
    return tuple({each.kind: each for each in held}.values())
