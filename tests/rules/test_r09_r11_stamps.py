"""R9 to R11: stamps, copies, several mailboxes."""

from dataclasses import replace

import pytest

from shared.cards.model import Origin, Stamp
from shared.engine.model import RunStatus
from shared.engine.sides import FolderStamp
from shared.errors import OutcomeUnknown
from shared.outlook import stamps
from shared.planning.model import OnOutOfScope
from tests.fakes.world import COMPANY, ENVIRONMENT, World
from tests.rules.glances import anna, codes, crowd, links, names, outlook_card, seen, twin, wrote_nothing
from tests.rules.scenes import with_folder


def lose_state(w: World, user: str = "ada") -> None:
    """All that we know of the profile is lost."""
    del w.state.mailboxes.rows[(user, COMPANY, user)]


# ---------------------------------------------------------------- R9


def test_r09_contacts_carry_the_bc_id_and_who_made_them_and_the_folder_carries_ours(world: World) -> None:
    made = anna(world)
    world.sync()
    matched = world.bc.put(displayName="Bob", email="bob@x.example")
    key = world.mailbox().add(world.folder(), name="Bob", email="bob@x.example")
    own = world.mailbox().add(world.folder(), name="Carla", email="c@x.example")

    world.sync()

    entries = world.mailbox().entries
    assert entries[twin(world, made)].stamp == Stamp(made, Origin.SYNC, ENVIRONMENT, COMPANY)
    assert entries[key].stamp == Stamp(matched, Origin.USER, ENVIRONMENT, COMPANY)
    assert (entries[own].stamp or Stamp("", Origin.SYNC, "", "")).origin is Origin.OWN
    folder = world.mailbox().folders[world.folder()].stamp
    assert folder is not None
    assert (folder.company_id, folder.profile_id) == (COMPANY, "ada")


@pytest.mark.parametrize("origin", Origin)
def test_r09_they_stand_in_extended_properties_as_text(origin: Origin) -> None:
    stamp, folder = Stamp("BC-id", origin, ENVIRONMENT, COMPANY), FolderStamp(COMPANY, "ada", ENVIRONMENT)
    written, of_folder = stamps.written(stamp), stamps.folder_written(folder)

    assert {"id": stamps.CONTACT_ID, "value": "BC-id"} in written
    assert stamps.CONTACT_ID.startswith("String ")
    assert stamps.marks_of({"singleValueExtendedProperties": written})[0] == stamp
    assert stamps.folder_stamp_of({"singleValueExtendedProperties": of_folder}) == folder


def test_r09_after_lost_state_everything_is_found_again(world: World) -> None:
    crowd(world, 3)
    world.sync()
    before = world.written()

    lose_state(world)
    world.sync()

    assert world.written() == before
    assert len(links(world)) == 3


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done"])
def test_r09_a_creation_whose_answer_is_lost_makes_no_duplicate(world: World, after: bool) -> None:
    anna(world)
    world.faults.fail(1, OutcomeUnknown("no answer"), after=after, call="graph.create")

    world.sync()
    world.sync()

    assert names(world) == ["Anna Berg"]
    wrote_nothing(world)


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done"])
def test_r09_a_creation_in_bc_whose_answer_is_lost_makes_no_duplicate(world: World, after: bool) -> None:
    world.sync()
    world.mailbox().add(world.folder(), name="Anna Berg", email="anna@berg.example")
    world.faults.fail(1, OutcomeUnknown("no answer"), after=after, call="bc.create")

    world.sync()
    world.sync()

    assert [each.card.name for each in world.bc.rows.values()] == ["Anna Berg"]
    assert len(links(world)) == 1
    wrote_nothing(world)


def test_r09_a_copy_stays_is_never_synced_nor_imported_and_is_noted_once(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    linked = twin(world, bc_id)
    copy = world.mailbox().copy(linked)

    first, second = world.sync(), world.full()
    world.mailbox().edit(copy, name="Somebody Else", email="else@x.example")
    world.sync()
    world.full()

    assert (codes(first), codes(second)) == (["copy"], [])
    assert twin(world, bc_id) == linked
    assert len(world.bc.rows) == 1
    assert copy in world.mailbox().entries


@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
def test_r09_when_the_linked_one_is_gone_the_oldest_copy_takes_its_place(world: World, full: bool) -> None:
    bc_id = anna(world)
    world.sync()
    linked = twin(world, bc_id)
    older, newer = world.mailbox().copy(linked), world.mailbox().copy(linked)
    world.sync()

    world.mailbox().delete(linked)
    world.full() if full else world.sync()

    assert twin(world, bc_id) == older
    assert sorted(world.mailbox().in_folder(world.folder())) == sorted([older, newer])


@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
@pytest.mark.parametrize("deleted", [False, True], ids=["out of the filter", "deleted"])
def test_r09_copies_go_with_the_contact_whose_person_is_gone_from_the_sync(
    world: World, full: bool, deleted: bool
) -> None:
    world.profile("ada", filter={"city": "Bonn"})
    bc_id = anna(world, city="Bonn")
    world.sync()
    copy = world.mailbox().copy(twin(world, bc_id))
    world.sync()
    world.mailbox().edit(copy, job_title="typed into the copy")

    world.bc.delete(bc_id) if deleted else world.bc.edit(bc_id, city="Ulm")
    report = world.full() if full else world.sync()

    assert seen(world) == []
    assert "typed into the copy" in [each.value for each in report.notes]
    wrote_nothing(world)


def test_r09_a_person_that_bc_shows_with_a_new_address_only_when_asked_is_not_doubled_in_outlook(world: World) -> None:
    """The feed has the old address: a newcomer to Outlook by the feed, a first match by asking BC before creating."""
    world.profile("bob")
    world.sync("bob")
    world.request("bob")
    bc_id = anna(world)
    world.sync("ada")  # reads the feed; the older request of Bob shares it
    world.bc.edit(bc_id, email="new@berg.example")
    key = world.mailbox("bob").add(world.folder("bob"), name="Anna Berg", email="new@berg.example")

    world.work("bob")

    assert list(world.mailbox("bob").in_folder(world.folder("bob"))) == [key]
    assert list(world.bc.rows) == [bc_id]


@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
def test_r09_a_kept_contact_stays_beside_the_one_that_the_user_made_and_takes_its_place(
    world: World, full: bool
) -> None:
    world.profile("ada", filter={"city": "Berlin"}, policies={"on_out_of_scope": OnOutOfScope.KEEP})
    bc_id = anna(world, city="Berlin")
    world.sync()
    kept = twin(world, bc_id)
    world.bc.edit(bc_id, city="Ulm")
    world.sync()
    own = world.mailbox().add(world.folder(), name="Anna Berg", email="anna@berg.example")
    world.sync()
    world.bc.edit(bc_id, city="Berlin", jobTitle="Chief")
    world.full() if full else world.sync()
    assert twin(world, bc_id) == own  # R7: nobody was linked to her when the user made it
    assert world.mailbox().entries[kept].contact.card.job_title == ""

    world.mailbox().delete(own)
    world.full() if full else world.sync()

    assert twin(world, bc_id) == kept
    assert list(world.mailbox().in_folder(world.folder())) == [kept]
    assert world.mailbox().entries[kept].contact.card.job_title == "Chief"


def test_r09_a_stamp_whose_bc_contact_is_gone_counts_as_deleted_in_bc(world: World) -> None:
    anna(world)
    bob = world.bc.put(displayName="Bob", email="bob@x.example")
    world.sync()

    world.bc.delete(bob)
    lose_state(world)
    world.sync()

    assert names(world) == ["Anna Berg"]
    assert len(world.bc.rows) == 1


def test_r09_and_falls_under_the_safety_stop_too(world: World) -> None:
    crowd(world, 12)
    world.sync()
    for bc_id in list(world.bc.rows):
        world.bc.delete(bc_id)

    lose_state(world)
    report = world.sync()

    assert report.status is RunStatus.HELD
    assert len(seen(world)) == 12
    assert not world.bc.rows


@pytest.mark.parametrize(
    "foreign",
    [Stamp("x", Origin.SYNC, "Sandbox", COMPANY), Stamp("x", Origin.SYNC, ENVIRONMENT, "another")],
    ids=["environment", "company"],
)
def test_r09_a_stamp_of_another_company_or_environment_is_ignored_with_a_note(world: World, foreign: Stamp) -> None:
    bc_id = anna(world)
    key = world.mailbox().add(
        with_folder(world), name="Anna Berg", email="anna@berg.example", stamp=replace(foreign, bc_id=bc_id)
    )
    gone = world.mailbox().add(world.mailbox().entries[key].contact.folder_id, stamp=foreign, name="Old")

    report = world.sync()

    assert "foreign-stamp" in codes(report)
    assert twin(world, bc_id) == key
    assert gone in world.mailbox().entries


# ---------------------------------------------------------------- R10, R11


def test_r10_two_bc_contacts_with_one_address_are_two_contacts(world: World) -> None:
    first = anna(world)
    second = world.bc.put(displayName="Anton Berg", email="anna@berg.example")

    world.sync()

    assert names(world) == ["Anna Berg", "Anton Berg"]
    assert twin(world, first) != twin(world, second)
    wrote_nothing(world)


def test_r10_a_first_match_takes_one_of_them_and_the_other_gets_its_own_contact(world: World) -> None:
    anna(world)
    world.bc.put(displayName="Anton Berg", email="anna@berg.example")
    world.mailbox().add(with_folder(world), name="Anton Berg", email="anna@berg.example")

    world.sync()

    assert names(world) == ["Anna Berg", "Anton Berg"]
    assert len(links(world)) == 2


def test_r11_an_edit_by_one_user_reaches_bc_and_from_there_the_other_folders(world: World) -> None:
    world.profile("ben")
    bc_id = anna(world)
    world.sync("ada")
    world.sync("ben")

    world.mailbox("ada").edit(twin(world, bc_id, "ada"), mobile="0151")
    world.sync("ada")
    world.sync("ben")

    assert world.bc.rows[bc_id].card.mobile == "0151"
    assert outlook_card(world, bc_id, "ben").mobile == "0151"
    assert twin(world, bc_id, "ada") != twin(world, bc_id, "ben")


def test_r11_two_users_who_enter_the_same_person_make_one(world: World) -> None:
    world.profile("ben")
    world.sync("ada")
    world.sync("ben")
    for user in ("ada", "ben"):
        world.mailbox(user).add(world.folder(user), name="Anna Berg", email="anna@berg.example", phone=user)

    world.sync("ada")
    world.sync("ben")

    (bc_id,) = world.bc.rows
    assert set(links(world, "ada")) == set(links(world, "ben")) == {bc_id}


def test_r09_lost_state_and_a_list_and_a_change_feed_that_both_lack_the_contact_double_nobody(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    key = twin(world, bc_id)
    world.state.mailboxes.rows.clear()
    world.mailbox().lacks, world.mailbox().lag = {key}, 10

    world.sync()

    assert names(world) == ["Anna Berg"]
    assert twin(world, bc_id) == key


def test_r09_a_list_of_the_folder_that_is_too_short_doubles_nobody_even_after_lost_state(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    key = twin(world, bc_id)
    world.state.mailboxes.rows.clear()
    world.mailbox().lacks = {key}

    world.sync()
    world.full()

    assert list(world.mailbox().entries) == [key]
