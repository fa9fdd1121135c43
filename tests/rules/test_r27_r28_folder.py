"""R27 and R28: the folder, the main folder, the category."""

from contextlib import suppress

import pytest

from shared.cards.model import EMPTY_CARD, Field, Origin, OutlookContact, Stamp
from shared.engine.folder_choice import default_name
from shared.engine.model import Profile, RunStatus
from shared.engine.sides import FolderStamp, OutlookDraft, OutlookWrite
from shared.errors import InvalidValue
from shared.outlook.mapping import body_of_draft, body_of_write
from shared.planning.model import OnOutlookDelete
from tests.fakes.faults import Died
from tests.fakes.outlook import CATEGORY, MAIN
from tests.fakes.world import COMPANY, ENVIRONMENT, World
from tests.rules.glances import anna, crowd, links, names, note, outlook_card, seen, twin

# ---------------------------------------------------------------- R27: a folder of our own


def folders(w: World) -> list[str]:
    return sorted(each.name for each in w.mailbox().folders.values())


def test_r27_the_default_folder_is_created_when_missing(world: World) -> None:
    anna(world)

    world.sync()

    assert folders(world) == ["Business Central"]
    assert names(world) == ["Anna Berg"]


def test_r27_in_a_further_company_the_default_name_tells_the_company() -> None:
    first = Profile(COMPANY, "ada", "a@x.example", "ada", "a@x.example")

    assert default_name("Business Central", "Acme", []) == "Business Central"
    assert default_name("Business Central", "Acme", [first]) == "Business Central (Acme)"


def test_r27_a_folder_that_the_user_renames_is_still_ours(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    before = world.folder()

    world.mailbox().rename_folder(before, "My Customers")
    world.bc.edit(bc_id, city="Ulm")
    world.sync()

    assert folders(world) == ["My Customers"]
    assert world.folder() == before
    assert outlook_card(world, bc_id).city == "Ulm"


def test_r27_also_after_lost_state(world: World) -> None:
    anna(world)
    world.sync()
    before = world.folder()
    world.mailbox().rename_folder(before, "My Customers")
    world.state.mailboxes.rows.clear()

    world.sync()

    assert (folders(world), world.folder(), names(world)) == (["My Customers"], before, ["Anna Berg"])


def test_r27_an_admins_new_name_renames_the_folder_and_replaces_nothing(world: World) -> None:
    anna(world)
    world.sync()
    before, contacts = world.folder(), set(world.mailbox().entries)

    world.profile("ada", folder_name="Kunden")
    world.sync()

    assert (folders(world), world.folder()) == (["Kunden"], before)
    assert set(world.mailbox().entries) == contacts


@pytest.mark.parametrize("policy", list(OnOutlookDelete))
@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
def test_r27_a_deleted_folder_is_recreated_and_filled_and_nothing_is_deleted_in_bc(
    world: World, policy: OnOutlookDelete, full: bool
) -> None:
    world.profile("ada", policies={"on_outlook_delete": policy})
    anna(world)
    world.bc.put(displayName="Bob", email="b@x.example")
    world.sync()

    world.mailbox().delete_folder(world.folder())
    world.full() if full else world.sync()

    assert folders(world) == ["Business Central"]
    assert names(world) == ["Anna Berg", "Bob"]
    assert len(world.bc.rows) == 2


def test_r27_another_profiles_folder_is_not_taken(world: World) -> None:
    world.mailbox().create_folder("Business Central", FolderStamp("another", "ada", ENVIRONMENT))
    anna(world)

    report = world.sync()

    assert (report.status, report.error_code) == (RunStatus.FAILED, "folder-taken")
    assert world.mailbox().entries == {}


# ---------------------------------------------------------------- R27: the main folder


@pytest.fixture
def main(world: World) -> World:
    """Ada syncs with the mailbox's main folder."""
    world.profile("ada", main_folder=True, folder_name="")
    return world


def test_r27_the_main_folder_is_used_and_no_folder_made(main: World) -> None:
    bc_id = anna(main)

    main.sync()

    assert main.mailbox().folders == {}
    assert main.mailbox().entries[twin(main, bc_id)].contact.folder_id == MAIN


def test_r27_there_only_contacts_with_our_category_or_link_take_part(main: World) -> None:
    main.mailbox().add(MAIN, name="Aunt Mary", email="mary@x.example")
    main.mailbox().add(MAIN, name="Carla", email="c@x.example", categories=("Friends", CATEGORY))

    main.sync()
    main.full()

    assert [each.card.name for each in main.bc.rows.values()] == ["Carla"]


def test_r27_an_untagged_contact_with_the_address_is_neither_touched_nor_doubled(main: World) -> None:
    bc_id = anna(main)
    key = main.mailbox().add(MAIN, name="Annie", email="anna@berg.example")
    before = main.mailbox().entries[key].contact

    report = main.sync()
    main.bc.edit(bc_id, city="Ulm")
    main.sync()
    main.full()

    assert note(report, "already-yours").bc_id == bc_id
    assert list(main.mailbox().entries) == [key]
    assert main.mailbox().entries[key].contact == before
    assert links(main) == {}


def test_r27_until_the_user_gives_it_our_category(main: World) -> None:
    bc_id = anna(main, city="Ulm")
    key = main.mailbox().add(MAIN, name="Anna Berg", email="anna@berg.example", mobile="0151")
    main.sync()

    main.mailbox().edit(key, categories=(CATEGORY,))
    main.sync()

    assert twin(main, bc_id) == key
    assert outlook_card(main, bc_id).city == "Ulm"
    assert main.bc.rows[bc_id].card.mobile == "0151"


@pytest.mark.parametrize("how", ["deleted", "left the scope", "privacy blocked"])
def test_r27_there_a_contact_that_was_the_users_is_never_deleted(main: World, how: str) -> None:
    bc_id = anna(main)
    key = main.mailbox().add(MAIN, name="Anna Berg", email="anna@berg.example", categories=("Friends", CATEGORY))
    main.sync()
    assert links(main)[bc_id].origin is Origin.USER

    if how == "deleted":
        main.bc.delete(bc_id)
    else:
        main.bc.edit(bc_id, **({"email": ""} if how == "left the scope" else {"privacyBlocked": True}))
    main.sync()
    main.full()

    entry = main.mailbox().entries[key]
    assert (entry.stamp, entry.contact.categories) == (None, ("Friends",))
    assert links(main) == {}


def test_r27_there_what_the_sync_made_is_removed(main: World) -> None:
    bc_id = anna(main)
    main.sync()

    main.bc.delete(bc_id)
    main.sync()

    assert main.mailbox().entries == {}


def test_r27_in_a_folder_of_our_own_also_a_contact_that_was_the_users_is_removed(world: World) -> None:
    bc_id = anna(world)
    folder = world.mailbox().create_folder("Business Central", None).id
    world.mailbox().add(folder, name="Anna Berg", email="anna@berg.example")
    world.sync()
    assert links(world)[bc_id].origin is Origin.USER

    world.bc.delete(bc_id)
    world.sync()

    assert world.mailbox().entries == {}


# ---------------------------------------------------------------- R28


def test_r28_a_created_contact_has_our_category() -> None:
    draft = OutlookDraft(EMPTY_CARD._replace(name="Anna"), Stamp("1", Origin.SYNC, ENVIRONMENT, COMPANY))

    assert body_of_draft(draft, "Business Central")["categories"] == ["Business Central"]


def test_r28_a_written_contact_has_it_too_beside_the_users_own() -> None:
    mine = OutlookContact("x", "e", EMPTY_CARD, categories=("Friends", "Chess"))
    ours = OutlookContact("x", "e", EMPTY_CARD, categories=("business central", "Friends"))

    added = body_of_write(OutlookWrite(mine, {Field.CITY: "Ulm"}), "Business Central")
    there = body_of_write(OutlookWrite(ours, {Field.CITY: "Ulm"}), "Business Central")

    assert added["categories"] == ["Friends", "Chess", "Business Central"]
    assert "categories" not in there


def test_r28_a_linked_contact_gets_it_with_its_stamp(world: World) -> None:
    bc_id = anna(world)
    folder = world.mailbox().create_folder("Business Central", None).id
    world.mailbox().add(folder, name="Anna Berg", email="anna@berg.example", categories=("Friends",))

    world.sync()

    assert world.mailbox().entries[twin(world, bc_id)].contact.categories == ("Friends", CATEGORY)


@pytest.mark.parametrize("first", ["refused", "limited", "died"])
def test_r27_nobody_is_deleted_in_bc_for_a_new_folder_that_was_not_filled_at_once(world: World, first: str) -> None:
    """Under policy `delete`: the run that makes the folder anew may fail at a contact, leave it out, or die."""
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.DELETE})
    ids = crowd(world, 3)
    world.sync()
    world.mailbox().delete_folder(world.folder())

    if first == "refused":
        world.faults.fail(1, InvalidValue("The service refuses this."), call="graph.create")
        world.sync()
    elif first == "limited":
        world.sync(filter={"city": "Nowhere"}, save_filter=False)
    else:
        world.faults.die(1, call="graph.create")
        world.request()
        with suppress(Died):
            world.work()
        world.faults.restart()
        world.clock.advance(seconds=61)
    world.sync()
    world.sync()

    assert set(ids) <= world.bc.rows.keys()
    assert len(seen(world)) == 3


def test_r27_a_folder_that_no_run_has_read_to_its_end_is_still_asked_for_each_contact(world: World) -> None:
    """Its lists may be too short (R25): only a folder made in this very run is known to be empty."""
    anna(world)
    world.sync(filter={}, save_filter=False)  # makes and fills the folder, moves no position
    (key,) = world.mailbox().entries
    world.mailbox().lacks, world.mailbox().lag = {key}, 1

    world.sync()

    assert list(world.mailbox().entries) == [key]
