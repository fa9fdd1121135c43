"""Texts that stand once: what a contact says stays the same, and equal texts are the same object afterwards."""

from hypothesis import given
from hypothesis import strategies as st

from shared.cards.business_central import contact_from_values
from shared.cards.model import Card, Origin, OutlookContact, Stamp
from shared.cards.sharing import bc_like, card_like, outlook_like


def copy(text: str) -> str:
    """An equal text that is another object, as if it had been read from elsewhere."""
    return "".join(list(text))


TEXTS = st.sampled_from(["", "Anna Berg", "anna@x.example", "12 Long Road"])
CARDS = st.lists(TEXTS, min_size=16, max_size=16).map(lambda texts: Card(*map(copy, texts)))
IDS = st.sampled_from(["id-1", "id-2"]).map(copy)


@given(CARDS, CARDS)
def test_a_card_stays_as_it_is_and_takes_over_equal_texts(card: Card, other: Card) -> None:
    shared = card_like(card, other)
    assert shared == card
    assert all(ours is theirs for ours, theirs in zip(shared, other, strict=True) if ours == theirs)


@given(CARDS, IDS, CARDS, IDS)
def test_a_contact_of_bc_stays_as_it_is(card: Card, bc_id: str, other: Card, other_id: str) -> None:
    names = {"displayName": copy(card.name), "email": copy(card.email), "id": copy(bc_id), "number": "CT1"}
    contact = contact_from_values(bc_id, "tag", "2026-01-31T12:00:00Z", names)
    assert bc_like(contact, other_id, other) == contact


def test_the_values_of_an_unchanged_contact_are_those_of_the_base() -> None:
    base = contact_from_values(
        "bc", "1", "2026-01-31T12:00:00Z", {"displayName": copy("Anna Berg"), "city": "Ulm"}
    ).card
    again = contact_from_values("bc", "1", "2026-01-31T12:00:00Z", {"displayName": copy("Anna Berg"), "city": "Ulm"})
    assert again.values["displayName"] is not base.name
    shared = bc_like(again, "bc", base)
    assert shared.card is base
    assert shared.values["displayName"] is base.name


@given(CARDS, CARDS, IDS, IDS, IDS, IDS)
def test_a_contact_of_outlook_stays_as_it_is(
    card: Card, other: Card, key: str, other_key: str, bc_id: str, other_id: str
) -> None:
    contact = OutlookContact(key, "1", card, stamp=Stamp(bc_id, Origin.SYNC, "Production", "company"))
    shared = outlook_like(contact, other_key, other_id, other)
    assert shared == contact
    assert (shared.id is other_key) == (key == other_key)
