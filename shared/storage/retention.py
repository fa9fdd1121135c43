"""Port `Retention`: what goes by age, found by ranges of keys; a row that somebody wrote meanwhile stays.

The progress lies in a partition of its own in the table of companies, a company's ages with the company.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import chain, islice

from shared.engine.retention_state import LogAges, Progress
from shared.storage import keys, wire
from shared.storage.records import decoded, encoded
from shared.storage.tables import Operation, RowConflict, RowMissing, Table, Tables, chunks, etag_of
from shared.storage.wire import Row

MOST_REMOVED = 400  #: rows at one time
_PROGRESS = ("app", "retention")
_AGES = "log-ages"
KEYS = ("PartitionKey", "RowKey")  #: of a row that is only to be removed


class TableRetention:
    """What is removed by age."""

    def __init__(self, tables: Tables) -> None:
        self._companies = tables["companies"]
        self._by_mailbox = (tables["reports"], tables["journal"])

    def progress(self) -> Progress:
        """See Retention."""
        row = self._companies.get(*_PROGRESS)
        return Progress() if row is None else decoded(Progress, row)

    def save_progress(self, progress: Progress) -> None:
        """See Retention."""
        self._companies.apply(Operation("put", wire.row(*_PROGRESS) | encoded(progress)))

    def companies(self) -> Sequence[str]:
        """See Retention."""
        return [each for each in self._companies.partitions() if each != _PROGRESS[0]]

    def log_ages(self, company_id: str) -> LogAges:
        """See Retention."""
        row = self._companies.get(keys.part(company_id), _AGES)
        return LogAges() if row is None else decoded(LogAges, row)

    def save_log_ages(self, company_id: str, ages: LogAges) -> None:
        """See Retention."""
        self._companies.apply(Operation("put", wire.row(keys.part(company_id), _AGES) | encoded(ages)))

    def remove_log(self, company_id: str, up_to: int) -> int:
        """See Retention."""
        return remove_range(self._companies, keys.part(company_id), keys.log(0), keys.log(up_to + 1))

    def remove_claims(self, company_id: str, ended_before: datetime) -> int:
        """See Retention."""
        low, high = keys.below("claim")
        over = self._companies.range(keys.part(company_id), low, high, where="until lt @ended", ended=ended_before)
        return self._remove_unchanged(over)

    def remove_outside(self, company_id: str, known: Collection[str]) -> int:
        """See Retention."""
        index = self._companies.range(keys.part(company_id), *keys.below("outside"))
        return self._remove_unchanged(row for row in index if str(row["RowKey"]).rpartition("|")[2] not in known)

    def mailboxes(self, after: str, most: int) -> Sequence[str]:
        """See Retention."""
        first_of_each = (islice(table.partitions(after), most) for table in self._by_mailbox)
        return sorted(set(chain.from_iterable(first_of_each)))[:most]

    def _remove_unchanged(self, rows: Iterable[Row]) -> int:
        removed = 0
        for row in islice(rows, MOST_REMOVED):
            try:
                self._companies.apply(Operation("delete", row, etag_of(row)))
            except (RowConflict, RowMissing):
                continue
            removed += 1
        return removed


def remove_range(table: Table, partition: str, low: str, high: str = "") -> int:
    """Remove rows whose keys lie between these, some hundred at most; answers how many there were."""
    return remove_rows(table, table.range(partition, low, high, select=KEYS), MOST_REMOVED)


def remove_rows(table: Table, rows: Iterable[Row], most: int) -> int:
    """Remove so many rows of one partition; answers how many there were. Their keys suffice."""
    units = [[Operation("delete", row)] for row in islice(rows, most)]
    for batch in chunks(units):
        try:
            table.transact(batch)
        except RowMissing:
            break  # another worker removes them at this moment; what is left is found again
    return len(units)
