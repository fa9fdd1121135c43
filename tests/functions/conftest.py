"""One desk per test."""

from collections.abc import Iterator

import pytest

from functions.fan_out import fan_out
from functions.upkeep import upkeep
from shared.bootstrap import use_services
from tests.functions.announced import ADDRESS
from tests.functions.desk import ADA, BEN, Desk, Sent
from tests.functions.test_jobs import Tick, woken


@pytest.fixture
def desk() -> Iterator[Desk]:
    yield Desk()
    use_services(None)


@pytest.fixture
def watched(desk: Desk) -> Desk:
    """Ada and Ben are synced, and what changes is announced."""
    desk.announce_at(ADDRESS)
    desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example", city="Basel")
    for user in (ADA, BEN):
        desk.save(user)
        desk.call("POST", "/api/sync", {"user": user, "mode": "full"})
        desk.work(user)
    upkeep(Tick())  # type: ignore[arg-type]
    fan_out(Tick(), Sent())  # type: ignore[arg-type]
    for user in (ADA, BEN):
        desk.work(user)
    woken(desk)
    desk.world.clock.advance(minutes=1)
    return desk
