"""Port `HeldFeed`: a company's change log, snapshot and roster, written under the feed's lease.

A commit that fits into one transaction is one. A larger one is a small write-ahead log: the entries, then what the
state is to become (`pending`), then snapshot and roster, then the new state. Readers see entries up to the old head
until the end. Who dies before `pending` left nothing that counts, later entries overwrite his; who dies after it is
finished by the next holder. So a change is never in the snapshot without being in the log.

While a snapshot is built from nothing there is no log: the roster comes first, so that a repeated build knows which
rows may be there.
"""

import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from shared.cards.model import BcContact
from shared.engine.company_state import FeedChanges, FeedState, LogEntry, RosterEntry, before_of
from shared.storage import held_ids, keys, roster, wire
from shared.storage.contact_rows import (
    PENDING,
    STATE,
    contact_of,
    drop_contact,
    log_entry_of,
    pending_of,
    put_contact,
    put_log,
    put_state,
    state_of,
)
from shared.storage.lease import Lease
from shared.storage.tables import MOST_OPERATIONS, Operation, Table, chunks
from shared.storage.wire import Row

FEW = 100  #: so many point reads are always cheap enough
_SCAN_WORTH = 10  #: a row read in a range costs about a tenth of a point read
_ROWS = MOST_OPERATIONS - 1  #: the lease goes into every transaction


class TableHeldFeed:
    """A company's feed under its lease."""

    def __init__(self, table: Table, company_id: str, lease: Lease) -> None:
        self._table = table
        self._company_id = company_id
        self._lease = lease
        self._buckets: dict[int, dict[str, RosterEntry]] = {}  # those read; only we write them
        self._state: FeedState | None = None  # as read or written last, for the same reason
        self._unfinished = True  # a former holder may have left something
        weakref.finalize(self, lease.stop)
        self._finish_pending()

    def keep(self) -> None:
        """See HeldFeed."""
        self._lease.keep()

    def state(self) -> FeedState:
        """See HeldFeed. What `stop_writes` said is as old as the first look."""
        if self._state is None:
            self._state = read_state(self._table, self._company_id)
        return self._state

    def roster(self) -> Mapping[str, RosterEntry]:
        """See HeldFeed."""
        if len(self._buckets) < roster.BUCKETS:
            self._buckets = read_buckets(self._table, self._company_id)
        return {bc_id: entry for bucket in self._buckets.values() for bc_id, entry in bucket.items()}

    def all_log(self) -> Iterator[LogEntry]:
        """See HeldFeed."""
        return map(log_entry_of, self._table.range(self._company_id, *keys.below("log")))

    def commit(self, changes: FeedChanges) -> FeedState:
        """See HeldFeed. The store sets head, persons and contacts; `stop_writes` alone says what it says."""
        try:
            if self._unfinished:
                self._finish_pending()
            self._commit(changes)
        except BaseException:
            self._buckets.clear()  # nobody knows what was written
            self._state = None
            raise
        return self.state()

    def release(self) -> None:
        """See HeldFeed."""
        self._lease.release()

    def stop_renewing(self) -> None:
        """As if this worker had died: the lease ends by itself."""
        self._lease.stop()

    def _commit(self, changes: FeedChanges) -> None:
        before = self.state()
        after: dict[str, BcContact | None] = {each.id: each for each in changes.changed}
        after |= dict.fromkeys(changes.gone)
        entries = self._entries(changes, before) if changes.log else []
        persons, contacts = self._counted(before, after, changes)
        state = replace(
            changes.state or before,
            head=before.head + len(entries),
            persons=persons,
            contacts=contacts,
            writes_stopped_until=None,
            writes_stopped_reason="",
        )
        written = (*entries, *changes.rewritten)
        log = [*self._countries(changes), *(put_log(self._company_id, each) for each in written)]
        rows, buckets = self._contact_rows(after), self._bucket_rows(after)
        waiting = self._held(changes)
        if not self._at_once([*log, *rows, *buckets, *waiting, put_state(self._company_id, state)]):
            self._write(waiting)
            if entries:
                self._write(log)
                self._unfinished = True
                self._write([put_state(self._company_id, state, PENDING)])
                self._write([*rows, *buckets])
            else:
                self._write([*log, *buckets, *rows])
            self._write_state(state)
        self._remember(after)
        until, reason = before.writes_stopped_until, before.writes_stopped_reason
        self._state = replace(state, writes_stopped_until=until, writes_stopped_reason=reason)

    def _finish_pending(self) -> None:
        pending = pending_of(self._table.get(self._company_id, PENDING))
        if pending is not None:
            head = self.state().head
            entries = read_log(self._table, self._company_id, head, pending.head)
            after = {each.bc_id: each.after for each in entries}
            self._write([*self._contact_rows(after), *self._bucket_rows(after)])
            self._write_state(pending)
            self._remember(after)
            self._state = None
        self._unfinished = False

    def _write_state(self, state: FeedState) -> None:
        """The state last; nothing is pending any more."""
        done = [Operation("delete", wire.row(self._company_id, PENDING))] if self._unfinished else []
        self._write([put_state(self._company_id, state), *done])
        self._unfinished = False

    def _entries(self, changes: FeedChanges, state: FeedState) -> list[LogEntry]:
        said: list[tuple[str, BcContact | None]] = [(each.id, each) for each in changes.changed]
        said += [(each, None) for each in changes.gone]
        known = read_contacts(self._table, self._company_id, {bc_id for bc_id, _ in said}, state.contacts)
        return [
            LogEntry(state.head + number, bc_id, contact, before_of(contact, known.get(bc_id)), changes.by)
            for number, (bc_id, contact) in enumerate(said, 1)
        ]

    def _countries(self, changes: FeedChanges) -> list[Operation]:
        if changes.countries is None:
            return []
        row = wire.row(self._company_id, "countries")
        return [Operation("put", row | wire.packed(wire.dumps(dict(changes.countries))))]

    def _held(self, changes: FeedChanges) -> list[Operation]:
        units = (
            held_ids.replaced(self._table, self._company_id, keys.path("hold", kind), ids)
            for kind, ids in changes.held.items()
        )
        return [operation for each in units for unit in each for operation in unit]

    def _contact_rows(self, after: Mapping[str, BcContact | None]) -> list[Operation]:
        self._load(after)
        return [
            drop_contact(self._company_id, bc_id) if contact is None else put_contact(self._company_id, contact)
            for bc_id, contact in after.items()
            if contact is not None or bc_id in self._buckets[roster.bucket(bc_id)]
        ]

    def _bucket_rows(self, after: Mapping[str, BcContact | None]) -> list[Operation]:
        by_bucket: dict[int, dict[str, BcContact | None]] = {}
        for bc_id, contact in after.items():
            by_bucket.setdefault(roster.bucket(bc_id), {})[bc_id] = contact
        operations = []
        for number, changes in sorted(by_bucket.items()):
            bucket = dict(self._buckets[number])
            _change(bucket, changes)
            row = wire.row(self._company_id, _bucket_key(number))
            operations.append(Operation("put", row | wire.packed_bytes(roster.packed(bucket.values()))))
        return operations

    def _counted(
        self, before: FeedState, after: Mapping[str, BcContact | None], changes: FeedChanges
    ) -> tuple[int, int]:
        """How many persons and contacts there will be."""
        persons, contacts = before.persons, before.contacts
        if not changes.log:  # a build may have died between roster and state: count anew
            known = self.roster().values()
            persons, contacts = sum(each.person for each in known), len(known)
        self._load(after)
        for bc_id, contact in after.items():
            entry = self._buckets[roster.bucket(bc_id)].get(bc_id)
            persons += bool(contact and contact.is_person) - bool(entry and entry.person)
            contacts += (contact is not None) - (entry is not None)
        return persons, contacts

    def _load(self, ids: Iterable[str]) -> None:
        missing = {roster.bucket(each) for each in ids} - self._buckets.keys()
        rows = self._table.get_many(self._company_id, (_bucket_key(each) for each in sorted(missing)))
        for number in missing:
            row = rows.get(_bucket_key(number))
            self._buckets[number] = roster.unpacked(wire.joined(row)) if row is not None else {}

    def _remember(self, after: Mapping[str, BcContact | None]) -> None:
        for bc_id, contact in after.items():
            _change(self._buckets[roster.bucket(bc_id)], {bc_id: contact})

    def _at_once(self, operations: Sequence[Operation]) -> bool:
        """Write all in one transaction, if it takes them."""
        batches = list(chunks([[each] for each in operations], _ROWS))
        if len(batches) > 1:
            return False
        self._lease.commit(batches[0])
        return True

    def _write(self, operations: Sequence[Operation]) -> None:
        for batch in chunks([[each] for each in operations], _ROWS):
            self._lease.commit(batch)


def read_state(table: Table, company_id: str) -> FeedState:
    """The feed's state, with what `stop_writes` said."""
    return state_of(list(table.range(keys.part(company_id), STATE, f"{STATE}}}")))


def read_contacts(table: Table, company_id: str, asked: Set[str], total: int) -> dict[str, BcContact]:
    """Contacts of the snapshot, which holds `total`: by point reads, or all of them when that is cheaper."""
    partition = keys.part(company_id)
    if len(asked) > FEW and len(asked) * _SCAN_WORTH >= total:
        everyone = map(contact_of, table.range(partition, *keys.below("contact")))
        return {each.id: each for each in everyone if each.id in asked}
    rows = table.get_many(partition, (keys.path("contact", each) for each in asked))
    return {each.id: each for each in map(contact_of, rows.values())}


def read_log(table: Table, company_id: str, after: int, up_to: int) -> list[LogEntry]:
    """Entries after `after` up to and including `up_to`."""
    if up_to <= after:
        return []
    rows = table.range(keys.part(company_id), keys.log(after + 1), keys.log(up_to + 1))
    return [log_entry_of(row) for row in rows]


def read_buckets(table: Table, company_id: str) -> dict[int, dict[str, RosterEntry]]:
    """The whole roster, all buckets."""
    rows = {str(row["RowKey"]): row for row in table.range(keys.part(company_id), *keys.below("roster"))}
    return {number: _entries_of(rows.get(_bucket_key(number))) for number in range(roster.BUCKETS)}


def _entries_of(row: Row | None) -> dict[str, RosterEntry]:
    return {} if row is None else roster.unpacked(wire.joined(row))


def _bucket_key(number: int) -> str:
    return keys.path("roster", f"{number:02x}")


def _change(bucket: dict[str, RosterEntry], after: Mapping[str, BcContact | None]) -> None:
    for bc_id, contact in after.items():
        if contact is None:
            bucket.pop(bc_id, None)
        else:
            bucket[bc_id] = roster.entry(contact)
