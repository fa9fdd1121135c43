"""The world that most stories begin in."""

import pytest

from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    """One company without contacts; Ada has a profile and an empty mailbox and was never synced."""
    w = World.new()
    w.profile("ada")
    return w
