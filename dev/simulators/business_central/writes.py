"""Creating, changing and deleting contacts: the server's sequence with the table's triggers (2.5, 2.7, 7)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from dev.simulators.business_central import errors
from dev.simulators.business_central.company import Company
from dev.simulators.business_central.contact import COMPANY, PERSON, Contact
from dev.simulators.business_central.fields import CONTACT, Field, Kind
from dev.simulators.business_central.switches import Switches
from dev.simulators.business_central.validation import ADDRESS, COMMUNICATION, Session, validate


def create(company: Company, switches: Switches, body: Mapping[str, Any], now: int) -> Contact:
    """Insert a contact from a body and return it; raises BcError."""
    session = Session(company, switches, creating=True)
    contact = _apply(session, Contact(id=_chosen_id(switches, body)), _given(switches, body, creating=True))
    if not contact.display_name:
        raise errors.dialog('A "displayName" must be provided.')
    if contact.number and company.contacts.by_number(contact.number) is not None:
        raise errors.same_key(switches.duplicate_key_status, contact.number)
    if company.contacts.get(contact.id) is not None:
        raise errors.same_key(switches.duplicate_key_status, contact.id)
    with company.transaction():
        inserted = _from_template(company, body, _insert(company, contact))
        company.contacts.put(replace(inserted, modified=now))
    return replace(inserted, modified=now)


def change(company: Company, switches: Switches, old: Contact, body: Mapping[str, Any], now: int) -> Contact:
    """Modify a contact and return it; one that the body leaves as it is keeps stamp and tag (2.7). Raises BcError."""
    session = Session(company, switches, creating=False)
    contact = _apply(session, old, _given(switches, body, creating=False))
    if contact == old:
        return old
    if contact.number != old.number:
        if not contact.number:
            raise errors.field_refused("No. must have a value in Contact. It cannot be zero or empty.")
        if company.contacts.by_number(contact.number) is not None:
            raise errors.same_key(switches.duplicate_key_status, contact.number)
        if contact.type == COMPANY:
            contact = replace(contact, company_number=contact.number)
    with company.transaction():
        store(company, old, contact, now)
    return replace(contact, modified=now)


def store(company: Company, old: Contact, contact: Contact, now: int) -> None:
    """Write a changed contact, and what follows from it for the persons of a company. In a transaction."""
    company.contacts.put(replace(contact, modified=now))
    if contact.type == COMPANY:
        for person in company.contacts.persons_of(old.number):
            followed = _follow(company, old, contact, person)
            if followed != person:
                company.contacts.put(replace(followed, modified=now))


def delete(company: Company, contact: Contact) -> None:
    """Delete a contact; a company takes its persons with it (7). Raises BcError, and then nothing is deleted."""
    with company.transaction():
        persons = company.contacts.persons_of(contact.number) if contact.type == COMPANY else []
        for row in [*persons, contact]:
            for kind, reason in _REASONS.items():
                if kind in row.busy:
                    raise errors.dialog(f"You cannot delete contact {row.number} because {reason}.")
            company.contacts.remove(row.id)


_REASONS = {
    "tasks": "there are one or more tasks open",
    "segments": "there are one or more unlogged segments active",
    "opportunities": "there are one or more opportunities not started or in progress",
}


def _chosen_id(switches: Switches, body: Mapping[str, Any]) -> str:
    if "id" not in body or switches.client_id == "refused":
        return str(uuid4())
    try:
        return str(UUID(str(body["id"])))
    except ValueError:
        raise errors.BcError(400, "Application_InvalidGUID", f"Invalid format of GUID string '{body['id']}'.") from None


def _given(switches: Switches, body: Mapping[str, Any], creating: bool) -> list[tuple[Field, Any]]:
    """Return the fields that a body sets, in the order in which the server takes them (2.12)."""
    given = []
    for name, value in body.items():
        if "@" in name:
            if switches.annotations_in_body == "refused":
                raise errors.bad_request(f"The annotation '{name}' is not allowed in the body.")
            continue
        field = CONTACT.fields.get(name)
        if field is None:
            message = (
                f"The property '{name}' does not exist on type 'Microsoft.NAV.contact'. "
                "Make sure to only use property names that are defined by the type."
            )
            raise errors.BcError(400, switches.unknown_property_code, message)
        if name == "id" and creating and switches.client_id == "kept":
            continue
        if not field.writable:
            raise errors.read_only(name)
        if value is None and switches.null_text == "ignored" and field.kind in (Kind.TEXT, Kind.CODE):
            continue
        given.append((field, value))
    if switches.property_order == "page":
        page = list(CONTACT.fields)
        given.sort(key=lambda pair: page.index(pair[0].name))
    return given


def _apply(session: Session, contact: Contact, given: Iterable[tuple[Field, Any]]) -> Contact:
    for field, value in given:
        contact = validate(session, contact, field, value)
    return contact


def _insert(company: Company, contact: Contact) -> Contact:
    """Do what the insert trigger does: number, defaults, and what the type asks for."""
    contact = replace(contact, number=contact.number or _next_number(company))
    contact = replace(contact, country=contact.country or company.setup.default_country)
    if contact.type == COMPANY:
        return replace(
            contact, job_title="", first_name="", middle_name="", surname="",
            company_number=contact.number, company_name=contact.display_name,
        )  # fmt: skip
    return contact


def _next_number(company: Company) -> str:
    setup = company.setup
    if not setup.number_series:
        raise errors.field_refused("Contact Nos. must have a value in Marketing Setup. It cannot be empty.")
    while setup.last_number < setup.number_limit:
        setup.last_number += 1
        number = f"{setup.number_prefix}{setup.last_number:06d}"
        if company.contacts.by_number(number) is None:
            return number
    raise errors.dialog(f"You cannot assign new numbers from the number series {setup.number_series}.")


def _from_template(company: Company, body: Mapping[str, Any], contact: Contact) -> Contact:
    changes: dict[str, Any] = {
        CONTACT.fields[name].attribute: value
        for name, value in company.setup.template.items()
        if name not in body and getattr(contact, CONTACT.fields[name].attribute) == ""
    }
    return replace(contact, **changes)


def _follow(company: Company, old: Contact, new: Contact, person: Contact) -> Contact:
    """Return a person after an edit of its company: what still had the company's old value follows (2.4)."""
    setup = company.setup
    changes: dict[str, Any] = {}
    if new.number != old.number:
        changes["company_number"] = new.number
    if new.display_name != old.display_name:
        changes["company_name"] = new.display_name
    if new.type != PERSON and setup.inherit_address and all(_same(person, old, name) for name in ADDRESS):
        changes |= {name: getattr(new, name) for name in ADDRESS if not _same(old, new, name)}
    single = (*(COMMUNICATION if setup.inherit_communication else ()), *(("country",) if setup.inherit_country else ()))
    changes |= {name: getattr(new, name) for name in single if _same(person, old, name) and not _same(old, new, name)}
    return replace(person, **changes)


def _same(one: Contact, other: Contact, attribute: str) -> bool:
    return bool(getattr(one, attribute) == getattr(other, attribute))
