"""A system that is told of changes, and users whose folders are watched in it."""

from collections.abc import Iterator
from contextlib import contextmanager

from dev.system import System
from tests.integration.conftest import SETTINGS
from tests.integration.office import Office, emptied

#: short gaps between runs, and sweeps that are due at every tick: a test waits for neither
QUICK = {"RUN_GAP_SECONDS": "0.5", "SWEEP_MINUTES": "0.01"}


def announced_system() -> System:
    """Both services reach the app, and a run soon follows what they say."""
    return System(settings=SETTINGS | QUICK, announced=True)


@contextmanager
def announcing(system: System) -> Iterator[Office]:
    """See `emptied`; Business Central announces without delay."""
    with emptied(system) as office:
        office.bc.switch(notification_delay=0.0)
        yield office


def at_work(office: Office, *users: str, **switches: object) -> list[str]:
    """Users whose first runs are over and whose folders, and company, are watched."""
    office.graph.switch(**switches)
    office.persons("Helen Ray", "David Hodgson")
    addresses = [office.user(each) for each in users]
    for each in addresses:
        office.sync(each)
    office.system.keep_up()
    office.system.tick()
    office.system.wait_until_quiet()
    assert len(office.graph.subscriptions()) == len(users)
    return addresses
