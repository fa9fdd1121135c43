"""A request to a simulator, its answer, and the dropped connection."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote


class ConnectionDropped(Exception):
    """The client gets no answer: its connection is cut."""


class NeverAnswered(Exception):
    """The client gets no answer on a connection that stays open: it has to give up by itself."""


@dataclass
class Request:
    """One HTTP request, or one item of a batch, as a service sees it.

    `mailbox` and `kind` are filled in by the service, for the request log.
    """

    service: str
    method: str
    path: str  #: as sent, percent-encoded, without the query
    query: str  #: as sent, without the question mark
    headers: Mapping[str, str]  #: names in lower case; repeated headers joined by ", "
    body: bytes = b""
    batch: int | None = None  #: number of the batch that this item belongs to
    item: str | None = None  #: id of the item in its batch
    mailbox: str | None = None
    kind: str = ""
    fault: str | None = None  #: id of the fault rule that acted
    facts: dict[str, Any] = field(default_factory=dict)  #: for the service's own use

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """Path segments, decoded one by one, so that an encoded slash stays inside its segment."""
        return tuple(unquote(part) for part in self.path.strip("/").split("/"))

    @cached_property
    def options(self) -> list[tuple[str, str]]:
        """Query options in order, decoded (+ is a space, as on the real services)."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def target(self) -> str:
        """Path and query, as sent."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def preferences(self) -> list[str]:
        """Return the single preferences of the Prefer header(s)."""
        return [part.strip() for part in self.headers.get("prefer", "").split(",") if part.strip()]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answers: `payload` goes out as JSON, `raw` (when set) as it is."""

    status: int
    payload: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    def encoded(self) -> bytes:
        """Return the body's bytes."""
        if self.raw is not None:
            return self.raw
        return b"" if self.payload is None else json.dumps(self.payload, ensure_ascii=False).encode()
