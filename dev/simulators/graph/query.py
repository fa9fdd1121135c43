"""Query options of contact and folder requests: only what is documented (reference 3.1, 6.2, 6.3)."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from dev.simulators.exchange import Request
from dev.simulators.graph.extended import PropertyKey, parse_key
from dev.simulators.graph.mailbox import Contact, Folder
from dev.simulators.graph.refusals import Refused, bad_query

_TEXT = r"'((?:[^']|'')*)'"
_BY_EMAIL = re.compile(rf"\s*emailAddresses/any\(\s*(\w+)\s*:\s*\1/address\s+eq\s+{_TEXT}\s*\)\s*", re.IGNORECASE)
_BY_KEY = re.compile(
    rf"\s*singleValueExtendedProperties/any\(\s*(\w+)\s*:\s*\1/id\s+eq\s+{_TEXT}\s+and\s+"
    rf"(?:(?P<plain>\1/value)|(?P<cast>cast\(\1/value\s*,\s*Edm\.Int(?:16|32|64)\)))\s+eq\s+"
    rf"(?:{_TEXT}|(?P<number>-?\d+))\s*\)\s*",
    re.IGNORECASE,
)
_EXPAND = re.compile(r"\s*singleValueExtendedProperties\(\s*\$filter\s*=(.*)\)\s*", re.DOTALL)
_ONE_ID = re.compile(rf"\s*id\s+eq\s+{_TEXT}\s*")

type Test = Callable[[Contact | Folder], bool]


@dataclass
class Query:
    """Checked query options."""

    select: tuple[str, ...] = ()  #: empty: everything
    expand: list[tuple[str, PropertyKey]] = field(default_factory=list)  #: ids as asked for, and what they mean
    test: Test | None = None
    by_key: bool = False  #: `test` looks for an extended property
    top: int | None = None
    skip: int = 0
    count: bool = False


def read_query(request: Request, names: Collection[str], allowed: Collection[str], kind: str = "Contact") -> Query:
    """Read a request's options; raises `Refused` for any but `allowed`, and for unknown property `names`."""
    query = Query()
    given = [name for name, _ in request.options]
    if len(set(given)) != len(given):
        raise bad_query("A query option occurs twice.")
    for name, value in request.options:
        if name not in allowed:
            raise bad_query(f"The query option '{name}' is not supported here.")
        match name:
            case "$select":
                query.select = read_select(value, names, kind)
            case "$expand":
                query.expand = read_expand(value)
            case "$filter":
                query.test, query.by_key = read_filter(value, is_contact=kind == "Contact")
            case "$top":
                query.top = _number(name, value, least=1)
            case "$skip":
                query.skip = _number(name, value, least=0)
            case "$count":
                query.count = _flag(value)
    return query


def read_select(value: str, names: Collection[str], kind: str) -> tuple[str, ...]:
    """Return the names in a $select; raises `Refused` for one that does not exist."""
    chosen = tuple(name.strip() for name in value.split(","))
    for name in chosen:
        if name not in names:
            raise bad_query(f"Could not find a property named '{name}' on type 'Microsoft.OutlookServices.{kind}'.")
    return chosen


def read_expand(value: str) -> list[tuple[str, PropertyKey]]:
    """Return the extended properties in $expand=singleValueExtendedProperties($filter=id eq '…' or id eq '…')."""
    whole = _EXPAND.fullmatch(value)
    if whole is None:
        raise bad_query("$expand takes singleValueExtendedProperties($filter=id eq '…') only.")
    found = []
    for part in re.split(r"\s+or\s+(?=id\s)", whole[1]):
        one = _ONE_ID.fullmatch(part)
        if one is None:
            raise bad_query("The $filter within $expand takes id eq '…', joined by or.")
        asked = one[1].replace("''", "'")
        found.append((asked, parse_key(asked)))
    return found


def read_filter(value: str, *, is_contact: bool) -> tuple[Test, bool]:
    """Return a test for one of the two documented forms, and whether it looks for an extended property."""
    if (found := _BY_EMAIL.fullmatch(value)) and is_contact:
        address = found[2].replace("''", "'").casefold()
        return lambda one: isinstance(one, Contact) and address in _addresses(one), False
    if found := _BY_KEY.fullmatch(value):
        key = parse_key(found[2].replace("''", "'"))
        text, number = found[5], found["number"]
        if (key.type == "string") != (found["plain"] is not None and number is None):
            raise _bad_filter()
        wanted = (number if text is None else text.replace("''", "'")).casefold()
        return lambda one: one.extended.get(key, "\0").casefold() == wanted, True
    raise _bad_filter()


def _addresses(contact: Contact) -> set[str]:
    return {(entry["address"] or "").casefold() for entry in contact.values.get("emailAddresses") or ()}


def _bad_filter() -> Refused:
    return Refused(400, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.")


def _number(name: str, value: str, least: int) -> int:
    if not re.fullmatch(r"\d{1,9}", value) or int(value) < least:
        raise bad_query(f"Invalid value '{value}' for {name} query option found.")
    return int(value)


def _flag(value: str) -> bool:
    if value not in ("true", "false"):
        raise bad_query(f"Invalid value '{value}' for $count query option found.")
    return value == "true"
