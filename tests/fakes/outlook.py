"""Mailboxes in memory with the rules of the real thing: a change feed with positions, versions, removals, stamps.

What the engine sees are the ports `Directory` and `OutlookSide`; what a user does are `add`, `edit`, `delete`, `move`.
Each contact that is written is one call of `faults`, so a process can die between any two of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count

from shared.cards.model import EMPTY_CARD, Card, Field, Origin, OutlookContact, Stamp
from shared.cards.names import joined, split_name
from shared.engine.sides import NO_TAGS, Folder, FolderStamp, Mailbox, OutlookChanges, OutlookDraft, OutlookWrite
from shared.errors import (
    ChangedMeanwhile,
    ContactError,
    ContactGone,
    FolderMissing,
    InvalidValue,
    MailboxUnavailable,
    PositionExpired,
)
from shared.planning.importing import Person, Unfit
from tests.fakes.faults import Faults
from tests.fakes.imports import Tenant
from tests.fakes.watching import MemoryNotifications

CATEGORY = "Business Central"
MAIN = "main-folder"


@dataclass(slots=True)
class Entry:
    """One contact in a mailbox."""

    contact: OutlookContact
    stamp: Stamp | None = None
    private: bool = False


@dataclass(slots=True)
class MemoryMailbox:
    """One mailbox; port `OutlookSide`."""

    id: str
    faults: Faults
    entries: dict[str, Entry] = field(default_factory=dict)
    folders: dict[str, Folder] = field(default_factory=dict)
    feed: list[str] = field(default_factory=list)  #: contact ids in the order of their changes
    oldest_position: int = 0
    writes: list[str] = field(default_factory=list)  #: what the engine wrote: "create", "write", "remove", "folder"
    removed: list[Entry] = field(default_factory=list)  #: what the engine removed, as it was then
    unmarked: list[Entry] = field(default_factory=list)  #: what it took its marks off
    lacks: set[str] = field(default_factory=set)  #: ids that the next list of the folder leaves out (R25)
    lag: int = 0  #: changes that the next round of the change feed does not show yet
    erased: list[str] = field(default_factory=list)  #: ids that the engine removed for good
    ignores_etags: bool = False
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    # ------------------------------------------------------------ what a user does

    def add(self, folder_id: str, *, private: bool = False, stamp: Stamp | None = None, **values: object) -> str:
        """Create a contact by hand: fields of `Card`, plus `categories` and `more_lines`."""
        number = next(self.numbers)
        key = f"ol-{self.id}-{number:05d}"
        extra = {name: values.pop(name) for name in ("categories", "more_lines", "more_phones") if name in values}
        card = _filled(EMPTY_CARD._replace(**{name: str(value) for name, value in values.items()}))
        contact = OutlookContact(key, f"e{number}", card, folder_id, f"2026-01-01T00:{number:08d}")
        self.entries[key] = Entry(replace(contact, **extra), stamp, private)  # type: ignore[arg-type]
        self.feed.append(key)
        return key

    def edit(self, key: str, **values: object) -> None:
        """Change a contact by hand; the display name follows its parts, as in Outlook."""
        entry = self.entries[key]
        extra = {name: values.pop(name) for name in ("categories", "more_lines", "more_phones") if name in values}
        card = entry.contact.card._replace(**{name: str(value) for name, value in values.items()})
        if {"given_name", "middle_name", "surname"} & set(values) and "name" not in values:
            card = card._replace(name=joined(card.given_name, "", card.surname))
        self._store(key, replace(entry.contact, card=card, **extra))  # type: ignore[arg-type]

    def delete(self, key: str) -> None:
        """Delete a contact by hand."""
        del self.entries[key]
        self.feed.append(key)

    def restore(self, key: str, contact: OutlookContact, stamp: Stamp | None) -> None:
        """Bring a contact back from Deleted Items; its id stays."""
        self.entries[key] = Entry(contact, stamp)
        self._store(key, contact)

    def move(self, key: str, folder_id: str) -> None:
        """Move a contact to another folder."""
        self._store(key, replace(self.entries[key].contact, folder_id=folder_id))

    def copy(self, key: str) -> str:
        """Copy a contact inside its folder: the copy carries the same stamp."""
        entry = self.entries[key]
        copied = self.add(entry.contact.folder_id, private=entry.private, stamp=entry.stamp)
        self._store(copied, replace(entry.contact, id=copied, created=self.entries[copied].contact.created))
        return copied

    def delete_folder(self, folder_id: str) -> None:
        """Delete a folder with all that is in it."""
        del self.folders[folder_id]
        for key in [key for key, entry in self.entries.items() if entry.contact.folder_id == folder_id]:
            self.delete(key)

    def forget_positions(self) -> None:
        """All delta links expire."""
        self.oldest_position = len(self.feed) + 1
        self.feed.append("")

    def in_folder(self, folder_id: str) -> dict[str, OutlookContact]:
        """What the user sees."""
        return {key: entry.contact for key, entry in self.entries.items() if entry.contact.folder_id == folder_id}

    def _store(self, key: str, contact: OutlookContact) -> None:
        number = next(self.numbers)
        self.entries[key].contact = replace(contact, etag=f"e{number}")
        self.feed.append(key)

    # ------------------------------------------------------------ what the engine sees

    def folder(self, folder_id: str, parent_id: str) -> Folder | None:
        """Port."""
        with self.faults.around("graph.folder"):
            return self._main() if folder_id == MAIN else self.folders.get(folder_id)

    def find_folder(self, stamp: FolderStamp) -> Folder | None:
        """Port."""
        with self.faults.around("graph.find_folder"):
            return next((each for each in self.folders.values() if each.stamp == stamp), None)

    def folder_named(self, name: str) -> Folder | None:
        """Port."""
        with self.faults.around("graph.folder_named"):
            return next((each for each in self.folders.values() if each.name.casefold() == name.casefold()), None)

    def main_folder(self) -> Folder:
        """Port."""
        with self.faults.around("graph.main_folder"):
            return self._main()

    def _main(self) -> Folder:
        return Folder(MAIN, "Contacts", "root")

    def create_folder(self, name: str, stamp: FolderStamp | None) -> Folder:
        """Port; also a user's way to make a folder (no stamp)."""
        with self.faults.around("graph.create_folder"):
            if any(each.name.casefold() == name.casefold() for each in self.folders.values()):
                raise InvalidValue("A folder with the specified name already exists.", code="folder-exists")
            folder = Folder(f"folder-{self.id}-{next(self.numbers)}", name, MAIN, stamp)
            self.folders[folder.id] = folder
            self.writes.append("folder")
            return folder

    def rename_folder(self, folder_id: str, name: str) -> Folder:
        """Port."""
        with self.faults.around("graph.rename_folder"):
            self.folders[folder_id] = replace(self.folders[folder_id], name=name)
            self.writes.append("folder")
            return self.folders[folder_id]

    def stamp_folder(self, folder_id: str, stamp: FolderStamp) -> None:
        """Port."""
        with self.faults.around("graph.stamp_folder"):
            self.folders[folder_id] = replace(self.folders[folder_id], stamp=stamp)
            self.writes.append("folder")

    def changes(self, folder_id: str, delta_link: str | None) -> OutlookChanges:
        """Port."""
        with self.faults.around("graph.changes"):
            self._need(folder_id)
            start = int(delta_link.split(":")[1]) if delta_link else 0
            if delta_link and start < self.oldest_position:
                raise PositionExpired("The sync state generation is not found")
            end = max(start, len(self.feed) - self.lag)
            self.lag = 0
            named = dict.fromkeys(each for each in self.feed[start:end] if each)
            here = self.in_folder(folder_id)
            changed = tuple(replace(here[key], marks_known=False) for key in named if key in here)
            removed = tuple(key for key in named if key not in here) if delta_link else ()
            return OutlookChanges(changed, removed, f"delta:{end}")

    def contacts(self, folder_id: str) -> Iterator[OutlookContact]:
        """Port."""
        with self.faults.around("graph.contacts"):
            self._need(folder_id)
            shown = [self._marked(key) for key in self.in_folder(folder_id) if key not in self.lacks]
            self.lacks = set()
            yield from shown

    def read(self, folder_id: str, ids: Sequence[str]) -> Mapping[str, OutlookContact | None]:
        """Port."""
        with self.faults.around("graph.read"):
            here = self.in_folder(folder_id)
            return {key: self._marked(key) if key in here else None for key in ids}

    def find_stamped(self, folder_id: str, bc_ids: Iterable[str]) -> Mapping[str, tuple[OutlookContact, ...]]:
        """Port."""
        with self.faults.around("graph.find_stamped"):
            wanted = set(bc_ids)
            found: dict[str, list[OutlookContact]] = {}
            for key in self.in_folder(folder_id):
                stamp = self.entries[key].stamp
                if stamp and stamp.bc_id in wanted:
                    found.setdefault(stamp.bc_id, []).append(self._marked(key))
            return {key: tuple(sorted(each, key=lambda one: one.created)) for key, each in found.items()}

    def create(self, folder_id: str, drafts: Sequence[OutlookDraft]) -> Sequence[OutlookContact | ContactError]:
        """Port."""
        return [self._create(folder_id, draft) for draft in drafts]

    def _create(self, folder_id: str, draft: OutlookDraft) -> OutlookContact | ContactError:
        try:
            with self.faults.around("graph.create"):
                self._need(folder_id)
                values = {name: value for name, value in draft.card._asdict().items() if value}
                key = self.add(folder_id, stamp=draft.stamp, categories=(CATEGORY,), **values)
                self.writes.append("create")
                return replace(self.entries[key].contact, stamp=draft.stamp)
        except ContactError as error:
            return error

    def write(self, folder_id: str, writes: Sequence[OutlookWrite]) -> Sequence[OutlookContact | ContactError]:
        """Port."""
        return [self._write(write) for write in writes]

    def _write(self, write: OutlookWrite) -> OutlookContact | ContactError:
        try:
            with self.faults.around("graph.write"):
                entry = self.entries.get(write.current.id)
                if entry is None or entry.contact.folder_id != write.current.folder_id:
                    raise ContactGone("The specified object was not found in the store.")
                if entry.contact.etag != write.current.etag and not self.ignores_etags:
                    raise ChangedMeanwhile("The change key does not match.")
                self._apply(entry, write)
                self.writes.append("write")
                return self._marked(write.current.id)
        except ContactError as error:
            return error

    def _apply(self, entry: Entry, write: OutlookWrite) -> None:
        card = entry.contact.card.with_values(write.values)
        if write.name_parts is not None:
            given, middle, surname = write.name_parts
            card = card._replace(given_name=given, middle_name=middle, surname=surname)
        categories = tuple(each for each in entry.contact.categories if each != CATEGORY)
        if write.remove_marks:
            self.unmarked.append(replace(entry))
            entry.stamp = None
        else:
            categories = (*categories, CATEGORY)
            entry.stamp = write.stamp or entry.stamp
        self._store(write.current.id, replace(entry.contact, card=card, categories=categories))

    def remove(
        self, folder_id: str, ids: Sequence[str], *, tags: Mapping[str, str] = NO_TAGS
    ) -> Sequence[ContactError | None]:
        """Port."""
        return [self._remove(key, tags.get(key, "")) for key in ids]

    def erase(self, folder_id: str, ids: Sequence[str]) -> Sequence[ContactError | None]:
        """Port; `erased` remembers what did not go to Deleted Items."""
        outcomes = self.remove(folder_id, ids)
        self.erased += [key for key, outcome in zip(ids, outcomes, strict=True) if outcome is None]
        return outcomes

    def _remove(self, key: str, tag: str) -> ContactError | None:
        try:
            with self.faults.around("graph.remove"):
                if key in self.entries:
                    if tag and tag != self.entries[key].contact.etag and not self.ignores_etags:
                        raise ChangedMeanwhile("The change key does not match.")
                    self.removed.append(replace(self.entries[key]))
                    self.delete(key)
                    self.writes.append("remove")
                return None
        except ContactError as error:
            return error

    def _need(self, folder_id: str) -> None:
        if folder_id != MAIN and folder_id not in self.folders:
            raise FolderMissing("The folder does not exist.")

    def _marked(self, key: str) -> OutlookContact:
        entry = self.entries[key]
        return replace(entry.contact, marks_known=True, stamp=entry.stamp, private=entry.private)


@dataclass(slots=True)
class MemoryDirectory:
    """All mailboxes; port `Directory`."""

    faults: Faults = field(default_factory=Faults)
    mailboxes: dict[str, MemoryMailbox] = field(default_factory=dict)
    unavailable: set[str] = field(default_factory=set)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    tenant: Tenant = field(default_factory=Tenant)
    watch: MemoryNotifications = field(init=False)

    def __post_init__(self) -> None:
        """Graph's subscriptions."""
        self.watch = MemoryNotifications(self.faults, self.clock)

    def notifications(self) -> MemoryNotifications:
        """Port."""
        return self.watch

    def mailbox(self, user: str) -> Mailbox:
        """Port."""
        with self.faults.around("graph.mailbox"):
            key = user.split("@")[0]
            if key in self.unavailable or key not in self.mailboxes:
                raise MailboxUnavailable("There is no such mailbox.", code="no-mailbox")
            return Mailbox(key, f"{key}@contoso.example", "user")

    find = mailbox

    def probe(self, mailbox_id: str) -> None:
        """Port."""
        self.mailbox(mailbox_id)

    def members(self, group_id: str) -> Sequence[Person]:
        """Port."""
        with self.faults.around("graph.members"):
            return self.tenant.members(group_id)

    def find_all(self, names: Sequence[str]) -> Sequence[Person]:
        """Port."""
        with self.faults.around("graph.find"):
            return self.tenant.find_all(names)

    def unusable(self, user_ids: Sequence[str]) -> Sequence[Unfit | None]:
        """Port."""
        with self.faults.around("graph.unusable"):
            return self.tenant.try_mailboxes(user_ids)

    def outlook(self, mailbox_id: str) -> MemoryMailbox:
        """Port; in tests also the way to the user's hands."""
        if mailbox_id in self.unavailable:
            raise MailboxUnavailable("There is no such mailbox.", code="no-mailbox")
        return self.mailboxes.setdefault(mailbox_id, MemoryMailbox(mailbox_id, self.faults))


def _filled(card: Card) -> Card:
    """Outlook's clients fill the parts of a new name, and the name from its parts."""
    if card.name and not (card.given_name or card.middle_name or card.surname):
        given, middle, surname = split_name(card.name)
        return card._replace(given_name=given, middle_name=middle, surname=surname)
    if not card.name:
        return card._replace(name=joined(card.given_name, card.middle_name, card.surname))
    return card


__all__ = ["CATEGORY", "MAIN", "Field", "MemoryDirectory", "MemoryMailbox", "Origin"]
