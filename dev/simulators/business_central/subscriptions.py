"""Webhook subscriptions, and what waits to be told about each (6.2, 6.4, 6.5)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from dev.simulators.business_central.fields import Field, Kind, entity
from dev.simulators.business_central.resources import plain_json
from dev.simulators.business_central.stamps import stamp_text

LIFETIME = 3 * 86_400 * 1000  #: milliseconds
_NULL_UPDATE = 2_000  #: milliseconds by which an update may be younger than its row

SUBSCRIPTION = entity(
    "subscription",
    Field("subscriptionId", "id", Kind.TEXT, 150),
    Field("notificationUrl", "url", Kind.TEXT, 2048),
    Field("resource", "resource", Kind.TEXT, 2048),
    Field("userId", "user_id", Kind.GUID),
    Field("clientState", "client_state", Kind.TEXT, 2048),
    Field("expirationDateTime", "expires", Kind.DATETIME),
    Field("lastModifiedDateTime", "modified", Kind.DATETIME),
    Field("systemCreatedAt", "created", Kind.DATETIME),
    Field("systemCreatedBy", "user_id", Kind.GUID),
    Field("systemModifiedAt", "modified", Kind.DATETIME),
    Field("systemModifiedBy", "user_id", Kind.GUID),
)

shown = plain_json(SUBSCRIPTION)


@dataclass(slots=True)
class Entry:
    """One change of one contact."""

    change: str  #: created, updated, deleted
    contact: str
    at: int  #: when the trigger ran


@dataclass(slots=True)
class Subscription:
    """A subscription to the contacts of one company. Times are stamps."""

    company: str  #: its id
    client_id: str
    url: str
    resource: str  #: as it was asked for
    client_state: str
    created: int
    id: str = field(default_factory=lambda: uuid4().hex)
    modified: int = 0
    expires: int = 0
    pending: list[Entry] = field(default_factory=list)
    _latest: dict[str, Entry] = field(default_factory=dict)  #: of each contact in `pending`

    def __post_init__(self) -> None:
        """Begin to live."""
        self.renew(self.created)

    @property
    def user_id(self) -> str:
        """The BC user that the app is."""
        return str(uuid5(NAMESPACE_URL, self.client_id))

    def renew(self, now: int) -> None:
        """Live for three more days."""
        self.modified, self.expires = now, now + LIFETIME

    def note(self, change: str, contact: str, at: int) -> None:
        """Add a change to what waits; updates that follow upon an update of the same contact are one (6.5)."""
        latest = self._latest.get(contact)
        if latest is not None and latest.change == change == "updated":
            latest.at = at
            return
        entry = self._latest[contact] = Entry(change, contact, at)
        self.pending.append(entry)

    def take(self, modified: dict[str, int]) -> list[Entry]:
        """Return what waits, in order of time and without null updates; nothing waits then.

        `modified`: when the contacts that still exist were modified last.
        """
        taken, self.pending, self._latest = self.pending, [], {}
        taken.sort(key=lambda entry: entry.at)
        return [
            entry
            for entry in taken
            if entry.change != "updated" or modified.get(entry.contact, entry.at) >= entry.at - _NULL_UPDATE
        ]


class Subscriptions:
    """All subscriptions of the environment that have not expired."""

    def __init__(self) -> None:
        """Start without any."""
        self._by_id: dict[str, Subscription] = {}

    def living(self, now: int) -> Iterator[Subscription]:
        """Yield those that have not expired, oldest first."""
        for one in list(self._by_id.values()):
            if one.expires > now:
                yield one
            else:
                del self._by_id[one.id]

    def get(self, id: str, now: int) -> Subscription | None:  # noqa: A002 - the field's name
        """Return the subscription with this id, in any case."""
        return next((one for one in self.living(now) if one.id == id.lower()), None)

    def add(self, one: Subscription) -> None:
        """Add one."""
        self._by_id[one.id] = one

    def remove(self, one: Subscription) -> None:
        """Remove one; it may be gone already."""
        self._by_id.pop(one.id, None)

    def clear(self) -> None:
        """Remove all."""
        self._by_id.clear()


def notifications(
    one: Subscription, entries: list[Entry], resource: str, maximum: int, *, with_filter: bool
) -> list[dict[str, Any]]:
    """Return the notifications for `entries`: one each, or a single collection when there are more than `maximum`.

    `with_filter`: the collection's resource says since when; a deletion among the entries rules that out (6.5).
    """
    if len(entries) <= maximum:
        return [_item(one, f"{resource}({entry.contact.lower()})", entry.change, entry.at) for entry in entries]
    if with_filter and not any(entry.change == "deleted" for entry in entries):
        since = stamp_text(entries[0].at - 50)
        if "." not in since:
            since = since.replace("Z", ".000Z")
        resource = f"{resource}?$filter=lastModifiedDateTime%20gt%20{since}"
    return [_item(one, resource, "collection", entries[-1].at)]


def _item(one: Subscription, resource: str, change: str, at: int) -> dict[str, Any]:
    return {
        "subscriptionId": one.id,
        "clientState": one.client_state,
        "expirationDateTime": stamp_text(one.expires),
        "resource": resource,
        "changeType": change,
        "lastModifiedDateTime": stamp_text(at),
    }
