"""R37: profiles of users who may read BC's contacts but not change them."""

import pytest

from shared.planning.model import Direction, OnOutlookDelete
from tests.fakes.world import World
from tests.rules.glances import anna, codes, links, names, note, outlook_card, twin, wrote_nothing


@pytest.fixture
def reader(world: World) -> World:
    """Ada may only read."""
    world.profile("ada", direction=Direction.TO_OUTLOOK)
    return world


def test_r37_both_is_the_default(world: World) -> None:
    assert world.profile("ada").direction is Direction.BOTH


def test_r37_an_outlook_edit_stays_until_bc_changes_that_field(reader: World) -> None:
    bc_id = anna(reader, city="Berlin", jobTitle="Clerk")
    reader.sync()
    key = twin(reader, bc_id)

    reader.mailbox().edit(key, city="Ulm")
    reader.sync()
    reader.bc.edit(bc_id, jobTitle="Chief")
    reader.sync()
    kept = outlook_card(reader, bc_id)
    reader.bc.edit(bc_id, city="Kiel")
    report = reader.sync()

    assert (kept.city, kept.job_title) == ("Ulm", "Chief")
    assert outlook_card(reader, bc_id).city == "Kiel"
    assert note(report, "conflict").value == "Ulm"
    assert reader.bc.writes == []


def test_r37_or_until_a_full_run_puts_bcs_value_back_with_a_note_of_what_goes(reader: World) -> None:
    bc_id = anna(reader, city="Berlin")
    reader.sync()
    reader.mailbox().edit(twin(reader, bc_id), city="Ulm")
    reader.sync()

    report = reader.full()

    assert outlook_card(reader, bc_id).city == "Berlin"
    assert (note(report, "put-back").field, note(report, "put-back").value) == ("city", "Ulm")
    assert reader.bc.writes == []
    wrote_nothing(reader)


def test_r37_a_name_is_put_back_with_its_parts(reader: World) -> None:
    bc_id = anna(reader)
    reader.sync()
    reader.mailbox().edit(twin(reader, bc_id), given_name="Annie")
    reader.sync()

    reader.full()

    card = outlook_card(reader, bc_id)
    assert (card.name, card.given_name, card.surname) == ("Anna Berg", "Anna", "Berg")


@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
def test_r37_a_blank_in_bc_never_clears_a_value_in_outlook(reader: World, full: bool) -> None:
    bc_id = anna(reader, city="Berlin")
    reader.sync()
    reader.mailbox().edit(twin(reader, bc_id), city="Ulm", mobile="0151")
    reader.sync()

    reader.bc.edit(bc_id, city="")
    reader.full() if full else reader.sync()

    assert (outlook_card(reader, bc_id).city, outlook_card(reader, bc_id).mobile) == ("Ulm", "0151")


def test_r37_a_first_match_writes_nothing_to_bc(reader: World) -> None:
    bc_id = anna(reader, city="Berlin")
    folder = reader.mailbox().create_folder("Business Central", None).id
    reader.mailbox().add(folder, name="Anna Berg", email="anna@berg.example", mobile="0151", city="Ulm")

    reader.sync()

    assert (outlook_card(reader, bc_id).city, outlook_card(reader, bc_id).mobile) == ("Berlin", "0151")
    assert reader.bc.writes == []


def test_r37_contacts_that_a_user_creates_stay_unsynced_with_a_note(reader: World) -> None:
    reader.sync()
    key = reader.mailbox().add(reader.folder(), name="Carla", email="c@x.example")

    report = reader.sync()
    reader.full()

    assert note(report, "not-sent").outlook_id == key
    assert key in reader.mailbox().entries
    assert not reader.bc.rows
    assert links(reader) == {}


def test_r37_also_when_bc_has_the_person_outside_the_filter(reader: World) -> None:
    reader.profile("ada", filter={"city": "Berlin"})
    anna(reader, city="Ulm")
    reader.sync()
    reader.mailbox().add(reader.folder(), name="Anna Berg", email="anna@berg.example")

    report = reader.sync()

    assert codes(report) == ["not-sent"]
    assert links(reader) == {}


@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
def test_r37_policy_delete_acts_as_restore(reader: World, full: bool) -> None:
    reader.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.DELETE})
    bc_id = anna(reader)
    reader.sync()

    reader.mailbox().delete(twin(reader, bc_id))
    reader.full() if full else reader.sync()

    assert bc_id in reader.bc.rows
    assert names(reader) == ["Anna Berg"]
    assert reader.bc.writes == []
