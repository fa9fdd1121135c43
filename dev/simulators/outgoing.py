"""What the simulators send to other servers: handshakes and notifications, and what became of them.

Everything runs as tasks on the simulators' event loop, and ends with it. Answering times and time limits are real
seconds; when something is sent is decided by the simulated clock.
"""

import asyncio
import json
import ssl
import time
import traceback
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from dev.simulators.clock import SimClock

_AT_ONCE = 32  #: requests that are out at the same time; more wait for their turn, which their time does not count
_RAW_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request that was sent."""

    number: int  #: counts up from 1
    time: str  #: simulated time at which it was sent, ISO 8601
    service: str  #: graph, bc, or empty for a raw one
    kind: str  #: handshake, notify, lifecycle, raw
    url: str  #: without the query, which may hold keys
    attempt: int
    status: int  #: 0 when there was no answer
    problem: str  #: why there was none: "timeout", or the kind of error
    milliseconds: float  #: real time until the answer was complete
    items: int  #: notifications in the body


@dataclass(frozen=True, slots=True)
class Got:
    """What came back; status 0 when nothing did."""

    status: int
    content_type: str = ""
    text: str = ""
    problem: str = ""
    seconds: float = 0.0


async def spread[T](items: Sequence[T], seconds: float) -> AsyncIterator[T]:
    """Yield items one by one, evenly over real seconds."""
    started = asyncio.get_running_loop().time()
    for number, item in enumerate(items):
        left = started + number * seconds / len(items) - asyncio.get_running_loop().time()
        if left > 0:
            await asyncio.sleep(left)
        yield item


class Outgoing:
    """Sends requests, keeps account of them, and runs what leads to them."""

    def __init__(self, clock: SimClock, ca_file: Path | None, defects: list[str]) -> None:
        """Trust `ca_file` (None: the usual authorities); mistakes of tasks are added to `defects`."""
        self._clock = clock
        self._ca_file = ca_file
        self._defects = defects
        self._log: list[Delivery] = []
        self._number = 0
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._sleeping: dict[asyncio.Task[None], float] = {}  #: until when, simulated
        self._news = asyncio.Event()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._client: httpx.AsyncClient | None = None

    # Tasks

    def spawn(self, service: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` in the background for a service, until it or the simulators end."""
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks[task] = service
        task.add_done_callback(lambda ended: self._ended(ended, work))

    async def until(self, moment: float) -> None:
        """Let a task that was spawned wait for a simulated time (seconds since 1970)."""
        task = asyncio.current_task()
        if task is None or task not in self._tasks:
            raise RuntimeError("only spawned tasks wait here")
        self._sleeping[task] = moment
        self._news.set()
        try:
            await self._clock.until(moment)
        finally:
            del self._sleeping[task]

    def cancel(self, service: str) -> None:
        """End everything that runs for a service."""
        for task, whose in self._tasks.items():
            if whose == service:
                task.cancel()

    def forget(self, service: str) -> None:
        """Forget what a service has sent; numbers go on."""
        self._log = [one for one in self._log if one.service != service]

    async def quiet(self, due_only: bool = False, timeout: float = 60.0) -> None:
        """Wait until no task is left (`due_only`: none but those that wait for their time); raises TimeoutError."""
        try:
            async with asyncio.timeout(timeout):
                while self._is_busy(due_only):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(
                f"{len(self._tasks)} deliveries are pending, {len(self._sleeping)} of them later"
            ) from None

    async def close(self) -> None:
        """End all tasks and close the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    # Sending

    async def send(
        self,
        service: str,
        kind: str,
        url: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str],
        timeout: float,
        method: str = "POST",
        attempt: int = 1,
        items: int = 0,
    ) -> Got:  # fmt: skip
        """Send one request and return what came back within `timeout` real seconds. Redirects are not followed."""
        async with self._turns:
            sent_at, started = self._clock.now().isoformat(), time.perf_counter()
            got = await self._request(method, url, body, headers, timeout)
            seconds = time.perf_counter() - started
        self._number += 1
        self._log.append(
            Delivery(
                self._number,
                sent_at,
                service,
                kind,
                url.partition("?")[0],
                attempt,
                got.status,
                got.problem,
                round(seconds * 1000, 2),
                items,
            )
        )
        return Got(got.status, got.content_type, got.text, got.problem, seconds)

    async def send_raw(self, url: str, body: Any, content_type: str = "application/json") -> dict[str, Any]:
        """POST any body: text as it is, everything else as JSON."""
        encoded = body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()
        got = await self.send("", "raw", url, encoded, headers={"Content-Type": content_type}, timeout=_RAW_TIMEOUT)
        return {"status": got.status, "milliseconds": round(got.seconds * 1000, 2), "text": got.text}

    def deliveries(self, service: str | None = None, since: int = 0) -> list[dict[str, Any]]:
        """Return what was sent, oldest first."""
        return [asdict(one) for one in self._log if one.number > since and service in (None, one.service)]

    async def _request(self, method: str, url: str, body: bytes, headers: Mapping[str, str], limit: float) -> Got:
        if self._client is None:
            trusted = ssl.create_default_context(cafile=str(self._ca_file) if self._ca_file else None)
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=_AT_ONCE)
            self._client = httpx.AsyncClient(verify=trusted, trust_env=False, limits=limits, timeout=None)  # noqa: S113
        try:
            async with asyncio.timeout(limit):
                answer = await self._client.request(method, url, content=body, headers=dict(headers))
        except TimeoutError:
            return Got(0, problem="timeout")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Got(0, problem=type(error).__name__)
        return Got(answer.status_code, answer.headers.get("content-type", ""), answer.text)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001 - a mistake of the simulator must be seen
            self._defects.append(traceback.format_exc())

    def _ended(self, task: asyncio.Task[None], work: Coroutine[Any, Any, None]) -> None:
        work.close()  # cancelled before it began
        del self._tasks[task]
        self._news.set()

    def _is_busy(self, due_only: bool) -> bool:
        if not due_only:
            return bool(self._tasks)
        now = self._clock.timestamp()
        waiting = sum(moment > now for moment in self._sleeping.values())
        return len(self._tasks) > waiting
