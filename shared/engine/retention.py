"""Cleaning by age, once a day from the upkeep timer: change log, reports, journal, and what nobody owns any more.

Whoever dies here has removed too little, never too much: the next tick goes on. A profile that was offline for longer
finds its position below the log's floor, or another epoch, and compares with the snapshot (R33, under R26); nothing of
its own state is touched here.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.engine.company_state import FeedChanges
from shared.engine.model import Profile
from shared.engine.parallel import in_parallel
from shared.engine.retention_state import Head, LogAges, Progress
from shared.engine.services import Services
from shared.engine.state import Busy
from shared.errors import LeaseLost, RetryableError, SyncError
from shared.logs import log_event
from shared.pace import Pace

logger = logging.getLogger(__name__)

ROUND_EVERY = timedelta(hours=24)
MAILBOXES_MOST = 100  #: looked at between two notes of how far the round has come
ROWS_MOST = 4_000  #: of one kind, of one company or mailbox, removed in one tick
#: so long after the floor rose the rows behind it stay: a run that began before still reads them
READERS_DONE = timedelta(hours=1)
#: so much longer than its report a run's journal stays: an undo that was asked for at the last moment reads it whole
UNDO_DONE = timedelta(hours=1)
CLAIM_OVER = timedelta(days=1)  #: a claim that ended so long ago is nobody's any more


def clean(services: Services, at: datetime, pace: Pace) -> None:
    """Go on with the present round, or begin one when a day has passed. One request when there is nothing to do."""
    progress = services.retention.progress()
    if progress.over and progress.began_at is not None and at - progress.began_at < ROUND_EVERY:
        return
    if progress.over or progress.began_at is None:
        progress = Progress(began_at=at)
        services.retention.save_progress(progress)
    if not progress.companies:
        done = [_attempt(services, pace, _clean_company, each, at) for each in services.retention.companies()]
        if not all(done):
            return
        progress = replace(progress, companies=True)
        services.retention.save_progress(progress)
    _clean_mailboxes(services, progress, at, pace)


def _attempt(
    services: Services, pace: Pace, work: Callable[[Services, str, datetime], bool], of: str, at: datetime
) -> bool:
    """Whether it is done. What fails for a while is tried again at the next tick; what is refused, in the next round:
    it must not keep the others waiting."""
    if services.monotonic() >= pace.deadline:
        return False
    try:
        return work(services, of, at)
    except SyncError as error:
        log_event(logger, "cleaning_later", code=error.code)
        return not isinstance(error, RetryableError | LeaseLost)


# ---------------------------------------------------------------- companies


def _clean_company(services: Services, company_id: str, at: datetime) -> bool:
    retention = services.retention
    profiles = list(services.profiles.in_company(company_id))
    known = {each.id for each in profiles}
    done = [
        _clean_log(services, company_id, at),
        _all_of(lambda: retention.remove_claims(company_id, at - CLAIM_OVER)),
        _all_of(lambda: retention.remove_outside(company_id, known)),
    ]
    in_parallel(lambda each: _forget_hidden(services, each), profiles)
    return all(done)


def _forget_hidden(services: Services, profile: Profile) -> None:
    """Marks of contacts that stay away (R23, R36) and that Business Central has deleted so long ago that its change log
    does not say so any more. A company that is not known, or that went back in time, tells nothing."""
    company_id, mailbox_id = profile.company_id, profile.mailbox_id
    hidden = set(services.mailboxes.peek(mailbox_id, company_id, profile.id).hidden())
    if not hidden:
        return  # nearly everybody: no second request
    feed = services.companies.feed(company_id)
    if not feed.epoch or feed.stopped is not None:
        return
    gone = hidden - services.companies.contacts(company_id, hidden).keys()
    late = {each.bc_id for each in services.companies.log(company_id, feed.floor, feed.head)} if gone else set[str]()
    for bc_id in sorted(gone - late):
        services.mailboxes.unhide(mailbox_id, company_id, profile.id, bc_id)


def _clean_log(services: Services, company_id: str, at: datetime) -> bool:
    """The floor first, so that nobody begins to read what goes; the rows behind it once those are done who began
    before."""
    ages = services.retention.log_ages(company_id)
    readers_done = ages.floor_at is not None and at - ages.floor_at >= READERS_DONE
    if readers_done and not _all_of(lambda: services.retention.remove_log(company_id, ages.floor)):
        return False
    if ages.heads and at - ages.heads[-1].at < ROUND_EVERY / 2:
        return True  # this round was here already
    feed = services.companies.feed(company_id)
    if not feed.epoch:
        return True
    old = [each for each in ages.heads if at - each.at >= timedelta(days=services.limits.retention_days)]
    floor = max([feed.floor, *(each.sequence for each in old)])
    if floor > feed.floor and not _raise_floor(services, company_id, floor):
        return False
    heads = (*(each for each in ages.heads if each not in old), Head(at, feed.head))
    floor_at = ages.floor_at if floor == ages.floor else at
    services.retention.save_log_ages(company_id, LogAges(heads, floor, floor_at))
    return True


def _raise_floor(services: Services, company_id: str, floor: int) -> bool:
    held = services.companies.hold_feed(company_id, services.new_id())
    if isinstance(held, Busy):
        return False  # the company is being read; at the next tick
    try:
        state = held.state()
        held.commit(FeedChanges(state=replace(state, floor=max(state.floor, floor))))
    finally:
        held.release()
    return True


# ---------------------------------------------------------------- mailboxes


def _clean_mailboxes(services: Services, progress: Progress, at: datetime, pace: Pace) -> None:
    """As many as there is time for: so many at each tick would be a fixed number a day, and there may be more."""
    all_done = True
    while all_done and not progress.over:
        mailboxes = services.retention.mailboxes(progress.mailbox, MAILBOXES_MOST)
        done = in_parallel(lambda each: _attempt(services, pace, _clean_mailbox, each, at), mailboxes)
        all_done = all(done)
        reached = len(done) if all_done else done.index(False)
        if reached:
            progress = replace(progress, mailbox=mailboxes[reached - 1])
        progress = replace(progress, over=all_done and len(mailboxes) < MAILBOXES_MOST)
        services.retention.save_progress(progress)


def _clean_mailbox(services: Services, mailbox_id: str, at: datetime) -> bool:
    """A report goes before its run's journal: no run that is shown lacks its journal."""
    before = at - timedelta(days=services.limits.retention_days)
    return _all_of(lambda: services.reports.remove_before(mailbox_id, before)) and _all_of(
        lambda: services.journal.remove_before(mailbox_id, before - UNDO_DONE)
    )


def _all_of(remove: Callable[[], int]) -> bool:
    """Remove until nothing is left; False when it takes too long for one tick."""
    removed = 0
    while removed < ROWS_MOST:
        count = remove()
        if not count:
            return True
        removed += count
    return False
