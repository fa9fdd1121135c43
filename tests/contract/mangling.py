"""Real answers of a service, recorded, and then played again with something wrong at every place in turn."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from tests.fakes.http_service import Play

type Path = tuple[str | int, ...]

MISSING = object()
DEEP: Any = []
for _ in range(200):
    DEEP = [DEEP]
#: What may stand where something else should: every type, blank and huge, half a character, a date that is none.
WRONG: tuple[Any, ...] = (
    MISSING, None, True, False, 0, -1, 10**30, 1.5, 1e308, "", " ", "x" * 70_000, "\ud800", "\u0000",
    "2026-13-45T99:99:99Z", "https://elsewhere.example/x", [], {}, [None], [[]], {"unknown": {"member": 1}}, DEEP,
)  # fmt: skip


@dataclass(frozen=True)
class Recorded:
    """One answer as it was, and to what."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: Any


class Recorder(HTTPAdapter):
    """Lets requests through and remembers what was answered."""

    def __init__(self) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)
        self.answers: list[Recorded] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        response = super().send(request, **options)
        body = json.loads(response.content) if response.content.strip() else None
        headers = {name: value for name, value in response.headers.items() if name.lower() not in _OF_THE_WIRE}
        self.answers.append(Recorded(str(request.method), str(request.url), response.status_code, headers, body))
        return response


_OF_THE_WIRE = {"content-length", "content-encoding", "transfer-encoding", "connection"}


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """Every place in a JSON value, the whole first; of lists the first two items, for the rest are like them."""
    yield at
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, (*at, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value[:2]):
            yield from paths(inner, (*at, number))


def mangled(value: Any, path: Path, wrong: Any) -> Any:
    """A copy with `wrong` at the path."""
    if not path:
        return None if wrong is MISSING else wrong
    copy = deepcopy(value)
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    if wrong is MISSING:
        del inner[path[-1]]
    else:
        inner[path[-1]] = wrong
    return copy


def variants(answers: list[Recorded]) -> Iterator[tuple[str, list[Recorded]]]:
    """What was recorded with one mistake, at every place of every answer; each with a name for messages."""
    for number, answer in enumerate(answers):
        for path in paths(answer.body):
            for wrong in WRONG:
                body = mangled(answer.body, path, wrong)
                changed = Recorded(answer.method, answer.url, answer.status, answer.headers, body)
                name = (
                    f"answer {number} to {answer.method}, {path}: {'missing' if wrong is MISSING else repr(wrong)[:40]}"
                )
                yield name, [*answers[:number], changed, *answers[number + 1 :]]


def played(answers: list[Recorded]) -> Play:
    """The answers again, one after the other; whoever goes on asking is told that the service is away."""
    rest = iter(answers)

    def play(request: requests.PreparedRequest) -> tuple[int, Mapping[str, str], Any]:
        answer = next(rest, None)
        if answer is None:
            return 404, {}, {"error": {"code": "unknown", "message": ""}}
        return answer.status, answer.headers, b"" if answer.body is None else answer.body

    return play
