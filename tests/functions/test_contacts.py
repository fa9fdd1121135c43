"""Why a contact is, or is not, synced; and the way back for one that the user deleted."""

import pytest

from shared.engine.model import Mode
from tests.fakes.world import COMPANY
from tests.functions.desk import ADA, Desk

EXPLAIN = f"/api/profiles/{ADA}/contacts/explain"


def test_r36_explain_shows_what_was_written_last(desk: Desk) -> None:
    key = desk.world.bc.put(displayName="Ann", email="ann@contoso.example", city="Bonn")
    desk.save(ADA)
    for city in ("Bonn", "Ulm"):
        desk.world.bc.edit(key, city=city)
        desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"})
        desk.work()
        desk.world.clock.advance(seconds=1)
    writes = explained(desk, key)["lastWrites"]
    assert isinstance(writes, list)
    assert [(each["side"], each["what"]) for each in writes] == [("outlook", "updated"), ("outlook", "created")]
    assert (writes[0]["before"], writes[0]["after"]) == ({"city": "Bonn"}, {"city": "Ulm"})


def explained(desk: Desk, contact: str) -> dict[str, object]:
    response = desk.call("POST", EXPLAIN, {"contact": contact})
    assert response.status == 200, response.body
    assert len(response.body["contacts"]) == 1
    return dict(response.body["contacts"][0])


def run(desk: Desk, **body: object) -> None:
    assert desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"} | body).status == 202
    desk.work()


def test_a_synced_contact_is_found_by_id_number_and_address(desk: Desk) -> None:
    key = desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example;other@contoso.example", city="Basel")
    desk.save()
    run(desk)
    number = desk.world.bc.rows[key].number

    for asked in (key, key.upper(), number, "ANN@contoso.example", " ann@contoso.example "):
        found = explained(desk, asked)
        assert (found["bcId"], found["scope"], found["summary"]) == (key, "in-scope", "It is synced.")
        assert found["link"]["lastAgreed"]["businessCentral"]["city"] == "Basel"  # type: ignore[index]
    assert explained(desk, "other@contoso.example")["bcId"] == key


def test_the_term_that_excludes_a_contact_is_named(desk: Desk) -> None:
    desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example", city="Basel", country="CH")
    desk.save(filter={"country": "CH", "city": "Bern|Genf"})
    run(desk)
    found = explained(desk, "ann@contoso.example")
    assert found["scope"] == "filter"
    assert found["failingTerm"] == {"filter": "profile", "field": "city", "expression": "Bern|Genf"}
    assert "the profile's filter" in str(found["summary"])

    desk.call("PUT", f"/api/admin/companies/{COMPANY}", {"baseFilter": {"country": "DE"}})
    found = explained(desk, "ann@contoso.example")
    assert (found["scope"], found["failingTerm"]["filter"]) == ("base-filter", "company")  # type: ignore[index]


@pytest.mark.parametrize(
    ("values", "scope"),
    [
        ({"email": ""}, "no-email"),
        ({"type": "Company"}, "not-a-person"),
        ({"privacyBlocked": True}, "privacy-blocked"),
    ],
)
def test_what_keeps_a_contact_out_is_said(desk: Desk, values: dict[str, str | bool], scope: str) -> None:
    key = desk.world.bc.put(**({"displayName": "Ann Ash", "email": "ann@contoso.example"} | values))
    desk.save()
    run(desk)
    assert explained(desk, key)["scope"] == scope


def test_a_contact_that_is_new_is_said_to_come(desk: Desk) -> None:
    desk.save()
    run(desk)
    desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example")
    assert desk.call("POST", EXPLAIN, {"contact": "ann@contoso.example"}).problem == (404, "unknown-contact", "contact")


def test_an_unknown_contact_is_not_found(desk: Desk) -> None:
    desk.save()
    for asked in ("CT999999", "nobody@contoso.example", "12345678-0000-0000-0000-000000000000"):
        assert desk.call("POST", EXPLAIN, {"contact": asked}).problem == (404, "unknown-contact", "contact")
    assert desk.call("POST", EXPLAIN, {}).problem == (400, "missing-member", "contact")


def test_r23_an_unhidden_contact_comes_back(desk: Desk) -> None:
    key = desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example")
    desk.save(policies={"onOutlookDelete": "hide"})
    run(desk)
    mailbox = desk.world.mailbox(ADA)
    mailbox.delete(next(iter(mailbox.entries)))
    run(desk)
    run(desk, mode="full")
    assert not mailbox.entries
    assert explained(desk, key)["hidden"] is True

    response = desk.call("POST", f"/api/profiles/{ADA}/contacts/{key.upper()}/unhide", {"actor": "ADA"})

    assert response.status == 200
    assert response.sent == {"jobs": [{"mailbox": ADA}]}
    assert [each.mode for each in desk.services.mailboxes.waiting(ADA)] == [Mode.FULL]
    desk.work()
    assert [each.contact.card.name for each in mailbox.entries.values()] == ["Ann Ash"]
    assert explained(desk, key)["hidden"] is False


@pytest.mark.parametrize("contact", ["12345678-0000-0000-0000-000000000000", "CT000001", "a|b"])
def test_r23_only_a_hidden_contact_can_be_unhidden(desk: Desk, contact: str) -> None:
    desk.save()
    refused = desk.call("POST", f"/api/profiles/{ADA}/contacts/{contact}/unhide")
    assert refused.problem == (404, "not-hidden", "id")
    assert not desk.services.mailboxes.waiting(ADA)


def test_r38_a_paused_field_is_explained_and_resumed(desk: Desk) -> None:
    key = desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example", jobTitle="Clerk")
    desk.save()
    run(desk)
    desk.swing(key)
    found = explained(desk, key)
    assert found["link"]["paused"] == ["jobTitle"]  # type: ignore[index]
    assert "jobTitle" in str(found["summary"])

    response = desk.call("POST", f"/api/profiles/{ADA}/contacts/{key.upper()}/resume", {"actor": "ADA"})

    assert response.status == 202
    assert response.sent == {"jobs": [{"mailbox": ADA}]}
    desk.world.clock.advance(minutes=1)
    desk.work()
    assert explained(desk, key)["link"]["paused"] == []  # type: ignore[index]
    assert desk.world.bc.rows[key].card.job_title == "Clerk"


@pytest.mark.parametrize("contact", ["12345678-0000-0000-0000-000000000000", "CT000001", "a|b"])
def test_r38_only_a_paused_contact_can_be_resumed(desk: Desk, contact: str) -> None:
    desk.save()
    refused = desk.call("POST", f"/api/profiles/{ADA}/contacts/{contact}/resume")
    assert refused.problem == (404, "not-paused", "id")
    assert not desk.services.mailboxes.waiting(ADA)
