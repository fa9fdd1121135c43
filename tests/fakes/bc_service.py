"""A function that plays Business Central, for what the simulator does too well."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import requests

from shared.business_central.environment import Environment, service
from shared.pace import Pace
from shared.transport.client import Client
from tests.fakes.http_service import FakeService, FakeTime, Play, Tokens

COMPANY = "824820a2-508c-ed11-aada-000d3a298ab3"
ROOT = "https://bc.example/v2.0/t/My%20Sandbox/api/v2.0"
LINK = f"{ROOT}/companies({COMPANY})/contacts?$skiptoken=1"
Reply = tuple[int, Mapping[str, str], Any]


def key(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012d}"


def row(number: int, tag: str = "1", **values: Any) -> dict[str, Any]:
    return {
        "@odata.etag": f'W/"{tag}"',
        "id": key(number),
        "type": "Person",
        "lastModifiedDateTime": "2026-01-01T00:00:00Z",
        **values,
    }


def rows(*found: dict[str, Any], link: Any = None) -> Reply:
    body: dict[str, Any] = {"value": list(found)}
    if link is not None:
        body["@odata.nextLink"] = link
    return 200, {}, body


class Setup:
    """A company of a service that is played."""

    def __init__(self, play: Play, *, seconds: float = 600, page_size: int | None = None) -> None:
        self.fake, self.time = FakeService(play), FakeTime()
        bc = service(root="https://bc.example/", tenant="t", environment="My Sandbox", scope="s")
        client = Client(
            bc, Tokens(), adapter=self.fake, clock=self.time.clock, sleep=self.time.sleep, jitter=lambda: 0.0
        )
        self.environment = Environment(client, Pace(deadline=self.time.now + seconds), page_size=page_size)
        self.company = self.environment.company(COMPANY.upper())

    def urls(self) -> list[str]:
        return [unquote(str(request.url)) for request in self.fake.seen]

    def ids(self) -> list[str]:
        return [each for each, _ in self.company.stamps()]


# Lists


class Batch:
    """Plays `$batch`: `react(method, url, body)` -> (status, body); other requests get `listed`."""

    def __init__(self, react: Any, listed: Reply = (200, {}, {"value": []})) -> None:
        self.react = react
        self.listed = listed
        self.parts: list[list[dict[str, Any]]] = []

    def __call__(self, request: requests.PreparedRequest) -> Reply:
        if not str(request.url).endswith("$batch"):
            return self.listed
        assert request.headers["Prefer"] == "odata.continue-on-error"
        parts = json.loads(request.body or b"")["requests"]
        self.parts.append(parts)
        responses = []
        for part in parts:
            status, body = self.react(part["method"], unquote(part["url"]), part.get("body"))
            responses.append({"id": part["id"], "status": status, "headers": {}, "body": body})
        return 200, {}, {"responses": responses}


def missing(code: str = "BadRequest_ResourceNotFound") -> tuple[int, Any]:
    return 404, {"error": {"code": code, "message": "x"}}
