"""Cleaning by age (R35, R36, R39): what goes, what stays, and nobody is harmed who was offline meanwhile."""

from contextlib import suppress
from datetime import datetime

import pytest

from shared.engine import retention, upkeep_tick
from shared.engine.company_state import FeedState
from shared.engine.model import RunStatus
from shared.engine.retention import MAILBOXES_MOST
from shared.engine.services import Services
from shared.engine.upkeep_tick import keep_all
from shared.planning.model import OnOutlookDelete
from tests.fakes.faults import Died
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, crowd, outlook_card, seen, twin


def upkeep(world: World, *, days: int = 0, ticks: int = 1) -> None:
    """Ticks of the upkeep timer: now, or once a day for some days."""
    for _ in range(days):
        world.clock.advance(days=1)
        keep_all(world.services)
    for _ in range(0 if days else ticks):
        world.clock.advance(minutes=15)
        keep_all(world.services)


def log(world: World) -> list[int]:
    return sorted(world.state.companies.of(COMPANY).log)


def reading_log(world: World) -> int:
    return len([each for each in world.faults.calls if each == "companies.log"])


def test_the_change_log_goes_after_its_days_and_the_snapshot_stays(world: World) -> None:
    ids = crowd(world, 3)
    world.sync()
    world.bc.edit(ids[0], city="Ulm")
    world.bc.delete(ids[1])
    world.sync()
    written = log(world)
    upkeep(world, days=30)
    assert log(world) == written

    upkeep(world, days=2)

    assert log(world) == []
    feed = world.services.companies.feed(COMPANY)
    assert (feed.floor, feed.head, feed.contacts) == (written[-1], written[-1], 2)
    world.bc.edit(ids[0], city="Bonn")
    world.sync()
    assert outlook_card(world, ids[0]).city == "Bonn"


def test_what_is_younger_stays_in_the_log(world: World) -> None:
    ids = crowd(world, 2)
    world.sync()
    world.bc.edit(ids[0], city="Ulm")
    world.sync()
    old = log(world)
    upkeep(world, days=20)
    world.bc.edit(ids[1], city="Ulm")
    world.sync()
    young = [each for each in log(world) if each not in old]

    upkeep(world, days=15)

    assert log(world) == young


def test_r39_the_values_of_a_contact_deleted_in_bc_go_with_the_days(world: World) -> None:
    ids = crowd(world, 3)
    world.bc.edit(ids[1], jobTitle="Keeper of secrets")
    world.sync()
    world.bc.delete(ids[1])
    world.sync()
    assert "Keeper of secrets" in stored(world)
    upkeep(world, days=33)
    assert "Keeper of secrets" not in stored(world)


def test_a_profile_that_was_offline_for_90_days_reads_everything_by_itself_and_loses_nothing(world: World) -> None:
    """R33: its position is below the floor."""
    world.profile("ben")
    ids = crowd(world, 12)
    world.sync("ada")
    world.sync("ben")
    position = world.state.mailboxes.of("ben", COMPANY, "ben").positions
    typed = twin(world, ids[3], "ben")
    world.bc.edit(ids[0], city="Ulm")
    world.bc.delete(ids[1])
    world.sync("ada")
    upkeep(world, days=90)
    assert position is not None
    assert log(world) == []
    assert position.log_position < world.services.companies.feed(COMPANY).floor
    world.mailbox("ben").edit(typed, job_title="Chief")
    late = anna(world)

    report = world.sync("ben")

    assert report.status is RunStatus.SUCCEEDED
    assert report.to_outlook.deleted == 1
    assert outlook_card(world, ids[0], "ben").city == "Ulm"
    assert outlook_card(world, late, "ben").name == "Anna Berg"
    assert world.bc.rows[ids[3]].card.job_title == "Chief"
    assert len(seen(world, "ben")) == len(world.bc.rows) == 12
    before = world.written()
    world.sync("ben")
    assert world.written() == before


def test_r26_a_profile_that_was_offline_for_90_days_is_held_back_from_many_removals(world: World) -> None:
    world.profile("ben")
    ids = crowd(world, 30)
    world.sync("ada")
    world.sync("ben")
    for bc_id in ids[:15]:
        world.bc.delete(bc_id)
    world.sync("ada", confirm_removals=15)
    upkeep(world, days=90)

    report = world.sync("ben")

    assert report.status is RunStatus.HELD
    assert len(seen(world, "ben")) == 30


def test_r23_what_a_user_hid_stays_hidden_however_old(world: World) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.HIDE})
    ids = crowd(world, 3)
    world.sync()
    world.mailbox().delete(twin(world, ids[0]))
    world.sync()
    upkeep(world, days=90)
    world.full()
    assert len(seen(world)) == 2


def a_log_of_a_month(world: World) -> None:
    """The next tick will raise the floor of the log."""
    ids = crowd(world, 2)
    world.sync()
    world.bc.edit(ids[0], city="Ulm")
    world.sync()
    upkeep(world, days=30)
    world.clock.advance(days=1)


def test_a_run_that_began_before_the_floor_rose_still_finds_its_entries(world: World) -> None:
    a_log_of_a_month(world)
    before = log(world)
    keep_all(world.services)
    assert world.services.companies.feed(COMPANY).floor == before[-1]
    upkeep(world, ticks=3)
    assert log(world) == before


def test_r35_r36_reports_and_journal_go_after_their_days_also_of_a_profile_that_never_runs_again(world: World) -> None:
    ids = crowd(world, 2)
    old = world.sync()
    upkeep(world, days=20)
    world.bc.edit(ids[0], city="Ulm")
    young = world.sync()
    world.state.profiles.delete(world.profile("ada"))

    upkeep(world, days=12)

    assert world.services.reports.get(old.run_id) is None
    assert list(world.services.journal.of_run(old.run_id)) == []
    assert world.services.reports.get(young.run_id) is not None
    assert list(world.services.journal.of_run(young.run_id))
    upkeep(world, days=20)
    assert (world.state.reports.rows, world.state.journal.rows) == ({}, {})


def test_r36_no_run_that_is_shown_lacks_its_journal_wherever_the_cleaning_dies() -> None:
    survived, at = False, 0
    while not survived:
        at += 1
        w = World.new()
        w.profile("ada")
        for number in range(3):
            anna(w, email=f"anna{number}@berg.example")
            w.sync()
        upkeep(w, days=29)
        w.clock.advance(days=1, hours=2)
        w.faults.die(at, after=True)
        with suppress(Died):
            keep_all(w.services)
            survived = True
        w.faults.restart()
        assert w.state.reports.rows.keys() <= {each.run_id for each in w.state.journal.rows.values()}
        upkeep(w, days=3)
        assert (w.state.reports.rows, w.state.journal.rows) == ({}, {})
    assert at > 10


def test_a_cleaning_that_dies_anywhere_is_finished_later_and_harms_nobody(world: World) -> None:
    """Every call of the round in which log, reports and journal go, before it and after its effect."""
    deaths = 0
    for after in (False, True):
        for at in range(1, 200):
            w, ids = _old()
            w.faults.die(at, after=after)
            try:
                upkeep(w, days=2)
                break
            except Died:
                deaths += 1
            w.faults.restart()
            w.clock.advance(minutes=2)
            w.bc.edit(ids[2], city="Bonn")
            w.sync("ben")  # it was offline all the time
            w.sync("ada")
            assert sorted(seen(w, "ben")) == sorted(seen(w, "ada"))
            assert len(seen(w, "ben")) == len(w.bc.rows)
            assert outlook_card(w, ids[2], "ben").city == "Bonn"
            upkeep(w, days=33)
            assert log(w) == []
            assert "Keeper of secrets" not in stored(w)
    assert deaths > 20


def _old() -> tuple[World, list[str]]:
    """A day before the days are over."""
    w = World.new()
    w.state.retention.most_removed = 2
    w.profile("ada")
    w.profile("ben")
    ids = crowd(w, 5)
    w.bc.edit(ids[1], jobTitle="Keeper of secrets")
    w.sync("ada")
    w.sync("ben")
    w.bc.edit(ids[0], city="Ulm")
    w.bc.delete(ids[1])
    w.sync("ada")
    upkeep(w, days=30)
    return w, ids


def test_a_tick_with_nothing_to_clean_costs_one_request(world: World) -> None:
    crowd(world, 3)
    world.sync()
    upkeep(world, ticks=2)
    world.faults.calls.clear()
    upkeep(world, ticks=1)
    assert [each for each in world.faults.calls if each.startswith(("retention.", "reports.", "journal."))] == [
        "retention.progress"
    ]


def reports_of_a_month(world: World, count: int) -> list[str]:
    """Users whose reports the next tick may remove, in the order in which it looks at them."""
    users = [f"user{number:03d}" for number in range(count)]
    crowd(world, 1)
    for user in users:
        world.profile(user)
        world.sync(user)
    upkeep(world, ticks=2)
    world.clock.advance(days=31)
    return users


def test_one_tick_cleans_all_mailboxes_that_it_has_time_for(world: World) -> None:
    reports_of_a_month(world, MAILBOXES_MOST + 5)
    upkeep(world, ticks=1)
    assert world.state.reports.rows == {}


def test_a_tick_whose_time_is_over_stops_and_the_next_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    users = reports_of_a_month(world, 30)
    looked: list[str] = []
    clean = retention._clean_mailbox

    def slow(services: Services, mailbox_id: str, at: datetime) -> bool:
        looked.append(mailbox_id)
        world.clock.advance(seconds=world.limits.run_budget / 10)
        return clean(services, mailbox_id, at)

    monkeypatch.setattr(retention, "_clean_mailbox", slow)
    monkeypatch.setattr(retention, "in_parallel", lambda work, items: [work(each) for each in items])
    for done in (10, 20, 30):
        upkeep(world, ticks=1)
        assert looked == users[:done]
        assert {each.mailbox_id for each in world.state.reports.rows.values()} == set(users[done:])


def test_a_tick_that_took_all_its_time_for_subscriptions_cleans_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(services: Services, *_: object) -> int:
        world.clock.advance(seconds=world.limits.run_budget + 1)
        return 0

    reports_of_a_month(world, 3)
    world.public_address = "https://sync.contoso.example"
    monkeypatch.setattr(upkeep_tick, "_compare_with_graph", slow)
    upkeep(world, ticks=1)
    assert world.state.reports.rows == {}


def test_a_company_that_is_being_read_is_cleaned_at_a_later_tick(world: World) -> None:
    a_log_of_a_month(world)
    reader = world.services.companies.hold_feed(COMPANY, "reader")
    keep_all(world.services)
    assert world.services.companies.feed(COMPANY).floor == 0
    reader.release()  # type: ignore[union-attr]
    upkeep(world)
    assert world.services.companies.feed(COMPANY).floor > 0


def stored(world: World) -> str:
    """Everything that storage holds, as text."""
    state = world.state
    held = [state.companies.rows, state.mailboxes.rows, state.reports.rows, state.journal.rows]
    return repr(held)


def hidden(world: World) -> set[str]:
    return set(world.state.mailboxes.of("ada", COMPANY, "ada").hidden)


def test_the_mark_of_a_hidden_contact_goes_when_bc_has_deleted_it_as_long_ago_as_the_log_reaches(world: World) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.HIDE})
    ids = crowd(world, 3)
    world.sync()
    for each in ids[:2]:
        world.mailbox().delete(twin(world, each))
    world.sync()
    world.bc.delete(ids[0])
    world.sync()
    upkeep(world, days=29)
    assert hidden(world) == {ids[0], ids[1]}

    upkeep(world, days=4)

    assert hidden(world) == {ids[1]}  # who is in Business Central stays away as before
    world.full()
    assert len(seen(world)) == 1


def test_no_mark_goes_while_the_company_is_not_known(world: World) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.HIDE})
    ids = crowd(world, 2)
    world.sync()
    world.mailbox().delete(twin(world, ids[0]))
    world.sync()
    company = world.state.companies.of(COMPANY)
    company.state = FeedState(head=company.state.head)
    company.contacts.clear()
    upkeep(world, days=40)
    assert hidden(world) == {ids[0]}
