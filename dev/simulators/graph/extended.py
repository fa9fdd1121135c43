"""Single-value extended properties: their ids and values (reference 6)."""

import re
from typing import Any, NamedTuple

from dev.simulators.graph.refusals import Refused, bad_request

_TYPES = (
    "ApplicationTime", "Binary", "Boolean", "CLSID", "Currency", "Double", "Error", "Float", "Integer", "Long",
    "Null", "Object", "Short", "String", "SystemTime",
)  # fmt: skip
_GUID = r"\{[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}"
_NAMED = re.compile(rf"(\w+) ({_GUID}) Name (\S(?:.*\S)?)")
_NUMBERED = re.compile(rf"(\w+) ({_GUID}) Id (0x[0-9a-fA-F]{{1,8}})")
_PREDEFINED = re.compile(r"(\w+) (0x[0-9a-fA-F]{1,8})")
_NUMBERS = {"integer", "long", "short"}


class PropertyKey(NamedTuple):
    """What an id means: two ids with the same key are one property. The name keeps its case."""

    type: str  #: in lower case
    set: str  #: GUID with braces in lower case; empty for predefined properties
    name: str  #: the name, or the number as written by `hex`


SENSITIVITY = PropertyKey("integer", "", "0x36")  #: 0 normal, 1 personal, 2 private, 3 confidential


def parse_key(text: Any) -> PropertyKey:
    """Return what a property id means; raises `Refused` when it is malformed."""
    if isinstance(text, str):
        if found := _NAMED.fullmatch(text):
            return _key(found[1], found[2], found[3])
        if found := _NUMBERED.fullmatch(text):
            return _key(found[1], found[2], hex(int(found[3], 16)))
        if (found := _PREDEFINED.fullmatch(text)) and 1 <= int(found[2], 16) <= 0x7FFF:
            return _key(found[1], "", hex(int(found[2], 16)))
    raise _bad_id(text)


def parse_properties(value: Any) -> dict[PropertyKey, str]:
    """Return the properties in a body's `singleValueExtendedProperties`; raises `Refused`."""
    if not isinstance(value, list):
        raise bad_request("singleValueExtendedProperties must be a collection.", "RequestBodyRead")
    found: dict[PropertyKey, str] = {}
    for element in value:
        if not isinstance(element, dict) or set(element) != {"id", "value"}:
            raise bad_request("An extended property has exactly id and value.", "RequestBodyRead")
        key, text = parse_key(element["id"]), element["value"]
        if not isinstance(text, str):
            raise bad_request("The value of an extended property must be a string.", "RequestBodyRead")
        if key.type in _NUMBERS and not re.fullmatch(r"-?\d+", text):
            raise bad_request(f"'{text}' is not a number.", "ErrorInvalidArgument")
        if key in found:
            raise bad_request("Duplicate extended property.", "ErrorInvalidArgument")
        found[key] = text
    return found


def written(key: PropertyKey, asked: str, proptag_form: str) -> str:
    """Return the id under which a property comes back."""
    kind = asked.split(" ", 1)[0]
    if key.set:
        return f"{kind} {key.set} {'Id' if ' Id 0x' in asked else 'Name'} {key.name}"
    return f"{kind} {key.name}" if proptag_form == "short" else asked


def _key(kind: str, guid: str, name: str) -> PropertyKey:
    if kind.lower() not in {known.lower() for known in _TYPES}:
        raise _bad_id(kind)
    return PropertyKey(kind.lower(), guid.lower(), name)


def _bad_id(text: Any) -> Refused:
    return bad_request(f"PropertyId value '{text}' is invalid.", "ErrorInvalidExtendedProperty")
