"""One running system for the session; each test has a company and a directory of its own in it."""

from collections.abc import Iterator

import pytest

from dev.doctor.canary import VARIABLE
from dev.doctor.simulated import OUTSIDER, set_up
from dev.system import System
from dev.system.settings import TRUST
from tests.integration.office import Office, emptied
from tests.integration.surgery import CONSENTED, Surgery

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


@pytest.fixture
def surgery(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Surgery]:
    settings = office.system.settings
    for name in TRUST:
        monkeypatch.setenv(name, settings[name])
    environment = {**settings, "PUBLIC_ADDRESS": office.system.host.https_url, VARIABLE: OUTSIDER}
    made = Surgery(office, environment)
    set_up(office.system)
    office.bc.seed(count=5, companies=1)
    yield made
    made.entra.set_roles("graph", CONSENTED)
    made.entra.set_roles("bc", ["API.ReadWrite.All"])
    office.bc.switch(app_enabled=True)
