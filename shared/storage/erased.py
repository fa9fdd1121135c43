"""Who was erased (R39): a row for each keyed hash, and the deployment's key, made at the first erasure."""

import secrets
from collections.abc import Iterable

from shared.errors import RetryableError
from shared.planning.erased import Erased
from shared.storage import keys, wire
from shared.storage.tables import MOST_OPERATIONS, Operation, RowConflict, Table, chunks

_KEY = ("app", keys.path("erased", "key"))


def read(table: Table, company_id: str) -> Erased:
    """Everybody who was erased in a company."""
    rows = table.range(company_id, *keys.below("erased"), select=["RowKey"])
    marks = frozenset(str(row["RowKey"]).rpartition("|")[2] for row in rows)
    return Erased(_key(table), marks) if marks else Erased()


def mark(table: Table, company_id: str, texts: Iterable[str]) -> Erased:
    """Remember these too; answers all."""
    known = Erased(_key(table))
    wanted = {known.mark(each) for each in texts if each}
    rows = [wire.row(company_id, keys.path("erased", each)) for each in sorted(wanted)]
    for batch in chunks([[Operation("put", row)] for row in rows], MOST_OPERATIONS):
        table.transact(batch)
    return read(table, company_id)


def _key(table: Table) -> bytes:
    there = table.get(*_KEY)
    if there is None:
        made = wire.row(*_KEY, secret=secrets.token_hex(32))
        try:
            table.transact([Operation("create", made)])
        except RowConflict:
            there = table.get(*_KEY)  # another instance was first
        else:
            there = made
    if there is None:
        raise RetryableError("The key of the erased persons' hashes cannot be read; it is tried again later.")
    return bytes.fromhex(str(there["secret"]))
