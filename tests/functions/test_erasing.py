"""The admin door: a person is found, and erased (R39)."""

import pytest

from tests.functions.desk import ADA, Desk

FIND, ERASE = "/api/admin/contacts/find", "/api/admin/contacts/erase"


@pytest.fixture
def desk() -> Desk:
    """Ada, synced with one contact."""
    desk = Desk()
    desk.save(ADA)
    return desk


def synced(desk: Desk) -> str:
    bc_id = desk.world.bc.put(displayName="Anna Berg", email="anna@berg.example", city="Bonn")
    desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"})
    desk.work()
    return bc_id


def test_r39_a_person_is_found_previewed_and_erased(desk: Desk) -> None:
    bc_id = synced(desk)
    found = desk.call("POST", FIND, {"contact": "Anna@Berg.example"})
    assert found.status == 200 and [each["bcId"] for each in found.body["contacts"]] == [bc_id]
    (place,) = found.body["mailboxes"]
    assert (place["user"], place["folder"], place["linked"]) == (ADA, "Business Central", [bc_id])
    assert desk.call("POST", ERASE, {"contact": bc_id, "preview": True}).body == found.body

    asked = desk.call("POST", ERASE, {"contact": bc_id, "actor": "boss"})
    assert asked.status == 202 and asked.sent["jobs"] == [{"mailbox": ADA}]
    desk.work()

    (run,) = asked.body["runs"]
    report = desk.call("GET", run["run"]).body
    assert (report["status"], report["actor"], report["erases"]) == ("succeeded", "boss", {"contact": bc_id})
    assert report["toOutlook"]["deleted"] == 1
    explained = desk.call("POST", f"/api/profiles/{ADA}/contacts/explain", {"contact": bc_id}).body["contacts"][0]
    assert (explained["scope"], explained["name"], explained["email"]) == ("erased", "", "")
    assert "was erased" in explained["summary"]
    assert desk.call("POST", FIND, {"contact": "anna@berg.example"}).problem == (404, "unknown-contact", "contact")


def test_r39_what_cannot_be_erased_is_a_problem_that_says_what_to_do(desk: Desk) -> None:
    bc_id = synced(desk)
    assert desk.call("POST", ERASE, {"contact": bc_id}).problem == (400, "missing-member", "actor")
    by_address = {"contact": "anna@berg.example", "actor": "boss"}
    assert desk.call("POST", ERASE, by_address).problem == (409, "still-in-bc", "contact")
    assert desk.call("POST", ERASE, {"contact": "CT000001", "actor": "boss"}).problem == (400, "bad-contact", "contact")
    nowhere = {"contact": bc_id, "actor": "boss", "company": "Nowhere"}
    assert desk.call("POST", ERASE, nowhere).problem == (404, "unknown-company", "company")
