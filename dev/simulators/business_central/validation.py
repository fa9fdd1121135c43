"""What BC does when a field of a contact gets a value: the table's OnValidate triggers (2.3 to 2.6).

`validate` takes a contact and returns the changed one, with everything the new value brings about, or raises `BcError`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from dev.simulators.business_central import errors
from dev.simulators.business_central.company import Company
from dev.simulators.business_central.contact import COMPANY, PERSON, Contact
from dev.simulators.business_central.fields import CONTACT, Field, Kind
from dev.simulators.business_central.rules import has_letters, invalid_address, split_name
from dev.simulators.business_central.switches import Switches

ADDRESS = ("address_line1", "address_line2", "city", "state", "postal_code")
COMMUNICATION = ("phone_number", "mobile_phone_number", "email", "website")


@dataclass(frozen=True, slots=True)
class Session:
    """Where a write happens. `creating`: the record is not in the table yet."""

    company: Company
    switches: Switches
    creating: bool


def validate(session: Session, contact: Contact, field: Field, value: Any) -> Contact:
    """Return the contact with `value` in `field`; raises BcError."""
    value = _converted(session, field, value)
    if isinstance(value, str) and field.kind is not Kind.ENUM:
        _check_length(session, field, value)
    trigger = _TRIGGERS.get(field.attribute)
    if trigger is not None:
        return trigger(session, contact, value)
    return _with(contact, field.attribute, value)


def _converted(session: Session, field: Field, value: Any) -> Any:
    match field.kind:
        case Kind.BOOLEAN if isinstance(value, bool):
            return value
        case Kind.ENUM if isinstance(value, str):
            if value not in field.members:
                raise errors.not_an_option(value, ",".join(field.members))
            return value
        case Kind.CODE if isinstance(value, str):
            return value.strip(" ").upper()
        case Kind.TEXT if isinstance(value, str):
            return value
        case Kind.TEXT | Kind.CODE if value is None and session.switches.null_text == "cleared":
            return ""
    wanted = "Edm.Boolean" if field.kind is Kind.BOOLEAN else "Edm.String"
    raise errors.bad_request(f"Cannot convert the value of '{field.name}' to the expected type '{wanted}'.")


def _check_length(session: Session, field: Field, value: str) -> None:
    limit = session.switches.website_length if field.attribute == "website" else field.length
    if len(value) > limit:
        raise errors.too_long(len(value), limit, value)


def _with(contact: Contact, attribute: str, value: Any) -> Contact:
    changes: dict[str, Any] = {attribute: value}
    return replace(contact, **changes)


def _number(session: Session, contact: Contact, value: str) -> Contact:
    if value == contact.number:
        return contact
    switches = session.switches
    asked = session.creating or switches.rename_needs_manual_numbers
    if asked and not switches.manual_numbers and value:
        series = session.company.setup.number_series
        raise errors.dialog(
            "You may not enter numbers manually. If you want to enter numbers manually, "
            f"please activate Manual Nos. in No. Series {series}."
        )
    return replace(contact, number=value)


def _type(session: Session, contact: Contact, value: str) -> Contact:
    if value == contact.type:
        return contact
    if not session.creating:
        if contact.relation not in (" ", "None"):
            raise errors.dialog(f"You cannot change the Type of contact {contact.number}: it has business relations.")
        if contact.busy:
            raise errors.dialog(f"You cannot change the Type of contact {contact.number}: it is in use.")
        if session.company.contacts.persons_of(contact.number):
            raise errors.dialog(f"You cannot change the Type of contact {contact.number}: persons are related to it.")
    if value == PERSON:
        # What was its own company number no longer means anything.
        return replace(contact, type=PERSON, company_number="", company_name="")
    return split_name(replace(contact, type=COMPANY, company_number=contact.number, company_name=contact.display_name))


def _display_name(session: Session, contact: Contact, value: str) -> Contact:
    if not value.strip():
        raise errors.dialog('The blank "displayName" is not allowed.')
    follows = contact.search_name in ("", contact.display_name.upper())
    changed = replace(contact, display_name=value, search_name=value.upper() if follows else contact.search_name)
    return split_name(changed) if changed.type == PERSON else replace(changed, company_name=value)


def _company_number(session: Session, contact: Contact, value: str) -> Contact:
    if value == contact.company_number:
        return contact
    found = session.company.contacts.by_number(value) if value else None
    if value and (found is None or found.type != COMPANY):
        raise errors.not_related("Company No.", value, "Contact")
    if contact.type != PERSON:
        raise _not_a_person(contact)
    if found is None:
        return replace(contact, company_number="", company_name="")
    if "segments" in contact.busy and contact.company_number:
        raise errors.dialog(
            "You cannot change Company No. because one or more unlogged segments are assigned to the contact."
        )
    before = session.company.contacts.by_number(contact.company_number) or Contact(id="")
    return _inherit(session, contact, before, found)


def _inherit(session: Session, person: Contact, before: Contact, company: Contact) -> Contact:
    """Link a person; what the company has replaces what is blank or came from the company `before` (2.4)."""
    setup = session.company.setup
    changes: dict[str, Any] = {"company_number": company.number, "company_name": company.display_name}
    if setup.inherit_country:
        changes["country"] = company.country
    if setup.inherit_address and (not any(_address(person)) or _address(person) == _address(before)):
        changes.update(zip(ADDRESS, _address(company), strict=True))
    if setup.inherit_communication:
        for attribute in COMMUNICATION:
            if getattr(person, attribute) in ("", getattr(before, attribute)):
                changes[attribute] = getattr(company, attribute)
    return replace(person, **changes)


def _address(contact: Contact) -> tuple[str, ...]:
    return tuple(getattr(contact, attribute) for attribute in ADDRESS)


def _company_name(session: Session, contact: Contact, value: str) -> Contact:
    if value == contact.company_name:
        return contact
    if contact.type != PERSON:
        raise _not_a_person(contact)
    return _company_number(session, contact, _company_called(session.company, value) if value else "")


def _company_called(company: Company, text: str) -> str:
    """Return the number that BC finds for a company's name: a lookup, not a text (2.4)."""
    rows = sorted((row for row in company.contacts if row.type == COMPANY), key=lambda row: row.number)
    folded = text.casefold()
    attempts: tuple[Callable[[Contact], bool], ...] = (
        lambda row: row.number == text.upper(),
        lambda row: row.display_name.casefold() == folded,
        lambda row: row.number.startswith(text.upper()) or row.display_name.casefold().startswith(folded),
    )
    for matches in attempts:
        found = next((row for row in rows if matches(row)), None)
        if found is not None:
            return found.number
    looked_at = ("number", "display_name", "city", "phone_number", "postal_code")
    containing = [row for row in rows if any(folded in getattr(row, name).casefold() for name in looked_at)]
    if len(containing) != 1:
        raise errors.dialog("You must select an existing contact.")
    return containing[0].number


def _not_a_person(contact: Contact) -> errors.BcError:
    return errors.field_refused(
        f"Type must be equal to 'Person' in Contact: No.={contact.number}. Current value is 'Company'."
    )


def _country(session: Session, contact: Contact, value: str) -> Contact:
    if value and value not in session.company.countries:
        raise errors.not_related("Country/Region Code", value, "Country/Region")
    clears = contact.country not in ("", value) and not session.company.setup.country_required_in_address
    if clears and (session.switches.country_clears_on_create or not session.creating):
        contact = replace(contact, postal_code="", city="", state="")
    return replace(contact, country=value)


def _postal_code(session: Session, contact: Contact, value: str) -> Contact:
    contact = replace(contact, postal_code=value)
    entries = [entry for entry in session.company.post_codes if value and entry.code == value]
    if not entries:
        return contact
    # Of several places with one code, the one of the contact's country and town.
    entry = max(entries, key=lambda one: (one.country == contact.country, one.city.upper() == contact.city.upper()))
    return replace(contact, city=entry.city, state=entry.state, country=entry.country)


def _phone(attribute: str) -> Callable[[Session, Contact, str], Contact]:
    caption = next(field.caption for field in CONTACT.fields.values() if field.attribute == attribute)

    def trigger(session: Session, contact: Contact, value: str) -> Contact:
        if has_letters(value):
            message = f"{caption} must not contain letters in Contact No.='{contact.number}'."
            raise errors.BcError(400, session.switches.phone_letters_code, message)
        return _with(contact, attribute, value)

    return trigger


def _email(session: Session, contact: Contact, value: str) -> Contact:
    wrong = invalid_address(value)
    if wrong is not None:
        raise errors.dialog(f'The email address "{wrong.strip()}" is not valid.')
    return replace(contact, email=value)


def _privacy_blocked(session: Session, contact: Contact, value: bool) -> Contact:
    if not value and contact.minor and not contact.parental_consent:
        raise errors.dialog(
            "Privacy Blocked cannot be cleared until Parental Consent Received is set to true "
            f"for minor contact {contact.number}."
        )
    return replace(contact, privacy_blocked=value)


_TRIGGERS: dict[str, Callable[[Session, Contact, Any], Contact]] = {
    "number": _number,
    "type": _type,
    "display_name": _display_name,
    "company_number": _company_number,
    "company_name": _company_name,
    "country": _country,
    "postal_code": _postal_code,
    "phone_number": _phone("phone_number"),
    "mobile_phone_number": _phone("mobile_phone_number"),
    "email": _email,
    "privacy_blocked": _privacy_blocked,
}
