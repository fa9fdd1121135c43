"""Contacts from a CSV file, for a demo with data of one's own."""

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.simulators.business_central.fields import CONTACT, Kind
from shared.cards import emails

#: Column of the file -> field of the contact. Other columns are ignored.
COLUMNS = {
    "number": "number",
    "type": "type",
    "name": "displayName",
    "address": "addressLine1",
    "country": "country",
    "postal_code": "postalCode",
    "company_number": "companyNumber",
    "job_title": "jobTitle",
    "email": "email",
}
_OPTIONAL = ("email",)
_MUST_SAY = ("number", "type", "name")
_TYPES = CONTACT.fields["type"].members
_DOMAIN = "people.example"


class BadFile(Exception):
    """The file cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """Where a value stands, for messages."""

    line: int
    column: int
    name: str
    value: str

    def wrong(self, what: str) -> BadFile:
        return BadFile(f"line {self.line}, column {self.column} ({self.name}): {what}")


type _Row = Mapping[str, _Cell]


def read_contacts(path: Path) -> list[dict[str, Any]]:
    """The file's contacts as the Business Central simulator takes them; raises BadFile.

    Who has no e-mail address gets one made from the name, unique in the file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadFile(f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadFile(f"line {line}: it is not UTF-8 text; save it as CSV in UTF-8") from None
    rows = list(_rows(text))
    if not rows:
        raise BadFile("it has no contacts, only a header")
    _check_numbers(rows)
    taken = {row["email"].value.lower() for row in rows if row["email"].value}
    return [_contact(row, taken) for row in rows]


def _rows(text: str) -> Iterator[_Row]:
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    header: list[str] | None = None
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise BadFile(f"line {reader.line_num}: this is not CSV ({error})") from None
        if cells is None:
            break
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(cells, reader.line_num)
            continue
        if len(cells) != len(header):
            raise BadFile(
                f"line {reader.line_num}, column {min(len(cells), len(header)) + 1}: "
                f"{len(cells)} values, but the header names {len(header)} columns"
            )
        row = {
            name: _Cell(reader.line_num, index, name, cell.strip())
            for index, (name, cell) in enumerate(zip(header, cells, strict=True), 1)
        }
        row.setdefault("email", _Cell(reader.line_num, 0, "email", ""))
        for name in COLUMNS:
            _check(row[name])
        yield row
    if header is None:
        raise BadFile("it is empty")


def _header(cells: list[str], line: int) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    if missing := [name for name in COLUMNS if name not in names and name not in _OPTIONAL]:
        raise BadFile(
            f"line {line}: the header lacks {', '.join(missing)}; it must name {', '.join(COLUMNS)} (email is optional)"
        )
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        second = len(names) - names[::-1].index(twice[0])
        raise BadFile(f"line {line}, column {second}: {twice[0]} stands twice in the header")
    return names


def _check(cell: _Cell) -> None:
    field = CONTACT.fields[COLUMNS[cell.name]]
    if cell.name in _MUST_SAY and not cell.value:
        raise cell.wrong("this must not be empty")
    if cell.name == "type" and cell.value not in _TYPES:
        raise cell.wrong(f"{cell.value!r} is no type; write {' or '.join(_TYPES)}")
    if field.kind in (Kind.TEXT, Kind.CODE) and len(cell.value) > field.length:
        raise cell.wrong(f"{len(cell.value)} characters, but Business Central holds {field.length}")
    if cell.name == "email" and cell.value and not all(map(emails.is_valid, emails.split(cell.value))):
        raise cell.wrong(f"{cell.value!r} is no e-mail address that Business Central accepts")


def _check_numbers(rows: list[_Row]) -> None:
    """Each number once, and every company that persons name is there."""
    lines: dict[str, int] = {}
    companies = {row["number"].value.upper() for row in rows if row["type"].value == "Company"}
    for row in rows:
        number, company = row["number"], row["company_number"]
        if first := lines.get(number.value.upper()):
            raise number.wrong(f"{number.value!r} stands in line {first} already")
        lines[number.value.upper()] = number.line
        if company.value and row["type"].value == "Person" and company.value.upper() not in companies:
            raise company.wrong(f"no contact of type Company has the number {company.value!r}")


def _contact(row: _Row, taken: set[str]) -> dict[str, Any]:
    contact = {field: row[column].value for column, field in COLUMNS.items()}
    if not contact["email"]:
        contact["email"] = _address(contact["displayName"], contact["number"], taken)
    return contact


def _address(name: str, number: str, taken: set[str]) -> str:
    """An address made from the name: ASCII, not longer than BC's field, not used before."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", ascii_only) or ["contact", *re.findall(r"[a-z0-9]+", number.lower())]
    local = ".".join(words)[:50].rstrip(".")
    address, copies = f"{local}@{_DOMAIN}", 1
    while address in taken:
        copies += 1
        address = f"{local}.{copies}@{_DOMAIN}"
    taken.add(address)
    return address
