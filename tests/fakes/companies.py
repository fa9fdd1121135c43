"""Ports `Companies` and `HeldFeed` in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.cards.business_central import digest
from shared.cards.emails import key_of
from shared.cards.model import BcContact
from shared.cards.normalise import matching_key
from shared.engine.company_state import FeedChanges, FeedState, LogEntry, RosterEntry, Told, before_of
from shared.engine.model import WAKE_AGAIN, CompanySettings
from shared.engine.state import Busy
from shared.planning.erased import Erased
from tests.fakes.account import Account, Lease, Reading, check_etag


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
    held: dict[str, frozenset[str]] = field(default_factory=dict)
    asked: datetime | None = None
    erased: set[str] = field(default_factory=set)


class MemoryCompanies:
    """Port `Companies`."""

    def __init__(self, state: Account) -> None:
        self._state = state
        self.leases: dict[str, Lease] = {}
        self.rows: dict[str, _CompanyRows] = {}

    def hold_feed(self, company_id: str, owner: str) -> "MemoryHeldFeed | Busy":
        with self._reading("hold_feed"):
            lease = self.leases.setdefault(company_id, Lease())
            taken = lease.take(self._state.clock())
            if isinstance(taken, Busy):
                return taken
            return MemoryHeldFeed(self._state, self, company_id, lease, taken)

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

    def digests(self, company_id: str) -> Iterator[tuple[str, int]]:
        """Port."""
        return iter([(each.id, digest(each.values)) for each in self.all_contacts(company_id)])

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

    def held(self, company_id: str, kind: str) -> frozenset[str]:
        with self._reading("held"):
            return self.of(company_id).held.get(kind, frozenset())

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

    def forget_claims(self, company_id: str, email_keys: Sequence[str]) -> None:
        with self._reading("forget_claims"):
            for key in email_keys:
                self.of(company_id).claims.pop(key, None)

    def erased(self, company_id: str) -> Erased:
        with self._reading("erased"):
            return Erased(b"key", frozenset(self.of(company_id).erased))

    def mark_erased(self, company_id: str, texts: Iterable[str]) -> Erased:
        with self._reading("mark_erased"):
            known = self.of(company_id).erased
            known.update(Erased(b"key").mark(each) for each in texts if each)
            return Erased(b"key", frozenset(known))

    def settings(self, company_id: str) -> CompanySettings:
        with self._reading("settings"):
            return self.of(company_id).settings or CompanySettings(company_id)

    def save_settings(self, settings: CompanySettings) -> CompanySettings:
        with self._reading("save_settings"):
            rows = self.of(settings.company_id)
            check_etag(settings.etag, rows.settings.etag if rows.settings else "")
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

    def _reading(self, name: str) -> Reading:
        return Reading(self._state, f"companies.{name}")


def roster_entry(contact: BcContact) -> RosterEntry:
    """What the roster says of a contact; the hash itself is the adapter's business, so only zero or not here."""
    key = key_of(contact.text("email")) if contact.is_person else ""
    name = matching_key(contact.text("displayName")) if contact.is_company else ""
    known = int.from_bytes((key or name).encode()[:8], "big") if key or name else 0
    return RosterEntry(contact.id, contact.modified, known, contact.is_person, contact.privacy_blocked)


class MemoryHeldFeed:
    """Port `HeldFeed`."""

    def __init__(self, state: Account, companies: MemoryCompanies, company_id: str, lease: Lease, epoch: int) -> None:
        self._state = state
        self._companies = companies
        self._company_id = company_id
        self._lease = lease
        self._epoch = epoch

    def keep(self) -> None:
        with self._state.lock, self._state.faults.around("feed.keep"):
            self._lease.fence(self._epoch)

    def state(self) -> FeedState:
        with self._state.lock, self._state.faults.around("feed.state"):
            return self._companies.shown(self._company_id)

    def roster(self) -> Mapping[str, RosterEntry]:
        with self._state.lock, self._state.faults.around("feed.roster"):
            return {each.id: roster_entry(each) for each in self._rows.contacts.values()}

    def all_log(self) -> Iterator[LogEntry]:
        with self._state.lock, self._state.faults.around("feed.all_log"):
            return iter([self._rows.log[each] for each in sorted(self._rows.log)])

    def commit(self, changes: FeedChanges) -> FeedState:
        with self._state.lock:
            with self._state.faults.around("feed.commit"):
                self._lease.fence(self._epoch)
                self._apply(changes)
            return self._companies.shown(self._company_id)

    def release(self) -> None:
        with self._state.lock, self._state.faults.around("feed.release"):
            self._lease.give_back(self._epoch)

    @property
    def _rows(self) -> _CompanyRows:
        return self._companies.of(self._company_id)

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
                rows.log[head] = LogEntry(head, bc_id, after, before_of(after, known.get(bc_id)), changes.by)
        rows.log.update({each.sequence: each for each in changes.rewritten})
        if changes.countries is not None:
            rows.countries = dict(changes.countries)
        rows.held.update({kind: frozenset(ids) for kind, ids in changes.held.items()})
        state = changes.state or rows.state
        persons = sum(each.is_person for each in rows.contacts.values())
        rows.state = replace(state, head=head, persons=persons, contacts=len(rows.contacts))
