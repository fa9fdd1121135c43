"""Everything started, and everything stopped."""

import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueServiceClient

from dev.azurite import Azurite
from dev.host import DevelopmentHost
from dev.ports import free_port
from dev.simulators.launch import Simulators
from dev.system.app import App
from dev.system.settings import settings_for
from dev.system.simulator_process import SimulatorProcess

#: in the order in which messages bring forth others: who finds them empty one after the other finds everything done
_QUEUES = ("company-jobs", "company-jobs-poison", "sync-jobs", "sync-jobs-poison")
_QUEUE_VERSION = "2025-11-05"  # the newest that Azurite 3.35 knows


class System:
    """The whole system, ready on entry and gone on exit, after errors and Ctrl-C too.

    Storage is kept in memory. Ports are free ones unless `ports` (app, app_tls, entra, graph, bc, blob, queue,
    table) names them. The timer is off: `tick` fires it. `settings` are added to the app's, `log` takes what the host
    says, `speed` is that of the simulated clock.
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
    ) -> None:
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
                public_address=f"https://127.0.0.1:{tls_port}",
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

    def wait_until_idle(self, *, timeout: float = 120) -> None:
        """Wait until no message is left in the queues, neither waiting nor in work. Raises TimeoutError."""
        until = time.monotonic() + timeout
        for queue in _QUEUES:
            while self._messages(queue):
                if time.monotonic() > until:
                    raise TimeoutError(f"The queue {queue} is not empty after {timeout:.0f} s.")
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
