"""One running system for the session; each test has a company and a directory of its own in it."""

from collections.abc import Iterator

import pytest

from dev.system import System
from tests.integration.office import Office, emptied

#: Short leases and no pauses between attempts: tests kill the app and let runs fail.
SETTINGS = {
    "LEASE_SECONDS": "15",
    "DEVHOST_MESSAGE_LEASE": "00:00:05",
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00",
    "AzureFunctionsJobHost__extensions__queues__maxDequeueCount": "3",
}


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    with System(settings=SETTINGS) as running:
        yield running


@pytest.fixture
def office(system: System) -> Iterator[Office]:
    with emptied(system) as office:
        yield office
