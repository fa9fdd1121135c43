"""Simulated services can reach the app at its https address, before and after it was killed."""

from collections.abc import Iterator

import pytest

from dev.system import System

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with System(announced=True) as running:
        yield running


def test_the_app_knows_the_address_at_which_services_reach_it(system: System) -> None:
    assert system.settings["PUBLIC_ADDRESS"] == system.host.https_url
    for send in (system.simulators.graph.send_notifications, system.simulators.bc.send_notifications):
        assert send(f"{system.host.https_url}/api/nowhere", {"value": []})["status"] == 404
    system.host.kill()
    system.restart_app()
    assert system.settings["PUBLIC_ADDRESS"] == system.host.https_url
    got = system.simulators.graph.send_notifications(f"{system.host.https_url}/api/nowhere", {"value": []})
    assert got["status"] == 404
