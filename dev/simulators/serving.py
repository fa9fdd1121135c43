"""From sockets to services: TLS servers in a thread, and the path that every request takes.

A simulator is a `Service`. Its `answer` is called for each request, through `perform`, which acts out faults and
writes the request log; a service that knows batches calls `perform` again for each item. Everything runs on one event
loop, so that services are plain objects without locks.
"""

import asyncio
import json
import socket
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dev.simulators.control import Action, act, shared_actions
from dev.simulators.exchange import Answer, ConnectionDropped, NeverAnswered, Request
from dev.simulators.faults import Act, Rule
from dev.simulators.world import World


class Service(Protocol):
    """One simulated service."""

    name: str  #: entra, graph or bc
    actions: Mapping[str, Action]  #: what the control interface can do with it, by name; arguments and results are JSON

    async def answer(self, request: Request) -> Answer:
        """Answer one request, or one item of a batch; fills in the request's `kind` and `mailbox`."""


@runtime_checkable
class Describing(Protocol):
    """A service that can tell what a request is about without answering it."""

    def describe(self, request: Request) -> None:
        """Fill in `kind` and `mailbox` as far as the address tells them, for requests that a fault keeps away."""


async def perform(world: World, service: Service, request: Request) -> Answer:
    """Let `service` answer, acting out faults and writing the log; raises `ConnectionDropped`, `NeverAnswered`."""
    started, status = time.perf_counter(), 0
    try:
        answer = await _with_faults(world, service, request)
        status = answer.status
        return answer
    finally:
        world.log.add(
            time=world.clock.now().isoformat(),
            service=service.name,
            kind=request.kind,
            method=request.method,
            path=request.target,
            status=status,
            mailbox=request.mailbox,
            batch=request.batch,
            item=request.item,
            milliseconds=round((time.perf_counter() - started) * 1000, 2),
            sent_bytes=len(request.body),
            fault=request.fault,
            parts=_parts(request),
        )


def _parts(request: Request) -> int:
    """How many requests a batch holds; 0 for anything else."""
    if request.item is not None or not request.path.endswith("/$batch"):
        return 0
    try:
        read = json.loads(request.body)["requests"]
    except (ValueError, LookupError, TypeError):
        return 0
    return len(read) if isinstance(read, list) else 0


async def _with_faults(world: World, service: Service, request: Request) -> Answer:
    rule = world.faults.strike(request)
    if rule is None:
        return await _answer(world, service, request)
    if isinstance(service, Describing):
        service.describe(request)
    match rule.act:
        case Act.ANSWER:
            return _answer_of(rule)
        case Act.DROP:
            raise ConnectionDropped
        case Act.SILENCE:
            raise NeverAnswered
        case Act.DELAY:
            await world.clock.sleep(rule.seconds)
    return _after(rule, await _answer(world, service, request))


def _after(rule: Rule, answer: Answer) -> Answer:
    """What becomes of the answer to a request that was carried out."""
    match rule.act:
        case Act.LOST_DROP:
            raise ConnectionDropped
        case Act.LOST_SILENCE:
            raise NeverAnswered
        case Act.LOST_ANSWER:
            return _answer_of(rule)
        case Act.SHORT:
            return _halved(answer)
    return answer


def _halved(answer: Answer) -> Answer:
    """A list that lacks its second half, and says nothing of it."""
    if not isinstance(answer.payload, dict) or not isinstance(rows := answer.payload.get("value"), list):
        return answer
    return replace(answer, payload={**answer.payload, "value": rows[: len(rows) // 2]})


def _answer_of(rule: Rule) -> Answer:
    if isinstance(rule.body, str):
        return Answer(rule.status, headers={"Content-Type": "text/html", **rule.headers}, raw=rule.body.encode())
    return Answer(rule.status, rule.body, rule.headers)


async def _answer(world: World, service: Service, request: Request) -> Answer:
    try:
        return await service.answer(request)
    except (ConnectionDropped, NeverAnswered):
        raise
    except Exception:  # noqa: BLE001 - a mistake of the simulator must be seen, not look like the service's 500
        world.defects.append(traceback.format_exc())
        return Answer(500, {"error": {"code": "SimulatorDefect", "message": world.defects[-1]}})


class _Protocol(HttpToolsProtocol):
    """Lets the app cut a connection without a word, which ASGI has no message for; cuts all of them at the end."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"simulators.transport": {"transport": self.transport}}

    def shutdown(self) -> None:
        self.transport.abort()  # a polite TLS goodbye would wait for idle clients to answer it


class _Application:
    """The ASGI application of one service."""

    def __init__(self, world: World, service: Service) -> None:
        self._world = world
        self._service = service
        self._actions = {**shared_actions(world), **service.actions}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        path = scope["raw_path"].decode("ascii").partition("?")[0]
        if path.startswith("/control/"):
            await _send(send, await act(self._actions, path.removeprefix("/control/"), body))
            return
        try:
            answer = await perform(self._world, self._service, self._request(scope, path, body))
        except ConnectionDropped:
            scope["extensions"]["simulators.transport"]["transport"].abort()
            await _disconnected(receive)
            return
        except NeverAnswered:
            await _disconnected(receive)
            return
        await _send(send, answer)

    def _request(self, scope: Any, path: str, body: bytes) -> Request:
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        return Request(self._service.name, scope["method"], path, scope["query_string"].decode("ascii"), headers, body)


async def _disconnected(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Any, answer: Answer) -> None:
    body = answer.encoded()
    headers = {"content-type": "application/json; charset=utf-8"} if answer.payload is not None else {}
    headers |= {name.lower(): value for name, value in answer.headers.items()}
    if answer.status != 204:
        headers["content-length"] = str(len(body))
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


class Servers:
    """TLS servers for some services on 127.0.0.1, running in a thread of their own."""

    def __init__(self, world: World, services: Sequence[Service], server_file: Path, ports: Mapping[str, int]) -> None:
        """Take the ports (free ones where `ports` names none) and write the addresses into `world.roots`."""
        self._world = world
        self._sockets = []
        self._servers = []
        for service in services:
            listening = socket.create_server(("127.0.0.1", ports.get(service.name, 0)), backlog=256)
            self._sockets.append(listening)
            world.roots[service.name] = f"https://127.0.0.1:{listening.getsockname()[1]}"
            self._servers.append(uvicorn.Server(_config(_Application(world, service), server_file)))
        self._thread = threading.Thread(target=self._run, name="simulators", daemon=True)

    def start(self) -> None:
        """Start serving; clients may connect at once, since the sockets already listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and wait until the thread has ended."""
        for server in self._servers:
            server.should_exit = True
        self._thread.join(timeout=10)
        for listening in self._sockets:
            listening.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        pairs = zip(self._servers, self._sockets, strict=True)
        try:
            await asyncio.gather(*(server.serve(sockets=[listening]) for server, listening in pairs))
        finally:
            await self._world.outgoing.close()


def _config(application: _Application, server_file: Path) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=120,
        timeout_graceful_shutdown=1,
        ssl_keyfile=str(server_file),
        ssl_certfile=str(server_file),
    )


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body; raises ValueError when it is none."""
    read = json.loads(body)
    if not isinstance(read, dict):
        raise ValueError("not a JSON object")
    return read
