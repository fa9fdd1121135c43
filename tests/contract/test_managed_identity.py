"""The assertion of a managed identity: the real library, and an endpoint like App Service's (Graph reference 10.2)."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shared import bootstrap
from shared.errors import SettingsError
from shared.settings import read
from shared.transport.auth import Assertion
from shared.transport.authority import TokenUnavailable
from shared.transport.retry import Lost
from tests.unit.test_settings import LEAST

pytestmark = pytest.mark.integration

REFUSED = {"statusCode": 400, "message": "No User Assigned or Delegated Managed Identity found for specified ClientId"}


class Endpoint(ThreadingHTTPServer):
    """Answers every request with `status` and `body`."""

    status: int = 200
    body: Any = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        body = self.server.body
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{server.server_port}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield server
    server.shutdown()
    thread.join(10)
    server.server_close()


def assertion() -> Assertion:
    found = bootstrap.credential(read({**LEAST, "MANAGED_IDENTITY_CLIENT_ID": "m"}))
    assert isinstance(found, Assertion)
    return found


def test_the_identitys_token_stands_for_the_app(endpoint: Endpoint) -> None:
    in_an_hour = str(int(time.time()) + 3600)
    endpoint.body = {"access_token": "t0ken", "expires_on": in_an_hour, "resource": "r", "token_type": "Bearer"}
    assert assertion().fetch() == "t0ken"


def test_an_identity_that_is_not_assigned_is_a_matter_of_settings(endpoint: Endpoint) -> None:
    endpoint.status, endpoint.body = 400, REFUSED
    with pytest.raises(SettingsError, match="assign it"):
        assertion().fetch()


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (500, {"statusCode": 500, "message": "Internal."}, 500),
        (503, "<html>Busy</html>", 503),
        (429, {"statusCode": 429, "message": "Too many requests."}, 429),
        (200, "<html>Please wait</html>", Lost.NO_ANSWER),
    ],
)
def test_an_endpoint_that_fails_is_asked_again(endpoint: Endpoint, status: int, body: Any, outcome: int | Lost) -> None:
    endpoint.status, endpoint.body = status, body
    asked = assertion()
    for _ in range(2):  # the library answers the second time from its memory
        with pytest.raises(TokenUnavailable) as caught:
            asked.fetch()
        assert caught.value.outcome == outcome


def test_an_endpoint_that_is_down_is_asked_again(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token")
    with pytest.raises(TokenUnavailable):
        assertion().fetch()
