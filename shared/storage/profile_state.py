"""Port `ProfileState`: a profile's links, parked contacts, retries and positions in its mailbox's partition.

Look-ups are point reads; when so many are asked for that reading everything is cheaper, everything of the kind is read.
The number of links stands in the positions' row and is written in the transaction that changes it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from shared.engine.model import Positions, Retry
from shared.engine.state import Changes
from shared.errors import LeaseLost
from shared.planning.model import Link, Parked
from shared.storage import held_ids, keys, wire
from shared.storage.lease import Lease
from shared.storage.links import Place, drop_link, drop_parked, link_of, parked_of, put_link, put_parked
from shared.storage.records import decoded, encoded
from shared.storage.tables import MOST_OPERATIONS, Operation, Table, chunks
from shared.storage.wire import Row

_FEW = 60  #: so many point reads are always cheap enough
_SCAN_WORTH = 10  #: a row read in a range costs about a tenth of a point read
#: lease and positions go into every transaction
_ROWS = MOST_OPERATIONS - 2


class TableProfileState:
    """State of one profile. Without a lease it can only be read."""

    def __init__(self, table: Table, place: Place, lease: Lease | None, owner: object = None) -> None:
        self._table = table
        self._place = place
        self._lease = lease
        self._owner = owner  # keeps the held mailbox, and so the lease's renewal, alive
        self._head: Row | None = None  # the positions' row; only we write it while we hold the lease

    # ------------------------------------------------------------ reading

    def positions(self) -> Positions:
        """See ProfileState."""
        row = self._read_head()
        stored = decoded(Positions, row) if wire.unpacked(row) else Positions()
        return replace(stored, link_count=int(row.get("links", 0)))

    def links_by_bc(self, bc_ids: Iterable[str]) -> Mapping[str, Link]:
        """See ProfileState."""
        asked = set(bc_ids)
        rows = self._rows("link", {self._place.link(each) for each in asked}, self._link_count())
        return {link.bc_id: link for link in map(link_of, rows)}

    def links_by_outlook(self, outlook_ids: Iterable[str]) -> Mapping[str, Link]:
        """See ProfileState."""
        asked, count = set(outlook_ids), self._link_count()
        if not asked or not count:
            return {}
        if _is_many(len(asked) * 2, count):
            links: Iterable[Link] = self.all_links()
        else:
            index = self._table.get_many(self._place.partition, (self._place.outlook(each) for each in asked))
            links = self.links_by_bc({str(row["bc"]) for row in index.values()}).values()
        return {link.bc_id: link for link in links if link.outlook_id in asked}

    def all_links(self) -> Iterator[Link]:
        """See ProfileState."""
        return map(link_of, self._all("link"))

    def parked_by_outlook(self, outlook_ids: Iterable[str]) -> Mapping[str, Parked]:
        """See ProfileState."""
        asked = set(outlook_ids)
        rows = self._rows("parked", {self._place.parked(each) for each in asked}, None)
        return {parked.outlook_id: parked for parked in map(parked_of, rows)}

    def parked_by_keys(self, wanted: Iterable[str]) -> Mapping[str, Parked]:
        """See ProfileState."""
        asked = set(wanted)
        if not asked or not self._read_head().get("parked"):
            return {}
        if len(asked) > _FEW:
            parked = self.all_parked()
        else:
            bounds = [self._place.kind(f"mail|{keys.hashed(each)}") for each in asked]
            found = {str(row["RowKey"]).rpartition("|")[2] for row in self._table.ranges(self._place.partition, bounds)}
            rows = self._rows("parked", {self._place.key("parked", each) for each in found}, None)
            parked = map(parked_of, rows)
        return {each.outlook_id: each for each in parked if not asked.isdisjoint(each.keys)}

    def all_parked(self) -> Iterator[Parked]:
        """See ProfileState."""
        return map(parked_of, self._all("parked"))

    def hidden(self) -> Mapping[str, str]:
        """See ProfileState."""
        return {str(row["RowKey"]).rpartition("|")[2]: str(row.get("was", "")) for row in self._all("hidden")}

    def retries(self) -> Sequence[Retry]:
        """See ProfileState."""
        found = (decoded(Retry, row) for row in self._all("retry"))
        return sorted(found, key=lambda each: (each.next_at, each.side, each.key))

    def held(self, kind: str) -> frozenset[str]:
        """See ProfileState."""
        return held_ids.read(self._table, self._place.partition, self._place.key("hold", kind))

    # ------------------------------------------------------------ writing

    def commit(self, changes: Changes) -> None:
        """See ProfileState."""
        lease = self._fenced()
        units = list(_without_contradictions(self._units(changes)))
        batches = list(chunks(units, _ROWS)) or ([[]] if changes.positions is not None else [])
        for number, batch in enumerate(batches, 1):
            head = self._next_head(batch, changes, last=number == len(batches))
            lease.commit([*batch, *([Operation("put", head)] if head else [])])
            self._head = head or self._head

    def forget(self) -> None:
        """See ProfileState."""
        lease = self._fenced()
        low, high = keys.below(self._place.prefix)
        rows = self._table.range(self._place.partition, low, high, select=["PartitionKey", "RowKey"])
        units = [[Operation("delete", wire.row(self._place.partition, str(row["RowKey"])))] for row in rows]
        for batch in chunks(units, _ROWS):
            lease.commit(batch)
        self._head = None

    def _units(self, changes: Changes) -> Iterator[list[Operation]]:
        """Operations that belong together, each kind's removals before its writes."""
        place = self._place
        for link in changes.dropped:
            yield drop_link(place, link)
        for link in {each.bc_id: each for each in changes.links}.values():
            yield put_link(place, link, changes.replaced.get(link.bc_id))
        for parked in changes.unparked:
            yield drop_parked(place, parked)
        for parked in {each.outlook_id: each for each in changes.parked}.values():
            yield put_parked(place, parked)
        yield from ([Operation("delete", place.row("hidden", each))] for each in sorted(changes.unhidden))
        for each, was in sorted(changes.hidden.items()):
            yield [Operation("put", place.row("hidden", each) | {"was": was})]
        yield from ([Operation("delete", self._retry(each))] for each in changes.settled)
        yield from ([Operation("put", self._retry(each) | encoded(each))] for each in changes.retries)
        for kind, ids in changes.held.items():
            yield from held_ids.replaced(self._table, place.partition, place.key("hold", kind), ids)

    def _retry(self, retry: Retry) -> Row:
        return self._place.row("retry", retry.side, keys.hashed(retry.key))

    def _next_head(self, batch: list[Operation], changes: Changes, *, last: bool) -> Row | None:
        """The positions' row as it must be after a batch; None when it stays."""
        before = self._read_head()
        low, high = self._place.kind("link")
        written = [each for each in batch if low <= each.key < high]
        new = {self._place.link(each) for each in changes.new}
        added = sum(each.kind == "put" and each.key in new for each in written)
        links = int(before.get("links", 0)) + added - len(self._there(written))
        parks = any(self._place.kind("parked")[0] <= each.key < self._place.kind("parked")[1] for each in batch)
        parked = bool(before.get("parked")) or parks
        move = last and changes.positions is not None
        if not move and links == before.get("links", 0) and parked == bool(before.get("parked")):
            return None
        body = encoded(changes.positions) if move else wire.packed(wire.unpacked(before))
        return self._place.row("positions") | body | {"links": max(0, links), "parked": parked}

    def _there(self, written: list[Operation]) -> Mapping[str, Row]:
        """Of the links to delete those that exist: a repeated commit must not count them twice."""
        deleted = [each.key for each in written if each.kind == "delete"]
        return self._table.get_many(self._place.partition, deleted)

    # ------------------------------------------------------------ rows

    def _fenced(self) -> Lease:
        if self._lease is None:
            raise LeaseLost("this state was only looked at, without the lease")
        return self._lease

    def _read_head(self) -> Row:
        if self._head is None or self._lease is None:
            row = self._table.get(self._place.partition, self._place.key("positions"))
            self._head = row if row is not None else self._place.row("positions")
        return self._head

    def _link_count(self) -> int:
        return int(self._read_head().get("links", 0))

    def _all(self, kind: str) -> Iterator[Row]:
        return self._table.range(self._place.partition, *self._place.kind(kind))

    def _rows(self, kind: str, asked: set[str], total: int | None) -> Iterable[Row]:
        """Rows of one kind by their keys; `total` is how many there are, None when nobody counts."""
        if total == 0 or not asked or (kind == "parked" and not self._read_head().get("parked")):
            return ()
        if _is_many(len(asked), total):
            return (row for row in self._all(kind) if row["RowKey"] in asked)
        return self._table.get_many(self._place.partition, asked).values()


def _is_many(asked: int, total: int | None) -> bool:
    """Whether reading all is cheaper than point reads."""
    return asked > _FEW and (total is None or asked * _SCAN_WORTH >= total)


def _without_contradictions(units: Iterable[list[Operation]]) -> Iterator[list[Operation]]:
    """A row may stand in a transaction only once, and what is written must not be deleted by a later one: of the
    operations on one row the last write counts, or else the first delete."""
    listed = list(units)
    last: dict[str, Operation] = {}
    for operation in (each for unit in listed for each in unit):
        if operation.kind != "delete" or operation.key not in last:
            last[operation.key] = operation
    for unit in listed:
        if kept := [each for each in unit if last[each.key] is each]:
            yield kept
