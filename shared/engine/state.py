"""Ports: what the engine needs of storage. The storage adapter implements them; only it knows partitions and rows.

Everything of one mailbox lies in one partition, so that each batch of changes is one transaction together with the
lease: a worker whose lease was taken over is refused whole (`LeaseLost`), R29, R30.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.engine.model import Positions, Profile, Report, Retry, RunRequest
from shared.engine.pauses import Pause
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
    hidden: dict[str, str] = field(default_factory=dict)  #: BC id -> as `ProfileState.hidden` answers it
    unhidden: set[str] = field(default_factory=set)
    retries: list[Retry] = field(default_factory=list)
    settled: list[Retry] = field(default_factory=list)  #: retries that are over
    held: dict[str, Sequence[str]] = field(default_factory=dict)  #: kind -> all contacts that wait; none: no more (R26)
    positions: Positions | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to record."""
        return bool(
            self.links or self.dropped or self.parked or self.unparked or self.hidden or self.unhidden
            or self.retries or self.settled or self.held or self.positions is not None
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

    def hidden(self) -> Mapping[str, str]:
        """BC ids that stay away from this user: blank where the user deleted them (R23), else what they looked like
        when an undo took them away (R36)."""

    def retries(self) -> Sequence[Retry]:
        """Everything kept for retry (R31)."""

    def held(self, kind: str) -> frozenset[str]:
        """The contacts of a hold (R26): BC ids, or Outlook ids for creations in BC."""

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

    def take(
        self, *, urgent: bool = False, paused: Callable[[RunRequest], bool] = lambda _: False
    ) -> RunRequest | None:
        """The run to do now: the one that a dead holder left, else the oldest waiting (R29, R30), with `urgent` the
        oldest of those that do not wait for the end of a burst; None when none waits. Those `paused` stay in
        line, a current one too (R40). It stays recorded as the current
        one (attempt + 1) until `finish`."""

    def finish(self, request: RunRequest) -> None:
        """The current run is over."""

    def release(self) -> bool:
        """Give the lease back; True when requests are waiting, so that a message must be sent for them."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else holds the mailbox; `seconds` until the lease would end if the holder were dead (R30)."""

    seconds: float

    @property
    def next_look(self) -> float:
        """Seconds after which whoever waits for it looks again."""
        return min(1.0, max(0.05, self.seconds))


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

    def in_company(self, company_id: str, after: str = "", most: int | None = None) -> Iterator[Profile]:
        """A company's profiles in the order of their ids: all, or those behind `after`, and at most so many."""

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


class Pauses(Protocol):
    """What is paused (R40)."""

    def all(self) -> Sequence[Pause]:
        """All pauses. That there are none may be some seconds old; a pause is as stored now."""

    def save(self, pause: Pause) -> None:
        """Pause, or replace the pause of the same scope."""

    def remove(self, company_id: str, profile_id: str) -> bool:
        """End the pause of this scope; False when there was none."""


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

    def signing_key(self) -> bytes:
        """The deployment's key for the secrets of notifications, made at the first call: 32 random bytes, the same for
        all instances, forever. Never logged."""


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

    def remove_before(self, mailbox_id: str, before: datetime) -> int:
        """Remove reports of runs that were asked for before that time, some hundred at a time; answers how many."""


class Messages(Protocol):
    """Queue messages that a binding cannot send: delayed ones, and those that must be out before state moves on."""

    def sync_job(self, mailbox_id: str, *, delay: float = 0) -> None:
        """Wake a worker for a mailbox in `delay` seconds."""

    def sync_jobs(self, mailbox_ids: Iterable[str]) -> None:
        """Wake workers for several mailboxes at once; when it returns, all messages are in the queue."""

    def company_job(self, company_id: str, reason: str, *, delay: float = 0) -> None:
        """Wake a worker for a company's feed."""

    def import_job(self, company_id: str, run_id: str, *, delay: float = 0) -> None:
        """Wake a worker for a run of an import."""

    def waiting(self) -> float:
        """How long the oldest message that a worker could take has been in its queue: seconds, 0 without any."""
