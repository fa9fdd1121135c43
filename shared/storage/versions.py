"""Rows that people change: saved only as they were read, so that nobody overwrites what he has not seen."""

from shared.errors import RequestError
from shared.storage.tables import Operation, RowConflict, RowMissing, Table
from shared.storage.wire import Row


def save(table: Table, row: Row, etag: str) -> str:
    """Create the row, or replace the version that `etag` names; answers the new one.

    Raises RequestError `changed-meanwhile` when it exists already or is another version by now.
    """
    try:
        return table.apply(Operation("put", row, etag) if etag else Operation("create", row))
    except (RowConflict, RowMissing) as error:
        raise RequestError(
            "It was changed meanwhile: read it again, then send the change once more.",
            code="changed-meanwhile",
            status=409,
        ) from error
