"""A BC contact's card out of its values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cards import emails
from shared.cards.business_central import card_of
from shared.cards.model import FIELDS, Field
from shared.cards.normalise import clean

PARTS = ["Ada", " ", "|", ";", "a@b.example", "\t", "\r\n", "\x85", "é", "e\u0301", "\u00a0", "", "x | y"]
TEXTS = st.lists(st.sampled_from(PARTS), max_size=4).map("".join)


def is_clean(values: dict[str, str | bool]) -> bool:
    card = card_of(values)
    texts = {which: values.get(which.value, "") for which in FIELDS}
    expected = {which: text if isinstance(text, str) else "" for which, text in texts.items()}
    expected = {which: clean(text) for which, text in expected.items() if which is not Field.EMAIL} | {
        Field.EMAIL: emails.join(emails.split(expected[Field.EMAIL]))
    }
    return {which: card.get(which) for which in FIELDS} == expected


@given(st.dictionaries(st.sampled_from([each.value for each in FIELDS]), st.one_of(TEXTS, st.booleans())))
def test_every_field_of_a_card_is_clean(values: dict[str, str | bool]) -> None:
    """R41; the card as a whole is looked at first, and most need nothing more."""
    assert is_clean(values)


@pytest.mark.parametrize("which", FIELDS)
@pytest.mark.parametrize(
    "text", ["Ada ", " Ada", "Ada\t", "Ada\nKing", "Ada\r\nKing", "e\u0301", "Ada\u00a0", "a@b.c; d@e.f;"]
)
def test_one_field_that_is_not_clean_is_enough(which: Field, text: str) -> None:
    """R3, R41"""
    assert is_clean({each.value: text if each is which else "Ada" for each in FIELDS})
