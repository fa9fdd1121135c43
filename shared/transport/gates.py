"""How much this process asks of one service: so many requests at a time, so many a second, so many in a window."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SLICE = 2.0  #: seconds between two questions whether to keep going, while waiting


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests a second in the long run, and how many more at once after a rest."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Quota:
    """Requests in any window of so many seconds, for each of those whom the service counts apart, such as mailboxes."""

    requests: int
    seconds: float


class Places:
    """As many places as requests may be under way at a time."""

    def __init__(self, most: int | None) -> None:
        """None: no limit."""
        self._free = threading.BoundedSemaphore(most) if most else None

    @contextmanager
    def hold(self, ask: Callable[[], None]) -> Iterator[None]:
        """Hold a place; while none is free, `ask` is called now and then and may raise."""
        if self._free is None:
            yield
            return
        while not self._free.acquire(timeout=SLICE):
            ask()
        try:
            yield
        finally:
            self._free.release()


class Bucket:
    """A bucket of tokens that fills steadily, one token for each request; for all threads, first come, first served."""

    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        """Full at the beginning."""
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._empty_at = clock() - rate.burst / rate.per_second  #: when it was empty, or when it will owe nothing

    def take(self, tokens: int, *, most_seconds: float) -> float:
        """Take tokens, and tell how many seconds to wait before they are used.

        When that is `most_seconds` or longer, nothing is taken. A batch may take more than there is: it goes when
        nothing is owed, and who comes next waits for what it owes.
        """
        with self._lock:
            now = self._clock()
            filling = self._rate.burst / self._rate.per_second
            empty_at = max(self._empty_at, now - filling)  # it cannot be fuller than full
            wait = max(0.0, empty_at - now)
            if wait < most_seconds:
                self._empty_at = empty_at + tokens / self._rate.per_second
            return wait


class Windows:
    """What was asked for each of those whom a service counts apart, so that nobody comes over the quota. For all
    threads, first come, first served. The service counts what it refuses, too; so does whoever asks again here."""

    MANY = 1_000  #: windows kept without a look whether some are over

    def __init__(self, quota: Quota, clock: Callable[[], float]) -> None:
        """Nothing was asked yet; what other processes ask is not known here."""
        self._quota = quota
        self._clock = clock
        self._lock = threading.Lock()
        self._taken: dict[str, _Taken] = {}

    def take(self, whose: str, tokens: int, *, most_seconds: float) -> float:
        """Take tokens, and tell how many seconds to wait before they are used; when that is `most_seconds` or longer,
        nothing is taken. More than the quota at once waits until the window is empty."""
        with self._lock:
            now = self._clock()
            if len(self._taken) >= self.MANY:
                self._forget(now)
            taken = self._taken.setdefault(whose, _Taken())
            taken.leave(now - self._quota.seconds)
            free_at = max(now, taken.last_at, self._fits_at(taken, tokens))
            if free_at - now < most_seconds:
                taken.add(free_at, tokens)
            return free_at - now

    def _fits_at(self, taken: "_Taken", tokens: int) -> float:
        """When enough has left the window."""
        over = taken.total + tokens - self._quota.requests
        left_at = 0.0
        for at, count in taken.requests:
            if over <= 0:
                break
            over -= count
            left_at = at + self._quota.seconds
        return left_at

    def _forget(self, now: float) -> None:
        over = [whose for whose, taken in self._taken.items() if taken.last_at <= now - self._quota.seconds]
        for whose in over:
            del self._taken[whose]


class _Taken:
    """What was taken from one window: when, and how many, oldest first."""

    def __init__(self) -> None:
        self.requests: deque[tuple[float, int]] = deque()
        self.total = 0

    @property
    def last_at(self) -> float:
        """When the last of them are used; long ago when there are none."""
        return self.requests[-1][0] if self.requests else float("-inf")

    def add(self, at: float, count: int) -> None:
        """Take so many."""
        self.requests.append((at, count))
        self.total += count

    def leave(self, before: float) -> None:
        """Those that were used at that time or earlier are over."""
        while self.requests and self.requests[0][0] <= before:
            self.total -= self.requests.popleft()[1]
