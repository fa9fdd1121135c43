"""R12 to R14: which changes travel, which of two wins, and what a run reads."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.cards.business_central import contact_from_values
from shared.cards.model import Field
from shared.engine.company_feed import as_stamp
from shared.engine.limits import Limits
from shared.engine.model import CompanySettings, RunStatus
from shared.engine.sides import OutlookWrite
from shared.outlook.mapping import body_of_write, contact_of
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, names, note, outlook_card, seen, twin

# ---------------------------------------------------------------- R12


def test_r12_only_fields_that_changed_since_the_base_travel(world: World) -> None:
    """Outlook holds another city than BC because BC's user changed it a moment after the run had read BC."""
    bc_id = anna(world, city="Berlin", jobTitle="Clerk")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), job_title="Chief")
    world.faults.before("bc.write", lambda: world.bc.edit(bc_id, city="Ulm"))
    world.sync()
    world.sync()

    assert (world.bc.rows[bc_id].card.job_title, world.bc.rows[bc_id].card.city) == ("Chief", "Ulm")
    assert outlook_card(world, bc_id).city == "Ulm"


def test_r12_outlook_data_that_bc_cannot_hold_is_never_touched() -> None:
    """A write replaces whole lists and the whole address in Graph: what shares a property with it goes along."""
    current = contact_of(
        {
            "id": "x",
            "displayName": "Anna Berg",
            "businessPhones": ["1", "2"],
            "businessAddress": {"street": "A\nB\nC", "city": "Ulm"},
            "personalNotes": "secret",
            "birthday": "1990-01-01T00:00:00Z",
            "homeAddress": {"city": "Home"},
            "categories": ["Friends"],
        },
        marks_known=True,
    )
    assert current is not None

    body = body_of_write(OutlookWrite(current, {Field.PHONE: "9", Field.ADDRESS_1: "Z"}), "Business Central")

    assert body["businessPhones"] == ["9", "2"]
    assert body["businessAddress"]["street"] == "Z\nB\nC"
    assert body["businessAddress"]["city"] == "Ulm"
    assert body["categories"] == ["Friends", "Business Central"]
    assert set(body) == {"displayName", "businessPhones", "businessAddress", "categories"}
    assert not {"personalNotes", "birthday", "homeAddress", "photo", "homePhones"} & set(body)


def test_r12_excluded_fields_never_leave_bc_and_are_never_written_to_it(world: World) -> None:
    world.state.companies.save_settings(CompanySettings(COMPANY, excluded_fields=("mobilePhoneNumber", "city")))
    bc_id = anna(world, mobilePhoneNumber="0151", city="Berlin")

    world.sync()
    before = outlook_card(world, bc_id)
    world.mailbox().edit(twin(world, bc_id), mobile="999", city="Ulm", job_title="Chief")
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example", mobile="777")
    world.sync()
    world.full()

    assert (before.mobile, before.city) == ("", "")
    bc = world.bc.rows[bc_id].card
    assert (bc.mobile, bc.city, bc.job_title) == ("0151", "Berlin", "Chief")
    assert [each.card.mobile for each in world.bc.rows.values() if each.card.name == "Carla"] == [""]
    assert outlook_card(world, bc_id).mobile == "999"


def test_r12_an_excluded_company_links_nobody(world: World) -> None:
    world.state.companies.save_settings(CompanySettings(COMPANY, excluded_fields=("companyName",)))
    world.bc.put(displayName="Acme", type="Company", number="CT000009")
    bc_id = anna(world)
    world.sync()

    world.mailbox().edit(twin(world, bc_id), company="Acme")
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example", company="Acme")
    world.sync()

    persons = [each for each in world.bc.rows.values() if each.is_person]
    assert [(each.card.name, each.company_number) for each in persons] == [("Anna Berg", ""), ("Carla", "")]


# ---------------------------------------------------------------- R13


def test_r13_changes_of_different_fields_both_survive(world: World) -> None:
    bc_id = anna(world, city="Berlin", jobTitle="Clerk")
    world.sync()

    world.bc.edit(bc_id, city="Ulm")
    world.mailbox().edit(twin(world, bc_id), job_title="Chief")
    report = world.sync()

    bc, outlook = world.bc.rows[bc_id].card, outlook_card(world, bc_id)
    assert (bc.city, bc.job_title) == (outlook.city, outlook.job_title) == ("Ulm", "Chief")
    assert report.notes == ()


def test_r13_on_the_same_field_bc_wins_and_the_lost_value_is_noted_once(world: World) -> None:
    bc_id = anna(world, city="Berlin")
    world.sync()

    world.bc.edit(bc_id, city="Ulm")
    world.mailbox().edit(twin(world, bc_id), city="Bonn")
    first, second = world.sync(), world.full()

    assert world.bc.rows[bc_id].card.city == outlook_card(world, bc_id).city == "Ulm"
    lost_value = note(first, "conflict")
    assert (lost_value.field, lost_value.value, lost_value.bc_id) == ("city", "Bonn", bc_id)
    assert second.notes == ()


def test_r13_a_conflict_found_only_while_writing_is_merged_the_same_way(world: World) -> None:
    bc_id = anna(world, city="Berlin")
    world.sync()

    world.mailbox().edit(twin(world, bc_id), city="Bonn", job_title="Chief")
    world.faults.before("bc.write", lambda: world.bc.edit(bc_id, city="Ulm"))
    report = world.sync()

    assert (world.bc.rows[bc_id].card.city, world.bc.rows[bc_id].card.job_title) == ("Ulm", "Chief")
    assert outlook_card(world, bc_id).city == "Ulm"
    assert note(report, "conflict").value == "Bonn"


def test_r13_the_same_new_value_on_both_sides_is_no_conflict(world: World) -> None:
    bc_id = anna(world, city="Berlin")
    world.sync()
    before = world.written()

    world.bc.edit(bc_id, city="Ulm")
    world.mailbox().edit(twin(world, bc_id), city="Ulm")
    report = world.sync()

    assert (report.notes, world.written()) == ((), before)


# ---------------------------------------------------------------- R14


def test_r14_an_incremental_run_reads_changes_only(world: World) -> None:
    anna(world)
    world.sync()
    world.sync()
    start = len(world.faults.calls)

    world.sync()

    calls = world.faults.calls[start:]
    assert "graph.contacts" not in calls
    assert "all_links" not in " ".join(calls)
    assert "bc.contacts" not in calls


def test_r14_a_full_run_repairs_what_drifted_regardless_of_dates_and_tokens(world: World) -> None:
    """The change happened without a new stamp in BC and without an entry in Outlook's feed."""
    first, second = anna(world, city="Berlin"), world.bc.put(displayName="Bob", email="b@x.example", city="Bonn")
    world.sync()
    world.sync()  # reads its own echo
    unseen = world.bc.rows[first]
    values = {**unseen.values, "city": "Ulm"}
    world.bc.rows[first] = contact_from_values(first, "W/other", unseen.modified, values)
    entry = world.mailbox().entries[twin(world, second)]
    entry.contact = replace(entry.contact, card=entry.contact.card._replace(city="Kiel"), etag="drifted")

    world.sync()
    missed = outlook_card(world, first).city, world.bc.rows[second].card.city
    world.full()

    assert missed == ("Berlin", "Bonn")
    assert (outlook_card(world, first).city, world.bc.rows[second].card.city) == ("Ulm", "Kiel")


def test_r14_a_full_run_brings_a_contact_that_no_feed_names(world: World) -> None:
    """The pair is lost on our side and in the folder; nothing happened to the contact in BC."""
    bc_id = anna(world)
    world.sync()
    world.sync()  # reads its own echo
    rows = world.state.mailboxes.of("ada", COMPANY, "ada")
    del world.mailbox().entries[twin(world, bc_id)]
    rows.by_outlook.pop(rows.links.pop(bc_id).outlook_id)

    world.sync()
    missed = names(world)
    world.full()

    assert (missed, names(world)) == ([], ["Anna Berg"])


def test_r14_a_full_run_right_after_a_run_changes_nothing(world: World) -> None:
    bc_id = anna(world, city="Berlin", country="DE", email="a@x.example;b@x.example;c@x.example;d@x.example")
    world.bc.put(displayName="Dr. Carl Maria von Weber", email="carl@x.example", companyName="Opera")
    world.sync()
    world.mailbox().edit(twin(world, bc_id), postal_code="sw1a", job_title="J" * 31, company="Unknown")
    world.mailbox().add(world.folder(), name="No Address")
    world.sync()

    before = world.written()
    report = world.full()

    assert world.written() == before
    assert report.status in (RunStatus.SUCCEEDED, RunStatus.WITH_NOTES)


def test_r14_what_happened_before_the_request_is_seen_deletions_included(world: World) -> None:
    first, second = anna(world), world.bc.put(displayName="Bob", email="b@x.example")
    world.sync()

    world.bc.delete(first)
    world.bc.edit(second, city="Ulm")
    world.sync()

    assert [(each.name, each.city) for each in seen(world)] == [("Bob", "Ulm")]


def test_r14_large_companies_show_deletions_to_full_runs_and_on_a_schedule() -> None:
    w = World.new(Limits(enumeration_most=1, enumeration_minutes=60))
    w.profile("ada")
    first, second = anna(w), w.bc.put(displayName="Bob", email="b@x.example")
    third = w.bc.put(displayName="Carla", email="c@x.example")
    assert Limits().enumeration_most == 100_000
    w.sync()

    w.bc.delete(first)
    w.sync()
    unnoticed = names(w)
    w.full()
    after_full = names(w)
    w.bc.delete(second)
    w.clock.advance(minutes=61)
    w.sync()

    assert unnoticed == ["Anna Berg", "Bob", "Carla"]
    assert after_full == ["Bob", "Carla"]
    assert (names(w), list(w.bc.rows)) == (["Carla"], [third])


@pytest.mark.parametrize("singly", [0, 20], ids=["read as a list", "read by id"])
@pytest.mark.parametrize("enumerates", [True, False], ids=["enumerated", "not enumerated"])
def test_r14_what_bc_commits_late_is_seen_with_the_stamp_that_it_has(singly: int, enumerates: bool) -> None:
    w = World.new(Limits(feed_singly_most=singly, enumeration_most=100 if enumerates else 0))
    w.profile("ada")
    anna(w)
    w.sync()
    stamp = as_stamp(w.clock() - timedelta(minutes=10))
    w.bc.put(displayName="Bob", email="b@x.example", stamp=stamp)

    w.sync()

    assert names(w) == ["Anna Berg", "Bob"]


def test_r14_what_is_older_than_the_overlap_is_read_by_id_after_the_list() -> None:
    w = World.new(Limits(feed_singly_most=1))
    w.profile("ada")
    anna(w)
    w.sync()
    for minutes in (5, 50, 500):
        stamp = as_stamp(w.clock() - timedelta(minutes=minutes))
        w.bc.put(displayName=f"{minutes:03d}", email=f"{minutes}@x.example", stamp=stamp)
    w.faults.calls.clear()

    w.sync()

    assert names(w) == ["005", "050", "500", "Anna Berg"]
    assert [each for each in w.faults.calls if each.startswith("bc.")] == ["bc.stamps", "bc.changed_since", "bc.read"]


@pytest.mark.parametrize(
    ("changes", "calls"),
    [(0, ["bc.stamps"]), (20, ["bc.stamps", "bc.read"]), (21, ["bc.stamps", "bc.changed_since"])],
)
def test_r14_bc_is_asked_for_its_ids_and_once_more_when_something_changed(
    world: World, changes: int, calls: list[str]
) -> None:
    people = [world.bc.put(displayName=f"P {number}", email=f"p{number}@x.example") for number in range(25)]
    world.sync()
    for each in people[:changes]:
        world.bc.edit(each, city="Ulm")
    world.faults.calls.clear()

    world.sync()

    assert [each for each in world.faults.calls if each.startswith("bc.")] == calls
    assert sum(card.city == "Ulm" for card in seen(world)) == changes


@pytest.mark.parametrize("is_behind", [True, False], ids=["an older answer", "no answer"])
def test_r14_who_does_not_answer_by_id_as_the_ids_said_is_read_with_the_list(world: World, is_behind: bool) -> None:
    """A batch may be answered by a copy of the database that is behind (BC reference 3.5)."""
    bc_id = anna(world)
    world.sync()
    answer = {bc_id: world.bc.rows[bc_id]} if is_behind else {}
    world.bc.edit(bc_id, city="Ulm")
    with pytest.MonkeyPatch.context() as behind:
        behind.setattr(type(world.bc), "read", lambda _self, _ids: answer)
        world.sync()

    assert [each.city for each in seen(world)] == ["Ulm"]


@pytest.mark.parametrize("honours_tags", [True, False], ids=["tags honoured", "tags ignored"])
def test_r14_an_unasked_run_reads_the_other_side_again_before_writing_to_it(world: World, honours_tags: bool) -> None:
    """The Outlook edit is in no feed that this run reads, and still survives."""
    bc_id = anna(world, city="Berlin")
    world.sync()
    world.sync()  # reads its own echo
    world.mailbox().ignores_etags = not honours_tags
    key = twin(world, bc_id)

    world.bc.edit(bc_id, city="Ulm")
    entry = world.mailbox().entries[key]
    entry.contact = replace(entry.contact, card=entry.contact.card._replace(job_title="Chief"), etag="later")
    world.tick()

    assert outlook_card(world, bc_id).city == "Ulm"
    assert outlook_card(world, bc_id).job_title == "Chief"
    assert world.bc.rows[bc_id].card.job_title == "Chief"
