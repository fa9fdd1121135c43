"""Links and parked contacts as rows of their mailbox, each with its index rows. Pure.

A link has a row under its BC id and an index row under the hash of its Outlook id; a parked contact has a row under the
hash of its Outlook id and an index row for each of its e-mail keys. Index rows may be left over from an earlier state:
whoever reads one compares it with the row that it points to.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.cards.model import Card, Field, Origin
from shared.cards.sharing import card_like
from shared.planning.model import Link, Parked, Pause, Side, Swing
from shared.storage import keys, wire
from shared.storage.tables import Operation
from shared.storage.wire import Row


@dataclass(frozen=True, slots=True)
class Place:
    """Where a profile's rows lie."""

    partition: str
    prefix: str  #: COMPANY|PROFILE

    def key(self, *parts: str) -> str:
        """A row key of the profile."""
        return f"{self.prefix}|{keys.path(*parts)}"

    def kind(self, kind: str) -> tuple[str, str]:
        """The range of all rows of one kind."""
        return keys.below(f"{self.prefix}|{kind}")

    def row(self, *parts: str) -> Row:
        """An empty row."""
        return wire.row(self.partition, self.key(*parts))

    def link(self, bc_id: str) -> str:
        """Key of a link."""
        return self.key("link", bc_id)

    def outlook(self, outlook_id: str) -> str:
        """Key of the index row of an Outlook id."""
        return self.key("outlook", keys.hashed(outlook_id))

    def parked(self, outlook_id: str) -> str:
        """Key of a parked contact."""
        return self.key("parked", keys.hashed(outlook_id))


def put_link(place: Place, link: Link, outlook_id_before: str | None) -> list[Operation]:
    """Write a link; its former index row goes if it had another Outlook contact."""
    row = place.row("link", link.bc_id) | wire.packed(wire.dumps(_as_list(link)))
    index = place.row("outlook", keys.hashed(link.outlook_id)) | {"bc": link.bc_id}
    operations = [Operation("put", row), Operation("put", index)]
    if outlook_id_before and outlook_id_before != link.outlook_id:
        operations.append(Operation("delete", place.row("outlook", keys.hashed(outlook_id_before))))
    return operations


def drop_link(place: Place, link: Link) -> list[Operation]:
    """Remove a link with its index row."""
    return [
        Operation("delete", place.row("link", link.bc_id)),
        Operation("delete", place.row("outlook", keys.hashed(link.outlook_id))),
    ]


def link_of(row: Row) -> Link:
    """The link that a row holds."""
    outlook_id, bc, outlook, origin, left, stamped, *more = json.loads(wire.unpacked(row))
    bc_id = str(row["RowKey"]).rpartition("|")[2]
    base_bc = Card(*bc)
    different = frozenset(Field(each) for each in left)
    swings, paused = more or ((), ())
    return Link(
        bc_id,
        outlook_id,
        base_bc,
        card_like(Card(*outlook), base_bc),
        Origin(origin),
        different,
        stamped,
        tuple(map(_swing_of, swings)),
        tuple(Pause(Field(which), (one, other)) for which, one, other in paused),
    )


def put_parked(place: Place, parked: Parked) -> list[Operation]:
    """Write a parked contact with an index row for each of its e-mail keys."""
    body = [parked.outlook_id, parked.reason, list(parked.email_keys), parked.bc_id, parked.was]
    row = place.row("parked", keys.hashed(parked.outlook_id)) | wire.packed(wire.dumps(body))
    return [Operation("put", row), *(Operation("put", each) for each in _mail_rows(place, parked))]


def drop_parked(place: Place, parked: Parked) -> list[Operation]:
    """Remove a parked contact with its index rows."""
    row = place.row("parked", keys.hashed(parked.outlook_id))
    return [Operation("delete", row), *(Operation("delete", each) for each in _mail_rows(place, parked))]


def parked_of(row: Row) -> Parked:
    """The parked contact that a row holds."""
    outlook_id, reason, email_keys, bc_id, was = [*json.loads(wire.unpacked(row)), ""][:5]
    return Parked(outlook_id, reason, tuple(email_keys), bc_id, was)


def _mail_rows(place: Place, parked: Parked) -> Iterator[Row]:
    for each in dict.fromkeys(parked.keys):
        yield place.row("mail", keys.hashed(each), keys.hashed(parked.outlook_id))


def _as_list(link: Link) -> list[object]:
    left = sorted(each.value for each in link.left)
    bases = _trimmed(link.base_bc), _trimmed(link.base_outlook)
    body: list[object] = [link.outlook_id, *bases, link.origin.value, left, link.stamped]
    if link.swings or link.paused:  # few links, and not for long (R38)
        body += [
            [_swing_list(each) for each in link.swings],
            [[each.field.value, *each.values] for each in link.paused],
        ]
    return body


def _swing_list(swing: Swing) -> list[object]:
    times = [each.isoformat() for each in swing.times]
    return [swing.field.value, swing.side.value, swing.before, swing.at.isoformat() if swing.at else "", times]


def _swing_of(body: list[Any]) -> Swing:
    which, side, before, at, times = body
    moments = tuple(datetime.fromisoformat(each) for each in times)
    return Swing(Field(which), Side(side), before, datetime.fromisoformat(at) if at else None, moments)


def _trimmed(card: Card) -> list[str]:
    """Without the blanks at the end, which `Card` fills in again."""
    values = list(card)
    while values and not values[-1]:
        values.pop()
    return values
