"""A BC contact from the values of its API fields: what is read and what the snapshot keeps become the same."""

from collections.abc import Mapping
from dataclasses import replace

from shared.cards import emails
from shared.cards.model import FIELDS, BcContact, Card, Field
from shared.cards.normalise import clean

_NAMES = tuple((each, each.value) for each in FIELDS)


def card_of(values: Mapping[str, str | bool]) -> Card:
    """The card in BC's terms: country as code, e-mail with all its addresses; names are not split here (R20, R41)."""
    texts = [value if isinstance(value := values.get(name), str) else "" for _, name in _NAMES]
    if _are_clean(texts):
        return Card(*texts)
    return Card(*[_text(which, text) for (which, _), text in zip(_NAMES, texts, strict=True)])


def _are_clean(texts: list[str]) -> bool:
    """Whether nothing is to be cleaned, seen at once: nearly every contact is like that, and a company has many."""
    joined = f"|{'|'.join(texts)}|"
    return joined.isascii() and joined.isprintable() and not any(each in joined for each in ("| ", " |", ";"))


def contact_from_values(id: str, etag: str, modified: str, values: Mapping[str, str | bool]) -> BcContact:  # noqa: A002
    """The contact whose API fields hold `values`, by their names there."""
    return BcContact(id, etag, modified, values, card_of(values))


def digest(values: Mapping[str, str | bool]) -> int:
    """A number that differs when one of a contact's values does, within one process."""
    return hash(frozenset(values.items()))


def without_values(contact: BcContact) -> BcContact:
    """What is kept of somebody who was erased: that there is such a contact, and its stamp (R39)."""
    return BcContact(contact.id, contact.etag, contact.modified, {})


_KEPT_OF_BLOCKED = ("number", "type", "privacyBlocked")


def if_blocked(contact: BcContact) -> BcContact:
    """What is kept of a contact: all, but of one that is privacy blocked its ids, kind and stamp (R39)."""
    return as_blocked(contact) if contact.privacy_blocked else contact


def as_blocked(contact: BcContact) -> BcContact:
    """What is kept of a contact that is privacy blocked, by now at least (R39)."""
    kept = without_personal(contact)
    return replace(kept, values={**kept.values, "privacyBlocked": True})


def without_personal(contact: BcContact) -> BcContact:
    """A contact as it was, without what says who it is."""
    values = {name: contact.values[name] for name in _KEPT_OF_BLOCKED if name in contact.values}
    return BcContact(contact.id, contact.etag, contact.modified, values)


def _text(which: Field, value: str) -> str:
    text = emails.join(emails.split(value)) if which is Field.EMAIL else clean(value)
    return value if text == value else text  # one text instead of two: a company has many contacts
