"""Port: what is stored of imports of users, saved ones and the runs of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.engine.model import RunStatus
from shared.engine.state import Busy
from shared.planning.model import Direction, Policies

ONCE = "once"  #: the name of imports that are not saved


class SourceKind(StrEnum):
    """Where users come from."""

    BC = "businessCentral"
    GROUP = "group"
    USERS = "users"


class OnLeave(StrEnum):
    """What becomes of a leaver's contacts."""

    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Source:
    """Whom an import is about."""

    kind: SourceKind
    group: str = ""  #: Entra object id
    users: tuple[str, ...] = ()  #: e-mail addresses and object ids


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What an administrator wants imported into a company. Saved under its name it is repeated every night."""

    company_id: str
    name: str
    source: Source
    id: str = ""  #: 8 hex digits, for good: an import of the same name that is made later is another one
    direction: Direction = Direction.TO_OUTLOOK
    filter: Mapping[str, str] = field(default_factory=dict)
    policies: Policies = Policies()  # noqa: RUF009 - frozen
    on_leave: OnLeave = OnLeave.KEEP
    actor: str = ""
    changed_at: datetime | None = None
    etag: str = ""

    @property
    def is_saved(self) -> bool:
        """Whether it is repeated, so that users can leave it."""
        return self.name != ONCE

    @property
    def mark(self) -> str:
        """What its profiles carry (`Profile.imported`); blank for those that are made once and are nobody's then."""
        return f"{self.name}.{self.id}" if self.is_saved else ""


def name_in(mark: str) -> str:
    """The name of the import whose mark this is."""
    return mark.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody in a report."""

    user: str  #: object id; blank when the directory knows nobody of that name
    address: str = ""
    code: str = ""  #: why they are left out


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What an import's run held back until a person approves it."""

    kind: str  #: `LEAVERS` (profiles), `REMOVALS` (contacts of leavers)
    count: int
    limit: str  #: in words
    users: tuple[str, ...] = ()  #: whose
    approved_by: str = ""
    approved_at: datetime | None = None
    approved_run: str = ""  #: id of the run that carries it out


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One execution of an import, and its report. A run that is not over goes on where the lists stop."""

    run_id: str
    order: ImportOrder  #: as it was when the run was asked for
    requested_at: datetime
    status: RunStatus = RunStatus.QUEUED
    by_timer: bool = False
    preview: bool = False
    actor: str = ""
    before: str = ""  #: the id of the import's last run before this one, when it had holds
    size: int | None = None  #: enabled profiles of the import at the start; None: not begun
    started_at: datetime | None = None
    ended_at: datetime | None = None
    found: int = 0  #: people whom the source names
    kept: int = 0  #: of these, who had a profile already
    added: tuple[Who, ...] = ()
    enabled: tuple[Who, ...] = ()  #: leavers who came back
    left_out: tuple[Who, ...] = ()
    disabled: tuple[Who, ...] = ()
    removed: tuple[Who, ...] = ()  #: leavers whose contacts and profile were removed
    contacts_removed: int = 0
    failed: tuple[Who, ...] = ()  #: leavers whose contacts could not be removed now; the next run tries again
    pieces: int = 0  #: how often a worker has taken it up
    held: tuple[HeldBack, ...] = ()
    approves: str = ""  #: id of the run whose holds a person approved
    approved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: kind -> whom
    error_code: str = ""
    error: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it came to its end."""
        return self.status not in (RunStatus.QUEUED, RunStatus.RUNNING)


class HeldImports(Protocol):
    """The imports of a company, under a lease that is renewed until `release`."""

    def keep(self) -> None:
        """Raises LeaseLost when the lease is gone; cheap."""

    def save(self, run: ImportRun) -> None:
        """Store how a run stands, fenced by the lease. Raises LeaseLost."""

    def release(self) -> None:
        """Give the lease back."""


class Imports(Protocol):
    """Saved imports, and the runs of all imports."""

    def companies(self) -> Sequence[str]:
        """Ids of the companies of which anything is stored here."""

    def orders(self, company_id: str) -> Sequence[ImportOrder]:
        """The saved ones, by name."""

    def order(self, company_id: str, name: str) -> ImportOrder | None:
        """One of them."""

    def save_order(self, order: ImportOrder) -> ImportOrder:
        """Create or replace. Raises RequestError `changed-meanwhile` (409) when `etag` is stale."""

    def delete_order(self, order: ImportOrder) -> None:
        """Repeat it no more; what its runs did and reported stays."""

    def save(self, run: ImportRun) -> None:
        """Store a new run, or one that is over once more, as when a person approves what it held."""

    def run(self, run_id: str) -> ImportRun | None:
        """By id."""

    def newest(self, company_id: str, name: str) -> ImportRun | None:
        """The newest run that is no preview, over or not."""

    def last(self, company_id: str, name: str) -> ImportRun | None:
        """The newest run that is over and was no preview."""

    def hold(self, company_id: str, owner: str) -> HeldImports | Busy:
        """Take the lease on the company's imports, or say how long to wait."""

    def remove_before(self, company_id: str, before: datetime) -> int:
        """Remove runs that were asked for before that time, some hundred at a time; answers how many."""
