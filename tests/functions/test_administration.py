"""The admin door: all profiles, companies, runs for everybody, health."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.cards.model import Origin
from shared.engine.model import Mode, Profile, Trigger
from shared.errors import CompanyUnavailable, MailboxUnavailable, SettingsError
from tests.fakes.world import COMPANY
from tests.functions.desk import ADA, BEN, OTHER_COMPANY, SALES, Desk

ADDRESS = f"/api/admin/profiles/{ADA}"


def synced(desk: Desk) -> None:
    """Ada's folder holds one contact that the sync made and one that was hers."""
    desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example")
    desk.save()
    desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"})
    desk.work()
    folder = desk.world.folder(ADA)
    desk.world.mailbox(ADA).add(folder, name="Bob Birch", email="bob@contoso.example")
    desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"})
    desk.work()
    links = desk.services.mailboxes.peek(ADA, COMPANY, ADA).all_links()
    assert sorted(each.origin for each in links) == [Origin.OWN, Origin.SYNC]


# ---------------------------------------------------------------- removing


def test_a_removed_profile_leaves_the_folder_as_it_is(desk: Desk) -> None:
    synced(desk)
    before = len(desk.world.mailbox(ADA).entries)

    response = desk.call("DELETE", ADDRESS)

    assert response.body == {"deleted": True, "contacts": "keep", "removed": 0, "left": 2}
    assert len(desk.world.mailbox(ADA).entries) == before
    assert desk.call("GET", f"/api/profiles/{ADA}").problem == (404, "no-profile", "user")
    assert not list(desk.services.mailboxes.peek(ADA, COMPANY, ADA).all_links())
    assert not list(desk.services.marks.due(COMPANY, desk.services.now()))


def test_a_removed_profile_takes_what_the_sync_made_with_it_if_that_is_wanted(desk: Desk) -> None:
    synced(desk)
    response = desk.call("DELETE", f"{ADDRESS}?contacts=remove")
    assert (response.body["removed"], response.body["left"]) == (1, 1)
    assert [each.contact.card.name for each in desk.world.mailbox(ADA).entries.values()] == ["Bob Birch"]


def test_a_profile_whose_mailbox_is_busy_is_switched_off_and_the_call_can_be_repeated(desk: Desk) -> None:
    desk.save()
    held = desk.services.mailboxes.hold(ADA, "a run")
    assert desk.call("DELETE", ADDRESS).problem == (409, "mailbox-busy", "")
    assert desk.call("GET", f"/api/profiles/{ADA}").body["enabled"] is False
    held.release()  # type: ignore[union-attr]
    assert desk.call("DELETE", ADDRESS).status == 200


def test_a_mailbox_that_is_gone_lets_the_profile_go_with_its_contacts_kept(desk: Desk) -> None:
    synced(desk)
    desk.world.directory.unavailable.add(ADA)
    assert desk.call("DELETE", f"{ADDRESS}?contacts=remove").problem == (409, "no-mailbox", "")
    assert desk.call("DELETE", f"{ADDRESS}?contacts=keep").status == 200


def test_contacts_are_kept_or_removed_and_nothing_else(desk: Desk) -> None:
    desk.save()
    assert desk.call("DELETE", f"{ADDRESS}?contacts=all").problem == (400, "bad-query", "contacts")
    assert desk.call("GET", f"/api/profiles/{ADA}").body["enabled"] is True


def test_r09_a_profile_made_anew_finds_its_contacts_again(desk: Desk) -> None:
    synced(desk)
    desk.call("DELETE", ADDRESS)
    desk.save()
    desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"})
    desk.work()
    names = [each.contact.card.name for each in desk.world.mailbox(ADA).entries.values()]
    assert sorted(names) == ["Ann Ash", "Bob Birch"]


# ---------------------------------------------------------------- lists


def test_all_profiles_come_a_page_at_a_time(desk: Desk) -> None:
    desk.world.environment.add(OTHER_COMPANY)
    for user in (ADA, BEN):
        desk.save(user, company=COMPANY)
    desk.save(ADA, company=OTHER_COMPANY)
    desk.call("PUT", f"/api/admin/profiles/{SALES}", {"company": OTHER_COMPANY})

    seen, address = [], "/api/admin/profiles?top=1"
    while address:
        page = desk.call("GET", address).body
        seen += [(each["company"]["name"], each["user"]) for each in page["profiles"]]
        address = page["next"]

    assert seen == [("CRONUS AG", ADA), ("CRONUS AG", BEN), ("Fabrikam", ADA), ("Fabrikam", SALES)]
    only = desk.call("GET", "/api/admin/profiles?company=fabrikam&top=1").body
    assert [each["user"] for each in only["profiles"]] == [ADA]
    assert [each["user"] for each in desk.call("GET", only["next"]).body["profiles"]] == [SALES]
    assert desk.call("GET", "/api/admin/profiles?company=x").problem == (404, "unknown-company", "company")


def test_a_page_of_profiles_reads_none_of_the_pages_before(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for user in (ADA, BEN, SALES):
        desk.call("PUT", f"/api/admin/profiles/{user}", {"company": COMPANY})
    profiles = desk.world.state.profiles
    read: list[str] = []
    in_company = profiles.in_company

    def watched(*of: Any) -> Iterator[Profile]:
        for each in in_company(*of):
            read.append(each.id)
            yield each

    monkeypatch.setattr(profiles, "in_company", watched)
    address = "/api/admin/profiles?top=1"
    while address:
        address = desk.call("GET", address).body["next"]
    assert read == [ADA, BEN, BEN, SALES, SALES]  # one more each time: whether there is another page


# ---------------------------------------------------------------- runs


def test_runs_for_a_list_of_users(desk: Desk) -> None:
    desk.save(ADA)
    desk.save(BEN)
    body = {"mode": "full", "users": ["ada@contoso.example", BEN], "actor": "admin"}
    response = desk.call("POST", "/api/admin/sync", body)
    assert response.status == 202
    assert [each["user"] for each in response.body["runs"]] == [ADA, BEN]
    assert response.sent == {"jobs": [{"mailbox": ADA}, {"mailbox": BEN}], "companies": []}
    assert desk.call("GET", response.body["runs"][0]["run"]).body["actor"] == "admin"


def test_runs_for_a_list_with_a_user_who_cannot_be_run_are_refused_whole(desk: Desk) -> None:
    desk.save(ADA)
    desk.save(BEN, enabled=False)
    address = "/api/admin/sync"
    unknown = desk.call("POST", address, {"mode": "full", "users": [ADA, SALES]})
    assert unknown.problem == (404, "no-profile", "users")
    disabled = desk.call("POST", address, {"mode": "full", "users": [ADA, BEN]})
    assert disabled.problem == (409, "profile-disabled", "users")
    assert desk.call("POST", address, {"mode": "full", "users": []}).problem == (400, "bad-member", "users")
    assert not desk.services.mailboxes.waiting(ADA)


def test_runs_for_everybody_go_by_company(desk: Desk) -> None:
    desk.world.environment.add(OTHER_COMPANY)
    desk.save(ADA, company=COMPANY)
    desk.save(BEN, company=OTHER_COMPANY, automatic=False)
    response = desk.call("POST", "/api/admin/sync", {"mode": "full"})
    assert response.body == {"companies": [COMPANY, OTHER_COMPANY], "runs": []}
    assert [(each["company"], each["reason"]) for each in response.sent["companies"]] == [
        (COMPANY, "full-sync-all"),
        (OTHER_COMPANY, "full-sync-all"),
    ]
    only = desk.call("POST", "/api/admin/sync?company=Fabrikam", {"mode": "incremental"})
    assert [(each["company"], each["reason"]) for each in only.sent["companies"]] == [(OTHER_COMPANY, "sync-all")]


# ---------------------------------------------------------------- companies


def test_base_filter_and_excluded_fields_are_kept(desk: Desk) -> None:
    address = "/api/admin/companies/CRONUS%20AG"
    assert desk.call("GET", address).body == {
        "id": COMPANY,
        "name": "CRONUS AG",
        "baseFilter": {},
        "excludedFields": [],
        "etag": "",
    }
    body = {"baseFilter": {"country": "CH|DE"}, "excludedFields": ["website", "mobilePhoneNumber"]}
    saved = desk.call("PUT", address, body).body
    assert saved["baseFilter"] == {"country": "CH|DE"}
    assert saved["excludedFields"] == ["mobilePhoneNumber", "website"]
    assert desk.call("PUT", address, {"etag": "old"}).problem == (409, "changed-meanwhile", "etag")
    assert desk.call("PUT", address, {"etag": saved["etag"]}).body["baseFilter"] == {}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"baseFilter": {"country": "CH|"}}, (400, "filter", "country")),
        ({"baseFilter": {"jobTitle": "%me"}}, (400, "filter", "jobTitle")),
        ({"excludedFields": ["webside"]}, (400, "unknown-field", "excludedFields")),
        ({"excludedFields": ["displayName"]}, (400, "needed-field", "excludedFields")),
        ({"excludedFields": ["email"]}, (400, "needed-field", "excludedFields")),
        ({"basefilter": {}}, (400, "unknown-member", "basefilter")),
        ({"environment": "Sandbox"}, (409, "wrong-environment", "environment")),
    ],
)
def test_a_companys_settings_that_cannot_be(desk: Desk, body: dict[str, object], problem: tuple[int, str, str]) -> None:
    assert desk.call("PUT", f"/api/admin/companies/{COMPANY}", body).problem == problem
    assert desk.services.companies.settings(COMPANY).etag == ""


def test_a_company_that_bc_does_not_have(desk: Desk) -> None:
    assert desk.call("GET", "/api/admin/companies/Adatum").problem == (404, "unknown-company", "company")


# ---------------------------------------------------------------- health


def test_liveness_says_nothing_else(desk: Desk) -> None:
    assert desk.call("GET", "/api/health").body == {"status": "ok"}


def test_health_names_the_part_that_fails(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert desk.call("GET", "/api/admin/health").status == 200

    def refused(_self: object, _user: str) -> None:
        raise MailboxUnavailable("The app may not look up users.", code="no-permission")

    monkeypatch.setattr("tests.functions.desk.Directory.mailbox", refused)
    response = desk.call("GET", "/api/admin/health")
    assert response.status == 503
    assert {each["part"]: each["ok"] for each in response.body["parts"]} == {
        "settings": True,
        "storage": True,
        "microsoft-graph": False,
        "business-central": True,
        "permissions": True,
        "imports": True,
    }


def test_health_names_a_permission_that_the_token_lacks(desk: Desk) -> None:
    desk.grant(graph={"Contacts.ReadWrite", "Contacts.Read", "User.Read.All"}, bc=set())
    response = desk.call("GET", "/api/admin/health")
    (part,) = [each for each in response.body["parts"] if not each["ok"]]
    assert (response.status, part["part"]) == (503, "permissions")
    assert "API.ReadWrite.All" in part["detail"]
    assert "admin consent" in part["detail"]


def test_health_takes_a_token_without_contacts_for_exchange_s_roles(desk: Desk) -> None:
    desk.grant(graph=set(), bc={"API.ReadWrite.All"})
    assert desk.call("GET", "/api/admin/health").status == 200


def test_health_names_missing_settings(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> None:
        raise SettingsError("BC_ENVIRONMENT is missing.")

    monkeypatch.setattr("functions.health.get_services", failing)
    response = desk.call("GET", "/api/admin/health")
    assert response.status == 503
    assert response.body["parts"] == [{"part": "settings", "ok": False, "detail": "BC_ENVIRONMENT is missing."}]


def test_unreadable_bc_shows_in_health(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_self: object) -> None:
        raise CompanyUnavailable("Business Central does not accept the app's token.", code="bc-token-refused")

    monkeypatch.setattr("tests.functions.desk.NamedCompanies.companies", refused)
    assert desk.call("GET", "/api/admin/health").status == 503


def test_runs_that_an_administrator_asks_for_count_as_asked_for(desk: Desk) -> None:
    desk.save(ADA)
    desk.call("POST", "/api/admin/sync", {"mode": "full", "users": [ADA]})
    (waiting,) = desk.services.mailboxes.waiting(ADA)
    assert (waiting.trigger, waiting.mode) == (Trigger.HTTP, Mode.FULL)
