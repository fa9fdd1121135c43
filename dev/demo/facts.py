"""What is really in Business Central and in the mailboxes, asked from the simulators behind the app's back."""

from collections.abc import Mapping
from typing import Any

from dev.demo.cast import User
from dev.system import System

type Contact = Mapping[str, Any]

CATEGORY = "Business Central"


class Facts:
    """Looks at both sides."""

    def __init__(self, system: System) -> None:
        self._graph = system.simulators.graph
        self._bc = system.simulators.bc

    def in_bc(self) -> dict[str, Contact]:
        """BC's contacts by name."""
        return {contact["displayName"]: contact for contact in self._bc.contacts()}

    def in_folder(self, user: User) -> dict[str, Contact]:
        """The contacts in a user's folder by name; of the main folder only those that the sync has its mark on."""
        found = self._graph.contacts_of(user.address, user.place)
        return {contact["displayName"]: contact for contact in found if CATEGORY in (contact.get("categories") or ())}

    def selected_by(self, user: User) -> set[str]:
        """The names that a user's filter should select (R1), worked out here and not by the app."""
        return {
            name
            for name, contact in self.in_bc().items()
            if contact["type"] == "Person"
            and contact["email"]
            and not contact["privacyBlocked"]
            and user.wants(contact)
        }


def writes(system: System, mark: int) -> int:
    """How many writes the services were asked for since a mark."""
    return sum(each.writes for each in system.counts(mark).values())


def phone(contact: Contact) -> str:
    """An Outlook contact's first business phone."""
    return next(iter(contact.get("businessPhones") or ()), "")


def town(contact: Contact) -> str:
    """Where an Outlook contact is: its town, or its post code."""
    address = contact.get("businessAddress") or {}
    return str(address.get("city") or address.get("postalCode") or "")


def country(contact: Contact) -> str:
    """In which country an Outlook contact is."""
    return str((contact.get("businessAddress") or {}).get("countryOrRegion") or "")


def email(contact: Contact) -> str:
    """An Outlook contact's first e-mail address, in small letters."""
    return next((str(each["address"]).lower() for each in contact.get("emailAddresses") or ()), "")
