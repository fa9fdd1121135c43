"""`$batch` (5)."""

import json
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import urljoin, urlsplit

from dev.simulators.business_central import errors
from dev.simulators.business_central.environment import Environment
from dev.simulators.exchange import Answer, Request

type Perform = Callable[[Request], Awaitable[Answer]]

_MOST = 100
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")


class _Undo(Exception):
    """Ends a transaction without keeping what it did."""


async def run_batch(environment: Environment, request: Request, number: int, perform: Perform) -> Answer:
    """Answer a batch by performing its parts one after another; raises BcError when it cannot be read."""
    parts = [_part(entry, request, number) for entry in _entries(request)]
    goes_on = any(wish.removeprefix("odata.") in _GOES_ON for wish in request.preferences())
    if request.headers.get("isolation", "").lower() != "snapshot":
        return _answer(await _perform_all(parts, goes_on, perform))
    answers: list[tuple[Request, Answer]] = []
    async with environment.writing:
        try:
            with ExitStack() as transactions:
                for company in environment.companies.values():
                    transactions.enter_context(company.transaction())
                for part in parts:
                    part.facts["in_transaction"] = True
                answers = await _perform_all(parts, goes_on, perform)
                if any(answer.status >= 300 for _, answer in answers):
                    raise _Undo
        except _Undo:
            # What was done is undone, but the answers of the parts before the failure still say 200 and 201 (5).
            pass
    return _answer(answers)


_GOES_ON = ("continue-on-error", "continue-on-error=true")


async def _perform_all(parts: list[Request], goes_on: bool, perform: Perform) -> list[tuple[Request, Answer]]:
    answers = []
    for part in parts:
        answer = await perform(part)
        answers.append((part, answer))
        if answer.status >= 400 and not goes_on:
            break
    return answers


def _entries(request: Request) -> list[Any]:
    if "json" not in request.headers.get("content-type", ""):
        raise errors.BcError(415, "BadRequest_UnsupportedMediaType", "The content type is not supported.")
    try:
        entries = json.loads(request.body)["requests"]
    except (ValueError, LookupError, TypeError):
        raise errors.bad_request("The batch is not a JSON object with 'requests'.") from None
    if not isinstance(entries, list):
        raise errors.bad_request("'requests' is not a list.")
    if len(entries) > _MOST:
        raise errors.BcError(
            500,
            "Unknown",
            f"The current batch message contains too many parts. A maximum number of '{_MOST}' query operations "
            "and change sets are allowed in a batch message.",
        )
    ids = [entry.get("id") for entry in entries if isinstance(entry, dict) and entry.get("id") is not None]
    if len(set(map(str, ids))) < len(ids):
        raise errors.bad_request("The ids of a batch's requests must differ.")
    return entries


def _part(entry: Any, request: Request, number: int) -> Request:
    if not isinstance(entry, dict) or entry.get("method") not in _METHODS or not isinstance(entry.get("url"), str):
        raise errors.bad_request("Each request of a batch needs a method and a url.")
    given = entry.get("headers") or {}
    if not isinstance(given, dict):
        raise errors.bad_request("The headers of a batch's request are not an object.")
    headers = {str(name).lower(): str(value) for name, value in given.items()}
    # Relative to the batch's own root, as RFC 3986 resolves it: a leading slash leaves that root.
    target = urlsplit(urljoin(request.path, entry["url"].replace(" ", "%20")))
    body = b""
    if "body" in entry:
        headers.setdefault("content-type", "application/json")
        body = json.dumps(entry["body"]).encode()
    name = entry.get("id")
    part = Request(
        request.service, entry["method"], target.path, target.query, headers, body,
        batch=number, item="" if name is None else str(name),
    )  # fmt: skip
    part.facts |= {"user": request.facts["user"], "intent": request.headers.get("data-access-intent"), "id": name}
    return part


def _answer(answers: list[tuple[Request, Answer]]) -> Answer:
    return Answer(200, {"responses": [_response(part, answer) for part, answer in answers]}, {"OData-Version": "4.0"})


def _response(part: Request, answer: Answer) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    response: dict[str, Any] = {"id": part.facts["id"], "status": answer.status, "headers": headers}
    if answer.payload is not None:
        headers.setdefault("content-type", "application/json; odata.metadata=minimal")
        response["body"] = answer.payload
    elif answer.raw:
        response["body"] = answer.raw.decode()
    return response
