"""R33: positions that are lost, and a company that went back in time."""

from dataclasses import replace

import pytest

from shared.cards.business_central import contact_from_values
from shared.engine.company_state import FeedChanges, FeedState
from shared.engine.model import Mode, RunStatus
from shared.engine.state import Busy
from shared.planning.model import OnOutlookDelete
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, codes, crowd, links, names, outlook_card, seen, twin


def test_r33_an_expired_delta_link_leads_to_a_full_run_by_itself(world: World) -> None:
    ids = crowd(world, 3)
    world.sync()
    gone, edited = twin(world, ids[0]), twin(world, ids[1])

    world.mailbox().delete(gone)
    world.mailbox().edit(edited, job_title="Chief")
    world.mailbox().forget_positions()
    report = world.tick()

    assert report is not None
    assert report.status is RunStatus.SUCCEEDED
    assert world.bc.rows[ids[1]].card.job_title == "Chief"
    assert len(seen(world)) == 3
    assert world.tick() is None


def test_r33_under_the_safety_stop(world: World) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.DELETE})
    ids = crowd(world, 30)
    world.sync()
    for bc_id in ids[:15]:
        world.mailbox().delete(twin(world, bc_id))
    world.mailbox().forget_positions()

    report = world.sync()

    assert report.status is RunStatus.HELD
    assert len(world.bc.rows) == 30


def test_r33_a_profile_that_lags_behind_the_log_compares_with_the_snapshot(world: World) -> None:
    world.limits = replace(world.limits, log_lag_most=2)
    world.profile("ben")
    ids = crowd(world, 6)
    world.sync("ada")
    world.sync("ben")
    for bc_id in ids[:5]:
        world.bc.edit(bc_id, city="Ulm")
    world.bc.delete(ids[5])
    world.sync("ben")

    start = len(world.faults.calls)
    world.sync("ada")

    assert [each.city for each in seen(world)] == ["Ulm"] * 5
    assert "companies.log" not in world.faults.calls[start:]


def test_r33_a_profile_whose_part_of_the_log_was_cleaned_away_compares_with_the_snapshot(world: World) -> None:
    world.profile("ben")
    bc_id = anna(world)
    world.sync("ada")
    world.sync("ben")
    world.bc.edit(bc_id, city="Ulm")
    world.sync("ben")
    feed = world.state.companies.hold_feed(COMPANY, "cleaner")
    assert not isinstance(feed, Busy)
    feed.commit(FeedChanges(state=replace(feed.state(), floor=feed.state().head)))
    feed.release()

    start = len(world.faults.calls)
    world.sync("ada")

    assert [each.city for each in seen(world)] == ["Ulm"]
    assert "companies.log" not in world.faults.calls[start:]


def test_r33_a_company_feed_that_was_lost_is_built_anew_and_nothing_is_written(world: World) -> None:
    ids = crowd(world, 3)
    world.sync()
    world.bc.delete(ids[0])
    world.state.companies.rows.pop(COMPANY)
    before = world.written()

    world.sync()

    assert len(seen(world)) == 2
    assert world.written() == before + 1


def go_back_in_time(w: World, bc_id: str, **values: str) -> None:
    """The environment was restored: the contact is as it was before, with its old stamp."""
    now = w.bc.rows[bc_id]
    w.bc.rows[bc_id] = contact_from_values(bc_id, "W/old", "2026-01-01T00:00:00Z", {**now.values, **values})


@pytest.mark.parametrize("mode", list(Mode))
def test_r33_when_a_company_went_back_in_time_nothing_is_written(world: World, mode: Mode) -> None:
    bc_id = anna(world, city="Berlin")
    other = world.bc.put(displayName="Bob", email="b@x.example")
    world.sync()
    world.bc.edit(bc_id, city="Ulm")
    world.sync()
    world.mailbox().edit(twin(world, other), job_title="Chief")
    before = world.written()

    go_back_in_time(world, bc_id, city="Berlin")
    first, second = world.sync(mode=mode), world.full()

    assert [each.kind for each in first.held] == ["company-restored"]
    assert (first.status, second.status) == (RunStatus.HELD, RunStatus.HELD)
    assert world.written() == before
    assert outlook_card(world, bc_id).city == "Ulm"


def test_r33_what_is_known_of_a_company_that_went_back_in_time_is_kept_as_it_was(world: World) -> None:
    bc_id = anna(world, city="Berlin")
    world.sync()
    world.bc.edit(bc_id, city="Ulm")
    world.sync()
    known = world.state.companies.contacts(COMPANY, [bc_id])
    feed = world.state.companies.feed(COMPANY)

    go_back_in_time(world, bc_id, city="Berlin")
    world.bc.put(displayName="Bob", email="b@x.example")
    world.sync()
    world.full()

    after = world.state.companies.feed(COMPANY)
    assert world.state.companies.contacts(COMPANY, [bc_id]) == known
    assert (after.head, after.watermark, after.contacts) == (feed.head, feed.watermark, feed.contacts)


def test_r33_it_is_read_once_more_before_it_counts(world: World) -> None:
    """A change that was seen before its commit and rolled back looks the same at first."""
    bc_id = anna(world, city="Berlin")
    world.sync()
    now = world.bc.rows[bc_id]
    go_back_in_time(world, bc_id)

    def rolled_back() -> None:
        world.faults.before("bc.read", lambda: world.bc.rows.__setitem__(bc_id, now))

    world.faults.before("bc.read", rolled_back)  # the first look shows it, the second does not
    report = world.sync()

    assert report.held == ()
    assert world.faults.calls.count("bc.read") == 2


def test_r33_contacts_that_are_merely_missing_are_deletions(world: World) -> None:
    bc_id = anna(world)
    world.sync()

    world.bc.delete(bc_id)
    report = world.sync()

    assert report.held == ()
    assert codes(report) == []
    assert names(world) == []


def test_r33_an_id_that_we_held_as_deleted_may_live_again(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    deleted = world.bc.rows[bc_id]
    world.bc.delete(bc_id)
    world.sync()

    world.bc.rows[bc_id] = deleted
    world.sync()

    assert names(world) == ["Anna Berg"]
    assert list(links(world)) == [bc_id]


@pytest.mark.parametrize("snapshot_too", [False, True])
def test_r33_a_feed_built_anew_from_a_list_that_is_too_short_still_sees_deletions(
    world: World, snapshot_too: bool
) -> None:
    """R25: whom the list does not show is looked at again; else nobody would hear of a deletion right after it."""
    bc_id = anna(world)
    world.sync()
    rows = world.state.companies.of(COMPANY)
    rows.state = FeedState(head=rows.state.head)
    if snapshot_too:
        rows.contacts.clear()
    world.bc.lists["contacts"] = {}

    world.sync()
    assert bc_id in links(world)
    world.bc.delete(bc_id)
    world.sync()

    assert not links(world)
    assert not seen(world)


def test_r33_a_feed_built_anew_from_a_list_that_is_too_old_takes_nobodys_edit_back(world: World) -> None:
    """R25: whom the enumeration, or what is left of the snapshot, knows to be newer is read again."""
    bc_id = anna(world)
    world.sync()
    old = dict(world.bc.rows)
    world.mailbox().edit(twin(world, bc_id), job_title="Chief")
    world.sync()
    rows = world.state.companies.of(COMPANY)
    rows.state = FeedState(head=rows.state.head)
    world.bc.lists["contacts"] = old

    world.sync()

    assert outlook_card(world, bc_id).job_title == world.bc.rows[bc_id].card.job_title == "Chief"
