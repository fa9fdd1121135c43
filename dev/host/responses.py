"""An answer to an HTTP request."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Response:
    """Status, body and headers of an answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def json_response(status: int, content: object) -> Response:
    """An answer with a JSON body."""
    return Response(status, json.dumps(content).encode(), (("content-type", "application/json"),))
