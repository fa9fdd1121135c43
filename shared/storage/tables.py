"""Table Storage as this product uses it: rows by key, ranges of keys, transactions, and our own errors.

Reads by many keys are point reads in parallel: Azure answers a filter of `RowKey eq a or RowKey eq b` by scanning the
whole partition. Tables are created on first use.
"""

import logging
import re
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

from shared.errors import RetryableError, SettingsError, SyncError
from shared.storage import odata, wire
from shared.storage.odata import StoredRow, Unwilling, Written
from shared.storage.wire import Row

if TYPE_CHECKING:
    from azure.core.rest import HttpResponse
    from azure.data.tables import TableClient, TableServiceClient

logger = logging.getLogger(__name__)

MOST_OPERATIONS = 100  #: in one transaction
MOST_BATCH_BYTES = 3 * 1024 * 1024  #: Azure takes 4 MiB, the frame of each operation included
NAMES = ("mailboxes", "companies", "profiles", "marks", "reports", "subscriptions", "journal", "imports")
_PARALLEL = 8  #: point reads at a time in this process; the SDK keeps 10 connections


class RowConflict(SyncError):
    """The row changed since it was read, or exists already; `index` is its place in a transaction."""

    code = "row-changed"
    index = 0


class RowMissing(SyncError):
    """The row is not there; `index` is its place in a transaction."""

    code = "row-missing"
    index = 0


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a transaction. `put` creates or replaces, `merge` creates or changes the named properties;
    with an ETag both demand that the row is as it was read. `create` demands that it is not there."""

    kind: Literal["create", "put", "merge", "delete"]
    row: Row
    etag: str = ""

    @property
    def key(self) -> str:
        """The row key."""
        return str(self.row["RowKey"])


class ServerClock:
    """The storage service's time, from the dates of its answers: one clock for what instances compare, such as leases,
    requests and when a company was read. Until the first answer it is this machine's."""

    def __init__(self, local: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`local`: this machine's clock."""
        self._local = local
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """UTC."""
        return self._local() + self._ahead

    def learn(self, date: str | None) -> None:
        """Take a Date header in; whole seconds, so that smaller differences mean nothing."""
        if not date:
            return
        try:
            ahead = parsedate_to_datetime(date) - self._local()
        except (ValueError, TypeError):
            return
        self._ahead = ahead if abs(ahead) > timedelta(seconds=2) else timedelta(0)


class Table:
    """One table. Safe for threads."""

    def __init__(
        self, name: str, service: "TableServiceClient", pool: ThreadPoolExecutor, learn: Callable[[str | None], None]
    ) -> None:
        self.name = name
        self._service = service
        self._client = service.get_table_client(name)
        self._pool = pool
        self._learn = learn
        self._ready = False
        self._lock = threading.Lock()

    def get(self, partition: str, key: str) -> Row | None:
        """One row, None when it is not there."""
        try:
            return odata.stored(self._read(odata.address(self._root, self.name, partition, key)).json())
        except RowMissing:
            return None

    def get_many(self, partition: str, keys: Iterable[str]) -> Mapping[str, Row]:
        """Those of the rows that are there, by row key."""
        asked = list(dict.fromkeys(keys))
        if len(asked) < 3:
            rows: Iterable[Row | None] = (self.get(partition, key) for key in asked)
        else:
            rows = self._pool.map(lambda key: self.get(partition, key), asked)
        return {str(row["RowKey"]): row for row in rows if row is not None}

    def range(
        self,
        partition: str,
        low: str = "",
        high: str = "",
        *,
        where: str = "",
        select: Sequence[str] | None = None,
        page: int | None = None,
        **values: Any,
    ) -> Iterator[Row]:
        """Rows with `low` <= key < `high` in the order of their keys; `where` filters on properties by `@values`."""
        bounds = {"PartitionKey eq": partition, "RowKey ge": low, "RowKey lt": high}
        parts = [f"{name} {odata.literal(value)}" for name, value in bounds.items() if value or name[0] == "P"]
        if where:
            parts.append(odata.filled(where, values))
        yield from self._found(" and ".join(parts), ",".join(select or ()), page)

    def ranges(self, partition: str, bounds: Iterable[tuple[str, str]]) -> Iterator[Row]:
        """Rows of several ranges, read in parallel."""
        for rows in self._pool.map(lambda each: list(self.range(partition, *each)), list(bounds)):
            yield from rows

    def partitions(self, after: str = "") -> Iterator[str]:
        """The partitions above `after` that have rows, in their order: one request for each."""
        while True:
            found = self._found(f"PartitionKey gt {odata.literal(after)}", "PartitionKey", 1)
            first = next(found, None)
            if first is None:
                return
            after = str(first["PartitionKey"])
            yield after

    def apply(self, operation: Operation) -> str:
        """One operation outside of a transaction; answers the new ETag. Raises RowConflict, RowMissing. A delete of a
        row that is not there is fine unless it has an ETag."""
        if operation.kind == "delete":
            self._delete(operation)
            return ""
        wire.check(operation.row)
        with translated():
            return str(self._write(operation)["etag"])

    def transact(self, operations: Sequence[Operation]) -> list[str]:
        """All or nothing, in one partition; answers the ETags. Raises RowConflict, RowMissing with `index`."""
        if len(operations) > MOST_OPERATIONS:
            raise ValueError("a transaction takes at most 100 operations")
        for operation in operations:
            if operation.kind != "delete":
                wire.check(operation.row)
        batch = uuid.uuid4().hex
        content = odata.body(self._root, self.name, [_written(each) for each in operations], batch)
        headers = {**odata.HEADERS, "Accept": "application/json", "Content-Type": odata.content_type(batch)}
        response = self._asked("POST", f"{self._root}/$batch", headers, content)
        outcome = odata.outcome(response.status_code, response.text())
        if isinstance(outcome, Unwilling):
            raise _meaning(outcome.status, _named(outcome.code, response), outcome.index)
        return outcome

    def _delete(self, operation: Operation) -> None:
        from azure.core import MatchConditions

        if operation.etag:
            # as a transaction of one: a plain delete of the SDK takes a missing row for success
            self.transact([operation])
            return
        with translated():
            self._open.delete_entity(
                operation.row["PartitionKey"], operation.key, match_condition=MatchConditions.Unconditionally
            )

    def _write(self, operation: Operation) -> Mapping[str, Any]:
        from azure.core import MatchConditions
        from azure.data.tables import UpdateMode

        mode = UpdateMode.MERGE if operation.kind == "merge" else UpdateMode.REPLACE
        if operation.kind == "create":
            return self._open.create_entity(operation.row)
        if operation.etag:
            return self._open.update_entity(
                operation.row, mode, etag=operation.etag, match_condition=MatchConditions.IfNotModified
            )
        return self._open.upsert_entity(operation.row, mode)

    # ------------------------------------------------------------ requests

    def _found(self, where: str, select: str, page: int | None) -> Iterator[Row]:
        """What a query finds, page by page."""
        options = {"$filter": where, "$select": select, "$top": str(page or "")}
        going_on: dict[str, str] = {}
        while True:
            response = self._read(odata.question(self._root, self.name, {**options, **going_on}))
            yield from odata.rows_of(response.content)
            going_on = odata.continuation(response.headers)
            if not going_on:
                return

    def _read(self, url: str) -> "HttpResponse":
        """One GET that was answered. Raises what a refusal means."""
        response = self._asked("GET", url, odata.READS)
        if response.status_code != 200:
            refused = odata.refusal(response.status_code, response.text())
            raise _meaning(refused.status, _named(refused.code, response), 0)
        self._learn(response.headers.get("Date"))
        return response

    def _asked(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None) -> "HttpResponse":
        """One request through the SDK, which signs it and repeats it where the service is busy."""
        from azure.core.exceptions import AzureError

        self._make_ready()
        with translated():
            response = self._sent(method, url, headers, content)
            try:
                response.read()
            except AzureError:  # the answer ended half-way, which the SDK does not repeat
                if method != "GET":
                    raise
                response = self._sent(method, url, headers, content)
                response.read()
        return response

    def _sent(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> "HttpResponse":
        """The answer, yet to be read. `_client` is not public, but what the SDK's own calls end in; there is no other
        way past what it does with rows. As a stream, like there: else the SDK parses the answer, too."""
        from azure.core.rest import HttpRequest

        headers = {"x-ms-version": self._service.api_version, **headers}
        request = HttpRequest(method, url, headers=headers, content=content)
        response: HttpResponse = self._service._client.send_request(request, stream=True)
        return response

    @property
    def _root(self) -> str:
        """The account's address, without the secret that it may carry."""
        return str(self._service.url).partition("?")[0].rstrip("/")

    @property
    def _open(self) -> "TableClient":
        """The client, once the table is there."""
        self._make_ready()
        return self._client

    def _make_ready(self) -> None:
        if not self._ready:
            with self._lock:
                if not self._ready:
                    self._create()
                    self._ready = True

    def _create(self) -> None:
        try:
            with translated():
                self._service.create_table(self.name)
        except RowConflict:
            return


class Tables:
    """The product's tables in one storage account, named by a prefix."""

    def __init__(
        self,
        service: "TableServiceClient",
        prefix: str,
        local: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`local`: this machine's clock, which the service's answers correct."""
        pool = ThreadPoolExecutor(max_workers=_PARALLEL, thread_name_prefix="tables")
        self.clock = ServerClock(local)
        self._tables = {name: Table(prefix + name, service, pool, self.clock.learn) for name in NAMES}

    def __getitem__(self, name: str) -> Table:
        """One of `NAMES`."""
        return self._tables[name]


@contextmanager
def translated() -> Iterator[None]:
    """The SDK's exceptions as ours; their messages stay out, they quote keys and addresses."""
    from azure.core.exceptions import AzureError

    try:
        yield
    except AzureError as error:
        raise _ours(error) from error


def _ours(error: Exception) -> SyncError:
    from azure.core.exceptions import ClientAuthenticationError

    status = getattr(error, "status_code", None)
    refused = isinstance(error, ClientAuthenticationError)
    return _meaning(401 if refused else status, _code(error), getattr(error, "index", 0) or 0)


def _meaning(status: int | None, name: str, index: int) -> SyncError:
    """What the service's status and error code mean to us; `status` None: no answer came."""
    if name in {"UpdateConditionNotSatisfied", "ConditionNotMet", "EntityAlreadyExists", "TableAlreadyExists"}:
        return _at(RowConflict("a row changed meanwhile"), index)
    if name in {"ResourceNotFound", "EntityNotFound", "TableNotFound"}:
        return _at(RowMissing("a row is not there"), index)
    if status in {401, 403}:
        return SettingsError(
            f"The storage account refuses the app ({name or status}): check the connection string, or that the app's "
            "identity has the roles Storage Table Data Contributor and Storage Queue Data Contributor.",
            code="storage-refused",
        )
    if status is None or status in {408, 429} or status >= 500 or name == "TableBeingDeleted":
        return RetryableError("The storage account is not available at the moment; it is tried again later.")
    if status == 412:
        return _at(RowConflict("a row changed meanwhile"), index)
    return SyncError(f"The storage account refuses a request ({name or status}).", code="storage-request")


def _named(code: str, response: "HttpResponse") -> str:
    return code or str(response.headers.get("x-ms-error-code", ""))


def _code(error: Exception) -> str:
    """The service's error code, which the SDK does not always take out of the answer."""
    code = getattr(error, "error_code", None)
    if code:
        return str(getattr(code, "value", code))
    match = re.search(r'"code":"(\w+)"', str(error))
    return match[1] if match else ""


def _at[E: (RowConflict, RowMissing)](ours: E, index: int) -> E:
    ours.index = index
    return ours


def _written(operation: Operation) -> Written:
    """An operation of a transaction; without an ETag a delete takes any version, but not a row that is not there."""
    match operation.kind:
        case "create":
            return Written("POST", operation.row)
        case "delete":
            return Written("DELETE", operation.row, operation.etag or "*")
    return Written("PATCH" if operation.kind == "merge" else "PUT", operation.row, operation.etag)


def etag_of(row: Row) -> str:
    """The ETag that a row was read with."""
    if not isinstance(row, StoredRow):
        raise TypeError("only a row that was read has an ETag")
    return row.etag


def chunks(operations: Sequence[Sequence[Operation]], most: int = MOST_OPERATIONS) -> Iterator[list[Operation]]:
    """Operations packed into transactions; those of one inner sequence stay together."""
    batch: list[Operation] = []
    size = 0
    for unit in operations:
        bytes_ = sum(1_000 + (0 if each.kind == "delete" else wire.sent_size(each.row)) for each in unit)
        if batch and (len(batch) + len(unit) > most or size + bytes_ > MOST_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.extend(unit)
        size += bytes_
    if batch:
        yield batch
