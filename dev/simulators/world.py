"""What all simulators share."""

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from dev.simulators.clock import SimClock
from dev.simulators.exchange import Request
from dev.simulators.faults import Faults, Latency
from dev.simulators.outgoing import Outgoing
from dev.simulators.request_log import RequestLog
from dev.simulators.tokens import Tokens

TENANT = "11111111-2222-4333-8444-555555555555"  #: the one tenant that exists
CLIENT_ID = "66666666-7777-4888-9999-aaaaaaaaaaaa"  #: the app registration that exists from the start
CLIENT_SECRET = "a-secret-for-the-simulators"  # noqa: S105 - opens nothing but the simulators
BC_AUDIENCE = "https://api.businesscentral.dynamics.com"


@dataclass
class World:
    """Clock, log, faults, latencies, tokens and what is sent out, and where each service is.

    Used from one event loop only.
    """

    clock: SimClock = field(default_factory=SimClock)
    log: RequestLog = field(default_factory=RequestLog)
    faults: Faults = field(default_factory=Faults)
    latency: Latency = field(default_factory=Latency)
    random: Random = field(default_factory=lambda: Random(1))
    roots: dict[str, str] = field(default_factory=dict)  #: service name to "https://127.0.0.1:port"
    defects: list[str] = field(default_factory=list)  #: tracebacks of the simulators' own mistakes
    batches: int = 0  #: number of the newest batch
    ca_file: Path | None = None  #: the authority whose certificates are trusted where something is sent to
    tokens: Tokens = field(init=False)
    outgoing: Outgoing = field(init=False)

    def __post_init__(self) -> None:
        """Tokens live and deliveries go by the same clock."""
        self.tokens = Tokens(self.clock)
        self.outgoing = Outgoing(self.clock, self.ca_file, self.defects)

    def next_batch(self) -> int:
        """Return a number for a new batch."""
        self.batches += 1
        return self.batches

    async def wait(self, request: Request) -> None:
        """Take the time that this request is set to take; services call it while they count the request as running."""
        await self.latency.wait(request, self.clock)
