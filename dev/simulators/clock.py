"""The simulators' time: settable, advanceable, and faster than ours when wanted."""

import asyncio
import math
import time
from datetime import UTC, datetime, timedelta


class SimClock:
    """UTC time of the simulated services.

    It runs `speed` times as fast as real time; speed 0 freezes it (it then moves by `advance` only, and waiting
    takes no time). Throttle windows, latencies and token lifetimes are measured with it. What the services tell a
    client to wait is converted with `real_seconds`, because the client lives in real time.
    """

    def __init__(self, start: datetime | None = None, speed: float = 1.0) -> None:
        """Start at `start` (default: now)."""
        self._base = start or datetime.now(UTC)
        self._anchor = time.monotonic()
        self._speed = speed
        self._watchers: set[asyncio.Future[None]] = set()

    @property
    def speed(self) -> float:
        """How many simulated seconds pass in a real one."""
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        if not (math.isfinite(value) and value >= 0):
            raise ValueError("speed must be a number of 0 or more")
        self._base, self._anchor = self.now(), time.monotonic()
        self._speed = value
        self._tell_watchers()

    def now(self) -> datetime:
        """Return the simulated time in UTC."""
        return self._base + timedelta(seconds=(time.monotonic() - self._anchor) * self._speed)

    def stamp(self) -> str:
        """Return the simulated time as Graph writes it: whole seconds and Z."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def timestamp(self) -> float:
        """Return the simulated time as seconds since 1970."""
        return self.now().timestamp()

    def set(self, moment: datetime) -> None:
        """Go to `moment`, which must carry a time zone."""
        if moment.tzinfo is None:
            raise ValueError("the clock needs a time with a zone")
        self._base, self._anchor = moment.astimezone(UTC), time.monotonic()
        self._tell_watchers()

    def advance(self, seconds: float) -> None:
        """Let `seconds` of simulated time pass at once (negative: go back)."""
        self._base += timedelta(seconds=seconds)
        self._tell_watchers()

    def real_seconds(self, simulated: float) -> float:
        """Return how long `simulated` seconds are on a real watch."""
        return simulated / self._speed if self._speed else simulated

    async def sleep(self, simulated: float) -> None:
        """Wait `simulated` seconds; with a frozen clock only give way to others."""
        await asyncio.sleep(max(0.0, simulated / self._speed) if self._speed else 0.0)

    async def until(self, moment: float) -> None:
        """Wait until the simulated time is `moment` (seconds since 1970), however it comes to be so."""
        while (left := moment - self.timestamp()) > 0:
            changed = asyncio.get_running_loop().create_future()
            self._watchers.add(changed)
            try:
                await asyncio.wait_for(changed, left / self._speed if self._speed else None)
            except TimeoutError:
                pass
            finally:
                self._watchers.discard(changed)

    def _tell_watchers(self) -> None:
        for watcher in self._watchers:
            if not watcher.done():
                watcher.set_result(None)
