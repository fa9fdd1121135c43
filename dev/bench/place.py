"""Where a measurement takes place: simulators in a process of their own, Azurite, the app's own adapters in this one.

The app's own adapters are plugged in by `shared.bootstrap`, with settings as in Azure; only a counter is added to the
table client's transport. What a company and its mailbox need is prepared once for the lines that want the same size.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

from dev.azurite import Azurite
from dev.bench import apart, runs
from dev.bench.apart import Spent
from dev.bench.rows import CountRows, Rows
from dev.bench.runs import BenchError
from dev.simulators.launch import Simulators
from dev.system.settings import settings_for
from dev.system.simulator_process import SimulatorProcess
from shared import bootstrap
from shared.engine.model import Mode, Profile, Report
from shared.engine.services import Services
from shared.engine.state import Mark
from shared.outlook import service as outlook
from shared.settings import get_settings
from shared.storage import connect
from shared.storage.tables import Tables

FOLDER = "Business Central"
#: A first sync of 10,000 contacts waits for nobody's approval here (R26), and does not hand over (R32).
_SETTINGS = {"HOLD_OUTLOOK_CREATIONS": "1000000", "RUN_BUDGET_SECONDS": "3600"}
_SOONER = Path(__file__).with_name("by_row_key.cjs")


@dataclass(frozen=True, slots=True)
class Cost:
    """What some work took."""

    graph: int  #: HTTP requests
    bc: int
    graph_writes: int  #: items of batches included
    bc_writes: int
    rows: Rows
    seconds: float
    kinds: str  #: what was asked of the two services


@dataclass
class Company:
    """A company of the simulator with one profile that selects everybody."""

    grounds: "Grounds"
    profile: Profile
    persons: int

    def first_sync(self) -> Cost:
        """Bring everybody into the mailbox."""
        cost = self.grounds.cost(lambda: self.run(Mode.INCREMENTAL))
        self.check_all_came()
        return cost

    def check_all_came(self) -> None:
        """Raises BenchError when the folder lacks somebody."""
        count = len(self.grounds.simulators.graph.contacts_of(self.profile.mailbox_id, FOLDER))
        if count != self.persons:
            raise BenchError(f"{count} of {self.persons} contacts came into the folder")

    def more_users(self, count: int) -> list["Company"]:
        """The same company as seen by further users, each with an empty mailbox of their own."""
        graph, profiles = self.grounds.simulators.graph, self.grounds.services.profiles
        found = []
        for _ in range(count):
            address = f"{uuid4().hex[:8]}@bench.example"
            key = graph.create_user(address).lower()
            of_theirs = replace(
                self.profile, id=key, user_address=address, mailbox_id=key, mailbox_address=address, etag=""
            )
            found.append(Company(self.grounds, profiles.save(of_theirs), self.persons))
        return found

    def run(self, mode: Mode) -> Report:
        """A run as its user asks for it."""
        return runs.run(self.grounds.services, self.profile, mode)

    def request(self, mode: Mode) -> Report:
        """A run is asked for; it waits in the mailbox's line."""
        return runs.request(self.grounds.services, self.profile, mode)

    def tick_once(self) -> None:
        """A tick of the timer, as far as one message of the mailbox goes."""
        runs.tick_once(self.grounds.services, self.profile)

    def tick(self) -> None:
        """A tick of the timer: the company's job, then the mailbox's."""
        runs.tick(self.grounds.services, self.profile)

    def work_off(self) -> None:
        """Do what waits for the mailbox."""
        runs.work_off(self.grounds.services, self.profile)


@dataclass
class Grounds:
    """Running servers, and the services of the app connected to them."""

    simulators: Simulators
    services: Services
    counter: CountRows
    tables: Tables
    _companies: dict[int, Company] = field(default_factory=dict)
    _apart: dict[int, tuple[Company, Spent]] = field(default_factory=dict)

    def new_company(self, persons: int, *, changed: timedelta = timedelta(0)) -> Company:
        """A company with that many made-up persons, changed so long ago, and a user with an empty mailbox."""
        name = f"Bench {uuid4().hex[:8]}"
        bc, graph = self.simulators.bc, self.simulators.graph
        company_id = bc.add_company(name)
        bc.seed(count=persons, company=company_id, stamp=bc.now() - changed if changed else None)
        address = f"{uuid4().hex[:8]}@bench.example"
        user_id = graph.create_user(address)
        profile = Profile(company_id.lower(), user_id.lower(), address, user_id.lower(), address, folder_name=FOLDER)
        self.services.marks.put(
            Mark(profile.company_id, profile.id, profile.mailbox_id, self.services.now(), "request")
        )
        return Company(self, self.services.profiles.save(profile), persons)

    def synced_apart(self, persons: int) -> tuple[Company, Spent]:
        """A company whose contacts were changed long ago, after its first sync in a process of its own, and what that
        took; made once for each size."""
        if persons not in self._apart:
            company = self.new_company(persons, changed=timedelta(hours=1))
            first = apart.spent(company, "incremental")
            company.check_all_came()
            self._apart[persons] = company, first
        return self._apart[persons]

    def synced_company(self, persons: int) -> Company:
        """The same, after its first sync and the tick that reads its echoes; made once for each size."""
        if persons not in self._companies:
            company = self.new_company(persons)
            company.first_sync()
            company.tick()
            self._companies[persons] = company
        return self._companies[persons]

    def cost(self, work: Callable[[], object]) -> Cost:
        """Do some work and count."""
        log = self.simulators.graph
        since, self.counter.rows, began = log.log_number(), Rows(), time.perf_counter()
        work()
        seconds, rows, self.counter.rows = time.perf_counter() - began, self.counter.rows, Rows()
        counts = log.counts(since)
        graph, bc = counts.get("graph", {}), counts.get("bc", {})
        if defects := log.defects():
            raise BenchError(defects[0])
        return Cost(
            graph.get("requests", 0),
            bc.get("requests", 0),
            graph.get("writes", 0),
            bc.get("writes", 0),
            rows,
            seconds,
            "; ".join(
                f"{service}: {', '.join(f'{number} {kind}' for kind, number in sorted(found['kinds'].items()))}"
                for service, found in sorted(counts.items())
                if service != "entra"
            ),
        )


@contextmanager
def grounds() -> Iterator[Grounds]:
    """Start everything, and end it again. Raises AzuriteError, SimulatorError."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        process = stack.enter_context(SimulatorProcess(folder))
        with patch.dict(os.environ, {"NODE_OPTIONS": f'--require="{_SOONER.as_posix()}"'}):
            azurite = stack.enter_context(Azurite())
        simulators = stack.enter_context(process.connect())
        # a mailbox's limit of 10,000 requests in 10 minutes has lines of its own; elsewhere it would only mean waiting
        simulators.graph.switch(limit_requests=1_000_000)
        stack.enter_context(patch.object(outlook, "QUOTA", None))
        environment = settings_for(simulators.addresses, azurite.connection_string, _SETTINGS)
        stack.enter_context(patch.dict(os.environ, environment))
        settings = get_settings()
        counter = CountRows(settings.storage_prefix)
        stack.enter_context(patch.object(connect, "table_service", partial(connect.table_service, transport=counter)))
        tables = Tables(connect.table_service(settings), settings.storage_prefix)
        yield Grounds(simulators, bootstrap.build(settings), counter, tables)
