"""JSON to contacts and back. Pure; takes any JSON, since a service may change without notice."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.business_central.wire import NO_DATE, WRITE_ORDER, is_guid
from shared.cards.business_central import contact_from_values
from shared.cards.model import BcContact, Field
from shared.cards.normalise import clean
from shared.engine.sides import BcCompany, BcDraft, BcWrite
from shared.filters.fields import CONTACT_FIELDS, Kind

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SPECIAL_KINDS = {Kind.BOOLEAN, Kind.DATE, Kind.ENUM}
_KINDS = tuple((name, each.kind if each.kind in _SPECIAL_KINDS else None) for name, each in CONTACT_FIELDS.items())
_EARLIEST = datetime.min.replace(tzinfo=UTC)


def read_contact(row: Any) -> BcContact | None:
    """The contact in a row of JSON; None when it is none, because its id is missing. Fields may be missing or odd."""
    key = row_id(row)
    if key is None:
        return None
    values: dict[str, str | bool] = {}
    for name, kind in _KINDS:
        value = row.get(name)
        # most values are plain texts, and a company has many contacts
        values[name] = value if kind is None and type(value) is str else _value(value, kind or Kind.TEXT)
    values["id"] = key
    etag = row.get("@odata.etag")
    return contact_from_values(key, etag if isinstance(etag, str) else "", str(values["lastModifiedDateTime"]), values)


def row_id(row: Any) -> str | None:
    """The id of any entity, in lower case; None when there is none."""
    key = row.get("id") if isinstance(row, dict) else None
    return key.lower() if isinstance(key, str) and is_guid(key) else None


def read_company(row: Any) -> BcCompany | None:
    """A company; None when its id is missing."""
    key = row_id(row)
    if key is None:
        return None
    name, shown = _value(row.get("name"), Kind.TEXT), _value(row.get("displayName"), Kind.TEXT)
    return BcCompany(key, str(name), str(shown or name))


def read_country(row: Any) -> tuple[str, str] | None:
    """Code and name of a country (R19); None when the code is missing."""
    code = row.get("code") if isinstance(row, dict) else None
    if not isinstance(code, str) or not code:
        return None
    return code, str(_value(row.get("displayName"), Kind.TEXT) or code)


def moment(stamp: str) -> datetime:
    """A stamp as a point in time: trailing zeros are dropped in it, so texts do not sort (2.1)."""
    try:
        read = datetime.fromisoformat(stamp)
    except ValueError:
        return _EARLIEST
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def create_body(draft: BcDraft) -> dict[str, str]:
    """The body of a POST: a Person, blanks left out, never a number or a company's name (2.4, 2.5)."""
    values = {"type": "Person", "companyNumber": draft.company_number, **_texts(draft.values)}
    return {name: values[name] for name in WRITE_ORDER if values.get(name)}


def write_body(write: BcWrite) -> dict[str, str]:
    """The body of a PATCH: changed fields only, blank to clear."""
    values = _texts(write.values)
    if write.company_number is not None:
        values["companyNumber"] = write.company_number
    return {name: values[name] for name in WRITE_ORDER if name in values}


def lost(expected: Mapping[Field, str], held: BcContact) -> dict[Field, str]:
    """What BC cleared or overwrote although we expect it there (R16); letter case and blanks do not count."""
    return {
        which: value
        for which, value in expected.items()
        if value and which is not Field.COMPANY and _bare(value) != _bare(held.card.get(which))
    }


def _texts(values: Mapping[Field, str]) -> dict[str, str]:
    return {which.value: value for which, value in values.items()}


def _bare(text: str) -> str:
    return "".join(clean(text).split()).casefold()


def _value(value: Any, kind: Kind) -> str | bool:
    if kind is Kind.BOOLEAN:
        return value is True or (isinstance(value, str) and value.lower() == "true")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)
    if kind is Kind.ENUM:
        return (_ESCAPED.sub(_unescaped, text) if "_" in text else text).strip()
    return "" if kind is Kind.DATE and text == NO_DATE else text


def _unescaped(match: re.Match[str]) -> str:
    number = int(match.group(1), 16)
    return match.group() if 0xD800 <= number < 0xE000 else chr(number)
