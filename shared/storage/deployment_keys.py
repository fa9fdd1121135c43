"""Random keys of a deployment: made at first use, the same for all instances from then on."""

import secrets

from shared.errors import RetryableError
from shared.storage import wire
from shared.storage.tables import Operation, RowConflict, Table


def deployment_key(table: Table, partition: str, row_key: str) -> bytes:
    """32 random bytes, the ones that are stored there or new ones. Raises RetryableError."""
    there = table.get(partition, row_key)
    if there is None:
        made = wire.row(partition, row_key, secret=secrets.token_hex(32))
        try:
            table.transact([Operation("create", made)])
        except RowConflict:
            there = table.get(partition, row_key)  # another instance was first
        else:
            there = made
    if there is None:
        raise RetryableError("A key of the deployment cannot be read from storage; it is tried again later.")
    return bytes.fromhex(str(there["secret"]))
