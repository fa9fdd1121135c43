"""What the storage ports in memory have in common: one clock, one lock, versions, leases, faults."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.engine.state import Busy
from shared.errors import LeaseLost, RequestError
from tests.fakes.faults import Faults

LEASE_SECONDS = 60.0


class Account:
    """What all ports of one storage account share."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.faults = Faults()
        self.rows_per_transaction = 99
        self.lock = threading.RLock()
        self._version = 0

    def next_etag(self) -> str:
        """A version nobody had before."""
        self._version += 1
        return f"v{self._version}"


@dataclass(slots=True)
class Lease:
    epoch: int = 0
    held: bool = False
    until: datetime | None = None  #: None while its holder lives and renews it

    def take(self, now: datetime) -> int | Busy:
        if self.held and self.until is None:
            return Busy(LEASE_SECONDS)
        if self.held and self.until is not None and now < self.until:
            return Busy((self.until - now).total_seconds())
        self.epoch += 1
        self.held, self.until = True, None
        return self.epoch

    def freeze(self, now: datetime) -> None:
        if self.held and self.until is None:
            self.until = now + timedelta(seconds=LEASE_SECONDS)

    def fence(self, epoch: int) -> None:
        if not self.held or self.epoch != epoch:
            raise LeaseLost("another worker holds the lease")

    def give_back(self, epoch: int) -> None:
        if self.epoch == epoch:
            self.held, self.until = False, None


class Reading:
    """A read: under the lock, one call for the faults."""

    def __init__(self, state: Account, call: str) -> None:
        self._state = state
        self._around = state.faults.around(call)

    def __enter__(self) -> None:
        self._state.lock.acquire()
        try:
            self._around.__enter__()
        except BaseException:
            self._state.lock.release()
            raise

    def __exit__(self, *error: object) -> None:
        try:
            self._around.__exit__(*error)  # type: ignore[arg-type]
        finally:
            self._state.lock.release()


def check_etag(given: str, stored: str) -> None:
    if given != stored:
        raise RequestError("It was changed meanwhile: read it again.", code="changed-meanwhile", status=409)
