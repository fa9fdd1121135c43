"""R26: the safety stop; approving a held run has its own file."""

from dataclasses import replace

import pytest

from shared.engine.limits import Limits
from shared.engine.model import Report, RunStatus
from shared.planning.guards import SafetyLimits
from shared.planning.model import OnOutlookDelete, OnOutOfScope
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, crowd, links, names, outlook_card, seen, twin


def held(report: Report | None) -> list[tuple[str, int]]:
    """The kinds held back, with their numbers."""
    assert report is not None
    return [(each.kind, each.count) for each in report.held]


def synced(w: World, count: int, **more: str | bool) -> list[str]:
    ids = crowd(w, count, **more)
    w.sync()
    return ids


# ---------------------------------------------------------------- removals


@pytest.mark.parametrize(
    ("total", "removed", "stops"),
    [
        pytest.param(30, 10, False, id="ten of thirty"),
        pytest.param(30, 11, True, id="eleven of thirty"),
        pytest.param(55, 11, False, id="eleven are 20 percent"),
        pytest.param(54, 11, True, id="eleven are more than 20 percent"),
        pytest.param(1050, 201, True, id="more than 200"),
        pytest.param(1050, 200, False, id="200"),
    ],
)
def test_r26_too_many_removals_from_a_folder_are_held(world: World, total: int, removed: int, stops: bool) -> None:
    ids = synced(world, total)

    for bc_id in ids[:removed]:
        world.bc.edit(bc_id, email="")
    report = world.sync()

    assert held(report) == ([("outlook-removals", removed)] if stops else [])
    assert len(seen(world)) == total - (0 if stops else removed)
    assert (report.status is RunStatus.HELD) is stops


@pytest.mark.parametrize(("removed", "stops"), [(10, False), (11, True)])
def test_r26_too_many_deletions_in_bc_are_held(world: World, removed: int, stops: bool) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.DELETE})
    ids = synced(world, 30)

    for bc_id in ids[:removed]:
        world.mailbox().delete(twin(world, bc_id))
    report = world.sync()

    assert held(report) == ([("bc-removals", removed)] if stops else [])
    assert len(world.bc.rows) == 30 - (0 if stops else removed)


def test_r26_everything_else_is_done_positions_move_and_what_is_held_is_recorded(world: World) -> None:
    ids = synced(world, 30)
    for bc_id in ids[:15]:
        world.bc.delete(bc_id)
    world.bc.edit(ids[20], city="Ulm")
    world.mailbox().edit(twin(world, ids[21]), city="Bonn")
    new = anna(world)
    position = world.state.mailboxes.of("ada", "11111111-0000-0000-0000-000000000001", "ada").positions

    report = world.sync()

    assert report.status is RunStatus.HELD
    assert set(report.held[0].contacts) == set(ids[:15])
    assert report.held[0].limit
    assert outlook_card(world, ids[20]).city == "Ulm"
    assert world.bc.rows[ids[21]].card.city == "Bonn"
    assert new in links(world)
    assert report.to_outlook.deleted == 0
    after = world.state.mailboxes.of("ada", "11111111-0000-0000-0000-000000000001", "ada").positions
    assert position is not None
    assert after is not None
    assert after.log_position > position.log_position
    assert after.delta_link != position.delta_link


def test_r26_what_is_held_stays_held_in_later_runs(world: World) -> None:
    for bc_id in synced(world, 30)[:15]:
        world.bc.delete(bc_id)
    world.sync()

    incremental, full = world.sync(), world.full()

    assert incremental.held == ()
    assert held(full) == [("outlook-removals", 15)]
    assert len(seen(world)) == 30


def test_r26_a_held_removal_does_not_happen_by_itself_when_its_contact_is_touched(world: World) -> None:
    ids = synced(world, 30)
    for bc_id in ids[:15]:
        world.bc.delete(bc_id)
    world.sync()

    world.mailbox().edit(twin(world, ids[0]), city="Ulm")
    report = world.sync()

    assert held(report) == [("outlook-removals", 15)], "the newest held run names all that waits"
    assert len(seen(world)) == 30


def test_r26_what_is_no_longer_due_is_forgotten(world: World) -> None:
    ids = synced(world, 30)
    for bc_id in ids[:15]:
        world.bc.edit(bc_id, email="")
    world.sync()

    for each, bc_id in enumerate(ids[:15]):
        world.bc.edit(bc_id, email=f"p{each}@x.example")
    back = world.full()
    world.bc.edit(ids[0], email="")
    leaving = world.sync()

    assert (held(back), held(leaving)) == ([], [])
    assert len(seen(world)) == 29


def test_r26_runs_that_nobody_asked_for_count_the_last_24_hours_together(world: World) -> None:
    ids = synced(world, 30)
    for bc_id in ids[:6]:
        world.bc.delete(bc_id)
    first = world.tick()
    for bc_id in ids[6:11]:
        world.bc.delete(bc_id)

    second = world.tick()

    assert held(first) == []
    assert held(second) == [("outlook-removals", 5)]
    assert len(seen(world)) == 24


def test_r26_after_24_hours_they_count_anew_and_requested_runs_count_alone(world: World) -> None:
    ids = synced(world, 60)
    for bc_id in ids[:6]:
        world.bc.delete(bc_id)
    world.tick()
    for bc_id in ids[6:12]:
        world.bc.delete(bc_id)
    requested = world.sync()
    for bc_id in ids[12:18]:
        world.bc.delete(bc_id)
    world.clock.advance(hours=25)

    late = world.tick()

    assert (held(requested), held(late)) == ([], [])
    assert len(seen(world)) == 42


def test_r26_removals_are_counted_against_the_links_at_the_runs_start(world: World) -> None:
    """Fifty newcomers in the same run do not make eleven of thirty less than a fifth."""
    ids = synced(world, 30)
    for bc_id in ids[:11]:
        world.bc.delete(bc_id)
    for each in range(50):
        world.bc.put(displayName=f"New {each}", email=f"new{each}@x.example")

    assert held(world.sync()) == [("outlook-removals", 11)]


# ---------------------------------------------------------------- the company's feed


@pytest.mark.parametrize(("gone", "stops"), [(50, False), (51, True)])
def test_r26_too_many_persons_gone_from_a_company_are_held_once_in_the_feed(
    world: World, gone: int, stops: bool
) -> None:
    world.limits = replace(world.limits, safety=SafetyLimits(removals_count=500, removals_most=5_000))
    world.profile("ben")
    ids = synced(world, 300)
    world.sync("ben")

    for bc_id in ids[:gone]:
        world.bc.delete(bc_id)
    reports = [world.sync("ada"), world.sync("ben")]

    for user, report in zip(("ada", "ben"), reports, strict=True):
        assert held(report) == ([("company-deletions", gone)] if stops else [])
        assert len(seen(world, user)) == 300 - (0 if stops else gone)


def test_r26_five_percent_of_a_large_company_are_not_held(world: World) -> None:
    world.limits = replace(world.limits, safety=SafetyLimits(removals_count=500, removals_most=5_000))
    ids = synced(world, 1_100)

    for bc_id in ids[:55]:
        world.bc.delete(bc_id)

    assert held(world.sync()) == []
    assert len(seen(world)) == 1_045


# ---------------------------------------------------------------- creations


@pytest.mark.parametrize(("new", "stops"), [(100, False), (101, True)])
def test_r26_more_than_100_creations_in_bc_out_of_one_folder_are_held(world: World, new: int, stops: bool) -> None:
    world.sync()
    for each in range(new):
        world.mailbox().add(world.folder(), name=f"New {each}", email=f"new{each}@x.example")

    report = world.sync()

    assert held(report) == ([("bc-creations", new)] if stops else [])
    assert len(world.bc.rows) == (0 if stops else new)
    assert len(seen(world)) == new


@pytest.mark.parametrize(("new", "stops"), [(8, False), (9, True)])
def test_r26_too_many_creations_in_one_folder_are_held(new: int, stops: bool) -> None:
    assert SafetyLimits().outlook_creations == 5_000
    w = World.new(Limits(safety=SafetyLimits(outlook_creations=8)))
    w.profile("ada")
    crowd(w, new)

    report = w.sync()

    assert held(report) == ([("outlook-creations", new)] if stops else [])
    assert len(seen(w)) == (0 if stops else new)


@pytest.mark.parametrize(("strangers", "stops"), [(10, False), (11, True)])
def test_r26_strangers_in_a_folder_that_the_sync_did_not_make_are_held_on_the_first_run(
    world: World, strangers: int, stops: bool
) -> None:
    """An old folder holds people deleted in BC since."""
    known = anna(world)
    folder = world.mailbox().create_folder("Business Central", None).id
    world.mailbox().add(folder, name="Anna Berg", email="anna@berg.example")
    for each in range(strangers):
        world.mailbox().add(folder, name=f"Old {each}", email=f"old{each}@x.example")

    report = world.sync()

    assert held(report) == ([("bc-creations", strangers)] if stops else [])
    assert len(world.bc.rows) == 1 + (0 if stops else strangers)
    assert known in links(world)
    assert len(seen(world)) == 1 + strangers


@pytest.mark.parametrize(
    "ours", [True, False], ids=["a first run in our folder", "a later run in a folder of the user's"]
)
def test_r26_strangers_elsewhere_are_not_held(world: World, ours: bool) -> None:
    """Our folder is known by its stamp although the profile's state is lost."""
    if not ours:
        world.mailbox().create_folder("Business Central", None)
    world.sync()
    for each in range(11):
        world.mailbox().add(world.folder(), name=f"New {each}", email=f"n{each}@x.example")
    if ours:
        del world.state.mailboxes.rows[("ada", COMPANY, "ada")]

    report = world.sync()

    assert report.held == ()
    assert len(world.bc.rows) == 11


def test_r26_held_creations_do_not_happen_in_a_later_run_either(world: World) -> None:
    folder = world.mailbox().create_folder("Business Central", None).id
    keys = [world.mailbox().add(folder, name=f"Old {each}", email=f"old{each}@x.example") for each in range(11)]
    world.sync()

    world.mailbox().edit(keys[0], city="Ulm")
    touched, full = world.sync(), world.full()

    assert (held(touched), held(full)) == ([("bc-creations", 11)], [("bc-creations", 11)])
    assert not world.bc.rows


def test_r26_a_held_stranger_may_still_meet_its_person(world: World) -> None:
    folder = world.mailbox().create_folder("Business Central", None).id
    keys = [world.mailbox().add(folder, name=f"Old {each}", email=f"old{each}@x.example") for each in range(11)]
    world.sync()

    bc_id = world.bc.put(displayName="Old 3", email="old3@x.example")
    world.sync()

    assert twin(world, bc_id) == keys[3]


# ---------------------------------------------------------------- exceptions


@pytest.mark.parametrize(("confirmed", "stops"), [(15, False), (20, False), (14, True), (None, True)])
def test_r26_removals_by_a_filter_change_go_when_the_request_confirms_their_number(
    world: World, confirmed: int | None, stops: bool
) -> None:
    ids = [*crowd(world, 15, city="Ulm"), anna(world, city="Berlin")]
    world.sync()

    report = world.sync(filter={"city": "Berlin"}, confirm_removals=confirmed)

    assert held(report) == ([("outlook-removals", 15)] if stops else [])
    assert len(seen(world)) == (16 if stops else 1)
    assert len(world.bc.rows) == len(ids)


def test_r26_the_confirmation_covers_nothing_but_the_filter_change(world: World) -> None:
    ids = crowd(world, 30, city="Berlin")
    world.sync()
    for bc_id in ids[:12]:
        world.bc.delete(bc_id)
    world.bc.edit(ids[12], city="Ulm")

    report = world.sync(filter={"city": "Berlin"}, confirm_removals=50)

    assert report.status is RunStatus.HELD
    assert len(seen(world)) >= 29


def test_r26_privacy_blocked_is_never_held(world: World) -> None:
    world.profile("ada", policies={"on_out_of_scope": OnOutOfScope.KEEP})
    for bc_id in synced(world, 15):
        world.bc.edit(bc_id, privacyBlocked=True)

    report = world.sync()

    assert held(report) == []
    assert names(world) == []
