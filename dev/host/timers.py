"""Timers: six-field schedules in UTC; runs of one timer never overlap."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from croniter import CroniterError, croniter

from dev.host.errors import HostStartError

#: A clock that is set while we wait must not make a timer sleep through its occurrence.
_LONGEST_NAP = 30.0
_VALUE = r"(?:\d+|[A-Za-z]{3})"
_RANGE = rf"(?:\*|{_VALUE}(?:-{_VALUE})?)(?:/\d+)?"
_FIELD = re.compile(rf"{_RANGE}(?:,{_RANGE})*")


def check_schedule(schedule: str, where: str) -> None:
    """Refuse what is not a six-field schedule; raises HostStartError."""
    fields = schedule.split()
    # croniter knows more than the platform does (L, #, R(...), @daily): only what both understand is accepted
    try:
        if len(fields) != 6 or not all(_FIELD.fullmatch(field) for field in fields):
            raise ValueError
        next_occurrence(schedule, datetime.now(UTC))
    except (CroniterError, ValueError):
        raise HostStartError(
            f"{where}: {schedule!r} is not a schedule of six fields: second minute hour day month weekday."
        ) from None


def next_occurrence(schedule: str, after: datetime) -> datetime:
    """The first occurrence after a moment, both in UTC. Day and weekday must both match, as on the platform."""
    occurrence: datetime = croniter(schedule, after, second_at_beginning=True, day_or=False).get_next(datetime)
    return occurrence


async def run_timer(schedule: str, fire: Callable[[], Awaitable[object]], stopping: asyncio.Event) -> None:
    """Fire at each occurrence until stopped. An occurrence that falls into a run still going on is left out."""
    while not stopping.is_set():
        if await _wait_until(next_occurrence(schedule, datetime.now(UTC)), stopping):
            await fire()


async def _wait_until(due: datetime, stopping: asyncio.Event) -> bool:
    """Wait for a moment; False when stopped before."""
    while (left := (due - datetime.now(UTC)).total_seconds()) > 0:
        try:
            await asyncio.wait_for(stopping.wait(), min(left, _LONGEST_NAP))
        except TimeoutError:
            continue
        return False
    return True
