"""Properties of contacts, folders and users, and what a body may say (reference 1.1, 1.4, 2).

The tables equal Microsoft's metadata; `csdl.py` compares them, so a body that passes here names only what exists.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Any

from dev.simulators.graph.refusals import Refused, bad_request
from dev.simulators.graph.switches import Switches


class Kind(StrEnum):
    """Types of properties, in the metadata's words."""

    TEXT = "Edm.String"
    TEXTS = "Collection(Edm.String)"
    MOMENT = "Edm.DateTimeOffset"
    EMAIL = "graph.emailAddress"
    EMAILS = "Collection(graph.emailAddress)"
    ADDRESS = "graph.physicalAddress"
    FLAG = "Edm.Boolean"


_TEXT_PROPERTIES = (
    "assistantName", "businessHomePage", "companyName", "department", "displayName", "fileAs", "generation",
    "givenName", "initials", "jobTitle", "manager", "middleName", "mobilePhone", "nickName", "officeLocation",
    "personalNotes", "profession", "spouseName", "surname", "title", "yomiCompanyName", "yomiGivenName", "yomiSurname",
)  # fmt: skip
EMAIL_SLOTS = ("primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress")
ADDRESS_PARTS = ("street", "city", "state", "postalCode", "countryOrRegion")
NAME_PARTS = ("givenName", "surname")

#: What a client may write.
WRITABLE: dict[str, Kind] = {
    **dict.fromkeys(_TEXT_PROPERTIES, Kind.TEXT),
    **dict.fromkeys(("businessPhones", "homePhones", "imAddresses", "children", "categories"), Kind.TEXTS),
    **dict.fromkeys(("businessAddress", "homeAddress", "otherAddress"), Kind.ADDRESS),
    **dict.fromkeys(EMAIL_SLOTS, Kind.EMAIL),
    "emailAddresses": Kind.EMAILS,
    "birthday": Kind.MOMENT,
}
READ_ONLY: dict[str, Kind] = {
    "id": Kind.TEXT,
    "changeKey": Kind.TEXT,
    "createdDateTime": Kind.MOMENT,
    "lastModifiedDateTime": Kind.MOMENT,
}
CONTACT: dict[str, Kind] = {**WRITABLE, **READ_ONLY, "parentFolderId": Kind.TEXT}
FOLDER: dict[str, Kind] = {"id": Kind.TEXT, "displayName": Kind.TEXT, "parentFolderId": Kind.TEXT}
EXTENDED = "singleValueExtendedProperties"

_USER_DEFAULTS = (
    "businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName",
)  # fmt: skip
USER_DEFAULTS: tuple[str, ...] = _USER_DEFAULTS
USER: dict[str, Kind] = {
    **dict.fromkeys((*_USER_DEFAULTS, "userType", "mailNickname", "department", "companyName", "country"), Kind.TEXT),
    "businessPhones": Kind.TEXTS,
    "proxyAddresses": Kind.TEXTS,
    "accountEnabled": Kind.FLAG,
}

#: Most elements of a collection.
MOST = {"emailAddresses": 3, "businessPhones": 2, "homePhones": 2, "imAddresses": 3}


def read_contact(body: dict[str, Any], switches: Switches) -> dict[str, Any]:
    """Return a body's writable properties in one form: empty text as None, collections as lists, addresses as dicts
    of the parts that are not empty.

    `parentFolderId` and extended properties are left out: others look after them. Raises `Refused`.
    """
    values: dict[str, Any] = {}
    for name, value in body.items():
        if name in WRITABLE:
            values[name] = _value(name, value, switches)
        elif name in READ_ONLY:
            if switches.read_only_properties == "refuse":
                raise bad_request(f"Property '{name}' is read-only and cannot be set.", "ErrorInvalidPropertySet")
        elif name not in ("parentFolderId", EXTENDED, "@odata.type") and switches.unknown_properties == "refuse":
            raise _unknown(name, "Contact")
    _refuse_both_email_forms(values)
    return values


def read_folder(body: dict[str, Any], switches: Switches) -> dict[str, Any]:
    """Return displayName and parentFolderId as far as a folder's body has them; raises `Refused`."""
    for name in body:
        if name == "id" and switches.read_only_properties == "refuse":
            raise bad_request("Property 'id' is read-only and cannot be set.", "ErrorInvalidPropertySet")
        if name not in (*FOLDER, EXTENDED, "@odata.type") and switches.unknown_properties == "refuse":
            raise _unknown(name, "ContactFolder")
    values: dict[str, Any] = {name: body[name] for name in ("displayName", "parentFolderId") if name in body}
    for name, value in values.items():
        if not isinstance(value, str) or not value.strip():
            raise bad_request(f"The value of {name} is empty or not a string.", "ErrorInvalidArgument")
        if name == "displayName" and len(value) > switches.text_limit:
            raise bad_request("The folder name is too long.", "ErrorInvalidArgument")
    return values


def _value(name: str, value: Any, switches: Switches) -> Any:
    match WRITABLE[name]:
        case Kind.TEXT:
            return _text(name, value, switches.notes_limit if name == "personalNotes" else switches.text_limit)
        case Kind.TEXTS:
            return [_text(name, element, switches.text_limit, required=True) for element in _elements(name, value)]
        case Kind.EMAILS:
            return [_email(name, element, switches) for element in _elements(name, value)]
        case Kind.EMAIL:
            return None if value is None else _email(name, value, switches)
        case Kind.ADDRESS:
            return _address(name, value, switches)
        case _:
            return _moment(name, value)


def _text(name: str, value: Any, limit: int, *, required: bool = False) -> str | None:
    if value is None and not required:
        return None
    if not isinstance(value, str):
        raise _unreadable(name)
    if len(value) > limit:
        raise bad_request(f"The value of {name} has more than {limit} characters.", "ErrorInvalidArgument")
    return value or None if not required else value


def _elements(name: str, value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _unreadable(name)
    if len(value) > MOST.get(name, 1000):
        title = name[0].upper() + name[1:]
        raise bad_request(
            f"The multi value property {title} has {len(value)} entries, "
            f"that exceeds the max allowed value of {MOST.get(name, 1000)}",
            "ErrorInvalidArgument",
        )
    return value


def _email(name: str, value: Any, switches: Switches) -> dict[str, str | None]:
    if not isinstance(value, dict) or set(value) - {"name", "address", "@odata.type"}:
        raise _unreadable(name)
    address = _text(name, value.get("address"), switches.text_limit)
    called = _text(name, value.get("name"), switches.text_limit)
    if called is None and switches.fill_email_name:
        called = address
    return {"name": called, "address": address}


def _address(name: str, value: Any, switches: Switches) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or set(value) - {*ADDRESS_PARTS, "@odata.type"}:
        raise _unreadable(name)
    parts = {part: _text(name, value.get(part), switches.text_limit) for part in ADDRESS_PARTS}
    return {part: text for part, text in parts.items() if text is not None}


def _moment(name: str, value: Any) -> str | None:
    if value is None:
        return None
    try:
        if not isinstance(value, str) or not re.match(r"\d{4}-\d{2}-\d{2}(T|$)", value):
            raise _unreadable(name)
        day = datetime.fromisoformat(value).date()
    except ValueError:
        raise _unreadable(name) from None
    return f"{day}T11:59:00Z"  # Exchange keeps a time that means nothing (reference 1.1)


def _refuse_both_email_forms(values: dict[str, Any]) -> None:
    """What sending both forms does is not documented (reference 1.1), so nobody shall rely on it."""
    if "emailAddresses" in values and set(EMAIL_SLOTS) & set(values):
        raise bad_request("emailAddresses and single e-mail addresses in one request.", "ErrorInvalidPropertySet")


def place_email_slots(values: dict[str, Any], addresses: list[dict[str, Any]]) -> dict[str, Any]:
    """Return `values` with single e-mail addresses made part of emailAddresses, which held `addresses` before."""
    slots = {slot: values[slot] for slot in EMAIL_SLOTS if slot in values}
    if not slots:
        return values
    held: list[dict[str, Any] | None] = [*addresses, None, None, None][:3]
    for slot, address in slots.items():
        held[EMAIL_SLOTS.index(slot)] = address
    kept = {name: value for name, value in values.items() if name not in slots}
    return {**kept, "emailAddresses": [address for address in held if address is not None]}


def _unknown(name: str, kind: str) -> Refused:
    return bad_request(
        f"The property '{name}' does not exist on type 'Microsoft.OutlookServices.{kind}'.", "RequestBodyRead"
    )


def _unreadable(name: str) -> Refused:
    return bad_request(f"Cannot read the value of '{name}' as its type.", "RequestBodyRead")
