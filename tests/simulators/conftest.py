from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from dev.simulators.launch import Simulators, start_simulators


@pytest.fixture(scope="module")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    with start_simulators(folder=tmp_path_factory.mktemp("simulators")) as running:
        yield running


@pytest.fixture
def ca_file(simulators: Simulators) -> Path:
    return simulators.ca_file


@pytest.fixture
def session(simulators: Simulators) -> Iterator[requests.Session]:
    """A session that trusts the simulators; its requests have no token."""
    with requests.Session() as made:
        made.trust_env = False
        made.verify = str(simulators.ca_file)
        yield made
