"""The two sides with a journal in front of them: no write goes out before its entries are durable (R36).

Before a batch goes out the journal says what is intended; afterwards, where it differs, the same row says what the
service returned, and failed items drop out. A process that dies in between leaves the intention: whoever undoes the run
compares what is there with the values before and after.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.cards.model import BcContact, OutlookContact
from shared.engine.pages import Pages
from shared.engine.sides import (
    NO_TAGS,
    BcDraft,
    BcSide,
    BcWrite,
    Folder,
    FolderStamp,
    OutlookChanges,
    OutlookDraft,
    OutlookSide,
    OutlookWrite,
)
from shared.errors import ContactError, OutcomeUnknown
from shared.planning.journalled import (
    COMPANY_NUMBER,
    NAME_PARTS,
    Entry,
    Values,
    Verb,
    bc_values,
    changed,
    number_of,
    values_of,
)
from shared.planning.model import Side


@dataclass(slots=True)
class JournalledOutlook:
    """Port `OutlookSide`: another one, whose writes to contacts are journalled."""

    side: OutlookSide
    pages: Pages

    def create(self, folder_id: str, drafts: Sequence[OutlookDraft]) -> Sequence[OutlookContact | ContactError]:
        """See OutlookSide."""
        entries = [self._draft(each) for each in drafts]
        return self.pages.around(entries, lambda: self.side.create(folder_id, drafts), _created_in_outlook)

    def write(self, folder_id: str, writes: Sequence[OutlookWrite]) -> Sequence[OutlookContact | ContactError]:
        """See OutlookSide."""
        entries = [self._write(each) for each in writes]
        return self.pages.around(entries, lambda: self.side.write(folder_id, writes), _written_in_outlook)

    def remove(
        self, folder_id: str, ids: Sequence[str], *, tags: Mapping[str, str] = NO_TAGS
    ) -> Sequence[ContactError | None]:
        """See OutlookSide."""
        entries = [self._removal(each) for each in ids]
        return self.pages.around(entries, lambda: self.side.remove(folder_id, ids, tags=tags), _removed)

    def erase(self, folder_id: str, ids: Sequence[str]) -> Sequence[ContactError | None]:
        """See OutlookSide. The entry holds no value: it says that the contact was removed, not who it was (R39)."""
        entries = [self.pages.entry(Side.OUTLOOK, Verb.DELETED, outlook_id=each) for each in ids]
        return self.pages.around(entries, lambda: self.side.erase(folder_id, ids), _removed)

    def _draft(self, draft: OutlookDraft) -> Entry:
        entry = self.pages.entry(Side.OUTLOOK, Verb.CREATED, bc_id=draft.stamp.bc_id, outlook_id="")
        return replace(entry, after=values_of(draft.card), origin=draft.stamp.origin)

    def _write(self, write: OutlookWrite) -> Entry:
        verb = Verb.UNMARKED if write.remove_marks else Verb.UPDATED
        entry = self.pages.entry(Side.OUTLOOK, verb, outlook_id=write.current.id)
        names = {which.value for which in write.values} | (set(NAME_PARTS) if write.name_parts is not None else set())
        intended = values_of(write.current.card.with_values(write.values))
        if write.name_parts is not None:
            intended |= dict(zip(NAME_PARTS, write.name_parts, strict=True))
        before, after = changed(_some(values_of(write.current.card), names), _some(intended, names), names)
        return replace(entry, before=before, after=after)

    def _removal(self, outlook_id: str) -> Entry:
        entry = self.pages.entry(Side.OUTLOOK, Verb.DELETED, outlook_id=outlook_id)
        return replace(entry, before=values_of(self.pages.card(outlook_id)))

    # ------------------------------------------------------------ what is not a write to a contact

    def folder(self, folder_id: str, parent_id: str) -> Folder | None:
        """See OutlookSide."""
        return self.side.folder(folder_id, parent_id)

    def find_folder(self, stamp: FolderStamp) -> Folder | None:
        """See OutlookSide."""
        return self.side.find_folder(stamp)

    def folder_named(self, name: str) -> Folder | None:
        """See OutlookSide."""
        return self.side.folder_named(name)

    def main_folder(self) -> Folder:
        """See OutlookSide."""
        return self.side.main_folder()

    def create_folder(self, name: str, stamp: FolderStamp) -> Folder:
        """See OutlookSide."""
        return self.side.create_folder(name, stamp)

    def rename_folder(self, folder_id: str, name: str) -> Folder:
        """See OutlookSide."""
        return self.side.rename_folder(folder_id, name)

    def stamp_folder(self, folder_id: str, stamp: FolderStamp) -> None:
        """See OutlookSide."""
        self.side.stamp_folder(folder_id, stamp)

    def changes(self, folder_id: str, delta_link: str | None) -> OutlookChanges:
        """See OutlookSide."""
        return self.side.changes(folder_id, delta_link)

    def contacts(self, folder_id: str) -> Iterator[OutlookContact]:
        """See OutlookSide."""
        return self.side.contacts(folder_id)

    def read(self, folder_id: str, ids: Sequence[str]) -> Mapping[str, OutlookContact | None]:
        """See OutlookSide."""
        return self.side.read(folder_id, ids)

    def find_stamped(self, folder_id: str, bc_ids: Iterable[str]) -> Mapping[str, tuple[OutlookContact, ...]]:
        """See OutlookSide."""
        return self.side.find_stamped(folder_id, bc_ids)


@dataclass(slots=True)
class JournalledBc:
    """Port `BcSide`: another one, whose writes are journalled."""

    side: BcSide
    pages: Pages
    company_id: str = field(init=False)

    def __post_init__(self) -> None:
        """The company of the other one."""
        self.company_id = self.side.company_id

    def create(self, drafts: Sequence[BcDraft]) -> Sequence[BcContact | ContactError]:
        """See BcSide."""
        entries = [self._draft(each) for each in drafts]
        return self.pages.around(entries, lambda: self.side.create(drafts), _created_in_bc)

    def write(self, writes: Sequence[BcWrite]) -> Sequence[BcContact | ContactError]:
        """See BcSide."""
        entries = [self._write(each) for each in writes]
        return self.pages.around(entries, lambda: self.side.write(writes), _Written(writes))

    def remove(self, contacts: Sequence[BcContact]) -> Sequence[ContactError | None]:
        """See BcSide."""
        entries = [
            replace(self.pages.entry(Side.BC, Verb.DELETED, bc_id=each.id), before=bc_values(each)) for each in contacts
        ]
        return self.pages.around(entries, lambda: self.side.remove(contacts), _removed)

    def _draft(self, draft: BcDraft) -> Entry:
        entry = self.pages.entry(Side.BC, Verb.CREATED, bc_id="", outlook_id=draft.source)
        values = {which.value: value for which, value in draft.values.items() if value}
        return replace(entry, after=values | number_of(draft.company_number))

    def _write(self, write: BcWrite) -> Entry:
        intended = bc_values(write.current) | {which.value: value for which, value in write.values.items()}
        names = {which.value for which in write.values}
        if write.company_number is not None:
            intended[COMPANY_NUMBER] = write.company_number
            names.add(COMPANY_NUMBER)
        before, after = changed(bc_values(write.current), intended, names)
        return replace(self.pages.entry(Side.BC, Verb.UPDATED, bc_id=write.current.id), before=before, after=after)

    # ------------------------------------------------------------ what is not a write

    def contacts(self) -> Iterator[BcContact]:
        """See BcSide."""
        return self.side.contacts()

    def changed_since(self, stamp: str) -> Sequence[BcContact]:
        """See BcSide."""
        return self.side.changed_since(stamp)

    def stamps(self) -> Iterator[tuple[str, str]]:
        """See BcSide."""
        return self.side.stamps()

    def read(self, ids: Sequence[str]) -> Mapping[str, BcContact | None]:
        """See BcSide."""
        return self.side.read(ids)

    def find_persons(self, emails: Sequence[str]) -> Mapping[str, tuple[BcContact, ...]]:
        """See BcSide."""
        return self.side.find_persons(emails)

    def countries(self) -> Mapping[str, str]:
        """See BcSide."""
        return self.side.countries()


def _some(values: Values, names: Iterable[str]) -> dict[str, str]:
    return {name: values[name] for name in names if name in values}


# ---------------------------------------------------------------- what came of it


def _created_in_outlook(entry: Entry, _: int, answer: OutlookContact | ContactError) -> Entry | None:
    if isinstance(answer, ContactError):
        return _failed(entry, answer)
    return replace(entry, outlook_id=answer.id, after=values_of(answer.card))


def _written_in_outlook(entry: Entry, _: int, answer: OutlookContact | ContactError) -> Entry | None:
    if isinstance(answer, ContactError):
        return _failed(entry, answer)
    now = values_of(answer.card)
    return replace(entry, after={name: now.get(name, "") for name in entry.after})


def _created_in_bc(entry: Entry, _: int, answer: BcContact | ContactError) -> Entry | None:
    if isinstance(answer, ContactError):
        return _failed(entry, answer)
    return replace(entry, bc_id=answer.id, after=bc_values(answer))


@dataclass(frozen=True, slots=True)
class _Written:
    """A write to BC is conditional on what was read: whatever else differs afterwards is its side effect (R16)."""

    writes: Sequence[BcWrite]

    def __call__(self, entry: Entry, place: int, answer: BcContact | ContactError) -> Entry | None:
        if isinstance(answer, ContactError):
            return _failed(entry, answer)
        before, after = changed(bc_values(self.writes[place].current), bc_values(answer), entry.after)
        return replace(entry, before=before, after=after)


def _removed(entry: Entry, _: int, answer: ContactError | None) -> Entry | None:
    return entry if answer is None else _failed(entry, answer)


def _failed(entry: Entry, error: ContactError) -> Entry | None:
    """Nothing happened, unless the answer was lost: then the intention stays."""
    return entry if isinstance(error, OutcomeUnknown) else None
