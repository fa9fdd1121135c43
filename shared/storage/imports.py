"""Port `Imports`: saved imports and runs in their company's partition; a run's id says where its report lies."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from shared.engine.import_state import ImportOrder, ImportRun
from shared.engine.state import Busy
from shared.storage import keys, wire
from shared.storage.lease import SECONDS, Lease, acquire
from shared.storage.records import decoded, encoded
from shared.storage.retention import KEYS, remove_rows
from shared.storage.tables import Operation, Tables, etag_of
from shared.storage.versions import save
from shared.storage.wire import Row

MOST_REMOVED = 100  #: rows at one time; each may be large


class TableImports:
    """Imports of users."""

    def __init__(self, tables: Tables, *, now: Callable[[], datetime], lease_seconds: float = SECONDS) -> None:
        """`now` must be the same clock for all instances."""
        self._table = tables["imports"]
        self._now = now
        self._lease_seconds = lease_seconds

    def companies(self) -> Sequence[str]:
        """See Imports."""
        return list(self._table.partitions())

    def orders(self, company_id: str) -> Sequence[ImportOrder]:
        """See Imports."""
        return [_order(row) for row in self._table.range(keys.part(company_id), *keys.below("order"))]

    def order(self, company_id: str, name: str) -> ImportOrder | None:
        """See Imports."""
        row = self._table.get(keys.part(company_id), keys.path("order", name))
        return None if row is None else _order(row)

    def save_order(self, order: ImportOrder) -> ImportOrder:
        """See Imports."""
        row = wire.row(keys.part(order.company_id), keys.path("order", order.name)) | encoded(replace(order, etag=""))
        return replace(order, etag=save(self._table, row, order.etag))

    def delete_order(self, order: ImportOrder) -> None:
        """See Imports."""
        row = wire.row(keys.part(order.company_id), keys.path("order", order.name))
        self._table.apply(Operation("delete", row))

    def save(self, run: ImportRun) -> None:
        """See Imports."""
        self._table.apply(Operation("put", _row(run)))

    def run(self, run_id: str) -> ImportRun | None:
        """See Imports."""
        place = keys.import_of(run_id)
        row = self._table.get(place[0], keys.path("run", place[1], run_id)) if place else None
        return None if row is None else decoded(ImportRun, row)

    def newest(self, company_id: str, name: str) -> ImportRun | None:
        """See Imports."""
        return next(self._runs(company_id, name), None)

    def last(self, company_id: str, name: str) -> ImportRun | None:
        """See Imports."""
        return next((each for each in self._runs(company_id, name) if each.is_over), None)

    def hold(self, company_id: str, owner: str) -> "HeldTableImports | Busy":
        """See Imports."""
        got = acquire(self._table, keys.part(company_id), owner, now=self._now, seconds=self._lease_seconds)
        return got if isinstance(got, Busy) else HeldTableImports(got)

    def remove_before(self, company_id: str, before: datetime) -> int:
        """See Imports."""
        oldest = keys.before(before)
        runs = self._table.range(keys.part(company_id), *keys.below("run"), select=KEYS)
        old = (row for row in runs if str(row["RowKey"]).rpartition("|")[2] >= oldest)
        return remove_rows(self._table, old, MOST_REMOVED)

    def _runs(self, company_id: str, name: str) -> Iterator[ImportRun]:
        rows = self._table.range(keys.part(company_id), *keys.below(keys.path("run", name)), page=5)
        return (run for run in (decoded(ImportRun, row) for row in rows) if not run.preview)


class HeldTableImports:
    """The imports of a company whose lease this worker holds."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    def keep(self) -> None:
        """See HeldImports."""
        self._lease.keep()

    def save(self, run: ImportRun) -> None:
        """See HeldImports."""
        self._lease.commit([Operation("put", _row(run))])

    def release(self) -> None:
        """See HeldImports."""
        self._lease.release()


def _order(row: Row) -> ImportOrder:
    return replace(decoded(ImportOrder, row), etag=etag_of(row))


def _row(run: ImportRun) -> Row:
    place = keys.import_of(run.run_id)
    if place != (run.order.company_id, run.order.name):
        raise ValueError("a run id must name the company and the import of its report")
    return wire.row(place[0], keys.path("run", place[1], run.run_id)) | encoded(run)
