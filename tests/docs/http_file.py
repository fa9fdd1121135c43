"""docs/admin.http, read as a REST client reads it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "admin.http"
_NAME = re.compile(r"\{\{([^{}]+)\}\}")


@dataclass(frozen=True)
class Request:
    """One request as it stands in the file, its names not filled in; `line` is where its request line stands."""

    line: int
    name: str  #: blank for none
    method: str
    address: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class HttpFile:
    """The file: what its names stand for, and its requests in order."""

    variables: Mapping[str, str]
    requests: list[Request]


def read(page: Path = PAGE) -> HttpFile:
    """Read the file. Raises ValueError with the line that no REST client would understand."""
    variables: dict[str, str] = {}
    requests: list[Request] = []
    block: list[tuple[int, str]] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("###"):
            requests += _request(block)
            block = []
        elif found := re.fullmatch(r"@(\w+) = (.+)", line):
            variables[found[1]] = found[2]
        else:
            block.append((number, line))
    return HttpFile(variables, [*requests, *_request(block)])


def _request(block: list[tuple[int, str]]) -> list[Request]:
    name, lines = "", []
    for number, line in block:
        if found := re.fullmatch(r"# @name (\w+)", line):
            name = found[1]
        elif not line.startswith("#") and (line or lines):
            lines.append((number, line))
    if not lines:
        return []
    number, first = lines[0]
    if not (head := re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE) (\S+)", first)):
        raise ValueError(f"line {number}: no request line: {first}")
    rest = [line for _, line in lines[1:]]
    end = rest.index("") if "" in rest else len(rest)
    headers = dict(line.split(": ", 1) for line in rest[:end])
    return [Request(number, name, head[1], head[2], headers, "\n".join(rest[end:]).strip())]


def filled(text: str, variables: Mapping[str, str], answers: Mapping[str, Any]) -> str:
    """A text with its names filled in, again and again until none is left.

    `answers` are the bodies of the answers to named requests. Raises KeyError for a name that nobody has given.
    """
    while found := _NAME.search(text):
        text = text.replace(found[0], _value(found[1].strip(), variables, answers))
    return text


def _value(name: str, variables: Mapping[str, str], answers: Mapping[str, Any]) -> str:
    if not (path := re.fullmatch(r"(\w+)\.response\.body\.\$\.(.+)", name)):
        return variables[name]
    value = answers[path[1]]
    for step in re.findall(r"\w+", path[2]):
        value = value[int(step)] if step.isdigit() else value[step]
    return str(value)


def as_json(body: str) -> Any:
    """The body of a request; None for none."""
    return json.loads(body) if body else None
