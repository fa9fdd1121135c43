"""Port `Imports` in memory, and the people of a tenant whom imports are about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.engine.import_state import ImportOrder, ImportRun
from shared.engine.run_ids import run_id
from shared.engine.state import Busy
from shared.errors import SourceUnreadable
from shared.planning.importing import Person, Unfit
from tests.fakes.account import Account, Lease, Reading, check_etag


class MemoryImports:
    """Port `Imports`."""

    def __init__(self, state: Account) -> None:
        self._state = state
        self.saved: dict[tuple[str, str], ImportOrder] = {}
        self.rows: dict[str, ImportRun] = {}
        self.leases: dict[str, Lease] = {}

    def companies(self) -> Sequence[str]:
        with self.reading("companies"):
            return sorted({key[0] for key in self.saved} | {each.order.company_id for each in self.rows.values()})

    def orders(self, company_id: str) -> Sequence[ImportOrder]:
        with self.reading("orders"):
            return [each for key, each in sorted(self.saved.items()) if key[0] == company_id]

    def order(self, company_id: str, name: str) -> ImportOrder | None:
        with self.reading("order"):
            return self.saved.get((company_id, name))

    def save_order(self, order: ImportOrder) -> ImportOrder:
        with self.reading("save_order"):
            stored = self.saved.get((order.company_id, order.name))
            check_etag(order.etag, stored.etag if stored else "")
            saved = replace(order, etag=self._state.next_etag())
            self.saved[order.company_id, order.name] = saved
            return saved

    def delete_order(self, order: ImportOrder) -> None:
        with self.reading("delete_order"):
            self.saved.pop((order.company_id, order.name), None)

    def save(self, run: ImportRun) -> None:
        with self.reading("save"):
            self.rows[run.run_id] = run

    def run(self, run_id: str) -> ImportRun | None:
        with self.reading("run"):
            return self.rows.get(run_id)

    def newest(self, company_id: str, name: str) -> ImportRun | None:
        with self.reading("newest"):
            return next(self._runs(company_id, name), None)

    def last(self, company_id: str, name: str) -> ImportRun | None:
        with self.reading("last"):
            return next((each for each in self._runs(company_id, name) if each.is_over), None)

    def _runs(self, company_id: str, name: str) -> Iterator[ImportRun]:
        for _, each in sorted(self.rows.items()):
            if (each.order.company_id, each.order.name) == (company_id, name) and not each.preview:
                yield each

    def hold(self, company_id: str, owner: str) -> "MemoryHeldImports | Busy":
        with self.reading("hold"):
            lease = self.leases.setdefault(company_id, Lease())
            taken = lease.take(self._state.clock())
            return taken if isinstance(taken, Busy) else MemoryHeldImports(self, lease, taken)

    def remove_before(self, company_id: str, before: datetime) -> int:
        with self.reading("remove_before"):
            oldest = f"{run_id('', before, '')[:13]}~"
            old = [key for key, each in self.rows.items() if each.order.company_id == company_id and key >= oldest]
            for key in old:
                del self.rows[key]
            return len(old)

    def reading(self, name: str) -> Reading:
        """A call."""
        return Reading(self._state, f"imports.{name}")


class MemoryHeldImports:
    """Port `HeldImports`."""

    def __init__(self, imports: MemoryImports, lease: Lease, epoch: int) -> None:
        self._imports = imports
        self._lease = lease
        self._epoch = epoch

    def keep(self) -> None:
        with self._imports.reading("keep"):
            self._lease.fence(self._epoch)

    def save(self, run: ImportRun) -> None:
        self.keep()
        self._imports.save(run)

    def release(self) -> None:
        with self._imports.reading("release"):
            self._lease.give_back(self._epoch)


@dataclass
class Tenant:
    """Who is in the directory: groups, users by name, and mailboxes that cannot be used."""

    groups: dict[str, list[Person]] = field(default_factory=dict)
    users: dict[str, Person] = field(default_factory=dict)  #: by address or id
    unusable: dict[str, Unfit] = field(default_factory=dict)  #: by user id
    refusal: SourceUnreadable | None = None  #: what reading a group meets
    tried: list[str] = field(default_factory=list)  #: whose mailboxes were tried

    def members(self, group_id: str) -> Sequence[Person]:
        if self.refusal is not None:
            raise self.refusal
        if group_id not in self.groups:
            raise SourceUnreadable("Entra has no group with this object id.", code="unknown-group")
        return list(self.groups[group_id])

    def find_all(self, names: Sequence[str]) -> Sequence[Person]:
        return [self.users.get(each.lower()) or Person("", each, Unfit.UNKNOWN) for each in names]

    def try_mailboxes(self, user_ids: Sequence[str]) -> Sequence[Unfit | None]:
        self.tried += user_ids
        return [self.unusable.get(each) for each in user_ids]
