"""A lease in a row, and everything that is written under it (platform reference 5.3).

The row lies in the partition of what it guards. Every write is a transaction that begins with a conditional merge of
the lease row: it renews the lease and fences, so that a worker whose lease was taken over is refused whole. Writes and
the renewal in the background share a lock, since each of them changes the row's ETag.
"""

import logging
import math
import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from shared.engine.state import Busy
from shared.errors import LeaseLost, RetryableError
from shared.logs import log_event
from shared.storage import wire
from shared.storage.tables import Operation, RowConflict, RowMissing, Table, etag_of
from shared.storage.wire import Row

logger = logging.getLogger(__name__)

SECONDS = 60.0
KEY = "lease"
_FREE = datetime(2000, 1, 1, tzinfo=UTC)
_ATTEMPTS = 5


def acquire(
    table: Table, partition: str, owner: str, *, now: Callable[[], datetime], seconds: float = SECONDS
) -> "Lease | Busy":
    """Take the lease of a partition, or say how long it lasts. `now` must be the same clock for all instances."""
    token = uuid.uuid4().hex  # tells our own write again when its answer was lost
    busy = seconds
    for _ in range(_ATTEMPTS):
        found = table.get(partition, KEY)
        if found is not None and found["token"] == token:
            return _started(Lease(table, found, now, seconds))
        if found is not None and (left := (found["until"] - now()).total_seconds()) > 0:
            return Busy(min(left, seconds))
        epoch = 1 if found is None else int(found["epoch"]) + 1
        until = now() + timedelta(seconds=seconds)
        used = {"used": found["used"]} if found is not None and "used" in found else {}
        row = wire.row(partition, KEY, owner=owner, token=token, epoch=epoch, beat=0, until=until, **used)
        operation = Operation("create", row) if found is None else Operation("put", row, etag_of(found))
        try:
            etag = table.apply(operation)
        except (RowConflict, RowMissing):
            busy = seconds  # lost a race, or our own first attempt went through: look again
            continue
        return _started(Lease(table, row, now, seconds, etag))
    return Busy(busy)


def _started(lease: "Lease") -> "Lease":
    lease.start()
    return lease


class Lease:
    """A lease that this process holds, renewed in the background until `release`, `stop` or loss."""

    def __init__(
        self, table: Table, row: Row, now: Callable[[], datetime], seconds: float, etag: str | None = None
    ) -> None:
        self.epoch = int(row["epoch"])
        self._table = table
        self._partition = str(row["PartitionKey"])
        self._token = str(row["token"])
        self._beat = int(row["beat"])
        self._until: datetime = row["until"]
        self._etag = etag_of(row) if etag is None else etag
        self._now = now
        self._seconds = seconds
        self._used: datetime | None = row.get("used")
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._lost = False

    def start(self) -> None:
        """Begin to renew in the background."""
        threading.Thread(target=self._renew_for_ever, name="lease", daemon=True).start()

    def keep(self) -> None:
        """Raises LeaseLost when the lease is gone. Costs a request only when it was not renewed in time."""
        if self._lost:
            raise _lost()
        if self._now() >= self._until - timedelta(seconds=self._seconds / 6):
            self.renew()

    @property
    def rested(self) -> float:
        """Seconds since what the lease is for last began, under this or a former holder; infinite for never."""
        return (self._now() - self._used).total_seconds() if self._used is not None else math.inf

    def use(self) -> None:
        """What the lease is for begins now; the next write stores it for later holders."""
        self._used = self._now()

    def renew(self) -> None:
        """Make the lease last its full time again. Raises LeaseLost, or RetryableError while it may still be ours."""
        self.commit([])

    def commit(self, operations: Sequence[Operation]) -> None:
        """Write up to 99 rows of the partition, all or none, if the lease is still ours.

        Deletes of rows that are not there are left out. Raises LeaseLost, or RowConflict for one of the operations.
        """
        with self._lock:
            left = list(operations)
            for _ in range(_ATTEMPTS):
                if self._lost or self._over.is_set():
                    raise _lost()
                try:
                    self._attempt(left)
                except RowMissing as missing:
                    before, left = left, self._without_missing(left)
                    if len(left) == len(before):  # then it is the lease row that is not there
                        raise self._end() from missing
                except _Again:
                    continue
                else:
                    return
            raise RetryableError("The storage account does not take a write; it is tried again later.")

    def release(self) -> None:
        """Give the lease back, if it is still ours."""
        with self._lock:
            self._over.set()
            if self._lost:
                return
            row = wire.row(self._partition, KEY, until=_FREE, token="")
            try:
                self._table.apply(Operation("merge", row, self._etag))
            except (RowConflict, RowMissing):
                if self._reread() is not None:
                    self._table.apply(Operation("merge", row, self._etag))

    def stop(self) -> None:
        """Renew no more, as if this worker had died."""
        self._over.set()

    def _attempt(self, operations: Sequence[Operation]) -> None:
        self._beat += 1  # at every attempt, so that each can be told from the one before
        until, beat = self._now() + timedelta(seconds=self._seconds), self._beat
        used = {"used": self._used} if self._used is not None else {}
        fence = Operation("merge", wire.row(self._partition, KEY, until=until, beat=beat, **used), self._etag)
        try:
            if operations:
                self._etag = self._table.transact([fence, *operations])[0]
            else:
                self._etag = self._table.apply(fence)
        except RowConflict as conflict:
            if conflict.index > 0:
                conflict.index -= 1
                raise
            self._settle(beat)
        except RetryableError:
            # The answer was lost: it may have happened. If this cannot be found out either, the caller sees this error
            # and the next write finds it out.
            self._settle(beat)
        else:
            self._until = until

    def _settle(self, beat: int) -> None:
        """After a conflict or a lost answer: fine when our write was stored, `_Again` when not, else LeaseLost."""
        stored = self._reread()
        if stored is None:
            raise self._end()
        if stored != beat:
            raise _Again

    def _reread(self) -> int | None:
        """Which of our attempts is stored, None when the row is no longer ours."""
        found = self._table.get(self._partition, KEY)
        if found is None or found["token"] != self._token:
            return None
        self._etag, self._until = etag_of(found), found["until"]
        return int(found["beat"])

    def _without_missing(self, operations: Sequence[Operation]) -> list[Operation]:
        """A repeated commit meets deletes that happened already; one of them makes Azure refuse the transaction."""
        deletes = [each.key for each in operations if each.kind == "delete"]
        there = self._table.get_many(self._partition, deletes)
        return [each for each in operations if each.kind != "delete" or each.key in there]

    def _end(self) -> LeaseLost:
        self._lost = True
        self._over.set()
        return _lost()

    def _renew_for_ever(self) -> None:
        pause = self._seconds / 3
        while not self._over.wait(pause):
            pause = self._seconds / 3
            try:
                self.renew()
            except LeaseLost:
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the lease must go on or end by itself
                log_event(logger, "lease_not_renewed", level=logging.WARNING, error=type(error).__name__)
                pause = self._seconds / 12


class _Again(Exception):
    """The write did not happen, the lease is still ours."""


def _lost() -> LeaseLost:
    return LeaseLost("another worker holds the lease")
