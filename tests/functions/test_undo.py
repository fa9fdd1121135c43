"""Undoing a run over the admin door (R36)."""

import pytest

from tests.functions.desk import ADA, Desk


@pytest.fixture
def desk() -> Desk:
    """Ada, synced with one contact."""
    desk = Desk()
    desk.save(ADA)
    desk.world.bc.put(displayName="Anna Berg", email="anna@berg.example", city="Bonn")
    return desk


def run_of(desk: Desk) -> str:
    run = desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"}).body["runId"]
    desk.work()
    return str(run)


def test_r36_an_administrator_previews_and_undoes_a_run(desk: Desk) -> None:
    run = run_of(desk)
    preview = desk.call("POST", f"/api/admin/runs/{run}/undo", {"preview": True, "actor": "boss"})
    assert preview.status == 202 and len(preview.sent["jobs"]) == 1
    desk.work()
    shown = desk.call("GET", preview.body["run"]).body
    assert [(each["operation"], each["name"]) for each in shown["plan"]] == [("remove", "Anna Berg")]

    asked = desk.call("POST", f"/api/admin/runs/{run}/undo", {"actor": "boss"})
    assert asked.headers["Location"] == asked.body["run"]
    desk.work()
    report = desk.call("GET", asked.body["run"]).body
    assert report["undoes"] == {"runId": run, "contact": "", "recreate": False}
    assert (report["actor"], report["toOutlook"]["deleted"], report["status"]) == ("boss", 1, "succeeded")


def test_r36_an_undo_without_a_body_undoes_all_of_the_run(desk: Desk) -> None:
    asked = desk.call("POST", f"/api/admin/runs/{run_of(desk)}/undo")
    desk.work()
    assert desk.call("GET", asked.body["run"]).body["toOutlook"]["deleted"] == 1


def test_r36_what_cannot_be_undone_is_a_problem_that_says_what_to_do(desk: Desk) -> None:
    run = run_of(desk)
    idle = run_of(desk)
    undo = "/api/admin/runs/{}/undo"
    assert desk.call("POST", undo.format("none"), {}).problem == (404, "unknown-run", "id")
    assert desk.call("POST", undo.format(idle), {}).problem == (409, "nothing-to-undo", "id")
    assert desk.call("POST", undo.format(run), {"contact": "nobody"}).problem == (404, "unknown-contact", "contact")
    waiting = desk.call("POST", "/api/sync", {"user": ADA, "mode": "full"}).body["runId"]
    assert desk.call("POST", undo.format(waiting), {}).problem == (409, "run-not-over", "id")
