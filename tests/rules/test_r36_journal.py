"""R36: every write is journalled, with the values before and after, before it goes out."""

from collections import Counter

import pytest

from shared.engine.departures import remove_profile
from shared.errors import OutcomeUnknown
from shared.pace import Pace
from shared.planning.journalled import Entry, Verb, bc_values, values_of
from shared.planning.model import Cause, OnOutlookDelete, Side
from tests.fakes.faults import Died
from tests.fakes.world import World
from tests.rules.glances import anna, outlook_card, twin
from tests.rules.scenes import linked, told

type Cards = dict[tuple[Side, str], dict[str, str]]


def entries(w: World, run_id: str | None = None) -> list[Entry]:
    """The journal, oldest run first."""
    found = sorted(w.state.journal.rows.values(), key=lambda each: (each.run_id.split(".")[0], each.number))
    runs: dict[str, list[Entry]] = {}
    for batch in found:
        runs.setdefault(batch.run_id, []).extend(batch.entries)
    return runs.get(run_id, []) if run_id else [each for run in reversed(list(runs)) for each in runs[run]]


def cards(w: World) -> Cards:
    """What both sides hold."""
    bc = {(Side.BC, key): bc_values(each) for key, each in w.bc.rows.items()}
    boxes = w.directory.mailboxes.values()
    return bc | {
        (Side.OUTLOOK, key): values_of(each.contact.card) for box in boxes for key, each in box.entries.items()
    }


def played(before: Cards, journal: list[Entry]) -> Cards:
    """The journal played on top of what was there: each entry must find what it says was there before."""
    now = {key: dict(values) for key, values in before.items()}
    for entry in journal:
        key = (entry.side, entry.bc_id if entry.side is Side.BC else entry.outlook_id)
        if entry.verb is Verb.CREATED:
            assert key not in now
            now[key] = dict(entry.after)
        elif entry.verb is Verb.DELETED:
            assert now.pop(key) == dict(entry.before)
        else:
            assert {name: now[key].get(name, "") for name in entry.before} == dict(entry.before)
            now[key] = {name: value for name, value in (now[key] | dict(entry.after)).items() if value}
    return now


def written(w: World) -> Counter[str]:
    """What both services were told to do with contacts."""
    logs = [w.bc.writes, *(each.writes for each in w.directory.mailboxes.values())]
    names = {"create": "created", "write": "updated", "remove": "deleted"}
    return Counter(names[each] for log in logs for each in log if each != "folder")


@pytest.mark.parametrize("policy", list(OnOutlookDelete))
def test_r36_the_journal_of_a_rich_story_leads_from_what_was_to_what_is(policy: OnOutlookDelete) -> None:
    w = told(policy)
    w.profile("bob")
    w.sync("bob")
    before, wrote, known = cards(w), written(w), len(entries(w))
    w.sync()
    w.sync("bob")
    w.full()

    journal = entries(w)[known:]
    assert Counter(each.verb.value for each in journal) == written(w) - wrote
    assert {each.verb for each in journal} >= {Verb.CREATED, Verb.UPDATED, Verb.DELETED}
    assert played(before, journal) == cards(w)
    assert all(each.bc_id and each.outlook_id for each in journal)
    assert all(each.cause in set(Cause) for each in journal)


def test_r36_every_write_from_the_beginning_is_in_the_journal() -> None:
    w = told(OnOutlookDelete.RESTORE)
    w.sync()
    assert Counter(each.verb.value for each in entries(w)) == written(w)


def test_r36_an_entry_says_whose_edit_it_was(world: World) -> None:
    world.profile("bob")
    bc_id = anna(world)
    world.sync()
    world.sync("bob")

    world.mailbox().edit(twin(world, bc_id), city="Ulm")
    by_ada = entries(world, world.sync().run_id)
    by_bob = entries(world, world.sync("bob").run_id)
    world.bc.edit(bc_id, city="Bonn")
    by_nobody = entries(world, world.sync("bob").run_id)

    assert [(each.side, each.by) for each in by_ada] == [(Side.BC, "ada")]
    assert [(each.side, each.by) for each in by_bob] == [(Side.OUTLOOK, "ada")]
    assert [(each.side, each.by) for each in by_nobody] == [(Side.OUTLOOK, "")]
    assert (dict(by_bob[0].before), dict(by_bob[0].after)) == ({"city": ""}, {"city": "Ulm"})


def test_r36_what_bc_does_to_a_contact_by_itself_is_in_the_journal(world: World) -> None:
    world.bc.put(displayName="Acme", type="Company", phoneNumber="555")
    bc_id = anna(world)
    world.sync()
    world.mailbox().edit(twin(world, bc_id), company="Acme")
    before = cards(world)
    journal = entries(world, world.sync().run_id)
    in_bc = next(each for each in journal if each.side is Side.BC)
    assert in_bc.after["phoneNumber"] == "555" and in_bc.before["phoneNumber"] == ""
    assert in_bc.after["companyNumber"] and not in_bc.before["companyNumber"]
    assert played(before, journal) == cards(world)


def test_r36_runs_without_writes_write_no_journal_and_a_batch_at_most_two_rows(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    world.faults.calls.clear()
    world.sync()
    world.full()
    world.tick()
    assert "journal.put" not in world.faults.calls

    world.bc.edit(bc_id, city="Ulm")
    world.sync()
    assert world.faults.calls.count("journal.put") == 1  # it came as it was intended
    anna(world, email="other@x.example")
    world.faults.calls.clear()
    world.sync()
    assert world.faults.calls.count("journal.put") == 2  # now the new id is known


def test_r36_no_death_leaves_a_write_that_is_not_in_the_journal() -> None:
    calls = told(OnOutlookDelete.DELETE)
    calls.request()
    known = len(calls.faults.calls)
    calls.work()
    total = len(calls.faults.calls) - known
    for at in range(1, total + 1, 3):
        for after in (False, True):
            w = told(OnOutlookDelete.DELETE)
            before, wrote, had = cards(w), written(w), len(entries(w))
            w.request()
            w.faults.die(at, after=after)
            with pytest.raises(Died):
                w.work()
            done = written(w) - wrote
            journal = Counter(each.verb.value for each in entries(w)[had:])
            assert done <= journal, f"call {at}, after: {after}"
            for key in cards(w).keys() & before.keys():
                changes = [each for each in entries(w)[had:] if key == (each.side, _id(each))]
                assert cards(w)[key] == before[key] or changes, f"call {at}, after: {after}"


def _id(entry: Entry) -> str:
    return entry.bc_id if entry.side is Side.BC else entry.outlook_id


def test_r36_a_failed_write_is_not_in_the_journal_one_without_an_answer_is(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    world.bc.refused_values = {"city": "Nowhere"}
    world.mailbox().edit(twin(world, bc_id), city="Nowhere")
    assert entries(world, world.sync().run_id) == []

    new = anna(world, email="other@x.example")
    world.faults.fail(1, OutcomeUnknown("lost"), call="graph.create")
    kept = entries(world, world.sync().run_id)
    assert [(each.verb, each.bc_id, each.outlook_id) for each in kept] == [(Verb.CREATED, new, "")]


def test_r36_what_leaves_with_a_profile_is_in_the_journal(world: World) -> None:
    bc_id, outlook_id = linked(world)
    before = outlook_card(world, bc_id)
    had = len(entries(world))
    profile = world.profile("ada")
    remove_profile(world.services, profile, contacts=True, actor="boss", pace=Pace(10**12))
    gone = entries(world)[had:]
    assert [(each.verb, each.bc_id, each.outlook_id) for each in gone] == [(Verb.DELETED, bc_id, outlook_id)]
    assert dict(gone[0].before) == values_of(before)
