"""Lines about announced changes: the whole system in the development host, services that notify without latency."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import requests

from dev.bench.figures import Figure, Start
from dev.bench.runs import BenchError
from dev.simulators.launch import Simulators
from dev.system import System

PAIRS, EDITS, EDIT_WITHIN = 5, 20, 30.0  #: pairs of mailboxes, edits in each pair, seconds that one may take
BURST, BURST_SECONDS = 1_000, 10.0
CONTACTS = 5
CALLS = 500  #: of each number of concurrent callers
ADA = "ada0@bench.example"
FOLDER = "Business Central"


def arrival(_: Start) -> Sequence[Figure]:
    """An edit in one user's Outlook, until it is in BC and until it is in another's folder.

    Pairs of users, a company each, edit at the same time; in each pair an edit follows the other at once, so that most
    have to wait for the end of a burst.
    """
    with _office(PAIRS) as system, ThreadPoolExecutor(PAIRS) as pool:
        times = [each for pair in pool.map(partial(_edits, system), range(PAIRS)) for each in pair]
    in_bc, elsewhere = zip(*times, strict=True)
    return [
        Figure("in BC, 95th percentile", _percentile(in_bc, 95), 5, "s", 1),
        Figure("in BC, median", _percentile(in_bc, 50), unit="s", decimals=1),
        Figure("in another folder, 95th percentile", _percentile(elsewhere, 95), 5, "s", 1),
        Figure("in another folder, median", _percentile(elsewhere, 50), unit="s", decimals=1),
    ]


def _edits(system: System, pair: int) -> list[tuple[float, float]]:
    simulators = Simulators(system.simulators.addresses)  # a thread's own connections
    graph, bc, times = simulators.graph, simulators.bc, []
    for number in range(EDITS):
        title = f"Title {number}"
        contact = graph.contacts_of(_ada(pair), FOLDER)[number % CONTACTS]
        began = time.monotonic()
        graph.edit_contact(_ada(pair), contact["id"], {"jobTitle": title})
        in_bc = _until(began, title, partial(bc.contacts, _company(pair)))
        times.append((in_bc, _until(began, title, partial(graph.contacts_of, _ben(pair), FOLDER))))
    simulators.stop()
    return times


def burst(_: Start) -> Sequence[Figure]:
    """A thousand notifications for one mailbox, one request each, within ten seconds."""
    with _office() as system:
        (subscription,) = [each for each in system.simulators.graph.subscriptions() if each["user"] == _id(system, ADA)]
        mark = system.mark()
        system.simulators.graph.burst(subscription["id"], BURST, BURST_SECONDS)
        system.wait_until_quiet(timeout=120)
        counts = system.counts(mark)["graph"]
        answers = [each["status"] for each in system.simulators.graph.deliveries() if each["kind"] == "notify"]
    taken = sum(each == 202 for each in answers)
    if taken < BURST:
        raise BenchError(f"only {taken} of {BURST} notifications were taken; answers: {Counter(answers)}")
    return [
        Figure("runs (each reads the delta once)", counts.kinds.get("contacts.delta", 0), 6),
        Figure("Graph requests", counts.requests),
    ]


def answers(_: Start) -> Sequence[Figure]:
    """How long the webhook takes to answer, with 5 and with 50 callers at a time."""
    with _office() as system:
        items = _notifications(system)
        times = {callers: _called(system, items, callers) for callers in (5, 50)}
    return [
        Figure("5 callers, 95th percentile", _percentile(times[5], 95) * 1000, 100, "ms"),
        Figure("5 callers, median", _percentile(times[5], 50) * 1000, unit="ms"),
        Figure("50 callers, 95th percentile", _percentile(times[50], 95) * 1000, 1000, "ms"),
        Figure("50 callers, median", _percentile(times[50], 50) * 1000, unit="ms"),
    ]


@contextmanager
def _office(pairs: int = 1) -> Iterator[System]:
    """Pairs of users hold the same few people of their company, and whatever they change is announced."""
    with System(announced=True) as system:
        for pair in range(pairs):
            system.simulators.bc.add_company(_company(pair))
            for number in range(CONTACTS):
                system.simulators.bc.create_contact(
                    displayName=f"Person {number}", email=f"p{number}@bench.example", company=_company(pair)
                )
            for user in (_ada(pair), _ben(pair)):
                system.simulators.graph.create_user(user)
                system.app.save_profile(user, company=_company(pair))
                system.app.sync(user)
        system.keep_up()
        system.tick()
        system.wait_until_quiet()
        time.sleep(3)  # the last run of each mailbox is not the first of a burst
        yield system
        if defects := system.simulators.graph.defects():
            raise BenchError(defects[0])


def _notifications(system: System) -> list[bytes]:
    """Bodies as Graph sends them, seen on their way: the secret is known to nobody else."""
    table = system.tables("subscriptions")
    rows = [row for row in table if str(row["RowKey"]).startswith("of|") and row["PartitionKey"] == "graph"]
    stored = [json.loads(row["c0"]) for row in rows]
    return [
        json.dumps(
            {"value": [{"subscriptionId": each["id"], "clientState": each["client_state"], "changeType": "updated"}]}
        ).encode()
        for each in stored
    ]


def _called(system: System, bodies: Sequence[bytes], callers: int) -> list[float]:
    address, local = f"{system.host.url}/api/webhooks/graph", threading.local()

    def call(number: int) -> float:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.trust_env = False
        began = time.perf_counter()
        answer = local.session.post(address, data=bodies[number % len(bodies)], timeout=30)
        took = time.perf_counter() - began
        if answer.status_code != requests.codes.accepted:
            raise BenchError(f"the webhook answered {answer.status_code}")
        return took

    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(call, range(callers)))  # connections
        return list(pool.map(call, range(CALLS)))


def _until(began: float, title: str, contacts: Callable[[], list[dict[str, Any]]]) -> float:
    """Seconds since `began` when one of the contacts has this job title."""
    while not any(each.get("jobTitle") == title for each in contacts()):
        if time.monotonic() - began > EDIT_WITHIN:
            raise BenchError(f"an edit did not arrive within {EDIT_WITHIN:.0f} s")
        time.sleep(0.02)
    return time.monotonic() - began


def _company(pair: int) -> str:
    return f"Company {pair}"


def _ada(pair: int) -> str:
    return f"ada{pair}@bench.example"


def _ben(pair: int) -> str:
    return f"ben{pair}@bench.example"


def _id(system: System, user: str) -> str:
    return str(system.app.user("GET", f"/api/profiles/{user}")["user"])


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
