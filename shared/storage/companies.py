"""Port `Companies`: what everybody reads of a company's feed, and the company's settings, claims and stops."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.cards.emails import key_of
from shared.cards.model import BcContact
from shared.cards.normalise import matching_key
from shared.engine.company_state import FeedState, LogEntry, Told
from shared.engine.model import WAKE_AGAIN, CompanySettings
from shared.engine.state import Busy
from shared.planning.erased import Erased
from shared.storage import claims, erased, held_ids, keys, outside, roster, wire
from shared.storage.contact_rows import STATE, WRITES, contact_of, digest_of
from shared.storage.feed import FEW, TableHeldFeed, read_buckets, read_contacts, read_log, read_state
from shared.storage.lease import SECONDS, acquire
from shared.storage.records import decoded, encoded
from shared.storage.tables import Operation, RowConflict, RowMissing, Tables, etag_of
from shared.storage.versions import save


@dataclass(frozen=True, slots=True)
class _Index:
    """Ids by hash of e-mail key and of company name, of one version of the feed."""

    version: str
    persons: Mapping[int, Sequence[str]]
    companies: Mapping[int, Sequence[str]]


class TableCompanies:
    """All companies' feeds and settings. `now` is the clock of leases and claims."""

    def __init__(
        self, tables: Tables, *, now: Callable[[], datetime] | None = None, lease_seconds: float = SECONDS
    ) -> None:
        self._table = tables["companies"]
        self._now = now or tables.clock.now
        self._seconds = lease_seconds
        self._indexes: dict[str, _Index] = {}
        self._indexing = threading.Lock()

    # ------------------------------------------------------------ the feed

    def hold_feed(self, company_id: str, owner: str) -> TableHeldFeed | Busy:
        """See Companies."""
        lease = acquire(self._table, keys.part(company_id), owner, now=self._now, seconds=self._seconds)
        if isinstance(lease, Busy):
            return lease
        try:
            return TableHeldFeed(self._table, company_id, lease)
        except BaseException:
            lease.stop()
            raise

    def feed(self, company_id: str) -> FeedState:
        """See Companies."""
        return read_state(self._table, company_id)

    def log(self, company_id: str, after: int, up_to: int) -> Sequence[LogEntry]:
        """See Companies."""
        return read_log(self._table, company_id, after, up_to)

    def told(self, company_id: str) -> Told:
        """See Companies."""
        row = self._table.get(keys.part(company_id), "told")
        return Told() if row is None else Told(str(row["epoch"]), int(row["position"]), str(row.get("hold", "")))

    def has_told(self, company_id: str, told: Told) -> None:
        """See Companies."""
        row = wire.row(keys.part(company_id), "told", epoch=told.epoch, position=told.position, hold=told.hold)
        self._table.apply(Operation("put", row))

    def ask(self, company_id: str, now: datetime) -> bool:
        """See Companies. Two who ask at the same time: one of them makes the row."""
        row = wire.row(keys.part(company_id), "asked", at=now)
        there = self._table.get(keys.part(company_id), "asked")
        if there is not None and now - there["at"] <= WAKE_AGAIN:
            return False
        try:
            self._table.apply(Operation("create", row) if there is None else Operation("put", row, etag_of(there)))
        except (RowConflict, RowMissing):
            return False
        return True

    def answered(self, company_id: str) -> None:
        """See Companies."""
        self._table.apply(Operation("delete", wire.row(keys.part(company_id), "asked")))

    def contacts(self, company_id: str, ids: Iterable[str]) -> Mapping[str, BcContact]:
        """See Companies."""
        asked = set(ids)
        total = self.feed(company_id).contacts if len(asked) > FEW else len(asked)
        return read_contacts(self._table, company_id, asked, total)

    def all_contacts(self, company_id: str) -> Iterator[BcContact]:
        """See Companies."""
        return map(contact_of, self._table.range(keys.part(company_id), *keys.below("contact")))

    def digests(self, company_id: str) -> Iterator[tuple[str, int]]:
        """See Companies."""
        return map(digest_of, self._table.range(keys.part(company_id), *keys.below("contact")))

    def persons_with(self, company_id: str, email_keys: Iterable[str]) -> Mapping[str, tuple[BcContact, ...]]:
        """See Companies."""
        asked = {each for each in email_keys if each}
        found: dict[str, list[BcContact]] = {}
        for contact in self._candidates(company_id, asked, persons=True):
            key = key_of(contact.text("email"))
            if contact.is_person and key in asked:
                found.setdefault(key, []).append(contact)
        return {key: tuple(sorted(each, key=lambda one: (one.number, one.id))) for key, each in found.items()}

    def companies_named(self, company_id: str, name_keys: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """See Companies."""
        asked = {each for each in name_keys if each}
        found: dict[str, list[str]] = {}
        for contact in self._candidates(company_id, asked, persons=False):
            key = matching_key(contact.text("displayName"))
            if contact.is_company and key in asked:
                found.setdefault(key, []).append(contact.number)
        return {key: tuple(sorted(each)) for key, each in found.items()}

    def held(self, company_id: str, kind: str) -> frozenset[str]:
        """See Companies."""
        return held_ids.read(self._table, keys.part(company_id), keys.path("hold", kind))

    def countries(self, company_id: str) -> Mapping[str, str]:
        """See Companies."""
        row = self._table.get(keys.part(company_id), "countries")
        return {} if row is None else dict(json.loads(wire.unpacked(row)))

    def stop_writes(self, company_id: str, until: datetime | None, reason: str) -> None:
        """See Companies."""
        row = wire.row(keys.part(company_id), WRITES)
        if until is None:
            self._table.apply(Operation("delete", row))
        else:
            self._table.apply(Operation("put", row | {"until": until, "reason": reason[:1000]}))

    def _candidates(self, company_id: str, asked: set[str], *, persons: bool) -> Iterable[BcContact]:
        """Contacts whose key has the hash of one asked for: to be compared exactly."""
        if not asked:
            return ()
        index = self._index(company_id)
        by_hash = index.persons if persons else index.companies
        ids = {bc_id for key in asked for bc_id in by_hash.get(roster.key_hash(key), ())}
        return self.contacts(company_id, ids).values()

    def _index(self, company_id: str) -> _Index:
        """The roster by hash, read anew when the feed has moved: every commit writes the state's row."""
        row = self._table.get(keys.part(company_id), STATE)
        version = etag_of(row) if row is not None else ""
        if (known := self._known_index(company_id, version)) is not None:
            return known
        with self._indexing:  # each thread would hold all of a large company; most find that another has read it
            if (known := self._known_index(company_id, version)) is not None:
                return known
            persons: dict[int, list[str]] = {}
            companies: dict[int, list[str]] = {}
            for bucket in read_buckets(self._table, company_id).values():
                for entry in bucket.values():
                    if entry.key:
                        (persons if entry.person else companies).setdefault(entry.key, []).append(entry.id)
            index = self._indexes[company_id] = _Index(version, persons, companies)
        return index

    def _known_index(self, company_id: str, version: str) -> _Index | None:
        known = self._indexes.get(company_id)
        return known if known is not None and version and known.version == version else None

    # ------------------------------------------------------------ claims, settings, links outside the filter

    def claim(self, company_id: str, email_keys: Sequence[str], owner: str, until: datetime) -> frozenset[str]:
        """See Companies."""
        return claims.claim(self._table, keys.part(company_id), email_keys, owner, until, self._now())

    def release_claims(self, company_id: str, email_keys: Sequence[str], owner: str) -> None:
        """See Companies."""
        claims.release(self._table, keys.part(company_id), email_keys, owner)

    def forget_claims(self, company_id: str, email_keys: Sequence[str]) -> None:
        """See Companies."""
        claims.forget(self._table, keys.part(company_id), email_keys)

    def erased(self, company_id: str) -> Erased:
        """See Companies."""
        return erased.read(self._table, keys.part(company_id))

    def mark_erased(self, company_id: str, texts: Iterable[str]) -> Erased:
        """See Companies."""
        return erased.mark(self._table, keys.part(company_id), texts)

    def settings(self, company_id: str) -> CompanySettings:
        """See Companies."""
        row = self._table.get(keys.part(company_id), "settings")
        if row is None:
            return CompanySettings(company_id)
        return replace(decoded(CompanySettings, row), etag=etag_of(row))

    def save_settings(self, settings: CompanySettings) -> CompanySettings:
        """See Companies."""
        row = wire.row(keys.part(settings.company_id), "settings") | encoded(replace(settings, etag=""))
        return replace(settings, etag=save(self._table, row, settings.etag))

    def note_outside(self, company_id: str, profile_id: str, bc_ids: Iterable[str], *, linked: bool) -> None:
        """See Companies."""
        outside.note(self._table, keys.part(company_id), profile_id, bc_ids, linked=linked)

    def outside(self, company_id: str, bc_ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """See Companies."""
        return outside.of(self._table, keys.part(company_id), bc_ids)
