"""Subscriptions in memory: what is stored of them, and the two services that grant them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.engine.watching import BC_PATH, GRAPH_PATH, Draft, Granted, Listed, Source, Subscription
from shared.errors import RequestError, SubscriptionExists, SyncError
from tests.fakes.faults import Faults


@dataclass
class MemorySubscriptions:
    """Port `Subscriptions`."""

    faults: Faults
    rows: dict[tuple[Source, str, str], Subscription] = field(default_factory=dict)
    saves: int = 0
    compared: dict[Source, datetime] = field(default_factory=dict)

    def get(self, source: Source, company_id: str, profile_id: str = "") -> Subscription | None:
        with self.faults.around("subscriptions.get"):
            return self.rows.get((source, company_id, profile_id))

    def get_many(self, source: Source, company_id: str, profile_ids: Iterable[str]) -> Mapping[str, Subscription]:
        with self.faults.around("subscriptions.get_many"):
            found = {each: self.rows.get((source, company_id, each)) for each in profile_ids}
            return {key: each for key, each in found.items() if each is not None}

    def by_id(self, source: Source, subscription_id: str) -> Sequence[Subscription]:
        with self.faults.around("subscriptions.by_id"):
            rows = [self.rows[key] for key in sorted(self.rows)]
            return [each for each in rows if each.source is source and each.id == subscription_id and each.id]

    def all(self, source: Source) -> Iterator[Subscription]:
        with self.faults.around("subscriptions.all"):
            return iter([self.rows[key] for key in sorted(self.rows) if key[0] is source])

    def save(self, subscription: Subscription) -> Subscription:
        with self.faults.around("subscriptions.save"):
            key = (subscription.source, subscription.company_id, subscription.profile_id)
            stored = self.rows.get(key)
            if subscription.etag != (stored.etag if stored else ""):
                raise RequestError("It was changed meanwhile.", code="changed-meanwhile", status=409)
            self.saves += 1
            self.rows[key] = replace(subscription, etag=f"s{self.saves}")
            return self.rows[key]

    def delete(self, subscription: Subscription) -> None:
        with self.faults.around("subscriptions.delete"):
            self.rows.pop((subscription.source, subscription.company_id, subscription.profile_id), None)

    def signing_key(self) -> bytes:
        with self.faults.around("subscriptions.signing_key"):
            return b"the key of this deployment"

    def compared_at(self, source: Source) -> datetime | None:
        with self.faults.around("subscriptions.compared_at"):
            return self.compared.get(source)

    def has_compared(self, source: Source, at: datetime) -> None:
        with self.faults.around("subscriptions.has_compared"):
            self.compared[source] = at


@dataclass
class MemoryNotifications:
    """Port `Notifications`: one service. `refusal` is what it answers instead of a subscription."""

    faults: Faults
    clock: Callable[[], datetime]
    source: Source = Source.GRAPH
    live: dict[str, Draft] = field(default_factory=dict)
    ends: dict[str, datetime] = field(default_factory=dict)
    refusal: SyncError | None = None
    folders: bool = True  #: whether it takes subscriptions on folders
    asked: list[str] = field(default_factory=list)
    number: int = 0

    def subscribe(self, draft: Draft) -> Granted:
        with self.faults.around(f"{self.source}.subscribe"):
            self.asked.append("subscribe")
            if self.refusal is not None:
                raise self.refusal
            resource = self._resource(draft)
            for key, there in self.live.items():
                if self._resource(there) == resource:
                    raise SubscriptionExists("There is one.", id=key)
            self.number += 1
            key = f"{self.source}-{self.number}"
            self.live[key] = draft
            self.ends[key] = draft.expires_at or self.clock() + timedelta(days=3)
            return Granted(
                key, resource, self.ends[key], whole_mailbox=self.source is Source.GRAPH and not self.folders
            )

    def renew(self, subscription_id: str, draft: Draft) -> datetime | None:
        with self.faults.around(f"{self.source}.renew"):
            self.asked.append("renew")
            if subscription_id not in self.live:
                return None
            if self.refusal is not None:
                raise self.refusal
            self.ends[subscription_id] = draft.expires_at or self.clock() + timedelta(days=3)
            return self.ends[subscription_id]

    def unsubscribe(self, subscription_id: str) -> None:
        with self.faults.around(f"{self.source}.unsubscribe"):
            self.asked.append("unsubscribe")
            self.live.pop(subscription_id, None)

    def listed(self) -> Sequence[Listed]:
        with self.faults.around(f"{self.source}.listed"):
            self.asked.append("listed")
            path = GRAPH_PATH if self.source is Source.GRAPH else BC_PATH
            return [
                Listed(key, self._resource(each), f"{each.address}{path}", self.ends[key])
                for key, each in self.live.items()
            ]

    def _resource(self, draft: Draft) -> str:
        if self.source is Source.BC:
            return f"companies({draft.company_id})/contacts"
        return f"users/{draft.mailbox_id}" + (f"/contactFolders/{draft.folder_id}" if self.folders else "")
