"""Faults of the storage account, in front of a real one: the SDK's requests pass through here on their way out.

The seam is the lowest that azure-core has, the adapter of its `requests` session: what the SDK makes of a status, of a
cut connection or of silence (its own retries among it) is the SDK's own doing. Azurite can play none of these.
"""

import io
import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from dev.simulators.exchange import Request
from dev.simulators.faults import Act, Faults, Rule

TABLES, QUEUES = "tables", "queues"  #: services, for rules and counts

#: What Azure answers when a partition or an account is asked too much
BUSY: dict[str, Any] = {"status": 503, "body": "ServerBusy", "headers": {"x-ms-error-code": "ServerBusy"}}
TIMED_OUT: dict[str, Any] = {
    "status": 500,
    "body": "OperationTimedOut",
    "headers": {"x-ms-error-code": "OperationTimedOut"},
}

_ROW = re.compile(rb"^(?:PUT|PATCH|POST|DELETE|MERGE) \S+ HTTP/1\.1\r?$", re.MULTILINE)  #: begins a transaction's row


class StorageFaults:
    """Rules of `simulators.faults` for what the app asks of tables and queues.

    `body` of a rule is the error code of the answer. `sent` counts operations by service: each row of a transaction is
    one, carried out or not, like any other request.
    """

    def __init__(self, now: Callable[[], datetime], sleep: Callable[[float], None], queue_port: int) -> None:
        """`now` is the time that the account's answers tell, `sleep` how the SDK waits between attempts; requests to
        `queue_port` are those of the queues."""
        self.sent: Counter[str] = Counter()
        self._faults = Faults()
        self.now = now
        self._sleep = sleep
        self._queue_port = queue_port
        self._lock = threading.Lock()

    def add(self, act: str = "answer", **conditions: Any) -> str:
        """Add a rule (see `faults.Rule`); returns its id."""
        with self._lock:
            return self._faults.add(act, **conditions)

    def clear(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._faults.clear()

    def has_rules(self) -> bool:
        """Whether any rule is in force."""
        with self._lock:
            return bool(self._faults.read())

    def acted(self) -> int:
        """How often a rule that is still there acted."""
        with self._lock:
            return sum(rule["acted"] for rule in self._faults.read())

    def transport(self) -> RequestsTransport:
        """A transport of azure-core that passes through here."""
        session = requests.Session()
        session.trust_env = False
        session.mount("http://", _Adapter(self))
        return _Transport(session, self._sleep)

    def strike(self, request: requests.PreparedRequest) -> Rule | None:
        """Count a request, and return the rule that acts on it."""
        parts = urlsplit(request.url or "")
        service = QUEUES if parts.port == self._queue_port else TABLES
        with self._lock:
            self.sent[service] += _operations(request)
            return self._faults.strike(Request(service, request.method or "", parts.path, parts.query, {}))


class _Transport(RequestsTransport):  # type: ignore[misc]
    """Waits as it is told to: azure-core waits through its transport."""

    def __init__(self, session: requests.Session, sleep: Callable[[float], None]) -> None:
        super().__init__(session=session, session_owner=False)
        self._sleep = sleep

    def sleep(self, duration: float) -> None:
        """Let time pass."""
        self._sleep(duration)


class _Adapter(HTTPAdapter):
    def __init__(self, faults: StorageFaults) -> None:
        super().__init__(pool_connections=4, pool_maxsize=16)
        self._faults = faults

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send, or let happen what a rule wants."""
        rule = self._faults.strike(request)
        if rule is None:
            return self._dated(super().send(request, *args, **options))
        if rule.act in (Act.LOST_DROP, Act.LOST_ANSWER, Act.LOST_SILENCE):
            super().send(request, *args, **options).close()
        match rule.act:
            case Act.ANSWER | Act.LOST_ANSWER:
                return self._dated(self.build_response(request, _answer(rule)))
            case Act.DROP | Act.LOST_DROP:
                broken = ProtocolError("Connection aborted.", ConnectionResetError(104, "Connection reset by peer"))
                raise requests.ConnectionError(broken, request=request)
            case _:
                raise requests.ReadTimeout("Read timed out.", request=request)

    def _dated(self, response: requests.Response) -> requests.Response:
        """Leases go by the account's clock, which has to agree with the app's."""
        response.headers["Date"] = format_datetime(self._faults.now(), usegmt=True)
        return response


def _operations(request: requests.PreparedRequest) -> int:
    if not (request.url or "").endswith("/$batch"):
        return 1
    body = request.body or b""
    return max(1, len(_ROW.findall(body if isinstance(body, bytes) else body.encode())))


def _answer(rule: Rule) -> HTTPResponse:
    error = {"odata.error": {"code": rule.body, "message": {"lang": "en-US", "value": "The server is busy."}}}
    body = json.dumps(error).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **rule.headers}
    return HTTPResponse(io.BytesIO(body), headers, rule.status, preload_content=False)
