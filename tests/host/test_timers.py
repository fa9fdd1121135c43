"""Schedules and the timer loop."""

import asyncio
from datetime import UTC, datetime

import pytest

from dev.host.timers import next_occurrence, run_timer

EVERY_SECOND = "* * * * * *"


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("0 */15 * * * *", "2026-11-23T10:07:30", "2026-11-23T10:15:00"),
        ("30 5 * * * *", "2026-11-23T10:07:30", "2026-11-23T11:05:30"),
        ("0 0 8 * * MON-FRI", "2026-11-20T09:00:00", "2026-11-23T08:00:00"),
        ("0 0 0 29 2 *", "2026-11-20T09:00:00", "2028-02-29T00:00:00"),
        # day and weekday must both match: Friday the 13th
        ("0 0 0 13 * 5", "2026-11-20T09:00:00", "2027-08-13T00:00:00"),
        # no summer time: the schedule is in UTC
        ("0 30 2 * * *", "2027-03-28T00:00:00", "2027-03-28T02:30:00"),
    ],
)
def test_the_next_occurrence_is_found_in_utc(schedule: str, after: str, expected: str) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert next_occurrence(schedule, moment) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_runs_of_one_timer_do_not_overlap() -> None:
    async def scenario() -> None:
        stopping, third = asyncio.Event(), asyncio.Event()
        running = finished = 0

        async def fire() -> None:
            nonlocal running, finished
            running += 1
            assert running == 1
            # longer than the schedule's second
            await asyncio.sleep(1.1)
            running -= 1
            finished += 1
            if finished == 2:
                third.set()

        timer = asyncio.create_task(run_timer(EVERY_SECOND, fire, stopping))
        await asyncio.wait_for(third.wait(), 20)
        stopping.set()
        await timer

    asyncio.run(scenario())


def test_a_waiting_timer_stops_at_once() -> None:
    async def scenario() -> None:
        stopping = asyncio.Event()

        async def fire() -> None:
            raise AssertionError("the schedule is months away")

        timer = asyncio.create_task(run_timer("0 0 0 1 1 *", fire, stopping))
        await asyncio.sleep(0)
        stopping.set()
        await asyncio.wait_for(timer, 5)

    asyncio.run(scenario())
