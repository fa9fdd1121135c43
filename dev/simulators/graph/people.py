"""What people do: Outlook users in their mailboxes, administrators in the tenant, and tests with the simulator itself.

Reached through the control interface only; see `control.py` for the client. A user is named by id or user principal
name; a folder by id, by name, or by "contacts" (the default one) and "deleted"; a contact by either of its ids.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dev.simulators.control import Action
from dev.simulators.graph.access import MAILBOX_STATES, Access, Grant
from dev.simulators.graph.directory import Directory, User
from dev.simulators.graph.extended import SENSITIVITY, PropertyKey, parse_key
from dev.simulators.graph.groups import Groups
from dev.simulators.graph.mailbox import Contact, Folder, Mailbox
from dev.simulators.graph.notifications import Notifications
from dev.simulators.graph.refusals import Refused
from dev.simulators.graph.schema import read_contact
from dev.simulators.graph.switches import Switches
from dev.simulators.graph.throttle import Throttle
from dev.simulators.world import CLIENT_ID, World

type Extended = Mapping[str, str]  #: values by property id as Graph writes it


class People:
    """The actions of the Graph simulator's control interface."""

    def __init__(
        self,
        world: World,
        switches: Switches,
        directory: Directory,
        groups: Groups,
        access: Access,
        throttle: Throttle,
        notifications: Notifications,
    ) -> None:
        """Act on the given parts."""
        self._world = world
        self._switches = switches
        self._directory = directory
        self._groups = groups
        self._access = access
        self._throttle = throttle
        self._notifications = notifications

    def actions(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            name: getattr(self, name) for name in vars(type(self)) if not name.startswith("_") and name != "actions"
        }

    # The simulator

    def reset(self) -> None:
        """Remove all users, groups and subscriptions; default switches and permissions, empty throttle windows."""
        self._notifications.reset()
        self._directory.users.clear()
        self._groups.all.clear()
        self._switches.reset()
        self._access.grants.clear()
        self._access.blocked_by_policy.clear()
        self._throttle.reset()

    def switch(self, **values: Any) -> dict[str, Any]:
        """Set switches; returns all of them."""
        self._switches.change(**values)
        return asdict(self._switches)

    def reset_throttle(self) -> None:
        """Empty the throttle windows."""
        self._throttle.reset()

    # Administrators

    def create_user(self, user_principal_name: str, **properties: Any) -> str:
        """Add a user; returns the id."""
        return self._directory.add(user_principal_name, **properties).id

    def delete_user(self, user: str) -> None:
        """Remove a user from the directory."""
        del self._directory.users[self._user(user).id]

    def change_user(self, user: str, **properties: Any) -> None:
        """Change directory properties, such as mail or accountEnabled."""
        self._user(user).properties.update(properties)

    def create_group(self, name: str, members: Sequence[str] = (), id: str | None = None) -> str:  # noqa: A002
        """Add a group of users, or of groups by id; returns its id."""
        group = self._groups.add(name, id)
        self.set_members(group.id, members)
        return group.id

    def set_members(self, group: str, members: Sequence[str]) -> None:
        """Replace a group's members: users, or groups by id."""
        self._groups.all[group].members = [
            each if each in self._groups.all else self._user(each).id for each in members
        ]

    def delete_group(self, group: str) -> None:
        """Remove a group."""
        del self._groups.all[group]

    def set_mailbox(self, user: str, state: str | None = None, is_full: bool | None = None) -> None:
        """Set a mailbox's state (a key of `access.MAILBOX_STATES`) or whether it is full."""
        found = self._user(user)
        if state is not None:
            if state not in MAILBOX_STATES:
                raise ValueError(f"no mailbox state {state!r}; there are {sorted(MAILBOX_STATES)}")
            found.mailbox_state = state
        if is_full is not None:
            found.is_full = is_full

    def grant_rbac(
        self, users: Sequence[str], write: bool = True, delay: float = 0.0, client_id: str = CLIENT_ID
    ) -> None:
        """Replace an app's RBAC scope by these users, in force after `delay` simulated seconds."""
        self._access.grants[:] = [grant for grant in self._access.grants if grant.client_id != client_id]
        ids = frozenset(self._user(user).id for user in users)
        self._access.grants.append(Grant(client_id, ids, write, self._world.clock.timestamp() + delay))

    def block_by_policy(self, users: Sequence[str]) -> None:
        """Replace the users whose mailboxes the application access policy closes."""
        self._access.blocked_by_policy = {self._user(user).id for user in users}

    # Outlook users: contacts

    def create_contact(
        self, user: str, contact: dict[str, Any], folder: str = "contacts", extended: Extended | None = None
    ) -> str:
        """Add a contact; returns its immutable id."""
        return self.seed_contacts(user, [contact], folder, [extended or {}])[0]

    def seed_contacts(
        self,
        user: str,
        contacts: Sequence[dict[str, Any]],
        folder: str = "contacts",
        extended: Sequence[Extended] = (),
    ) -> list[str]:
        """Add many contacts; `extended` empty or one mapping per contact. Returns their immutable ids."""
        mailbox = self._mailbox(user)
        target = _folder(mailbox, folder)
        stamps = [_keys(one) for one in extended] or [{}] * len(contacts)
        return [
            mailbox.create(target.id, _values(values, self._switches), stamp).immutable_id
            for values, stamp in zip(contacts, stamps, strict=True)
        ]

    def edit_contact(self, user: str, contact: str, changes: dict[str, Any], extended: Extended | None = None) -> None:
        """Change properties of a contact."""
        mailbox = self._mailbox(user)
        mailbox.update(_contact(mailbox, contact), _values(changes, self._switches), _keys(extended or {}))

    def mark_contact(self, user: str, contact: str, sensitivity: int = 2) -> None:
        """Mark a contact: 0 normal, 1 personal, 2 private, 3 confidential."""
        mailbox = self._mailbox(user)
        mailbox.update(_contact(mailbox, contact), {}, {SENSITIVITY: str(sensitivity)})

    def move_contact(self, user: str, contact: str, folder: str) -> None:
        """Move a contact to another folder."""
        mailbox = self._mailbox(user)
        mailbox.move(_contact(mailbox, contact), _folder(mailbox, folder).id)

    def copy_contact(self, user: str, contact: str, folder: str) -> str:
        """Copy a contact, extended properties included; returns the copy's immutable id."""
        mailbox = self._mailbox(user)
        return mailbox.copy(_contact(mailbox, contact), _folder(mailbox, folder).id).immutable_id

    def delete_contact(self, user: str, contact: str) -> None:
        """Delete a contact: it goes to Deleted Items."""
        mailbox = self._mailbox(user)
        mailbox.delete(_contact(mailbox, contact))

    def undelete_contact(self, user: str, contact: str, folder: str) -> None:
        """Bring a contact back from Deleted Items."""
        self.move_contact(user, contact, folder)

    def purge_contact(self, user: str, contact: str) -> None:
        """Remove a contact for good."""
        mailbox = self._mailbox(user)
        mailbox.purge(_contact(mailbox, contact))

    def bump_contact(self, user: str, contact: str) -> None:
        """Advance a contact's change key without a visible change."""
        mailbox = self._mailbox(user)
        mailbox.bump(_contact(mailbox, contact))

    # Outlook users: folders

    def create_folder(self, user: str, name: str, parent: str = "contacts", hidden: bool = False) -> str:
        """Create a folder, in no list when `hidden`; returns its id."""
        mailbox = self._mailbox(user)
        folder = mailbox.add_folder(name, _folder(mailbox, parent).id)
        folder.hidden = hidden
        return folder.id

    def rename_folder(self, user: str, folder: str, name: str) -> None:
        """Rename a folder."""
        _folder(self._mailbox(user), folder).name = name

    def move_folder(self, user: str, folder: str, parent: str) -> None:
        """Move a folder below another."""
        mailbox = self._mailbox(user)
        _folder(mailbox, folder).parent = _folder(mailbox, parent).id

    def delete_folder(self, user: str, folder: str, purge: bool = False) -> None:
        """Delete a folder: it goes below Deleted Items, or for good."""
        mailbox = self._mailbox(user)
        target = _folder(mailbox, folder)
        if purge or not self._switches.deleted_folder_resolves:
            mailbox.purge_folder(target)
        else:
            mailbox.delete_folder(target)

    def expire_delta(self, user: str, folder: str, with_location: bool = False) -> None:
        """Let a folder's delta links die: SyncStateNotFound, or a reset with a Location header."""
        sync = _folder(self._mailbox(user), folder).sync
        if with_location:
            sync.forced_reset = "location"
        else:
            sync.forget_links()

    # Looking

    def read_mailbox(self, user: str) -> dict[str, Any]:
        """Return all folders and contacts of a mailbox.

        {"default_folder": id, "deleted_items": id, "folders": [...], "contacts": [...]}; texts that are empty are
        None, whatever `empty_form` shows to clients.
        """
        mailbox = self._mailbox(user)
        return {
            "default_folder": mailbox.default_folder,
            "deleted_items": mailbox.deleted_items,
            "folders": [_folder_facts(folder) for folder in mailbox.folders.values()],
            "contacts": [_contact_facts(contact) for contact in mailbox.contacts()],
        }

    def contacts_of(self, user: str, folder: str = "contacts") -> list[dict[str, Any]]:
        """Return the contacts of one folder, in the form of `read_mailbox`."""
        mailbox = self._mailbox(user)
        return [_contact_facts(contact) for contact in mailbox.contacts(_folder(mailbox, folder).id)]

    def _user(self, name: str) -> User:
        found = self._directory.find(name, Switches())
        if found is None:
            raise LookupError(f"no user {name}")
        return found

    def _mailbox(self, user: str) -> Mailbox:
        return self._user(user).mailbox


def _folder(mailbox: Mailbox, name: str) -> Folder:
    known = {"contacts": mailbox.default_folder, "deleted": mailbox.deleted_items}
    if name in known or name in mailbox.folders:
        return mailbox.folders[known.get(name, name)]
    found = [one for one in mailbox.folders.values() if one.name == name and not mailbox.is_deleted(one.id)]
    if len(found) != 1:
        raise LookupError(f"{len(found)} folders are called {name!r}")
    return found[0]


def _contact(mailbox: Mailbox, name: str) -> Contact:
    found = mailbox.contact(name)
    if found is None:
        raise LookupError("no such contact")
    return found


def _values(body: dict[str, Any], switches: Switches) -> dict[str, Any]:
    try:
        return read_contact(body, switches)
    except Refused as refused:
        raise ValueError(str(refused)) from None


def _keys(extended: Extended) -> dict[PropertyKey, str]:
    try:
        return {parse_key(name): value for name, value in extended.items()}
    except Refused as refused:
        raise ValueError(str(refused)) from None


def _folder_facts(folder: Folder) -> dict[str, Any]:
    return {
        "id": folder.id,
        "displayName": folder.name,
        "parentFolderId": folder.parent,
        "hidden": folder.hidden,
        "contacts": len(folder.members),
        "extended": _readable(folder.extended),
    }


def _contact_facts(contact: Contact) -> dict[str, Any]:
    return {
        **contact.values,
        "id": contact.immutable_id,
        "defaultId": contact.default_id,
        "parentFolderId": contact.folder,
        "changeKey": contact.change_key,
        "createdDateTime": contact.created,
        "lastModifiedDateTime": contact.modified,
        "extended": _readable(contact.extended),
    }


def _readable(extended: Mapping[PropertyKey, str]) -> dict[str, str]:
    """Return values by property id, as Graph writes it."""
    names = {"clsid": "CLSID", "applicationtime": "ApplicationTime", "systemtime": "SystemTime"}
    found = {}
    for key, value in extended.items():
        kind = names.get(key.type, key.type.capitalize())
        word = "Id" if key.set and key.name.startswith("0x") else "Name"
        found[f"{kind} {key.set} {word} {key.name}" if key.set else f"{kind} {key.name}"] = value
    return found
