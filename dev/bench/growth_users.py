"""The line about growth with users: what runs for all of them, at several numbers of profiles in one company.

Profiles are rows without mailboxes, in tables of their own for each number. What grows with users may do so by pages of
rows while nothing has happened; where each user has something to be told, a user may not cost more among many.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import uuid4

from dev.bench.figures import Figure, Start
from dev.bench.growth import COUNTS, LINEAR, PROCESSOR, grown, worst
from dev.bench.place import Cost, Grounds
from dev.bench.runs import BenchError
from dev.bench.scale import ADDRESS, Counting, fill
from shared import bootstrap
from shared.engine import health, profiles, retention
from shared.engine.fan_out import serve_company, serve_tick
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.services import Services
from shared.engine.upkeep_tick import keep_all
from shared.engine.watching import Source
from shared.pace import Pace
from shared.settings import get_settings
from shared.storage.connect import table_service
from shared.storage.tables import Tables

USERS = (10, 100, 1_000, 10_000)
PAGE = 1_000  #: rows of an answer
LISTED = 100  #: profiles of an answer to an administrator
CONTACTS = 5

TICK, NOBODY, EVERYBODY = "idle tick", "one change in BC that nobody holds", "one change in BC that all hold"
UPKEEP, CLEANING, HEALTH, LIST = "upkeep", "cleaning, once a day", "health", "list of all, by pages of 100"
#: Works that have nothing to do for any profile, and in how many kinds of rows they look through all of them.
LOOKS = {TICK: 1, NOBODY: 1, UPKEEP: 3, HEALTH: 0}
EACH = (EVERYBODY, CLEANING, LIST)  #: works that do something for each


@dataclass(frozen=True, slots=True)
class Taken:
    """What some work took."""

    cost: Cost
    worked: float  #: processor seconds

    def counts(self) -> dict[str, int]:
        """By name."""
        rows = self.cost.rows
        numbers = self.cost.graph, self.cost.bc, rows.requests, rows.read.total(), rows.written.total()
        return dict(zip(COUNTS, numbers, strict=True))


def users(start: Start) -> Sequence[Figure]:
    """The works at each number of profiles."""
    grounds = start()
    curves: dict[str, dict[int, Taken]] = {}
    grounds.counter.kinds = False  # counting takes processor time
    try:
        for number in USERS:
            for work, taken in _works(grounds, number).items():
                curves.setdefault(work, {})[number] = taken
    finally:
        grounds.counter.kinds = True
    return [
        *(
            each
            for work, curve in curves.items()
            for size, taken in curve.items()
            for each in _shown(work, size, taken)
        ),
        *(_by_pages(work, curves[work], kinds) for work, kinds in LOOKS.items()),
        *(_per_user(work, curves[work]) for work in EACH),
        *(_of_one_more(work, curve) for work, curve in curves.items()),
    ]


# ---------------------------------------------------------------- the works


def _works(grounds: Grounds, number: int) -> dict[str, Taken]:
    """In a deployment of its own: other lines have users, too."""
    settings = replace(get_settings(), storage_prefix=f"growth{number}")
    queue = Counting()
    services = replace(bootstrap.build(settings), messages=queue, public_address=ADDRESS)
    tables = Tables(table_service(settings), settings.storage_prefix)
    company = grounds.new_company(CONTACTS)
    company_id = company.profile.company_id
    of_each = {each["country"]: each["number"] for each in grounds.simulators.bc.contacts(company_id)}
    pattern = services.profiles.save(replace(company.profile, filter={"country": "GB"}, etag=""))
    serve_tick(services, services.now())  # builds the feed, and tells one: all of them would have a run in line
    fill(services, tables, pattern, number)
    services.subscriptions.has_compared(Source.GRAPH, services.now())  # these are no subscriptions of Graph's
    pace = Pace(services.monotonic() + 600)
    taken = {
        TICK: _taken(grounds, lambda: serve_tick(services, services.now())),
        CLEANING: _taken(grounds, lambda: retention.clean(services, services.now(), pace)),
    }
    keep_all(services)  # asks BC for a subscription, which it refuses: nobody answers at the address
    taken[UPKEEP] = _taken(grounds, lambda: keep_all(services))
    taken[HEALTH] = _taken(grounds, lambda: health.look(services, pace))
    taken[LIST] = _taken(grounds, lambda: _list(services, number))
    for work, country, told in ((NOBODY, "DE", 0), (EVERYBODY, "GB", number)):
        grounds.simulators.bc.update_contact(of_each[country], company=company_id, jobTitle=f"Buyer {uuid4().hex[:6]}")
        queue.sent = 0
        job = CompanyJob(company_id, Reason.BC, services.now())
        taken[work] = _taken(grounds, partial(serve_company, services, job))
        if queue.sent != told:
            raise BenchError(f"{queue.sent} of {told} mailboxes were told")
    return taken


def _list(services: Services, number: int) -> None:
    """All profiles as an administrator's client reads them."""
    found, after = 0, ""
    while found == 0 or after:
        some, after = profiles.page(services, company="", top=LISTED, after=after)
        found += len(some)
    if found != number:
        raise BenchError(f"{found} of {number} profiles were listed")


def _taken(grounds: Grounds, work: Callable[[], object]) -> Taken:
    used = time.process_time()
    cost = grounds.cost(work)
    return Taken(cost, time.process_time() - used)


# ---------------------------------------------------------------- figures


def _shown(work: str, number: int, taken: Taken) -> Sequence[Figure]:
    of = f"{work}: {number:,}"
    return [
        *(Figure(what, count, of=of) for what, count in taken.counts().items()),
        Figure(PROCESSOR, taken.worked, unit="s", decimals=2, of=of),
        Figure("seconds here", taken.cost.seconds, decimals=1, of=of),
    ]


def _by_pages(work: str, curve: dict[int, Taken], kinds: int) -> Figure:
    """Requests of all kinds may grow by pages of a thousand rows."""
    least, most = (_requests(curve[each]) for each in (USERS[0], USERS[-1]))
    return Figure(
        f"{work}: requests at {USERS[-1]:,} beyond those at {USERS[0]:,}",
        most - least,
        kinds * (USERS[-1] // PAGE),
        detail=f"{least} at {USERS[0]:,}, {most} at {USERS[-1]:,}; rows are read in {kinds} kinds, {PAGE:,} at a time",
    )


def _requests(taken: Taken) -> int:
    return taken.cost.graph + taken.cost.bc + taken.cost.rows.requests


def _per_user(work: str, curve: dict[int, Taken]) -> Figure:
    """A user costs what a user costs, from so many on that what is done once does not count."""
    counts = {number: taken.counts() for number, taken in curve.items() if number >= 100}
    least, most = min(counts), max(counts)
    return worst(f"{work}: counts for each of {most:,}, of those of {least:,}", grown(counts, float), LINEAR)


def _of_one_more(work: str, curve: dict[int, Taken]) -> Figure:
    least, most = USERS[0], USERS[-1]
    more = (curve[most].worked - curve[least].worked) / (most - least)
    return Figure(f"{work}: processor time of one more user", more * 1e6, unit="µs")
