"""The app in this process on its real adapters, between simulators and Azurite, and what the host does for it.

Time passes when it is told to: leases and delayed messages are waited out by moving the clocks of the app and of the
services, never by sleeping.
"""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import azure.functions as func
from azure.storage.queue import QueueClient, QueueMessage

from dev.simulators.launch import Simulators
from dev.system.settings import settings_for
from shared.bootstrap import Surroundings, build, use_services
from shared.engine.services import Services
from shared.engine.state import Messages
from shared.settings import read
from shared.storage.connect import queue
from shared.storage.queues import COMPANY_JOBS, SYNC_JOBS, queue_name
from tests.crashes.wire import Died, Wire
from tests.fakes.faults import AtOnce
from tests.functions.desk import FUNCTIONS, Response, Sent, bindings, call

DEQUEUED_MOST = 5  #: as in host.json: then the host takes a message for poison
RETRY_AFTER = 30.0  #: as in host.json: seconds until a message that failed comes again


class Clock:
    """Real time, and what was skipped."""

    def __init__(self) -> None:
        self.skipped = 0.0
        self.slept = 0.0

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.skipped)

    def monotonic(self) -> float:
        """Seconds; hours that were skipped between two messages are not in it, which no run has spent."""
        return time.monotonic() + self.slept

    def sleep(self, seconds: float) -> None:
        """Nobody waits."""
        self.slept += seconds
        self.skipped += seconds


def _unproxied() -> Mapping[str, Any]:
    """No look into the environment for proxies at each of some hundred thousand requests."""
    return {"use_env_settings": False}


@dataclass
class HurriedMessages:
    """The queues' adapter; how long a message is to be held back is noted, for the stage to let that time pass."""

    real: Messages
    held_back: list[float]

    def sync_job(self, mailbox_id: str, *, delay: float = 0) -> None:
        self.held_back.append(delay)
        self.real.sync_job(mailbox_id)

    def sync_jobs(self, mailbox_ids: Any) -> None:
        self.real.sync_jobs(mailbox_ids)

    def company_job(self, company_id: str, reason: str, *, delay: float = 0) -> None:
        self.held_back.append(delay)
        self.real.company_job(company_id, reason)

    def waiting(self) -> Any:
        return self.real.waiting()


class Stage:
    """Everything that a story needs. `open` empties it."""

    def __init__(self, wire: Wire, simulators: Simulators, storage: str, public_address: str) -> None:
        self.wire = wire
        self.graph = simulators.graph
        self.bc = simulators.bc
        self.clock = Clock()
        self._addresses = simulators.addresses
        self._storage = storage
        self._public_address = public_address
        self._held_back: list[float] = []
        self.broken: list[Exception] = []  #: what messages failed with, other than a death
        self._told = 0.0  #: how much of what the clock skipped the simulators know

    # ------------------------------------------------------------ the app

    def open(self, **settings: str) -> None:
        """Nobody and nothing is there; storage is new."""
        self.wire.restart()
        self.bc.reset()
        self.graph.reset()
        self.graph.clear_faults()
        self.bc.clear_faults()
        self.bc.reset_log()
        more = {"STORAGE_PREFIX": f"s{secrets.token_hex(5)}", **settings}
        self._environment = settings_for(self._addresses, self._storage, more, self._public_address)
        self._settings = read(self._environment)
        self._queues: dict[str, QueueClient] = {}
        with self.wire.outside():
            for name in (COMPANY_JOBS, SYNC_JOBS):
                self._queues[name] = queue(self._settings, queue_name(self._settings.storage_prefix, name))
                self._queues[name].create_queue()
        self.start_app()

    def start_app(self) -> Services:
        """A new process: no object of the old one lives on."""
        around = Surroundings(
            now=self.clock.now, monotonic=self.clock.monotonic, sleep=self.clock.sleep, storage_options=_unproxied
        )
        built = build(self._settings, around)
        messages = HurriedMessages(built.messages, self._held_back)
        self.services = replace(built, messages=messages, ahead=AtOnce)
        use_services(self.services)
        return self.services

    def restart(self) -> None:
        """The app died: the platform starts it again."""
        self.wire.restart()
        self.start_app()

    def pass_time(self, seconds: float) -> None:
        """For the app and for the services."""
        self.clock.skipped += seconds
        self.graph.advance_clock(self.clock.skipped - self._told)
        self._told = self.clock.skipped

    @contextmanager
    def alive(self) -> Iterator[None]:
        """What the app does to its end, or to its death; whatever it answered, it is dead after its last request."""
        yield
        if self.wire.is_dead:
            raise Died

    # ------------------------------------------------------------ what calls the app

    def call(self, method: str, address: str, body: object = None) -> Response:
        """Somebody calls an address."""
        with self.alive():
            response = call(method, address, body)
            self._send(response.sent)
        return response

    def timer(self, name: str) -> None:
        """A timer fires."""
        outputs = {each["name"]: Sent() for each in bindings(name) if each["type"] == "queue"}
        with self.alive():
            FUNCTIONS[name].get_user_function()(tick=SimpleNamespace(past_due=False), **outputs)
            self._send({key: sent.messages for key, sent in outputs.items()})

    def work(self) -> None:
        """Until both queues are empty. A message whose work died or failed comes again."""
        while True:
            if self._held_back:
                self.pass_time(max(self._held_back))
                self._held_back.clear()
            if not any([self._serve(COMPANY_JOBS, self._company_job), self._serve(SYNC_JOBS, self._sync_job)]):
                return

    def tick(self, *, later: float = 3660.0) -> None:
        """Time passes, the timer fires, and all that follows from it is done."""
        self.pass_time(later)
        self.timer("fan_out")
        self.work()

    def _send(self, messages: Mapping[str, list[dict[str, Any]]]) -> None:
        """What the function left in its outputs, the host sends when it has ended."""
        for each in (one for sent in messages.values() for one in sent):
            name = SYNC_JOBS if "mailbox" in each else COMPANY_JOBS
            self._queues[name].send_message(json.dumps(each))

    def _serve(self, name: str, serve: Callable[[QueueMessage], None]) -> bool:
        client = self._queues[name]
        with self.wire.outside():
            message = next(iter(client.receive_messages(max_messages=1, visibility_timeout=3600)), None)
        if message is None:
            return False
        assert int(message.dequeue_count or 0) <= DEQUEUED_MOST, f"poison in {name}: {self.broken}"
        try:
            with self.alive():
                serve(message)
        except BaseException as error:
            with self.wire.outside():
                client.update_message(message.id, message.pop_receipt, visibility_timeout=0)
            if isinstance(error, Exception):
                self.pass_time(RETRY_AFTER)
                self.broken.append(error)
                return True
            raise
        with self.wire.outside():
            client.delete_message(message)
        return True

    def _sync_job(self, message: QueueMessage) -> None:
        body = func.QueueMessage(id="m1", body=base64.b64decode(message.content))
        context = SimpleNamespace(invocation_id=secrets.token_hex(8))
        FUNCTIONS["sync_jobs"].get_user_function()(message=body, context=context)

    def _company_job(self, message: QueueMessage) -> None:
        body = func.QueueMessage(id="m1", body=base64.b64decode(message.content))
        FUNCTIONS["company_jobs"].get_user_function()(message=body)
