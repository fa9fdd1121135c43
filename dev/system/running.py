"""Everything started, and everything stopped."""

import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from dev.azurite import Azurite
from dev.host import DevelopmentHost
from dev.ports import free_port
from dev.simulators.launch import Simulators
from dev.system.app import App
from dev.system.settings import settings_for
from dev.system.simulator_process import SimulatorProcess

_QUEUES = ("company-jobs", "company-jobs-poison", "sync-jobs", "sync-jobs-poison")
_QUEUE_VERSION = "2025-11-05"  # the newest that Azurite 3.35 knows


class System:
    """The whole system, ready on entry and gone on exit, after errors and Ctrl-C too.

    Storage is kept in memory. Ports are free ones unless `ports` (app, app_tls, entra, graph, bc, blob, queue,
    table) names them. The timers are off: `tick` fires the one that looks for work. With `announced` the app has a
    public address, so that the services announce changes to it; `announce` gives it one later. `settings` are added to
    the app's, `log` takes what the host says, `speed` is that of the simulated clock.
    """

    simulators: Simulators
    host: DevelopmentHost
    app: App
    azurite: Azurite

    def __init__(
        self,
        *,
        settings: Mapping[str, str] | None = None,
        ports: Mapping[str, int] | None = None,
        log: Path | None = None,
        speed: float = 1.0,
        announced: bool = False,
    ) -> None:
        self._announced = announced
        self._more = dict(settings or {})
        self._ports = dict(ports or {})
        self._log = log
        self._speed = speed
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start all parts; when one does not start, those that did are stopped."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="contact-sync-")))
            simulated = {name: port for name, port in self._ports.items() if name in ("entra", "graph", "bc")}
            process = stack.enter_context(SimulatorProcess(folder, speed=self._speed, ports=simulated))
            blob, queue, table = (self._ports.get(name, 0) for name in ("blob", "queue", "table"))
            self.azurite = Azurite(blob=blob, queue=queue, table=table)
            stack.enter_context(self.azurite)  # meanwhile the simulators start, too
            self.simulators = stack.enter_context(process.connect())
            tls_port = self._ports.get("app_tls", 0) or free_port()
            self.settings = settings_for(
                self.simulators.addresses,
                self.azurite.connection_string,
                self._more,
                public_address=f"https://127.0.0.1:{tls_port}" if self._announced else "",
            )
            self.host = stack.enter_context(
                DevelopmentHost(
                    settings=self.settings,
                    port=self._ports.get("app", 0),
                    tls_port=tls_port,
                    certificate=Path(self.simulators.addresses.server_file),
                    log=self._log,
                )
            )
            self.app = stack.enter_context(App(self.host.url))
            self._queues = stack.enter_context(
                QueueServiceClient.from_connection_string(self.azurite.connection_string, api_version=_QUEUE_VERSION)
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop all parts, the last one first."""
        self._stack.close()

    # Work

    def tick(self, *, timeout: float = 120) -> None:
        """Fire the timer and wait until everything that follows from it is done."""
        self.app.fire("fan_out")
        self.wait_until_idle(timeout=timeout)

    def announce(self) -> None:
        """Start the app again with a public address, and let it subscribe to changes."""
        self.host.stop()
        self.settings["PUBLIC_ADDRESS"] = self.host.settings["PUBLIC_ADDRESS"] = self.host.https_url
        self.restart_app()
        self.keep_up()

    def keep_up(self) -> None:
        """Fire the timer that looks after subscriptions, and wait for its end."""
        self.app.fire("upkeep")

    def wait_until_quiet(self, *, timeout: float = 60) -> None:
        """Wait until no notification is on its way and what they caused is done, also what that announced.

        What waits for its simulated time, as Business Central's half minute, is not waited for.
        """
        until, seen = time.monotonic() + timeout, -1
        while True:
            self.simulators.graph.wait_for_deliveries(due_only=True, timeout=timeout)
            self.wait_until_idle(timeout=timeout)
            seen, before = len(self.simulators.graph.deliveries()), seen
            if seen == before:
                return
            if time.monotonic() > until:
                raise TimeoutError(f"Notifications still cause work after {timeout:.0f} s.")

    def wait_until_idle(self, *, timeout: float = 120) -> None:
        """Wait until no message is left in the queues, neither waiting nor in work. Raises TimeoutError."""
        until, clean = time.monotonic() + timeout, 0
        # twice: what a message brought forth while the first look went round is seen by the second
        while clean < 2:
            busy = next((queue for queue in _QUEUES if self._messages(queue)), None)
            clean = 0 if busy else clean + 1
            if busy and time.monotonic() > until:
                raise TimeoutError(f"The queue {busy} is not empty after {timeout:.0f} s.")
            if busy:
                time.sleep(0.05)

    def restart_app(self) -> None:
        """Start the app again, after `host.stop()` or `host.kill()`, at the same address."""
        self.host.start().wait_ready()

    # Counting

    def mark(self) -> int:
        """The present end of the simulators' request log, for `counts`."""
        return self.simulators.graph.log_number()

    def counts(self, since: int) -> dict[str, "Counts"]:
        """What Graph and BC were asked since a mark."""
        found = self.simulators.graph.counts(since)
        return {service: Counts(found.get(service, {})) for service in ("graph", "bc")}

    def tables(self, name: str) -> list[dict[str, Any]]:
        """All rows of one of the app's tables."""
        client = TableServiceClient.from_connection_string(self.azurite.connection_string)
        with client, client.get_table_client(f"{self.settings['STORAGE_PREFIX']}{name}") as table:
            try:
                return [dict(row) for row in table.list_entities()]
            except ResourceNotFoundError:
                return []  # the app makes a table when it first needs it

    def _messages(self, queue: str) -> int:
        client = self._queues.get_queue_client(f"{self.settings['STORAGE_PREFIX']}-{queue}")
        try:
            return client.get_queue_properties().approximate_message_count or 0
        except ResourceNotFoundError:
            return 0  # a poison queue that was never needed


class Counts:
    """Requests of the app to one service."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.requests = int(found.get("requests", 0))  #: HTTP requests; a batch is one
        self.writes = int(found.get("writes", 0))  #: everything but reads, items of batches included
        self.kinds: dict[str, int] = dict(found.get("kinds", {}))
        self.statuses: dict[str, int] = dict(found.get("statuses", {}))

    def __repr__(self) -> str:
        return f"Counts(requests={self.requests}, writes={self.writes}, kinds={self.kinds}, statuses={self.statuses})"
