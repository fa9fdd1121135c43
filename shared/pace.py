"""How much time and how many requests a run may use: handed to every adapter, knows nothing itself."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pace:
    """Deadline, interruption and the request counter of one run.

    `deadline` is on the monotonic clock, in seconds. `keep_going` is called before every request and during waits: it
    raises (LeaseLost, Interrupted) to stop the run; the engine plugs lease upkeep and pausing in here.
    """

    deadline: float
    keep_going: Callable[[], None] = lambda: None
    requests: dict[str, int] = field(default_factory=dict)
    _counting: threading.Lock = field(default_factory=threading.Lock)  #: a run asks from two threads at times

    def count(self, service: str) -> None:
        """Note one HTTP request to "graph" or "bc" (R35)."""
        with self._counting:
            self.requests[service] = self.requests.get(service, 0) + 1
