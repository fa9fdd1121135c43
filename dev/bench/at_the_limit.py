"""Lines measured against what the services allow: 100 ms for each Graph item, 80 ms for each BC call, limits on.

What the limits allow at best is computed from the same numbers: four items of a mailbox at a time, 10,000 in any ten
minutes. The simulators' log says when the first write began and the last one ended.
"""

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from dev.bench.figures import Figure, Start
from dev.bench.place import FOLDER, Company, Grounds
from dev.bench.runs import BenchError
from shared import bootstrap
from shared.engine.model import Mode
from shared.outlook import service as outlook
from shared.outlook.service import QUOTA as OURS
from shared.settings import get_settings
from shared.transport.gates import Quota

ITEM, CALL = 0.1, 0.08  #: seconds that a Graph item and a BC call take
AT_ONCE = 4  #: items of a mailbox that Graph works on at a time (reference 7.1, 8.1)
REQUESTS, WINDOW = 10_000, 600.0  #: of a mailbox (reference 8.1)

FIRST = 1_000
QUOTA_CONTACTS, SPEED, PART = 10_000, 5.0, 5  #: time runs so many times as fast, the window is a fifth of Graph's
MAILBOXES, EACH = 40, 500
THREADS = 6  #: messages that host.json hands to one worker, which has eight threads


@dataclass(frozen=True, slots=True)
class Writes:
    """What the simulators' log says of the writes to contacts. Seconds are simulated ones."""

    span: float  #: from the beginning of the first to the end of the last
    done: int
    throttled: int
    asked: int  #: items and single requests of all kinds, refused ones included
    requests: int  #: HTTP requests to Graph
    bc: int
    statuses: str


@contextmanager
def conditions(grounds: Grounds, *, speed: float = 1.0, part: int = 1) -> Iterator[int]:
    """Latency and limits on, time scaled; answers where the log stands. Everything is as before afterwards."""
    graph, bc = grounds.simulators.graph, grounds.simulators.bc
    graph.set_speed(speed)
    graph.set_latency("graph", request=ITEM, item=ITEM, batch=0.0)
    bc.set_latency("bc", request=CALL)
    graph.switch(limit_requests=REQUESTS // part, limit_window=WINDOW / part, retry_after="fractional")
    graph.reset_throttle()  # what a first sync has asked without limits is no part of what is measured
    grounds.counter.counts = False
    try:
        yield graph.log_number()
    finally:
        grounds.counter.counts = True
        graph.set_latency("graph")
        bc.set_latency("bc")
        graph.switch(limit_requests=1_000_000, limit_window=WINDOW, retry_after="integer")
        graph.set_speed(1.0)
        graph.set_clock(datetime.now(UTC))


def written(grounds: Grounds, since: int, speed: float = 1.0) -> Writes:
    """Look into the log."""
    entries = grounds.simulators.graph.log(since=since)
    graph = [each for each in entries if each["service"] == "graph"]
    writes = [each for each in graph if each["kind"] in ("contacts.create", "contacts.update", "contacts.delete")]
    if not writes:
        raise BenchError("nothing was written")
    statuses = Counter(each["status"] for each in graph if each["kind"] != "batch")
    return Writes(
        span=span_of(writes, speed),
        done=sum(200 <= each["status"] < 300 for each in writes),
        throttled=statuses[429],
        asked=statuses.total(),
        requests=sum(each["item"] is None for each in graph),
        bc=sum(each["service"] == "bc" and each["item"] is None for each in entries),
        statuses=", ".join(f"{number:,} × {status}" for status, number in sorted(statuses.items())),
    )


def span_of(entries: Sequence[Mapping[str, Any]], speed: float = 1.0) -> float:
    """Simulated seconds from the beginning of the first of the log's entries to the end of the last."""
    began = min(datetime.fromisoformat(each["time"]).timestamp() - took(each) * speed for each in entries)
    return max(datetime.fromisoformat(each["time"]).timestamp() for each in entries) - began


def took(entry: Mapping[str, Any]) -> float:
    """Seconds from a request's arrival to its answer."""
    return float(entry["milliseconds"]) / 1_000


def first(start: Start) -> Sequence[Figure]:
    """A first sync of 1,000 contacts, and what it costs in processor time."""
    grounds = start()
    _, since, used = first_sync(grounds)
    writes = written(grounds, since)
    at_best = FIRST / AT_ONCE * ITEM
    return [
        Figure("first to last write, of the time at 4 at once", writes.span / at_best, 1 / 0.95, "×", 3),
        Figure("Graph requests per contact", writes.requests / FIRST, 0.055, decimals=3, detail=writes.statuses),
        Figure("throttled items", writes.throttled, 0),
        Figure("processor time per contact, everything included", used / FIRST * 1_000, 2.0, "ms", 2),
        Figure("contacts a minute", FIRST / writes.span * 60),
    ]


def first_sync(grounds: Grounds) -> tuple[Company, int, float]:
    """A first sync of `FIRST` contacts under these conditions: the company, where the log stood before, and the seconds
    of processor time that it took this process."""
    grounds.new_company(AT_ONCE).first_sync()  # tokens, connections, tables, modules
    company = grounds.new_company(FIRST)
    with conditions(grounds) as since:
        began = time.process_time()
        company.run(Mode.INCREMENTAL)
        used = time.process_time() - began
    return company, since, used


def quota(start: Start) -> Sequence[Figure]:
    """A first sync that is longer than the quota's burst."""
    own = start()
    scaled = Quota(OURS.requests // PART, OURS.seconds / PART / SPEED)
    with patch.object(outlook, "QUOTA", scaled):
        grounds = replace(own, services=bootstrap.build(get_settings()), _companies={})
    company = grounds.new_company(QUOTA_CONTACTS)
    with conditions(grounds, speed=SPEED, part=PART) as since:
        company.run(Mode.INCREMENTAL)
        writes = written(grounds, since, SPEED)
    return [
        Figure("first to last write, of the time at the quota", writes.span / at_the_quota(writes.asked), 1.05, "×", 3),
        Figure("throttled items", writes.throttled / writes.asked * 100, 1.0, "%", 2, detail=writes.statuses),
        Figure("contacts a minute", writes.done / writes.span * 60),
    ]


def at_the_quota(items: int) -> float:
    """Simulated seconds that so many items take at best: a burst of four at a time, then a rest until the window has
    room again."""
    size, window = REQUESTS // PART, WINDOW / PART
    windows = math.ceil(items / size) - 1
    return windows * window + (items - windows * size) / AT_ONCE * ITEM


def mailboxes(start: Start) -> Sequence[Figure]:
    """First syncs of many mailboxes of one company, in one process with the threads that the platform gives it."""
    grounds = start()
    grounds.new_company(AT_ONCE).first_sync()
    company = grounds.new_company(EACH)
    everybody = [company, *company.more_users(MAILBOXES - 1)]
    with conditions(grounds) as since:
        for each in everybody:
            each.request(Mode.INCREMENTAL)
        used = time.process_time()
        began = time.perf_counter()
        with ThreadPoolExecutor(THREADS, thread_name_prefix="worker") as pool:
            list(pool.map(Company.work_off, everybody))
        elapsed, used = time.perf_counter() - began, time.process_time() - used
        writes = written(grounds, since)
    for each in everybody:
        if len(grounds.simulators.graph.contacts_of(each.profile.mailbox_id, FOLDER)) != EACH:
            raise BenchError("a first sync did not bring all contacts")
    at_best = math.ceil(MAILBOXES / THREADS) * EACH / AT_ONCE * ITEM
    return [
        Figure(f"time, of {THREADS} mailboxes at a time at 4 at once", elapsed / at_best, 1.25, "×", 2),
        Figure("BC requests", writes.bc, 3),
        Figure("throttled items", writes.throttled, 0, detail=writes.statuses),
        Figure("processor time per contact", used / MAILBOXES / EACH * 1_000, unit="ms", decimals=2),
        Figure("contacts a minute, all mailboxes", MAILBOXES * EACH / elapsed * 60),
    ]
