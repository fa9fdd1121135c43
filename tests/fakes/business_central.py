"""A company in memory with BC's habits: versions, stamps, upper-cased post codes, companies that fill in blanks.

What the engine sees are the ports `BusinessCentral` and `BcSide`; what a BC user does are `put`, `edit`, `delete`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from shared.cards.business_central import contact_from_values
from shared.cards.emails import key_of
from shared.cards.model import BcContact, Field
from shared.engine.company_feed import as_stamp, moment
from shared.engine.sides import BcCompany, BcDraft, BcUser, BcWrite
from shared.engine.watching import Source
from shared.errors import ChangedMeanwhile, CompanyUnavailable, ContactError, ContactGone, InvalidValue, SetupRefused
from tests.fakes.faults import Faults
from tests.fakes.watching import MemoryNotifications

COUNTRIES = {"DE": "Germany", "DK": "Denmark", "GB": "Great Britain", "US": "USA"}


@dataclass(slots=True)
class MemoryCompany:
    """One company; port `BcSide`."""

    company_id: str
    faults: Faults
    clock: Callable[[], datetime]
    rows: dict[str, BcContact] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    removed: list[BcContact] = field(default_factory=list)  #: what the engine removed, as it was then
    #: by call ("stamps"): what its next list shows instead of what is there (R25)
    lists: dict[str, dict[str, BcContact]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    setup_refusal: str = ""
    refused_values: dict[str, str] = field(default_factory=dict)  #: field -> value that BC refuses
    last_stamp: datetime | None = None

    # ------------------------------------------------------------ what a BC user does

    def put(self, *, stamp: str | None = None, **values: str | bool) -> str:
        """Create a contact; type Person unless said otherwise. `stamp`: written then, committed only now."""
        number = next(self.numbers)
        key = str(UUID(int=number * 2654435761 % 2**32 << 96 | number))
        full = {"number": f"CT{number:06d}", "type": "Person", "displayName": f"Person {number}"} | values
        full.setdefault("contactBusinessRelation", "None")
        self._store(key, full, stamp)
        return key

    def edit(self, key: str, **values: str | bool) -> None:
        """Change a contact."""
        self._store(key, {**self.rows[key].values, **values})

    def delete(self, key: str) -> None:
        """Delete a contact."""
        del self.rows[key]

    def _store(self, key: str, values: Mapping[str, str | bool], stamp: str | None = None) -> BcContact:
        known = dict(values)
        known["postalCode"] = str(known.get("postalCode", "")).upper()
        known["country"] = str(known.get("country", "")).upper()
        before = self.rows.get(key)
        if before is not None and known == before.values:
            return before
        self.rows[key] = contact_from_values(key, f"W/{next(self.numbers)}", stamp or self._now(), known)
        return self.rows[key]

    def _now(self) -> str:
        """Strictly rising, as long as a test does not set stamps itself."""
        now = self.clock()
        if self.last_stamp is not None and now <= self.last_stamp:
            now = self.last_stamp + timedelta(milliseconds=1)
        self.last_stamp = now
        return as_stamp(now)

    # ------------------------------------------------------------ what the engine sees

    def contacts(self) -> Iterator[BcContact]:
        """Port."""
        with self.faults.around("bc.contacts"):
            yield from list(self._listed("contacts").values())

    def changed_since(self, stamp: str) -> Sequence[BcContact]:
        """Port."""
        with self.faults.around("bc.changed_since"):
            found = [each for each in self._listed("changed_since").values() if moment(each.modified) >= moment(stamp)]
            return sorted(found, key=lambda each: each.modified)

    def stamps(self) -> Iterator[tuple[str, str]]:
        """Port."""
        with self.faults.around("bc.stamps"):
            yield from [(key, each.modified) for key, each in self._listed("stamps").items()]

    def _listed(self, call: str) -> dict[str, BcContact]:
        """All contacts; once, where a test says so, a list that is too short or too old."""
        return self.lists.pop(call, self.rows)

    def read(self, ids: Sequence[str]) -> Mapping[str, BcContact | None]:
        """Port."""
        with self.faults.around("bc.read"):
            return {key: self.rows.get(key) for key in ids}

    def find_persons(self, emails: Sequence[str]) -> Mapping[str, tuple[BcContact, ...]]:
        """Port."""
        with self.faults.around("bc.find_persons"):
            found: dict[str, tuple[BcContact, ...]] = {}
            for each in self.rows.values():
                key = key_of(each.card.email)
                if each.is_person and key in emails:
                    found[key] = (*found.get(key, ()), each)
            return found

    def countries(self) -> Mapping[str, str]:
        """Port."""
        with self.faults.around("bc.countries"):
            return COUNTRIES

    def create(self, drafts: Sequence[BcDraft]) -> Sequence[BcContact | ContactError]:
        """Port."""
        return [self._create(draft) for draft in drafts]

    def _create(self, draft: BcDraft) -> BcContact | ContactError:
        try:
            with self.faults.around("bc.create"):
                values = {which.value: value for which, value in draft.values.items()}
                self._check(values)
                key = self.put(**values)
                if draft.company_number:
                    self._link(key, draft.company_number)
                self.writes.append("create")
                return self.rows[key]
        except ContactError as error:
            return error

    def write(self, writes: Sequence[BcWrite]) -> Sequence[BcContact | ContactError]:
        """Port."""
        return [self._write(write) for write in writes]

    def _write(self, write: BcWrite) -> BcContact | ContactError:
        try:
            with self.faults.around("bc.write"):
                now = self.rows.get(write.current.id)
                if now is None:
                    raise ContactGone("The contact does not exist.")
                if now.etag != write.current.etag:
                    raise ChangedMeanwhile("Another user has already changed the record.")
                values = {which.value: value for which, value in write.values.items()}
                self._check(values)
                self._store(now.id, {**now.values, **values})
                if write.company_number is not None:
                    self._link(now.id, write.company_number)
                self.writes.append("write")
                return self.rows[now.id]
        except ContactError as error:
            return error

    def _check(self, values: Mapping[str, str]) -> None:
        if self.setup_refusal:
            raise SetupRefused(self.setup_refusal)
        for name, value in values.items():
            if self.refused_values.get(name) == value:
                raise InvalidValue("An extension refuses this.", field=name)

    def _link(self, key: str, company_number: str) -> None:
        """Linking fills what is blank at the person, a blank number unlinks (BC reference 2.4)."""
        if not company_number:
            self._store(key, {**self.rows[key].values, "companyNumber": "", "companyName": ""})
            return
        company = next(each for each in self.rows.values() if each.number == company_number)
        values = dict(self.rows[key].values)
        values |= {"companyNumber": company_number, "companyName": company.card.name}
        for name in ("phoneNumber", "website", "city"):
            values[name] = values.get(name) or company.text(name)
        self._store(key, values)

    def remove(self, contacts: Sequence[BcContact]) -> Sequence[ContactError | None]:
        """Port."""
        return [self._remove(contact) for contact in contacts]

    def _remove(self, contact: BcContact) -> ContactError | None:
        try:
            with self.faults.around("bc.remove"):
                now = self.rows.get(contact.id)
                if now is not None and now.etag != contact.etag:
                    raise ChangedMeanwhile("Another user has already changed the record.")
                if now is not None:
                    self.removed.append(now)
                    del self.rows[contact.id]
                    self.writes.append("remove")
                return None
        except ContactError as error:
            return error


@dataclass(slots=True)
class MemoryEnvironment:
    """An environment; port `BusinessCentral`."""

    clock: Callable[[], datetime]
    faults: Faults = field(default_factory=Faults)
    all: dict[str, MemoryCompany] = field(default_factory=dict)
    people: list[BcUser] = field(default_factory=list)
    watch: MemoryNotifications = field(init=False)

    def __post_init__(self) -> None:
        """Its subscriptions."""
        self.watch = MemoryNotifications(self.faults, self.clock, Source.BC)

    def notifications(self) -> MemoryNotifications:
        """Port."""
        return self.watch

    def announces_contacts(self, company_id: str) -> bool:
        """Port."""
        return self.company(company_id).company_id == company_id

    def add(self, company_id: str) -> MemoryCompany:
        """A new company."""
        self.all[company_id] = MemoryCompany(company_id, self.faults, self.clock)
        return self.all[company_id]

    def companies(self) -> Sequence[BcCompany]:
        """Port."""
        return [BcCompany(key, f"Company {key}", f"Company {key}") for key in self.all]

    def company(self, company_id: str) -> MemoryCompany:
        """Port."""
        if company_id not in self.all:
            raise CompanyUnavailable("The company does not exist.")
        return self.all[company_id]

    def users(self, company_id: str) -> Sequence[BcUser]:
        """Port."""
        with self.faults.around("bc.users"):
            return list(self.people)


__all__ = ["COUNTRIES", "Field", "MemoryCompany", "MemoryEnvironment"]
