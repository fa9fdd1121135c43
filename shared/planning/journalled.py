"""What the journal holds of a write (R36): changed fields only, with the values before and after. Pure.

Values go by the names of `Field`, in the terms of the side that was written; three names are Outlook's alone and one is
Business Central's alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.cards.model import FIELDS, BcContact, Card, Field, Origin
from shared.planning.model import Side


class Verb(StrEnum):
    """What was done to the contact."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"  #: in Outlook: moved to Deleted Items
    UNMARKED = "unmarked"  #: link, stamp and category came off, the contact stays (R27)


NAME_PARTS = ("givenName", "middleName", "surname")  #: Outlook's alone (R20)
COMPANY_NUMBER = "companyNumber"  #: BC's alone: the company that a person is linked with (R18)

type Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One write to one contact. Before its batch went out it says what was intended, afterwards what came of it; a
    process that died in between leaves the intention, and only the contact itself tells whether it happened."""

    side: Side
    verb: Verb
    bc_id: str = ""
    outlook_id: str = ""  #: blank for a creation whose answer never came; so is `bc_id`
    before: Values = field(default_factory=dict)
    after: Values = field(default_factory=dict)
    cause: str = ""  #: `Cause`, or why the contact was written otherwise
    by: str = ""  #: id of the profile whose user's edit caused it; blank: somebody in Business Central, or nobody
    origin: Origin = Origin.SYNC  #: who made the Outlook contact


def values_of(card: Card) -> dict[str, str]:
    """A whole card by name; blank values are left out."""
    parts = zip(NAME_PARTS, (card.given_name, card.middle_name, card.surname), strict=True)
    values = {**{which.value: card.get(which) for which in FIELDS}, **dict(parts)}
    return {name: value for name, value in values.items() if value}


def bc_values(contact: BcContact) -> dict[str, str]:
    """The same of a BC contact, with the number of its company."""
    return values_of(contact.card) | number_of(contact.company_number)


def number_of(company_number: str) -> dict[str, str]:
    """A link with a company, as the journal holds it."""
    return {COMPANY_NUMBER: company_number} if company_number else {}


def card_of(values: Values) -> Card:
    """The card that `values_of` took apart; names that a card does not know are ignored."""
    given, middle, surname = (values.get(name, "") for name in NAME_PARTS)
    card = Card(given_name=given, middle_name=middle, surname=surname)
    return card.with_values({which: values[which.value] for which in Field if which.value in values})


def changed(before: Values, after: Values, names: Iterable[str] = ()) -> tuple[dict[str, str], dict[str, str]]:
    """What differs, as (before, after); `names` are kept in any case."""
    kept = set(names) | {name for name in {*before, *after} if before.get(name, "") != after.get(name, "")}
    return ({name: before.get(name, "") for name in sorted(kept)}, {name: after.get(name, "") for name in sorted(kept)})
