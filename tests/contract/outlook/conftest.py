"""One Graph, one user, one folder; each test with every way in which the service may behave."""

from collections.abc import Iterator

import pytest

from dev.simulators.graph.control import GraphControl
from dev.simulators.launch import Simulators, start_simulators
from shared.engine.sides import Folder, OutlookSide
from shared.outlook.directory import OutlookDirectory
from shared.outlook.service import graph_service
from shared.pace import Pace
from shared.transport.auth import MsalTokens, Secret
from shared.transport.client import Client
from tests.contract.outlook.office import ADDRESS, CATEGORY, SERVICES, STAMP, Outlook
from tests.fakes.http_service import FakeTime


@pytest.fixture(scope="package")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    with start_simulators(("entra", "graph"), folder=tmp_path_factory.mktemp("simulators")) as running:
        yield running
        assert running.graph.defects() == []


@pytest.fixture(scope="package")
def trusted(simulators: Simulators) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", simulators.addresses.ca_file)
        yield


@pytest.fixture(params=list(SERVICES))
def graph(request: pytest.FixtureRequest, simulators: Simulators) -> Iterator[GraphControl]:
    simulators.graph.reset()
    simulators.graph.reset_log()
    simulators.graph.switch(**SERVICES[request.param])
    yield simulators.graph
    simulators.graph.clear_faults()


@pytest.fixture
def directory(simulators: Simulators, trusted: None, graph: GraphControl) -> OutlookDirectory:
    at, time = simulators.addresses, FakeTime()
    tokens = MsalTokens(
        authority_host=at.authority_host, tenant=at.tenant, client_id=at.client_id, credential=Secret(at.client_secret)
    )
    client = Client(graph_service(at.graph_root), tokens, clock=time.clock, sleep=time.sleep)
    return OutlookDirectory(client, Pace(deadline=time.now + 3600), category=CATEGORY)


@pytest.fixture
def user(graph: GraphControl) -> str:
    return graph.create_user(ADDRESS, mail=ADDRESS)


@pytest.fixture
def side(directory: OutlookDirectory, user: str) -> OutlookSide:
    return directory.outlook(user)


@pytest.fixture
def folder(side: OutlookSide) -> Folder:
    return side.create_folder("Business Central", STAMP)


@pytest.fixture
def outlook(graph: GraphControl, user: str, folder: Folder) -> Outlook:
    return Outlook(graph, user, folder.id)
