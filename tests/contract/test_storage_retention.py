"""What `Retention` promises, and what `Reports` and `Journal` promise about age."""

import uuid
from datetime import timedelta

import pytest

from shared.engine.company_state import FeedChanges, FeedState
from shared.engine.journal import Batch
from shared.engine.model import Mode, Report, RunStatus, Trigger
from shared.engine.retention_state import Head, LogAges, Progress
from shared.engine.run_ids import run_id
from shared.planning.journalled import Entry, Verb
from shared.planning.model import Side
from tests.contract.storage_kinds import START, World
from tests.contract.test_storage_companies import built, contact


def report(world: World, hours: float) -> Report:
    at = START + timedelta(hours=hours)
    run = run_id(world.mailbox, at, "0000000a")
    return Report(
        run, world.company, world.user, world.mailbox, Mode.INCREMENTAL, Trigger.TIMER, RunStatus.SUCCEEDED, at
    )


def journalled(world: World, mailbox_id: str) -> None:
    run = run_id(mailbox_id, START, "0000000a")
    entry = Entry(Side.OUTLOOK, Verb.CREATED, "bc-1", "o-1")
    world.journal.put(Batch(run, "0001000001", world.company, world.user, START, (entry,)))


def test_progress_is_remembered(world: World) -> None:
    progress = Progress(START, companies=True, mailbox=world.mailbox)
    world.retention.save_progress(progress)
    assert world.retention.progress() == progress
    world.retention.save_progress(Progress(START, over=True))
    assert world.retention.progress() == Progress(START, over=True)


def test_the_ages_of_a_log_are_remembered_by_company(world: World) -> None:
    assert world.retention.log_ages(world.company) == LogAges()
    ages = LogAges((Head(START, 3), Head(START + timedelta(days=1), 5)), floor=2, floor_at=START)
    world.retention.save_log_ages(world.company, ages)
    assert world.retention.log_ages(world.company) == ages
    assert world.retention.log_ages(str(uuid.uuid4())) == LogAges()


def test_entries_of_the_log_go_up_to_a_number_and_nothing_else_does(world: World) -> None:
    state = built(world, [contact(each) for each in range(5)])
    feed = world.hold_feed()
    state = feed.commit(FeedChanges(changed=[contact(each, city="Ulm") for each in range(5)], gone=[contact(4).id]))
    feed.release()
    assert world.retention.remove_log(world.company, 4) == 4
    assert world.retention.remove_log(world.company, 4) == 0
    assert [each.sequence for each in world.companies.log(world.company, 0, state.head)] == [5, 6]
    assert len(list(world.companies.all_contacts(world.company))) == 4
    assert world.companies.feed(world.company) == state


def test_many_entries_go_a_part_at_a_time(world: World) -> None:
    built(world, [])
    feed = world.hold_feed()
    feed.commit(FeedChanges(changed=[contact(each) for each in range(900)]))
    feed.release()
    assert world.retention.remove_log(world.company, 850) == 400
    assert world.retention.remove_log(world.company, 850) == 400
    assert world.retention.remove_log(world.company, 850) == 50
    assert len(world.companies.log(world.company, 0, 900)) == 50


def test_a_feed_goes_on_behind_a_floor(world: World) -> None:
    state = built(world, [contact(1)])
    feed = world.hold_feed()
    state = feed.commit(FeedChanges(changed=[contact(2)]))
    raised = feed.commit(FeedChanges(state=FeedState(epoch="e1", watermark="w1", floor=state.head)))
    assert (raised.floor, raised.head, raised.contacts) == (1, 1, 2)
    assert feed.commit(FeedChanges(changed=[contact(3)])).head == 2
    feed.release()


def test_claims_that_ended_go_others_stay(world: World) -> None:
    world.companies.claim(world.company, ["old@example.com"], "ada", START + timedelta(minutes=5))
    world.companies.claim(world.company, ["new@example.com"], "ada", START + timedelta(days=3))
    assert world.retention.remove_claims(world.company, START + timedelta(days=1)) == 1
    assert world.retention.remove_claims(world.company, START + timedelta(days=1)) == 0
    claimed = world.companies.claim(
        world.company, ["old@example.com", "new@example.com"], "ben", START + timedelta(days=1)
    )
    assert claimed == {"old@example.com"}


def test_r4_the_index_of_profiles_that_are_gone_goes(world: World) -> None:
    here, gone, ids = str(uuid.uuid4()), str(uuid.uuid4()), [contact(each).id for each in range(3)]
    for each in (here, gone):
        world.companies.note_outside(world.company, each, ids, linked=True)
    assert world.retention.remove_outside(world.company, {here}) == 3
    assert world.retention.remove_outside(world.company, {here}) == 0
    assert world.companies.outside(world.company, ids) == dict.fromkeys(ids, frozenset({here}))


def test_companies_are_found_without_their_profiles(world: World) -> None:
    world.retention.save_progress(Progress(START))
    built(world, [contact(1)])
    other = str(uuid.uuid4())
    world.companies.note_outside(other, world.user, [contact(1).id], linked=True)
    found = world.retention.companies()
    assert {world.company, other} <= set(found)
    assert all(uuid.UUID(each) for each in found)


def test_mailboxes_are_found_by_reports_and_journal_in_pieces(world: World) -> None:
    others = sorted(str(uuid.uuid4()) for _ in range(3))
    world.reports.save(report(world, 0))
    world.reports.save(report(world, 1))
    for each in (world.mailbox, *others):
        journalled(world, each)
    wanted = sorted([world.mailbox, *others])
    found: list[str] = []
    while piece := world.retention.mailboxes(found[-1] if found else "", 2):
        assert len(piece) <= 2
        found += piece
    assert found == sorted(set(found))
    assert [each for each in found if each in wanted] == wanted


@pytest.mark.parametrize("hours", [0, -1])
def test_r35_reports_of_older_runs_go_others_stay(world: World, hours: float) -> None:
    old, young = report(world, hours), report(world, 2)
    for each in (old, young):
        world.reports.save(each)
    assert world.reports.remove_before(world.mailbox, START + timedelta(hours=1)) == 1
    assert world.reports.remove_before(world.mailbox, START + timedelta(hours=1)) == 0
    assert (world.reports.get(old.run_id), world.reports.get(young.run_id)) == (None, young)
