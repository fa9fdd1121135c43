"""What a contact is: the card, its fields, and a contact as each side shows it.

A card holds the fields that both sides can hold (R41) as text, normalised: trimmed, Unicode NFC, line feeds as
line breaks, blank for missing. Each side's card is in that side's own terms: a country is a code in Business
Central (BC) and a name in Outlook; the e-mail text is all addresses in BC, at most three in Outlook, joined by ";".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Field(StrEnum):
    """The fields that travel (R41). The value is the name in BC's API, which reports and settings use."""

    NAME = "displayName"
    JOB_TITLE = "jobTitle"
    COMPANY = "companyName"
    EMAIL = "email"
    PHONE = "phoneNumber"
    MOBILE = "mobilePhoneNumber"
    WEBSITE = "website"
    ADDRESS_1 = "addressLine1"
    ADDRESS_2 = "addressLine2"
    CITY = "city"
    STATE = "state"
    POSTAL_CODE = "postalCode"
    COUNTRY = "country"


FIELDS: tuple[Field, ...] = tuple(Field)
INDEX: Mapping[Field, int] = {each: number for number, each in enumerate(FIELDS)}


class Card(NamedTuple):
    """One side's values, in the order of `Field`; the three name parts are Outlook's alone (R20)."""

    name: str = ""
    job_title: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    mobile: str = ""
    website: str = ""
    address_1: str = ""
    address_2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    given_name: str = ""
    middle_name: str = ""
    surname: str = ""

    def get(self, which: Field) -> str:
        """The value of one field."""
        return self[INDEX[which]]

    def with_values(self, values: Mapping[Field, str]) -> "Card":
        """A copy with some fields changed."""
        if not values:
            return self
        parts: list[str] = list(self)
        for which, value in values.items():
            parts[INDEX[which]] = value
        return Card(*parts)


EMPTY_CARD = Card()


class Origin(StrEnum):
    """Who made the Outlook contact of a link (R9, R4, R27)."""

    SYNC = "sync"  #: the sync created it in the folder
    USER = "user"  #: the user had it; it was matched to a contact in scope (R7)
    OWN = "own"  #: the user made it and it was created in BC, or linked outside the filter (R4)


@dataclass(frozen=True, slots=True)
class Stamp:
    """The extended properties that we write into an Outlook contact (R9)."""

    bc_id: str
    origin: Origin
    environment: str  #: BC environment name
    company_id: str


@dataclass(frozen=True, slots=True)
class BcContact:
    """A contact as BC's API shows it.

    `values` holds every field of the API by its name there (text as str, enum members by name, booleans as
    bool), for filters and look-ups; `card` is derived from it.
    """

    id: str
    etag: str
    modified: str  #: lastModifiedDateTime as BC writes it, ISO 8601 UTC
    values: Mapping[str, str | bool] = field(hash=False)
    card: Card = EMPTY_CARD

    def text(self, name: str) -> str:
        """A field of the API as text, blank when missing."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else str(value).lower()

    @property
    def number(self) -> str:
        """BC's number of the contact (No.)."""
        return self.text("number")

    @property
    def is_person(self) -> bool:
        """Whether the type is Person."""
        return self.text("type") == "Person"

    @property
    def is_company(self) -> bool:
        """Whether the type is Company."""
        return self.text("type") == "Company"

    @property
    def company_number(self) -> str:
        """Number of the Company contact that a person belongs to; blank for none."""
        return self.text("companyNumber")

    @property
    def privacy_blocked(self) -> bool:
        """Whether BC says that this person must not be used (R1)."""
        return self.values.get("privacyBlocked") is True

    @property
    def has_business_relation(self) -> bool:
        """Whether BC links the contact to a customer, vendor, bank account or employee (R23)."""
        return self.text("contactBusinessRelation") not in {"", "None", "_x0020_", " "}


@dataclass(frozen=True, slots=True)
class OutlookContact:
    """A contact as Graph shows it, with what a write must leave alone."""

    id: str  #: immutable id
    etag: str
    card: Card
    folder_id: str = ""
    created: str = ""  #: createdDateTime, ISO 8601 UTC: the older of two copies counts (R9)
    categories: tuple[str, ...] = ()
    more_lines: tuple[str, ...] = ()  #: third and later lines of the business street (R17)
    more_phones: tuple[str, ...] = ()  #: business phones after the first
    email_names: tuple[str, ...] = ()  #: display names of the e-mail addresses, in their order
    marks_known: bool = False  #: whether `stamp` and `private` were read with it (a delta does not carry them)
    stamp: Stamp | None = None
    private: bool = False  #: marked personal or private (R2)
