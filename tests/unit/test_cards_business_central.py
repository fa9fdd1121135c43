"""A BC contact's card out of its values."""

from hypothesis import given
from hypothesis import strategies as st

from shared.cards import emails
from shared.cards.business_central import card_of
from shared.cards.model import FIELDS, Field
from shared.cards.normalise import clean

PARTS = ["Ada", " ", "|", ";", "a@b.example", "\t", "\r\n", "\x85", "é", "e\u0301", "\u00a0", "", "x | y"]
TEXTS = st.lists(st.sampled_from(PARTS), max_size=4).map("".join)


@given(st.dictionaries(st.sampled_from([each.value for each in FIELDS]), st.one_of(TEXTS, st.booleans())))
def test_every_field_of_a_card_is_clean(values: dict[str, str | bool]) -> None:
    """R41; the card as a whole is looked at first, and most need nothing more."""
    card = card_of(values)
    for which in FIELDS:
        value = values.get(which.value, "")
        text = value if isinstance(value, str) else ""
        expected = emails.join(emails.split(text)) if which is Field.EMAIL else clean(text)
        assert card.get(which) == expected
