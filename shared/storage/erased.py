"""Who was erased (R39): a row for each keyed hash, and the deployment's key, made at the first erasure."""

from collections.abc import Iterable

from shared.planning.erased import Erased
from shared.storage import keys, wire
from shared.storage.deployment_keys import deployment_key
from shared.storage.tables import MOST_OPERATIONS, Operation, Table, chunks

_KEY = ("app", keys.path("erased", "key"))


def read(table: Table, company_id: str) -> Erased:
    """Everybody who was erased in a company."""
    rows = table.range(company_id, *keys.below("erased"), select=["RowKey"])
    marks = frozenset(str(row["RowKey"]).rpartition("|")[2] for row in rows)
    return Erased(deployment_key(table, *_KEY), marks) if marks else Erased()


def mark(table: Table, company_id: str, texts: Iterable[str]) -> Erased:
    """Remember these too; answers all."""
    known = Erased(deployment_key(table, *_KEY))
    wanted = {known.mark(each) for each in texts if each}
    rows = [wire.row(company_id, keys.path("erased", each)) for each in sorted(wanted)]
    for batch in chunks([[Operation("put", row)] for row in rows], MOST_OPERATIONS):
        table.transact(batch)
    return read(table, company_id)
