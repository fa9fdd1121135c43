"""What `Companies` and `HeldFeed` promise."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from shared.cards.business_central import contact_from_values, digest, without_values
from shared.cards.model import BcContact
from shared.engine.company_state import FeedChanges, FeedState, LogEntry, Told
from shared.engine.holds import Hold
from shared.engine.model import CompanySettings
from shared.engine.state import Busy
from shared.errors import LeaseLost, RequestError
from shared.storage import companies
from shared.storage.companies import TableCompanies
from shared.storage.feed import read_buckets
from shared.storage.tables import Table
from tests.contract.storage_kinds import START, World


def contact(number: int, *, kind: str = "Person", email: str = "", name: str = "", **values: str | bool) -> BcContact:
    bc_id = str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))
    return contact_from_values(
        bc_id,
        f'W/"{number}"',
        f"2026-11-24T08:00:{number % 60:02d}.{number % 1000:03d}Z",
        {
            "number": f"CT{number:06d}", "type": kind, "displayName": name or f"Name {number}",
            "email": email or f"p{number}@example.com", "privacyBlocked": False, **values,
        },
    )  # fmt: skip


def built(world: World, contacts: list[BcContact]) -> FeedState:
    feed = world.hold_feed()
    state = feed.commit(FeedChanges(changed=contacts, log=False, state=FeedState(epoch="e1", watermark="w1")))
    feed.release()
    return state


def test_a_company_never_read_has_an_empty_feed(world: World) -> None:
    assert world.companies.feed(world.company) == FeedState()
    assert world.companies.log(world.company, 0, 10) == []
    assert list(world.companies.all_contacts(world.company)) == []
    assert world.companies.persons_with(world.company, ["a@b.c"]) == {}
    assert world.companies.countries(world.company) == {}


def test_the_first_build_makes_a_snapshot_and_no_log(world: World) -> None:
    contacts = [contact(each) for each in range(150)] + [contact(900, kind="Company")]
    state = built(world, contacts)
    assert (state.epoch, state.head, state.persons, state.contacts) == ("e1", 0, 150, 151)
    assert world.companies.feed(world.company) == state
    assert {each.id: each for each in world.companies.all_contacts(world.company)} == {
        each.id: each for each in contacts
    }
    assert dict(world.companies.digests(world.company)) == {each.id: digest(each.values) for each in contacts}
    assert world.companies.contacts(world.company, [contacts[3].id, str(uuid.uuid4())]) == {contacts[3].id: contacts[3]}
    assert len(world.companies.contacts(world.company, [each.id for each in contacts[:120]])) == 120
    roster = world.hold_feed().roster()
    assert roster.keys() == {each.id for each in contacts}
    assert roster[contacts[7].id].stamp == contacts[7].modified
    assert roster[contacts[7].id].person and not roster[contacts[150].id].person


@pytest.mark.parametrize("count", [3, 260])
def test_a_refresh_appends_to_the_log_and_changes_the_snapshot(world: World, count: int) -> None:
    old = [contact(each) for each in range(count)]
    built(world, old)
    feed = world.hold_feed()
    new = [contact(each, jobTitle="new") for each in range(count - 1)]
    state = feed.commit(FeedChanges(changed=new, gone=[old[-1].id], state=replace(feed.state(), watermark="w2")))
    assert (state.head, state.watermark, state.persons, state.epoch) == (count, "w2", count - 1, "e1")
    assert world.companies.feed(world.company) == state == feed.state()
    log = world.companies.log(world.company, 0, state.head)
    assert log[0] == LogEntry(1, new[0].id, new[0], old[0])
    assert log[-1] == LogEntry(count, old[-1].id, None, old[-1])
    assert len(log) == count
    assert world.companies.log(world.company, count - 1, count) == [log[-1]]
    assert world.companies.contacts(world.company, [old[0].id, old[-1].id]) == {old[0].id: new[0]}
    assert old[-1].id not in feed.roster()


def test_the_log_says_who_is_new_and_who_wrote(world: World) -> None:
    built(world, [contact(1)])
    state = world.hold_feed().commit(FeedChanges(changed=[contact(2)], by="ada"))
    assert world.companies.log(world.company, 0, state.head) == [LogEntry(1, contact(2).id, contact(2), None, "ada")]


def test_what_was_told_is_remembered_as_it_was_said(world: World) -> None:
    assert world.companies.told(world.company) == Told()
    for told in (Told("e1", 7), Told("e2", 3)):
        world.companies.has_told(world.company, told)
        assert world.companies.told(world.company) == told


def test_a_company_is_asked_for_once_until_a_reading_begins_or_the_message_seems_lost(world: World) -> None:
    assert world.companies.ask(world.company, world.clock.now)
    world.wait(10)
    assert not world.companies.ask(world.company, world.clock.now)
    world.companies.answered(world.company)
    assert world.companies.ask(world.company, world.clock.now)
    world.wait(61)
    assert world.companies.ask(world.company, world.clock.now)
    assert not world.companies.ask(world.company, world.clock.now)


def test_a_commit_of_facts_alone_moves_no_head(world: World) -> None:
    built(world, [contact(1)])
    feed = world.hold_feed()
    held = Hold("company-deletions", 2, "more than 1", START, START)
    stored = replace(feed.state(), refreshed_at=START, floor=0, held=held)
    assert feed.commit(FeedChanges(state=stored, countries={"CH": "Schweiz", "DE": "Deutschland"})) == stored
    assert world.companies.countries(world.company) == {"CH": "Schweiz", "DE": "Deutschland"}
    assert world.companies.feed(world.company).held == held


def test_the_refresh_of_a_lost_lease_is_refused(world: World) -> None:
    built(world, [contact(1)])
    late = world.hold_feed()
    world.die(late)
    assert isinstance(world.companies.hold_feed(world.company, "other"), Busy)
    world.wait(61)
    second = world.hold_feed("other")
    with pytest.raises(LeaseLost):
        late.commit(FeedChanges(changed=[contact(2)]))
    with pytest.raises(LeaseLost):
        late.keep()
    second.keep()
    assert world.companies.feed(world.company).head == 0


def test_r07_persons_are_found_by_their_first_valid_address(world: World) -> None:
    both = [contact(2, email="Ada@Example.com; x@y.zz"), contact(1, email="ada@example.com", privacyBlocked=True)]
    built(world, [*both, contact(3, email="x@y.zz"), contact(4, kind="Company", email="ada@example.com")])
    found = world.companies.persons_with(world.company, ["ada@example.com", "nobody@example.com", ""])
    assert found == {"ada@example.com": (both[1], both[0])}
    feed = world.hold_feed()
    feed.commit(FeedChanges(changed=[contact(5, email="new@example.com")], gone=[both[0].id]))
    found = world.companies.persons_with(world.company, ["ada@example.com", "new@example.com"])
    assert {key: [each.number for each in persons] for key, persons in found.items()} == {
        "ada@example.com": ["CT000001"],
        "new@example.com": ["CT000005"],
    }


def test_threads_that_look_for_persons_at_once_read_the_roster_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would hold all of a large company meanwhile."""
    if world.tables is None:
        pytest.skip("there is no roster in memory")
    built(world, [contact(1)])
    arrived, calls = threading.Barrier(4), count()
    readings: list[str] = []

    def slow(table: Table, company_id: str) -> object:
        readings.append(company_id)
        return read_buckets(table, company_id)

    def at_once(self: TableCompanies, company_id: str, version: str) -> object:
        found = known(self, company_id, version)
        if next(calls) < 4:  # nobody reads before all have seen that there is nothing yet
            arrived.wait(10)
        return found

    known = TableCompanies._known_index
    monkeypatch.setattr(companies, "read_buckets", slow)
    monkeypatch.setattr(TableCompanies, "_known_index", at_once)
    with ThreadPoolExecutor(4) as pool:
        looks = [pool.submit(world.companies.persons_with, world.company, ["p1@example.com"]) for _ in range(4)]
        assert [list(each.result(20)) for each in looks] == [["p1@example.com"]] * 4
    assert readings == [world.company]


def test_r18_companies_are_found_by_name(world: World) -> None:
    built(
        world, [contact(1, kind="Company", name="Ärzte  AG"), contact(2, kind="Company", name="ärzte ag"), contact(3)]
    )
    found = world.companies.companies_named(world.company, ["ärzte ag", "name 3", ""])
    assert found == {"ärzte ag": ("CT000001", "CT000002")}


def test_r9_a_claim_keeps_others_out_until_it_ends_or_is_released(world: World) -> None:
    until = START + timedelta(minutes=5)
    companies, company = world.companies, world.company
    assert companies.claim(company, ["a", "b"], "m1", until) == {"a", "b"}
    assert companies.claim(company, ["b", "c"], "m2", until) == {"c"}
    assert companies.claim(company, ["a", "b"], "m1", until + timedelta(minutes=1)) == {"a", "b"}
    companies.release_claims(company, ["a", "c"], "m1")
    assert companies.claim(company, ["a", "c"], "m3", until) == {"a"}
    world.wait(7 * 60)
    assert companies.claim(company, ["a", "b", "c"], "m4", START + timedelta(hours=1)) == {"a", "b", "c"}


def test_settings_are_saved_only_as_they_were_read(world: World) -> None:
    fresh = world.companies.settings(world.company)
    assert fresh == CompanySettings(world.company)
    stored = world.companies.save_settings(replace(fresh, name="CRONUS", base_filter={"city": "Z*"}))
    assert world.companies.settings(world.company) == stored
    with pytest.raises(RequestError) as error:
        world.companies.save_settings(replace(fresh, excluded_fields=("email",)))
    assert (error.value.code, error.value.status) == ("changed-meanwhile", 409)
    world.companies.save_settings(replace(stored, excluded_fields=("email",)))
    with pytest.raises(RequestError):
        world.companies.save_settings(stored)


def test_r31_a_stop_of_writes_survives_a_refresh(world: World) -> None:
    built(world, [contact(1)])
    feed = world.hold_feed()
    before = feed.state()
    world.companies.stop_writes(world.company, START, "no number series")
    feed.commit(FeedChanges(changed=[contact(2)], state=before))
    state = world.companies.feed(world.company)
    assert (state.writes_stopped_until, state.writes_stopped_reason) == (START, "no number series")
    world.companies.stop_writes(world.company, None, "")
    world.companies.stop_writes(world.company, None, "")
    assert world.companies.feed(world.company).writes_stopped_until is None


def test_r4_links_outside_the_filter_are_found_by_contact(world: World) -> None:
    note, company = world.companies.note_outside, world.company
    note(company, "p1", ["a", "b"], linked=True)
    note(company, "p2", ["b"], linked=True)
    note(company, "p1", ["a", "never"], linked=False)
    assert world.companies.outside(company, ["a", "b", "c"]) == {"b": frozenset({"p1", "p2"})}
    assert world.companies.outside(company, [*(f"x{each}" for each in range(150)), "b"]) == {
        "b": frozenset({"p1", "p2"})
    }


@pytest.mark.parametrize("number", [3, 3_000])
def test_r26_what_waits_for_a_company_is_stored_with_its_state(world: World, number: int) -> None:
    ids = [f"{each:036d}" for each in range(number)]
    hold = Hold("company-deletions", number, "too many", world.clock.now, world.clock.now)
    held = world.hold_feed()

    held.commit(FeedChanges(state=FeedState(epoch="e", held=hold), held={"company-deletions": ids}))
    assert world.companies.feed(world.company).held == hold
    assert world.companies.held(world.company, "company-deletions") == frozenset(ids)
    held.commit(FeedChanges(state=FeedState(epoch="e"), held={"company-deletions": ()}))

    assert world.companies.held(world.company, "company-deletions") == frozenset()


def test_r39_who_was_erased_is_known_by_keyed_hashes_of_one_company(world: World) -> None:
    assert not world.companies.erased(world.company).marks
    marked = world.companies.mark_erased(world.company, ["anna@x.example", ""])
    world.companies.mark_erased(world.company, ["id-1", "anna@x.example"])

    known = world.companies.erased(world.company)
    assert marked.marks < known.marks and len(known.marks) == 2
    assert "anna@x.example" in known and "id-1" in known and "otto@x.example" not in known and "" not in known
    assert "anna@x.example" not in world.companies.erased(str(uuid.uuid4()))


def test_r39_log_entries_are_rewritten_where_they_lie(world: World) -> None:
    built(world, [contact(1), contact(2)])
    feed = world.hold_feed()
    feed.commit(FeedChanges(changed=[contact(1, city="Bonn"), contact(2, city="Ulm")]))
    first, second = feed.all_log()
    emptied = [replace(first, after=without_values(contact(1)), before=None)]
    state = feed.commit(FeedChanges(changed=[without_values(contact(1))], rewritten=emptied, log=False))
    feed.release()

    assert state.head == 2 and state.persons == 1 and state.contacts == 2
    assert world.companies.log(world.company, 0, 2) == [emptied[0], second]
    assert world.companies.contacts(world.company, [contact(1).id])[contact(1).id].values == {}
    assert not world.companies.persons_with(world.company, ["p1@example.com"])


def test_r39_claims_are_forgotten_whoever_has_them(world: World) -> None:
    until = START + timedelta(minutes=10)
    world.companies.claim(world.company, ["a@x", "b@x"], "run-1", until)
    world.companies.forget_claims(world.company, ["a@x", "c@x"])
    assert world.companies.claim(world.company, ["a@x", "b@x"], "run-2", until) == {"a@x"}
