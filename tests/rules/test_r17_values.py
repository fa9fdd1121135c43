"""R17: values that BC cannot hold."""

from typing import Any

import pytest

from shared.cards.model import Field
from shared.cards.translate import LENGTHS, Refusal, countries_from, for_bc
from tests.fakes.world import World
from tests.rules.glances import anna, note, outlook_card, twin, wrote_nothing


@pytest.mark.parametrize("which", list(LENGTHS))
def test_r17_a_value_that_is_too_long_is_refused_never_cut(which: Field) -> None:
    most = LENGTHS[which]
    fits, too_long = "1" * most, "1" * (most + 1)
    if which is Field.EMAIL:
        fits, too_long = "a" * (most - 6) + "@b.com", "a" * (most - 5) + "@b.com"
    if which is Field.COUNTRY:
        return  # a country is looked up, not measured (R19)

    assert for_bc(which, fits, "", countries_from({})) == fits
    assert isinstance(for_bc(which, too_long, "", countries_from({})), Refusal)


@pytest.mark.parametrize(
    "values",
    [{"name": "N" * 101, "email": "n@x.example"}, {"name": "Nina", "email": "n" * 72 + "@x.example"}],
    ids=["name", "address"],
)
def test_r17_a_new_contact_whose_name_or_address_bc_cannot_hold_is_skipped(
    world: World, values: dict[str, str]
) -> None:
    world.sync()
    key = world.mailbox().add(world.folder(), **values)

    report = world.sync()
    world.full()

    assert note(report, "incomplete").outlook_id == key
    assert (world.bc.rows, world.bc.writes) == ({}, [])
    assert key in world.mailbox().entries


def test_r17_the_other_fields_travel_and_that_one_keeps_its_outlook_value_with_a_note(world: World) -> None:
    bc_id = anna(world, jobTitle="Clerk")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), job_title="J" * 31, city="Ulm")
    report = world.sync()

    bc = world.bc.rows[bc_id].card
    assert (bc.job_title, bc.city) == ("Clerk", "Ulm")
    assert outlook_card(world, bc_id).job_title == "J" * 31
    assert (note(report, "too-long").field, note(report, "too-long").value) == ("jobTitle", "J" * 31)
    wrote_nothing(world)


def test_r17_what_only_bc_itself_finds_invalid_is_left_the_same_way(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    world.bc.refused_values["website"] = "bad.example"

    world.mailbox().edit(twin(world, bc_id), website="bad.example", city="Ulm")
    report = world.sync()

    assert (world.bc.rows[bc_id].card.website, world.bc.rows[bc_id].card.city) == ("", "Ulm")
    assert outlook_card(world, bc_id).website == "bad.example"
    assert note(report, "refused").field == "website"


def test_r17_letters_in_a_phone_number_do_not_travel(world: World) -> None:
    bc_id = anna(world, phoneNumber="030")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), phone="call me")
    report = world.sync()

    assert world.bc.rows[bc_id].card.phone == "030"
    assert note(report, "letters-in-phone").value == "call me"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": "", "given_name": "", "surname": ""}, "required"),
        ({"name": "N" * 101}, "too-long"),
        ({"email": ""}, "required"),
        ({"email": "not an address"}, "invalid-email"),
    ],
    ids=["no name", "name too long", "no address", "invalid address"],
)
def test_r17_a_required_field_that_is_cleared_or_made_invalid_does_not_travel_the_rest_does(
    world: World, values: dict[str, Any], code: str
) -> None:
    bc_id = anna(world)
    world.sync()

    world.mailbox().edit(twin(world, bc_id), **values, city="Ulm")
    report = world.sync()

    bc = world.bc.rows[bc_id].card
    assert (bc.name, bc.email, bc.city) == ("Anna Berg", "anna@berg.example", "Ulm")
    assert note(report, code)
    assert twin(world, bc_id) in world.mailbox().entries
    wrote_nothing(world)


def test_r17_a_third_line_of_the_street_stays_in_outlook_with_a_note(world: World) -> None:
    bc_id = anna(world)
    world.sync()

    world.mailbox().edit(twin(world, bc_id), address_1="A", address_2="B", more_lines=("C",))
    report = world.sync()

    bc = world.bc.rows[bc_id].card
    assert (bc.address_1, bc.address_2) == ("A", "B")
    assert note(report, "third-line").value == "C"
    assert world.mailbox().entries[twin(world, bc_id)].contact.more_lines == ("C",)


def test_r17_bc_still_wins_over_a_value_that_was_left(world: World) -> None:
    bc_id = anna(world, jobTitle="Clerk")
    world.sync()
    world.mailbox().edit(twin(world, bc_id), job_title="J" * 31)
    world.sync()

    world.bc.edit(bc_id, jobTitle="Chief")
    report = world.sync()

    assert outlook_card(world, bc_id).job_title == "Chief"
    assert note(report, "conflict").value == "J" * 31
