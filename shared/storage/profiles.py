"""Port `Profiles`: one row per profile in its company's partition, and index rows for the other ways to find it.

Index rows lie in other partitions and cannot share a transaction: they are written before the profile, and whoever
reads one compares it with the profile that it points to. Those left over do no harm.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from shared.cards.normalise import email_key
from shared.engine.model import Profile
from shared.storage import keys, wire
from shared.storage.records import decoded, encoded
from shared.storage.tables import Operation, Tables, etag_of
from shared.storage.versions import save
from shared.storage.wire import Row

_COMPANIES = "companies"
_PAGE = 1_000  #: rows that the service answers at most
_FEW = 30  #: so many point reads are cheaper than a page of all


class TableProfiles:
    """The profiles."""

    def __init__(self, tables: Tables) -> None:
        self._table = tables["profiles"]

    def get(self, company_id: str, profile_id: str) -> Profile | None:
        """See Profiles."""
        row = self._table.get(keys.part(company_id), keys.part(profile_id))
        return None if row is None else _profile(row)

    def get_many(self, company_id: str, profile_ids: Iterable[str]) -> Mapping[str, Profile]:
        """See Profiles."""
        asked = set(profile_ids)
        if len(asked) > _FEW:
            return {each.id: each for each in self.in_company(company_id) if each.id in asked}
        rows = self._table.get_many(keys.part(company_id), map(keys.part, sorted(asked)))
        return {each.id: each for each in map(_profile, rows.values())}

    def of_user(self, user_id: str) -> Sequence[Profile]:
        """See Profiles."""
        found = (self.get(company_id, user_id) for company_id in self._known_companies())
        return [each for each in found if each is not None]

    def of_mailbox(self, mailbox_id: str) -> Sequence[Profile]:
        """See Profiles."""
        return [each for each in self._indexed(_mailbox(mailbox_id)) if each.mailbox_id == mailbox_id]

    def user_id(self, address: str) -> str | None:
        """See Profiles."""
        key = email_key(address)
        if not key:
            return None
        return next((each.id for each in self._indexed(_address(key)) if email_key(each.user_address) == key), None)

    def in_company(self, company_id: str, after: str = "", most: int | None = None) -> Iterator[Profile]:
        """See Profiles."""
        page = None if most is None else min(most + 1, _PAGE)  # the first one may be `after` itself
        rows = self._table.range(keys.part(company_id), after, page=page)
        return map(_profile, islice((each for each in rows if each["RowKey"] != after), most))

    def companies(self) -> Sequence[str]:
        """See Profiles."""
        return [each for each in self._known_companies() if self._has_profiles(each)]

    def save(self, profile: Profile) -> Profile:
        """See Profiles. An index row is written before the profile: one too many does no harm, one missing would."""
        company_id, profile_id = keys.part(profile.company_id), keys.part(profile.id)
        before = self.get(company_id, profile_id)
        for row in _index_rows(profile):
            self._table.apply(Operation("put", row))
        row = wire.row(company_id, profile_id) | encoded(replace(profile, etag=""))
        saved = replace(profile, etag=save(self._table, row, profile.etag))
        self._forget(before, saved)
        return saved

    def delete(self, profile: Profile) -> None:
        """See Profiles."""
        self._table.apply(Operation("delete", wire.row(keys.part(profile.company_id), keys.part(profile.id))))
        self._forget(profile, None)

    def _forget(self, before: Profile | None, after: Profile | None) -> None:
        """Remove index rows that no longer hold; a company's stays, another profile may be saved at this moment."""
        if before is None:
            return
        kept = {_place(each) for each in _index_rows(after)} if after is not None else set()
        for row in _index_rows(before):
            if row["PartitionKey"] != _COMPANIES and _place(row) not in kept:
                self._table.apply(Operation("delete", row))

    def _indexed(self, partition: str) -> Iterator[Profile]:
        for row in self._table.range(partition):
            company_id, profile_id = str(row["RowKey"]).split("|")
            profile = self.get(company_id, profile_id)
            if profile is not None:
                yield profile

    def _known_companies(self) -> list[str]:
        return [str(row["RowKey"]) for row in self._table.range(_COMPANIES)]

    def _has_profiles(self, company_id: str) -> bool:
        return next(self._table.range(company_id, select=["RowKey"], page=1), None) is not None


def _profile(row: Row) -> Profile:
    return replace(decoded(Profile, row), etag=etag_of(row))


def _index_rows(profile: Profile) -> list[Row]:
    key = keys.path(profile.company_id, profile.id)
    rows = [wire.row(_COMPANIES, profile.company_id), wire.row(_mailbox(profile.mailbox_id), key)]
    if address := email_key(profile.user_address):
        rows.append(wire.row(_address(address), key))
    return rows


def _place(row: Row) -> tuple[str, str]:
    return str(row["PartitionKey"]), str(row["RowKey"])


def _mailbox(mailbox_id: str) -> str:
    return keys.part(f"mailbox.{mailbox_id}")


def _address(key: str) -> str:
    return f"address.{keys.hashed(key)}"
