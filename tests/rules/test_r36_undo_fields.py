"""R36: what a run changed is put back, and no later sync redoes it."""

import pytest

from shared.engine.model import RunStatus
from shared.planning.model import OnOutOfScope
from tests.fakes.world import World
from tests.rules.glances import anna, links, note, outlook_card, seen, twin, wrote_nothing
from tests.rules.scenes import undo


def test_r36_what_a_run_changed_in_outlook_is_put_back_and_stays(world: World) -> None:
    bc_id = anna(world, city="Bonn", jobTitle="Clerk")
    world.sync()
    world.bc.edit(bc_id, city="Ulm", displayName="Anna Berger")
    before = outlook_card(world, bc_id)
    run = world.sync()

    report = undo(world, run)

    assert report.status is RunStatus.SUCCEEDED and report.to_outlook.updated == 1
    assert outlook_card(world, bc_id) == before
    wrote_nothing(world)
    world.bc.edit(bc_id, jobTitle="Chief")
    world.sync()
    assert (outlook_card(world, bc_id).job_title, outlook_card(world, bc_id).city) == ("Chief", "Bonn")
    world.bc.edit(bc_id, city="Köln")
    world.sync()
    assert outlook_card(world, bc_id).city == "Köln"


def test_r36_what_a_run_changed_in_bc_is_put_back_and_reaches_the_others(world: World) -> None:
    world.profile("bob")
    bc_id = anna(world, city="Bonn")
    world.sync()
    world.sync("bob")
    world.mailbox().edit(twin(world, bc_id), city="Ulm")
    run = world.sync()
    world.sync("bob")
    assert outlook_card(world, bc_id, "bob").city == "Ulm"

    report = undo(world, run)

    assert report.to_bc.updated == 1
    assert world.bc.rows[bc_id].card.city == "Bonn"
    assert outlook_card(world, bc_id).city == "Ulm"  # the user's own edit
    wrote_nothing(world)
    world.sync("bob")
    assert outlook_card(world, bc_id, "bob").city == "Bonn"
    world.mailbox().edit(twin(world, bc_id), city="Wien")
    world.sync()
    assert world.bc.rows[bc_id].card.city == "Wien"


def test_r36_a_person_whom_an_undo_puts_out_of_the_filter_leaves_with_a_note_of_what_was_typed(world: World) -> None:
    world.profile("ada", filter={"city": "Bonn|Ulm"})
    bc_id = anna(world, city="Bonn")
    world.sync()
    world.profile("ada", filter={"city": "Ulm"})
    outlook_id = twin(world, bc_id)
    world.mailbox().edit(outlook_id, city="Ulm")
    run = world.sync()
    assert world.bc.rows[bc_id].card.city == "Ulm"
    undo(world, run)

    report = world.sync()

    assert seen(world) == []
    lost = note(report, "lost-by-removal")
    assert (lost.outlook_id, lost.field, lost.value) == (outlook_id, "city", "Ulm")
    wrote_nothing(world)


def test_r36_a_company_link_and_what_it_filled_in_are_put_back(world: World) -> None:
    world.bc.put(displayName="Acme", type="Company", phoneNumber="555")
    bc_id = anna(world)
    world.sync()
    world.mailbox().edit(twin(world, bc_id), company="Acme")
    run = world.sync()
    assert world.bc.rows[bc_id].company_number

    undo(world, run)

    assert (world.bc.rows[bc_id].company_number, world.bc.rows[bc_id].card.phone) == ("", "")
    assert outlook_card(world, bc_id).phone == ""
    wrote_nothing(world)


def test_r36_a_first_match_is_undone_field_by_field(world: World) -> None:
    folder = world.mailbox().create_folder("Business Central", None).id
    own = world.mailbox().add(folder, name="Anna Berg", email="anna@berg.example", city="Ulm", mobile="0151")
    before = world.mailbox().entries[own].contact.card
    bc_id = anna(world, city="Bonn")
    run = world.sync()
    assert outlook_card(world, bc_id).city == "Bonn" and world.bc.rows[bc_id].card.mobile == "0151"

    undo(world, run)

    assert world.mailbox().entries[own].contact.card == before
    assert world.bc.rows[bc_id].card.mobile == ""
    wrote_nothing(world)


@pytest.mark.parametrize("by", ["the user", "bc and a later run"])
def test_r36_what_was_changed_since_is_noted_and_stays(world: World, by: str) -> None:
    bc_id = anna(world, city="Bonn", jobTitle="Clerk")
    world.sync()
    world.bc.edit(bc_id, city="Ulm", jobTitle="Chief")
    run = world.sync()
    if by == "the user":
        world.mailbox().edit(twin(world, bc_id), city="Wien")
    else:
        world.bc.edit(bc_id, city="Wien")
    world.sync()

    report = undo(world, run)

    assert (outlook_card(world, bc_id).city, outlook_card(world, bc_id).job_title) == ("Wien", "Clerk")
    said = note(report, "changed-since")
    assert (said.bc_id, said.field, said.value) == (bc_id, "city", "Bonn")
    wrote_nothing(world)


def test_r36_an_edit_that_no_run_has_seen_yet_still_travels(world: World) -> None:
    bc_id = anna(world, city="Bonn")
    world.sync()
    world.bc.edit(bc_id, city="Ulm")
    run = world.sync()
    world.mailbox().edit(twin(world, bc_id), job_title="Chief")

    undo(world, run)
    world.sync()

    assert world.bc.rows[bc_id].card.job_title == "Chief"
    assert outlook_card(world, bc_id).city == "Bonn"


@pytest.mark.parametrize("policy", list(OnOutOfScope))
def test_r36_an_edit_that_took_its_person_out_of_scope_is_not_sent_again(world: World, policy: OnOutOfScope) -> None:
    world.profile("ada", filter={"city": "Berlin"}, policies={"on_out_of_scope": policy})
    bc_id = anna(world, city="Berlin")
    world.sync()
    world.mailbox().edit(twin(world, bc_id), city="Ulm")
    before = seen(world)
    run = world.sync()
    assert world.bc.rows[bc_id].card.city == "Ulm" and bc_id not in links(world)

    undo(world, run)

    assert (world.bc.rows[bc_id].card.city, seen(world)) == ("Berlin", before)
    wrote_nothing(world)
    world.bc.edit(bc_id, jobTitle="Chief")
    world.sync()
    assert [(each.city, each.job_title) for each in seen(world)] == [("Ulm", "Chief")]


@pytest.mark.parametrize("policy", list(OnOutOfScope))
def test_r36_a_first_match_that_took_its_person_out_of_scope_is_not_made_again(
    world: World, policy: OnOutOfScope
) -> None:
    world.profile("ada", filter={"city": "<>Ulm"}, policies={"on_out_of_scope": policy})
    world.sync()
    world.mailbox().add(world.folder(), name="Anna Berg", email="anna@berg.example", city="Ulm")
    before = seen(world)
    bc_id = anna(world)
    run = world.sync()
    assert world.bc.rows[bc_id].card.city == "Ulm" and bc_id not in links(world)

    undo(world, run)

    assert (world.bc.rows[bc_id].card.city, seen(world)) == ("", before)
    wrote_nothing(world)
