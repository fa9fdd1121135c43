"""A company and some users in the running system, for one test."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dev.simulators.launch import Simulators
from dev.system import System
from dev.system.running import Counts

type Contact = dict[str, Any]
type Report = dict[str, Any]

FOLDER = "Business Central"


class BothSides:
    """Acts as the people of an office, and looks at both sides behind the app's back."""

    def __init__(self, simulators: Simulators) -> None:
        self.bc = simulators.bc
        self.graph = simulators.graph

    # People

    def mailbox(self, name: str) -> str:
        """A user without a profile."""
        address = f"{name}@contoso.example"
        self.graph.create_user(address, displayName=name.title())
        return address

    def persons(self, *names: str, **values: str) -> None:
        """Persons in BC, each with an e-mail address made from the name."""
        self.bc.seed([{"displayName": name, "email": email_of(name), **values} for name in names])

    def edit_in_bc(self, name: str, **values: Any) -> None:
        self.bc.update_contact(self.in_bc()[name]["number"], **values)

    def delete_in_bc(self, name: str) -> None:
        self.bc.delete_contact(self.in_bc()[name]["number"])

    def edit_in_outlook(self, user: str, name: str, **values: Any) -> None:
        self.graph.edit_contact(user, self.in_folder(user)[name]["id"], values)

    def delete_in_outlook(self, user: str, name: str) -> None:
        self.graph.delete_contact(user, self.in_folder(user)[name]["id"])

    def add_in_outlook(self, user: str, name: str, **values: Any) -> None:
        given, _, surname = name.partition(" ")
        contact = {
            "displayName": name,
            "givenName": given,
            "surname": surname,
            "emailAddresses": [{"address": email_of(name), "name": name}],
            **values,
        }
        self.graph.create_contact(user, contact, FOLDER)

    # Looking

    def in_bc(self) -> dict[str, Contact]:
        """BC's contacts by name; fails when two have the same."""
        return _by_name(self.bc.contacts())

    def in_folder(self, user: str, folder: str = FOLDER) -> dict[str, Contact]:
        """The contacts of a user's folder by name; fails when two have the same."""
        return _by_name(self.graph.contacts_of(user, folder))


class Office(BothSides):
    """An office in the running system, which can be asked for syncs."""

    def __init__(self, system: System) -> None:
        super().__init__(system.simulators)
        self.system = system
        self.app = system.app

    def user(self, name: str, **profile: Any) -> str:
        """A user with a mailbox and a profile; answers the address."""
        address = self.mailbox(name)
        self.app.save_profile(address, **profile)
        return address

    def sync(self, user: str, mode: str = "incremental", **members: Any) -> Report:
        """A requested run; must not fail."""
        report = self.app.sync(user, mode, **members)
        assert report["status"] in ("succeeded", "succeeded with notes"), report
        return report

    def settled(self, *users: str) -> None:
        """Let each user's run read the echo of its own writes."""
        for user in users:
            self.sync(user)

    def mark(self) -> int:
        return self.system.mark()

    def counts(self, since: int) -> dict[str, Counts]:
        return self.system.counts(since)

    def writes(self, since: int) -> int:
        """Writes to Graph and BC since a mark."""
        return sum(each.writes for each in self.counts(since).values())


@contextmanager
def emptied(system: System) -> Iterator[Office]:
    """A running system without people and contacts; when the test ends, everything that it caused is over."""
    simulators = system.simulators
    simulators.bc.reset()
    simulators.graph.reset()
    yield Office(system)
    simulators.graph.clear_faults()
    simulators.graph.set_latency("graph")
    system.wait_until_idle()
    system.app.remove_all_profiles()
    assert simulators.graph.defects() == [], "a mistake of the simulators"


def email_of(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@people.example"


def done(report: Mapping[str, Any], side: str = "toOutlook") -> dict[str, int]:
    """What a run did on one side, without what it did not."""
    return {verb: number for verb, number in report[side].items() if number and verb not in ("unchanged", "skipped")}


def codes(report: Mapping[str, Any]) -> set[str]:
    return {note["code"] for note in report["notes"]}


def _by_name(contacts: list[Contact]) -> dict[str, Contact]:
    found = {contact["displayName"]: contact for contact in contacts}
    assert len(found) == len(contacts), "somebody is there twice"
    return found
