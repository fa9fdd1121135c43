"""R15, R16: what comes back of our own writes, and what the services make of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.business_central.mapping import lost
from shared.cards.business_central import contact_from_values
from shared.cards.model import Field, OutlookContact
from shared.engine.model import Mode
from shared.engine.sides import OutlookWrite
from shared.errors import ContactError
from tests.fakes.world import World
from tests.rules.glances import anna, links, outlook_card, seen, twin, wrote_nothing

# ---------------------------------------------------------------- R15


@pytest.mark.parametrize("mode", list(Mode))
def test_r15_our_own_writes_come_back_in_both_feeds_and_cause_no_write(world: World, mode: Mode) -> None:
    bc_id = anna(world, city="Berlin")
    world.sync()
    world.bc.edit(bc_id, city="Ulm")
    world.mailbox().edit(twin(world, bc_id), job_title="Chief")
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example")
    world.sync()

    before, known = world.written(), dict(links(world))
    report = world.sync(mode=mode)

    assert world.written() == before
    assert report.notes == ()
    assert links(world) == known  # both bases were right already: nothing to learn from the echo


# ---------------------------------------------------------------- R16


def test_r16_a_post_code_that_bc_writes_in_upper_case_does_not_bounce(world: World) -> None:
    bc_id = anna(world)
    world.sync()

    world.mailbox().edit(twin(world, bc_id), postal_code="sw1a 1aa")
    world.sync()

    assert world.bc.rows[bc_id].card.postal_code == "SW1A 1AA"
    assert outlook_card(world, bc_id).postal_code == "sw1a 1aa"
    wrote_nothing(world)


def test_r16_a_value_that_outlook_normalises_does_not_travel_back(world: World) -> None:
    """Here Outlook makes a display name of its own out of the parts."""
    bc_id = anna(world, displayName="Anna Maria Berg")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), name="Anna Berg")
    world.sync()

    assert world.bc.rows[bc_id].card.name == "Anna Maria Berg"


def test_r16_what_outlook_makes_of_our_write_is_no_edit(world: World) -> None:
    """Here Outlook folds double blanks, in the answer and ever after."""
    bc_id = anna(world)
    world.sync()
    mailbox = world.mailbox()
    store = mailbox.write

    def folding(folder_id: str, writes: Sequence[OutlookWrite]) -> Sequence[OutlookContact | ContactError]:
        folded = [{which: value.replace("  ", " ") for which, value in each.values.items()} for each in writes]
        return store(folder_id, [replace(each, values=values) for each, values in zip(writes, folded, strict=True)])

    world.bc.edit(bc_id, jobTitle="Clerk  of works")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(mailbox), "write", lambda _self, *given: folding(*given))
        world.sync()

    wrote_nothing(world)
    assert outlook_card(world, bc_id).job_title == "Clerk of works"
    assert world.bc.rows[bc_id].card.job_title == "Clerk  of works"


def test_r16_blank_fields_that_bc_fills_go_to_outlook(world: World) -> None:
    """Linking a company fills what was blank at the person."""
    world.bc.put(displayName="Acme", type="Company", phoneNumber="555", city="Oslo", website="acme.example")
    bc_id = anna(world, city="Berlin")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), company="Acme")
    world.sync()

    outlook, bc = outlook_card(world, bc_id), world.bc.rows[bc_id].card
    assert (outlook.phone, outlook.website, outlook.city) == ("555", "acme.example", "Berlin")
    assert (bc.phone, bc.website, bc.city, bc.company) == ("555", "acme.example", "Berlin", "Acme")
    wrote_nothing(world)


def test_r16_blank_fields_that_bc_fills_at_a_new_person_go_to_outlook(world: World) -> None:
    world.bc.put(displayName="Acme", type="Company", phoneNumber="555")
    world.sync()
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example", company="Acme")

    world.sync()

    assert [each.phone for each in seen(world)] == ["555"]
    wrote_nothing(world)


def test_r16_what_bc_clears_or_overwrites_is_sent_once_more() -> None:
    """A field of ours that BC emptied or changed counts as lost; its letter case does not."""
    held = contact_from_values("1", "e", "", {"city": "", "postalCode": "AB1", "country": "DK", "addressLine1": "X"})
    expected = {Field.CITY: "Ulm", Field.POSTAL_CODE: "ab1", Field.COUNTRY: "DE", Field.ADDRESS_1: "X", Field.STATE: ""}

    assert lost(expected, held) == {Field.CITY: "Ulm", Field.COUNTRY: "DE"}


def test_r16_what_bc_then_still_holds_differently_does_not_travel_back_until_bc_changes_it(world: World) -> None:
    bc_id = anna(world, city="Berlin", country="DE")
    world.sync()
    key = twin(world, bc_id)
    store = world.bc._store

    def with_side_effect(contact_id: str, values: Any, stamp: str | None = None) -> Any:
        return store(contact_id, {**values, "city": "Side Effect"} if values.get("country") == "DK" else values, stamp)

    world.mailbox().edit(key, country="Denmark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(world.bc), "_store", lambda _self, *given: with_side_effect(*given))
        world.sync()
    wrote_nothing(world)
    assert (world.bc.rows[bc_id].card.city, outlook_card(world, bc_id).city) == ("Side Effect", "Berlin")

    world.bc.edit(bc_id, city="Ulm")
    world.sync()
    assert outlook_card(world, bc_id).city == "Ulm"
