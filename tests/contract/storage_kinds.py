"""The two implementations of the storage ports that must behave alike: in memory, and tables in Azurite."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from dev.azurite import Azurite, AzuriteError
from shared.engine.company_state import Companies, HeldFeed
from shared.engine.import_state import Imports
from shared.engine.journal import Journal
from shared.engine.model import Mode, RunRequest, Trigger
from shared.engine.retention_state import Retention
from shared.engine.state import HeldMailbox, Mailboxes, Marks, Pauses, Profiles, Reports, Subscriptions
from shared.storage.companies import TableCompanies
from shared.storage.connect import table_service
from shared.storage.imports import TableImports
from shared.storage.journal import TableJournal
from shared.storage.mailboxes import TableMailboxes
from shared.storage.marks import TableMarks
from shared.storage.pauses import TablePauses
from shared.storage.profiles import TableProfiles
from shared.storage.retention import TableRetention
from shared.storage.runs import TableReports
from shared.storage.subscriptions import TableSubscriptions
from shared.storage.tables import Tables
from tests.fakes.state import MemoryState

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@dataclass
class World:
    """One storage account with a clock that the test moves, and ids of its own."""

    mailboxes: Mailboxes
    companies: Companies
    profiles: Profiles
    marks: Marks
    reports: Reports
    journal: Journal
    subscriptions: Subscriptions
    retention: Retention
    pauses: Pauses
    imports: Imports
    clock: SimpleNamespace
    memory: MemoryState | None = None
    tables: Tables | None = None
    company: str = field(default_factory=lambda: str(uuid.uuid4()))
    mailbox: str = field(default_factory=lambda: str(uuid.uuid4()))
    user: str = field(default_factory=lambda: str(uuid.uuid4()))

    def wait(self, seconds: float) -> None:
        """Move the clock."""
        self.clock.now += timedelta(seconds=seconds)

    def hold(self, owner: str = "worker") -> HeldMailbox:
        """The mailbox, which must be free."""
        held = self.mailboxes.hold(self.mailbox, owner)
        assert not hasattr(held, "seconds")
        return held  # type: ignore[return-value]

    def hold_feed(self, owner: str = "worker") -> HeldFeed:
        """The feed, which must be free."""
        held = self.companies.hold_feed(self.company, owner)
        assert not hasattr(held, "seconds")
        return held  # type: ignore[return-value]

    def die(self, held: HeldMailbox | HeldFeed) -> None:
        """The holder's process dies."""
        if self.memory is not None:
            self.memory.stop_renewing()
        else:
            held.stop_renewing()  # type: ignore[union-attr]

    def request(self, run_id: str = "run-1", **changes: object) -> RunRequest:
        """A plain incremental request of the timer."""
        values: dict[str, object] = {
            "run_id": run_id, "company_id": self.company, "profile_id": self.user, "mailbox_id": self.mailbox,
            "mode": Mode.INCREMENTAL, "trigger": Trigger.TIMER, "requested_at": self.clock.now,
        }  # fmt: skip
        return RunRequest(**(values | changes))  # type: ignore[arg-type]


def in_memory() -> World:
    clock = SimpleNamespace(now=START)
    state = MemoryState(lambda: clock.now)
    ports = (
        state.mailboxes,
        state.companies,
        state.profiles,
        state.marks,
        state.reports,
        state.journal,
        state.subscriptions,
        state.retention,
        state.pauses,
        state.imports,
    )
    return World(*ports, clock, memory=state)


def in_tables(tables: Tables) -> World:
    clock = SimpleNamespace(now=START)
    return World(
        TableMailboxes(tables, now=lambda: clock.now),
        TableCompanies(tables, now=lambda: clock.now),
        TableProfiles(tables),
        TableMarks(tables),
        TableReports(tables),
        TableJournal(tables),
        TableSubscriptions(tables),
        TableRetention(tables),
        TablePauses(tables, monotonic=lambda: clock.now.timestamp()),
        TableImports(tables, now=lambda: clock.now),
        clock,
        tables=tables,
    )


@pytest.fixture(scope="session")
def tables() -> Iterator[Tables]:
    """Tables of a prefix of their own in an Azurite of their own."""
    try:
        with Azurite() as azurite:
            settings = SimpleNamespace(storage_connection=azurite.connection_string)
            yield Tables(table_service(settings), f"test{uuid.uuid4().hex[:8]}")  # type: ignore[arg-type]
    except AzuriteError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.integration)])
def world(request: pytest.FixtureRequest) -> World:
    """Either implementation."""
    return in_memory() if request.param == "memory" else in_tables(request.getfixturevalue("tables"))
