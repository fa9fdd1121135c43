"""A contact's JSON to `OutlookContact`, and drafts and writes to JSON: pure functions (R41, Graph reference 1).

Reading tolerates everything: null, "", {}, [] and missing are the same, a value of a wrong type counts as missing.

Limits of the round trip: a ";" inside an e-mail address and a line break inside an address line come back as two
values; addresses after the third and phones after the second cannot be sent (reference 1.1).
"""

import re
from collections.abc import Iterable, Mapping
from sys import intern
from typing import Any

from shared.cards import emails
from shared.cards.model import Card, Field, OutlookContact
from shared.cards.normalise import clean, email_key
from shared.engine.sides import OutlookDraft, OutlookWrite
from shared.outlook import stamps
from shared.outlook.wire import ContactBody, EmailAddress, Json, PhysicalAddress, raw_text

MOST_PHONES = 2
LINE_BREAK = "\n"  #: between the lines of a street; nothing is documented, reading takes every form
_BREAKS = re.compile(r"\r\n?|[\n\u2028\u2029\x85\v\f]")
_ADDRESS_FIELDS = frozenset(
    {Field.ADDRESS_1, Field.ADDRESS_2, Field.CITY, Field.STATE, Field.POSTAL_CODE, Field.COUNTRY}
)


def contact_of(row: Json, *, marks_known: bool) -> OutlookContact | None:
    """A contact as the service shows it; None for something without an id.

    `marks_known` says whether our extended properties were asked for with it.
    """
    contact_id = raw_text(row.get("id"))
    if not contact_id:
        return None
    address = row.get("businessAddress")
    address = address if isinstance(address, dict) else {}
    lines = _lines(address.get("street"))
    phones = [each for each in _texts(row.get("businessPhones")) if clean(each)]
    mails = _mails(row.get("emailAddresses"))
    stamp, private = stamps.marks_of(row) if marks_known else (None, False)
    return OutlookContact(
        id=contact_id,
        etag=_etag(row),
        card=Card(
            name=_clean(row.get("displayName")),
            job_title=_clean(row.get("jobTitle")),
            company=_clean(row.get("companyName")),
            email=emails.join(tuple(mail for mail, _ in mails)),
            phone=clean(phones[0]) if phones else "",
            mobile=_clean(row.get("mobilePhone")),
            website=_clean(row.get("businessHomePage")),
            address_1=lines[0],
            address_2=lines[1],
            city=_clean(address.get("city")),
            state=_clean(address.get("state")),
            postal_code=_clean(address.get("postalCode")),
            country=_clean(address.get("countryOrRegion")),
            given_name=_clean(row.get("givenName")),
            middle_name=_clean(row.get("middleName")),
            surname=_clean(row.get("surname")),
        ),
        folder_id=intern(raw_text(row.get("parentFolderId"))),
        created=raw_text(row.get("createdDateTime")),
        categories=tuple(intern(each) for each in _texts(row.get("categories")) if each.strip()),
        more_lines=tuple(lines[2:]),
        more_phones=tuple(phones[1:]),
        email_names=tuple(name for _, name in mails),
        marks_known=marks_known,
        stamp=stamp,
        private=private,
    )


def body_of_draft(draft: OutlookDraft, category: str) -> ContactBody:
    """The body that creates a contact; blank fields are left out."""
    card = draft.card
    body: ContactBody = {"categories": [category], "singleValueExtendedProperties": stamps.written(draft.stamp)}
    if card.name:
        body["displayName"] = card.name
    _put_parts(body, (card.given_name, card.middle_name, card.surname), blank=False)
    _put_plain(body, {each: card.get(each) for each in Field if card.get(each)})
    if card.phone:
        body["businessPhones"] = [card.phone]
    if card.email:
        body["emailAddresses"] = _addresses(card.email, card.name, {})
    if any(card.get(each) for each in _ADDRESS_FIELDS):
        body["businessAddress"] = _address(card, ())
    return body


def body_of_write(write: OutlookWrite, category: str) -> ContactBody:
    """The body that changes a contact: the written fields, and what shares a property with them from `current`.

    The display name always goes along, otherwise the service may make it anew of the parts (reference 1.4).
    """
    current, values = write.current, write.values
    card = current.card.with_values(values)
    body: ContactBody = {}
    if card.name or Field.NAME in values:
        body["displayName"] = card.name or None
    if write.name_parts is not None:
        _put_parts(body, write.name_parts, blank=True)
    _put_plain(body, values)
    if Field.PHONE in values:
        body["businessPhones"] = [each for each in (card.phone, *current.more_phones) if each][:MOST_PHONES]
    if Field.EMAIL in values:
        body["emailAddresses"] = _addresses(card.email, card.name, _names(current))
    if not _ADDRESS_FIELDS.isdisjoint(values):
        body["businessAddress"] = _address(card, current.more_lines)
    _put_marks(body, write, category)
    return body


def is_complete(row: Mapping[str, Any], properties: Iterable[str]) -> bool:
    """Whether a changed contact in the feed carries all these properties (reference 4.2, rule 1)."""
    return all(each in row for each in properties)


def _put_parts(body: ContactBody, parts: tuple[str, str, str], *, blank: bool) -> None:
    given, middle, surname = parts
    if given or blank:
        body["givenName"] = given or None
    if middle or blank:
        body["middleName"] = middle or None
    if surname or blank:
        body["surname"] = surname or None


def _put_plain(body: ContactBody, values: Mapping[Field, str]) -> None:
    """Fields that are a property of their own."""
    if Field.JOB_TITLE in values:
        body["jobTitle"] = values[Field.JOB_TITLE] or None
    if Field.COMPANY in values:
        body["companyName"] = values[Field.COMPANY] or None
    if Field.MOBILE in values:
        body["mobilePhone"] = values[Field.MOBILE] or None
    if Field.WEBSITE in values:
        body["businessHomePage"] = values[Field.WEBSITE] or None


def _put_marks(body: ContactBody, write: OutlookWrite, category: str) -> None:
    """Category and stamp, on (R28, R9) or off (R27); the user's own categories stay."""
    users = [each for each in write.current.categories if each.casefold() != category.casefold()]
    is_ours = len(users) < len(write.current.categories)
    if write.remove_marks:
        body["singleValueExtendedProperties"] = stamps.removed()
        if is_ours:
            body["categories"] = users
        return
    if not is_ours:
        body["categories"] = [*users, category]
    if write.stamp is not None:
        body["singleValueExtendedProperties"] = stamps.written(write.stamp)


def _addresses(text: str, name: str, names: Mapping[str, str]) -> list[EmailAddress]:
    """E-mail addresses; one that stays keeps its display name, a new one gets the contact's."""
    most = emails.split(text)[: emails.OUTLOOK_MOST]
    return [{"name": names.get(email_key(each)) or name or each, "address": each} for each in most]


def _names(current: OutlookContact) -> dict[str, str]:
    mails = [email_key(each) for each in emails.split(current.card.email)]
    return dict(zip(mails, current.email_names, strict=False))


def _address(card: Card, more_lines: tuple[str, ...]) -> PhysicalAddress:
    """The whole address: a partial one would clear the rest (reference 1.4). Line two keeps its place."""
    street = LINE_BREAK.join((card.address_1, card.address_2, *more_lines)).rstrip()
    return {
        "street": street or None,
        "city": card.city or None,
        "state": card.state or None,
        "postalCode": card.postal_code or None,
        "countryOrRegion": card.country or None,
    }


def _lines(street: Any) -> list[str]:
    """The lines of a street, at least two; blank ones at the end left out."""
    lines = [clean(line) for line in _BREAKS.split(raw_text(street))]
    while lines and not lines[-1]:
        lines.pop()
    return lines + [""] * (2 - len(lines))


def _mails(value: Any) -> list[tuple[str, str]]:
    """(address, display name) of the first three addresses that are not blank."""
    found: list[tuple[str, str]] = []
    for each in value if isinstance(value, list) else ():
        if isinstance(each, dict):
            name = _clean(each.get("name"))
            found.extend((part, name) for part in emails.split(_clean(each.get("address"))))
    return found[: emails.OUTLOOK_MOST]


def _etag(row: Json) -> str:
    change_key = raw_text(row.get("changeKey"))
    return raw_text(row.get("@odata.etag")) or (f'W/"{change_key}"' if change_key else "")


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _clean(value: Any) -> str:
    return clean(raw_text(value))
