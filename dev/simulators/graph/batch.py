"""POST /$batch (reference 7): checks the whole, then runs items in waves of four or, with dependsOn, one by one."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from dev.simulators.exchange import Answer, Request
from dev.simulators.graph.refusals import Refused

_MOST = 20
_AT_ONCE = 4
_MEMBERS = {"id", "method", "url", "headers", "body", "dependsOn", "atomicityGroup"}
_METHODS = {"GET", "POST", "PATCH", "PUT", "DELETE"}

type Perform = Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Item:
    """One request of a batch."""

    id: str
    method: str
    url: str
    headers: dict[str, str]
    body: Any
    depends_on: tuple[str, ...]

    def request(self, outer: Request, number: int, *, inherit_prefer: bool) -> Request:
        """Return the item as a request of its own; only the outer token and, if switched on, Prefer are inherited."""
        path, _, query = self.url.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        headers["authorization"] = outer.headers.get("authorization", "")
        if inherit_prefer and "prefer" in outer.headers:
            headers.setdefault("prefer", outer.headers["prefer"])
        body = b"" if self.body is None else json.dumps(self.body).encode()
        return Request(outer.service, self.method, f"/v1.0{path}", query, headers, body, batch=number, item=self.id)


def read_batch(body: dict[str, Any], *, ignore_unknown: bool = False) -> list[Item]:
    """Check a batch as a whole; raises 400. `ignore_unknown`: members of its requests that are not documented."""
    requests = body.get("requests")
    if not isinstance(requests, list) or not requests or set(body) != {"requests"}:
        raise _malformed("Invalid batch payload format.")
    if len(requests) > _MOST:
        raise _malformed(f"Number of batch request steps exceeds the maximum value of {_MOST}.")
    items = [_read_item(one, ignore_unknown=ignore_unknown) for one in requests]
    ids = [item.id.casefold() for item in items]
    if len(set(ids)) < len(ids):
        raise _malformed("Duplicate request ids in batch.")
    for position, item in enumerate(items):
        for dependency in item.depends_on:
            if dependency.casefold() not in ids[:position]:
                raise _malformed(f"Request {item.id} depends on {dependency}, which does not come before it.")
    return items


async def run_batch(items: list[Item], requests: list[Request], perform: Perform) -> list[dict[str, Any]]:
    """Perform the items and return their responses in the order of the requests.

    An unordered batch runs up to four items at a time, whatever mailboxes they are for; an ordered one runs serially.
    """
    answers: dict[str, Answer] = {}
    if any(item.depends_on for item in items):
        for item, request in zip(items, requests, strict=True):
            failed = [one for one in item.depends_on if answers[one.casefold()].status >= 400]
            answers[item.id.casefold()] = _dependency_failed() if failed else await perform(request)
    else:
        for start in range(0, len(items), _AT_ONCE):
            wave = requests[start : start + _AT_ONCE]
            for item, answer in zip(
                items[start : start + _AT_ONCE], await asyncio.gather(*map(perform, wave)), strict=True
            ):
                answers[item.id.casefold()] = answer
    return [_response(item, answers[item.id.casefold()]) for item in items]


def _read_item(one: Any, *, ignore_unknown: bool) -> Item:
    if not isinstance(one, dict) or (set(one) - _MEMBERS and not ignore_unknown):
        raise _malformed("Invalid batch payload format.")
    name, method, url, headers = one.get("id"), one.get("method"), one.get("url"), one.get("headers", {})
    if not isinstance(name, str) or not name:
        raise _malformed("Every batch request needs an id.")
    if method not in _METHODS:
        raise _malformed(f"Request {name} has no method that is allowed.")
    if not isinstance(url, str) or not url.startswith("/") or url.startswith("//"):
        raise _malformed(f"The url of request {name} must be relative to the version.")
    if url.partition("?")[0].lower() in ("/$batch", "/%24batch"):
        raise _malformed("Batches cannot be nested.")
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise _malformed(f"The headers of request {name} must be strings.")
    has_type = "content-type" in {header.lower() for header in headers}
    if ("body" in one and one["body"] is not None) != has_type and method != "GET" and method != "DELETE":
        raise _malformed(f"Write request id : {name} does not contain Content-Type header or body.")
    depends_on = one.get("dependsOn", [])
    if not isinstance(depends_on, list) or not all(isinstance(value, str) for value in depends_on):
        raise _malformed(f"dependsOn of request {name} must be ids.")
    return Item(name, method, url, headers, one.get("body"), tuple(depends_on))


def _response(item: Item, answer: Answer) -> dict[str, Any]:
    headers = {"Cache-Control": "private", **answer.headers}
    body = answer.payload
    if answer.raw is not None:
        body = answer.raw.decode()
    elif body is not None:
        headers["Content-Type"] = "application/json"
    return {"id": item.id, "status": answer.status, "headers": headers, "body": body}


def _dependency_failed() -> Answer:
    return Answer(424, {"error": {"code": "FailedDependency", "message": "Dependent request failed."}})


def _malformed(message: str) -> Refused:
    return Refused(400, "BadRequest", message)
