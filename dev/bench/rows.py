"""Counts what is asked of Table Storage: requests, rows read and rows written, by kind of row."""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from azure.core.pipeline.transport import RequestsTransport

#: Rows that say where a run stands: lease, line of requests, positions, the feed's state, work marks, reports.
BOOKKEEPING = frozenset({"lease", "request", "positions", "state", "mark", "report"})

_KINDS = {"reports": "report", "marks": "mark", "profiles": "profile", "journal": "journal"}
_PART = re.compile(rb"^(PUT|PATCH|POST|DELETE|MERGE) (\S+)[^\n]*\n(.*?)(?=^--|\Z)", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"/([A-Za-z][A-Za-z0-9]+)(?:\(|\?|$)")
_KEY = re.compile(r"RowKey='((?:[^']|'')*)'")
_KEY_IN_BODY = re.compile(r'"RowKey":\s*"([^"]*)"')


@dataclass
class Rows:
    """What was counted since the last `reset`."""

    requests: int = 0
    read: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)

    @property
    def written_besides_bookkeeping(self) -> int:
        """Rows written that hold anything but where runs stand."""
        return sum(count for kind, count in self.written.items() if kind not in BOOKKEEPING)


class CountRows(RequestsTransport):  # type: ignore[misc]
    """A transport for the table client that counts what passes; `rows` may be replaced to count anew."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix
        self.rows = Rows()
        self.counts = True  #: False where processor time is measured: counting takes some, too
        self.kinds = True  #: False: rows are counted, and not what they are, which takes hardly any time
        self._lock = threading.Lock()

    def send(self, request: Any, **options: Any) -> Any:
        """Send, and count the request and the rows of its answer."""
        response = super().send(request, **options)
        if self.counts:
            with self._lock:
                self._count(request, response)
        return response

    def _count(self, request: Any, response: Any) -> None:
        self.rows.requests += 1
        if response.status_code >= 400:
            return
        if not self.kinds:
            self._number(request, response)
            return
        table = self._table(request.url)
        if request.method == "GET":
            response.read()
            self.rows.read.update(_kind(table, key) for key in _keys_in_answer(response.json()))
        elif "$batch" in request.url:
            self.rows.written.update(self._batch(_bytes(request)))
        elif table != "Tables":
            self.rows.written[_kind(table, _key(request.url, _bytes(request)))] += 1

    def _number(self, request: Any, response: Any) -> None:
        """A row names its keys, or the one of them that was asked for; an operation its protocol."""
        if request.method == "GET":
            body = response.read()
            self.rows.read["row"] += max(body.count(b'"RowKey"'), body.count(b'"PartitionKey"'))
        elif "$batch" in request.url:
            self.rows.written["row"] += _bytes(request).count(b" HTTP/1.1\r\n")
        elif not request.url.partition("?")[0].endswith("/Tables"):
            self.rows.written["row"] += 1

    def _batch(self, body: bytes) -> Iterator[str]:
        for _, url, rest in _PART.findall(body):
            address = unquote(url.decode())
            yield _kind(self._table(address), _key(address, rest))

    def _table(self, url: str) -> str:
        found = _TABLE.search(unquote(url).partition("?")[0].removesuffix("()"))
        return found[1].removeprefix(self._prefix) if found else ""


def _keys_in_answer(body: dict[str, Any]) -> Iterator[str]:
    for row in body.get("value", [body]):
        yield str(row.get("RowKey", ""))


def _bytes(request: Any) -> bytes:
    body = request.body
    return body if isinstance(body, bytes) else (body or "").encode()


def _key(url: str, body: bytes) -> str:
    found = _KEY.search(unquote(url)) or _KEY_IN_BODY.search(body.decode())
    return found[1] if found else ""


def _kind(table: str, key: str) -> str:
    """ "link" of COMPANY|PROFILE|link|BC ID, "contact" of contact|BC ID, and the like."""
    if table in _KINDS:
        return _KINDS[table]
    parts = key.split("|")
    if table == "mailboxes" and len(parts) > 2 and parts[0] not in BOOKKEEPING:
        return parts[2]
    return parts[0]
