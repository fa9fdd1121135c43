"""A table of contacts, with the indexes that make large companies quick, and transactions."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dev.simulators.business_central.contact import PERSON, Contact

type Columns = tuple[tuple[str, bool], ...]  #: attributes to sort by, True where descending
type Change = tuple[str, Contact | None]  #: id, and the row it has now
type Committed = Callable[[list[Change], frozenset[str]], None]  #: the changes, and the ids that had a row before


class ContactTable:
    """Contacts by id. Rows are immutable; `put` replaces one."""

    def __init__(self, rows: Iterable[Contact] = ()) -> None:
        """Start with `rows`."""
        self._rows: dict[str, Contact] = {}
        self._by_number: dict[str, str] = {}
        self._persons: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._sorted: dict[Columns, list[Contact]] = {}
        self._undo: list[tuple[str, Contact | None]] | None = None
        for row in rows:
            self.put(row)

    def __len__(self) -> int:
        """Return the number of contacts."""
        return len(self._rows)

    def __iter__(self) -> Iterator[Contact]:
        """Yield all contacts, in the order of their arrival."""
        return iter(self._rows.values())

    def get(self, id: str) -> Contact | None:  # noqa: A002 - the field's name
        """Return a contact by id."""
        return self._rows.get(id)

    def by_number(self, number: str) -> Contact | None:
        """Return a contact by number."""
        found = self._by_number.get(number)
        return None if found is None else self._rows[found]

    def persons_of(self, company_number: str) -> list[Contact]:
        """Return the persons of a company, oldest link first."""
        return [self._rows[found] for found in self._persons.get(company_number, ())]

    def put(self, row: Contact) -> None:
        """Add a contact or replace the one with its id."""
        self._replace(row.id, row)

    def remove(self, id: str) -> None:  # noqa: A002 - the field's name
        """Take a contact out."""
        self._replace(id, None)

    def ordered(self, columns: Columns, key: Callable[[Contact], Any]) -> Sequence[Contact]:
        """Return all contacts sorted by `columns`, for which `key` is the sort key. Kept until the table changes."""
        if columns not in self._sorted:
            self._sorted[columns] = sorted(self._rows.values(), key=key)
        return self._sorted[columns]

    @contextmanager
    def transaction(self, committed: Committed) -> Iterator[None]:
        """Undo everything when the block raises; else tell `committed` what changed. Nested ones join the outer."""
        if self._undo is not None:
            with self._savepoint():
                yield
            return
        self._undo = []
        try:
            with self._savepoint():
                yield
            before: dict[str, Contact | None] = {}
            for key, old in self._undo:
                before.setdefault(key, old)
        finally:
            self._undo = None
        if before:
            existed = frozenset(key for key, old in before.items() if old is not None)
            committed([(key, self._rows.get(key)) for key in before], existed)

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        mark = len(self._undo or ())
        try:
            yield
        except BaseException:
            undo, self._undo = self._undo or [], None
            for key, row in reversed(undo[mark:]):
                self._replace(key, row)
            self._undo = undo[:mark]
            raise

    def _replace(self, id: str, row: Contact | None) -> None:  # noqa: A002 - the field's name
        old = self._rows.get(id)
        if self._undo is not None:
            self._undo.append((id, old))
        self._sorted.clear()
        if old is not None:
            if self._by_number.get(old.number) == id:
                del self._by_number[old.number]
            if old.type == PERSON:
                self._persons[old.company_number].pop(id, None)
        if row is None:
            self._rows.pop(id, None)
            return
        self._rows[id] = row
        self._by_number[row.number] = id
        if row.type == PERSON and row.company_number:
            self._persons[row.company_number][id] = None
