"""The administration routes: status, list of functions, and firing a function by hand.

`POST /admin/functions/{name}` with `{"input": "..."}` runs a timer or queue function and answers 202 at once, as the
real host does; a disabled function can be fired, too. With `"wait": true` in the body, which only this host knows, the
answer comes when the function has ended and its outputs are written. With a `_master` key set, all but the status ask
for it.
"""

import asyncio
import json
from collections.abc import Sequence
from urllib.parse import unquote

from dev.host.functions import Function, HttpTrigger, QueueTrigger, TimerTrigger
from dev.host.invoker import Invoker
from dev.host.responses import Response, json_response

_KINDS = {HttpTrigger: "httpTrigger", TimerTrigger: "timerTrigger", QueueTrigger: "queueTrigger"}


class Administration:
    """What is served below /admin."""

    def __init__(self, functions: Sequence[Function], invoker: Invoker) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._invoker = invoker
        self._fired: set[asyncio.Task[bool]] = set()

    async def serve(self, method: str, path: str, body: bytes, allowed: bool) -> Response:
        """Answer a request; `allowed` says whether the caller sent the key for administration."""
        parts = [unquote(part) for part in path.strip("/").split("/")[1:]]
        if method == "GET" and [part.lower() for part in parts] == ["host", "status"]:
            return json_response(200, {"state": "Running"})
        if not allowed:
            return Response(401)
        match method, parts:
            case "GET", ["functions"]:
                return json_response(200, [_describe(function) for function in self._functions.values()])
            case "POST", ["functions", name]:
                return await self._fire(name, body)
            case _:
                return Response(404)

    async def finish(self) -> None:
        """Wait for what was fired by hand."""
        while self._fired:
            await asyncio.wait(self._fired)

    async def _fire(self, name: str, body: bytes) -> Response:
        function = self._functions.get(name.lower())
        if function is None:
            return json_response(404, {"error": f"The app has no function {name!r}."})
        if isinstance(function.trigger, HttpTrigger):
            return json_response(400, {"error": f"{name} has an HTTP trigger: call its route."})
        try:
            content, waits = _input(body)
        except ValueError:
            return json_response(400, {"error": 'The body must be a JSON object like {"input": "..."}.'})
        if content is None and isinstance(function.trigger, QueueTrigger):
            return json_response(400, {"error": f'{name} needs the text of a message: {{"input": "..."}}.'})
        task = asyncio.create_task(self._invoker.by_hand(function, content or ""))
        self._fired.add(task)
        task.add_done_callback(self._fired.discard)
        if waits:
            await asyncio.wait({task})
        return Response(202)


def _input(body: bytes) -> tuple[str | None, bool]:
    content = json.loads(body) if body.strip() else {}
    if not isinstance(content, dict):
        raise ValueError
    value = content.get("input")
    return value if value is None or isinstance(value, str) else json.dumps(value), content.get("wait") is True


def _describe(function: Function) -> dict[str, object]:
    described: dict[str, object] = {
        "name": function.name,
        "trigger": _KINDS[type(function.trigger)],
        "isDisabled": function.disabled,
    }
    match function.trigger:
        case HttpTrigger(route=route, methods=methods, auth_level=auth_level):
            described |= {"route": route, "methods": sorted(methods), "authLevel": auth_level}
        case TimerTrigger(schedule=schedule):
            described |= {"schedule": schedule}
        case QueueTrigger(queue=queue):
            described |= {"queueName": queue}
    return described
