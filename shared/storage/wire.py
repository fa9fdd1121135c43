"""Values as properties of a row, and the limits of a row. Pure.

A value is written as JSON into the properties c0, c1, ... (a string may hold 32 Ki UTF-16 units), long ones compressed
into z0, z1, ... (64 KiB each). Every row carries the version of its form in `v`. Azurite checks less than Azure does
(platform reference 3.3), so the limits are checked here.
"""

import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.errors import SyncError
from shared.json_text import json_text

type Row = dict[str, Any]

VERSION = 1
MOST_PROPERTIES = 252  #: of our own, beside the two keys and the time stamp
MOST_ROW_BYTES = 1024 * 1024  #: strings counted as UTF-16
MOST_UNITS = 32 * 1024  #: of one string, in UTF-16
MOST_BYTES = 64 * 1024  #: of one binary
_TEXT_CHUNK = 30_000
_BYTES_CHUNK = 60_000
_COMPRESS_ABOVE = 120_000
_REFUSED = frozenset("/\\#?") | {chr(each) for each in (*range(0x20), *range(0x7F, 0xA0))}


class RowTooLarge(SyncError):
    """A row would be larger than Table Storage takes; the message says which limit, never what is in the row."""

    code = "row-too-large"


def dumps(value: object) -> str:
    """Compact JSON that every service takes."""
    return json_text(value, separators=(",", ":"))


def packed(text: str) -> Row:
    """JSON text as properties."""
    if len(text) > _COMPRESS_ABOVE:
        body = zlib.compress(text.encode(), 6)
        return {f"z{number}": chunk for number, chunk in enumerate(_chunks(body, _BYTES_CHUNK))}
    # characters outside the basic plane take two units each
    size = _TEXT_CHUNK if text.isascii() or max(text) <= "\uffff" else _TEXT_CHUNK // 2
    return {f"c{number}": text[start : start + size] for number, start in enumerate(range(0, len(text), size))}


def unpacked(row: Mapping[str, Any]) -> str:
    """JSON text of a row's properties; blank when it holds none."""
    if "z0" in row:
        return zlib.decompress(joined(row, "z")).decode()
    if "c1" not in row:
        return str(row.get("c0", ""))
    return "".join(str(each) for each in _numbered(row, "c"))


def packed_bytes(body: bytes) -> Row:
    """Bytes as properties b0, b1, ..."""
    return {f"b{number}": chunk for number, chunk in enumerate(_chunks(body, _BYTES_CHUNK))}


def joined(row: Mapping[str, Any], letter: str = "b") -> bytes:
    """The bytes that `packed_bytes` spread."""
    return b"".join(_numbered(row, letter))


def row(partition: str, key: str, **properties: Any) -> Row:
    """A row of the present version."""
    return {"PartitionKey": partition, "RowKey": key, "v": VERSION, **properties}


def check(entity: Row) -> int:
    """The size of a row in bytes, as Azure counts it. Raises RowTooLarge or ValueError when Azure would refuse it."""
    for name in ("PartitionKey", "RowKey"):
        if len(entity[name]) > 512 or not _REFUSED.isdisjoint(entity[name]):
            raise ValueError(f"{name} is too long or holds characters that Table Storage refuses")
    if len(entity) - 2 > MOST_PROPERTIES:
        raise RowTooLarge("a row would have more than 252 properties")
    size = 4
    for name, value in entity.items():
        size += 8 + 2 * len(name) + _size(value)
    if size > MOST_ROW_BYTES:
        raise RowTooLarge("a row would be larger than 1 MiB")
    return size


def sent_size(entity: Row) -> int:
    """About how many bytes a row takes in a request: JSON in UTF-8, binaries in base64."""
    size = 200
    for value in entity.values():
        if isinstance(value, str):
            # quotes and backslashes of our JSON are escaped once more
            size += int(len(value.encode("utf-8", "replace")) * 1.3)
        elif isinstance(value, bytes):
            size += len(value) * 4 // 3 + 4
        else:
            size += 40
    return size


def _size(value: object) -> int:
    if isinstance(value, str):
        units = len(value) if value.isascii() else len(value.encode("utf-16-le", "surrogatepass")) // 2
        if units > MOST_UNITS:
            raise RowTooLarge("a string would be longer than 32 Ki characters")
        return 4 + 2 * units
    if isinstance(value, bytes):
        if len(value) > MOST_BYTES:
            raise RowTooLarge("a binary value would be larger than 64 KiB")
        return 4 + len(value)
    if isinstance(value, bool | int | float | datetime):
        return 8
    raise ValueError(f"a row cannot hold a {type(value).__name__}")


def _chunks(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def _numbered(row: Mapping[str, Any], letter: str) -> list[Any]:
    found: list[Any] = []
    while (name := f"{letter}{len(found)}") in row:
        found.append(row[name])
    return found
