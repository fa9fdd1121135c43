"""Azurite, a witness and hosts for the sample app."""

import base64
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from azure.storage.queue import QueueClient

from dev.azurite import Azurite
from dev.host import DevelopmentHost
from tests.host.witness import Witness, running_witness

SAMPLE_APP = Path(__file__).parent / "sample_app"


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    with Azurite() as emulator:
        yield emulator


@pytest.fixture
def witness() -> Iterator[Witness]:
    with running_witness() as running:
        yield running


@pytest.fixture
def work_queue(azurite: Azurite) -> Iterator[QueueClient]:
    """The queue that the sample app works on; a new one for each test."""
    with QueueClient.from_connection_string(
        azurite.connection_string, f"work-{uuid.uuid4().hex[:12]}", api_version="2025-11-05"
    ) as client:
        yield client


@pytest.fixture
def sample_host(
    azurite: Azurite, witness: Witness, work_queue: QueueClient
) -> Iterator[Callable[..., DevelopmentHost]]:
    """Start a host for the sample app with given settings."""
    started: list[DevelopmentHost] = []

    def start(**settings: str) -> DevelopmentHost:
        settings = sample_settings(azurite, witness, work_queue.queue_name) | settings
        host = DevelopmentHost(SAMPLE_APP, settings=settings)
        started.append(host)
        return host.start().wait_ready()

    yield start
    witness.open_all()
    for host in started:
        host.close()


def sample_settings(azurite: Azurite, witness: Witness, work_queue: str) -> dict[str, str]:
    """Settings of the sample app; its timers are off."""
    return {
        "AzureWebJobsStorage": azurite.connection_string,
        "WITNESS": witness.url,
        "WORK_QUEUE": work_queue,
        "OUT_QUEUE": f"{work_queue}-out",
        "TICK_SCHEDULE": "* * * * * *",
        "AzureWebJobs.tick.Disabled": "true",
        "AzureWebJobs.at_start.Disabled": "true",
    }


def encoded(text: str) -> str:
    """A message as the platform puts it into a queue."""
    return base64.b64encode(text.encode()).decode()
