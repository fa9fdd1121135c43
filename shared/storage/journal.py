"""Port `Journal`: batches of writes in their mailbox's partition, the newest run first, several entries to a row.

    row key   RUN ID|NUMBER, further rows of the same batch RUN ID|NUMBER.PART

A run is one range of keys, a mailbox one partition.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from shared.cards.model import Origin
from shared.engine.journal import Batch
from shared.planning.journalled import Entry, Verb
from shared.planning.model import Side
from shared.storage import keys, wire
from shared.storage.retention import remove_range
from shared.storage.tables import Operation, Tables, chunks
from shared.storage.wire import Row

_MOST_CHARACTERS = 300_000  #: of one row's entries as JSON: half of what an entity holds, since they count twice


class TableJournal:
    """What was written, and what was there before."""

    def __init__(self, tables: Tables) -> None:
        self._table = tables["journal"]

    def put(self, batch: Batch, *, rows: int = 0) -> int:
        """See Journal."""
        groups = list(_groups(batch.entries))
        puts = [Operation("put", _row(batch, part, group)) for part, group in enumerate(groups)]
        gone = [Operation("delete", _empty(batch, part)) for part in range(len(groups), rows)]
        for each in chunks([[operation] for operation in (*puts, *gone)]):
            if len(each) == 1:
                self._table.apply(each[0])
            else:
                self._table.transact(each)
        return len(groups)

    def of_run(self, run_id: str) -> Iterator[Batch]:
        """See Journal."""
        mailbox_id = keys.mailbox_of(run_id)
        if mailbox_id is None:
            return iter(())
        return map(_batch, self._table.range(mailbox_id, *keys.below(run_id)))

    def of_mailbox(self, mailbox_id: str) -> Iterator[Batch]:
        """See Journal."""
        return map(_batch, self._table.range(keys.part(mailbox_id)))

    def remove_before(self, mailbox_id: str, before: datetime) -> int:
        """See Journal."""
        return remove_range(self._table, keys.part(mailbox_id), keys.before(before))


def _groups(entries: Sequence[Entry]) -> Iterator[str]:
    """Entries as JSON, as many together as fit into one row."""
    group: list[str] = []
    size = 0
    for entry in entries:
        text = wire.dumps(_as_list(entry))
        if group and size + len(text) > _MOST_CHARACTERS:
            yield _listed(group)
            group, size = [], 0
        group.append(text)
        size += len(text)
    if group:
        yield _listed(group)


def _listed(texts: Sequence[str]) -> str:
    return f"[{','.join(texts)}]"


def _row(batch: Batch, part: int, group: str) -> Row:
    facts = {"company": batch.company_id, "profile": batch.profile_id, "at": batch.at}
    return _empty(batch, part) | facts | wire.packed(group)


def _empty(batch: Batch, part: int) -> Row:
    mailbox_id = keys.mailbox_of(batch.run_id)
    if mailbox_id is None:
        raise ValueError("a run id must name its mailbox")
    number = f"{batch.number}.{part:04d}" if part else batch.number
    return wire.row(mailbox_id, keys.path(batch.run_id, number))


def _batch(row: Row) -> Batch:
    run_id, _, number = str(row["RowKey"]).partition("|")
    entries = tuple(_entry(each) for each in json.loads(wire.unpacked(row)))
    return Batch(run_id, number, str(row["company"]), str(row["profile"]), _utc(row["at"]), entries)


def _utc(value: datetime) -> datetime:
    """The SDK's datetimes are a class of its own that keeps more digits."""
    return datetime.fromtimestamp(value.timestamp(), value.tzinfo)


def _as_list(entry: Entry) -> list[object]:
    head = [entry.side.value, entry.verb.value, entry.bc_id, entry.outlook_id]
    return [*head, dict(entry.before), dict(entry.after), entry.cause, entry.by, entry.origin.value]


def _entry(body: list[object]) -> Entry:
    side, verb, bc_id, outlook_id, before, after, cause, by, origin = body
    return Entry(
        Side(side), Verb(verb), str(bc_id), str(outlook_id), before, after, str(cause), str(by), Origin(origin)  # type: ignore[arg-type]
    )  # fmt: skip
