"""A row of the Contact table, its JSON and its ETag (2.1, 2.2, 4)."""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from dev.simulators.business_central.fields import CONTACT, RELATIONS
from dev.simulators.business_central.stamps import stamp_text

PERSON = "Person"
COMPANY = "Company"
NO_DATE = "0001-01-01"


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact. The first block is what the API shows; the rest BC keeps to itself."""

    id: str
    number: str = ""
    type: str = COMPANY
    display_name: str = ""
    job_title: str = ""
    company_number: str = ""
    company_name: str = ""
    relation: str = "None"  #: the member's name, unescaped
    address_line1: str = ""
    address_line2: str = ""
    city: str = ""
    state: str = ""
    country: str = ""
    postal_code: str = ""
    phone_number: str = ""
    mobile_phone_number: str = ""
    email: str = ""
    website: str = ""
    search_name: str = ""
    privacy_blocked: bool = False
    tax_registration_number: str = ""
    last_interaction_date: str = NO_DATE
    modified: int = 0  #: SystemModifiedAt

    first_name: str = ""
    middle_name: str = ""
    surname: str = ""
    minor: bool = False
    parental_consent: bool = False
    busy: frozenset[str] = frozenset()  #: of tasks, segments, opportunities: what keeps it from being deleted (7)
    kept_tag: list[str] = field(default_factory=list, init=False, repr=False, compare=False)  #: see `etag`


_NAMES = tuple(CONTACT.fields)
_values: Callable[[Contact], tuple[Any, ...]] = attrgetter(*(one.attribute for one in CONTACT.fields.values()))
_RELATION_TEXTS = {member: member.replace(" ", "_x0020_") for member in RELATIONS}


def contact_json(contact: Contact, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the contact as the API shows it, the ETag first; only the fields in `names` when there are any."""
    if names is not None:
        return {"@odata.etag": etag(contact), **{name: _shown(contact, name) for name in names}}
    shown = dict(zip(_NAMES, _values(contact), strict=True))
    shown["contactBusinessRelation"] = _RELATION_TEXTS[contact.relation]
    shown["lastModifiedDateTime"] = stamp_text(contact.modified)
    return {"@odata.etag": etag(contact), **shown}


def etag(contact: Contact) -> str:
    """Return the weak tag, computed once from what the page shows and from nothing else (4)."""
    if contact.kept_tag:
        return contact.kept_tag[0]
    digest = hashlib.blake2b(repr(_values(contact)).encode(), digest_size=33).digest()
    inside = b"'44;" + base64.b64encode(digest) + b"1;00;'"
    contact.kept_tag.append(f'W/"{base64.b64encode(inside).decode()}"')
    return contact.kept_tag[0]


def is_etag(text: str) -> bool:
    """Tell whether a text has the form of a tag, current or not."""
    if not (text.startswith('W/"') and text.endswith('"') and len(text) > 4):
        return False
    try:
        base64.b64decode(text[3:-1], validate=True)
    except ValueError:
        return False
    return True


def _shown(contact: Contact, name: str) -> Any:
    if name == "contactBusinessRelation":
        return _RELATION_TEXTS[contact.relation]
    if name == "lastModifiedDateTime":
        return stamp_text(contact.modified)
    return getattr(contact, CONTACT.fields[name].attribute)


def table_etag(values: dict[str, Any]) -> str:
    """Return a tag for an entity of a small table."""
    digest = hashlib.blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=12).digest()
    return f'W/"{base64.b64encode(b"'20;" + base64.b64encode(digest) + b"1;00;'").decode()}"'
