"""Simulators, Azurite and the app's own objects in this process, on a clock for which waiting costs no time."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
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
from shared.engine.model import Mode, Profile, Report, RunStatus
from shared.engine.requests import Wanted, request_run
from shared.engine.run import close_as_failed, run_mailbox
from shared.engine.services import Services
from shared.engine.state import Mark
from shared.errors import RetryableError
from shared.settings import Settings, get_settings, reset_settings

#: Real seconds after which the app gives up waiting for an answer; a simulator that never answers costs so much.
TIME_OUT = 0.5

FOLDER = "Business Central"
MOST_ATTEMPTS = 5  #: of one message, as in host.json; then it is poison
MOST_MESSAGES = 100
GOOD = (RunStatus.SUCCEEDED, RunStatus.WITH_NOTES)

_SETTINGS = {"HTTP_TIMEOUT_SECONDS": str(TIME_OUT)}


class FaultyError(AssertionError):
    """The app did not do what it must, whatever fails around it; the message says what."""


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
    broke_off: int = 0  #: messages that came back to the queue

    def __post_init__(self) -> None:
        self.services = self.new_process()

    def empty(self) -> None:
        """No people, no contacts, no faults."""
        self.clear_faults()
        self.simulators.bc.reset()
        self.simulators.graph.reset()

    def clear_faults(self) -> None:
        """From now on all is well."""
        self.simulators.graph.clear_faults()
        self.storage.clear()

    def user(self, name: str) -> Profile:
        """A user with a mailbox and a profile in the first company."""
        address = f"{name}@contoso.example"
        company_id = self.simulators.bc.companies()[0]["id"].lower()
        user_id = self.simulators.graph.create_user(address, displayName=name.title()).lower()
        profile = Profile(company_id, user_id, address, user_id, address, folder_name=FOLDER)
        self.services.marks.put(Mark(company_id, profile.id, profile.mailbox_id, self.services.now(), "request"))
        return self.services.profiles.save(profile)

    def ask(self, profile: Profile, mode: Mode = Mode.INCREMENTAL) -> str:
        """A person asks for a run; answers its id."""
        return request_run(self.services, profile, Wanted(mode=mode), "test").run_id

    def work(self, profile: Profile) -> None:
        """The messages of a mailbox, one after the other as the host hands them over, until nothing waits there."""
        attempts = 0
        for _ in range(MOST_MESSAGES):
            try:
                run_mailbox(self.services, profile.mailbox_id, self.services.new_id())
                attempts = 0
            except Exception:  # noqa: BLE001 - as the host does: the message comes back
                self.broke_off += 1
                attempts += 1
                if attempts == MOST_ATTEMPTS:
                    close_as_failed(self.services, profile.mailbox_id, "broke-off", "It broke off.")
            if not self._waits(profile):
                return
            self.clock.sleep(61)  # until the message that was left behind comes out
        raise FaultyError("the line never gets empty")

    def sync(self, profile: Profile, mode: Mode = Mode.INCREMENTAL) -> Report:
        """A requested run from its request to its end."""
        run_id = self.ask(profile, mode)
        self.work(profile)
        report = self.services.reports.get(run_id)
        if report is None:
            raise FaultyError(f"a run left no report: {run_id}")
        return report

    def good_sync(self, profile: Profile, mode: Mode = Mode.INCREMENTAL) -> Report:
        """The same; must succeed."""
        report = self.sync(profile, mode)
        if report.status not in GOOD:
            raise FaultyError(f"a run ended as {report.status}: {report.error_code}, {report.error}, {report.notes}")
        return report

    def writes(self, since: int) -> int:
        """Writes to Graph and BC since a number of the log."""
        counts = self.simulators.graph.counts(since)
        return sum(each["writes"] for name, each in counts.items() if name != "entra")

    def _waits(self, profile: Profile) -> bool:
        for _ in range(MOST_ATTEMPTS):
            with suppress(RetryableError):  # looking is the harness's own doing, and meets the faults too
                return bool(self.services.mailboxes.waiting(profile.mailbox_id))
        return True

    def new_process(self, settings: Settings | None = None, skew: timedelta | None = None) -> Services:
        """The app's objects, as a process has them that has just begun. With a `skew` the machine's clock is wrong by
        so much, and the storage service's time counts."""
        around = Surroundings(
            now=self.clock.now if skew is None else None,
            local=lambda: self.clock.now() + (skew or timedelta()),
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
