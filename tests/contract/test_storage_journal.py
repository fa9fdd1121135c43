"""What `Journal` promises (R36)."""

from dataclasses import replace
from datetime import timedelta

from shared.cards.model import Origin
from shared.engine.journal import Batch
from shared.engine.run_ids import run_id
from shared.planning.journalled import Entry, Verb
from shared.planning.model import Cause, Side
from tests.contract.storage_kinds import START, World

ENTRY = Entry(
    Side.OUTLOOK,
    Verb.UPDATED,
    "bc-1",
    "AAMk=/+",
    {"city": "Bonn \U0001f600", "givenName": ""},
    {"city": "Ulm", "givenName": "Anna"},
    Cause.CHANGED_IN_BC.value,
    "ada",
    Origin.USER,
)


def batch(world: World, number: int, *entries: Entry, hours: float = 0) -> Batch:
    run = run_id(world.mailbox, START + timedelta(hours=hours), "0000000a")
    return Batch(run, f"0001{number:06d}", world.company, world.user, START, entries)


def test_r36_a_run_is_read_in_the_order_in_which_it_wrote(world: World) -> None:
    second, first = batch(world, 2, ENTRY), batch(world, 1, replace(ENTRY, verb=Verb.CREATED, before={}))
    for each in (second, first, batch(world, 1, ENTRY, hours=1)):
        world.journal.put(each)
    assert list(world.journal.of_run(first.run_id)) == [first, second]
    assert list(world.journal.of_run("no-run")) == []


def test_r36_a_mailbox_is_read_newest_run_first(world: World) -> None:
    batches = [batch(world, 1, ENTRY, hours=each) for each in range(3)]
    for each in batches:
        world.journal.put(each)
    assert list(world.journal.of_mailbox(world.mailbox)) == batches[::-1]


def test_r36_a_batch_is_replaced_by_what_came_of_it(world: World) -> None:
    intended = batch(world, 1, ENTRY, replace(ENTRY, bc_id="bc-2"))
    rows = world.journal.put(intended)
    done = replace(intended, entries=(ENTRY,))
    assert world.journal.put(done, rows=rows) == 1
    assert list(world.journal.of_run(done.run_id)) == [done]
    world.journal.put(replace(done, entries=()), rows=1)
    assert list(world.journal.of_run(done.run_id)) == []


def test_r36_a_batch_larger_than_a_row_is_kept_whole_and_replaced_whole(world: World) -> None:
    long = {"website": "ä" * 20_000}
    large = batch(world, 1, *(replace(ENTRY, bc_id=f"bc-{each}", after=long) for each in range(40)))
    rows = world.journal.put(large)
    assert [entry for each in world.journal.of_run(large.run_id) for entry in each.entries] == list(large.entries)
    world.journal.put(replace(large, entries=large.entries[:1]), rows=rows)
    assert [entry for each in world.journal.of_run(large.run_id) for entry in each.entries] == [large.entries[0]]


def test_r36_each_part_of_a_batch_can_be_replaced_by_itself(world: World) -> None:
    long = {"website": "ä" * 20_000}
    world.journal.put(batch(world, 1, *(replace(ENTRY, bc_id=f"bc-{each}", after=long) for each in range(40))))
    for each in list(world.journal.of_mailbox(world.mailbox)):
        world.journal.put(replace(each, entries=tuple(replace(one, after={}) for one in each.entries)))
    assert {len(entry.after) for each in world.journal.of_mailbox(world.mailbox) for entry in each.entries} == {0}


def test_r35_old_runs_are_removed_from_the_journal_others_stay(world: World) -> None:
    old, young = batch(world, 1, ENTRY), batch(world, 1, ENTRY, hours=2)
    world.journal.put(old)
    world.journal.put(young)
    assert world.journal.remove_before(world.mailbox, START + timedelta(hours=1)) == 1
    assert list(world.journal.of_mailbox(world.mailbox)) == [young]
    assert world.journal.remove_before(world.mailbox, START + timedelta(hours=1)) == 0
