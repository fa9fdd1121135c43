"""Put the host together, run it, and let it end in order."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from azure.core.exceptions import AzureError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dev.host.admin import Administration
from dev.host.errors import HostStartError
from dev.host.functions import Function, QueueTrigger, TimerTrigger, describe
from dev.host.http import HttpFront
from dev.host.invoker import Invoker
from dev.host.keys import KeyRing
from dev.host.listener import QueueListener
from dev.host.queues import Queues
from dev.host.routes import RouteTable
from dev.host.settings import load_options, load_settings
from dev.host.timers import run_timer
from dev.host.worker import Worker

logger = logging.getLogger(__name__)

#: How long running invocations may go on after a request to stop. The platform gives minutes; developers do not wait.
GRACE_SECONDS = 30


class _Server(uvicorn.Server):
    """uvicorn, without its signal handlers: the host stops it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _TlsProtocol(HttpToolsProtocol):
    """Cuts idle connections at the end: a polite TLS goodbye would wait for clients that do not listen."""

    def shutdown(self) -> None:
        is_idle = self.cycle is None or self.cycle.response_complete
        super().shutdown()
        if is_idle:
            self.transport.abort()


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket; with a certificate (PEM file, key and chain) it speaks https."""

    listening: socket.socket
    certificate: Path | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http{'s' if self.certificate else ''}://127.0.0.1:{self.listening.getsockname()[1]}"


class Host:
    """One app in one process: HTTP, timers and queues around the worker library."""

    def __init__(self, app_dir: Path) -> None:
        """Index the app; raises HostStartError for whatever the real host would refuse."""
        load_settings(app_dir, os.environ)
        options = load_options(app_dir, os.environ)
        self._options = options
        self._worker = Worker()
        self.functions = describe(self._worker.start(app_dir), os.environ)
        self._queues = Queues(options.queues.base64)
        self._invoker = Invoker(self._worker, self._queues)
        self._administration = Administration(self.functions, self._invoker)
        keys = KeyRing.read(os.environ)
        keys.check_names(self.functions)
        routes = RouteTable(self.functions, options.route_prefix)
        self._front = HttpFront(routes, keys, self._invoker, self._administration)
        self._stopping = asyncio.Event()

    async def run(self, at: Sequence[Listener]) -> bool:
        """Serve until SIGTERM or SIGINT. True when everything that ran has ended within the grace period."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        listeners = [await self._listener(function, trigger) for function, trigger in self._active(QueueTrigger)]
        background = [asyncio.create_task(listener.listen(self._stopping)) for listener in listeners]
        background += [
            asyncio.create_task(self._timer(function, trigger)) for function, trigger in self._active(TimerTrigger)
        ]
        servers = [_Server(self._server_config(one.certificate)) for one in at]
        for server, one in zip(servers, at, strict=True):
            background.append(asyncio.create_task(server.serve(sockets=[one.listening])))
            logger.info("Serving %d functions at %s", len(self.functions), one.url)
        await self._until_stopped(background)
        for server in servers:
            server.should_exit = True
        _, running = await asyncio.wait(
            [*background, asyncio.create_task(self._administration.finish())], timeout=GRACE_SECONDS
        )
        self._queues.close()
        if running:
            logger.warning("Gave up waiting for %d invocations after %d s", self._worker.running, GRACE_SECONDS)
            return False
        self._worker.stop()
        logger.info("Stopped")
        return True

    def _server_config(self, certificate: Path | None) -> uvicorn.Config:
        return uvicorn.Config(
            self._front,
            http=_TlsProtocol if certificate else "auto",
            lifespan="off",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ssl_certfile=certificate,
            ssl_keyfile=certificate,
        )

    async def _until_stopped(self, background: list[asyncio.Task[None]]) -> None:
        """Wait for the request to stop; a listener or timer that dies takes the host with it, loudly."""
        stopped = asyncio.create_task(self._stopping.wait())
        done, _ = await asyncio.wait([stopped, *background], return_when=asyncio.FIRST_COMPLETED)
        self._stopping.set()
        for task in done:
            task.result()

    def _active[T](self, kind: type[T]) -> Iterator[tuple[Function, T]]:
        """The functions with a trigger of that kind that are not disabled."""
        for function in self.functions:
            if isinstance(function.trigger, kind) and not function.disabled:
                yield function, function.trigger

    async def _listener(self, function: Function, trigger: QueueTrigger) -> QueueListener:
        try:
            queue = await self._queues.open(trigger.connection, trigger.queue)
        except (AzureError, ValueError) as error:
            raise HostStartError(
                f"Function {function.name}: the queue {trigger.queue!r} cannot be opened ({type(error).__name__}). "
                "Is the storage running, and is the connection string right?"
            ) from error
        return QueueListener(
            queue,
            self._queues,
            trigger.connection,
            self._options.queues,
            run=lambda content, message: self._invoker.queue(function, content, message),
        )

    async def _timer(self, function: Function, trigger: TimerTrigger) -> None:
        if trigger.run_on_startup:
            await self._invoker.timer(function)
        await run_timer(trigger.schedule, lambda: self._invoker.timer(function), self._stopping)
