"""A company: its tables, its set-up, its read replica, and what a restore brings back."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from dev.simulators.business_central.contact import Contact
from dev.simulators.business_central.countries import COUNTRIES
from dev.simulators.business_central.fields import CONTACT
from dev.simulators.business_central.table import Change, ContactTable

_CHANGED_BY = "f2a5738a-44e3-4a11-8b43-000d3a2feca1"


@dataclass(frozen=True, slots=True)
class Country:
    """A row of Country/Region."""

    id: str
    code: str
    display_name: str
    address_format: str = "Post_x0020_Code_x002B_City"
    modified: int = 0


@dataclass(frozen=True, slots=True)
class PostCode:
    """A row of the Post Codes table: what a post code overwrites (2.6)."""

    code: str
    city: str
    state: str = ""
    country: str = ""


@dataclass(slots=True)
class Setup:
    """What an administrator sets in Marketing Setup, General Ledger Setup and the number series (2.4 to 2.6)."""

    inherit_address: bool = True
    inherit_country: bool = True
    inherit_communication: bool = True  #: phone, mobile, e-mail and home page; one flag each in BC
    default_country: str = ""
    country_required_in_address: bool = False  #: "Req. Country/Reg. Code in Addr.": a new country clears nothing
    number_series: str = "CONT"  #: "" when Marketing Setup names none
    number_prefix: str = "CT"
    last_number: int = 0
    number_limit: int = 999_999  #: the series is used up behind it
    template: dict[str, str] = field(default_factory=dict)  #: by API name: what a configuration template fills

    def set(self, **changes: Any) -> None:
        """Change settings by name; raises ValueError, and then changes nothing."""
        for name, value in changes.items():
            if name not in self.__slots__ or type(value) is not type(getattr(self, name)):
                raise ValueError(f"no setting {name!r} that could be {value!r}; there are {sorted(self.__slots__)}")
        if unknown := changes.get("template", {}).keys() - CONTACT.fields.keys():
            raise ValueError(f"a contact has no {sorted(unknown)}")
        for name, value in changes.items():
            setattr(self, name, value)


class Replica:
    """The asynchronous copy that most GETs read (3.5): changes appear there `lag` milliseconds after their commit."""

    def __init__(self, rows: ContactTable) -> None:
        """Start level with `rows`."""
        self._table = ContactTable(rows)
        self._waiting: deque[tuple[int, Change]] = deque()

    def record(self, now: int, changes: list[Change]) -> None:
        """Take note of a commit."""
        self._waiting.extend((now, change) for change in changes)

    def at(self, now: int, lag: int) -> ContactTable:
        """Return the table as it was `lag` milliseconds ago, or later if it has been read with less lag since."""
        while self._waiting and self._waiting[0][0] + lag <= now:
            _, (key, row) = self._waiting.popleft()
            if row is None:
                self._table.remove(key)
            else:
                self._table.put(row)
        return self._table


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A company's contacts and set-up at some time, to be restored later."""

    contacts: tuple[Contact, ...]
    setup: Setup


#: What happened to a contact by whether it had a row before and has one now.
_KINDS = {(False, True): "created", (True, True): "updated", (True, False): "deleted", (False, False): ""}

type Told = Callable[["Company", list[tuple[str, str]]], None]  #: what happened, and to which contact


class Company:
    """One company of the environment."""

    system_version = "29.0.49946.51685"
    business_profile_id = ""
    changed_by = _CHANGED_BY

    def __init__(self, name: str, display_name: str, clock: Callable[[], int], id: str | None = None) -> None:  # noqa: A002
        """Make a company with the countries of the world and no contacts. `clock`: the time as a stamp."""
        now = clock()
        self._clock = clock
        self._holds_commits = False
        self.id = id or str(uuid4())
        self.name = name
        self.display_name = display_name
        self.created = self.modified = now
        self.timestamp = 50_516
        self.setup = Setup()
        self.contacts = ContactTable()
        self.countries = {code: Country(str(uuid4()), code, title, modified=now) for code, title in COUNTRIES.items()}
        self.post_codes: list[PostCode] = []
        self.uncommitted: set[str] = set()  #: ids of rows that some transaction has written and not committed
        self.snapshots: dict[str, Snapshot] = {}
        self.tell: Told = lambda *_: None  #: hears of each commit
        self._replica = Replica(self.contacts)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep or undo all changes of contacts in the block together."""
        with self.contacts.transaction(self.committed):
            yield

    def committed(self, changes: list[Change], existed: frozenset[str]) -> None:
        """Let everyone know who follows commits; `existed`: ids that had a row before."""
        if self._holds_commits:
            self.uncommitted.update(key for key, _ in changes)
            return
        seen = [change for change in changes if change[0] not in self.uncommitted]
        self._replica.record(self._clock(), seen)
        kinds = ((_KINDS[key in existed, row is not None], key) for key, row in seen)
        self.tell(self, [(kind, key) for kind, key in kinds if kind])

    @contextmanager
    def uncommitted_transaction(self) -> Iterator[None]:
        """Leave what the block inserts uncommitted: dirty reads of the primary see it, the replica does not (3.5)."""
        self._holds_commits = True
        try:
            yield
        finally:
            self._holds_commits = False

    def finish(self, commit: bool) -> None:
        """Commit what was left uncommitted, or let it vanish."""
        keys, self.uncommitted = self.uncommitted, set()
        if commit:
            self.committed([(key, self.contacts.get(key)) for key in sorted(keys)], frozenset())
            return
        for key in keys:
            self.contacts.remove(key)

    def replica(self, lag: int) -> ContactTable:
        """Return the contacts as the replica shows them."""
        return self._replica.at(self._clock(), lag)

    def take_snapshot(self) -> str:
        """Keep the contacts and set-up as they are; returns the snapshot's id."""
        name = f"snapshot-{len(self.snapshots) + 1}"
        self.snapshots[name] = Snapshot(tuple(self.contacts), deepcopy(self.setup))
        return name

    def restore(self, snapshot: str) -> None:
        """Go back to a snapshot: same ids, older stamps (1.3). The replica is restored with it."""
        kept = self.snapshots[snapshot]
        self._become(kept.contacts, kept.setup)

    def copy_to(self, name: str, keep_ids: bool) -> "Company":
        """Return a copy under a new company id; its rows keep their stamps (1.3)."""
        copy = Company(name, name, self._clock)
        copy.countries = dict(self.countries)
        copy.post_codes = list(self.post_codes)
        rows = tuple(self.contacts)
        if not keep_ids:
            rows = tuple(replace(row, id=str(uuid4())) for row in rows)
        copy._become(rows, self.setup)
        copy.tell = self.tell
        return copy

    def _become(self, rows: tuple[Contact, ...], setup: Setup) -> None:
        self.contacts = ContactTable(rows)
        self.setup = deepcopy(setup)
        self.uncommitted.clear()
        self._replica = Replica(self.contacts)
