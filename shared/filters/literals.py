"""Values: how each kind is written in a filter, and the text by which a contact's value compares with it.

Everything compares as text. A literal stands for the keys from `first` to `last`, the same for all kinds but
instants, where a date alone is the whole day in UTC.
"""

import re
from datetime import UTC, date, datetime
from uuid import UUID

from shared.filters.fields import ContactField, Kind

NO_DATE = "0001-01-01"  # how BC's API shows a blank date

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,7})?)?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII)
_GUID = re.compile(r"\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?", re.ASCII | re.IGNORECASE)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_BOOLEANS = {"true": "true", "yes": "true", "false": "false", "no": "false"}


class BadLiteral(ValueError):
    """A literal that the field cannot hold; `expected` says what it takes."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


def expected_literal(field: ContactField) -> str:
    """What a literal of this field looks like, in words."""
    match field.kind:
        case Kind.DATE:
            return "a date like 2026-01-31, or '' for no date"
        case Kind.DATETIME:
            return "a date like 2026-01-31 or a time in UTC like 2026-01-31T08:30:00Z"
        case Kind.BOOLEAN:
            return "true or false"
        case Kind.GUID:
            return "an id like 88bbb6a9-16c6-f011-8542-7c1e520ee21f"
        case Kind.ENUM:
            return "one of " + ", ".join(member or "'' (blank)" for member in field.members)
        case Kind.TEXT | Kind.CODE:
            return "a value"


def canonical_literal(field: ContactField, text: str) -> str:
    """The literal in the one form that the model keeps; raises `BadLiteral`."""
    match field.kind:
        case Kind.TEXT | Kind.CODE:
            literal = upper(text) if field.kind is Kind.CODE else text
            if len(literal) > field.length:
                raise BadLiteral(f"at most {field.length} characters")
            return literal
        case Kind.BOOLEAN:
            found = _BOOLEANS.get(text.strip().lower())
        case Kind.ENUM:
            wanted = _member_key(text)
            found = next((member for member in field.members if _member_key(member) == wanted), None)
        case Kind.GUID:
            found = str(UUID(text.strip())) if _GUID.fullmatch(text.strip()) else None
        case Kind.DATE:
            found = _read_date(text.strip())
        case Kind.DATETIME:
            found = _read_instant(text.strip())
    if found is None:
        raise BadLiteral(expected_literal(field))
    return found


def literal_keys(field: ContactField, literal: str) -> tuple[str, str]:
    """First and last key that a canonical literal stands for, both included."""
    match field.kind:
        case Kind.DATE:
            return (literal or NO_DATE,) * 2
        case Kind.DATETIME:
            if len(literal) == len(NO_DATE):
                return f"{literal}T00:00:00.000", f"{literal}T23:59:59.999"
            return (literal.removesuffix("Z"),) * 2
        case Kind.ENUM:
            return (_member_key(literal),) * 2
        case _:
            return (literal,) * 2


def value_key(field: ContactField, value: str | bool) -> str:
    """The key of a contact's value as BC's API shows it; missing values are blank."""
    if isinstance(value, bool):
        return "true" if value else "false"
    match field.kind:
        case Kind.TEXT:
            return value
        case Kind.CODE:
            return upper(value)
        case Kind.GUID:
            return value.strip("{}").lower()
        case Kind.BOOLEAN:
            return _BOOLEANS.get(value.lower(), "false")
        case Kind.DATE:
            return value[: len(NO_DATE)] or NO_DATE
        case Kind.DATETIME:
            return (_read_time(value) or f"{NO_DATE}T00:00:00.000Z").removesuffix("Z")
        case Kind.ENUM:
            return _member_key(value)


def upper(text: str) -> str:
    """Upper case as a code field has it: one character stays one, so that lengths and "?" keep their meaning."""
    if text.isascii():
        return text.upper()
    return "".join(large if len(large := each.upper()) == 1 else each for each in text)


def _member_key(name: str) -> str:
    """An enum member, also in the escaped form of BC's JSON (`Bank_x0020_Account`, `_x0020_`): reference 2.8."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), name).strip().casefold()


def _read_date(text: str) -> str | None:
    if text in {"", NO_DATE}:
        return ""
    return text if _DATE.fullmatch(text) and _is_date(text) else None


def _read_instant(text: str) -> str | None:
    if _DATE.fullmatch(text):
        return text if _is_date(text) else None
    return _read_time(text) if _INSTANT.fullmatch(text) else None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _read_time(text: str) -> str | None:
    """An instant in UTC, cut to the milliseconds that BC's API carries; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
