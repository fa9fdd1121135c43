"""From commits to POSTs at the addresses of subscribers (6.5)."""

import json
import uuid
from collections.abc import Iterable
from typing import Any

from dev.simulators.business_central.company import Company
from dev.simulators.business_central.environment import Environment
from dev.simulators.business_central.subscriptions import Entry, Subscription, Subscriptions, notifications
from dev.simulators.outgoing import spread
from dev.simulators.world import World

_WAITS = (60.0, 60.0, 600.0, 6_000.0, 60_000.0)  #: simulated seconds after each failed attempt but the last


class Webhooks:
    """Tells subscribers which contacts have changed."""

    def __init__(self, world: World, environment: Environment) -> None:
        """Hear of the commits in `environment`."""
        self._world = world
        self._environment = environment
        self._scheduled: set[tuple[str, str]] = set()  #: companies and addresses with a job that waits
        self.subscriptions = Subscriptions()
        environment.tell = self.hear

    def reset(self) -> None:
        """Forget subscriptions, what waits, and what was sent."""
        self.clear()
        self._world.outgoing.forget("bc")

    def clear(self) -> None:
        """Forget subscriptions and what waits, as copying and restoring an environment do."""
        self._world.outgoing.cancel("bc")
        self.subscriptions.clear()
        self._scheduled.clear()

    def hear(self, company: Company, changes: Iterable[tuple[str, str]]) -> None:
        """Let changes (change, contact) of a commit wait, and a job be scheduled that tells them."""
        now = self._environment.now()
        concerned = [one for one in self.subscriptions.living(now) if one.company == company.id]
        if not concerned:
            return
        loss = self._environment.switches.notification_loss
        for change, contact in changes:
            if loss and self._world.random.random() < loss:
                continue
            for one in concerned:
                one.note(change, contact, now)
        for url in {one.url for one in concerned if one.pending}:
            self._schedule(company.id, url)

    def burst(self, one: Subscription, count: int, seconds: float, together: bool) -> None:
        """Send made-up updates: one POST each, spread over real seconds, or all in one."""
        now = self._environment.now()
        entries = [Entry("updated", str(uuid.uuid4()), now) for _ in range(count)]
        items = notifications(one, entries, self._resource(one), count, with_filter=True)
        self._world.outgoing.spawn("bc", self._spread(one, items, seconds, together))

    def _schedule(self, company: str, url: str) -> None:
        if (company, url) not in self._scheduled:
            self._scheduled.add((company, url))
            due = self._world.clock.timestamp() + self._environment.switches.notification_delay
            self._world.outgoing.spawn("bc", self._job(company, url, due))

    async def _job(self, company_id: str, url: str, due: float) -> None:
        await self._world.outgoing.until(due)
        self._scheduled.discard((company_id, url))
        company, now = self._environment.companies.get(company_id), self._environment.now()
        if company is None:
            return
        told = [
            (one, self._take(one, company))
            for one in self.subscriptions.living(now)
            if (one.company, one.url) == (company_id, url)
        ]
        await self._deliver(url, told)

    def _take(self, one: Subscription, company: Company) -> list[dict[str, Any]]:
        rows = [company.contacts.get(entry.contact) for entry in one.pending]
        entries = one.take({row.id: row.modified for row in rows if row is not None})
        switches = self._environment.switches
        maximum, with_filter = switches.collection_maximum, switches.collection_filter
        return notifications(one, entries, self._resource(one), maximum, with_filter=with_filter)

    def _resource(self, one: Subscription) -> str:
        form = self._environment.switches.leading_slash
        if form == "as-subscribed" or one.resource.startswith("https:"):
            return one.resource
        bare = one.resource.lstrip("/")
        return f"/{bare}" if form == "always" else bare

    async def _deliver(self, url: str, told: list[tuple[Subscription, list[dict[str, Any]]]]) -> None:
        """POST until the receiver accepts, or its subscriptions are deleted for what it answers."""
        for attempt in range(1, len(_WAITS) + 2):
            now = self._environment.now()
            told = [(one, items) for one, items in told if items and self.subscriptions.get(one.id, now) is not None]
            if not told:
                return
            status = await self._post(url, [item for _, items in told for item in items], attempt)
            if 200 <= status < 300:
                return
            may_come_right = status in (0, 408, 429) or status >= 500
            if not may_come_right or attempt > len(_WAITS):
                break
            await self._world.outgoing.until(self._world.clock.timestamp() + _WAITS[attempt - 1])
        for one, _ in told:
            self.subscriptions.remove(one)

    async def _post(self, url: str, items: list[dict[str, Any]], attempt: int) -> int:
        correlation = str(uuid.uuid4())
        got = await self._world.outgoing.send(
            "bc",
            "notify",
            url,
            json.dumps({"value": items}, ensure_ascii=False).encode(),
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                "clientRequestId": correlation,
                "x-ms-correlation-id": correlation,
            },
            timeout=self._environment.switches.notification_timeout,
            attempt=attempt,
            items=len(items),
        )
        return got.status

    async def _spread(self, one: Subscription, items: list[dict[str, Any]], seconds: float, together: bool) -> None:
        if together:
            await self._deliver(one.url, [(one, items)])
            return
        async for item in spread(items, seconds):
            self._world.outgoing.spawn("bc", self._deliver(one.url, [(one, [item])]))
