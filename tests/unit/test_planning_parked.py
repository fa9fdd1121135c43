"""Which parked contacts a BC contact is offered that comes into scope."""

from shared.cards.business_central import contact_from_values
from shared.cards.model import BcContact
from shared.planning.model import Parked
from shared.planning.parked import ParkedByClue


def person(bc_id: str, email: str) -> BcContact:
    return contact_from_values(bc_id, "1", "2026-01-31T12:00:00Z", {"type": "Person", "email": email})


def test_its_own_kept_contact_comes_first_and_untagged_ones_last() -> None:
    """R7, R21, R22"""
    untagged = Parked("o1", "untagged", ("a@b.example",))
    other = Parked("o2", "duplicate", ("x@y.example", "a@b.example"))
    own = Parked("o3", "kept", ("old@b.example",), "bc")
    assert ParkedByClue([untagged, other, own]).of(person("bc", "A@b.example; x@y.example")) == [own, other, untagged]


def test_one_that_is_found_by_both_clues_is_offered_once() -> None:
    own = Parked("o1", "kept", ("a@b.example",), "bc")
    assert ParkedByClue([own]).of(person("bc", "a@b.example")) == [own]


def test_nobody_is_offered_for_a_blank_address_or_another_contact() -> None:
    parked = ParkedByClue([Parked("o1", "kept", (), ""), Parked("o2", "kept", ("a@b.example",), "other")])
    assert parked.of(person("bc", "")) == []
