"""What the safety stop holds happens when an administrator approves it, and only then (R26); in the running app."""

from collections.abc import Iterator
from typing import Any

import pytest

from dev.system import System
from dev.system.app import Refused
from dev.system.settings import USER_KEY
from tests.integration.conftest import SETTINGS
from tests.integration.office import Office, Report, done, emptied

pytestmark = pytest.mark.integration

WHO = "boss"
REMOVALS = "outlook-removals"
PEOPLE = [f"Person {chr(ord('A') + each)}" for each in range(26)]


def waits(report: Report) -> dict[str, int]:
    assert report["status"] == "held", report
    return {each["kind"]: each["count"] for each in report["held"]}


def gone(office: Office, *names: str) -> None:
    for name in names:
        office.delete_in_bc(name)


def held_run(office: Office, **profile: Any) -> tuple[str, Report]:
    """Twelve of 26 persons are deleted in BC: Ada, and the run that holds their removal from her folder."""
    office.persons(*PEOPLE)
    ada = office.user("ada", **profile)
    office.sync(ada)
    office.settled(ada)
    gone(office, *PEOPLE[:12])
    run = office.app.sync(ada)
    assert waits(run) == {REMOVALS: 12}
    return ada, run


def refusal(office: Office, run_id: str, holds: dict[str, int], actor: str = WHO) -> str:
    """The code with which an approval is refused."""
    with pytest.raises(Refused) as caught:
        office.app.approve(run_id, holds, actor)
    assert caught.value.problem["detail"]
    return caught.value.code


def test_r26_nothing_but_the_right_approval_by_the_right_door_removes_anybody(office: Office) -> None:
    ada, run = held_run(office)
    mark, path = office.mark(), f"/api/admin/runs/{run['runId']}/approve"
    body = {"holds": [{"kind": REMOVALS, "count": 12}], "actor": WHO}

    for key in (USER_KEY, "", None, "wrong"):
        assert office.app.request("POST", path, key=key, body=body).status_code == 401
    assert refusal(office, run["runId"], {REMOVALS: 11}) == "count-differs"
    assert refusal(office, run["runId"], {REMOVALS: 13}) == "count-differs"
    assert refusal(office, run["runId"], {"bc-removals": 12}) == "not-held"
    assert refusal(office, run["runId"], {REMOVALS: 12, "bc-removals": 1}) == "not-held"
    assert refusal(office, run["runId"], {REMOVALS: 12}, actor="") == "missing-member"
    assert refusal(office, "nothing", {REMOVALS: 12}) == "unknown-run"
    preview = office.app.sync(ada, preview=True)
    assert refusal(office, preview["runId"], {REMOVALS: 12}) == "not-held"
    office.system.wait_until_idle()
    assert office.writes(mark) == 0
    assert office.in_folder(ada).keys() == {*PEOPLE}

    report = office.app.approve(run["runId"], {REMOVALS: 12}, WHO)

    assert (report["status"], done(report), done(report, "toBusinessCentral")) == ("succeeded", {"deleted": 12}, {})
    assert (report["approves"], report["actor"]) == (run["run"], WHO)
    assert office.in_folder(ada).keys() == {*PEOPLE[12:]}
    assert {each["displayName"] for each in office.graph.contacts_of(ada, "deleted")} == {*PEOPLE[:12]}
    assert office.in_bc().keys() == {*PEOPLE[12:]}
    (approved,) = office.app.run(run["runId"])["held"]
    assert (approved["approved"]["actor"], approved["approved"]["run"]) == (WHO, report["run"])
    assert refusal(office, run["runId"], {REMOVALS: 12}) == "not-held"
    mark = office.mark()
    for mode in ("incremental", "full"):
        office.sync(ada, mode)
    assert office.writes(mark) == 0


def test_r26_only_the_newest_held_run_is_approved_and_it_names_all_that_waits(office: Office) -> None:
    ada, older = held_run(office)
    gone(office, *PEOPLE[12:14])
    newer = office.app.sync(ada, "full")
    assert waits(newer) == {REMOVALS: 14}
    mark = office.mark()

    assert refusal(office, older["runId"], {REMOVALS: 12}) == "not-newest"
    assert refusal(office, older["runId"], {REMOVALS: 14}) == "not-newest"
    assert office.writes(mark) == 0

    assert done(office.app.approve(newer["runId"], {REMOVALS: 14}, WHO)) == {"deleted": 14}
    assert office.in_folder(ada).keys() == {*PEOPLE[14:]}


def test_r26_deletions_in_bc_wait_too_and_happen_there(office: Office) -> None:
    office.persons(*PEOPLE)
    ada = office.mailbox("ada")
    office.app.save_profile_as_admin(ada, policies={"onOutlookDelete": "delete"})
    office.sync(ada)
    office.settled(ada)
    for name in PEOPLE[:12]:
        office.delete_in_outlook(ada, name)
    run = office.app.sync(ada)
    assert waits(run) == {"bc-removals": 12}
    assert office.in_bc().keys() == {*PEOPLE}

    report = office.app.approve(run["runId"], {"bc-removals": 12}, WHO)

    assert done(report, "toBusinessCentral") == {"deleted": 12}
    assert office.in_bc().keys() == office.in_folder(ada).keys() == {*PEOPLE[12:]}


def test_r26_one_approval_of_a_companys_hold_serves_all_its_profiles(office: Office) -> None:
    names = [f"{name} {number}" for name in PEOPLE[:20] for number in range(5)]
    office.persons(*names)
    ada, ben = office.user("ada"), office.user("ben")
    for user in (ada, ben):
        office.sync(user)
    gone(office, *names[:60])
    run = office.app.sync(ada, "full")
    assert waits(run) == {"company-deletions": 60}

    office.app.approve(run["runId"], {"company-deletions": 60}, WHO)
    office.system.wait_until_idle()
    office.sync(ben)

    for user in (ada, ben):
        assert office.in_folder(user).keys() == {*names[60:]}


@pytest.fixture
def impatient() -> Iterator[Office]:
    """An app of its own, in which holds lapse at once."""
    with System(settings=SETTINGS | {"HOLD_DAYS": "0.000000001"}) as system, emptied(system) as office:
        yield office


def test_r26_what_waited_too_long_cannot_be_approved_and_is_held_anew(impatient: Office) -> None:
    office = impatient
    ada, run = held_run(office)
    mark = office.mark()

    assert refusal(office, run["runId"], {REMOVALS: 12}) == "hold-lapsed"

    assert (office.writes(mark), office.in_folder(ada).keys()) == (0, {*PEOPLE})
    office.system.host.settings["HOLD_DAYS"] = "7"
    office.system.host.stop()
    office.system.restart_app()
    assert waits(anew := office.app.sync(ada, "full")) == {REMOVALS: 12}
    assert refusal(office, run["runId"], {REMOVALS: 12}) == "not-newest"
    assert done(office.app.approve(anew["runId"], {REMOVALS: 12}, WHO)) == {"deleted": 12}
    assert office.in_folder(ada).keys() == {*PEOPLE[12:]}
