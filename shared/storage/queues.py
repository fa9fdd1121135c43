"""Port `Messages`: bindings send messages when a function has ended, and cannot delay them; here both can be chosen."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.engine import jobs
from shared.engine.parallel import in_parallel
from shared.errors import RetryableError
from shared.storage.connect import StorageSettings, queue
from shared.storage.tables import translated

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

SYNC_JOBS = "sync-jobs"  #: after the prefix and a hyphen, see `queue_name`
COMPANY_JOBS = "company-jobs"
_MOST_SECONDS = 7 * 86_400 - 60  #: a message cannot stay hidden longer than it lives


def queue_name(prefix: str, name: str) -> str:
    """Full name of a queue, in bindings `%STORAGE_PREFIX%-sync-jobs`."""
    return f"{prefix}-{name}"


class QueueMessages:
    """Delayed messages. Queues are created when they are missing."""

    def __init__(
        self,
        settings: StorageSettings,
        prefix: str,
        options: Callable[[], Mapping[str, Any]] = dict,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`options` makes those of one queue's client."""
        self._now = now
        self._settings = settings
        self._options = options
        self._prefix = prefix
        self._clients: dict[str, QueueClient] = {}

    def sync_job(self, mailbox_id: str, *, delay: float = 0) -> None:
        """See Messages."""
        self._send(SYNC_JOBS, jobs.sync_job(mailbox_id), delay)

    def sync_jobs(self, mailbox_ids: Iterable[str]) -> None:
        """See Messages."""
        waking = list(mailbox_ids)
        if waking:
            self.sync_job(waking[0])  # makes the queue, if it is missing
        in_parallel(self.sync_job, waking[1:])

    def company_job(self, company_id: str, reason: str, *, delay: float = 0) -> None:
        """See Messages."""
        self._send(COMPANY_JOBS, jobs.company_job(jobs.CompanyJob(company_id, reason)), delay)

    def import_job(self, company_id: str, run_id: str, *, delay: float = 0) -> None:
        """See Messages."""
        self._send(COMPANY_JOBS, jobs.import_job(company_id, run_id), delay)

    def waiting(self) -> float:
        """See Messages."""
        return max(self._waiting(name) for name in (SYNC_JOBS, COMPANY_JOBS))

    def _waiting(self, name: str) -> float:
        from azure.core.exceptions import ResourceNotFoundError

        with translated():
            try:
                first = self._client(name).peek_messages(max_messages=1)
            except ResourceNotFoundError:
                return 0.0
        since = first[0].inserted_on if first else None
        return max(0.0, (self._now() - since).total_seconds()) if since else 0.0

    def _send(self, name: str, text: str, delay: float) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        seconds = min(_MOST_SECONDS, max(0, math.ceil(delay)))
        client = self._client(name)
        with translated():
            try:
                client.send_message(text, visibility_timeout=seconds)
            except ResourceNotFoundError:
                self._create(client)
                client.send_message(text, visibility_timeout=seconds)

    def _client(self, name: str) -> "QueueClient":
        if name not in self._clients:
            self._clients.setdefault(name, queue(self._settings, queue_name(self._prefix, name), **self._options()))
        return self._clients[name]

    def _create(self, client: "QueueClient") -> None:
        from azure.core.exceptions import ResourceExistsError

        try:
            client.create_queue()
        except ResourceExistsError as error:
            if getattr(error, "error_code", "") == "QueueBeingDeleted":
                raise RetryableError("A queue is being deleted; it is tried again later.") from error
