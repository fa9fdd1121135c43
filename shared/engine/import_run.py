"""Carrying out an import: read the source, decide, and do what is decided, piece by piece under the company's lease.

Each piece reads source and profiles anew and goes on: what is done is seen in the profiles, what was found out about
mailboxes stands in the run's report. So whoever dies in the middle repeats a part and doubles nothing.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.engine.departures import NotFinished, remove_profile
from shared.engine.folder_choice import check_free, default_name
from shared.engine.import_source import people_of
from shared.engine.import_state import HeldBack, HeldImports, ImportOrder, ImportRun, OnLeave, Who
from shared.engine.model import Profile, RunStatus
from shared.engine.parallel import in_parallel
from shared.engine.pauses import pause_of
from shared.engine.services import Services
from shared.engine.state import Busy, Mark
from shared.errors import MailboxUnavailable, OutOfTime, RequestError, RetryableError, SourceUnreadable, SyncError
from shared.logs import log_event
from shared.pace import Pace
from shared.planning.importing import (
    LEAVERS,
    REMOVALS,
    Decision,
    Known,
    Person,
    decide,
    removal_limit,
    size_of,
)

logger = logging.getLogger(__name__)

AT_ONCE = 100  #: users who are tried and added before the time and the lease are looked at
REMOVING = 60.0  #: seconds for the contacts of one leaver, before others have their turn
MOST_PIECES = 200  #: of one run; one that needs more comes to no end
ENDLESS = "The import did not come to an end. Split it into several, or look into the app's log at that time."
PAUSED = "The company is paused; nothing was changed. Resume it, then repeat the import or wait for the night."
EMPTY = (
    "Nobody of the source could be synced, so nothing was changed: a source that is empty by mistake must not end "
    "everybody's sync. Check it; if it is right, remove the import and its profiles."
)


def carry_out(services: Services, run_id: str, seconds: float) -> ImportRun | None:
    """Go on with a run for some seconds; answers how it stands, None when another worker is at the company's imports.

    Raises RetryableError when a service does not answer, and LeaseLost.
    """
    run = services.imports.run(run_id)
    if run is None or run.is_over:
        return run
    held = services.imports.hold(run.order.company_id, services.new_id())
    if isinstance(held, Busy):
        return None
    try:
        pace = Pace(services.monotonic() + seconds, keep_going=held.keep)
        work = Work(services, held, services.imports.run(run_id) or run, pace)
        work.go_on()
        return work.run
    finally:
        held.release()


def close_as_failed(services: Services, run_id: str, code: str, reason: str) -> None:
    """A run whose message broke off too often is over."""
    run = services.imports.run(run_id)
    if run is not None and not run.is_over:
        ended = services.now()
        services.imports.save(replace(run, status=RunStatus.FAILED, ended_at=ended, error_code=code, error=reason))


@dataclass(slots=True)
class Work:
    """One piece of a run."""

    services: Services
    held: HeldImports
    run: ImportRun
    pace: Pace

    @property
    def order(self) -> ImportOrder:
        """What is imported."""
        return self.run.order

    def go_on(self) -> None:
        """Do what the time allows. A run that is not over afterwards needs another piece."""
        if self.run.is_over:
            return
        if self.run.pieces >= MOST_PIECES:
            self._end(RunStatus.FAILED, SyncError(ENDLESS, code="endless"))
            return
        if not self.run.preview and pause_of(self.services.pauses.all(), self.order.company_id) is not None:
            self._end(RunStatus.FAILED, SyncError(PAUSED, code="paused"))
            return
        profiles = {each.id: each for each in self.services.profiles.in_company(self.order.company_id)}
        known = [_known(each, self.order) for each in profiles.values()]
        self._start(known)
        try:
            people = people_of(self.services, self.order, profiles, self.pace)
            decision = decide(
                people,
                known,
                self.services.limits.leavers,
                size=self.run.size or 0,
                held_before=self._held_before(LEAVERS),
                approved=self._approved(LEAVERS),
            )
            self._tell(people, decision)
            if decision.is_empty:
                raise SourceUnreadable(EMPTY, code="source-empty")
            self._carry_out(decision, profiles)
        except OutOfTime:
            self.held.save(self.run)
        except RetryableError:
            self.held.save(self.run)
            raise
        except SyncError as error:
            self._end(RunStatus.FAILED, error)

    # ------------------------------------------------------------ beginning and end

    def _start(self, known: Sequence[Known]) -> None:
        self.run = replace(self.run, pieces=self.run.pieces + 1)
        if self.run.status is not RunStatus.QUEUED:
            self.held.save(self.run)
            return
        last = self.services.imports.last(self.order.company_id, self.order.name) if self.order.is_saved else None
        self.run = replace(
            self.run,
            status=RunStatus.RUNNING,
            started_at=self.services.now(),
            size=size_of(known),
            before=last.run_id if last is not None and last.held and last.order.id == self.order.id else "",
        )
        self.held.save(self.run)

    def _end(self, status: RunStatus, error: SyncError | None = None) -> None:
        run = replace(self.run, status=status, ended_at=self.services.now())
        if error is not None:
            # what an earlier run held waits on: this one has found out nothing
            run = replace(run, error_code=error.code, error=str(error), held=self._waiting_before())
        self.run = run
        self.held.save(run)
        log_event(
            logger,
            "import_finished",
            level=logging.WARNING if status in (RunStatus.FAILED, RunStatus.HELD) else logging.INFO,
            company=self.order.company_id,
            status=status.value,
            code=run.error_code,
            preview=run.preview,
            found=run.found,
            added=len(run.added),
            enabled=len(run.enabled),
            disabled=len(run.disabled),
            removed=len(run.removed),
            left_out=len(run.left_out),
            held=sum(each.count for each in run.held),
        )

    def _tell(self, people: Sequence[Person], decision: Decision) -> None:
        """What the source says; what earlier pieces have found out about mailboxes stays."""
        told = [_who(each, each.unfit or "") for each in decision.left_out]
        named = {each.user or each.address for each in told}
        tried = [each for each in self.run.left_out if each.user and each.user not in named]
        kept = len(decision.kept) - len(self.run.added) - len(self.run.enabled)
        kept = len(decision.kept) if self.run.preview else max(0, kept)
        self.run = replace(self.run, found=len(people), kept=kept, left_out=(*told, *tried))

    def _waiting_before(self) -> tuple[HeldBack, ...]:
        """What the import's last run held."""
        before = self.services.imports.run(self.run.before) if self.run.before else None
        return before.held if before is not None else ()

    def _held_before(self, kind: str) -> frozenset[str]:
        return frozenset(user for each in self._waiting_before() if each.kind == kind for user in each.users)

    def _approved(self, kind: str) -> frozenset[str]:
        return frozenset(self.run.approved.get(kind, ()))

    # ------------------------------------------------------------ what is decided

    def _carry_out(self, decision: Decision, profiles: Mapping[str, Profile]) -> None:
        self._join(decision.join)
        self._enable([profiles[each] for each in decision.back])
        self._disable([profiles[each] for each in decision.leave])
        held = []
        if decision.held:
            users = decision.held
            held.append(HeldBack(LEAVERS, len(users), decision.limit, tuple(users)))
        gone = [*decision.gone, *decision.leave] if self.order.on_leave is OnLeave.REMOVE else []
        waiting = self._remove([profiles[each] for each in gone])
        if waiting is not None:
            held.append(waiting)
        self.run = replace(self.run, held=tuple(held))
        self._end(RunStatus.HELD if held else RunStatus.SUCCEEDED)

    def _join(self, people: Sequence[Person]) -> None:
        """Who has no profile yet, if the mailbox can be used; who was tried by an earlier piece is not tried again."""
        company = self.services.companies.settings(self.order.company_id).name
        tried = {each.user for each in (*self.run.left_out, *self.run.added)}
        waiting = [each for each in people if each.id not in tried]
        for start in range(0, len(waiting), AT_ONCE):
            self._look()
            batch = waiting[start : start + AT_ONCE]
            reasons = self.services.directory(self.pace).unusable([each.id for each in batch])
            fit = [each for each, reason in zip(batch, reasons, strict=True) if reason is None]
            refused = [_who(each, reason) for each, reason in zip(batch, reasons, strict=True) if reason is not None]
            if not self.run.preview:
                done = in_parallel(lambda each: self._add(each, company), fit)
                refused += [_who(each, code) for each, code in zip(fit, done, strict=True) if code]
                fit = [each for each, code in zip(fit, done, strict=True) if not code]
            self.run = replace(
                self.run,
                added=(*self.run.added, *(_who(each) for each in fit)),
                left_out=(*self.run.left_out, *refused),
            )

    def _add(self, person: Person, company: str) -> str:
        """Make a profile in the company of that name; answers why not, blank when it is made."""
        services, order = self.services, self.order
        others = services.profiles.of_mailbox(person.id)
        profile = Profile(
            order.company_id,
            person.id,
            person.address,
            person.id,
            person.address,
            folder_name=default_name(services.limits.default_folder, company, others),
            filter=dict(order.filter),
            bc_user_name=person.bc_user_name,
            direction=order.direction,
            policies=order.policies,
            imported=order.mark,
        )
        try:
            check_free(profile, others)
        except RequestError as error:
            return error.code
        return self._saved(profile)

    def _enable(self, profiles: Iterable[Profile]) -> None:
        """Leavers who are here again. They are this import's now, whoever's they were."""
        self._change([replace(each, imported=self.order.mark) for each in profiles], enabled=True)

    def _disable(self, profiles: Iterable[Profile]) -> None:
        self._change(profiles, enabled=False)

    def _change(self, profiles: Iterable[Profile], *, enabled: bool) -> None:
        todo = [replace(each, enabled=enabled, left=not enabled) for each in profiles]
        for start in range(0, len(todo), AT_ONCE):
            self._look()
            batch = todo[start : start + AT_ONCE]
            if not self.run.preview:
                codes = in_parallel(self._saved, batch)
                batch = [each for each, code in zip(batch, codes, strict=True) if not code]
            done = tuple(Who(each.id, each.user_address) for each in batch)
            if enabled:
                self.run = replace(self.run, enabled=(*self.run.enabled, *done))
            else:
                self.run = replace(self.run, disabled=(*self.run.disabled, *done))

    def _saved(self, profile: Profile) -> str:
        """Save it, to be synced soon; answers why not, blank when it is done."""
        now = self.services.now()
        actor = f"import {self.order.name}"
        try:
            saved = self.services.profiles.save(replace(profile, actor=actor, changed_at=now))
        except RequestError as error:
            return error.code  # somebody saved it at this moment; the next run looks at it again
        if saved.is_automatic:
            self.services.marks.put(Mark(saved.company_id, saved.id, saved.mailbox_id, now, "request"))
        return ""

    # ------------------------------------------------------------ the contacts of leavers

    def _remove(self, profiles: Sequence[Profile]) -> HeldBack | None:
        """What the sync made goes with the profile, if so few contacts are concerned that R26 lets them go unasked, or
        a person approved it. Answers what waits."""
        approved, held_before = self._approved(REMOVALS), self._held_before(REMOVALS)
        waiting: dict[str, int] = {}
        limits: list[str] = []
        for profile in profiles:
            if profile.id in {each.user for each in (*self.run.removed, *self.run.failed)}:
                continue
            self._look()
            state = self.services.mailboxes.peek(profile.mailbox_id, profile.company_id, profile.id)
            count = state.positions().link_count
            limit = removal_limit(count, self.services.limits.safety, waited=profile.id in held_before)
            if limit and profile.id not in approved:
                waiting[profile.id] = count
                limits.append(limit)
            elif self.run.preview:
                self._removed(profile, count)
            else:
                self._remove_one(profile)
        if not waiting:
            return None
        return HeldBack(REMOVALS, sum(waiting.values()), limits[0], tuple(waiting))

    def _remove_one(self, profile: Profile) -> None:
        fresh = self.services.profiles.get(profile.company_id, profile.id)
        if fresh is None or fresh.enabled:
            return  # somebody removed it, or enabled it by hand at this moment
        pace = Pace(min(self.pace.deadline, self.services.monotonic() + REMOVING))
        actor = self.run.actor or f"import {self.order.name}"
        try:
            done = remove_profile(self.services, fresh, contacts=True, actor=actor, pace=pace)
        except NotFinished as error:
            raise OutOfTime("The contacts of a leaver are removed in another piece.") from error
        except (RequestError, MailboxUnavailable) as error:
            # the mailbox is busy, or gone with its user
            who = Who(profile.id, profile.user_address, error.code)
            self.run = replace(self.run, failed=(*self.run.failed, who))
            return
        self._removed(profile, done.removed)

    def _removed(self, profile: Profile, contacts: int) -> None:
        removed = (*self.run.removed, Who(profile.id, profile.user_address))
        self.run = replace(self.run, removed=removed, contacts_removed=self.run.contacts_removed + contacts)

    def _look(self) -> None:
        """Raises OutOfTime when this piece's time is over, LeaseLost when somebody else is at it."""
        self.held.keep()
        if self.services.monotonic() >= self.pace.deadline:
            raise OutOfTime("The import goes on in another piece.")


def _known(profile: Profile, order: ImportOrder) -> Known:
    mine = bool(order.mark) and profile.imported == order.mark
    return Known(profile.id, profile.enabled, mine, profile.left)


def _who(person: Person, code: str = "") -> Who:
    return Who(person.id, person.address, code)
