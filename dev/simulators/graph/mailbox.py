"""One user's contacts and contact folders, and the log of changes that delta reads.

Pure state: every change a client or a person makes goes through the methods here, which keep ids, change keys, time
stamps and the folders' change logs right. What is allowed is decided by the callers.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dev.simulators.graph.extended import PropertyKey
from dev.simulators.graph.ids import Form, change_key, make_id
from dev.simulators.graph.schema import NAME_PARTS, place_email_slots
from dev.simulators.graph.switches import Switches
from dev.simulators.graph.sync_state import Change, SyncState


@dataclass(slots=True)
class Contact:
    """One contact. `values` holds the writable properties in the form of `schema.read_contact`."""

    uid: int  #: number in the mailbox, never reused
    folder: str
    default_id: str
    immutable_id: str
    values: dict[str, Any]
    extended: dict[PropertyKey, str]
    created: str
    modified: str
    change_number: int
    found_from: float = 0.0  #: simulated time from which find-by-key sees the latest change
    changed_in: dict[str, int] = field(default_factory=dict)  #: sequence of the last change of each property

    @property
    def change_key(self) -> str:
        """The change key, which is also inside the ETag."""
        return change_key(self.change_number)


@dataclass(slots=True)
class Folder:
    """A contact folder, or Deleted Items."""

    id: str
    name: str
    parent: str
    extended: dict[PropertyKey, str] = field(default_factory=dict)
    hidden: bool = False  #: in no list, but its name is taken
    members: dict[int, None] = field(default_factory=dict)  #: uids in order of arrival
    sync: SyncState = field(default_factory=SyncState)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a contact, or to a whole folder, for those who subscribed to it."""

    mailbox: "Mailbox"
    kind: str  #: created, updated, moved, deleted (to Deleted Items), purged; folder-deleted, folder-purged
    folder: str  #: where it happened; of a move, where the contact was
    contact: Contact | None = None
    ids: tuple[str, str] = ("", "")  #: default and immutable id that the contact had there


class Mailbox:
    """Folders and contacts of one user."""

    def __init__(
        self,
        user_id: str,
        switches: Switches,
        now: Callable[[], float],
        stamp: Callable[[], str],
        tell: Callable[[Event], None] = lambda _: None,
    ) -> None:
        """Make a mailbox with an empty default Contacts folder.

        `now` and `stamp` tell the simulated time; `tell` hears of every change after it was made.
        """
        self.user_id = user_id
        self._tell = tell
        self._switches = switches
        self._now = now
        self._stamp = stamp
        self._numbers = 0
        self._sequence = 0
        self._contacts: dict[int, Contact] = {}
        self._uids: dict[str, int] = {}
        self.folders: dict[str, Folder] = {}
        self.root = self._new_id()
        self.deleted_items = self._add_folder("Deleted Items", self.root).id
        self.default_folder = self._add_folder("Contacts", self.root).id

    # Looking

    def contact(self, id: str) -> Contact | None:  # noqa: A002 - the contract's word
        """Return the contact with this id, in either form, wherever it is."""
        uid = self._uids.get(id)
        return None if uid is None else self._contacts[uid]

    def contact_by_uid(self, uid: int) -> Contact | None:
        """Return a contact that still exists, by its number."""
        return self._contacts.get(uid)

    def contacts(self, folder_id: str | None = None) -> Iterator[Contact]:
        """Yield the contacts of one folder in order of arrival, or all of the mailbox."""
        uids: Iterable[int] = self._contacts if folder_id is None else self.folders[folder_id].members
        for uid in list(uids):
            yield self._contacts[uid]

    def children(self, folder_id: str) -> list[Folder]:
        """Return the folders right below a folder, hidden ones included."""
        return [folder for folder in self.folders.values() if folder.parent == folder_id]

    def sibling(self, parent: str, name: str) -> Folder | None:
        """Return the folder below `parent` that has this name, in any case."""
        wanted = name.strip().casefold()
        return next((one for one in self.children(parent) if one.name.strip().casefold() == wanted), None)

    def is_deleted(self, folder_id: str) -> bool:
        """Tell whether a folder is, or is somewhere below, Deleted Items."""
        while folder_id in self.folders:
            if folder_id == self.deleted_items:
                return True
            folder_id = self.folders[folder_id].parent
        return False

    # Folders

    def add_folder(self, name: str, parent: str, extended: dict[PropertyKey, str] | None = None) -> Folder:
        """Create a folder."""
        folder = self._add_folder(name, parent)
        folder.extended.update(extended or {})
        return folder

    def delete_folder(self, folder: Folder) -> None:
        """Move a folder below Deleted Items, with all that is in it."""
        folder.parent = self.deleted_items
        self._tell(Event(self, "folder-deleted", folder.id))

    def purge_folder(self, folder: Folder) -> None:
        """Remove a folder, its subfolders and contacts for good."""
        for child in self.children(folder.id):
            self.purge_folder(child)
        self._tell(Event(self, "folder-purged", folder.id))
        for contact in list(self.contacts(folder.id)):
            self._purge(contact)
        del self.folders[folder.id]

    # Contacts

    def create(self, folder_id: str, values: dict[str, Any], extended: dict[PropertyKey, str] | None = None) -> Contact:
        """Add a contact to a folder."""
        uid = self._next_number()
        stamp = self._stamp()
        contact = Contact(
            uid,
            folder_id,
            make_id(Form.DEFAULT, self.user_id, uid, 0),
            make_id(Form.IMMUTABLE, self.user_id, uid),
            self._named(place_email_slots(values, []), {}),
            dict(extended or {}),
            stamp,
            stamp,
            self._next_number(),
        )
        self._contacts[uid] = contact
        self._uids[contact.default_id] = self._uids[contact.immutable_id] = uid
        self._touch(contact, contact.values)
        self._arrive(contact)
        self._happened("created", contact)
        return contact

    def update(self, contact: Contact, values: dict[str, Any], extended: dict[PropertyKey, str] | None = None) -> None:
        """Save changed properties; the change key advances even when nothing differs."""
        values = self._named(place_email_slots(values, contact.values.get("emailAddresses") or []), contact.values)
        only_stamp = not values and bool(extended)
        contact.values.update(values)
        contact.extended.update(extended or {})
        contact.modified, contact.change_number = self._stamp(), self._next_number()
        if only_stamp and not self._switches.stamp_only_change_in_delta:
            contact.found_from = self._now() + self._switches.find_delay
            return
        self._touch(contact, values)
        self._record(contact.folder, contact.uid, present=True)
        self._happened("updated", contact)

    def bump(self, contact: Contact) -> None:
        """Advance the change key without a visible change, as server-side processing does (reference 1.3)."""
        contact.change_number = self._next_number()
        self._record(contact.folder, contact.uid, present=True)
        self._happened("updated", contact)

    def move(self, contact: Contact, folder_id: str) -> None:
        """Move a contact: new default id, same immutable id, gone from one folder's delta and new in the other's."""
        self._leave(contact, self._switches.removed_reason_on_move)
        before = Event(self, "moved", contact.folder, contact, (contact.default_id, contact.immutable_id))
        del self._uids[contact.default_id]
        contact.folder = folder_id
        contact.change_number = self._next_number()
        contact.default_id = make_id(Form.DEFAULT, self.user_id, contact.uid, contact.change_number)
        self._uids[contact.default_id] = contact.uid
        self._arrive(contact)
        self._tell(before)

    def copy(self, contact: Contact, folder_id: str) -> Contact:
        """Copy a contact as Outlook does: a new item with the same extended properties (reference 5)."""
        return self.create(folder_id, dict(contact.values), contact.extended)

    def delete(self, contact: Contact) -> None:
        """Move a contact to Deleted Items."""
        self._happened("deleted", contact)
        self._leave(contact, "deleted")
        contact.folder = self.deleted_items
        self._arrive(contact)

    def purge(self, contact: Contact) -> None:
        """Remove a contact for good."""
        self._happened("purged", contact)
        self._purge(contact)

    # Bookkeeping

    def _happened(self, kind: str, contact: Contact) -> None:
        self._tell(Event(self, kind, contact.folder, contact, (contact.default_id, contact.immutable_id)))

    def _purge(self, contact: Contact) -> None:
        self._leave(contact, "deleted")
        del self._uids[contact.default_id], self._uids[contact.immutable_id], self._contacts[contact.uid]

    def _add_folder(self, name: str, parent: str) -> Folder:
        folder = Folder(self._new_id(), name, parent)
        self.folders[folder.id] = folder
        return folder

    def _named(self, values: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        """Add what the server makes of changed name parts when the client does not say (reference 1.4)."""
        changed = any(part in values and values[part] != before.get(part) for part in NAME_PARTS)
        if not changed or not self._switches.regenerate_display_name:
            return dict(values)
        given, surname = (values.get(part, before.get(part)) for part in NAME_PARTS)
        made = {
            "displayName": " ".join(part for part in (given, surname) if part) or None,
            "fileAs": ", ".join(part for part in (surname, given) if part) or None,
        }
        return {**made, **values}

    def _touch(self, contact: Contact, values: Iterable[str]) -> None:
        contact.found_from = self._now() + self._switches.find_delay
        for name in values:
            contact.changed_in[name] = self._sequence + 1

    def _arrive(self, contact: Contact) -> None:
        self.folders[contact.folder].members[contact.uid] = None
        self._record(contact.folder, contact.uid, present=True)

    def _leave(self, contact: Contact, reason: str) -> None:
        del self.folders[contact.folder].members[contact.uid]
        # The removal names the contact by the ids it had in this folder
        self._record(
            contact.folder, contact.uid, present=False, reason=reason, ids=(contact.default_id, contact.immutable_id)
        )

    def _record(
        self, folder_id: str, uid: int, present: bool, reason: str = "", ids: tuple[str, str] = ("", "")
    ) -> None:
        self._sequence += 1
        self.folders[folder_id].sync.record(Change(self._sequence, uid, present, self._now(), reason, ids))

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _new_id(self) -> str:
        return make_id(Form.FOLDER, self.user_id, self._next_number())
