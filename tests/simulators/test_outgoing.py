"""What the simulators send out: it waits for the simulated clock, and ends with them."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dev.simulators.clock import SimClock
from dev.simulators.control_client import ControlRefused
from dev.simulators.launch import start_simulators
from tests.simulators.bc_client import BcClient
from tests.simulators.receiver import Reply, elapsed, running_receiver


@pytest.mark.parametrize(
    "move",
    [
        lambda clock: clock.advance(3600),
        lambda clock: clock.set(datetime.now(UTC) + timedelta(hours=2)),
        lambda clock: setattr(clock, "speed", 1e6),
    ],
    ids=["advance", "set", "speed"],
)
def test_whoever_waits_for_a_simulated_time_notices_that_the_clock_is_moved(move):
    async def wait() -> None:
        clock = SimClock(speed=0)
        waiting = asyncio.create_task(clock.until(clock.timestamp() + 3600))
        await asyncio.sleep(0)
        assert not waiting.done()
        move(clock)
        await asyncio.wait_for(waiting, 5)

    asyncio.run(wait())


def test_deliveries_end_when_the_simulators_stop(tmp_path: Path):
    arrived, answers = threading.Event(), threading.Event()
    with (
        start_simulators(folder=tmp_path) as simulators,
        running_receiver(Path(simulators.addresses.server_file)) as endpoint,
    ):

        def hold(_) -> Reply:
            arrived.set()
            answers.wait(30)
            return Reply()

        contacts = f"/api/v2.0/companies({simulators.bc.companies()[0]['id']})/contacts"
        bc = BcClient(simulators)
        body = {"notificationUrl": endpoint.url, "resource": contacts, "clientState": "x"}
        made = bc.send("POST", "subscriptions", body).json()["subscriptionId"]
        endpoint.accept = hold
        simulators.bc.burst(made, 3)
        assert arrived.wait(10)
        with pytest.raises(ControlRefused, match="pending"):
            simulators.bc.wait_for_deliveries(timeout=0.05)
        assert simulators.bc.defects() == []
        assert elapsed(simulators.stop) < 8
        assert not any(thread.name == "simulators" for thread in threading.enumerate())
        answers.set()


def test_raw_posts_are_among_the_deliveries(simulators, endpoint):
    graph = simulators.graph
    since = (graph.deliveries() or [{"number": 0}])[-1]["number"]
    sent = [graph.send_notifications(endpoint.url, {"value": [number]})["status"] for number in range(100)]
    assert sent == [202] * 100
    assert sorted(post.items[0] for post in endpoint.posts) == list(range(100))
    kinds = [(one["service"], one["kind"], one["attempt"]) for one in graph.deliveries(since=since)]
    assert kinds == [("", "raw", 1)] * 100
