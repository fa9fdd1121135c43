"""The slow and drop states of endpoints that answer slowly (reference 9.4)."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from dev.simulators.clock import SimClock
from dev.simulators.graph.switches import Switches

WINDOW = 600.0  #: simulated seconds that are looked back at, and that a state lasts
_SLOW_SHARE, _DROP_SHARE = 0.10, 0.15


@dataclass(slots=True)
class _Endpoint:
    answers: deque[tuple[float, float]] = field(default_factory=deque)  #: simulated time, real seconds it took
    state: str = "ok"
    since: float = 0.0


class Endpoints:
    """How quickly each endpoint has answered."""

    def __init__(self, clock: SimClock, switches: Switches) -> None:
        """Start with a good opinion of all."""
        self._clock = clock
        self._switches = switches
        self._known: defaultdict[str, _Endpoint] = defaultdict(_Endpoint)

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()

    def answered(self, url: str, seconds: float) -> None:
        """Take note of an answer, or of a time-out after so many real seconds."""
        self._known[self._name(url)].answers.append((self._clock.timestamp(), seconds))

    def state(self, url: str) -> str:
        """Return "ok", "slow" or "drop"; evaluated anew when the state has lasted for the window."""
        if not self._switches.notify_endpoint_states:
            return "ok"
        endpoint, now = self._known[self._name(url)], self._clock.timestamp()
        if endpoint.state == "ok" or now >= endpoint.since + WINDOW:
            while endpoint.answers and endpoint.answers[0][0] <= now - WINDOW:
                endpoint.answers.popleft()
            endpoint.state, endpoint.since = self._judge(endpoint), now
        return endpoint.state

    def _judge(self, endpoint: _Endpoint) -> str:
        total = len(endpoint.answers)
        slower = [
            sum(seconds >= limit for _, seconds in endpoint.answers)
            for limit in (self._switches.notify_timeout, self._switches.notify_retry_timeout)
        ]
        if slower[1] > total * _DROP_SHARE:
            return "drop"
        return "slow" if slower[0] > total * _SLOW_SHARE else "ok"

    def _name(self, url: str) -> str:
        return urlsplit(url).netloc if self._switches.notify_endpoint == "host" else url.partition("?")[0]
