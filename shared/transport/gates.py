"""How much this process asks of one service: so many requests at a time, so many a second."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SLICE = 2.0  #: seconds between two questions whether to keep going, while waiting


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests a second in the long run, and how many more at once after a rest."""

    per_second: float
    burst: int


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
