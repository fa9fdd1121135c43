"""The worlds that stories begin in."""

import pytest

from tests.fakes.world import World
from tests.rules.importing import Office


@pytest.fixture
def world() -> World:
    """One company without contacts; Ada has a profile and an empty mailbox and was never synced."""
    w = World.new()
    w.profile("ada")
    return w


@pytest.fixture
def office() -> Office:
    """One company and one group, both empty; nobody has a profile."""
    return Office()
