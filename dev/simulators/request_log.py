"""What was asked of the simulators: every request and every item of a batch."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

#: Query options whose values are positions or keys: only their presence is kept.
_SECRETS = re.compile(r"((?:%24|\$)(?:skip|delta)token|code|validationtoken)=[^&]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One request, or one item of a batch."""

    number: int  #: counts up from 1, also over resets
    time: str  #: simulated time, ISO 8601
    service: str  #: entra, graph or bc
    kind: str  #: what was asked, such as "contacts.delta"; empty when its address does not tell
    method: str
    path: str  #: path and query, as sent, without tokens
    status: int  #: 0 when the connection was dropped
    mailbox: str | None  #: Graph: id of the user whose mailbox was meant
    batch: int | None  #: of an item: the number that all items of its batch share
    item: str | None  #: of an item: its id in the batch
    milliseconds: float  #: real time from arrival to answer
    sent_bytes: int  #: size of the request's body
    fault: str | None  #: id of the fault rule that acted
    parts: int = 0  #: of a batch: how many requests it holds, carried out or not


class RequestLog:
    """All entries since the last reset, in order of completion."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: list[Entry] = []
        self._number = 0

    def add(self, *, path: str, **facts: Any) -> None:
        """Append an entry; `facts` are the remaining fields of `Entry`."""
        self._number += 1
        self._entries.append(Entry(number=self._number, path=_SECRETS.sub(r"\1=***", path), **facts))

    def reset(self) -> None:
        """Forget all entries; numbers go on."""
        self._entries.clear()

    def select(
        self, service: str | None = None, kind: str | None = None, items: bool | None = None, since: int = 0
    ) -> Iterator[Entry]:
        """Yield entries by service, by kind, items of batches only or none of them, after number `since`."""
        for entry in self._entries:
            if (
                entry.number > since
                and service in (None, entry.service)
                and kind in (None, entry.kind)
                and items in (None, entry.item is not None)
            ):
                yield entry

    def read(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the entries that `select` yields, as plain values."""
        return [asdict(entry) for entry in self.select(**wanted)]

    def counts(self, since: int = 0) -> dict[str, Any]:
        """Count what was asked after entry number `since`.

        Returns per service {"requests": HTTP requests, "items": items of batches, "operations": what was asked, each
        request of a batch being one whether it was carried out or not, "kinds": {kind: n}, "statuses":
        {status: n}, "writes": n (all but GET; none at Entra)}; `kinds`, `statuses` and `writes` leave out the envelope
        of a batch and count its items.
        """
        found: dict[str, Any] = {}
        for entry in self.select(since=since):
            service = found.setdefault(
                entry.service,
                {"requests": 0, "items": 0, "operations": 0, "writes": 0, "kinds": Counter(), "statuses": Counter()},
            )
            service["requests" if entry.item is None else "items"] += 1
            if entry.item is None:
                service["operations"] += entry.parts or 1
            if entry.kind == "batch":
                continue
            service["kinds"][entry.kind or entry.method] += 1
            service["statuses"][str(entry.status)] += 1
            if entry.method != "GET" and entry.service != "entra":
                service["writes"] += 1
        return found

    @property
    def last_number(self) -> int:
        """Number of the newest entry ever added; pass it as `since` to see only what follows."""
        return self._number
