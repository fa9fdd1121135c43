"""Ports: what the engine needs of storage. The storage adapter implements them; only it knows partitions and rows.

Everything of one mailbox lies in one partition, so that each batch of changes is one transaction together with the
lease: a worker whose lease was taken over is refused whole (`LeaseLost`), R29, R30.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.cards.model import BcContact
from shared.engine.model import CompanySettings, HeldKind, Positions, Profile, Report, Retry, RunRequest
from shared.engine.watching import Source, Subscription
from shared.planning.model import Link, Parked

# ---------------------------------------------------------------- one mailbox, under its lease


@dataclass(slots=True)
class Changes:
    """What one batch of a run has to record. Order inside does not matter; the store packs it into transactions of at
    most 100 rows, each with the lease, positions in the last one."""

    links: list[Link] = field(default_factory=list)  #: new or changed
    replaced: dict[str, str] = field(default_factory=dict)  #: BC id -> Outlook id that the link had before, if another
    new: set[str] = field(default_factory=set)  #: BC ids among `links` that had no link before (for the link count)
    dropped: list[Link] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    unparked: list[Parked] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    unhidden: set[str] = field(default_factory=set)
    retries: list[Retry] = field(default_factory=list)
    settled: list[Retry] = field(default_factory=list)  #: retries that are over
    positions: Positions | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to record."""
        return bool(
            self.links or self.dropped or self.parked or self.unparked or self.hidden or self.unhidden
            or self.retries or self.settled or self.positions is not None
        )  # fmt: skip


class ProfileState(Protocol):
    """One profile's links and positions inside a held mailbox (R6). Look-ups read in proportion to what is asked."""

    def positions(self) -> Positions:
        """Where the profile stands; the defaults when it never ran."""

    def links_by_bc(self, bc_ids: Iterable[str]) -> Mapping[str, Link]:
        """By BC id; ids without a link are left out."""

    def links_by_outlook(self, outlook_ids: Iterable[str]) -> Mapping[str, Link]:
        """By BC id, the links of these Outlook ids."""

    def all_links(self) -> Iterator[Link]:
        """Every link: for full runs only."""

    def parked_by_outlook(self, outlook_ids: Iterable[str]) -> Mapping[str, Parked]:
        """By Outlook id."""

    def parked_by_keys(self, wanted: Iterable[str]) -> Mapping[str, Parked]:
        """By Outlook id, those with one of these keys: e-mail keys or BC ids (`Parked.keys`)."""

    def all_parked(self) -> Iterator[Parked]:
        """Every parked contact: for full runs only."""

    def hidden(self) -> frozenset[str]:
        """BC ids that stay away from this user (R23)."""

    def retries(self) -> Sequence[Retry]:
        """Everything kept for retry (R31)."""

    def commit(self, changes: Changes) -> None:
        """Record, fenced by the lease. Raises LeaseLost; then nothing of the failing transaction was recorded."""

    def forget(self) -> None:
        """Drop all links, marks and positions of the profile (a deleted profile)."""


class HeldMailbox(Protocol):
    """A mailbox whose lease this worker holds. The lease is renewed in the background until `release`."""

    def keep(self) -> None:
        """Raises LeaseLost when the lease is gone; cheap, called before every request."""

    def profile(self, company_id: str, profile_id: str) -> ProfileState:
        """State of one of the mailbox's profiles."""

    @property
    def rested(self) -> float:
        """Seconds since a run of the mailbox last began; infinite for never."""

    def use(self) -> None:
        """A run begins now."""

    def take(self, *, urgent: bool = False) -> RunRequest | None:
        """The run to do now: the one that a dead holder left, else the oldest waiting (R29, R30), with `urgent` the
        oldest of those that do not wait for the end of a burst; None when none waits. It stays recorded as the current
        one (attempt + 1) until `finish`."""

    def finish(self, request: RunRequest) -> None:
        """The current run is over."""

    def release(self) -> bool:
        """Give the lease back; True when requests are waiting, so that a message must be sent for them."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else holds the mailbox; `seconds` until the lease would end if the holder were dead (R30)."""

    seconds: float


class Mailboxes(Protocol):
    """All mailboxes' state."""

    def hold(self, mailbox_id: str, owner: str) -> HeldMailbox | Busy:
        """Take the lease (60 seconds, renewed), or say how long to wait."""

    def submit(self, request: RunRequest) -> RunRequest:
        """Put a request into the mailbox's line. A plain one is merged with a waiting plain one of the same profile
        (full if either is; the answer carries the waiting one's run id), R29."""

    def waiting(self, mailbox_id: str) -> Sequence[RunRequest]:
        """Requests in line, oldest first, the current one included."""

    def peek(self, mailbox_id: str, company_id: str, profile_id: str) -> ProfileState:
        """Read-only look at a profile's state without the lease (explain, validate); its `commit` raises LeaseLost."""

    def unhide(self, mailbox_id: str, company_id: str, profile_id: str, bc_id: str) -> bool:
        """Un-hide a contact (R23); False when it was not hidden."""


# ---------------------------------------------------------------- one company's feed


@dataclass(frozen=True, slots=True)
class RosterEntry:
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
    before: BcContact | None = None  #: as it was known before; None: new
    by: str = ""  #: id of the profile whose run wrote it; blank: a change that was found in BC


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
    stopped: HeldKind | None = None  #: the company went back in time (R33): nothing is written
    held: HeldKind | None = None  #: deletions held back in the feed (R26)
    writes_stopped_until: datetime | None = None  #: R31: the company's set-up refuses writes; probe after this
    writes_stopped_reason: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """Up to where in a company's change log those whom it concerns have been told."""

    epoch: str = ""
    position: int = 0


@dataclass(slots=True)
class FeedChanges:
    """What a refresh, or an offer of our own writes, adds."""

    changed: list[BcContact] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    by: str = ""  #: id of the profile whose run wrote it, for `LogEntry.by`
    log: bool = True  #: False while the snapshot is built from nothing
    state: FeedState | None = None
    countries: Mapping[str, str] | None = None


class HeldFeed(Protocol):
    """A company's feed under its lease (one refresh at a time over all instances), renewed until `release`."""

    def keep(self) -> None:
        """Raises LeaseLost when the lease is gone."""

    def state(self) -> FeedState:
        """As stored now."""

    def roster(self) -> Mapping[str, RosterEntry]:
        """All live contacts by id."""

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

    def persons_with(self, company_id: str, email_keys: Iterable[str]) -> Mapping[str, tuple[BcContact, ...]]:
        """Persons by e-mail key (R7), from the snapshot; keys without any are left out."""

    def companies_named(self, company_id: str, name_keys: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Numbers of Company contacts by their name's matching key (R18)."""

    def countries(self, company_id: str) -> Mapping[str, str]:
        """code -> display name (R19)."""

    def claim(self, company_id: str, email_keys: Sequence[str], owner: str, until: datetime) -> frozenset[str]:
        """Claim e-mail keys for creating Persons, so that two mailboxes never create the same person (R9): the keys
        that this owner has now. A claim of another owner counts until it ends or is released."""

    def release_claims(self, company_id: str, email_keys: Sequence[str], owner: str) -> None:
        """The created contacts are in the snapshot, or nothing was created."""

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


# ---------------------------------------------------------------- profiles, marks, reports, messages


class Profiles(Protocol):
    """The profiles."""

    def get(self, company_id: str, profile_id: str) -> Profile | None:
        """One profile."""

    def get_many(self, company_id: str, profile_ids: Iterable[str]) -> Mapping[str, Profile]:
        """Several of a company by id; those that do not exist are left out."""

    def of_user(self, user_id: str) -> Sequence[Profile]:
        """A user's profiles in all companies."""

    def of_mailbox(self, mailbox_id: str) -> Sequence[Profile]:
        """Profiles whose folder lies in this mailbox."""

    def user_id(self, address: str) -> str | None:
        """Object id of a user by the address stored with one of their profiles (R: no look-up by e-mail in URLs)."""

    def in_company(self, company_id: str) -> Iterator[Profile]:
        """All profiles of a company."""

    def companies(self) -> Sequence[str]:
        """Ids of the companies that have profiles."""

    def save(self, profile: Profile) -> Profile:
        """Create or replace. Raises RequestError `changed-meanwhile` (409) when `etag` is stale."""

    def delete(self, profile: Profile) -> None:
        """Remove the profile (not its contacts)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A profile has work, or a sweep or retry is due (architecture, point 5)."""

    company_id: str
    profile_id: str
    mailbox_id: str
    due: datetime
    reason: str  #: "bc", "outlook", "sweep", "retry", "request"
    version: int = 0  #: of the last put that `due` saw; 0: by hand, then `settle` covers puts due up to `due`


class Marks(Protocol):
    """Work marks: at most one a profile, the earliest due counts."""

    def marked(self, company_id: str) -> Iterator[str]:
        """Ids of the profiles that have one, due or not."""

    def due(self, company_id: str, now: datetime) -> Iterator[Mark]:
        """Those due; one query when there are none."""

    def put(self, mark: Mark) -> None:
        """Mark; an earlier one stays."""

    def settle(self, mark: Mark, next_due: datetime | None) -> None:
        """The mark was served: set the next due time, or remove it; a mark that was put meanwhile stays."""


class Subscriptions(Protocol):
    """What we know of the services' subscriptions; a company's at BC has a blank profile id."""

    def get(self, source: Source, company_id: str, profile_id: str = "") -> Subscription | None:
        """A profile's or company's."""

    def get_many(self, source: Source, company_id: str, profile_ids: Iterable[str]) -> Mapping[str, Subscription]:
        """Several profiles' by profile id; those without one are left out."""

    def by_id(self, source: Source, subscription_id: str) -> Sequence[Subscription]:
        """By the service's id, compared exactly; several where profiles of a mailbox share one. One request."""

    def all(self, source: Source) -> Iterator[Subscription]:
        """Every one."""

    def save(self, subscription: Subscription) -> Subscription:
        """Create or replace, with the index by id. Raises RequestError `changed-meanwhile` when `etag` is stale."""

    def delete(self, subscription: Subscription) -> None:
        """Forget it, if it is still there."""

    def compared_at(self, source: Source) -> datetime | None:
        """When what is stored was last compared with the list of the service; None before the first time."""

    def has_compared(self, source: Source, at: datetime) -> None:
        """It was compared now."""


class Reports(Protocol):
    """Run reports (R35)."""

    def save(self, report: Report) -> None:
        """Create or replace."""

    def get(self, run_id: str) -> Report | None:
        """By id."""

    def discard(self, report: Report) -> None:
        """A timer's run that found nothing to do leaves no report."""

    def of_profile(
        self, mailbox_id: str, company_id: str, profile_id: str, *, top: int, after: str = ""
    ) -> tuple[Sequence[Report], str]:
        """Newest first, and the token of the next page, blank at the end."""


class Messages(Protocol):
    """Queue messages that a binding cannot send: delayed ones, and those that must be out before state moves on."""

    def sync_job(self, mailbox_id: str, *, delay: float = 0) -> None:
        """Wake a worker for a mailbox in `delay` seconds."""

    def sync_jobs(self, mailbox_ids: Iterable[str]) -> None:
        """Wake workers for several mailboxes at once; when it returns, all messages are in the queue."""

    def company_job(self, company_id: str, reason: str, *, delay: float = 0) -> None:
        """Wake a worker for a company's feed."""
