from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from dev.simulators.graph.control import GraphControl
from dev.simulators.launch import Simulators, start_simulators
from tests.simulators.graph_api import GraphApi
from tests.simulators.receiver import Receiver, running_receiver


@pytest.fixture(scope="module")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    with start_simulators(folder=tmp_path_factory.mktemp("simulators")) as running:
        yield running


@pytest.fixture(scope="module")
def session(simulators: Simulators) -> Iterator[requests.Session]:
    """A session that trusts the simulators; its requests have no token."""
    with requests.Session() as made:
        made.trust_env = False
        made.verify = str(simulators.ca_file)
        yield made


@pytest.fixture
def graph(simulators: Simulators) -> Iterator[GraphControl]:
    """The Graph simulator as if just started; afterwards it must have made no mistake of its own."""
    simulators.graph.reset()
    simulators.graph.clear_faults()
    simulators.graph.set_speed(1)
    simulators.graph.set_latency("graph")
    yield simulators.graph
    assert simulators.graph.defects() == []


@pytest.fixture
def ada(graph: GraphControl) -> str:
    """The id of a user with an empty mailbox."""
    return graph.create_user("ada@contoso.example", displayName="Ada Lovelace")


@pytest.fixture
def api(simulators: Simulators, session: requests.Session, ada: str) -> GraphApi:
    """A client of Ada's mailbox."""
    return GraphApi(simulators, session, ada)


@pytest.fixture(scope="module")
def running_endpoint(simulators: Simulators) -> Iterator[Receiver]:
    with running_receiver(Path(simulators.addresses.server_file)) as running:
        yield running


@pytest.fixture
def endpoint(running_endpoint: Receiver) -> Receiver:
    """An https server that notifications can be sent to."""
    running_endpoint.reset()
    return running_endpoint
