"""Filling a company with many contacts at once, given or made up."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from dev.simulators.business_central.company import Company
from dev.simulators.business_central.contact import COMPANY, PERSON, Contact
from dev.simulators.business_central.fields import CONTACT, Kind
from dev.simulators.business_central.rules import name_parts
from dev.simulators.business_central.stamps import parse_stamp

_FIRST = ("Anna", "Bela", "Carla", "David", "Elif", "Frank", "Greta", "Hugo", "Ines", "Jonas", "Karin", "Lars")
_MIDDLE = ("", "", "", "Maria", "van", "de")
_LAST = ("Adler", "Berg", "Castro", "Dahl", "Egger", "Fuchs", "Garcia", "Holm", "Ivanov", "Jensen", "Kovacs", "Lind")
_TOWNS = (
    ("London", "GB", "W1 3AL"), ("Berlin", "DE", "10115"), ("Copenhagen", "DK", "1050"), ("Chicago", "US", "60632"),
)  # fmt: skip
_JOBS = ("Buyer", "Director", "Engineer", "Sales Manager", "")


def seed(company: Company, given: Iterable[Mapping[str, Any]], now: int) -> int:
    """Put contacts in as they are given, without the checks of a write; returns how many.

    Each has API names as keys (`lastModifiedDateTime` and `id` too), or `name`, `address` and `postal_code`-like
    attribute names. Left out: the next number, type Person, the number's company name, an own search name, and
    the time of now. Raises ValueError for unknown fields and numbers that are taken, and then keeps nothing.
    """
    rows = [_row(values, now) for values in given]
    taken = {row.number for row in rows}
    rows = [row if row.number else replace(row, number=_free_number(company, taken)) for row in rows]
    names = {row.number: row.display_name for row in rows if row.type == COMPANY}
    with company.transaction():
        for row in rows:
            if company.contacts.by_number(row.number) is not None or company.contacts.get(row.id) is not None:
                raise ValueError(f"the number or id of {row.number} is taken")
            company.contacts.put(_related(company, row, names))
    return len(rows)


def made_up(count: int, companies: int = 0) -> Iterator[dict[str, Any]]:
    """Yield `companies` companies and then persons, `count` altogether, the same ones each time."""
    for number in range(min(companies, count)):
        yield {
            "number": f"CO{number + 1:06d}", "type": COMPANY, "displayName": f"{_LAST[number % 12]} Works {number + 1}",
            "email": f"office{number + 1}@works.example", "country": "GB", "city": "London",
        }  # fmt: skip
    for number in range(count - min(companies, count)):
        employer = f"CO{number % companies + 1:06d}" if companies else ""
        first, last = _FIRST[number % 12], _LAST[number // 12 % 12]
        city, country, code = _TOWNS[number % 4]
        yield {
            "displayName": " ".join(part for part in (first, _MIDDLE[number // 5 % 6], last, str(number + 1)) if part),
            "type": PERSON, "jobTitle": _JOBS[number % 5], "companyNumber": employer,
            "email": f"{first}.{last}.{number + 1}@people.example".lower(), "phoneNumber": f"+44 20 {number:08d}",
            "addressLine1": f"{number % 200 + 1} High Street", "city": city, "country": country, "postalCode": code,
        }  # fmt: skip


_OTHER_NAMES = {"name": "display_name", "address": "address_line1"}
_ATTRIBUTES = {
    **{field.attribute: field for field in CONTACT.fields.values()},
    **CONTACT.fields,
    **{name: field for name, attribute in _OTHER_NAMES.items() for field in CONTACT.fields.values()
       if field.attribute == attribute},
}  # fmt: skip


def _row(values: Mapping[str, Any], now: int) -> Contact:
    changes: dict[str, Any] = {"type": PERSON, "modified": now}
    for name, value in values.items():
        field = _ATTRIBUTES.get(name)
        if field is None:
            raise ValueError(f"a contact has no field {name!r}")
        if value is None:
            continue
        if field.kind is Kind.CODE:
            value = value.strip().upper()
        elif field.kind is Kind.DATETIME and isinstance(value, str):
            value = parse_stamp(value)
        elif field.kind is Kind.ENUM and value not in field.members:
            raise ValueError(f"{name} cannot be {value!r}")
        if field.length and len(value) > field.length:
            raise ValueError(f"{name} is longer than {field.length}")
        changes[field.attribute] = value
    name = changes.get("display_name", "")
    changes.setdefault("id", str(uuid4()))
    changes["search_name"] = changes.get("search_name") or name.upper()
    if changes["type"] == PERSON:
        changes["first_name"], changes["middle_name"], changes["surname"] = name_parts(name)
    return Contact(**changes)


def _free_number(company: Company, taken: set[str]) -> str:
    setup = company.setup
    while True:
        setup.last_number += 1
        number = f"{setup.number_prefix}{setup.last_number:06d}"
        if number not in taken and company.contacts.by_number(number) is None:
            return number


def _related(company: Company, row: Contact, names: Mapping[str, str]) -> Contact:
    if row.type == COMPANY:
        return replace(row, company_number=row.number, company_name=row.display_name)
    if not row.company_number:
        return replace(row, company_name="") if row.company_name else row
    known = company.contacts.by_number(row.company_number)
    name = names.get(row.company_number) or (known.display_name if known and known.type == COMPANY else None)
    if name is None:
        raise ValueError(f"{row.number} belongs to {row.company_number}, which is no company")
    return replace(row, company_name=name)
