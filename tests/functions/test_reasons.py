"""What keeps contacts as they are: explain says it for each, validate warns of it for the profile."""

from typing import Any

import pytest

from tests.fakes.world import COMPANY
from tests.functions.desk import ADA, Desk

EXPLAIN = f"/api/profiles/{ADA}/contacts/explain"
WHO = {"actor": "boss"}


def explained(desk: Desk, contact: str) -> dict[str, Any]:
    response = desk.call("POST", EXPLAIN, {"contact": contact})
    assert response.status == 200, response.body
    (found,) = response.body["contacts"]
    return dict(found)


def codes(desk: Desk, contact: str) -> list[str]:
    return [each["code"] for each in explained(desk, contact)["reasons"]]


def warned(desk: Desk, check: str) -> str:
    """What validate warns of in a part; blank for nothing. A warning is no failure."""
    found = desk.call("POST", f"/api/profiles/{ADA}/validate").body
    (part,) = [each for each in found["checks"] if each["check"] == check]
    assert part["ok"] is True and found["ok"] is True
    return f"{part['detail']} {part['whatToDo']}" if part["whatToDo"] else ""


def run(desk: Desk, **body: object) -> dict[str, Any]:
    desk.world.clock.advance(seconds=1)
    asked = desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"} | body)
    assert asked.status == 202, asked.body
    desk.work()
    return desk.call("GET", asked.body["run"]).body


def undo(desk: Desk, run_id: str) -> str:
    """Answers the undo's address."""
    desk.world.clock.advance(seconds=1)
    asked = desk.call("POST", f"/api/admin/runs/{run_id}/undo", WHO)
    desk.work()
    return str(asked.body["run"])


def crowd(desk: Desk, count: int = 30, **values: str) -> list[str]:
    return [desk.world.bc.put(displayName=f"P {each}", email=f"p{each}@x.example", **values) for each in range(count)]


@pytest.fixture
def ann(desk: Desk) -> str:
    """Ann Ash, a clerk, synced to Ada."""
    key = desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example", jobTitle="Clerk")
    desk.save()
    run(desk)
    return key


def test_nothing_keeps_a_contact_of_which_all_is_well(desk: Desk, ann: str) -> None:
    assert codes(desk, ann) == []
    assert [warned(desk, each) for each in ("pause", "held", "oscillation")] == ["", "", ""]


@pytest.mark.parametrize(
    ("scope", "what"),
    [({}, "Everything is"), ({"company": COMPANY}, "The company is"), ({"user": ADA}, "The profile is")],
)
def test_r40_a_pause_is_told_with_who_and_why(desk: Desk, ann: str, scope: dict[str, str], what: str) -> None:
    desk.call("POST", "/api/admin/pause", {**WHO, **scope, "reason": "upgrade"})

    found = explained(desk, ann)

    assert [each["code"] for each in found["reasons"]] == ["paused"]
    for text in (found["summary"], found["reasons"][0]["detail"], warned(desk, "pause")):
        assert what in text and "by boss" in text and "upgrade" in text
    desk.call("POST", "/api/admin/resume", {**WHO, **scope})
    assert codes(desk, ann) == [] and warned(desk, "pause") == ""


def test_r40_every_pause_that_has_to_end_is_told(desk: Desk, ann: str) -> None:
    for scope in ({}, {"company": COMPANY}):
        desk.call("POST", "/api/admin/pause", {**WHO, **scope})
    assert codes(desk, ann) == ["paused", "paused"]


def test_a_profile_that_is_switched_off_says_so(desk: Desk, ann: str) -> None:
    desk.save(enabled=False)
    assert codes(desk, ann) == ["profile-disabled"]
    assert "switched off" in warned(desk, "pause")


def test_r26_a_removal_that_waits_names_the_run_to_approve(desk: Desk) -> None:
    ids = crowd(desk, city="Ulm")
    desk.save(filter={"city": "Ulm"})
    run(desk)
    for bc_id in ids[:15]:
        desk.world.bc.edit(bc_id, city="Bonn")
    held = run(desk)
    assert held["status"] == "held"

    found = explained(desk, ids[0])

    (reason,) = found["reasons"]
    assert (reason["code"], reason["run"]) == ("outlook-removals", held["run"])
    assert "15 in all: more than 10" in reason["detail"]
    assert "the next run" not in found["summary"] and "waits for approval" in found["summary"]
    assert "15 in all" in warned(desk, "held")
    assert codes(desk, ids[20]) == []
    desk.world.clock.advance(days=8)
    assert "time to be approved is over" in explained(desk, ids[0])["summary"]

    held = run(desk, mode="full")
    holds = [{"kind": "outlook-removals", "count": 15}]
    desk.call("POST", f"/api/admin/runs/{held['runId']}/approve", {**WHO, "holds": holds})
    desk.work()
    assert codes(desk, ids[0]) == [] and warned(desk, "held") == ""


def test_r26_a_contact_that_is_gone_waits_too(desk: Desk) -> None:
    ids = crowd(desk)
    desk.save()
    run(desk)
    for bc_id in ids[:15]:
        desk.world.bc.delete(bc_id)
    run(desk)
    found = explained(desk, ids[0])
    assert (found["scope"], [each["code"] for each in found["reasons"]]) == ("gone", ["outlook-removals"])
    assert "the next run" not in found["summary"]


def test_r26_what_waits_for_the_whole_company_is_told(desk: Desk) -> None:
    ids = crowd(desk, 100)
    desk.save()
    run(desk)
    for bc_id in ids[:60]:
        desk.world.bc.delete(bc_id)
    assert run(desk, mode="full")["status"] == "held"
    found = explained(desk, ids[0])
    (reason,) = found["reasons"]
    assert (reason["code"], reason["run"]) == ("company-deletions", None)
    assert "any run that shows it" in found["summary"]
    assert "company-deletions" in warned(desk, "held")


def test_r33_a_company_that_went_back_in_time_keeps_everybody_as_they_are(desk: Desk, ann: str) -> None:
    ben = desk.world.bc.put(displayName="Ben Bo", email="ben@contoso.example")
    row = desk.world.bc.rows[ann]
    desk.world.clock.advance(minutes=20)
    desk.world.bc.edit(ann, jobTitle="Chief")
    run(desk)
    desk.world.bc.rows[ann] = row
    run(desk, mode="full")
    for contact in (ann, ben):
        assert codes(desk, contact) == ["company-restored"]
    assert "environment was restored" in warned(desk, "pause")


def test_r26_somebody_whose_creation_in_bc_waits_is_found_by_address(desk: Desk) -> None:
    desk.save()
    run(desk)
    mailbox = desk.world.mailbox(ADA)
    folder = desk.world.folder(ADA)
    for each in range(101):
        mailbox.add(folder, name=f"Own {each}", email=f"own{each}@x.example")
    held = run(desk)
    assert held["status"] == "held"

    found = explained(desk, "Own7@x.example")

    assert (found["bcId"], found["scope"]) == ("", "not-in-bc")
    assert [(each["code"], each["run"]) for each in found["reasons"]] == [("bc-creations", held["run"])]
    assert [each["reason"] for each in found["unlinked"]] == ["held"]


def test_a_contact_of_the_folder_that_is_not_synced_is_found_by_its_address(desk: Desk) -> None:
    desk.save()
    run(desk)
    desk.world.mailbox(ADA).add(desk.world.folder(ADA), name="", email="nameless@x.example")
    run(desk)
    found = explained(desk, "nameless@x.example")
    assert [each["reason"] for each in found["unlinked"]] == ["incomplete"]
    assert (found["scope"], found["reasons"]) == ("not-in-bc", [])
    assert found["summary"].startswith("Nobody in Business Central")


def test_r38_fields_that_swing_are_told(desk: Desk, ann: str) -> None:
    desk.swing(ann)
    (reason,) = explained(desk, ann)["reasons"]
    assert reason["code"] == "oscillation" and reason["detail"].startswith("jobTitle: ")
    assert "paused: 1." in warned(desk, "oscillation")


def test_r23_a_contact_that_the_user_deleted_and_one_that_was_undone_differ(desk: Desk, ann: str) -> None:
    desk.save(policies={"onOutlookDelete": "hide"})
    mailbox = desk.world.mailbox(ADA)
    mailbox.delete(next(iter(mailbox.entries)))
    run(desk)
    assert codes(desk, ann) == ["hidden"]
    assert "the user deleted it" in explained(desk, ann)["summary"]

    ben = desk.world.bc.put(displayName="Ben Bo", email="ben@contoso.example")
    created = run(desk)
    undo(desk, created["runId"])
    found = explained(desk, ben)
    assert ([each["code"] for each in found["reasons"]], found["hidden"]) == (["undone"], True)
    assert "an administrator undid" in found["summary"]
    desk.world.clock.advance(minutes=1)
    desk.world.bc.edit(ben, city="Ulm")
    run(desk, preview=True)  # the feed has read it, no run brought it back yet
    found = explained(desk, ben)
    assert (found["reasons"], found["hidden"]) == ([], False)
    assert "the next run brings it" in found["summary"]


def test_r36_a_field_that_was_undone_is_told_until_it_changes(desk: Desk, ann: str) -> None:
    desk.world.clock.advance(minutes=1)
    desk.world.bc.edit(ann, jobTitle="Chief", city="Ulm")
    changed = run(desk)
    address = undo(desk, changed["runId"])

    (reason,) = explained(desk, ann)["reasons"]

    assert (reason["code"], reason["run"]) == ("undone", address)
    assert "city, jobTitle" in reason["detail"]
    for field in ("jobTitle", "city"):
        desk.world.clock.advance(minutes=1)
        desk.world.bc.edit(ann, **{field: "Ulm-Ost"})
        run(desk)
    assert codes(desk, ann) == []


def test_r36_somebody_whose_creation_in_bc_was_undone_stays_in_outlook_only(desk: Desk) -> None:
    desk.save()
    run(desk)
    desk.world.mailbox(ADA).add(desk.world.folder(ADA), name="Own", email="own@x.example")
    created = run(desk)
    undo(desk, created["runId"])
    assert codes(desk, "own@x.example") == ["undone"]


@pytest.mark.parametrize("by", ["id", "address"])
@pytest.mark.parametrize("gone", [False, True], ids=["in-bc", "gone"])
def test_r39_an_erased_person_is_told_as_erased(desk: Desk, ann: str, by: str, gone: bool) -> None:
    desk.call("POST", "/api/admin/contacts/erase", {"contact": ann, **WHO})
    desk.work()
    if gone:
        desk.world.bc.delete(ann)
        run(desk, mode="full")

    found = explained(desk, ann if by == "id" else "ANN@contoso.example")

    assert (found["scope"], [each["code"] for each in found["reasons"]]) == ("erased", ["erased"])
    assert (found["name"], found["email"]) == ("", "")
    assert desk.call("POST", EXPLAIN, {"contact": "other@contoso.example"}).status == 404
