"""Who is to be run: one company-jobs message brings a company's feed up to date and finds the profiles with work.

A profile is due when a work mark says so, when it has to be swept (nothing tells us of changes in its folder, so the
folder must be asked), or when a change in BC concerns it: its filter selects the contact now, or it holds the contact.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from shared.engine import company_feed
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import Mode, Profile, RunStatus, Trigger
from shared.engine.requests import Wanted, request_automatic_run, request_run
from shared.engine.rules_of import rules_of
from shared.engine.services import Services
from shared.engine.state import LogEntry, Mark
from shared.errors import CompanyError
from shared.filters import FilterError
from shared.logs import log_event
from shared.pace import Pace
from shared.planning.model import ScopeReason
from shared.planning.scope import scope_of

logger = logging.getLogger(__name__)


def companies_to_read(services: Services, at: datetime) -> list[CompanyJob]:
    """One job per company that has profiles: what a timer tick sends."""
    return [CompanyJob(company, Reason.TIMER, at) for company in services.profiles.companies()]


def serve_company(services: Services, job: CompanyJob) -> list[str]:
    """Read the company's changes and put the runs that are due in line; answers the mailboxes to wake, each once.

    Raises RetryableError: the message comes back.
    """
    at = job.requested_at or services.now()
    if job.for_everybody is not None:
        return _everybody(services, job, at)
    before = services.companies.feed(job.company_id)
    try:
        feed = company_feed.bring_up_to_date(services, job.company_id, at, _pace(services))
    except CompanyError as error:
        log_event(logger, "company_failed", level=logging.ERROR, company=job.company_id, code=error.code)
        return _told_once(services, job.company_id, at)
    news: Sequence[LogEntry] = ()
    if before.epoch == feed.epoch and feed.head > before.head:
        news = services.companies.log(job.company_id, before.head, feed.head)
    marks = {mark.profile_id: mark for mark in services.marks.due(job.company_id, services.now())}
    due = _due(services, job, set(marks), news)
    for profile in due:
        request_automatic_run(services, profile, Trigger.BC if job.reason == Reason.BC else Trigger.TIMER, at)
    _settle(services, marks.values(), due)
    return _mailboxes(due)


def needs_sweep(profile: Profile) -> bool:
    """Whether the folder must be asked at every tick: always, as long as no subscription tells of its changes."""
    return profile.enabled and profile.automatic


def concerned(
    services: Services, company_id: str, profiles: Iterable[Profile], news: Sequence[LogEntry]
) -> Iterator[Profile]:
    """The profiles that these changes concern: their filter selects one of the contacts now, or they hold one."""
    company = services.companies.settings(company_id)
    ids = {entry.bc_id for entry in news}
    outside = {profile_id for holders in services.companies.outside(company_id, ids).values() for profile_id in holders}
    for profile in profiles:
        if profile.id in outside:
            yield profile
            continue
        try:
            rules = rules_of(profile, company, services.environment, services.limits.category)
        except FilterError:
            yield profile  # its run says what is wrong
            continue
        state = services.mailboxes.peek(profile.mailbox_id, company_id, profile.id)
        if any(
            entry.after is not None and scope_of(entry.after, rules) is ScopeReason.IN_SCOPE for entry in news
        ) or state.links_by_bc(ids):
            yield profile


def _due(services: Services, job: CompanyJob, marked: set[str], news: Sequence[LogEntry]) -> list[Profile]:
    company_id, sweeps = job.company_id, job.reason != Reason.BC
    automatic = [each for each in services.profiles.in_company(company_id) if each.enabled and each.automatic]
    due = [each for each in automatic if each.id in marked or (sweeps and needs_sweep(each))]
    known = {each.id for each in due}
    rest = [each for each in automatic if each.id not in known]
    return due + (list(concerned(services, company_id, rest, news)) if rest and news else [])


def _settle(services: Services, marks: Iterable[Mark], due: Sequence[Profile]) -> None:
    """The requests are in line: the marks are served. A profile that is swept is due again by and by anyway, should
    the message that wakes its mailbox be lost; one that nobody runs by itself needs no mark."""
    ids = {profile.id for profile in due}
    again = services.now() + timedelta(minutes=services.limits.sweep_minutes)
    for mark in marks:
        services.marks.settle(mark, again if mark.profile_id in ids else None)


def _everybody(services: Services, job: CompanyJob, at: datetime) -> list[str]:
    """An administrator wants all profiles run, those without automatic runs too."""
    mode = Mode.FULL if job.for_everybody is Reason.FULL_SYNC_ALL else Mode.INCREMENTAL
    wanted, asked = Wanted(mode=mode), []
    for profile in services.profiles.in_company(job.company_id):
        if not profile.enabled:
            continue
        request_run(services, profile, wanted, "administrator", at=at)
        asked.append(profile)
    return _mailboxes(asked)


def _told_once(services: Services, company_id: str, at: datetime) -> list[str]:
    """The company cannot be read: each profile's run shall say so, but not at every tick again."""
    told = []
    for profile in services.profiles.in_company(company_id):
        if not (profile.enabled and profile.automatic):
            continue
        newest, _ = services.reports.of_profile(profile.mailbox_id, company_id, profile.id, top=1)
        if not newest or newest[0].status is not RunStatus.FAILED:
            request_automatic_run(services, profile, Trigger.TIMER, at)
            told.append(profile)
    return _mailboxes(told)


def _mailboxes(profiles: Iterable[Profile]) -> list[str]:
    return list(dict.fromkeys(profile.mailbox_id for profile in profiles))


def _pace(services: Services) -> Pace:
    return Pace(services.monotonic() + services.limits.run_budget)
