"""Two hosts on one storage, and every message twenty times, late and out of order: nothing is written twice (R29, R30).

A town's users have the town's contacts. In each of two waves every contact changes at most once, so that the number of
writes is known: whoever writes to one again, or makes somebody again, does what was done.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pytest
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from dev.host import DevelopmentHost
from dev.system import System
from shared.engine.jobs import sync_job
from tests.integration.office import Office

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(900)]

PROFILES, TOWNS, PERSONS = 200, 20, 3
DUPLICATES, WAVES = 20, 2
#: to contacts, at Graph and at BC
WRITES = ("contacts.create", "contacts.update", "contacts.delete", "create contact", "update contact", "delete contact")
LATEST = 15  #: seconds by which a duplicate is late, at most


@pytest.fixture
def office() -> Iterator[Office]:
    """A system of its own: what the test leaves behind goes with it."""
    with System(settings={"LEASE_SECONDS": "15"}) as system, DevelopmentHost(settings=system.settings):
        system.simulators.bc.reset()
        yield Office(system)
        assert system.simulators.graph.defects() == [], "a mistake of the simulators"


class Towns:
    """Persons and users by town, and what is to be seen in the end."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.persons = {town: [f"Person {town} {number}" for number in range(PERSONS)] for town in _towns()}
        for town, names in self.persons.items():
            office.persons(*names, city=town)
        self.users: dict[str, list[str]] = {town: [] for town in _towns()}
        self.mailboxes: list[str] = []
        for number in range(PROFILES):
            user, town = f"user{number}@contoso.example", _towns()[number % TOWNS]
            self.mailboxes.append(office.graph.create_user(user))
            self.users[town].append(user)
            office.app.save_profile(user, filter={"city": town})

    def change(self) -> None:
        """In each town: a new title in BC, a mobile number that a user types, and somebody new in another's folder."""
        for town, (first, second, *_) in self.users.items():
            self.office.edit_in_bc(self.persons[town][0], jobTitle="Mayor")
            self.office.edit_in_outlook(first, self.persons[town][1], mobilePhone="+44 7700 900123")
            newcomer = f"Newcomer {town}"
            self.office.add_in_outlook(second, newcomer, businessAddress={"city": town})
            self.persons[town].append(newcomer)

    def check(self) -> None:
        """Everybody has the town's contacts as BC has them, once (`in_bc` and `in_folder` fail otherwise)."""
        in_bc = self.office.in_bc()
        assert in_bc.keys() == {name for names in self.persons.values() for name in names}
        for town, users in self.users.items():
            for user in users:
                folder = self.office.in_folder(user)
                assert folder.keys() == set(self.persons[town]), user
                for name, contact in folder.items():
                    assert (contact.get("jobTitle") or "") == in_bc[name]["jobTitle"], (user, name)
                    assert (contact.get("mobilePhone") or "") == in_bc[name]["mobilePhoneNumber"], (user, name)


def test_two_hosts_and_each_message_twenty_times_write_nothing_twice(
    office: Office, record_property: Callable[[str, object], None]
) -> None:
    towns, luck = Towns(office), random.Random(7)  # noqa: S311 - the same disorder every time
    each_town = PROFILES // TOWNS  # users

    first = _wave(towns, luck)
    towns.change()
    second = _wave(towns, luck)

    assert first == {"contacts.create": PROFILES * PERSONS}
    assert second == {
        "contacts.update": PROFILES + TOWNS * (each_town - 1) + TOWNS,  # titles, mobile numbers, marks of newcomers
        "contacts.create": TOWNS * (each_town - 1),  # newcomers, for the others
        "update contact": TOWNS,  # mobile numbers
        "create contact": TOWNS,  # newcomers
    }
    record_property("figure", ("profiles synced by two hosts, nothing written twice", PROFILES))
    record_property("figure", ("duplicates of their messages, late and out of order", PROFILES * DUPLICATES))


def _wave(towns: Towns, luck: random.Random) -> dict[str, int]:
    """Everybody is to be synced, and the messages come again and again. Answers the writes to contacts, by kind."""
    office = towns.office
    mark = office.mark()
    office.app.admin("POST", "/api/admin/sync", {"mode": "incremental"})
    _deliver(office.system, towns.mailboxes, luck)
    office.system.wait_until_idle(timeout=600)
    towns.check()
    writes = [each for each in office.graph.log(since=mark) if each["kind"] in WRITES]
    changed = Counter((each["method"], each["path"]) for each in writes if each["method"] != "POST")
    assert set(changed.values()) <= {1}, "a contact was written to again"
    return dict(Counter(each["kind"] for each in writes))


def _deliver(system: System, mailboxes: Sequence[str], luck: random.Random) -> None:
    """A wave's share of each mailbox's duplicates."""
    messages = [sync_job(each) for each in mailboxes] * (DUPLICATES // WAVES)
    luck.shuffle(messages)
    with QueueClient.from_connection_string(
        system.azurite.connection_string,
        f"{system.settings['STORAGE_PREFIX']}-sync-jobs",
        message_encode_policy=TextBase64EncodePolicy(),
        api_version="2025-11-05",
    ) as queue:
        for message in messages:
            queue.send_message(message, visibility_timeout=luck.randrange(LATEST + 1))


def _towns() -> list[str]:
    return [f"Town {number}" for number in range(TOWNS)]
