"""A mailbox's line of run requests (R29): plain ones merged by profile, others one by one, and the current one.

The plain request of a profile has one row, so that two submitters meet there; it is changed and taken away only as it
was read, so that a request merged at that moment is seen. Who comes first is decided by when a row was made.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from shared.engine.model import RunRequest, merged
from shared.errors import RetryableError
from shared.storage import keys, wire
from shared.storage.lease import Lease
from shared.storage.records import decoded, encoded
from shared.storage.tables import Operation, RowConflict, RowMissing, Table, etag_of
from shared.storage.wire import Row

_CURRENT = keys.path("request", "current")
_ATTEMPTS = 20


class Line:
    """The requests of one mailbox."""

    def __init__(self, table: Table, mailbox_id: str) -> None:
        self._table = table
        self._mailbox_id = keys.part(mailbox_id)

    def submit(self, request: RunRequest) -> RunRequest:
        """Put a request into the line; see Mailboxes."""
        return _until_undisturbed(lambda: self._submit(request))

    def waiting(self) -> Sequence[RunRequest]:
        """All, the current one first, then by age."""
        return [_request(row) for row in self._rows()]

    def take(self, lease: Lease, *, urgent: bool, paused: Callable[[RunRequest], bool]) -> RunRequest | None:
        """Make the first one current; see HeldMailbox."""
        return _until_undisturbed(lambda: self._take(lease, urgent, paused))

    def finish(self, request: RunRequest, lease: Lease) -> None:
        """Forget the current one, if it is this."""
        row = self._table.get(self._mailbox_id, _CURRENT)
        if row is not None and _request(row).run_id == request.run_id:
            lease.commit([Operation("delete", self._empty(_CURRENT))])

    def _submit(self, request: RunRequest) -> RunRequest:
        key = _key(request)
        there = self._table.get(self._mailbox_id, key)
        if there is None:
            row = self._row(key, request, request.requested_at)
            return replace(request, etag=self._table.apply(Operation("create", row)))
        waiting = _request(there)
        if not request.is_plain:
            return waiting  # the same request once more
        both = merged(waiting, request)
        if both == waiting:
            return waiting  # a burst of notifications costs one look each
        row = self._row(key, both, there["since"])
        return replace(both, etag=self._table.apply(Operation("put", row, etag_of(there))))

    def _take(self, lease: Lease, urgent: bool, paused: Callable[[RunRequest], bool]) -> RunRequest | None:
        all_rows = self._rows()
        rows = [row for row in all_rows if not urgent or row["RowKey"] == _CURRENT or _request(row).is_urgent]
        rows = [row for row in rows if not paused(_request(row))]
        if not rows:
            lease.keep()
            return None
        first, request = rows[0], _request(rows[0])
        taken = replace(request, attempt=request.attempt + 1)
        operations = [Operation("put", self._row(_CURRENT, taken, first["since"]))]
        if first["RowKey"] != _CURRENT:
            operations.append(Operation("delete", self._empty(str(first["RowKey"])), etag_of(first)))
            operations += [  # a paused current one goes on later, under its id
                Operation("put", self._row(_own(_request(row)), _request(row), row["since"]))
                for row in all_rows
                if row["RowKey"] == _CURRENT
            ]
        lease.commit(operations)
        return taken

    def _rows(self) -> list[Row]:
        found = self._table.range(self._mailbox_id, *keys.below("request"))
        return sorted(found, key=lambda row: (row["RowKey"] != _CURRENT, row["since"], _request(row).run_id))

    def _row(self, key: str, request: RunRequest, since: datetime) -> Row:
        return self._empty(key) | {"since": since} | encoded(replace(request, etag=""))

    def _empty(self, key: str) -> Row:
        return wire.row(self._mailbox_id, key)


def _key(request: RunRequest) -> str:
    if request.is_plain:
        return keys.path("request", "plain", request.company_id, request.profile_id)
    return _own(request)


def _request(row: Row) -> RunRequest:
    return replace(decoded(RunRequest, row), etag=etag_of(row))


def _until_undisturbed[T](attempt: Callable[[], T]) -> T:
    """Again while somebody else changes the same rows."""
    for _ in range(_ATTEMPTS):
        try:
            return attempt()
        except (RowConflict, RowMissing):
            continue
    raise RetryableError("Too many requests for one mailbox at once; it is tried again later.")


def _own(request: RunRequest) -> str:
    return keys.path("request", "own", keys.hashed(request.run_id))
