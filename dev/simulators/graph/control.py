"""Acts as Outlook users and administrators on the Graph simulator, from tests, the demo or another process."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dev.simulators.control_client import ControlClient

type Extended = Mapping[str, str]  #: values by property id as Graph writes it


class GraphControl(ControlClient):
    """Control client of the Graph simulator.

    A user is named by id or user principal name; a folder by id, by name, or by "contacts" (the default one) and
    "deleted"; a contact by either of its ids. The methods do what those of `people.People` say.
    """

    # The simulator

    def reset(self) -> None:
        """Remove all users, groups and subscriptions; default switches and permissions, empty throttle windows."""
        self.call("reset")

    def switch(self, **values: Any) -> dict[str, Any]:
        """Set switches (see `switches.py`); returns all of them."""
        return dict(self.call("switch", **values))

    def be_rough(self) -> None:
        """Let delta do often what it may do: duplicates, replays, empty and short pages."""
        self.switch(delta_duplicates=0.3, delta_replays=0.5, delta_empty_pages=0.3, delta_short_pages=0.3)

    def reset_throttle(self) -> None:
        """Empty the throttle windows."""
        self.call("reset_throttle")

    def refuse_once_with_conflict(self, path: str, times: int = 1) -> str:
        """Let requests to a path (regular expression) meet a spurious 412; returns the fault's id."""
        error = {"code": "ErrorIrresolvableConflict", "message": "The change key does not match."}
        return self.add_fault("answer", service="graph", path=path, times=times, status=412, body={"error": error})

    # Administrators

    def create_user(self, user_principal_name: str, **properties: Any) -> str:
        """Add a user with a licensed mailbox (other: mailbox_state=…, purpose="room" …); returns the id."""
        return str(self.call("create_user", user_principal_name=user_principal_name, **properties))

    def delete_user(self, user: str) -> None:
        """Remove a user from the directory."""
        self.call("delete_user", user=user)

    def change_user(self, user: str, **properties: Any) -> None:
        """Change directory properties, such as mail or accountEnabled."""
        self.call("change_user", user=user, **properties)

    def create_group(self, name: str, members: Sequence[str] = (), *, id: str | None = None) -> str:  # noqa: A002
        """Add a group of users, or of groups by id; returns its id."""
        return str(self.call("create_group", name=name, members=list(members), id=id))

    def set_members(self, group: str, members: Sequence[str]) -> None:
        """Replace a group's members: users, or groups by id."""
        self.call("set_members", group=group, members=list(members))

    def delete_group(self, group: str) -> None:
        """Remove a group."""
        self.call("delete_group", group=group)

    def set_mailbox(self, user: str, state: str | None = None, is_full: bool | None = None) -> None:
        """Set a mailbox's state (licensed, unlicensed, inactive, nonexistent, moving …) or whether it is full."""
        self.call("set_mailbox", user=user, state=state, is_full=is_full)

    def grant_rbac(self, users: Sequence[str], *, write: bool = True, delay: float = 0.0) -> None:
        """Replace the RBAC scope of the app by these users, in force after `delay` simulated seconds."""
        self.call("grant_rbac", users=list(users), write=write, delay=delay)

    def block_by_policy(self, users: Sequence[str]) -> None:
        """Replace the users whose mailboxes the application access policy closes."""
        self.call("block_by_policy", users=list(users))

    # Outlook users: contacts

    def create_contact(
        self, user: str, contact: Mapping[str, Any], folder: str = "contacts", extended: Extended | None = None
    ) -> str:
        """Add a contact; returns its immutable id."""
        made = self.call("create_contact", user=user, contact=contact, folder=folder, extended=extended or {})
        return str(made)

    def seed_contacts(
        self,
        user: str,
        contacts: Iterable[Mapping[str, Any]],
        folder: str = "contacts",
        extended: Iterable[Extended] = (),
    ) -> list[str]:
        """Add many contacts; `extended` empty or one mapping per contact. Returns their immutable ids."""
        return list(
            self.call("seed_contacts", user=user, contacts=list(contacts), folder=folder, extended=list(extended))
        )

    def edit_contact(
        self, user: str, contact: str, changes: Mapping[str, Any], extended: Extended | None = None
    ) -> None:
        """Change properties of a contact."""
        self.call("edit_contact", user=user, contact=contact, changes=changes, extended=extended or {})

    def mark_contact(self, user: str, contact: str, sensitivity: int = 2) -> None:
        """Mark a contact: 0 normal, 1 personal, 2 private, 3 confidential."""
        self.call("mark_contact", user=user, contact=contact, sensitivity=sensitivity)

    def move_contact(self, user: str, contact: str, folder: str) -> None:
        """Move a contact to another folder."""
        self.call("move_contact", user=user, contact=contact, folder=folder)

    def copy_contact(self, user: str, contact: str, folder: str) -> str:
        """Copy a contact, extended properties included; returns the copy's immutable id."""
        return str(self.call("copy_contact", user=user, contact=contact, folder=folder))

    def delete_contact(self, user: str, contact: str) -> None:
        """Delete a contact: it goes to Deleted Items."""
        self.call("delete_contact", user=user, contact=contact)

    def undelete_contact(self, user: str, contact: str, folder: str) -> None:
        """Bring a contact back from Deleted Items."""
        self.call("undelete_contact", user=user, contact=contact, folder=folder)

    def purge_contact(self, user: str, contact: str) -> None:
        """Remove a contact for good."""
        self.call("purge_contact", user=user, contact=contact)

    def bump_contact(self, user: str, contact: str) -> None:
        """Advance a contact's change key without a visible change."""
        self.call("bump_contact", user=user, contact=contact)

    # Outlook users: folders

    def create_folder(self, user: str, name: str, parent: str = "contacts", *, hidden: bool = False) -> str:
        """Create a folder, in no list when `hidden`; returns its id."""
        return str(self.call("create_folder", user=user, name=name, parent=parent, hidden=hidden))

    def rename_folder(self, user: str, folder: str, name: str) -> None:
        """Rename a folder."""
        self.call("rename_folder", user=user, folder=folder, name=name)

    def move_folder(self, user: str, folder: str, parent: str) -> None:
        """Move a folder below another."""
        self.call("move_folder", user=user, folder=folder, parent=parent)

    def delete_folder(self, user: str, folder: str, *, purge: bool = False) -> None:
        """Delete a folder: it goes below Deleted Items, or for good."""
        self.call("delete_folder", user=user, folder=folder, purge=purge)

    def expire_delta(self, user: str, folder: str, *, with_location: bool = False) -> None:
        """Let a folder's delta links die: SyncStateNotFound, or a reset with a Location header."""
        self.call("expire_delta", user=user, folder=folder, with_location=with_location)

    # Subscriptions; see `ControlClient` for deliveries

    def subscriptions(self, user: str | None = None) -> list[dict[str, Any]]:
        """Return the subscriptions that have not expired, of one user (by id) or all, oldest first.

        Each with id, user, folder (None: the mailbox), resource, changeType, notificationUrl,
        lifecycleNotificationUrl, clientState, expirationDateTime, immutable, authorized.
        """
        return list(self.call("subscriptions", user=user))

    def remove_subscription(self, subscription: str, *, lifecycle: bool = True) -> None:
        """Take a subscription away, as the service may; `lifecycle`: tell it with subscriptionRemoved."""
        self.call("remove_subscription", subscription=subscription, lifecycle=lifecycle)

    def send_lifecycle(self, subscription: str, event: str) -> None:
        """Send reauthorizationRequired, subscriptionRemoved or missed, and do nothing else."""
        self.call("send_lifecycle", subscription=subscription, event=event)

    def lose_authorization(self, subscription: str, *, lifecycle: bool = True) -> None:
        """Pause delivery until reauthorized or renewed; `lifecycle`: tell it with reauthorizationRequired."""
        self.call("lose_authorization", subscription=subscription, lifecycle=lifecycle)

    def burst(self, subscription: str, count: int, seconds: float = 0.0, *, together: bool = False) -> None:
        """Begin to send made-up notifications: one POST each, spread over real seconds, or all in one POST."""
        self.call("burst", subscription=subscription, count=count, seconds=seconds, together=together)

    # Looking

    def read_mailbox(self, user: str) -> dict[str, Any]:
        """Return {"default_folder", "deleted_items", "folders", "contacts"} (see `People.read_mailbox`)."""
        return dict(self.call("read_mailbox", user=user))

    def contacts_of(self, user: str, folder: str = "contacts") -> list[dict[str, Any]]:
        """Return the contacts of one folder, in the form of `read_mailbox`."""
        return list(self.call("contacts_of", user=user, folder=folder))
