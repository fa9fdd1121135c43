"""Claims of e-mail keys (R9): one row per key, made by whoever comes first, free again when it ends."""

from collections.abc import Sequence
from datetime import datetime

from shared.storage import keys, wire
from shared.storage.tables import MOST_OPERATIONS, Operation, RowConflict, RowMissing, Table, etag_of
from shared.storage.wire import Row

_ATTEMPTS = 5


def claim(
    table: Table, company_id: str, email_keys: Sequence[str], owner: str, until: datetime, now: datetime
) -> frozenset[str]:
    """The keys that this owner has now."""
    wanted = list(dict.fromkeys(email_keys))
    mine: set[str] = set()
    for start in range(0, len(wanted), MOST_OPERATIONS):
        some = wanted[start : start + MOST_OPERATIONS]
        try:  # as a rule nobody else wants the same: one request
            table.transact([Operation("create", _row(company_id, each, owner, until)) for each in some])
            mine.update(some)
        except RowConflict:
            mine.update(each for each in some if _claim_one(table, _row(company_id, each, owner, until), now))
    return frozenset(mine)


def release(table: Table, company_id: str, email_keys: Sequence[str], owner: str) -> None:
    """Give up those of the keys that this owner has."""
    found = table.get_many(company_id, (_key(each) for each in email_keys))
    for row in found.values():
        if row["owner"] == owner:
            try:
                table.apply(Operation("delete", row, etag_of(row)))
            except (RowConflict, RowMissing):
                continue  # it had ended and somebody else has it


def forget(table: Table, company_id: str, email_keys: Sequence[str]) -> None:
    """Remove the rows of these keys, whoever made them."""
    for row in table.get_many(company_id, (_key(each) for each in email_keys)).values():
        table.apply(Operation("delete", row))


def _claim_one(table: Table, row: Row, now: datetime) -> bool:
    for _ in range(_ATTEMPTS):
        there = table.get(row["PartitionKey"], row["RowKey"])
        if there is not None and there["owner"] != row["owner"] and there["until"] > now:
            return False
        try:
            table.apply(Operation("create", row) if there is None else Operation("put", row, etag_of(there)))
        except (RowConflict, RowMissing):
            continue
        return True
    return False


def _row(company_id: str, email_key: str, owner: str, until: datetime) -> Row:
    return wire.row(company_id, _key(email_key), owner=owner, until=until)


def _key(email_key: str) -> str:
    return keys.path("claim", keys.hashed(email_key))
