"""Lines about many profiles: what an idle tick costs, and what one change costs that many of them hold.

Profiles of an idle tick need no mailbox: rows are enough, since nothing may ask about them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from unittest.mock import patch
from uuid import uuid4

from dev.bench.figures import Figure, Start
from dev.bench.place import FOLDER, Cost, Grounds
from dev.bench.runs import BenchError, run, work_off
from shared.engine.fan_out import serve_company, serve_tick
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import Mode, Profile
from shared.engine.run import run_mailbox
from shared.engine.services import Services
from shared.engine.watching import Source, Subscription, new_secret
from shared.storage import keys, wire
from shared.storage.records import encoded
from shared.storage.tables import Operation, Tables, chunks

FEW, MANY = 1_000, 10_000  #: profiles of an idle tick
HOLDERS = 200  #: profiles that hold one contact
CONTACTS = 5  #: that each of them holds
ADDRESS = "https://127.0.0.1:9"  #: which simulated subscriptions tell; nobody is there


def idle_thousand(start: Start) -> Sequence[Figure]:
    """A tick with 1,000 profiles whose changes are announced, no sweep due."""
    cost, messages = _idle_tick(start(), FEW)
    return [
        Figure("BC requests", cost.bc, 2, detail=cost.kinds),
        Figure("Graph requests", cost.graph, 0),
        Figure("table requests", cost.rows.requests, 20),
        Figure("queue messages", messages, 0),
        Figure("table rows read", cost.rows.read.total()),
        Figure("time here", cost.seconds, unit="s", decimals=1),
    ]


def idle_ten_thousand(start: Start) -> Sequence[Figure]:
    """The same with 10,000: table requests may grow by pages of 1,000 rows only."""
    cost, messages = _idle_tick(start(), MANY)
    return [
        Figure("BC requests", cost.bc, 2, detail=cost.kinds),
        Figure("Graph requests", cost.graph, 0),
        Figure("table requests", cost.rows.requests, 20 + MANY // 1_000),
        Figure("queue messages", messages, 0),
        Figure("table rows read", cost.rows.read.total()),
        Figure("time here", cost.seconds, unit="s", decimals=1),
    ]


def shared_contact(start: Start) -> Sequence[Figure]:
    """One contact changed in BC that 200 profiles hold."""
    grounds = start()
    profiles = _holders(grounds)
    services, bc = grounds.services, grounds.simulators.bc
    company_id = profiles[0].company_id
    contact = bc.contacts(company_id)[0]
    bc.update_contact(contact["number"], company=company_id, jobTitle=f"Buyer {uuid4().hex[:6]}")
    told = grounds.cost(lambda: serve_company(services, CompanyJob(company_id, Reason.BC, services.now())))
    waiting = [each for each in profiles if services.mailboxes.waiting(each.mailbox_id)]
    used = time.process_time()
    runs = [grounds.cost(partial(run_mailbox, services, each.mailbox_id, uuid4().hex)) for each in waiting]
    used = time.process_time() - used
    kinds = {kind for each in runs for kind in ("contacts.delta", "folders.get", "contacts.list") if kind in each.kinds}
    return [
        Figure("BC requests", told.bc + sum(each.bc for each in runs), 2, detail=told.kinds),
        Figure("runs", len(runs), HOLDERS),
        Figure("Graph requests in a run", max(each.graph for each in runs), 2, detail=runs[0].kinds),
        Figure("runs that read the folder", len(kinds), 0),
        Figure(
            "table rows read in a run",
            max(each.rows.read.total() for each in runs),
            10,
            detail=", ".join(f"{number} {kind}" for kind, number in runs[0].rows.read.most_common()),
        ),
        Figure("table requests in a run", max(each.rows.requests for each in runs)),
        Figure("table requests to tell all", told.rows.requests),
        Figure("processor time in a run", used / len(runs) * 1_000, unit="ms"),
        Figure("time here, one run after another", sum(each.seconds for each in runs), unit="s", decimals=1),
    ]


# ---------------------------------------------------------------- idle


@dataclass
class Counting:
    """The queue, counted."""

    sent: int = 0

    def sync_job(self, mailbox_id: str, *, delay: float = 0) -> None:
        """Counted."""
        self.sent += 1

    def sync_jobs(self, mailbox_ids: object) -> None:
        """Counted."""
        self.sent += len(list(mailbox_ids))  # type: ignore[call-overload]

    def company_job(self, company_id: str, reason: str, *, delay: float = 0) -> None:
        """Counted."""
        self.sent += 1

    def import_job(self, company_id: str, run_id: str, *, delay: float = 0) -> None:
        """Counted."""
        self.sent += 1

    def waiting(self) -> float:
        """Nothing waits: nobody takes what is counted."""
        return 0.0


def _idle_tick(grounds: Grounds, count: int) -> tuple[Cost, int]:
    company = grounds.new_company(CONTACTS)
    fill(grounds.services, grounds.tables, company.profile, count)
    queue = Counting()
    services = replace(grounds.services, messages=queue)
    listed, only = services.profiles.companies, [company.profile.company_id]
    # other lines have companies of their own; listing them is part of the tick
    with patch.object(services.profiles, "companies", lambda: [each for each in listed() if each in only]):
        serve_tick(services, services.now())  # builds the feed, tells it
        queue.sent = 0
        left: list[CompanyJob] = []
        cost = grounds.cost(lambda: left.extend(serve_tick(services, services.now())))
    return cost, queue.sent + len(left)


def fill(services: Services, tables: Tables, pattern: Profile, count: int) -> None:
    """Profiles with marks in the future and healthy subscriptions, the pattern's own among them; written as rows, since
    one by one it would take longer than all the rest."""
    now, company_id = services.now(), pattern.company_id
    profiles, marks, watched = [], [], []
    for number in range(count):
        key = pattern.id if number == 0 else str(uuid4())
        profile = replace(pattern, id=key, mailbox_id=key, user_address="", etag="")
        subscription = Subscription(
            Source.GRAPH,
            company_id,
            key,
            key,
            id=str(uuid4()),
            folder_id="f",
            address=ADDRESS,
            client_state=new_secret(services.subscriptions.signing_key()),
            expires_at=now + timedelta(days=6),
            renewed_at=now,
        )
        due = now + timedelta(minutes=50)
        puts = wire.packed(wire.dumps([[1, due.isoformat(), "sweep"]]))
        profiles.append(wire.row(company_id, key) | encoded(profile))
        marks.append(wire.row(company_id, key, mailbox=key, due=due) | puts)
        row = wire.row(Source.GRAPH.value, keys.path("of", company_id, key), version="1")
        watched.append(row | encoded(subscription))
    for name, rows in (("profiles", profiles), ("marks", marks), ("subscriptions", watched)):
        for batch in chunks([[Operation("put", row)] for row in rows]):
            tables[name].transact(batch)


# ---------------------------------------------------------------- one contact of many


def _holders(grounds: Grounds) -> list[Profile]:
    """Profiles of as many mailboxes, synced, with one company's few contacts in each."""
    company = grounds.new_company(CONTACTS)
    graph, services = grounds.simulators.graph, grounds.services
    profiles = [each.profile for each in (company, *company.more_users(HOLDERS - 1))]
    for each in profiles:
        run(services, each, Mode.INCREMENTAL)
        if len(graph.contacts_of(each.mailbox_id, FOLDER)) != CONTACTS:
            raise BenchError("a first sync did not bring all contacts")
    serve_company(services, CompanyJob(company.profile.company_id, Reason.BC, services.now()))
    for each in profiles:
        work_off(services, each)
    return profiles
