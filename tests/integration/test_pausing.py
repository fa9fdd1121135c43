"""While something is paused nothing is written and nothing is lost; resuming catches up (R40); in the running app."""

from collections.abc import Iterator
from typing import Any

import pytest

from dev.system import System
from dev.system.settings import ADMIN_KEY, USER_KEY
from tests.integration.announced import announced_system, announcing, at_work
from tests.integration.office import Office

pytestmark = pytest.mark.integration

WHO = {"actor": "boss"}
SCOPES = ("everything", "company", "profile")


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with announced_system() as running:
        yield running


@pytest.fixture
def office(system: System) -> Iterator[Office]:
    with announcing(system) as office:
        yield office
        while paused := office.app.admin("GET", "/api/admin/health")["paused"]:
            resume(office, {key: paused[0][key] for key in ("company", "user") if paused[0][key]})


def scope_of(office: Office, scope: str, user: str) -> dict[str, str]:
    """What a pause names."""
    companies = {"company": str(office.bc.companies()[0]["id"])}
    return {"everything": {}, "company": companies, "profile": {"user": user}}[scope]


def pause(office: Office, scope: dict[str, str]) -> dict[str, Any]:
    body = {**WHO, **scope, "reason": "upgrade"}
    return dict(office.app.admin("POST", "/api/admin/pause", body)["paused"])


def resume(office: Office, scope: dict[str, str]) -> dict[str, Any]:
    return office.app.admin("POST", "/api/admin/resume", {**WHO, **scope})


def everything_looks(office: Office) -> None:
    """Notifications are answered, the timer fires, subscriptions are looked after."""
    office.system.wait_until_quiet()
    office.system.tick()
    office.system.keep_up()
    office.system.wait_until_quiet()


@pytest.mark.parametrize("scope", SCOPES)
def test_r40_nothing_is_written_while_paused_and_everything_arrives_afterwards(office: Office, scope: str) -> None:
    ada, ben = at_work(office, "ada", "ben")
    paused = scope_of(office, scope, ada)
    said = pause(office, paused)
    assert (said["actor"], said["reason"]) == ("boss", "upgrade")
    before, delivered, mark = office.in_folder(ada), len(office.graph.deliveries()), office.mark()

    office.edit_in_bc("Helen Ray", jobTitle="Director")
    office.edit_in_outlook(ada, "David Hodgson", mobilePhone="555")
    office.add_in_outlook(ada, "Ines Novak")
    asked = office.app.user("POST", "/api/sync?wait=30", {"user": ada, "mode": "incremental"})
    assert (asked["status"], asked["paused"]["reason"]) == ("queued", "upgrade")
    everything_looks(office)

    announced = office.graph.deliveries()[delivered:]
    assert {each["service"] for each in announced} == {"graph", "bc"}
    assert {each["status"] for each in announced if each["kind"] == "notify"} == {202}, announced
    assert office.app.run(asked["runId"])["status"] == "queued"
    folder = office.in_folder(ada)
    assert folder["Helen Ray"] == before["Helen Ray"] and folder.keys() == before.keys() | {"Ines Novak"}
    in_bc = office.in_bc()
    assert in_bc["David Hodgson"]["mobilePhoneNumber"] == "" and "Ines Novak" not in in_bc
    helen_at_bens = office.in_folder(ben)["Helen Ray"].get("jobTitle")
    if scope == "profile":
        assert helen_at_bens == "Director", "the others go on"
    else:
        assert office.writes(mark) == 0

    assert resume(office, paused) == {"resumed": True, "paused": []}
    office.system.wait_until_quiet()

    assert office.app.run(asked["runId"])["status"] == "succeeded"
    in_bc = office.in_bc()
    assert in_bc["David Hodgson"]["mobilePhoneNumber"] == "555" and "Ines Novak" in in_bc
    for user in (ada, ben):
        folder = office.in_folder(user)
        assert folder.keys() == {"Helen Ray", "David Hodgson", "Ines Novak"}
        assert (folder["Helen Ray"]["jobTitle"], folder["David Hodgson"]["mobilePhone"]) == ("Director", "555")
    office.settled(ada, ben)
    mark = office.mark()
    for user in (ada, ben):
        office.sync(user, "full")
    assert office.writes(mark) == 0


def test_r40_what_was_only_announced_while_paused_comes_without_a_request(office: Office) -> None:
    ada, ben = at_work(office, "ada", "ben")
    pause(office, {})
    office.edit_in_outlook(ada, "Helen Ray", jobTitle="Buyer")
    office.edit_in_bc("David Hodgson", jobTitle="Chief")
    office.system.wait_until_quiet()
    assert office.in_bc()["Helen Ray"]["jobTitle"] == ""

    resume(office, {})
    office.system.wait_until_quiet()

    assert office.in_bc()["Helen Ray"]["jobTitle"] == "Buyer"
    for user in (ada, ben):
        titles = {name: each["jobTitle"] for name, each in office.in_folder(user).items()}
        assert titles == {"Helen Ray": "Buyer", "David Hodgson": "Chief"}


def test_r40_a_pause_outlives_the_app_and_only_its_own_scope_is_resumed(office: Office) -> None:
    (ada,) = at_work(office, "ada")
    company = scope_of(office, "company", ada)
    pause(office, {})
    pause(office, company)
    office.edit_in_bc("Helen Ray", jobTitle="Director")
    office.system.host.kill()
    office.system.restart_app()
    mark = office.mark()
    asked = office.app.ask(ada)
    everything_looks(office)
    assert resume(office, {"user": ada})["resumed"] is False
    answer = resume(office, {})
    assert (answer["resumed"], [each["company"] for each in answer["paused"]]) == (True, [company["company"]])
    everything_looks(office)
    assert (office.app.run(asked)["status"], office.writes(mark)) == ("queued", 0)

    resume(office, company)
    office.system.wait_until_quiet()

    assert office.app.run(asked)["status"] == "succeeded"
    assert office.in_folder(ada)["Helen Ray"]["jobTitle"] == "Director"


def test_r40_only_an_administrator_with_a_name_pauses_and_what_is_unknown_is_refused(office: Office) -> None:
    (ada,) = at_work(office, "ada")
    for act in ("pause", "resume"):
        path = f"/api/admin/{act}"
        for key in (USER_KEY, None):
            assert office.app.request("POST", path, key=key, body=WHO).status_code == 401
        for body, code in (
            ({}, "missing-member"),
            ({**WHO, "usr": ada}, "unknown-member"),
            ({**WHO, "user": "nobody@contoso.example"}, "unknown-user"),
            ({**WHO, "company": "Nowhere Ltd"}, "unknown-company"),
        ):
            answer = refused(office, path, body)
            assert answer["code"] == code and len(answer["detail"]) > 20, answer
    assert office.app.admin("GET", "/api/admin/health")["paused"] == []


def refused(office: Office, path: str, body: dict[str, str]) -> dict[str, Any]:
    answer = office.app.request("POST", path, key=ADMIN_KEY, body=body)
    assert answer.status_code in (400, 404, 409), answer.text
    return dict(answer.json())
