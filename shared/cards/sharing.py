"""Texts that stand once: a run over a whole folder holds each contact as Business Central shows it, as Outlook shows it
and as both were last time, and nearly always these are equal. Nothing here changes what a contact says."""

from dataclasses import replace

from shared.cards.model import FIELDS, BcContact, Card, OutlookContact, Stamp

_NAMES = tuple(each.value for each in FIELDS)


def card_like(card: Card, other: Card) -> Card:
    """The same card, with the texts of the other one where they are equal."""
    if card == other:
        return other
    return Card(*[theirs if ours == theirs else ours for ours, theirs in zip(card, other, strict=True)])


def bc_like(contact: BcContact, bc_id: str, card: Card) -> BcContact:
    """The same contact, with the texts of a card that is equal to its own, and that id."""
    if contact.card != card or contact.id != bc_id:
        return contact
    values = dict(contact.values)
    for name, text in zip(_NAMES, card):  # noqa: B905 - the name parts behind are Outlook's alone
        if text and values.get(name) == text:
            values[name] = text
    if values.get("id") == bc_id:
        values["id"] = bc_id
    return BcContact(bc_id, contact.etag, contact.modified, values, card)


def outlook_like(contact: OutlookContact, outlook_id: str, bc_id: str, card: Card) -> OutlookContact:
    """The same contact, with the texts of the card, the ids and the stamp of its link where they are equal."""
    if contact.id != outlook_id:
        return contact
    stamp = contact.stamp
    if stamp is not None and stamp.bc_id == bc_id:
        stamp = Stamp(bc_id, stamp.origin, stamp.environment, stamp.company_id)
    return replace(contact, id=outlook_id, card=card_like(contact.card, card), stamp=stamp)
