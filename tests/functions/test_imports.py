"""The admin door: many users are taken on at once, and saved imports are repeated by their timer."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.company_jobs import company_jobs
from functions.nightly_imports import nightly_imports
from functions.poison import company_jobs_poison
from shared.engine.sides import BcUser
from shared.planning.importing import Person, Unfit
from tests.functions.desk import ADA, BEN, Desk, Response, Sent
from tests.functions.test_jobs import Tick, message

GROUP = "99999999-0000-0000-0000-000000000001"
IMPORT = {"source": {"group": GROUP}, "filter": {}, "actor": "boss"}
PEOPLE = {ADA: "ada@contoso.example", BEN: "ben@contoso.example"}


@pytest.fixture
def members(desk: Desk) -> Callable[..., None]:
    """Who is in the group."""

    def are(*ids: str) -> None:
        people = [Person(each, PEOPLE.get(each, f"{each}@contoso.example")) for each in ids]
        desk.world.directory.tenant.groups[GROUP] = people

    are(ADA, BEN)
    return are


def post(desk: Desk, **more: Any) -> Response:
    return desk.call("POST", "/api/admin/profiles/import", IMPORT | more)


def night(desk: Desk) -> dict[str, Any]:
    """The timer fires; answers the report of the only import."""
    desk.world.clock.advance(hours=24)
    jobs = Sent()
    nightly_imports(Tick(), jobs)  # type: ignore[arg-type]
    (job,) = jobs.messages
    work(desk, job)
    return desk.call("GET", f"/api/admin/import-runs/{job['import']}").body


def work(desk: Desk, job: dict[str, Any]) -> None:
    company_jobs(message(json.dumps(job)))


def users(people: dict[str, Any]) -> list[str]:
    assert people["count"] == len(people["users"])
    return [each["user"] for each in people["users"]]


@pytest.mark.usefixtures("members")
def test_an_import_answers_at_once_when_it_is_small(desk: Desk) -> None:
    desk.world.directory.tenant.unusable = {BEN: Unfit.NO_MAILBOX}
    answer = post(desk)
    assert (answer.status, answer.body["status"], answer.sent["jobs"]) == (200, "succeeded", [])
    assert users(answer.body["added"]) == [ADA]
    assert answer.body["leftOut"]["users"] == [{"user": BEN, "address": "ben@contoso.example", "reason": "no-mailbox"}]
    profile = desk.call("GET", f"/api/profiles/{ADA}").body
    assert (profile["direction"], profile["company"]["name"], profile["actor"], profile["import"]) == (
        "toOutlook", "CRONUS AG", "import once", None,
    )  # fmt: skip
    assert desk.call("GET", answer.body["run"]).body == answer.body


@pytest.mark.usefixtures("members")
def test_a_preview_says_the_same_and_writes_nothing(desk: Desk) -> None:
    answer = post(desk, preview=True, name="sales")
    assert (users(answer.body["added"]), answer.body["preview"]) == ([ADA, BEN], True)
    assert desk.call("GET", "/api/admin/profiles").body["profiles"] == []
    assert desk.call("GET", "/api/admin/imports").body["imports"] == []


@pytest.mark.usefixtures("members")
def test_what_has_no_time_goes_on_in_the_queue(desk: Desk) -> None:
    desk.world.faults.fail(1, call="graph.members")
    answer = post(desk)
    assert (answer.status, answer.headers["Location"]) == (202, answer.body["run"])
    (job,) = answer.sent["jobs"]
    assert job == {"company": answer.body["companyId"], "reason": "import", "import": answer.body["runId"]}
    work(desk, job)
    assert users(desk.call("GET", answer.body["run"]).body["added"]) == [ADA, BEN]


def test_a_saved_import_is_listed_read_repeated_and_deleted(desk: Desk, members: Callable[..., None]) -> None:
    post(desk, name="sales", onLeave="keep", filter={"city": "Ulm"}, direction="both")
    (listed,) = desk.call("GET", "/api/admin/imports?company=CRONUS AG").body["imports"]
    assert listed == desk.call("GET", "/api/admin/imports/sales").body
    assert (listed["source"], listed["direction"], listed["filter"], listed["lastRun"]["status"]) == (
        {"group": GROUP}, "both", {"city": "Ulm"}, "succeeded",
    )  # fmt: skip
    members(BEN)
    assert users(night(desk)["disabled"]) == [ADA]
    profile = desk.call("GET", f"/api/profiles/{ADA}").body
    assert (profile["enabled"], profile["import"]) == (False, {"name": "sales", "left": True})
    members(ADA, BEN)
    assert users(night(desk)["enabled"]) == [ADA]
    assert desk.call("DELETE", "/api/admin/imports/sales").body == {"deleted": True}
    assert desk.call("GET", "/api/admin/imports/sales").problem == (404, "unknown-import", "name")
    assert desk.call("GET", f"/api/profiles/{ADA}").body["enabled"] is True


def test_a_leaver_comes_back_by_an_administrator_and_is_then_nobodys(desk: Desk, members: Callable[..., None]) -> None:
    post(desk, name="sales")
    members(BEN)
    night(desk)
    address = f"/api/profiles/{ADA}"
    assert desk.call("PATCH", address, {"enabled": True}).problem == (400, "admin-only", "enabled")
    assert desk.call("PUT", address, {}).body["enabled"] is False
    back = desk.call("PUT", f"/api/admin/profiles/{ADA}", {"enabled": True}).body
    assert (back["enabled"], back["import"]) == (True, None)
    assert users(night(desk)["disabled"]) == []


@pytest.mark.parametrize("what", ["empty", "gone"])
def test_a_source_that_says_nobody_changes_nothing_and_health_tells(
    desk: Desk, members: Callable[..., None], what: str
) -> None:
    post(desk, name="sales")
    if what == "empty":
        members()
    else:
        desk.world.directory.tenant.groups.clear()
    report = night(desk)
    assert report["error"]["code"] == {"empty": "source-empty", "gone": "unknown-group"}[what]
    health = desk.call("GET", "/api/admin/health")
    (part,) = [each for each in health.body["parts"] if each["part"] == "imports"]
    assert (health.status, part["ok"]) == (503, False)
    assert "sales" in part["detail"] and report["error"]["detail"] in part["detail"]
    assert desk.call("GET", f"/api/profiles/{ADA}").body["enabled"] is True
    members(ADA, BEN)
    night(desk)
    assert desk.call("GET", "/api/admin/health").status == 200


def test_r26_many_leavers_wait_until_a_person_approves_with_the_number(
    desk: Desk, members: Callable[..., None]
) -> None:
    everybody = [f"aaaaaaaa-0000-0000-0001-{number:012d}" for number in range(30)]
    members(*everybody)
    post(desk, name="sales")
    members(*everybody[12:])
    report = night(desk)
    (held,) = report["held"]
    assert (report["status"], held["kind"], held["count"], held["users"]) == ("held", "leavers", 12, everybody[:12])
    approve = f"{report['run']}/approve"
    holds = [{"kind": "leavers", "count": 12}]
    assert desk.call("POST", approve, {"holds": holds}).problem == (400, "missing-member", "actor")
    wrong = {"holds": [{"kind": "leavers", "count": 11}], "actor": "boss"}
    assert desk.call("POST", approve, wrong).problem == (409, "count-differs", "holds")
    answer = desk.call("POST", approve, {"holds": holds, "actor": "boss"})
    assert answer.status == 202
    work(desk, answer.sent["jobs"][0])
    assert users(desk.call("GET", answer.body["run"]).body["disabled"]) == everybody[:12]
    assert desk.call("GET", report["run"]).body["held"][0]["approved"]["actor"] == "boss"


def test_users_of_bc_are_found_by_their_address(desk: Desk) -> None:
    desk.world.environment.people = [BcUser("ADA", "ada@contoso.example"), BcUser("DORA", "")]
    desk.world.directory.tenant.users = {"ada@contoso.example": Person(ADA, "ada@contoso.example")}
    answer = post(desk, source={"businessCentral": True}, filter={"searchName": "%me"})
    assert users(answer.body["added"]) == [ADA]
    assert answer.body["leftOut"]["users"] == [{"user": None, "address": "DORA", "reason": "no-address"}]
    assert desk.call("GET", f"/api/profiles/{ADA}").body["bcUserName"] == "ADA"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"filter": None}, (400, "bad-member", "filter")),
        ({"source": None}, (400, "bad-member", "source")),
        ({"source": {}}, (400, "bad-member", "source")),
        ({"source": {"group": GROUP, "users": ["a@x"]}}, (400, "bad-member", "source")),
        ({"source": {"businessCentral": False}}, (400, "bad-member", "source.businessCentral")),
        ({"source": {"group": "sales"}}, (400, "bad-member", "source.group")),
        ({"source": {"users": ["ada"]}}, (400, "bad-user", "source.users")),
        ({"source": {"users": []}}, (400, "bad-member", "source.users")),
        ({"name": "Sales Team"}, (400, "bad-member", "name")),
        ({"onLeave": "remove"}, (400, "bad-member", "onLeave")),
        ({"filter": {"city": "("}}, (400, "filter", "city")),
        ({"filter": {"searchName": "%me"}}, (400, "filter", "searchName")),
        ({"company": "Nobody Ltd"}, (404, "unknown-company", "company")),
        ({"direction": "toBc"}, (400, "bad-member", "direction")),
        ({"environment": "Sandbox"}, (409, "wrong-environment", "environment")),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_saved(
    desk: Desk, change: dict[str, Any], problem: tuple[int, str, str]
) -> None:
    assert post(desk, name=change.pop("name", "" if "onLeave" in change else "sales"), **change).problem == problem
    assert desk.call("GET", "/api/admin/imports").body["imports"] == []


def test_the_filter_must_be_named(desk: Desk) -> None:
    body = {"source": {"group": GROUP}}
    assert desk.call("POST", "/api/admin/profiles/import", body).problem == (400, "missing-member", "filter")


@pytest.mark.usefixtures("members")
def test_a_run_that_breaks_off_too_often_ends_as_failed(desk: Desk) -> None:
    desk.world.faults.fail(1, call="graph.members")
    answer = post(desk, name="sales")
    company_jobs_poison(message(json.dumps(answer.sent["jobs"][0])))
    report = desk.call("GET", answer.body["run"]).body
    assert (report["status"], report["error"]["code"]) == ("failed", "broke-off")


def test_runs_and_imports_that_are_not_there_say_so(desk: Desk) -> None:
    assert desk.call("GET", "/api/admin/import-runs/nothing").problem == (404, "unknown-run", "id")
    assert desk.call("DELETE", "/api/admin/imports/nothing").problem == (404, "unknown-import", "name")
    assert desk.call("GET", "/api/admin/imports?company=Nobody").problem == (404, "unknown-company", "company")
