"""All storage ports in memory, with the rules of the real adapter; both pass `tests/contract/test_storage_*`.

    state = MemoryState(clock)
    state.mailboxes, state.companies, state.profiles, state.marks, state.reports, state.messages

What the engine sees are the ports; what a test does to them:

    state.faults.fail(...) / .die(...) / .restart()     see faults.py; each transaction of a commit is one call
    state.rows_per_transaction = 2                      small transactions, so that commits can be cut in the middle
    state.stop_renewing()                               all holders of now are frozen: their leases end 60 seconds later
    state.steal(mailbox_id), state.steal_feed(company)  as if the lease had ended and somebody else had taken it
    state.messages.take_due()                           the messages that a worker would get now

A process that died (`faults.die`) renews no lease; after `restart()` and 60 seconds by the clock others can take them.
"""

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from shared.cards.emails import key_of
from shared.cards.model import BcContact
from shared.cards.normalise import email_key, matching_key
from shared.engine.model import WAKE_AGAIN, CompanySettings, Positions, Profile, Report, Retry, RunRequest, merged
from shared.engine.state import (
    Busy,
    Changes,
    FeedChanges,
    FeedState,
    LogEntry,
    Mark,
    RosterEntry,
    Told,
)
from shared.errors import LeaseLost, RequestError
from shared.planning.model import Link, Parked
from tests.fakes.faults import Died, Faults
from tests.fakes.watching import MemorySubscriptions

__all__ = ["Died", "Faults", "MemoryState"]

LEASE_SECONDS = 60.0


class MemoryState:
    """One storage account."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.clock = clock
        self.faults = Faults(on_death=[self.stop_renewing])
        self.rows_per_transaction = 99
        self.lock = threading.RLock()
        self.mailboxes = MemoryMailboxes(self)
        self.companies = MemoryCompanies(self)
        self.profiles = MemoryProfiles(self)
        self.marks = MemoryMarks(self)
        self.reports = MemoryReports(self)
        self.messages = MemoryMessages(self)
        self.subscriptions = MemorySubscriptions(self.faults)
        self._version = 0

    def next_etag(self) -> str:
        """A version nobody had before."""
        self._version += 1
        return f"v{self._version}"

    # ------------------------------------------------------------ what a test does

    def stop_renewing(self) -> None:
        """Freeze all holders of now: nobody renews their leases any more."""
        for lease in (*self.mailboxes.leases.values(), *self.companies.leases.values()):
            lease.freeze(self.clock())

    def steal(self, mailbox_id: str, owner: str = "thief") -> "MemoryHeldMailbox":
        """Take the mailbox's lease over whatever its holder says."""
        lease = self.mailboxes.leases[mailbox_id]
        lease.held = False
        held = self.mailboxes.hold(mailbox_id, owner)
        assert isinstance(held, MemoryHeldMailbox)
        return held

    def steal_feed(self, company_id: str, owner: str = "thief") -> "MemoryHeldFeed":
        """Take the feed's lease over whatever its holder says."""
        lease = self.companies.leases[company_id]
        lease.held = False
        held = self.companies.hold_feed(company_id, owner)
        assert isinstance(held, MemoryHeldFeed)
        return held


@dataclass(slots=True)
class _Lease:
    epoch: int = 0
    held: bool = False
    until: datetime | None = None  #: None while its holder lives and renews it

    def take(self, now: datetime) -> int | Busy:
        if self.held and self.until is None:
            return Busy(LEASE_SECONDS)
        if self.held and self.until is not None and now < self.until:
            return Busy((self.until - now).total_seconds())
        self.epoch += 1
        self.held, self.until = True, None
        return self.epoch

    def freeze(self, now: datetime) -> None:
        if self.held and self.until is None:
            self.until = now + timedelta(seconds=LEASE_SECONDS)

    def fence(self, epoch: int) -> None:
        if not self.held or self.epoch != epoch:
            raise LeaseLost("another worker holds the lease")

    def give_back(self, epoch: int) -> None:
        if self.epoch == epoch:
            self.held, self.until = False, None


# ---------------------------------------------------------------- mailboxes


@dataclass(slots=True)
class _ProfileRows:
    positions: Positions | None = None
    links: dict[str, Link] = field(default_factory=dict)
    by_outlook: dict[str, str] = field(default_factory=dict)
    parked: dict[str, Parked] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    retries: dict[tuple[str, str], Retry] = field(default_factory=dict)


@dataclass(slots=True)
class _Line:
    """Requests of one mailbox: plain ones by profile, others by run id, and the current one."""

    plain: dict[tuple[str, str], tuple[datetime, RunRequest]] = field(default_factory=dict)
    own: dict[str, tuple[datetime, RunRequest]] = field(default_factory=dict)
    current: RunRequest | None = None
    used: datetime | None = None

    def in_order(self) -> list[RunRequest]:
        waiting = sorted((*self.plain.values(), *self.own.values()), key=lambda each: (each[0], each[1].run_id))
        return [request for _, request in waiting]


class MemoryMailboxes:
    """Port `Mailboxes`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self.leases: dict[str, _Lease] = {}
        self.lines: dict[str, _Line] = {}
        self.rows: dict[tuple[str, str, str], _ProfileRows] = {}

    def hold(self, mailbox_id: str, owner: str) -> "MemoryHeldMailbox | Busy":
        with self._state.lock, self._state.faults.around("mailboxes.hold"):
            lease = self.leases.setdefault(mailbox_id, _Lease())
            taken = lease.take(self._state.clock())
            if isinstance(taken, Busy):
                return taken
            return MemoryHeldMailbox(self._state, mailbox_id, lease, taken)

    def submit(self, request: RunRequest) -> RunRequest:
        with self._state.lock, self._state.faults.around("mailboxes.submit"):
            line = self.lines.setdefault(request.mailbox_id, _Line())
            if not request.is_plain:
                stored = replace(request, etag=self._state.next_etag())
                line.own.setdefault(request.run_id, (request.requested_at, stored))
                return line.own[request.run_id][1]
            key = (request.company_id, request.profile_id)
            if key in line.plain:
                since, waiting = line.plain[key]
                line.plain[key] = (since, replace(merged(waiting, request), etag=self._state.next_etag()))
            else:
                line.plain[key] = (request.requested_at, replace(request, etag=self._state.next_etag()))
            return line.plain[key][1]

    def waiting(self, mailbox_id: str) -> Sequence[RunRequest]:
        with self._state.lock, self._state.faults.around("mailboxes.waiting"):
            line = self.lines.get(mailbox_id, _Line())
            return [*([line.current] if line.current else []), *line.in_order()]

    def peek(self, mailbox_id: str, company_id: str, profile_id: str) -> "MemoryProfileState":
        return MemoryProfileState(self._state, self.of(mailbox_id, company_id, profile_id), _never)

    def unhide(self, mailbox_id: str, company_id: str, profile_id: str, bc_id: str) -> bool:
        with self._state.lock, self._state.faults.around("mailboxes.unhide"):
            hidden = self.of(mailbox_id, company_id, profile_id).hidden
            if bc_id not in hidden:
                return False
            hidden.discard(bc_id)
            return True

    def of(self, mailbox_id: str, company_id: str, profile_id: str) -> _ProfileRows:
        """A profile's rows."""
        return self.rows.setdefault((mailbox_id, company_id, profile_id), _ProfileRows())


def _never() -> None:
    raise LeaseLost("this state was only peeked at")


class MemoryHeldMailbox:
    """Port `HeldMailbox`."""

    def __init__(self, state: MemoryState, mailbox_id: str, lease: _Lease, epoch: int) -> None:
        self._state = state
        self._mailbox_id = mailbox_id
        self._lease = lease
        self._epoch = epoch

    @property
    def rested(self) -> float:
        used = self._line.used
        return (self._state.clock() - used).total_seconds() if used is not None else math.inf

    def use(self) -> None:
        self._line.used = self._state.clock()

    def keep(self) -> None:
        with self._state.lock, self._state.faults.around("mailbox.keep"):
            self._fence()

    def profile(self, company_id: str, profile_id: str) -> "MemoryProfileState":
        rows = self._state.mailboxes.of(self._mailbox_id, company_id, profile_id)
        return MemoryProfileState(self._state, rows, self._fence)

    def take(self, *, urgent: bool = False) -> RunRequest | None:
        with self._state.lock, self._state.faults.around("mailbox.take"):
            self._fence()
            line = self._line
            waiting = [each for each in line.in_order() if each.is_urgent or not urgent]
            request = line.current or next(iter(waiting), None)
            if request is None:
                return None
            line.own.pop(request.run_id, None)
            key = (request.company_id, request.profile_id)
            if key in line.plain and line.plain[key][1].run_id == request.run_id:
                del line.plain[key]
            line.current = replace(request, attempt=request.attempt + 1, etag=self._state.next_etag())
            return line.current

    def finish(self, request: RunRequest) -> None:
        with self._state.lock, self._state.faults.around("mailbox.finish"):
            self._fence()
            if self._line.current is not None and self._line.current.run_id == request.run_id:
                self._line.current = None

    def release(self) -> bool:
        with self._state.lock, self._state.faults.around("mailbox.release"):
            self._lease.give_back(self._epoch)
            return self._line.current is not None or bool(self._line.in_order())

    @property
    def _line(self) -> _Line:
        return self._state.mailboxes.lines.setdefault(self._mailbox_id, _Line())

    def _fence(self) -> None:
        self._lease.fence(self._epoch)


class MemoryProfileState:
    """Port `ProfileState`."""

    def __init__(self, state: MemoryState, rows: _ProfileRows, fence: Callable[[], None]) -> None:
        self._state = state
        self._rows = rows
        self._fence = fence

    def positions(self) -> Positions:
        with self._reading("positions"):
            return replace(self._rows.positions or Positions(), link_count=len(self._rows.links))

    def links_by_bc(self, bc_ids: Iterable[str]) -> Mapping[str, Link]:
        with self._reading("links_by_bc"):
            return {each: self._rows.links[each] for each in bc_ids if each in self._rows.links}

    def links_by_outlook(self, outlook_ids: Iterable[str]) -> Mapping[str, Link]:
        with self._reading("links_by_outlook"):
            found = {}
            for outlook_id in outlook_ids:
                link = self._rows.links.get(self._rows.by_outlook.get(outlook_id, ""))
                if link is not None and link.outlook_id == outlook_id:
                    found[link.bc_id] = link
            return found

    def all_links(self) -> Iterator[Link]:
        with self._reading("all_links"):
            return iter([self._rows.links[each] for each in sorted(self._rows.links)])

    def parked_by_outlook(self, outlook_ids: Iterable[str]) -> Mapping[str, Parked]:
        with self._reading("parked_by_outlook"):
            return {each: self._rows.parked[each] for each in outlook_ids if each in self._rows.parked}

    def parked_by_keys(self, wanted: Iterable[str]) -> Mapping[str, Parked]:
        with self._reading("parked_by_keys"):
            keys = set(wanted)
            return {each.outlook_id: each for each in self._rows.parked.values() if keys & set(each.keys)}

    def all_parked(self) -> Iterator[Parked]:
        with self._reading("all_parked"):
            return iter(list(self._rows.parked.values()))

    def hidden(self) -> frozenset[str]:
        with self._reading("hidden"):
            return frozenset(self._rows.hidden)

    def retries(self) -> Sequence[Retry]:
        with self._reading("retries"):
            return sorted(self._rows.retries.values(), key=lambda each: (each.next_at, each.side, each.key))

    def commit(self, changes: Changes) -> None:
        with self._state.lock:
            for link in changes.links:
                known = link.bc_id in self._rows.links
                assert (link.bc_id in changes.new) != known, f"`new` is wrong about {link.bc_id}: the count would drift"
            steps = list(self._steps(changes))
            size = self._state.rows_per_transaction
            for start in range(0, len(steps), size):
                with self._state.faults.around("mailbox.commit"):
                    self._fence()
                    for step in steps[start : start + size]:
                        step()

    def forget(self) -> None:
        with self._state.lock, self._state.faults.around("mailbox.forget"):
            self._fence()
            empty = _ProfileRows()
            for name in _ProfileRows.__dataclass_fields__:
                setattr(self._rows, name, getattr(empty, name))

    def _reading(self, name: str) -> "_Reading":
        return _Reading(self._state, f"mailbox.{name}")

    def _steps(self, changes: Changes) -> Iterator[Callable[[], object]]:
        """One step per link or row, in the order in which the real store packs them; positions last."""
        linked = {link.outlook_id for link in changes.links}
        for link in changes.dropped:
            yield partial(self._drop, link, linked)
        for link in changes.links:
            yield partial(self._link, link, changes.replaced.get(link.bc_id), linked)
        yield from self._steps_without_link(changes)
        if changes.positions is not None:
            yield partial(setattr, self._rows, "positions", changes.positions)

    def _steps_without_link(self, changes: Changes) -> Iterator[Callable[[], object]]:
        rows = self._rows
        parked = {each.outlook_id for each in changes.parked}
        for gone in changes.unparked:
            if gone.outlook_id not in parked:
                yield partial(rows.parked.pop, gone.outlook_id, None)
        for each in changes.parked:
            yield partial(rows.parked.__setitem__, each.outlook_id, each)
        for bc_id in sorted(changes.unhidden - changes.hidden):
            yield partial(rows.hidden.discard, bc_id)
        for bc_id in sorted(changes.hidden):
            yield partial(rows.hidden.add, bc_id)
        kept = {(each.side, each.key) for each in changes.retries}
        for over in changes.settled:
            if (over.side, over.key) not in kept:
                yield partial(rows.retries.pop, (over.side, over.key), None)
        for retry in changes.retries:
            yield partial(rows.retries.__setitem__, (retry.side, retry.key), retry)

    def _drop(self, link: Link, linked: set[str]) -> None:
        self._rows.links.pop(link.bc_id, None)
        if link.outlook_id not in linked:
            self._rows.by_outlook.pop(link.outlook_id, None)

    def _link(self, link: Link, before: str | None, linked: set[str]) -> None:
        if before and before not in linked:
            self._rows.by_outlook.pop(before, None)
        self._rows.links[link.bc_id] = link
        self._rows.by_outlook[link.outlook_id] = link.bc_id


class _Reading:
    """A read: under the lock, one call for the faults."""

    def __init__(self, state: MemoryState, call: str) -> None:
        self._state = state
        self._around = state.faults.around(call)

    def __enter__(self) -> None:
        self._state.lock.acquire()
        try:
            self._around.__enter__()
        except BaseException:
            self._state.lock.release()
            raise

    def __exit__(self, *error: object) -> None:
        try:
            self._around.__exit__(*error)  # type: ignore[arg-type]
        finally:
            self._state.lock.release()


# ---------------------------------------------------------------- companies


@dataclass(slots=True)
class _CompanyRows:
    state: FeedState = field(default_factory=FeedState)
    contacts: dict[str, BcContact] = field(default_factory=dict)
    log: dict[int, LogEntry] = field(default_factory=dict)
    countries: dict[str, str] = field(default_factory=dict)
    claims: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    settings: CompanySettings | None = None
    outside: set[tuple[str, str]] = field(default_factory=set)
    writes: tuple[datetime | None, str] = (None, "")
    told: Told = field(default_factory=Told)
    asked: datetime | None = None


class MemoryCompanies:
    """Port `Companies`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self.leases: dict[str, _Lease] = {}
        self.rows: dict[str, _CompanyRows] = {}

    def hold_feed(self, company_id: str, owner: str) -> "MemoryHeldFeed | Busy":
        with self._reading("hold_feed"):
            lease = self.leases.setdefault(company_id, _Lease())
            taken = lease.take(self._state.clock())
            if isinstance(taken, Busy):
                return taken
            return MemoryHeldFeed(self._state, company_id, lease, taken)

    def feed(self, company_id: str) -> FeedState:
        with self._reading("feed"):
            return self.shown(company_id)

    def log(self, company_id: str, after: int, up_to: int) -> Sequence[LogEntry]:
        with self._reading("log"):
            log = self.of(company_id).log
            return [log[each] for each in range(after + 1, up_to + 1) if each in log]

    def told(self, company_id: str) -> Told:
        with self._reading("told"):
            return self.of(company_id).told

    def has_told(self, company_id: str, told: Told) -> None:
        with self._reading("has_told"):
            self.of(company_id).told = told

    def ask(self, company_id: str, now: datetime) -> bool:
        with self._reading("ask"):
            rows = self.of(company_id)
            if rows.asked is not None and now - rows.asked <= WAKE_AGAIN:
                return False
            rows.asked = now
            return True

    def answered(self, company_id: str) -> None:
        with self._reading("answered"):
            self.of(company_id).asked = None

    def contacts(self, company_id: str, ids: Iterable[str]) -> Mapping[str, BcContact]:
        with self._reading("contacts"):
            rows = self.of(company_id).contacts
            return {each: rows[each] for each in ids if each in rows}

    def all_contacts(self, company_id: str) -> Iterator[BcContact]:
        with self._reading("all_contacts"):
            rows = self.of(company_id).contacts
            return iter([rows[each] for each in sorted(rows)])

    def persons_with(self, company_id: str, email_keys: Iterable[str]) -> Mapping[str, tuple[BcContact, ...]]:
        with self._reading("persons_with"):
            asked, found = set(email_keys), dict[str, list[BcContact]]()
            for contact in self.of(company_id).contacts.values():
                key = key_of(contact.text("email"))
                if contact.is_person and key and key in asked:
                    found.setdefault(key, []).append(contact)
            return {key: tuple(sorted(each, key=lambda one: (one.number, one.id))) for key, each in found.items()}

    def companies_named(self, company_id: str, name_keys: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        with self._reading("companies_named"):
            asked, found = set(name_keys), dict[str, list[str]]()
            for contact in self.of(company_id).contacts.values():
                key = matching_key(contact.text("displayName"))
                if contact.is_company and key and key in asked:
                    found.setdefault(key, []).append(contact.number)
            return {key: tuple(sorted(each)) for key, each in found.items()}

    def countries(self, company_id: str) -> Mapping[str, str]:
        with self._reading("countries"):
            return dict(self.of(company_id).countries)

    def claim(self, company_id: str, email_keys: Sequence[str], owner: str, until: datetime) -> frozenset[str]:
        with self._reading("claim"):
            claims, now = self.of(company_id).claims, self._state.clock()
            for key in email_keys:
                holder, end = claims.get(key, (owner, until))
                if holder == owner or end <= now:
                    claims[key] = (owner, until)
            return frozenset(key for key in email_keys if claims[key][0] == owner)

    def release_claims(self, company_id: str, email_keys: Sequence[str], owner: str) -> None:
        with self._reading("release_claims"):
            claims = self.of(company_id).claims
            for key in email_keys:
                if key in claims and claims[key][0] == owner:
                    del claims[key]

    def settings(self, company_id: str) -> CompanySettings:
        with self._reading("settings"):
            return self.of(company_id).settings or CompanySettings(company_id)

    def save_settings(self, settings: CompanySettings) -> CompanySettings:
        with self._reading("save_settings"):
            rows = self.of(settings.company_id)
            _check_etag(settings.etag, rows.settings.etag if rows.settings else "")
            rows.settings = replace(settings, etag=self._state.next_etag())
            return rows.settings

    def stop_writes(self, company_id: str, until: datetime | None, reason: str) -> None:
        with self._reading("stop_writes"):
            self.of(company_id).writes = (until, reason if until else "")

    def note_outside(self, company_id: str, profile_id: str, bc_ids: Iterable[str], *, linked: bool) -> None:
        with self._reading("note_outside"):
            pairs = {(each, profile_id) for each in bc_ids}
            outside = self.of(company_id).outside
            outside.update(pairs) if linked else outside.difference_update(pairs)

    def outside(self, company_id: str, bc_ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
        with self._reading("outside"):
            asked, found = set(bc_ids), dict[str, set[str]]()
            for bc_id, profile_id in self.of(company_id).outside:
                if bc_id in asked:
                    found.setdefault(bc_id, set()).add(profile_id)
            return {bc_id: frozenset(profiles) for bc_id, profiles in found.items()}

    def of(self, company_id: str) -> _CompanyRows:
        """A company's rows."""
        return self.rows.setdefault(company_id, _CompanyRows())

    def shown(self, company_id: str) -> FeedState:
        """The state with what `stop_writes` said."""
        rows = self.of(company_id)
        return replace(rows.state, writes_stopped_until=rows.writes[0], writes_stopped_reason=rows.writes[1])

    def _reading(self, name: str) -> _Reading:
        return _Reading(self._state, f"companies.{name}")


def roster_entry(contact: BcContact) -> RosterEntry:
    """What the roster says of a contact; the hash itself is the adapter's business, so only zero or not here."""
    key = key_of(contact.text("email")) if contact.is_person else ""
    name = matching_key(contact.text("displayName")) if contact.is_company else ""
    known = int.from_bytes((key or name).encode()[:8], "big") if key or name else 0
    return RosterEntry(contact.id, contact.modified, known, contact.is_person, contact.privacy_blocked)


class MemoryHeldFeed:
    """Port `HeldFeed`."""

    def __init__(self, state: MemoryState, company_id: str, lease: _Lease, epoch: int) -> None:
        self._state = state
        self._company_id = company_id
        self._lease = lease
        self._epoch = epoch

    def keep(self) -> None:
        with self._state.lock, self._state.faults.around("feed.keep"):
            self._lease.fence(self._epoch)

    def state(self) -> FeedState:
        with self._state.lock, self._state.faults.around("feed.state"):
            return self._state.companies.shown(self._company_id)

    def roster(self) -> Mapping[str, RosterEntry]:
        with self._state.lock, self._state.faults.around("feed.roster"):
            return {each.id: roster_entry(each) for each in self._rows.contacts.values()}

    def commit(self, changes: FeedChanges) -> FeedState:
        with self._state.lock:
            with self._state.faults.around("feed.commit"):
                self._lease.fence(self._epoch)
                self._apply(changes)
            return self._state.companies.shown(self._company_id)

    def release(self) -> None:
        with self._state.lock, self._state.faults.around("feed.release"):
            self._lease.give_back(self._epoch)

    @property
    def _rows(self) -> _CompanyRows:
        return self._state.companies.of(self._company_id)

    def _apply(self, changes: FeedChanges) -> None:
        rows, head = self._rows, self._rows.state.head
        known = dict(rows.contacts)
        for contact in changes.changed:
            rows.contacts[contact.id] = contact
        for bc_id in changes.gone:
            rows.contacts.pop(bc_id, None)
        if changes.log:
            for bc_id, after in (
                *((each.id, each) for each in changes.changed),
                *((each, None) for each in changes.gone),
            ):
                head += 1
                rows.log[head] = LogEntry(head, bc_id, after, known.get(bc_id), changes.by)
        if changes.countries is not None:
            rows.countries = dict(changes.countries)
        state = changes.state or rows.state
        persons = sum(each.is_person for each in rows.contacts.values())
        rows.state = replace(state, head=head, persons=persons, contacts=len(rows.contacts))


# ---------------------------------------------------------------- profiles, marks, reports, messages


def _check_etag(given: str, stored: str) -> None:
    if given != stored:
        raise RequestError("It was changed meanwhile: read it again.", code="changed-meanwhile", status=409)


class MemoryProfiles:
    """Port `Profiles`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self.rows: dict[tuple[str, str], Profile] = {}

    def get(self, company_id: str, profile_id: str) -> Profile | None:
        with self._reading("get"):
            return self.rows.get((company_id, profile_id))

    def get_many(self, company_id: str, profile_ids: Iterable[str]) -> Mapping[str, Profile]:
        with self._reading("get_many"):
            return {each: self.rows[company_id, each] for each in profile_ids if (company_id, each) in self.rows}

    def of_user(self, user_id: str) -> Sequence[Profile]:
        with self._reading("of_user"):
            return [each for each in self._sorted() if each.id == user_id]

    def of_mailbox(self, mailbox_id: str) -> Sequence[Profile]:
        with self._reading("of_mailbox"):
            return [each for each in self._sorted() if each.mailbox_id == mailbox_id]

    def user_id(self, address: str) -> str | None:
        with self._reading("user_id"):
            key = email_key(address)
            return next((each.id for each in self._sorted() if key and email_key(each.user_address) == key), None)

    def in_company(self, company_id: str) -> Iterator[Profile]:
        with self._reading("in_company"):
            return iter([each for each in self._sorted() if each.company_id == company_id])

    def companies(self) -> Sequence[str]:
        with self._reading("companies"):
            return sorted({company_id for company_id, _ in self.rows})

    def save(self, profile: Profile) -> Profile:
        with self._reading("save"):
            key = (profile.company_id, profile.id)
            stored = self.rows.get(key)
            _check_etag(profile.etag, stored.etag if stored else "")
            self.rows[key] = replace(profile, etag=self._state.next_etag())
            return self.rows[key]

    def delete(self, profile: Profile) -> None:
        with self._reading("delete"):
            self.rows.pop((profile.company_id, profile.id), None)

    def _sorted(self) -> list[Profile]:
        return [self.rows[key] for key in sorted(self.rows)]

    def _reading(self, name: str) -> _Reading:
        return _Reading(self._state, f"profiles.{name}")


class MemoryMarks:
    """Port `Marks`: each mark keeps the puts that count, numbered, so that a settled one leaves those put meanwhile."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self.rows: dict[tuple[str, str], list[Mark]] = {}

    def marked(self, company_id: str) -> Iterator[str]:
        with self._reading("marked"):
            return iter(sorted(profile_id for company, profile_id in self.rows if company == company_id))

    def due(self, company_id: str, now: datetime) -> Iterator[Mark]:
        with self._reading("due"):
            found = []
            for key in sorted(self.rows):
                puts = self.rows[key]
                first = min(puts, key=lambda each: each.due)
                if key[0] == company_id and first.due <= now:
                    found.append(replace(first, version=puts[-1].version))
            return iter(found)

    def put(self, mark: Mark) -> None:
        with self._reading("put"):
            puts = self.rows.setdefault((mark.company_id, mark.profile_id), [])
            # from the clock, so that versions grow even when the row was removed in between
            tick = int(self._state.clock().timestamp() * 1_000_000)
            version = max(tick, puts[-1].version + 1 if puts else 1)
            # a later put that is due earlier makes this one needless
            puts[:] = [each for each in puts if each.due < mark.due]
            puts.append(replace(mark, version=version))

    def settle(self, mark: Mark, next_due: datetime | None) -> None:
        with self._reading("settle"):
            key = (mark.company_id, mark.profile_id)
            puts = self.rows.pop(key, [])
            if mark.version:
                left = [each for each in puts if each.version > mark.version]
            else:
                left = [each for each in puts if each.due > mark.due]
            if next_due is not None and all(next_due < each.due for each in left):
                left.insert(0, replace(mark, due=next_due, reason="sweep", version=max(1, mark.version)))
            if left:
                self.rows[key] = left

    def _reading(self, name: str) -> _Reading:
        return _Reading(self._state, f"marks.{name}")


class MemoryReports:
    """Port `Reports`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self.rows: dict[str, Report] = {}

    def save(self, report: Report) -> None:
        with self._reading("save"):
            self.rows[report.run_id] = report

    def get(self, run_id: str) -> Report | None:
        with self._reading("get"):
            return self.rows.get(run_id)

    def discard(self, report: Report) -> None:
        with self._reading("discard"):
            self.rows.pop(report.run_id, None)

    def of_profile(
        self, mailbox_id: str, company_id: str, profile_id: str, *, top: int, after: str = ""
    ) -> tuple[Sequence[Report], str]:
        with self._reading("of_profile"):
            wanted = (mailbox_id, company_id, profile_id)
            found = [
                self.rows[run_id]
                for run_id in sorted(self.rows)
                if run_id > after
                and (self.rows[run_id].mailbox_id, self.rows[run_id].company_id, self.rows[run_id].profile_id) == wanted
            ]
            return found[:top], found[top - 1].run_id if len(found) > top else ""

    def _reading(self, name: str) -> _Reading:
        return _Reading(self._state, f"reports.{name}")


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was sent: to "sync" with a mailbox id, or to "company" with a company id."""

    queue: str
    id: str
    reason: str
    due: datetime


class MemoryMessages:
    """Port `Messages`; at least once, no order promised, but here in the order of their due time."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self.sent: list[Message] = []

    def sync_job(self, mailbox_id: str, *, delay: float = 0) -> None:
        with _Reading(self._state, "messages.sync_job"):
            self.sent.append(Message("sync", mailbox_id, "", self._due(delay)))

    def sync_jobs(self, mailbox_ids: Iterable[str]) -> None:
        for each in mailbox_ids:
            self.sync_job(each)

    def company_job(self, company_id: str, reason: str, *, delay: float = 0) -> None:
        with _Reading(self._state, "messages.company_job"):
            self.sent.append(Message("company", company_id, reason, self._due(delay)))

    def take_due(self) -> list[Message]:
        """Take away the messages that are visible now."""
        now = self._state.clock()
        due = sorted((each for each in self.sent if each.due <= now), key=lambda each: each.due)
        self.sent = [each for each in self.sent if each.due > now]
        return due

    def _due(self, delay: float) -> datetime:
        return self._state.clock() + timedelta(seconds=delay)
