"""Who is to be run, by need: profiles with a work mark that is due, and those whom a change in BC concerns.

Every automatic profile has a mark. Its due time says when its folder is to be looked at although nothing announced a
change: at every tick while it has no healthy subscription, else once in a while (the sweep). So an idle tick is one
query that finds nothing (architecture, point 5). A change in BC concerns a profile when the contact is, or was, in its
scope, or when the profile holds it outside its filter (R4); the rest never hear of it.
"""

import logging
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched, compress

from shared.engine import company_feed
from shared.engine.company_state import FeedState, LogEntry, Told
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import CompanySettings, Mode, Profile, RunStatus, Trigger
from shared.engine.parallel import in_parallel
from shared.engine.pauses import pause_of
from shared.engine.requests import Wanted, request_automatic_run, request_run
from shared.engine.rules_of import rules_of
from shared.engine.services import Services
from shared.engine.state import Mark
from shared.engine.watching import Source
from shared.errors import CompanyError
from shared.filters import FilterError
from shared.logs import log_event
from shared.pace import Pace
from shared.planning.model import Rules
from shared.planning.scope import concerns

logger = logging.getLogger(__name__)


INLINE_MOST = 4  #: companies that a timer tick reads itself; more of them share the work over the queue
INLINE_SECONDS = 60.0  #: how long it tries one of them
AT_A_TIME = 1_000  #: profiles that are read, put in line and woken before the next are: a page of rows


def serve_tick(services: Services, at: datetime) -> list[CompanyJob]:
    """A timer tick: read the companies that have profiles and run who has work. Answers what is left for the queue:
    all companies when there are many, and one that did not answer in time.

    A few companies are read at once, so that a tick that finds nothing costs no message.
    """
    jobs = [CompanyJob(company, Reason.TIMER, at) for company in services.profiles.companies()]
    if len(jobs) > INLINE_MOST:
        return jobs
    left = []
    for job in jobs:
        try:
            serve_company(services, job, seconds=INLINE_SECONDS)
        except Exception as error:  # noqa: BLE001 - one company stops no other; the queue tries it again, and tells
            log_event(logger, "company_later", company=job.company_id, error=type(error).__name__)
            left.append(job)
    return left


def serve_company(services: Services, job: CompanyJob, *, seconds: float | None = None) -> None:
    """Read the company's changes, put the runs that are due in line and wake their mailboxes' workers.

    What tells that a run is due is settled when the worker's message is out: who dies before does it again.
    Raises RetryableError, at the latest after `seconds` (default: the budget of a run): the message comes back.
    """
    at = job.requested_at or services.now()
    if job.for_everybody is not None:
        _everybody(services, job, at)
        return
    services.companies.answered(job.company_id)
    if pause_of(services.pauses.all(), job.company_id) is not None:
        return  # positions and marks stay as they are; who resumes sends a job (R40)
    if job.reason == Reason.BC:
        at = services.now()  # others may have asked since the message was sent, and sent none of their own
    try:
        feed = _feed(services, job, at, seconds or services.limits.run_budget)
    except CompanyError as error:
        log_event(logger, "company_failed", level=logging.ERROR, company=job.company_id, code=error.code)
        _tell_of_failure(services, job.company_id, at)
        return
    awake = _serve_marks(services, job.company_id, at) if job.reason not in (Reason.BC, Reason.NEWS) else set()
    _tell(services, job.company_id, feed, at, awake)


def _feed(services: Services, job: CompanyJob, at: datetime, seconds: float) -> FeedState:
    """Our own writes are in the feed already: whoever made them told it."""
    if job.reason == Reason.NEWS:
        return services.companies.feed(job.company_id)
    return company_feed.bring_up_to_date(services, job.company_id, at, Pace(services.monotonic() + seconds))


# ---------------------------------------------------------------- marks


def _serve_marks(services: Services, company_id: str, at: datetime) -> set[str]:
    """Run the profiles whose mark is due; then each mark says when the next look is due. Answers who was woken."""
    pauses = services.pauses.all()
    due = services.marks.due(company_id, services.now())
    marks = [each for each in due if pause_of(pauses, company_id, each.profile_id) is None]
    if not marks:
        return set()
    ids = [mark.profile_id for mark in marks]
    profiles = {key: each for key, each in services.profiles.get_many(company_id, ids).items() if each.is_automatic}
    watched = services.subscriptions.get_many(Source.GRAPH, company_id, profiles)
    in_parallel(lambda each: request_automatic_run(services, each, Trigger.TIMER, at), profiles.values())

    def settle(mark: Mark) -> None:
        subscription = watched.get(mark.profile_id)
        if mark.profile_id not in profiles:
            services.marks.settle(mark, None)
        elif subscription is not None and subscription.is_healthy(services.now()):
            next_look = _next_sweep(services, mark)
            services.marks.settle(mark, min(next_look, subscription.expires_at or next_look))
        # else it stays due: nothing announces changes in this folder, so it is polled

    mailboxes = {each.mailbox_id for each in profiles.values()}
    _wake(services, mailboxes)
    in_parallel(settle, marks)
    return mailboxes


def _next_sweep(services: Services, mark: Mark) -> datetime:
    """An hour later, spread over the last quarter of it: profiles saved in one go are not swept in one go for ever."""
    spread = zlib.crc32(mark.profile_id.encode()) / 2**32
    return services.now() + timedelta(minutes=services.limits.sweep_minutes * (0.75 + 0.25 * spread))


# ---------------------------------------------------------------- news of Business Central


def _tell(services: Services, company_id: str, feed: FeedState, at: datetime, awake: set[str]) -> None:
    """Put runs in line for those whom the changes since the last telling concern; `awake` have a message already."""
    told = services.companies.told(company_id)
    hold = _hold_of(feed)
    now_told = Told(feed.epoch, feed.head, hold)
    if told == now_told or not feed.epoch:
        return
    profiles: Iterator[Profile] = (each for each in services.profiles.in_company(company_id) if each.is_automatic)
    if told.epoch == feed.epoch and told.position >= feed.floor and hold in ("", told.hold):
        news = services.companies.log(company_id, told.position, feed.head)
        profiles = concerned(services, company_id, profiles, news)
    # all of them: whose request was in line already may have been put there by a telling that died before this step
    _run(services, profiles, lambda each: request_automatic_run(services, each, Trigger.BC, at), awake)
    services.companies.has_told(company_id, now_told)


def _hold_of(feed: FeedState) -> str:
    """What tells one hold of the company from another: everybody's next run says that something is held (R26, R33)."""
    return " ".join(
        f"{each.kind} {each.since.isoformat() if each.since else ''}"
        for each in (feed.stopped, feed.held)
        if each is not None
    )


def concerned(
    services: Services, company_id: str, profiles: Iterable[Profile], news: Sequence[LogEntry]
) -> Iterator[Profile]:
    """The profiles that these changes concern, but for their own. No state of a profile is read for it."""
    holders = services.companies.outside(company_id, {entry.bc_id for entry in news})
    outside = {each for entry in news for each in holders.get(entry.bc_id, ()) if each != entry.by}
    known = _KnownRules(services, services.companies.settings(company_id), news)
    for profile in profiles:
        try:
            if profile.id in outside or known.writers(profile) - {profile.id}:
                yield profile
        except FilterError:
            yield profile  # its run says what is wrong


@dataclass(slots=True)
class _KnownRules:
    """Verdicts by what decides about scope: thousands of profiles share a few filters."""

    services: Services
    company: CompanySettings
    news: Sequence[LogEntry]
    verdicts: dict[tuple[object, ...], frozenset[str]] = field(default_factory=dict)

    def writers(self, profile: Profile) -> frozenset[str]:
        """Whose changes concern the profile: profile ids, blank for BC's own users. Raises FilterError."""
        key = (tuple(sorted(profile.filter.items())), profile.bc_user_name)
        if key not in self.verdicts:
            rules = self._rules(profile)
            self.verdicts[key] = frozenset(each.by for each in self.news if concerns(each.before, each.after, rules))
        return self.verdicts[key]

    def _rules(self, profile: Profile) -> Rules:
        return rules_of(profile, self.company, self.services.environment, self.services.limits.category)


# ---------------------------------------------------------------- everybody


def _everybody(services: Services, job: CompanyJob, at: datetime) -> None:
    """An administrator wants all profiles run, those without automatic runs too."""
    mode = Mode.FULL if job.for_everybody is Reason.FULL_SYNC_ALL else Mode.INCREMENTAL
    asked = (each for each in services.profiles.in_company(job.company_id) if each.enabled)
    _run(services, asked, lambda each: request_run(services, each, Wanted(mode=mode), "administrator", at=at))


def _tell_of_failure(services: Services, company_id: str, at: datetime) -> None:
    """The company cannot be read: each profile's run shall say so, but not at every tick again."""

    def has_to_hear(profile: Profile) -> bool:
        newest, _ = services.reports.of_profile(profile.mailbox_id, company_id, profile.id, top=1)
        return not newest or newest[0].status is not RunStatus.FAILED

    automatic = (each for each in services.profiles.in_company(company_id) if each.is_automatic)
    for some in batched(automatic, AT_A_TIME, strict=False):
        to_tell = compress(some, in_parallel(has_to_hear, some))
        _run(services, to_tell, lambda each: request_automatic_run(services, each, Trigger.TIMER, at))


def _run(
    services: Services, profiles: Iterable[Profile], request: Callable[[Profile], object], awake: Set[str] = frozenset()
) -> None:
    """Put a run of each in line and wake their workers, but for those that are `awake`; a company may have more
    profiles than this process should hold."""
    for some in batched(profiles, AT_A_TIME, strict=False):
        in_parallel(request, some)
        _wake(services, {each.mailbox_id for each in some} - awake)


def _wake(services: Services, mailboxes: Iterable[str]) -> None:
    services.messages.sync_jobs(sorted(mailboxes))
