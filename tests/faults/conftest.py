"""One stage for the session; each test has a company and a mailbox of its own on it."""

from collections.abc import Iterator

import pytest

from dev.faulty import Stage, stage
from tests.faults.scene import Scene, on


@pytest.fixture(scope="module")
def running() -> Iterator[Stage]:
    with stage() as running:
        yield running


@pytest.fixture
def scene(running: Stage) -> Iterator[Scene]:
    with on(running) as scene:
        yield scene
