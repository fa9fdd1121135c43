"""The control interface's client side: what tests, the demo and other processes use."""

from datetime import datetime
from pathlib import Path
from typing import Any

import requests


class ControlRefused(Exception):
    """The simulator did not carry out an action; the text says why."""


class ControlClient:
    """Acts on one simulator, and on what all of them share."""

    def __init__(self, root: str, ca_file: Path) -> None:
        """Talk to the simulator at `root` ("https://127.0.0.1:port")."""
        self._root = root
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca_file)

    def call(self, action: str, /, **arguments: Any) -> Any:
        """Carry out an action of the simulator and return its result; raises `ControlRefused`."""
        answer = self._session.post(f"{self._root}/control/{action}", json=arguments, timeout=120)
        read = answer.json()
        if answer.status_code != 200:
            raise ControlRefused(read["error"])
        return read["result"]

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    # Time

    def now(self) -> datetime:
        """Return the simulated time."""
        return datetime.fromisoformat(self.call("clock")["now"])

    def set_clock(self, moment: datetime) -> None:
        """Go to `moment` (with a zone)."""
        self.call("clock", set=moment.isoformat())

    def advance_clock(self, seconds: float) -> None:
        """Let `seconds` of simulated time pass at once."""
        self.call("clock", advance=seconds)

    def set_speed(self, speed: float) -> None:
        """Let simulated time run `speed` times as fast as real time; 0 freezes it."""
        self.call("clock", speed=speed)

    # Faults and latency

    def add_fault(self, act: str, **conditions: Any) -> str:
        """Add a fault rule (see `faults.Rule`); returns its id."""
        return str(self.call("fault", act=act, **conditions))

    def faults(self) -> list[dict[str, Any]]:
        """Return all fault rules with their counts."""
        return list(self.call("faults"))

    def clear_faults(self) -> None:
        """Remove all fault rules."""
        self.call("clear_faults")

    def set_latency(self, service: str, request: float = 0.0, item: float = 0.0, batch: float | None = None) -> None:
        """Let requests and batch items of a service take this many simulated seconds; `batch`: what the request around
        the items takes by itself (None: as long as any other)."""
        self.call("latency", service=service, request=request, item=item, batch=batch)

    def revoke_tokens(self) -> None:
        """Make every access token issued so far count as expired."""
        self.call("revoke_tokens")

    # Log

    def log(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return log entries: service, kind, items (True: only items of batches, False: none of them), since."""
        return list(self.call("log", **wanted))

    def counts(self, since: int = 0) -> dict[str, Any]:
        """Count requests by service and kind (see `RequestLog.counts`)."""
        return dict(self.call("log_counts", since=since))

    def log_number(self) -> int:
        """Return the number of the newest log entry, to be used as `since`."""
        return int(self.call("log_number"))

    def reset_log(self) -> None:
        """Empty the request log."""
        self.call("log_reset")

    # What the simulators send

    def deliveries(self, service: str | None = None, since: int = 0) -> list[dict[str, Any]]:
        """Return what was sent to other servers after delivery number `since` (see `outgoing.Delivery`).

        Fields: number, service, kind (handshake, notify, lifecycle, raw), url (without its query), attempt, status (0:
        no answer), problem ("", "timeout" or the kind of error), milliseconds (real), items, time (simulated).
        """
        return list(self.call("deliveries", service=service, since=since))

    def wait_for_deliveries(self, *, due_only: bool = False, timeout: float = 60.0) -> None:
        """Wait until nothing is to be sent any more; `due_only`: nothing but what waits for its simulated time.

        Raises ControlRefused after `timeout` real seconds.
        """
        self.call("wait_for_deliveries", due_only=due_only, timeout=timeout)

    def send_notifications(self, url: str, body: Any, content_type: str = "application/json") -> dict[str, Any]:
        """POST a body (JSON, or text as it is) to an address; returns {"status", "milliseconds", "text"}."""
        return dict(self.call("send_notifications", url=url, body=body, content_type=content_type))

    def defects(self) -> list[str]:
        """Return tracebacks of mistakes in the simulators themselves; tests want none."""
        return list(self.call("defects"))
