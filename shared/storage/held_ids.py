"""The contacts of a hold (R26): thousands of ids, spread over rows below one key."""

import json
from collections.abc import Iterator, Sequence

from shared.storage import keys, wire
from shared.storage.tables import Operation, Table

_IDS_PER_ROW = 500  #: Outlook's ids have about 150 characters


def read(table: Table, partition: str, key: str) -> frozenset[str]:
    """All ids below a key."""
    rows = table.range(partition, *keys.below(key))
    return frozenset(each for row in rows for each in json.loads(wire.unpacked(row)))


def replaced(table: Table, partition: str, key: str, ids: Sequence[str]) -> Iterator[list[Operation]]:
    """What makes them these and no others."""
    rows = {
        f"{key}|{start // _IDS_PER_ROW:05d}": wire.packed(wire.dumps(list(ids[start : start + _IDS_PER_ROW])))
        for start in range(0, len(ids), _IDS_PER_ROW)
    }
    there = table.range(partition, *keys.below(key), select=["PartitionKey", "RowKey"])
    over = [str(row["RowKey"]) for row in there if row["RowKey"] not in rows]
    yield from ([Operation("delete", wire.row(partition, each))] for each in over)
    yield from ([Operation("put", wire.row(partition, each) | body)] for each, body in rows.items())
