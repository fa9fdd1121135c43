"""From changes in mailboxes to POSTs at the endpoints of subscribers (reference 9.4, 9.6)."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dev.simulators.graph.endpoints import WINDOW, Endpoints
from dev.simulators.graph.mailbox import Contact, Event
from dev.simulators.graph.subscriptions import Subscription, Subscriptions
from dev.simulators.graph.switches import Switches
from dev.simulators.outgoing import spread
from dev.simulators.world import TENANT, World

LIFECYCLE_EVENTS = ("reauthorizationRequired", "subscriptionRemoved", "missed")
_HEADERS = {"Content-Type": "application/json"}


@dataclass(slots=True)
class _Item:
    """One notification on its way."""

    kind: str  #: notify or lifecycle
    url: str
    subscription: str
    body: dict[str, Any]
    due: float  #: simulated seconds since 1970


class Notifications:
    """Tells subscribers what happens to contacts."""

    def __init__(self, world: World, switches: Switches) -> None:
        """Start without subscriptions."""
        self._world = world
        self._switches = switches
        self._waiting: dict[int, _Item] = {}
        self._items = 0
        self.subscriptions = Subscriptions(world.clock)
        self.endpoints = Endpoints(world.clock, switches)

    def reset(self) -> None:
        """Forget subscriptions, and what is on its way."""
        self._world.outgoing.cancel("graph")
        self._world.outgoing.forget("graph")
        self.subscriptions.clear()
        self.endpoints.clear()
        self._waiting.clear()

    # What happens

    def hear(self, event: Event) -> None:
        """Tell those who subscribed to what happened."""
        for one in self.subscriptions.of(event.mailbox.user_id):
            if event.kind.startswith("folder-"):
                self._folder_went(one, event)
                continue
            change, ids = _change(one, event, self._switches)
            if change in one.changes and event.contact is not None:
                self._notify(one, change, ids[one.immutable], event.contact)

    def authorize(self, one: Subscription) -> None:
        """Go on delivering; what was held back goes out now."""
        one.authorized = True
        oldest = self._world.clock.timestamp() - self._switches.notify_retry_for
        held, one.held = one.held, []
        for moment, body in held:
            if moment >= oldest:
                self._enqueue(one, body)

    def lifecycle(self, one: Subscription, event: str) -> None:
        """Send a lifecycle notification; raises ValueError when there is nobody to tell."""
        if event not in LIFECYCLE_EVENTS:
            raise ValueError(f"no lifecycle event {event!r}; there are {LIFECYCLE_EVENTS}")
        if one.lifecycle_url is None:
            raise ValueError("the subscription has no lifecycleNotificationUrl")
        body = {
            "subscriptionId": one.id,
            "subscriptionExpirationDateTime": one.expires_text,
            "tenantId": TENANT,
            "clientState": one.client_state,
            "lifecycleEvent": event,
        }
        self._launch(_Item("lifecycle", one.lifecycle_url, "", body, self._world.clock.timestamp()))

    def remove(self, one: Subscription, *, tells: bool) -> None:
        """Take a subscription away, as the service may do."""
        if tells:
            self.lifecycle(one, "subscriptionRemoved")
        self.subscriptions.remove(one.id)

    def burst(self, one: Subscription, count: int, seconds: float, together: bool) -> None:
        """Send made-up notifications: one POST each, spread over real seconds, or all in one."""
        bodies = [self._body(one, "updated", f"burst-{secrets.token_urlsafe(24)}", None) for _ in range(count)]
        self._world.outgoing.spawn("graph", self._spread(one, bodies, seconds, together))

    def _folder_went(self, one: Subscription, event: Event) -> None:
        if event.folder != one.folder and one.folder is not None:
            return
        how = self._switches.notify_folder_deletion
        if how == "items" and "deleted" in one.changes:
            for contact in event.mailbox.contacts(event.folder):
                self._notify(one, "deleted", contact.immutable_id if one.immutable else contact.default_id, contact)
        if how == "removed" and one.folder is not None:
            self.remove(one, tells=one.lifecycle_url is not None)

    def _notify(self, one: Subscription, change: str, contact_id: str, contact: Contact) -> None:
        if self._happens(self._switches.notify_loss):
            return
        body = self._body(one, change, contact_id, contact)
        if not one.authorized:
            if self._switches.notify_while_unauthorized == "held":
                one.held.append((self._world.clock.timestamp(), body))
            return
        self._enqueue(one, body)
        if self._happens(self._switches.notify_duplicates):
            self._enqueue(one, body)

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._world.random.random() < probability

    def _body(self, one: Subscription, change: str, contact_id: str, contact: Contact | None) -> dict[str, Any]:
        form = self._switches.notify_resource_form
        if form == "mixed":
            form = self._world.random.choice(("segments", "keys"))
        resource = (
            f"Users/{one.user_id}/Contacts/{contact_id}"
            if form == "segments"
            else f"users('{one.user_id}')/contacts('{contact_id}')"
        )
        data: dict[str, Any] = {"@odata.type": "#Microsoft.Graph.Contact", "@odata.id": resource}
        if contact is not None and (change != "deleted" or self._switches.notify_deleted_data == "full"):
            data["@odata.etag"] = f'W/"{contact.change_key}"'
        return {
            "id": secrets.token_urlsafe(9),
            "subscriptionId": one.id,
            "subscriptionExpirationDateTime": one.expires.isoformat(),
            "clientState": one.client_state,
            "changeType": change,
            "resource": resource,
            "resourceData": {**data, "id": contact_id},
            "tenantId": TENANT,
        }

    # On the way

    def _enqueue(self, one: Subscription, body: dict[str, Any]) -> None:
        due = self._world.clock.timestamp() + self._switches.notify_delay
        match self.endpoints.state(one.notification_url):
            case "drop":
                return
            case "slow":
                due += WINDOW
        self._launch(_Item("notify", one.notification_url, one.id, body, due))

    def _launch(self, item: _Item) -> None:
        self._items += 1
        self._waiting[self._items] = item
        self._world.outgoing.spawn("graph", self._when_due(self._items, item))

    async def _when_due(self, number: int, item: _Item) -> None:
        """Send an item when its time has come, with all others for the same address whose time has come too."""
        await self._world.outgoing.until(item.due)
        if number not in self._waiting:
            return  # another took it along
        now = self._world.clock.timestamp()
        numbers = [
            key for key, one in self._waiting.items() if (one.kind, one.url) == (item.kind, item.url) and one.due <= now
        ]
        along = [self._waiting.pop(key) for key in numbers]
        if self._switches.notify_shuffle:
            self._world.random.shuffle(along)
        await self._deliver(item.kind, item.url, along)

    async def _deliver(self, kind: str, url: str, items: list[_Item]) -> None:
        """POST until the endpoint accepts, or the time for retries is over."""
        started, wait, attempt = self._world.clock.timestamp(), self._switches.notify_retry_first, 1
        while bodies := [item.body for item in self._wanted(items)]:
            if await self._post(kind, url, bodies, attempt):
                return
            next_at = self._world.clock.timestamp() + wait
            if next_at >= started + self._switches.notify_retry_for:
                return
            await self._world.outgoing.until(next_at)
            wait, attempt = max(wait * 2, 1.0), attempt + 1

    def _wanted(self, items: list[_Item]) -> Iterator[_Item]:
        """Yield those whose subscription still exists, and lifecycle notifications, which may outlive it."""
        for item in items:
            if not item.subscription or self.subscriptions.get(item.subscription) is not None:
                yield item

    async def _post(self, kind: str, url: str, bodies: list[dict[str, Any]], attempt: int) -> bool:
        got = await self._world.outgoing.send(
            "graph",
            kind,
            url,
            json.dumps({"value": bodies}, ensure_ascii=False).encode(),
            headers=_HEADERS,
            timeout=self._switches.notify_timeout if attempt == 1 else self._switches.notify_retry_timeout,
            attempt=attempt,
            items=len(bodies),
        )
        self.endpoints.answered(url, got.seconds)
        return 200 <= got.status < 300

    async def _spread(self, one: Subscription, bodies: list[dict[str, Any]], seconds: float, together: bool) -> None:
        url, now = one.notification_url, self._world.clock.timestamp()
        items = [_Item("notify", url, one.id, body, now) for body in bodies]
        if together:
            await self._deliver("notify", url, items)
            return
        async for item in spread(items, seconds):
            self._world.outgoing.spawn("graph", self._deliver("notify", url, [item]))


def _change(one: Subscription, event: Event, switches: Switches) -> tuple[str, tuple[str, str]]:
    """Return the change type that an event is for a subscription, and the contact's ids; "" for none."""
    mailbox, contact = event.mailbox, event.contact
    if contact is None:
        return "", event.ids
    was, now = (
        place == one.folder if one.folder else not mailbox.is_deleted(place) for place in (event.folder, contact.folder)
    )
    after = (contact.default_id, contact.immutable_id)
    match event.kind:
        case "created" | "updated" if was:
            return event.kind, after
        case "purged" if was:
            return "deleted", event.ids
        case "deleted" if was:
            return switches.notify_removal, event.ids
        case "moved" if was and now:
            return "updated" if one.folder else switches.notify_move, after
        case "moved" if now:
            return switches.notify_move if one.folder else "created", after  # back from Deleted Items
        case "moved" if was:
            return switches.notify_removal, event.ids
    return "", event.ids
