"""The limits per user of the online service (8.1): rate, concurrent requests, queue."""

import asyncio
import math
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from dev.simulators.business_central.errors import BcError, too_many_requests
from dev.simulators.clock import SimClock


@dataclass(slots=True)
class _Use:
    """What one user is using."""

    times: deque[float] = field(default_factory=deque)  #: of the requests in the window
    running: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


@dataclass(slots=True)
class Limits:
    """The limits and who uses how much of them. Times are simulated seconds; `retry_after`: 429 says how long."""

    clock: SimClock
    enabled: bool = True
    rate: int = 6000
    window: float = 300.0
    concurrent: int = 5
    queue: int = 95
    patience: float = 480.0  #: how long a request waits in the queue, then 503
    most_running: int = 0  #: the most requests that one user ever had running at once, for tests
    most_waiting: int = 0
    _uses: defaultdict[str, _Use] = field(default_factory=lambda: defaultdict(_Use))

    def set(self, **changes: int | float | bool) -> None:
        """Change limits by name; raises ValueError."""
        for name, value in changes.items():
            if name not in ("enabled", "rate", "window", "concurrent", "queue", "patience"):
                raise ValueError(f"no limit {name!r}")
            setattr(self, name, value)

    def count(self, user: str, retry_after: bool) -> None:
        """Count one request of the sliding window; raises BcError (429) beyond the rate."""
        if not self.enabled:
            return
        times, now = self._uses[user].times, self.clock.timestamp()
        while times and times[0] <= now - self.window:
            times.popleft()
        if len(times) >= self.rate:
            wait = self.clock.real_seconds(times[0] + self.window - now) if times else self.window
            raise too_many_requests(len(times) + 1, self.rate, max(1, math.ceil(wait)) if retry_after else None)
        times.append(now)

    @asynccontextmanager
    async def slot(self, user: str, retry_after: bool) -> AsyncIterator[None]:
        """Run the block as one of the user's concurrent requests, after waiting in the queue if need be."""
        if not self.enabled:
            yield
            return
        use = self._uses[user]
        if use.running >= self.concurrent or use.waiting:
            await self._wait_in_queue(use, retry_after)
        else:
            use.running += 1
        self.most_running = max(self.most_running, use.running)
        try:
            yield
        finally:
            use.running -= 1
            self._wake(use)

    async def _wait_in_queue(self, use: _Use, retry_after: bool) -> None:
        if len(use.waiting) >= self.queue:
            actual = use.running + len(use.waiting) + 1
            raise too_many_requests(actual, self.concurrent + self.queue, 1 if retry_after else None)
        turn = asyncio.get_running_loop().create_future()
        use.waiting.append(turn)
        self.most_waiting = max(self.most_waiting, len(use.waiting))
        try:
            async with asyncio.timeout(self.clock.real_seconds(self.patience)):
                await turn
        except BaseException as ended:
            if turn.done() and not turn.cancelled():
                use.running -= 1
                self._wake(use)
            elif turn in use.waiting:
                use.waiting.remove(turn)
            if isinstance(ended, TimeoutError):
                raise BcError(
                    503, "Internal_ServerTooBusy", "The request waited too long.", {"Retry-After": "10"}
                ) from None
            raise

    def _wake(self, use: _Use) -> None:
        while use.waiting and use.running < self.concurrent:
            turn = use.waiting.popleft()
            if not turn.done():
                use.running += 1
                turn.set_result(None)
