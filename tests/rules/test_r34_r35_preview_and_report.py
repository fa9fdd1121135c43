"""R34 and R35: what a run would do, and what it says that it did."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from shared.engine.model import Mode, Report, RunStatus, Trigger
from shared.engine.run import run_mailbox
from shared.engine.sides import Directory
from shared.errors import MailboxUnavailable
from shared.pace import Pace
from shared.planning.model import OnOutlookDelete
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, codes, crowd, links, names, note, outlook_card, seen, twin


def everything(w: World) -> Any:
    """All that a preview must leave alone: both services, the profile, links, positions, settings."""
    rows = w.state.mailboxes.of("ada", COMPANY, "ada")
    mailbox = w.mailbox()
    return deepcopy(
        (w.bc.rows, mailbox.entries, mailbox.folders, mailbox.feed, rows, w.state.profiles.rows, w.state.marks.rows)
    )


def lines(report: Report) -> list[tuple[object, ...]]:
    """A preview's operations: what, where, whom, whether it would be held."""
    return sorted((each["operation"], each["side"], each["name"], each["held"]) for each in report.plan)


def story(w: World) -> dict[str, str]:
    """One of each: edits, conflict, creations, deletions, a first match."""
    ids = {name: w.bc.put(displayName=name, email=f"{name}@x.example", city="Berlin") for name in "ABCD"}
    w.sync()
    w.bc.edit(ids["A"], city="Ulm")
    w.mailbox().edit(twin(w, ids["B"]), job_title="Chief")
    w.bc.delete(ids["C"])
    w.mailbox().delete(twin(w, ids["D"]))
    w.bc.put(displayName="E", email="E@x.example")
    w.mailbox().add(w.folder(), name="F", email="F@x.example", mobile="0151")
    w.mailbox().add(w.folder(), name="E", email="E@x.example")
    return ids


# ---------------------------------------------------------------- R34


@pytest.mark.parametrize("mode", list(Mode))
def test_r34_a_preview_returns_every_operation_and_changes_nothing(world: World, mode: Mode) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.DELETE})
    story(world)
    before, writes = everything(world), world.written()

    report = world.sync(mode=mode, preview=True)

    assert everything(world) == before
    assert world.written() == writes
    assert report.preview
    assert lines(report) == [
        ("create", "bc", "F", False),
        ("link", "", "E", False),
        ("remove", "bc", "D", False),
        ("remove", "outlook", "C", False),
        ("update", "bc", "B", False),
        ("update", "outlook", "A", False),
    ]


def test_r34_it_is_the_plan_of_the_run_that_follows(world: World) -> None:
    story(world)

    preview, run = world.sync(preview=True), world.sync()

    assert (preview.to_bc, preview.notes) == (run.to_bc, run.notes)
    assert (preview.to_outlook.created, preview.to_outlook.deleted) == (run.to_outlook.created, run.to_outlook.deleted)


def test_r34_it_shows_field_by_field(world: World) -> None:
    bc_id = anna(world, city="Berlin", jobTitle="Clerk")
    world.sync()
    world.bc.edit(bc_id, city="Ulm", jobTitle="")

    (line,) = world.sync(preview=True).plan

    assert (line["bcId"], line["outlookId"], line["cause"]) == (bc_id, twin(world, bc_id), "changed-in-bc")
    assert line["fields"] == [
        {"field": "jobTitle", "from": "Clerk", "to": ""},
        {"field": "city", "from": "Berlin", "to": "Ulm"},
    ]


def test_r34_it_shows_what_the_safety_stop_would_hold(world: World) -> None:
    ids = crowd(world, 30)
    world.sync()
    for bc_id in ids[:11]:
        world.bc.delete(bc_id)

    report = world.sync(preview=True)

    assert [(each.kind, each.count) for each in report.held] == [("outlook-removals", 11)]
    assert {each["held"] for each in report.plan} == {True}
    assert len(report.plan) == 11
    assert len(seen(world)) == 30


def test_r34_before_the_first_run_no_folder_is_made(world: World) -> None:
    anna(world)

    report = world.sync(preview=True)

    assert lines(report) == [("create", "outlook", "Anna Berg", False)]
    assert world.mailbox().folders == {}
    assert world.folder() == ""


def test_r34_a_folder_that_is_there_is_not_taken_over(world: World) -> None:
    folder = world.mailbox().create_folder("Business Central", None)

    world.sync(preview=True)

    assert world.mailbox().folders == {folder.id: folder}
    assert world.folder() == ""


def test_r34_a_filter_that_is_previewed_is_not_saved(world: World) -> None:
    crowd(world, 3, city="Ulm")
    anna(world, city="Berlin")
    world.sync()

    report = world.sync(preview=True, filter={"city": "Berlin"})

    profile = world.state.profiles.get(COMPANY, "ada")
    assert profile is not None
    assert dict(profile.filter) == {}
    assert report.to_outlook.deleted == 3
    assert len(seen(world)) == 4


def test_r34_the_companys_feed_is_brought_up_to_date_for_it(world: World) -> None:
    world.sync()
    anna(world)

    report = world.sync(preview=True)

    assert report.to_outlook.created == 1
    assert len(list(world.state.companies.all_contacts(COMPANY))) == 1


def test_r34_a_filter_for_one_run_is_limited_to_what_matches_both_and_removes_nothing(world: World) -> None:
    """`saveFilter: false` (architecture, HTTP interface)."""
    world.profile("ada", filter={"country": "DE"})
    first = anna(world, city="Berlin", country="DE")
    second = world.bc.put(displayName="Bob", email="b@x.example", city="Ulm", country="DE")
    world.sync()
    world.bc.edit(first, jobTitle="Chief")
    world.bc.edit(second, jobTitle="Chief")
    world.bc.put(displayName="Carla", email="c@x.example", city="Berlin", country="DE")
    world.bc.put(displayName="Dora", email="d@x.example", city="Berlin", country="DK")

    world.sync(filter={"city": "Berlin"}, save_filter=False)
    limited = names(world), outlook_card(world, first).job_title, outlook_card(world, second).job_title
    world.sync()

    assert limited == (["Anna Berg", "Bob", "Carla"], "Chief", "")
    assert outlook_card(world, second).job_title == "Chief"


def test_r34_such_a_run_leaves_removals_to_the_next(world: World) -> None:
    bc_id = anna(world, city="Berlin")
    world.sync()
    world.bc.edit(bc_id, email="")

    world.sync(filter={"city": "Berlin"}, save_filter=False)
    limited = names(world)
    world.sync()

    assert (limited, names(world)) == (["Anna Berg"], [])


# ---------------------------------------------------------------- R35


def test_r35_a_report_says_what_happened_in_numbers_per_direction(world: World) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.DELETE}, filter={"displayName": "*"})
    story(world)
    world.mailbox().add(world.folder(), name="Nobody")
    asked = world.clock()

    report = world.sync()

    assert (report.to_bc.created, report.to_bc.updated, report.to_bc.deleted) == (1, 1, 1)
    assert (report.to_outlook.created, report.to_outlook.deleted) == (0, 1)
    assert report.to_outlook.updated == 3  # A's city, and the stamps of E and F
    assert report.to_bc.skipped == 1  # Nobody
    assert (report.trigger, report.mode) == (Trigger.HTTP, Mode.INCREMENTAL)
    assert dict(report.filter) == {"displayName": "*"}
    assert report.started_at is not None
    assert report.ended_at is not None
    assert asked <= report.started_at <= report.ended_at
    assert report.status is RunStatus.WITH_NOTES


def test_r35_a_full_run_that_found_nothing_to_do_counts_the_unchanged(world: World) -> None:
    crowd(world, 3)
    world.sync()

    report = world.full()

    assert report.to_outlook.unchanged == 3
    assert (report.status, report.mode) == (RunStatus.SUCCEEDED, Mode.FULL)


def test_r35_the_status_says_how_it_ended(world: World) -> None:
    bc_id = anna(world)
    fine = world.sync()
    world.mailbox().edit(twin(world, bc_id), job_title="J" * 31)
    noted = world.sync()
    world.faults.fail(1, MailboxUnavailable("No licence.", code="no-licence"), call="graph.folder")
    failed = world.sync()

    assert [each.status for each in (fine, noted, failed)] == [
        RunStatus.SUCCEEDED,
        RunStatus.WITH_NOTES,
        RunStatus.FAILED,
    ]
    assert (failed.error_code, failed.error) == ("no-licence", "No licence.")


def test_r35_it_is_running_while_it_runs(world: World) -> None:
    run_id = world.request()
    met: list[RunStatus] = []
    world.faults.before("graph.changes", lambda: met.append(world.state.reports.rows[run_id].status))

    world.work()

    assert met == [RunStatus.RUNNING]


def test_r35_a_note_names_the_contact_the_field_and_the_reason(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    world.mailbox().edit(twin(world, bc_id), job_title="J" * 31)

    told = note(world.sync(), "too-long")

    assert (told.bc_id, told.outlook_id) == (bc_id, twin(world, bc_id))
    assert (told.name, told.email, told.field) == ("Anna Berg", "anna@berg.example", "jobTitle")
    assert "30" in told.reason


def test_r35_a_conflict_is_noted_once_any_other_note_whenever_the_contact_is_read_again(world: World) -> None:
    bc_id = anna(world, city="Berlin")
    world.sync()
    key = twin(world, bc_id)
    world.bc.edit(bc_id, city="Ulm")
    world.mailbox().edit(key, city="Bonn", job_title="J" * 31)

    first = world.sync()
    full = world.full()
    world.mailbox().edit(key, mobile="0151")
    again = world.sync()

    assert codes(first) == ["conflict", "too-long"]
    assert codes(full) == codes(again) == ["too-long"]


def test_r35_a_conflict_of_a_first_match_is_noted_once_although_bc_is_written_too(world: World) -> None:
    """The pair is planned again on what BC returned."""
    anna(world, phoneNumber="1")
    folder = world.mailbox().create_folder("Business Central", None).id
    world.mailbox().add(folder, name="Anna Berg", email="anna@berg.example", phone="2", mobile="3")

    report = world.sync()

    assert [each.mobile for each in (row.card for row in world.bc.rows.values())] == ["3"]
    assert [(each.field, each.value) for each in report.notes] == [("phoneNumber", "2")]


def test_r35_it_says_how_many_requests_it_took(world: World) -> None:
    def counting(pace: Pace) -> Directory:
        pace.count("graph")
        return world.directory

    run_id = world.request()
    run_mailbox(replace(world.services, directory=counting), "ada", "worker")

    assert world.state.reports.rows[run_id].requests == {"graph": 1}


def test_r35_planning_a_contact_again_does_not_repeat_its_notes(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    world.mailbox().edit(twin(world, bc_id), job_title="J" * 31, city="Bonn")
    world.faults.before("bc.write", lambda: world.bc.edit(bc_id, mobilePhoneNumber="1"))

    assert codes(world.sync()) == ["too-long"]


def test_r35_a_tick_that_found_nothing_to_do_leaves_no_report_only_the_time_of_the_check(world: World) -> None:
    anna(world)
    world.sync()
    reports = dict(world.state.reports.rows)
    world.clock.advance(minutes=5)

    report = world.tick()

    positions = world.state.mailboxes.of("ada", COMPANY, "ada").positions
    assert report is None
    assert world.state.reports.rows == reports
    assert positions is not None
    assert positions.last_checked_at == world.clock()


def test_r35_a_tick_that_did_something_and_any_requested_run_leave_one(world: World) -> None:
    anna(world)

    did, requested = world.tick(), world.sync()

    assert did is not None
    assert (did.trigger, did.to_outlook.created) == (Trigger.TIMER, 1)
    assert requested.to_outlook.created == 0
    assert len(links(world)) == 1
