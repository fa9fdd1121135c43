"""R21, R22: who is deleted in BC, or leaves the scope."""

from collections.abc import Callable

import pytest

from shared.cards.model import Origin
from shared.engine.model import Mode
from shared.planning.model import OnBcDelete, OnOutOfScope
from tests.fakes.world import World
from tests.rules.glances import links, names, outlook_card, twin
from tests.rules.scenes import linked

LEAVING: list[tuple[str, Callable[[World, str], object]]] = [
    ("filter", lambda w, key: w.bc.edit(key, city="Ulm")),
    ("e-mail", lambda w, key: w.bc.edit(key, email="")),
    ("company", lambda w, key: w.bc.edit(key, type="Company")),
    ("profile", lambda w, _key: w.profile("ada", filter={"city": "Bonn"})),
]


# ---------------------------------------------------------------- R21


@pytest.mark.parametrize("policy", list(OnBcDelete))
@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
def test_r21_what_bc_deleted_is_removed_from_the_folder_unless_it_is_to_be_kept(
    world: World, policy: OnBcDelete, full: bool
) -> None:
    bc_id, key = linked(world, on_bc_delete=policy)

    world.bc.delete(bc_id)
    report = world.full() if full else world.sync()

    kept = policy is OnBcDelete.KEEP
    assert (key in world.mailbox().entries) is kept
    assert report.to_outlook.deleted == (0 if kept else 1)
    assert links(world) == {}


def test_r21_a_kept_contact_is_not_imported_as_new(world: World) -> None:
    bc_id, key = linked(world, on_bc_delete=OnBcDelete.KEEP)
    world.bc.delete(bc_id)
    world.sync()

    world.mailbox().edit(key, job_title="Chief")
    world.sync()
    world.full()

    assert key in world.mailbox().entries
    assert not world.bc.rows


def test_r21_a_kept_contact_stays_although_the_policy_changes_later(world: World) -> None:
    bc_id, key = linked(world, on_bc_delete=OnBcDelete.KEEP)
    world.bc.delete(bc_id)
    world.sync()

    world.profile("ada", policies={"on_bc_delete": OnBcDelete.REMOVE})
    world.full()

    assert key in world.mailbox().entries


# ---------------------------------------------------------------- R22


@pytest.mark.parametrize("leave", [each for _, each in LEAVING], ids=[each for each, _ in LEAVING])
def test_r22_who_leaves_the_scope_is_removed_from_the_folder_never_from_bc(
    world: World, leave: Callable[[World, str], object]
) -> None:
    bc_id, key = linked(world)

    leave(world, bc_id)
    world.sync()

    assert key not in world.mailbox().entries
    assert bc_id in world.bc.rows
    assert links(world) == {}


@pytest.mark.parametrize("leave", [each for _, each in LEAVING], ids=[each for each, _ in LEAVING])
def test_r22_a_kept_contact_is_no_longer_synced_nor_imported(
    world: World, leave: Callable[[World, str], object]
) -> None:
    bc_id, key = linked(world, on_out_of_scope=OnOutOfScope.KEEP)

    leave(world, bc_id)
    world.sync()
    world.mailbox().edit(key, job_title="Chief")
    world.sync()
    world.bc.edit(bc_id, mobilePhoneNumber="0151")
    world.sync()
    world.full()

    assert world.mailbox().entries[key].contact.card.mobile == ""
    assert world.bc.rows[bc_id].card.job_title == ""
    assert list(world.bc.rows) == [bc_id]


def test_r22_a_kept_contact_stays_although_the_policy_changes_later(world: World) -> None:
    bc_id, key = linked(world, on_out_of_scope=OnOutOfScope.KEEP)
    world.bc.edit(bc_id, city="Ulm")
    world.sync()

    world.profile("ada", policies={"on_out_of_scope": OnOutOfScope.REMOVE})
    world.full()

    assert key in world.mailbox().entries


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("address", ["anna@berg.example", "new@x.example"], ids=["same address", "another address"])
def test_r22_a_kept_contact_is_the_same_person_when_it_comes_back_into_scope(
    world: World, address: str, mode: Mode
) -> None:
    bc_id, key = linked(world, on_out_of_scope=OnOutOfScope.KEEP)
    world.bc.edit(bc_id, email="")
    world.sync()

    world.bc.edit(bc_id, email=address)
    world.sync(mode=mode)

    assert twin(world, bc_id) == key
    assert outlook_card(world, bc_id).email == address
    assert names(world) == ["Anna Berg"]


def test_r22_own_creations_stay_while_only_the_filter_excludes_them(world: World) -> None:
    world.profile("ada", filter={"city": "Berlin"})
    world.sync()
    key = world.mailbox().add(world.folder(), name="Carla", email="c@x.example", city="Ulm")
    world.sync()
    (bc_id,) = world.bc.rows
    assert links(world)[bc_id].origin is Origin.OWN

    world.full()
    stays = key in world.mailbox().entries
    world.bc.edit(bc_id, email="")
    world.sync()

    assert stays
    assert key not in world.mailbox().entries


def test_r22_scope_is_judged_on_what_bc_holds_after_the_runs_writes(world: World) -> None:
    """An edit in Outlook takes the contact out of the filter: it leaves in the same run."""
    bc_id, key = linked(world)

    world.mailbox().edit(key, city="Ulm")
    preview = world.sync(preview=True)
    world.sync()

    assert sorted((each["operation"], each["side"]) for each in preview.plan) == [
        ("remove", "outlook"),
        ("update", "bc"),
    ]
    assert world.bc.rows[bc_id].card.city == "Ulm"
    assert key not in world.mailbox().entries


def test_r22_an_edit_that_brings_the_contact_back_keeps_it(world: World) -> None:
    """The profile's filter changed to a city that the user had just entered in Outlook."""
    bc_id, key = linked(world)

    world.mailbox().edit(key, city="Bonn")
    world.profile("ada", filter={"city": "Bonn"})
    preview = world.sync(preview=True)
    world.sync()

    assert [each["operation"] for each in preview.plan] == ["update"]
    assert world.bc.rows[bc_id].card.city == "Bonn"
    assert twin(world, bc_id) == key
    assert key in world.mailbox().entries


@pytest.mark.parametrize("policy", list(OnOutOfScope))
def test_r22_privacy_blocked_is_removed_under_every_policy(world: World, policy: OnOutOfScope) -> None:
    bc_id, key = linked(world, on_out_of_scope=policy, on_bc_delete=OnBcDelete.KEEP)

    world.mailbox().edit(key, job_title="Chief")
    world.bc.edit(bc_id, privacyBlocked=True)
    world.sync()
    world.full()

    assert key not in world.mailbox().entries
    assert world.bc.rows[bc_id].card.job_title == ""


def test_r22_nothing_brings_a_blocked_person_back_while_it_is_blocked(world: World) -> None:
    bc_id, _ = linked(world)
    world.bc.edit(bc_id, privacyBlocked=True)
    world.sync()

    world.bc.edit(bc_id, jobTitle="Chief")
    world.full()
    blocked = names(world)
    world.bc.edit(bc_id, privacyBlocked=False)
    world.sync()

    assert (blocked, names(world)) == ([], ["Anna Berg"])


def test_r22_a_contact_deleted_in_outlook_is_not_restored_when_the_person_is_blocked(world: World) -> None:
    bc_id, key = linked(world)

    world.mailbox().delete(key)
    world.bc.edit(bc_id, privacyBlocked=True)
    report = world.sync()
    world.full()

    assert report.to_outlook.created == 0
    assert (names(world), links(world)) == ([], {})
