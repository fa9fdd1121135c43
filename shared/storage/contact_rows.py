"""Contacts of the snapshot, entries of the change log and the feed's state as rows of their company. Pure.

A contact is stored as the values of its API fields; its card is derived again when it is read.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from sys import intern

from shared.cards.business_central import contact_from_values, digest
from shared.cards.model import BcContact
from shared.engine.company_state import FeedState, LogEntry
from shared.storage import keys, wire
from shared.storage.records import decoded, encoded
from shared.storage.tables import Operation
from shared.storage.wire import Row

STATE = keys.path("state")
PENDING = keys.path("state", "pending")  #: what the state becomes once the log is applied everywhere
_SHARED = frozenset({"type", "country", "state", "city", "postalCode", "jobTitle", "companyNumber", "companyName"})
WRITES = keys.path("state", "writes")  #: what `stop_writes` says; in a row of its own, it is written without the lease


def put_contact(company_id: str, contact: BcContact) -> Operation:
    """Write a contact into the snapshot."""
    row = wire.row(company_id, keys.path("contact", contact.id))
    return Operation("put", row | wire.packed(wire.dumps(_as_list(contact))))


def drop_contact(company_id: str, bc_id: str) -> Operation:
    """Remove a contact from the snapshot."""
    return Operation("delete", wire.row(company_id, keys.path("contact", bc_id)))


def contact_of(row: Row) -> BcContact:
    """The contact that a row of the snapshot holds."""
    return _from_list(json.loads(wire.unpacked(row)))


def digest_of(row: Row) -> tuple[str, int]:
    """The id in a row of the snapshot, and the digest of its values."""
    bc_id, _, _, values = json.loads(wire.unpacked(row))
    return str(bc_id), digest(values)


def put_log(company_id: str, entry: LogEntry) -> Operation:
    """Write a change log entry."""
    row = wire.row(company_id, keys.log(entry.sequence))
    after, before = (None if each is None else _as_list(each) for each in (entry.after, entry.before))
    body = [entry.bc_id, after, before, entry.by]
    return Operation("put", row | wire.packed(wire.dumps(body)))


def log_entry_of(row: Row) -> LogEntry:
    """The change log entry that a row holds."""
    bc_id, after, before, by = [*json.loads(wire.unpacked(row)), None, ""][:4]
    after, before = (None if each is None else _from_list(each) for each in (after, before))
    return LogEntry(keys.sequence_of(str(row["RowKey"])), bc_id, after, before, by)


def put_state(company_id: str, state: FeedState, key: str = STATE) -> Operation:
    """Write the feed's state, or under `PENDING` what it is to become."""
    return Operation("put", wire.row(company_id, key) | encoded(state))


def state_of(rows: Sequence[Row]) -> FeedState:
    """The feed's state of the rows `state` and `state|writes`."""
    found = {str(row["RowKey"]): row for row in rows}
    state = decoded(FeedState, found[STATE]) if STATE in found else FeedState()
    writes = found.get(WRITES, {})
    return replace(state, writes_stopped_until=writes.get("until"), writes_stopped_reason=str(writes.get("reason", "")))


def pending_of(row: Row | None) -> FeedState | None:
    """The state that an unfinished commit leads to."""
    return None if row is None else decoded(FeedState, row)


def _as_list(contact: BcContact) -> list[object]:
    return [contact.id, contact.etag, contact.modified, dict(contact.values)]


def _from_list(body: list[object]) -> BcContact:
    bc_id, etag, modified, values = body
    assert isinstance(values, dict)  # noqa: S101 - as `_as_list` wrote it
    # each row is a text of its own: it would have copies of its own of all names, and of what many contacts share
    named = {intern(name): intern(value) if name in _SHARED else value for name, value in values.items()}
    if named.get("id") == bc_id:
        named |= {"id": bc_id}
    if named.get("lastModifiedDateTime") == modified:
        named |= {"lastModifiedDateTime": modified}
    return contact_from_values(str(bc_id), str(etag), str(modified), named)
