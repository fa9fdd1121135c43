"""The contact fields of BC's API v2.0 that a filter may name, and how each compares (BC reference 2.1, 2.8)."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """How the values of a field compare, and how they are written in a filter."""

    TEXT = auto()  #: code point by code point, case counts unless "@" says otherwise
    CODE = auto()  #: like text, in upper case
    GUID = auto()  #: equal or not, nothing else
    BOOLEAN = auto()  #: true or false
    DATE = auto()  #: 2026-01-31; '' is no date, and comes before all others as in BC
    DATETIME = auto()  #: an instant in UTC; a date alone is the whole day
    ENUM = auto()  #: BC's member names, equal or not


@dataclass(frozen=True, slots=True)
class ContactField:
    """One field: its name in the API, its kind, and what its values may be."""

    name: str
    kind: Kind
    length: int = 0  #: longest value of a text or code, in characters
    sent_length: int = 0  #: longest literal that every BC version accepts in a query (reference 3.4, rule 6)
    members: tuple[str, ...] = ()  #: of an enum, as BC writes them; the blank member is ""


def _text(name: str, length: int, sent_length: int | None = None) -> ContactField:
    return ContactField(name, Kind.TEXT, length, length if sent_length is None else sent_length)


def _code(name: str, length: int) -> ContactField:
    return ContactField(name, Kind.CODE, length, length)


CONTACT_TYPES = ("Company", "Person")
BUSINESS_RELATIONS = ("", "Customer", "Vendor", "Bank Account", "Employee", "None", "Other", "Multiple")

CONTACT_FIELDS: Mapping[str, ContactField] = {
    field.name: field
    for field in (
        ContactField("id", Kind.GUID),
        _code("number", 20),
        ContactField("type", Kind.ENUM, members=CONTACT_TYPES),
        _text("displayName", 100),
        _text("jobTitle", 30),
        _code("companyNumber", 20),
        _text("companyName", 100),
        ContactField("contactBusinessRelation", Kind.ENUM, members=BUSINESS_RELATIONS),
        _text("addressLine1", 100),
        _text("addressLine2", 50),
        _text("city", 30),
        _text("state", 30),
        _code("country", 10),
        _code("postalCode", 20),
        _text("phoneNumber", 30),
        _text("mobilePhoneNumber", 30),
        _text("email", 80),
        _text("website", 255, sent_length=80),  # 80 before version 27
        _code("searchName", 100),
        ContactField("privacyBlocked", Kind.BOOLEAN),
        _text("taxRegistrationNumber", 50, sent_length=20),  # 50 in Belgium only
        ContactField("lastInteractionDate", Kind.DATE),
        ContactField("lastModifiedDateTime", Kind.DATETIME),
    )
}


def nearest_field(name: str) -> str | None:
    """The field whose name is most like an unknown one, to suggest it; None when nothing is near."""
    by_lower = {known.lower(): known for known in CONTACT_FIELDS}
    near = difflib.get_close_matches(name[:100].lower(), by_lower, n=1)
    return by_lower[near[0]] if near else None
