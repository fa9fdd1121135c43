"""Rows and transactions as Table Storage's HTTP interface has them. Pure.

The SDK signs, sends and repeats. But a transaction costs it half a millisecond of processor time for each row, and a
page a twentieth, which is more than everything else that a first sync does with a contact. So these two are written and
read here: a transaction is one multipart body with one change set, a page is JSON with minimal metadata.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from shared.storage.wire import Row

HEADERS: Mapping[str, str] = {"DataServiceVersion": "3.0", "MaxDataServiceVersion": "3.0;NetFx"}
READS: Mapping[str, str] = {"DataServiceVersion": "3.0", "Accept": "application/json;odata=minimalmetadata"}
_TYPE = "@odata.type"
_STATUS = re.compile(r"^HTTP/1\.\d (\d{3})", re.MULTILINE)
_ETAG = re.compile(r"^etag: *(.+?)\r?$", re.MULTILINE | re.IGNORECASE)
_INDEX = re.compile(r"(\d+):")


class StoredRow(dict[str, Any]):
    """A row as it was read, with the tag of that moment."""

    etag: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """One row of a transaction, for `body`: `method` PUT, PATCH, POST or DELETE; `match` an ETag, "*" or blank."""

    method: str
    row: Row
    match: str = ""


@dataclass(frozen=True, slots=True)
class Unwilling:
    """What the service said instead of carrying out a request; `index`: which row of a transaction it is about."""

    status: int
    code: str
    index: int = 0


# ---------------------------------------------------------------- transactions


def body(root: str, table: str, rows: Sequence[Written], batch: str) -> bytes:
    """A transaction as a multipart body, with boundaries made of `batch`, which no row may contain."""
    parts = [f"--batch_{batch}\r\nContent-Type: multipart/mixed; boundary=changeset_{batch}\r\n\r\n"]
    for number, each in enumerate(rows):
        parts.append(
            f"--changeset_{batch}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
            f"Content-ID: {number}\r\n\r\n{_part(f'{root}/{table}', each)}\r\n"
        )
    parts.append(f"--changeset_{batch}--\r\n\r\n--batch_{batch}--\r\n")
    return "".join(parts).encode()


def content_type(batch: str) -> str:
    """The type of that body."""
    return f"multipart/mixed; boundary=batch_{batch}"


def _part(table: str, written: Written) -> str:
    url = table if written.method == "POST" else f"{table}({_keys(written.row)})"
    lines = [
        f"{written.method} {url} HTTP/1.1",
        "DataServiceVersion: 3.0",
        "Accept: application/json;odata=minimalmetadata",
    ]
    if written.match:
        lines.append(f"If-Match: {written.match}")
    if written.method == "POST":
        lines.append("Prefer: return-no-content")
    content = ""
    if written.method != "DELETE":
        content = json.dumps(entity(written.row))  # ASCII: as many bytes as characters
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", content])


def _keys(row: Row) -> str:
    return f"PartitionKey='{_in_url(row['PartitionKey'])}',RowKey='{_in_url(row['RowKey'])}'"


def _in_url(key: str) -> str:
    return quote(key.replace("'", "''"), safe="")


def outcome(status: int, text: str) -> list[str] | Unwilling:
    """The ETags of a transaction's rows in their order, blank for one that was deleted, or why none was written."""
    if status != 202:
        return refusal(status, text)
    etags: list[str] = []
    starts = [each.start() for each in _STATUS.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        answer = text[start:end]
        code = int(answer.split(" ", 2)[1][:3])
        if not 200 <= code < 300:
            return refusal(code, answer)
        head = answer.replace("\r\n", "\n").partition("\n\n")[0]
        found = _ETAG.search(head)
        etags.append(found[1] if found else "")
    return etags


def refusal(status: int, text: str, code: str = "") -> Unwilling:
    """What an answer's body says, which may stand behind headers; `code` where the body does not say one."""
    start, end = text.find("{"), text.rfind("}")
    try:
        error = json.loads(text[start : end + 1])["odata.error"]
        message = str(error["message"]["value"])
        code = str(error["code"]) or code
    except (ValueError, LookupError, TypeError):
        message = ""
    index = _INDEX.match(message)
    return Unwilling(status, code, int(index[1]) if index else 0)


# ---------------------------------------------------------------- rows


def entity(row: Row) -> dict[str, Any]:
    """A row as JSON, with the types that JSON does not have."""
    written: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, str | bool):
            written[name] = value
        elif isinstance(value, datetime):
            written[name] = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            written[name + _TYPE] = "Edm.DateTime"
        elif isinstance(value, bytes):
            written[name] = base64.b64encode(value).decode()
            written[name + _TYPE] = "Edm.Binary"
        elif isinstance(value, float):
            written[name] = value
            written[name + _TYPE] = "Edm.Double"
        elif isinstance(value, int) and -(2**31) <= value < 2**31:
            written[name] = value
        else:
            raise ValueError(f"a row cannot hold such a {type(value).__name__}")
    return written


def stored(read: Mapping[str, Any]) -> StoredRow:
    """A row out of JSON."""
    row = StoredRow()
    types = [(name.removesuffix(_TYPE), value) for name, value in read.items() if "@" in name]
    for name, value in read.items():
        if "odata." not in name and name != "Timestamp":
            row[name] = value
    for name, kind in types:
        convert = _READ.get(kind)
        if convert is not None and name in row:
            row[name] = convert(row[name])
    row.etag = str(read.get("odata.etag", ""))
    return row


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


_READ: Mapping[str, Callable[[Any], Any]] = {
    "Edm.DateTime": _moment,
    "Edm.Binary": base64.b64decode,
    "Edm.Double": float,
    "Edm.Int64": int,
}


def rows_of(text: str | bytes) -> Iterator[StoredRow]:
    """The rows of a page."""
    return map(stored, json.loads(text)["value"])


# ---------------------------------------------------------------- questions


def literal(value: object) -> str:
    """A value in a filter."""
    if isinstance(value, datetime):
        return f"datetime'{value.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}'"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def filled(where: str, values: Mapping[str, object]) -> str:
    """A filter with its `@names` replaced."""
    return " ".join(literal(values[word[1:]]) if word.startswith("@") else word for word in where.split(" "))


def address(root: str, table: str, partition: str, key: str) -> str:
    """The address of one row."""
    return f"{root}/{table}({_keys({'PartitionKey': partition, 'RowKey': key})})"


def continuation(headers: Mapping[str, str]) -> dict[str, str]:
    """The options that ask for the next page; empty after the last."""
    found = {name: headers.get(f"x-ms-continuation-{name}") for name in ("NextPartitionKey", "NextRowKey")}
    return {name: value for name, value in found.items() if value}


def question(root: str, table: str, options: Mapping[str, str]) -> str:
    """The address of a page; `options` without those that are blank."""
    given = "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items() if value)
    return f"{root}/{table}()?{given}"
