"""One environment with a company of its own for each test."""

import time
from collections.abc import Iterator

import pytest

from dev.simulators.business_central.control import BusinessCentralControl
from dev.simulators.launch import Simulators, start_simulators
from shared.business_central.company import Company
from shared.business_central.environment import Environment, service
from shared.pace import Pace
from shared.transport.auth import MsalTokens, Secret
from shared.transport.client import Client


@pytest.fixture(scope="package")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    with start_simulators(("entra", "bc"), folder=tmp_path_factory.mktemp("simulators")) as running:
        yield running
        assert running.bc.defects() == []


@pytest.fixture(scope="package")
def client(simulators: Simulators) -> Iterator[Client]:
    at = simulators.addresses
    tokens = MsalTokens(
        authority_host=at.authority_host, tenant=at.tenant, client_id=at.client_id, credential=Secret(at.client_secret)
    )
    environment = service(root=at.bc_root, tenant=at.tenant, environment="Production", scope=at.bc_scope)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", at.ca_file)
        yield Client(environment, tokens, sleep=lambda seconds: None, jitter=lambda: 0.0)


@pytest.fixture
def bc(simulators: Simulators) -> Iterator[BusinessCentralControl]:
    before = simulators.bc.switch()
    simulators.bc.reset()
    simulators.bc.reset_log()
    yield simulators.bc
    simulators.bc.clear_faults()
    simulators.bc.switch(**before)


@pytest.fixture
def pace() -> Pace:
    return Pace(deadline=time.monotonic() + 120)


@pytest.fixture
def environment(client: Client, pace: Pace) -> Environment:
    return Environment(client, pace)


@pytest.fixture
def company(environment: Environment, bc: BusinessCentralControl) -> Company:
    return environment.company(bc.companies()[0]["id"])
