"""The upkeep timer: every profile and company has the subscription that it should have, and nobody else has one.

It also puts the work mark of an automatic profile that lacks it, so that nothing is forgotten for ever, and once a day
begins the cleaning by age.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from shared.engine import retention, upkeep
from shared.engine.model import Profile
from shared.engine.parallel import in_parallel
from shared.engine.services import Services
from shared.engine.sides import Notifications
from shared.engine.state import Mark
from shared.engine.watching import BC_PATH, GRAPH_PATH, Listed, Source, Subscription
from shared.errors import SyncError
from shared.logs import log_event
from shared.pace import Pace

logger = logging.getLogger(__name__)

PARALLEL = 4  #: subscriptions made or renewed at the same time: each makes Graph call us back
COMPARED_EVERY = timedelta(hours=24)  #: Graph is asked so seldom for all our subscriptions: throttled hard (8.1)
SETTLES = timedelta(minutes=30)  #: one made so short ago may not be stored yet


@dataclass(frozen=True, slots=True)
class Kept:
    """How it stands after a tick, for the log and the alerts on it."""

    profiles: int  #: automatic ones
    watched: int  #: of these with a healthy subscription
    companies_watched: int
    ended: int  #: subscriptions that no profile or company owned
    marked: int  #: profiles that had no work mark
    expiring: int  #: subscriptions found near their end: they could not be renewed at the ticks before
    waiting: float  #: seconds that the oldest message has been in its queue


def keep_all(services: Services) -> Kept:
    """One tick. What one profile or company is refused is stored with it and stops nobody else."""
    at = services.now()
    pace = Pace(services.monotonic() + services.limits.run_budget)
    stored = {(each.company_id, each.profile_id): each for each in services.subscriptions.all(Source.GRAPH)}
    profiles: dict[tuple[str, str], Profile] = {}
    marked = 0
    for company_id in services.profiles.companies():
        mine = {each.id: each for each in services.profiles.in_company(company_id) if each.is_automatic}
        profiles.update({(company_id, key): each for key, each in mine.items()})
        marked += _mark_missing(services, company_id, mine, at)
    companies = {company_id for company_id, _ in profiles}
    unowned = [each for key, each in stored.items() if key not in profiles]
    of_companies = list(services.subscriptions.all(Source.BC))
    unowned += [each for each in of_companies if each.company_id not in companies]
    expiring = sum(upkeep.is_expiring(services, each, at) for each in (*stored.values(), *of_companies))
    ended = _end_all(services, unowned, pace)
    watched = companies_watched = 0
    if services.public_address:
        watched = _keep_profiles(services, profiles, stored, pace)
        companies_watched, orphans = _keep_companies(services, sorted(companies), pace)
        ended += orphans + _compare_with_graph(services, profiles, at, pace)
    # with time of its own: what takes all of the time above, such as a long list of subscriptions, does so every time
    retention.clean(services, at, Pace(services.monotonic() + services.limits.run_budget))
    waiting = round(services.messages.waiting(), 3)
    kept = Kept(len(profiles), watched, companies_watched, ended, marked, expiring, waiting)
    log_event(logger, "upkeep", **asdict(kept))
    return kept


def _mark_missing(services: Services, company_id: str, profiles: Mapping[str, Profile], at: datetime) -> int:
    missing = set(profiles) - set(services.marks.marked(company_id))
    for profile_id in sorted(missing):
        services.marks.put(Mark(company_id, profile_id, profiles[profile_id].mailbox_id, at, "sweep"))
    return len(missing)


def _end_all(services: Services, subscriptions: Sequence[Subscription], pace: Pace) -> int:
    for each in subscriptions:
        upkeep.end(services, each, pace)
    return len(subscriptions)


def _keep_profiles(
    services: Services,
    profiles: Mapping[tuple[str, str], Profile],
    stored: Mapping[tuple[str, str], Subscription],
    pace: Pace,
) -> int:
    """Only those that need something are looked at one by one."""
    needy = [each for key, each in profiles.items() if upkeep.needs_look(services, each, stored.get(key))]
    kept = _one_by_one(lambda each: upkeep.keep_profile(services, each, pace), needy)
    return len(profiles) - len(needy) + sum(kept)


def _keep_companies(services: Services, companies: Sequence[str], pace: Pace) -> tuple[int, int]:
    notifications = services.business_central(pace).notifications()
    try:
        listed: Sequence[Listed] | None = notifications.listed()
    except SyncError as error:
        log_event(logger, "subscriptions_not_listed", source=Source.BC.value, code=error.code)
        listed = None
    ids = None if listed is None else {each.id for each in listed}
    kept = _one_by_one(lambda each: upkeep.keep_company(services, each, ids, pace), companies)
    known = {each.id for each in services.subscriptions.all(Source.BC)}
    orphans = _end_orphans(services, notifications, listed or (), known, BC_PATH, timedelta(days=3))
    return sum(kept), orphans


def _compare_with_graph(
    services: Services, profiles: Mapping[tuple[str, str], Profile], at: datetime, pace: Pace
) -> int:
    """Once a day: what Graph lost without a word is made anew, what nothing stored knows of is ended."""
    before = services.subscriptions.compared_at(Source.GRAPH)
    if before is not None and at - before < COMPARED_EVERY:
        return 0
    notifications = services.directory(pace).notifications()
    try:
        listed = notifications.listed()
    except SyncError as error:
        log_event(logger, "subscriptions_not_listed", source=Source.GRAPH.value, code=error.code)
        return 0
    stored = [each for each in services.subscriptions.all(Source.GRAPH) if each.id]
    known, there = {each.id for each in stored}, {each.id for each in listed}
    owners = ((each.company_id, each.profile_id) for each in stored if each.id not in there)
    lost = [profiles[each] for each in owners if each in profiles]
    _one_by_one(lambda each: upkeep.keep_profile(services, each, pace, anew=True, now=True), lost)
    life = timedelta(minutes=services.limits.subscription_minutes)
    ended = _end_orphans(services, notifications, listed, known, GRAPH_PATH, life)
    services.subscriptions.has_compared(Source.GRAPH, at)
    return ended


def _end_orphans(
    services: Services,
    notifications: Notifications,
    listed: Iterable[Listed],
    known: set[str],
    path: str,
    life: timedelta,
) -> int:
    """Others may use the same app registration: only what tells our own address is ours to end."""
    fresh = services.now() + life - SETTLES
    orphans = [
        each
        for each in listed
        if each.id not in known
        and each.address.partition("?")[0] == f"{services.public_address}{path}"
        and (each.expires_at is None or each.expires_at < fresh)
    ]
    for each in orphans:
        try:
            notifications.unsubscribe(each.id)
        except SyncError as error:
            log_event(logger, "subscription_left", code=error.code)
    return len(orphans)


def _one_by_one[T](work: Callable[[T], bool], items: Sequence[T]) -> list[bool]:
    """Several at a time; who gets no answer is tried again at the next tick."""

    def attempt(item: T) -> bool:
        try:
            return work(item)
        except SyncError as error:
            log_event(logger, "subscription_later", code=error.code)
            return False

    return in_parallel(attempt, items, most=PARALLEL)
