"""Validate tries what a profile needs, part by part, and says what to do."""

import pytest

from shared.errors import MailboxUnavailable
from tests.fakes.world import COMPANY
from tests.functions.desk import ADA, UNLICENSED, Desk

ADDRESS = f"/api/profiles/{ADA}"


def checks(desk: Desk, body: object = None, user: str = ADA) -> dict[str, bool | None]:
    response = desk.call("POST", f"/api/profiles/{user}/validate", body)
    assert response.status == 200, response.body
    found = {each["check"]: each["ok"] for each in response.body["checks"]}
    assert all(each["whatToDo"] for each in response.body["checks"] if not each["ok"])
    assert response.body["ok"] == all(ok for check, ok in found.items() if check != "webhook")
    return found


def test_validate_tries_everything_for_a_body_that_is_not_saved(desk: Desk) -> None:
    desk.world.bc.put(displayName="Ann", email="ann@contoso.example", city="Basel")
    desk.world.bc.put(displayName="Bob", email="bob@contoso.example", city="Bern")
    response = desk.call("POST", f"{ADDRESS}/validate", {"filter": {"city": "Basel"}})
    assert response.body["ok"], response.body
    details = {each["check"]: each["detail"] for each in response.body["checks"]}
    assert details["selection"] == "Contacts selected: 1."
    assert not desk.world.state.profiles.rows
    assert not desk.world.mailbox(ADA).folders


def test_validate_says_which_part_fails(desk: Desk) -> None:
    assert checks(desk, user=UNLICENSED)["mailbox"] is False
    bad_filter = checks(desk, {"filter": {"city": "("}})
    assert (bad_filter["filter"], bad_filter["selection"], bad_filter["company"]) == (False, None, True)
    assert checks(desk, {"folder": ""})["folder"] is False
    assert checks(desk, {"company": "Adatum"})["company"] is False


def test_validate_says_which_permission_is_missing(desk: Desk) -> None:
    desk.grant(graph={"Contacts.ReadWrite", "User.Read.All"}, bc={"API.ReadWrite.All"})
    response = desk.call("POST", f"{ADDRESS}/validate", {})
    token = next(each for each in response.body["checks"] if each["check"] == "token")
    assert (response.body["ok"], token["ok"]) == (False, False)
    assert "Contacts.Read " in token["whatToDo"]


@pytest.mark.parametrize(
    ("roles", "advice"),
    [
        ({"Contacts.ReadWrite", "Contacts.Read"}, "application access policy"),
        (set(), "Test-ServicePrincipalAuthorization"),
    ],
)
def test_validate_tells_why_a_mailbox_is_closed_by_what_the_token_carries(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, roles: set[str], advice: str
) -> None:
    desk.grant(graph={*roles, "User.Read.All"}, bc={"API.ReadWrite.All"})
    desk.save()

    def refused(_self: object, _user: str) -> None:
        raise MailboxUnavailable("The app may not use this mailbox.", code="no-permission")

    monkeypatch.setattr("tests.functions.desk.Directory.mailbox", refused)
    answer = desk.call("POST", f"{ADDRESS}/validate", {})
    mailbox = next(each for each in answer.body["checks"] if each["check"] == "mailbox")
    assert mailbox["ok"] is False
    assert advice in mailbox["whatToDo"]


def test_validate_works_for_a_saved_profile(desk: Desk) -> None:
    desk.save()
    assert [check for check, ok in checks(desk).items() if not ok] == ["webhook"]  # nothing is announced here
    desk.services.companies.stop_writes(COMPANY, desk.services.now(), "BC has no number series for contacts.")
    assert checks(desk)["write"] is False


def test_validate_refuses_a_body_that_is_none(desk: Desk) -> None:
    assert desk.call("POST", f"{ADDRESS}/validate", {"foldr": "x"}).problem == (400, "unknown-member", "foldr")
