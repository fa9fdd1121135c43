"""The host is ended by `kill -9` at twenty points of its work, and nothing is lost or doubled (R9, R30).

A request to Graph or Business Central gets no answer; while the host waits for it, it is killed, before or after that
request took effect. Eight users work on, and the host begins anew, until it has died twenty times.
"""

import time
from collections.abc import Callable, Iterator

import pytest

from dev.system import System
from tests.integration.office import Office, email_of

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(600)]

#: The shortest lease, attempts without end, and one mailbox at a time: so a kill leaves one mailbox leased, not all.
SETTINGS = {
    "LEASE_SECONDS": "15",
    "ATTEMPTS_MOST": "100",
    "DEVHOST_MESSAGE_LEASE": "00:00:03",
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00",
    "AzureFunctionsJobHost__extensions__queues__maxDequeueCount": "100",
    "AzureFunctionsJobHost__extensions__queues__batchSize": "1",
    "AzureFunctionsJobHost__extensions__queues__newBatchThreshold": "0",
}
USERS = ("ada", "ben", "cleo", "dan", "eve", "finn", "gus", "hal")
STAFF = [f"Person {name.title()}" for name in USERS]  #: each user's own person in BC, whose mobile number she types
LEAVERS = [f"Leaver {number}" for number in range(5)]
DEATHS = 20


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with System(settings=SETTINGS) as system:
        system.simulators.bc.reset()
        yield Office(system)
        assert system.simulators.graph.defects() == [], "a mistake of the simulators"


class Day:
    """What the users do between two deaths, and what must have come of it."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.titles: dict[str, str] = {}
        self.mobiles: dict[str, str] = {}
        self.there = {*STAFF, *LEAVERS, "Stayer"}
        office.persons(*sorted(self.there))
        self.users = [office.mailbox(name) for name in USERS]
        for number, user in enumerate(self.users):
            office.graph.create_folder(user, "Business Central")
            office.add_in_outlook(user, STAFF[number], jobTitle="Friend")  # a first match
            office.app.save_profile(user)

    def work(self, number: int) -> None:
        """Changes on both sides; then everybody wants a sync."""
        office, user = self.office, self.users[number % len(self.users)]
        person = STAFF[number % len(STAFF)]
        self.titles[STAFF[(number + 3) % len(STAFF)]] = f"Chief {number}"
        office.edit_in_bc(STAFF[(number + 3) % len(STAFF)], jobTitle=f"Chief {number}")
        if number % 4 == 3:
            leaver = LEAVERS[number // 4]
            office.delete_in_bc(leaver)
            self.there.discard(leaver)
        newcomer = f"Newcomer {number}"
        office.add_in_outlook(user, newcomer)
        self.there.add(newcomer)
        folder = office.in_folder(user)
        if person in folder:
            self.mobiles[person] = f"+44 7700 9000{number:02d}"
            office.edit_in_outlook(user, person, mobilePhone=self.mobiles[person])
        if "Stayer" in folder:
            office.delete_in_outlook(user, "Stayer")  # comes back (R23)
        for each in self.users:
            office.app.ask(each)

    def check(self) -> None:
        """Both sides are as if nothing had happened; `in_bc` and `in_folder` fail when somebody is there twice."""
        in_bc = self.office.in_bc()
        assert in_bc.keys() == self.there
        for name, title in self.titles.items():
            assert in_bc[name]["jobTitle"] == title, name
        for name, mobile in self.mobiles.items():
            assert in_bc[name]["mobilePhoneNumber"] == mobile, name
        for user in self.users:
            folder = self.office.in_folder(user)
            assert folder.keys() == self.there, user
            for name, person in in_bc.items():
                twin = folder[name]
                assert [each["address"] for each in twin["emailAddresses"]] == [email_of(name)]
                seen = (twin.get("jobTitle") or "", twin.get("mobilePhone") or "")
                assert seen == (person["jobTitle"], person["mobilePhoneNumber"]), (user, name)


def test_twenty_times_killed_and_nothing_is_lost_or_doubled(
    office: Office, record_property: Callable[[str, object], None]
) -> None:
    day, system = Day(office), office.system
    points: set[tuple[str, str, int, str]] = set()
    for number in range(DEATHS):
        act = ("silence", "lost-silence")[number % 2]
        nth = number // 2  # small numbers: a new host begins with the mailboxes that nobody has leased
        mark = office.mark()
        fault = office.graph.add_fault(act, service=("graph", "graph", "bc")[number % 3], item=False, skip=nth)
        day.work(number)
        _until(lambda fault=fault: _has_acted(office, fault))

        system.host.kill()

        office.graph.clear_faults()
        (met,) = [each for each in office.graph.log(since=mark) if each["fault"] == fault]
        points.add((met["service"], met["kind"], nth, act))
        system.restart_app()
    record_property("figure", ("different points at which the host was killed, all of them survived", len(points)))
    assert len(points) == DEATHS

    system.wait_until_idle()
    system.tick()
    day.check()
    mark = office.mark()
    for user in day.users:
        office.sync(user, "full")
    system.tick()
    assert office.writes(mark) == 0, "nothing is left to do"


def _has_acted(office: Office, fault: str) -> bool:
    return any(each["id"] == fault and each["acted"] for each in office.graph.faults())


def _until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "the host has no work, or does not do it"
        time.sleep(0.02)
