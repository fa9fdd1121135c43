"""The HTTP front: routes, keys, and the way from a request to the worker and back, as an ASGI application.

Callers may leave out the body and the Content-Type. Nothing is ever redirected.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

from dev.host.admin import Administration
from dev.host.invoker import HttpCall, Invoker
from dev.host.keys import KeyRing, sent_key
from dev.host.responses import Response
from dev.host.routes import RouteTable
from dev.host.worker import Datum, Invocation

logger = logging.getLogger(__name__)

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class HttpFront:
    """The ASGI application that serves the app's HTTP functions and the administration routes."""

    def __init__(self, routes: RouteTable, keys: KeyRing, invoker: Invoker, administration: Administration) -> None:
        self._routes = routes
        self._keys = keys
        self._invoker = invoker
        self._administration = administration

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        headers = _joined((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
        query_string = scope["query_string"].decode("latin-1")
        query = _joined(parse_qsl(query_string, keep_blank_values=True))
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        call = HttpCall(
            method=scope["method"].upper(),
            url=f"{scope['scheme']}://{headers.get('host', '')}{path}{'?' if query_string else ''}{query_string}",
            headers=headers,
            query=query,
            route_values={},
            body=await _read_body(receive),
        )
        await _answer(send, await self._serve(path, call))

    async def _serve(self, path: str, call: HttpCall) -> Response:
        key = sent_key(call.headers, call.query)
        if path.lower().startswith("/admin/"):
            allowed = self._keys.allows_administration(key)
            return await self._administration.serve(call.method, path, call.body, allowed)
        match = self._routes.match(call.method, path)
        if match.function is None:
            verbs = ", ".join(sorted(match.allowed))
            return Response(405, headers=(("allow", verbs),)) if verbs else Response(404)
        if match.function.disabled:
            return Response(404)
        if not self._keys.allows(match.function, key):
            return Response(401)
        call = HttpCall(call.method, call.url, call.headers, call.query, match.values, call.body)
        return _response(await self._invoker.http(match.function, call))


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the values of one name by commas, whatever its letter case; the first spelling stays. As on the platform."""
    joined: dict[str, str] = {}
    spelling: dict[str, str] = {}
    for name, value in pairs:
        first = spelling.setdefault(name.lower(), name)
        joined[first] = f"{joined[first]},{value}" if first in joined else value
    return joined


def _response(result: Invocation) -> Response:
    if not result.succeeded:
        return Response(500)
    value = result.value
    if value is None or value.value is None:
        return Response(204)
    if value.type == "string":
        return Response(200, value.value.encode(), (("content-type", "text/plain; charset=utf-8"),))
    parts: dict[str, Datum] = value.value
    headers = [(name, each.value) for name, each in parts["headers"].items()]
    cookies: list[SimpleCookie] = value.value.get("cookies") or []
    headers += [("set-cookie", morsel.OutputString()) for cookie in cookies for morsel in cookie.values()]
    return Response(int(parts["status_code"].value), bytes(parts["body"].value or b""), tuple(headers))


async def _read_body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _answer(send: Send, response: Response) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.status >= 200 and response.status not in (204, 304):
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
