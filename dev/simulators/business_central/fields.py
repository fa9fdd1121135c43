"""The fields of the entities: names, types, lengths, and whether they can be written (2.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """A field's type."""

    GUID = auto()
    CODE = auto()  #: upper-case, trimmed text
    TEXT = auto()
    ENUM = auto()
    BOOLEAN = auto()
    NUMBER = auto()
    DATE = auto()
    DATETIME = auto()  #: held as milliseconds since 1970


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity."""

    name: str  #: in JSON
    attribute: str  #: of the row's class
    kind: Kind
    length: int = 0  #: of texts and codes
    caption: str = ""  #: the table field, for messages
    writable: bool = True
    members: tuple[str, ...] = ()  #: of enums, by name


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity's name and fields, in the order of its page."""

    type_name: str
    fields: Mapping[str, Field]


def entity(type_name: str, *fields: Field) -> Entity:
    """Put fields together."""
    return Entity(type_name, {field.name: field for field in fields})


RELATIONS = (" ", "Customer", "Vendor", "Bank Account", "Employee", "None", "Other", "Multiple")

CONTACT = entity(
    "contact",
    Field("id", "id", Kind.GUID, caption="SystemId", writable=False),
    Field("number", "number", Kind.CODE, 20, "No."),
    Field("type", "type", Kind.ENUM, caption="Type", members=("Company", "Person")),
    Field("displayName", "display_name", Kind.TEXT, 100, "Name"),
    Field("jobTitle", "job_title", Kind.TEXT, 30, "Job Title"),
    Field("companyNumber", "company_number", Kind.CODE, 20, "Company No."),
    Field("companyName", "company_name", Kind.TEXT, 100, "Company Name"),
    Field("contactBusinessRelation", "relation", Kind.ENUM, writable=False, members=RELATIONS),
    Field("addressLine1", "address_line1", Kind.TEXT, 100, "Address"),
    Field("addressLine2", "address_line2", Kind.TEXT, 50, "Address 2"),
    Field("city", "city", Kind.TEXT, 30, "City"),
    Field("state", "state", Kind.TEXT, 30, "County"),
    Field("country", "country", Kind.CODE, 10, "Country/Region Code"),
    Field("postalCode", "postal_code", Kind.CODE, 20, "Post Code"),
    Field("phoneNumber", "phone_number", Kind.TEXT, 30, "Phone No."),
    Field("mobilePhoneNumber", "mobile_phone_number", Kind.TEXT, 30, "Mobile Phone No."),
    Field("email", "email", Kind.TEXT, 80, "E-Mail"),
    Field("website", "website", Kind.TEXT, 255, "Home Page"),
    Field("searchName", "search_name", Kind.CODE, 100, "Search Name"),
    Field("privacyBlocked", "privacy_blocked", Kind.BOOLEAN, caption="Privacy Blocked"),
    Field("taxRegistrationNumber", "tax_registration_number", Kind.CODE, 20, "VAT Registration No."),
    Field("lastInteractionDate", "last_interaction_date", Kind.DATE, writable=False),
    Field("lastModifiedDateTime", "modified", Kind.DATETIME, writable=False),
)

COUNTRY = entity(
    "countryRegion",
    Field("id", "id", Kind.GUID, writable=False),
    Field("code", "code", Kind.CODE, 10),
    Field("displayName", "display_name", Kind.TEXT, 50),
    Field("addressFormat", "address_format", Kind.TEXT, 50),
    Field("lastModifiedDateTime", "modified", Kind.DATETIME, writable=False),
)

COMPANY = entity(
    "company",
    Field("id", "id", Kind.GUID, writable=False),
    Field("systemVersion", "system_version", Kind.TEXT, 80),
    Field("timestamp", "timestamp", Kind.NUMBER),
    Field("name", "name", Kind.TEXT, 30),
    Field("displayName", "display_name", Kind.TEXT, 250),
    Field("businessProfileId", "business_profile_id", Kind.TEXT, 250),
    Field("systemCreatedAt", "created", Kind.DATETIME),
    Field("systemCreatedBy", "changed_by", Kind.GUID),
    Field("systemModifiedAt", "modified", Kind.DATETIME),
    Field("systemModifiedBy", "changed_by", Kind.GUID),
)

_USER_FIELDS = (
    Field("userSecurityId", "id", Kind.GUID, writable=False),
    Field("userName", "user_name", Kind.CODE, 50),
    Field("displayName", "display_name", Kind.TEXT, 80),
    Field("state", "state", Kind.ENUM, members=("Enabled", "Disabled")),
)
USER = entity(
    "user",
    *_USER_FIELDS,
    Field("expiryDate", "expiry_date", Kind.TEXT),
    Field("contactEmail", "contact_email", Kind.TEXT, 250),
)
USER_PERMISSIONS = entity(
    "usersPermissions",
    *_USER_FIELDS,
    Field("authenticationEmail", "authentication_email", Kind.TEXT, 250),
    Field("licenseType", "license_type", Kind.TEXT, 30),
    Field("exchangeIdentifier", "exchange_identifier", Kind.TEXT, 250),
    Field("applicationId", "application_id", Kind.GUID),
)
