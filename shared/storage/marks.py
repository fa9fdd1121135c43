"""Port `Marks`: one row per profile that has work, in its company's partition.

A row keeps the puts that still count, each with a version that grows. Settling a mark takes away what was put before it
was read, so that work marked while a profile was being served is never lost, and no run is done twice for one mark.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from shared.engine.state import Mark
from shared.errors import RetryableError
from shared.storage import keys, wire
from shared.storage.tables import Operation, RowConflict, RowMissing, Table, Tables, etag_of
from shared.storage.wire import Row

_ATTEMPTS = 20
_MOST = 50  #: puts kept in a row


@dataclass(frozen=True, slots=True)
class Put:
    """One time that somebody marked the profile."""

    version: int
    due: datetime
    reason: str


def added(puts: list[Put], put: Put) -> list[Put]:
    """The puts with one more. One that is due earlier makes the former ones with a later time needless."""
    kept = [each for each in puts if each.due < put.due]
    if len(kept) >= _MOST:  # serving earlier than asked does no harm
        kept[-2:] = [replace(kept[-1], due=kept[-2].due)]
    return [*kept, put]


def settled(puts: list[Put], mark: Mark, next_due: datetime | None) -> list[Put]:
    """What is left once a mark was served."""
    left = [each for each in puts if (each.version > mark.version if mark.version else each.due > mark.due)]
    if next_due is not None and all(next_due < each.due for each in left):
        left.insert(0, Put(max(1, mark.version), next_due, "sweep"))
    return left


class TableMarks:
    """Work marks."""

    def __init__(self, tables: Tables) -> None:
        self._table: Table = tables["marks"]
        self._now = tables.clock.now

    def marked(self, company_id: str) -> Iterator[str]:
        """See Marks."""
        return (str(row["RowKey"]) for row in self._table.range(keys.part(company_id), select=["RowKey"]))

    def due(self, company_id: str, now: datetime) -> Iterator[Mark]:
        """See Marks."""
        for row in self._table.range(keys.part(company_id), where="due le @now", now=now):
            puts = _puts(row)
            first = min(puts, key=lambda each: each.due)
            profile_id, mailbox_id = str(row["RowKey"]), str(row["mailbox"])
            yield Mark(company_id, profile_id, mailbox_id, first.due, first.reason, puts[-1].version)

    def put(self, mark: Mark) -> None:
        """See Marks."""

        def change(puts: list[Put]) -> list[Put]:
            # from the clock, so that versions grow even when the row was removed in between
            tick = int(self._now().timestamp() * 1_000_000)
            version = max(tick, puts[-1].version + 1 if puts else 1)
            return added(puts, Put(version, mark.due, mark.reason))

        self._change(mark, change)

    def settle(self, mark: Mark, next_due: datetime | None) -> None:
        """See Marks."""
        self._change(mark, lambda puts: settled(puts, mark, next_due))

    def _change(self, mark: Mark, change: Callable[[list[Put]], list[Put]]) -> None:
        partition, key = keys.part(mark.company_id), keys.part(mark.profile_id)
        for _ in range(_ATTEMPTS):
            there = self._table.get(partition, key)
            puts = change(_puts(there) if there is not None else [])
            operation = _written(there, wire.row(partition, key, mailbox=mark.mailbox_id), puts)
            try:
                if operation is not None:
                    self._table.apply(operation)
            except (RowConflict, RowMissing):
                continue
            return
        raise RetryableError("Too many marks for one profile at once; it is tried again later.")


def _written(there: Row | None, row: Row, puts: list[Put]) -> Operation | None:
    if not puts:
        return Operation("delete", row, etag_of(there)) if there is not None else None
    row |= wire.packed(wire.dumps([[each.version, each.due.isoformat(), each.reason] for each in puts]))
    row["due"] = min(each.due for each in puts)
    return Operation("put", row, etag_of(there)) if there is not None else Operation("create", row)


def _puts(row: Row) -> list[Put]:
    return [
        Put(version, datetime.fromisoformat(due), reason) for version, due, reason in json.loads(wire.unpacked(row))
    ]
