"""Groups, users of BC and lists are taken on, and followed by night, in the running app."""

from collections.abc import Iterator
from typing import Any

import pytest

from dev.system import System
from dev.system.app import Refused
from tests.integration.office import Office, emptied

pytestmark = pytest.mark.integration

GRAPH_ROLES = ["Contacts.Read", "Contacts.ReadWrite", "User.Read.All"]


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with System(settings={"RUN_GAP_SECONDS": "0"}) as running:
        # before the app asks for its first token
        running.simulators.entra.set_roles("graph", [*GRAPH_ROLES, "GroupMember.Read.All"])
        running.simulators.entra.set_roles("bc", ["API.ReadWrite.All", "Automation.ReadWrite.All"])
        yield running


@pytest.fixture
def office(system: System) -> Iterator[Office]:
    with emptied(system) as office:
        yield office
        for each in office.app.admin("GET", "/api/admin/imports")["imports"]:
            office.app.admin("DELETE", f"/api/admin/imports/{each['name']}")


def post(office: Office, **members: Any) -> dict[str, Any]:
    return office.app.admin("POST", "/api/admin/profiles/import", {"filter": {}, "actor": "boss"} | members)


def addresses(people: dict[str, Any]) -> set[str]:
    return {each["address"] for each in people["users"]}


def night(office: Office) -> dict[str, Any]:
    """The timer fires; answers how the import's run ended."""
    office.app.fire("nightly_imports")
    office.system.wait_until_idle()
    (saved,) = office.app.admin("GET", "/api/admin/imports")["imports"]
    return office.app.admin("GET", saved["lastRun"]["run"])


def synced(office: Office) -> set[str]:
    """Whose profiles are on."""
    profiles = office.app.admin("GET", "/api/admin/profiles")["profiles"]
    return {each["address"].partition("@")[0] for each in profiles if each["enabled"]}


def test_a_group_is_taken_on_and_followed(office: Office) -> None:
    office.persons("Helen Ray", "Ann Ash")
    ada, ben, cleo, dora = (office.mailbox(each) for each in ("ada", "ben", "cleo", "dora"))
    office.graph.create_user("guest@other.example", userType="Guest", mailbox_state="unlicensed")
    office.graph.set_mailbox(dora, "unlicensed")
    inner = office.graph.create_group("Branch", [ben])
    group = office.graph.create_group("Sales", [ada, inner, dora, "guest@other.example"])
    wish = {"source": {"group": group}, "name": "sales", "onLeave": "remove"}

    preview = post(office, **wish, preview=True)
    assert addresses(preview["added"]) == {ada, ben}
    assert {each["address"]: each["reason"] for each in preview["leftOut"]["users"]} == {
        dora: "no-mailbox", "guest@other.example": "guest",
    }  # fmt: skip
    assert synced(office) == set()

    mark = office.mark()
    made = post(office, **wish)
    assert (made["status"], addresses(made["added"])) == ("succeeded", {ada, ben})
    assert office.counts(mark)["graph"].requests <= 3, "the group, and one batch for all mailboxes"
    office.system.tick()
    assert set(office.in_folder(ada)) == set(office.in_folder(ben)) == {"Helen Ray", "Ann Ash"}

    office.graph.set_members(group, [cleo, inner])
    followed = night(office)
    assert (addresses(followed["added"]), addresses(followed["removed"])) == ({cleo}, {ada})
    office.system.tick()
    assert office.in_folder(ada) == {}
    assert set(office.in_folder(cleo)) == {"Helen Ray", "Ann Ash"}
    assert synced(office) == {"ben", "cleo"}

    office.graph.set_members(group, [ada, cleo, inner])
    assert addresses(night(office)["added"]) == {ada}
    office.system.tick()
    assert set(office.in_folder(ada)) == {"Helen Ray", "Ann Ash"}


def test_an_empty_group_ends_nobodys_sync_and_a_quiet_night_costs_one_request(office: Office) -> None:
    office.persons("Helen Ray")
    ada, ben = office.mailbox("ada"), office.mailbox("ben")
    inner = office.graph.create_group("Branch", [ben])
    group = office.graph.create_group("Sales", [ada, inner])
    post(office, source={"group": group}, name="sales")
    office.graph.set_members(inner, [])
    for members in ([], [inner]):
        office.graph.set_members(group, members)
        nothing = night(office)
        assert (nothing["status"], nothing["error"]["code"]) == ("failed", "source-empty")
        assert synced(office) == {"ada", "ben"}
    with pytest.raises(Refused) as refused:
        office.app.admin("GET", "/api/admin/health")
    assert refused.value.status == 503

    office.graph.set_members(group, [ada, ben])
    mark = office.mark()
    again = night(office)
    assert (again["status"], again["kept"], again["added"]["count"]) == ("succeeded", 2, 0)
    assert office.counts(mark)["graph"].kinds == {"groups.members": 1}
    assert office.app.admin("GET", "/api/admin/health")["status"] == "ok"


def test_many_leavers_wait_for_approval_and_leave_with_it(office: Office) -> None:
    users = [office.mailbox(f"user{number:02d}") for number in range(24)]
    group = office.graph.create_group("All", users)
    post(office, source={"group": group}, name="all")
    office.graph.set_members(group, users[12:])
    held = night(office)
    assert (held["status"], held["held"][0]["kind"], held["held"][0]["count"]) == ("held", "leavers", 12)
    assert len(synced(office)) == 24
    body = {"holds": [{"kind": "leavers", "count": 12}], "actor": "boss"}
    approved = office.app.admin("POST", f"{held['run']}/approve", body)
    office.system.wait_until_idle()
    assert office.app.admin("GET", approved["run"])["disabled"]["count"] == 12
    assert len(synced(office)) == 12


def test_users_of_bc_and_of_a_list_are_taken_on(office: Office) -> None:
    ada, ben = office.mailbox("ada"), office.mailbox("ben")
    office.bc.set_users([{"user_name": "ADA", "contact_email": ada}, {"user_name": "DORA"}])
    by_bc = post(office, source={"businessCentral": True}, filter={"searchName": "%me"})
    assert (addresses(by_bc["added"]), addresses(by_bc["leftOut"])) == ({ada}, {"DORA"})
    by_list = post(office, source={"users": [ada, ben, "nobody@contoso.example"]}, direction="both")
    assert (addresses(by_list["added"]), addresses(by_list["leftOut"])) == ({ben}, {"nobody@contoso.example"})
    profiles = {each["address"]: each for each in office.app.admin("GET", "/api/admin/profiles")["profiles"]}
    assert (profiles[ada]["bcUserName"], profiles[ada]["direction"]) == ("ADA", "toOutlook")
    assert profiles[ben]["direction"] == "both"
