"""Outlook's limits per app and mailbox, and those of subscriptions per app (reference 8)."""

import math
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from dev.simulators.clock import SimClock
from dev.simulators.exchange import Request
from dev.simulators.graph.refusals import Refused
from dev.simulators.graph.switches import Switches


@dataclass(slots=True)
class _Bucket:
    running: int = 0
    arrivals: deque[float] = field(default_factory=deque)
    uploads: deque[tuple[float, int]] = field(default_factory=deque)
    uploaded: int = 0


class Throttle:
    """Counts what each app does in each mailbox; refuses what is over a limit."""

    def __init__(self, clock: SimClock, switches: Switches) -> None:
        """Limits stand in `switches`, windows are measured by `clock`."""
        self._clock = clock
        self._switches = switches
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._subscriptions: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def reset(self) -> None:
        """Forget what was counted, but not what is running."""
        for bucket in self._buckets.values():
            bucket.arrivals.clear()
            bucket.uploads.clear()
            bucket.uploaded = 0
        self._subscriptions.clear()

    @contextmanager
    def admitted(self, client_id: str, mailbox: str, request: Request) -> Iterator[None]:
        """Hold a place for the request while it runs; raises 429. Refused requests count too."""
        if not self._switches.throttling:
            yield
            return
        bucket = self._buckets.setdefault((client_id, mailbox), _Bucket())
        self._count(bucket, request)
        if bucket.running >= self._switches.limit_concurrent:
            raise self._refusal("MailboxConcurrency", self._switches.concurrency_wait)
        bucket.running += 1
        try:
            yield
        finally:
            bucket.running -= 1

    def count_subscription(self, client_id: str, verb: str) -> None:
        """Count a request to subscriptions; `verb`: writes, reauthorize, reads or lists. Raises 429."""
        if not self._switches.throttling:
            return
        limit: int = getattr(self._switches, f"limit_subscription_{verb}")
        window, now = self._switches.limit_subscription_window, self._clock.timestamp()
        arrivals = self._subscriptions[client_id, verb]
        while arrivals and arrivals[0] <= now - window:
            arrivals.popleft()
        arrivals.append(now)
        over = len(arrivals) - limit
        if over > 0:
            raise self._refusal("Subscription", arrivals[over - 1] + window - now)

    def _count(self, bucket: _Bucket, request: Request) -> None:
        now = self._clock.timestamp()
        while bucket.arrivals and bucket.arrivals[0] <= now - self._switches.limit_window:
            bucket.arrivals.popleft()
        bucket.arrivals.append(now)
        over = len(bucket.arrivals) - self._switches.limit_requests
        if over > 0:
            free_at = bucket.arrivals[over - 1] + self._switches.limit_window
            raise self._refusal("Request", free_at - now)
        if request.method in ("POST", "PATCH", "PUT"):
            self._count_upload(bucket, len(request.body), now)

    def _count_upload(self, bucket: _Bucket, size: int, now: float) -> None:
        while bucket.uploads and bucket.uploads[0][0] <= now - self._switches.limit_upload_window:
            bucket.uploaded -= bucket.uploads.popleft()[1]
        bucket.uploads.append((now, size))
        bucket.uploaded += size
        if bucket.uploaded > self._switches.limit_upload:
            raise self._refusal("Upload", bucket.uploads[0][0] + self._switches.limit_upload_window - now)

    def _refusal(self, limit: str, wait: float) -> Refused:
        real = self._clock.real_seconds(max(0.0, wait))
        headers: dict[str, str] = {}
        match self._switches.retry_after:
            case "integer":
                headers["Retry-After"] = str(max(1, math.ceil(real)))
            case "fractional":
                headers["Retry-After"] = f"{real:.3f}"
            case "date":
                at = datetime.now(UTC) + timedelta(seconds=math.ceil(real))
                headers["Retry-After"] = format_datetime(at, usegmt=True)
        return Refused(429, "ApplicationThrottled", f"Application is over its {limit} limit.", headers)
