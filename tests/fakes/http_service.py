"""A service played by a function, for tests of HTTP clients: no network, no waiting.

run = setup(script((503, {"Retry-After": "7"}, b""), (200, {}, {"value": []})))
answer = run.get("things")
run.fake.seen, run.time.slept
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import BaseAdapter

from shared.pace import Pace
from shared.transport.client import Answer, Client, Service

Play = Callable[[requests.PreparedRequest], tuple[int, Mapping[str, str], Any] | requests.Response]
ROOT = "https://service.example/v1.0"


class FakeService(BaseAdapter):
    """Answers every request by calling `play(request)` -> (status, headers, body), or a whole response; an
    exception is raised as it is."""

    def __init__(self, play: Play) -> None:
        super().__init__()
        self.play = play
        self.seen: list[requests.PreparedRequest] = []
        self.options: list[dict[str, Any]] = []
        self.closed = 0

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        self.seen.append(request)
        self.options.append(options)
        played = self.play(request)
        if isinstance(played, requests.Response):
            return played
        status, headers, body = played
        response = requests.Response()
        response.status_code = status
        response.raw = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        response.headers.update(headers)
        response.request, response.url = request, str(request.url)
        return response

    def close(self) -> None:
        self.closed += 1


@dataclass
class FakeTime:
    """A clock that only sleeping moves."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Tokens:
    """Hands out numbered tokens."""

    def __init__(self) -> None:
        self.number = 1

    def token(self, scope: str, *, fresh: bool = False) -> str:
        self.number += fresh
        return f"{scope}-{self.number}"


@dataclass
class Setup:
    """A client, the service it talks to, and its time."""

    client: Client
    fake: FakeService
    time: FakeTime
    pace: Pace

    def get(self, url: str = "things", **options: Any) -> Answer:
        return self.client.request("GET", url, pace=self.pace, what="things", **options)

    def post(self, **options: Any) -> Answer:
        return self.client.request("POST", "things", pace=self.pace, what="things", json={"a": 1}, **options)


def setup(play: Play, *, seconds: float = 600.0, tokens: Any = None, jitter: float = 0.5, **service: Any) -> Setup:
    """A client whose service is `play`, with `seconds` of time for the run."""
    fake, time = FakeService(play), FakeTime()
    client = Client(
        Service("graph", ROOT, "scope", **service),
        tokens or Tokens(),
        adapter=fake,
        clock=time.clock,
        sleep=time.sleep,
        jitter=lambda: jitter,
    )
    return Setup(client, fake, time, Pace(deadline=time.now + seconds))


def script(*answers: tuple[int, Mapping[str, str], Any] | Exception) -> Play:
    """A service that gives these answers one after the other."""
    rest: Iterator[tuple[int, Mapping[str, str], Any] | Exception] = iter(answers)

    def play(request: requests.PreparedRequest) -> tuple[int, Mapping[str, str], Any]:
        answer = next(rest)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return play


OK: tuple[int, Mapping[str, str], Any] = (200, {}, {"value": []})
