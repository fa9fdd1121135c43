"""From one side's terms to the other's: what Outlook shall hold of a BC value, whether BC can hold an Outlook value.

Lengths and rules are BC's (BC reference 2.1, 2.6). A value that BC cannot hold is never cut: it is a `Refusal` (R17).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.cards import emails
from shared.cards.model import Field
from shared.cards.normalise import matching_key

LENGTHS: Mapping[Field, int] = {
    Field.NAME: 100,
    Field.JOB_TITLE: 30,
    Field.EMAIL: 80,
    Field.PHONE: 30,
    Field.MOBILE: 30,
    Field.WEBSITE: 255,
    Field.ADDRESS_1: 100,
    Field.ADDRESS_2: 50,
    Field.CITY: 30,
    Field.STATE: 30,
    Field.POSTAL_CODE: 20,
    Field.COUNTRY: 10,
}


@dataclass(frozen=True, slots=True)
class Countries:
    """BC's list of countries (R19), for look-ups in both directions."""

    names: Mapping[str, str]  #: code -> display name
    codes: Mapping[str, str]  #: matching key of a code or a name -> code


def countries_from(names: Mapping[str, str]) -> Countries:
    """Build the look-ups from code -> name; a code beats an equal name, of equal names the first code counts."""
    codes: dict[str, str] = {}
    for code, name in names.items():
        codes.setdefault(matching_key(name), code)
    codes.update({matching_key(code): code for code in names})
    codes.pop("", None)
    return Countries(dict(names), codes)


NO_COUNTRIES = Countries({}, {})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a value cannot travel to BC: a stable code and a sentence for the user."""

    code: str
    reason: str


def for_outlook(field: Field, value: str, countries: Countries) -> str:
    """What Outlook shall hold of a BC value: three addresses (R3), a country's name (R19), else the same."""
    if field is Field.EMAIL:
        return emails.shown_in_outlook(value)
    if field is Field.COUNTRY and value:
        return countries.names.get(value) or value
    return value


def agree(field: Field, bc_value: str, outlook_value: str, countries: Countries) -> bool:
    """Whether both sides hold the same, each in its own terms. A name is given as one name (R20)."""
    if field is Field.COMPANY:
        return matching_key(outlook_value) == matching_key(bc_value)
    if for_outlook(field, bc_value, countries) == outlook_value:
        return True
    return (
        field is Field.COUNTRY and bool(outlook_value) and countries.codes.get(matching_key(outlook_value)) == bc_value
    )


def for_bc(field: Field, value: str, bc_value: str, countries: Countries) -> str | Refusal:
    """What BC shall hold of an Outlook value, or why it cannot. `bc_value` is what BC holds now (R3).

    COMPANY is not a matter of translation (R18) and not handled here.
    """
    if field is Field.EMAIL:
        return _email(value, bc_value)
    if field is Field.NAME and not value:
        return Refusal("required", "Business Central needs a name; the name there was kept.")
    if field is Field.COUNTRY and value:
        code = countries.codes.get(matching_key(value))
        if code is None:
            return Refusal("country-unknown", "Business Central's list of countries has no such country.")
        return code
    if field in (Field.PHONE, Field.MOBILE) and any(character.isalpha() for character in value):
        return Refusal("letters-in-phone", "Business Central does not take letters in a phone number.")
    return _fitting(field, value)


def _fitting(field: Field, value: str) -> str | Refusal:
    most = LENGTHS[field]
    if len(value) > most:
        return Refusal("too-long", f"Business Central holds at most {most} characters here, this has {len(value)}.")
    return value


def _email(value: str, bc_value: str) -> str | Refusal:
    addresses = emails.split(value)
    if not addresses:
        return Refusal("required", "Business Central needs an e-mail address; the address there was kept.")
    if not all(emails.is_valid(each) for each in addresses):
        return Refusal("invalid-email", "Business Central does not accept one of the e-mail addresses.")
    return _fitting(Field.EMAIL, emails.merged_into_bc(value, bc_value))
