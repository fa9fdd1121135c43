"""A BC contact from the values of its API fields: what is read and what the snapshot keeps become the same."""

from collections.abc import Mapping

from shared.cards import emails
from shared.cards.model import FIELDS, BcContact, Card, Field
from shared.cards.normalise import clean

_NAMES = tuple((each, each.value) for each in FIELDS)


def card_of(values: Mapping[str, str | bool]) -> Card:
    """The card in BC's terms: country as code, e-mail with all its addresses; names are not split here (R20, R41)."""
    return Card(*[_text(which, values.get(name, "")) for which, name in _NAMES])


def contact_from_values(id: str, etag: str, modified: str, values: Mapping[str, str | bool]) -> BcContact:  # noqa: A002
    """The contact whose API fields hold `values`, by their names there."""
    return BcContact(id, etag, modified, values, card_of(values))


def without_values(contact: BcContact) -> BcContact:
    """What is kept of somebody who was erased: that there is such a contact, and its stamp (R39)."""
    return BcContact(contact.id, contact.etag, contact.modified, {})


def _text(which: Field, value: str | bool) -> str:
    if not value or not isinstance(value, str):
        return ""
    return emails.join(emails.split(value)) if which is Field.EMAIL else clean(value)
