"""Port `Subscriptions`: a source's in one partition, each as two rows of the same content.

One row is found by company and profile, the other by the service's id: a notification names nothing else and must be
answered within seconds. They are written in one transaction, so neither is ever there without the other. A row holds
the secret of the notifications: it is stored, and never logged.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.engine.watching import Source, Subscription
from shared.errors import RequestError, RetryableError
from shared.storage import keys, wire
from shared.storage.deployment_keys import deployment_key
from shared.storage.records import decoded, encoded
from shared.storage.tables import Operation, RowConflict, RowMissing, Tables, etag_of
from shared.storage.wire import Row

_ATTEMPTS = 5
_COMPARED = "compared"
_SIGNING = ("app", "signing-key")


class TableSubscriptions:
    """What is stored of subscriptions. Their `etag` is a version of ours that both rows carry, so that what was found
    by id can be saved as well as what was found by profile."""

    def __init__(self, tables: Tables) -> None:
        self._table = tables["subscriptions"]
        self._key = b""

    def get(self, source: Source, company_id: str, profile_id: str = "") -> Subscription | None:
        """See Subscriptions."""
        row = self._table.get(source.value, _key(company_id, profile_id))
        return None if row is None else _subscription(row)

    def get_many(self, source: Source, company_id: str, profile_ids: Iterable[str]) -> Mapping[str, Subscription]:
        """See Subscriptions."""
        rows = self._table.get_many(source.value, (_key(company_id, each) for each in profile_ids))
        found = map(_subscription, rows.values())
        return {each.profile_id: each for each in found}

    def by_id(self, source: Source, subscription_id: str) -> Sequence[Subscription]:
        """See Subscriptions."""
        rows = self._table.range(source.value, *keys.below(keys.path("id", keys.hashed(subscription_id))))
        return [each for each in map(_subscription, rows) if each.id == subscription_id]

    def all(self, source: Source) -> Iterator[Subscription]:
        """See Subscriptions."""
        return map(_subscription, self._table.range(source.value, *keys.below("of")))

    def save(self, subscription: Subscription) -> Subscription:
        """See Subscriptions."""
        partition, key = subscription.source.value, _key(subscription.company_id, subscription.profile_id)
        there = self._table.get(partition, key)
        if subscription.etag != (_version(there) if there is not None else ""):
            raise _changed()
        saved = replace(subscription, etag=secrets.token_hex(8))
        content = {"version": saved.etag} | encoded(replace(saved, etag=""))
        main = wire.row(partition, key, **content)
        operations = [Operation("create", main) if there is None else Operation("put", main, etag_of(there))]
        index = _index_key(saved)
        if index:
            operations.append(Operation("put", wire.row(partition, index, **content)))
        before = _index_key(_subscription(there)) if there is not None else ""
        if before and before != index:
            operations.append(Operation("delete", wire.row(partition, before)))
        try:
            self._table.transact(operations)
        except (RowConflict, RowMissing) as error:
            raise _changed() from error
        return saved

    def delete(self, subscription: Subscription) -> None:
        """See Subscriptions."""
        partition, key = subscription.source.value, _key(subscription.company_id, subscription.profile_id)
        for _ in range(_ATTEMPTS):
            there = self._table.get(partition, key)
            if there is None:
                return
            operations = [Operation("delete", wire.row(partition, key), etag_of(there))]
            if index := _index_key(_subscription(there)):
                operations.append(Operation("delete", wire.row(partition, index)))
            try:
                self._table.transact(operations)
            except (RowConflict, RowMissing):
                continue  # somebody saved it meanwhile, maybe with another id
            return
        raise RetryableError("A subscription is being changed all the time; it is tried again later.")

    def signing_key(self) -> bytes:
        """See Subscriptions. Read once per process."""
        if not self._key:
            self._key = deployment_key(self._table, *_SIGNING)
        return self._key

    def compared_at(self, source: Source) -> datetime | None:
        """See Subscriptions."""
        row = self._table.get(source.value, _COMPARED)
        at: datetime | None = None if row is None else row["at"]
        return at

    def has_compared(self, source: Source, at: datetime) -> None:
        """See Subscriptions."""
        self._table.apply(Operation("put", wire.row(source.value, _COMPARED, at=at)))


def _key(company_id: str, profile_id: str) -> str:
    return keys.path("of", company_id, *([profile_id] if profile_id else []))


def _index_key(subscription: Subscription) -> str:
    """Blank for one that the service has given no id."""
    if not subscription.id:
        return ""
    of = _key(subscription.company_id, subscription.profile_id).removeprefix("of|")
    return f"{keys.path('id', keys.hashed(subscription.id))}|{of}"


def _version(row: Row) -> str:
    return str(row["version"])


def _subscription(row: Row) -> Subscription:
    return replace(decoded(Subscription, row), etag=_version(row))


def _changed() -> RequestError:
    return RequestError(
        "The subscription was changed meanwhile: read it again, then change it once more.",
        code="changed-meanwhile",
        status=409,
    )
