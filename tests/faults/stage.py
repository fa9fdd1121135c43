"""Simulators, Azurite and the app's own objects in this process, on a clock for which waiting costs no time."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from dev.azurite import Azurite
from dev.simulators.launch import Simulators, start_simulators
from dev.storage_faults import StorageFaults
from dev.system.settings import settings_for
from shared import bootstrap
from shared.bootstrap import Surroundings
from shared.engine.services import Services
from shared.settings import Settings, get_settings, reset_settings

#: Real seconds after which the app gives up waiting for an answer; a simulator that never answers costs so much.
TIME_OUT = 0.5
_SETTINGS = {"HTTP_TIMEOUT_SECONDS": str(TIME_OUT)}


class SkippingClock:
    """The app's clock: whoever waits goes forward, and the simulated services with him."""

    def __init__(self, simulators: Simulators) -> None:
        self._simulators = simulators
        self._skipped = 0.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._skipped)

    def monotonic(self) -> float:
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        """Go forward at once."""
        self._skipped += seconds
        self._simulators.graph.advance_clock(seconds)
        while self._due and self._due[0][0] <= self._skipped:
            self._due.pop(0)[1]()

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something as soon as so many seconds were waited for."""
        self._due.append((self._skipped + seconds, act))
        self._due.sort(key=lambda each: each[0])


@dataclass
class Stage:
    """What runs for all tests of a module."""

    simulators: Simulators
    storage: StorageFaults
    clock: SkippingClock
    settings: Settings
    services: Services = field(init=False)

    def __post_init__(self) -> None:
        self.services = self.new_process()

    def new_process(self, settings: Settings | None = None) -> Services:
        """The app's objects, as a process has them that has just begun."""
        around = Surroundings(
            now=self.clock.now,
            monotonic=self.clock.monotonic,
            sleep=self.clock.sleep,
            storage_options=self._storage_options,
        )
        return bootstrap.build(settings or self.settings, around)

    def _storage_options(self) -> dict[str, Any]:
        """The SDK of the tables waits by itself between its attempts: not long, here."""
        return {"transport": self.storage.transport(), "retry_backoff_factor": 0.001}


@contextmanager
def stage() -> Iterator[Stage]:
    """Start everything, and end it again."""
    with ExitStack() as stack:
        azurite = stack.enter_context(Azurite())
        simulators = stack.enter_context(start_simulators())
        environment = settings_for(simulators.addresses, azurite.connection_string, _SETTINGS)
        stack.enter_context(patch.dict(os.environ, environment))
        reset_settings()
        stack.callback(reset_settings)
        clock = SkippingClock(simulators)
        port = azurite.ports["queue"]
        yield Stage(simulators, StorageFaults(clock.now, clock.sleep, port), clock, get_settings())
