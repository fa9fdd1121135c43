"""Ports: what the engine needs of the storage of a company: its feed under a lease, its snapshot, log and settings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from shared.cards.business_central import without_personal
from shared.cards.model import BcContact
from shared.engine.holds import Hold
from shared.engine.model import CompanySettings
from shared.engine.state import Busy
from shared.planning.erased import Erased

#: what `Companies.held` calls the deletions that were approved for the whole company
APPROVED_GONE = "approved-deletions"


class RosterEntry(NamedTuple):
    """What is known of each live contact of a company without reading its row (24 to 40 bytes stored, packed)."""

    id: str
    stamp: str  #: lastModifiedDateTime as BC wrote it
    key: int  #: 64-bit hash of the e-mail key (Person) or of the name's matching key (Company); 0 for none
    person: bool
    privacy_blocked: bool


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One change of a BC contact in the company's change log."""

    sequence: int
    bc_id: str
    after: BcContact | None  #: None: gone (tombstone)
    before: BcContact | None = None  #: as it was known before (see `before_of`); None: new
    by: str = ""  #: id of the profile whose run wrote it; blank: a change that was found in BC


def before_of(after: BcContact | None, known: BcContact | None) -> BcContact | None:
    """What a log entry says of a contact as it was: of somebody who is privacy blocked now, nothing personal (R39)."""
    return without_personal(known) if known is not None and after is not None and after.privacy_blocked else known


@dataclass(frozen=True, slots=True)
class FeedState:
    """How far a company has been read."""

    epoch: str = ""  #: made anew whenever the snapshot is built from nothing; blank: never read
    watermark: str = ""  #: newest lastModifiedDateTime of a finished walk
    head: int = 0  #: sequence of the newest log entry
    floor: int = 0  #: entries up to here were cleaned away
    refreshed_at: datetime | None = None  #: when the last finished refresh began
    enumerated_at: datetime | None = None
    full_at: datetime | None = None  #: when all contacts were last read whole
    countries_at: datetime | None = None
    persons: int = 0
    contacts: int = 0
    stopped: Hold | None = None  #: the company went back in time (R33): nothing is written
    held: Hold | None = None  #: deletions held back in the feed (R26)
    erased: bool = False  #: whether anybody was ever erased (R39)
    blocked: bool = False  #: whether anybody was ever privacy blocked: their addresses are not in the snapshot (R39)
    approved_gone: bool = False  #: whether there are deletions that were approved for the whole company
    writes_stopped_until: datetime | None = None  #: R31: the company's set-up refuses writes; probe after this
    writes_stopped_reason: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """Up to where in a company's change log those whom it concerns have been told."""

    epoch: str = ""
    position: int = 0
    hold: str = ""  #: the company's hold that everybody was told of; blank: none


@dataclass(slots=True)
class FeedChanges:
    """What a refresh, or an offer of our own writes, adds."""

    changed: list[BcContact] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    by: str = ""  #: id of the profile whose run wrote it, for `LogEntry.by`
    log: bool = True  #: False while the snapshot is built from nothing
    rewritten: list[LogEntry] = field(default_factory=list)  #: entries of the log that lose values (R39)
    state: FeedState | None = None
    countries: Mapping[str, str] | None = None
    held: dict[str, Sequence[str]] = field(default_factory=dict)  #: kind -> all contacts that wait, none for no more


class HeldFeed(Protocol):
    """A company's feed under its lease (one refresh at a time over all instances), renewed until `release`."""

    def keep(self) -> None:
        """Raises LeaseLost when the lease is gone."""

    def state(self) -> FeedState:
        """As stored now."""

    def roster(self) -> Mapping[str, RosterEntry]:
        """All live contacts by id."""

    def all_log(self) -> Iterator[LogEntry]:
        """Every entry that lies in the log, those that never came to count included (R39)."""

    def commit(self, changes: FeedChanges) -> FeedState:
        """Append to the log, update snapshot and roster, then the state; fenced. Answers the new state."""

    def release(self) -> None:
        """Give the lease back."""


class Companies(Protocol):
    """All companies' feeds and settings."""

    def hold_feed(self, company_id: str, owner: str) -> HeldFeed | Busy:
        """Take the feed's lease."""

    def feed(self, company_id: str) -> FeedState:
        """State without the lease."""

    def log(self, company_id: str, after: int, up_to: int) -> Sequence[LogEntry]:
        """Entries after `after` up to and including `up_to`; a key range, not a scan."""

    def told(self, company_id: str) -> Told:
        """Up to where the change log has been fanned out; nowhere at first."""

    def has_told(self, company_id: str, told: Told) -> None:
        """Remember it. Written after the runs are in line: who dies before tells twice, never too little."""

    def ask(self, company_id: str, now: datetime) -> bool:
        """A notification: the company is to be read. True when the caller has to send the message that wakes a worker,
        False while one is on its way."""

    def answered(self, company_id: str) -> None:
        """A reading begins that began after all asking so far: who asks from now on is a reason for another one."""

    def contacts(self, company_id: str, ids: Iterable[str]) -> Mapping[str, BcContact]:
        """From the snapshot; those gone or unknown are left out."""

    def all_contacts(self, company_id: str) -> Iterator[BcContact]:
        """The whole snapshot."""

    def digests(self, company_id: str) -> Iterator[tuple[str, int]]:
        """Ids of the whole snapshot with the digests of their values: a comparison needs no more of them."""

    def persons_with(self, company_id: str, email_keys: Iterable[str]) -> Mapping[str, tuple[BcContact, ...]]:
        """Persons by e-mail key (R7), from the snapshot; keys without any are left out."""

    def companies_named(self, company_id: str, name_keys: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Numbers of Company contacts by their name's matching key (R18)."""

    def held(self, company_id: str, kind: str) -> frozenset[str]:
        """BC ids of a hold, or of `APPROVED_GONE`."""

    def countries(self, company_id: str) -> Mapping[str, str]:
        """code -> display name (R19)."""

    def claim(self, company_id: str, email_keys: Sequence[str], owner: str, until: datetime) -> frozenset[str]:
        """Claim e-mail keys for creating Persons, so that two mailboxes never create the same person (R9): the keys
        that this owner has now. A claim of another owner counts until it ends or is released."""

    def release_claims(self, company_id: str, email_keys: Sequence[str], owner: str) -> None:
        """The created contacts are in the snapshot, or nothing was created."""

    def forget_claims(self, company_id: str, email_keys: Sequence[str]) -> None:
        """No claim of these keys is left, whoever has it (R39)."""

    def erased(self, company_id: str) -> Erased:
        """Who was erased (R39)."""

    def mark_erased(self, company_id: str, texts: Iterable[str]) -> Erased:
        """Remember these BC ids and e-mail keys by their keyed hashes, for ever; answers all. The deployment's key is
        made when somebody is erased for the first time."""

    def settings(self, company_id: str) -> CompanySettings:
        """The admin's settings; the defaults when none are stored."""

    def save_settings(self, settings: CompanySettings) -> CompanySettings:
        """Store. Raises RequestError `changed-meanwhile` (409) when `etag` is stale."""

    def stop_writes(self, company_id: str, until: datetime | None, reason: str) -> None:
        """Remember, or with None forget, that the company's set-up refuses writes (R31)."""

    def note_outside(self, company_id: str, profile_id: str, bc_ids: Iterable[str], *, linked: bool) -> None:
        """Keep the index of links outside their profile's filter (R4): who must hear of a contact all the same."""

    def outside(self, company_id: str, bc_ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """BC id -> profile ids that hold it outside their filter."""
