"""Saving and reading one user's profile."""

import pytest

from shared.engine.model import Positions
from shared.engine.sides import FolderStamp
from shared.engine.state import Changes
from shared.errors import CompanyUnavailable, SettingsError
from tests.fakes.world import COMPANY, ENVIRONMENT
from tests.functions.desk import ADA, BEN, GUEST, OTHER_COMPANY, SALES, UNLICENSED, Desk

ADDRESS = f"/api/profiles/{ADA}"


def has_run(desk: Desk, user: str = ADA) -> None:
    """The profile's folder was made by a run."""
    held = desk.services.mailboxes.hold(user, "test")
    profile = desk.services.profiles.get(COMPANY, user)
    assert profile is not None
    stamp = FolderStamp(COMPANY, user, ENVIRONMENT)
    folder = desk.directory.outlook(user).create_folder(profile.folder_name, stamp)
    positions = Positions(folder_id=folder.id, folder_parent_id=folder.parent_id, folder_name=folder.name)
    held.profile(COMPANY, user).commit(Changes(positions=positions))  # type: ignore[union-attr]
    held.release()  # type: ignore[union-attr]


def test_a_new_profile_takes_the_defaults_and_gets_work(desk: Desk) -> None:
    response = desk.call("PUT", "/api/profiles/ada@contoso.example", {"actor": "ADA"})

    assert response.status == 201
    assert response.body["user"] == ADA
    assert response.body["address"] == "ada@contoso.example"
    assert response.body["company"] == {"id": COMPANY, "name": "CRONUS AG"}
    assert response.body["mailbox"] == {"id": ADA, "address": "ada@contoso.example"}
    assert response.body["folder"] == "Business Central"
    assert (response.body["enabled"], response.body["automatic"], response.body["direction"]) == (True, True, "both")
    assert response.body["policies"] == {
        "onBcDelete": "remove",
        "onOutOfScope": "remove",
        "onOutlookDelete": "restore",
        "companyFromOutlook": "fill",
    }
    assert response.body["actor"] == "ADA"
    assert response.headers["ETag"] == f'"{response.body["etag"]}"'
    assert [mark.profile_id for mark in desk.services.marks.due(COMPANY, desk.services.now())] == [ADA]


def test_a_saved_profile_is_read_by_address_without_asking_the_directory(desk: Desk) -> None:
    desk.save(filter={"city": "Basel"})
    desk.directory.asked.clear()

    response = desk.call("GET", "/api/profiles/Ada@Contoso.example")

    assert response.status == 200
    assert response.body["filter"] == {"city": "Basel"}
    assert response.body["state"] == {
        "lastRunAt": None, "lastFullAt": None, "lastCheckedAt": None, "linked": 0,
        "notifications": {"active": False, "until": None, "code": "", "detail": ""}, "holds": [], "paused": None,
    }  # fmt: skip
    assert desk.directory.asked == []


def test_put_replaces_and_patch_changes(desk: Desk) -> None:
    desk.save(filter={"city": "Basel"}, automatic=False, policies={"onBcDelete": "keep"}, bcUserName="ADA")

    patched = desk.call("PATCH", ADDRESS, {"enabled": False, "policies": {"onOutlookDelete": "hide"}}).body
    assert (patched["filter"], patched["automatic"], patched["enabled"]) == ({"city": "Basel"}, False, False)
    assert patched["policies"]["onBcDelete"] == "keep"
    assert patched["policies"]["onOutlookDelete"] == "hide"

    put = desk.save(bcUserName="ADA").body
    assert (put["filter"], put["automatic"], put["enabled"]) == ({}, True, True)
    assert put["policies"]["onBcDelete"] == "remove"


def test_patch_does_not_create(desk: Desk) -> None:
    assert desk.call("PATCH", ADDRESS, {}).problem == (404, "no-profile", "user")


def test_the_actor_may_be_stated_as_a_header(desk: Desk) -> None:
    assert desk.call("PUT", ADDRESS, {}, headers={"X-Actor": "console"}).body["actor"] == "console"


def test_a_profile_that_was_changed_meanwhile_is_not_overwritten(desk: Desk) -> None:
    etag = desk.save().body["etag"]
    desk.save(enabled=False)

    refused = (409, "changed-meanwhile", "etag")
    assert desk.call("PUT", f"/api/profiles/{BEN}", {"etag": etag}).problem == refused
    assert desk.call("PATCH", ADDRESS, {"etag": etag, "enabled": True}).problem == refused
    assert desk.call("PATCH", ADDRESS, {"enabled": True}, headers={"If-Match": f'"{etag}"'}).problem == refused
    newest = desk.call("GET", ADDRESS).headers["ETag"]
    assert desk.call("PATCH", ADDRESS, {"enabled": True}, headers={"If-Match": newest}).status == 200


# ---------------------------------------------------------------- filter (R5)


def test_r05_a_filter_that_does_not_parse_is_refused_and_the_saved_one_stays(desk: Desk) -> None:
    desk.save(filter={"city": "Basel"})

    response = desk.call("PATCH", ADDRESS, {"filter": {"city": "Basel|(Bern"}})

    assert response.problem == (400, "filter", "city")
    assert response.body["column"] == 12
    assert response.body["expected"] and response.body["found"]
    assert desk.call("GET", ADDRESS).body["filter"] == {"city": "Basel"}


def test_r05_an_unknown_filter_field_is_refused_with_the_nearest_name(desk: Desk) -> None:
    response = desk.call("PUT", ADDRESS, {"filter": {"citty": "Basel"}})
    assert response.problem == (400, "filter", "citty")
    assert "city" in response.body["expected"]
    assert desk.services.profiles.get(COMPANY, ADA) is None


def test_r05_me_needs_the_users_name_in_bc(desk: Desk) -> None:
    assert desk.call("PUT", ADDRESS, {"filter": {"jobTitle": "%me"}}).problem == (400, "filter", "jobTitle")
    desk.save(filter={"jobTitle": "%me"}, bcUserName="ADA")
    assert desk.call("PATCH", ADDRESS, {"bcUserName": ""}).problem == (400, "filter", "jobTitle")


def test_r05_company_stands_for_the_companys_name(desk: Desk) -> None:
    desk.save(filter={"companyName": "%company"})
    assert desk.services.companies.settings(COMPANY).name == "CRONUS AG"


# ---------------------------------------------------------------- folder (R27)


@pytest.mark.parametrize("name", ["", "   ", "x" * 256, "a\nb", "a\x01b"])
def test_r27_a_folder_name_that_is_none_is_refused(desk: Desk, name: str) -> None:
    assert desk.call("PUT", ADDRESS, {"folder": name}).problem == (400, "folder-name", "folder")
    assert desk.services.profiles.get(COMPANY, ADA) is None


def test_r27_a_folder_name_may_have_255_characters(desk: Desk) -> None:
    assert desk.save(folder="x" * 255).body["folder"] == "x" * 255


def test_r27_a_further_company_gets_a_folder_with_its_name(desk: Desk) -> None:
    desk.world.environment.add(OTHER_COMPANY)
    desk.save(company="CRONUS AG")
    second = desk.save(company="fabrikam").body
    assert second["folder"] == "Business Central (Fabrikam)"
    again = desk.save(company=OTHER_COMPANY).body
    assert again["folder"] == "Business Central (Fabrikam)"


def test_r27_two_profiles_cannot_have_one_folder(desk: Desk) -> None:
    desk.world.environment.add(OTHER_COMPANY)
    desk.save(company=COMPANY, folder="Customers")
    taken = (409, "folder-taken", "folder")
    assert desk.call("PUT", ADDRESS, {"company": OTHER_COMPANY, "folder": " CUSTOMERS "}).problem == taken
    desk.save(company=COMPANY, folder="default")
    assert desk.call("PUT", ADDRESS, {"company": OTHER_COMPANY, "folder": "Default"}).problem == taken


def test_r27_a_folder_of_another_profile_in_the_mailbox_is_taken(desk: Desk) -> None:
    desk.directory.outlook(ADA).create_folder("Customers", FolderStamp(COMPANY, BEN, ENVIRONMENT))
    assert desk.call("PUT", ADDRESS, {"folder": "customers"}).problem == (409, "folder-taken", "folder")


def test_r27_a_users_own_folder_with_contacts_is_adopted_by_an_administrator_only(desk: Desk) -> None:
    outlook = desk.directory.outlook(ADA)
    desk.save(folder="Empty")  # no such folder yet: the run makes it
    folder = outlook.create_folder("Friends", FolderStamp("", "", ""))
    outlook.folders[folder.id] = type(folder)(folder.id, folder.name, folder.parent_id, None)
    assert desk.call("PUT", ADDRESS, {"folder": "Friends"}).status == 200  # it is empty
    desk.save(folder="Empty")
    outlook.add(folder.id, name="Ann", email="ann@contoso.example")

    assert desk.call("PUT", ADDRESS, {"folder": "Friends"}).problem == (409, "folder-not-empty", "folder")
    assert desk.call("PUT", ADDRESS, {"folder": "Friends", "adopt": True}).problem == (400, "admin-only", "adopt")
    adopted = desk.call("PUT", f"/api/admin/profiles/{ADA}", {"folder": "Friends", "adopt": True})
    assert (adopted.status, adopted.body["folder"]) == (200, "Friends")


def test_r27_a_folder_that_is_there_under_the_default_name_is_taken_over(desk: Desk) -> None:
    outlook = desk.directory.outlook(ADA)
    folder = outlook.create_folder("Business Central", FolderStamp("", "", ""))
    outlook.folders[folder.id] = type(folder)(folder.id, folder.name, folder.parent_id, None)
    outlook.add(folder.id, name="Ann", email="ann@contoso.example")
    assert desk.save().status == 201


def test_r27_a_folder_cannot_be_renamed_into_another(desk: Desk) -> None:
    desk.save()
    has_run(desk)
    folder = desk.directory.outlook(ADA).create_folder("Friends", FolderStamp("", "", ""))
    desk.directory.outlook(ADA).folders[folder.id] = type(folder)(folder.id, "Friends", folder.parent_id, None)

    assert desk.call("PATCH", ADDRESS, {"folder": "Friends"}).problem == (409, "folder-exists", "folder")
    assert desk.call("PATCH", ADDRESS, {"folder": "Customers"}).body["folder"] == "Customers"


def test_r27_a_profile_that_has_run_keeps_its_mailbox_and_kind_of_folder(desk: Desk) -> None:
    desk.save()
    has_run(desk)
    assert desk.call("PATCH", ADDRESS, {"folder": "default"}).problem == (409, "folder-fixed", "folder")
    moved = desk.call("PUT", f"/api/admin/profiles/{ADA}", {"mailbox": "sales@contoso.example"})
    assert moved.problem == (409, "mailbox-fixed", "mailbox")


# ---------------------------------------------------------------- the admin door's members


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"direction": "toOutlook"}, "direction"),
        ({"mailbox": "sales@contoso.example"}, "mailbox"),
        ({"adopt": True}, "adopt"),
        ({"policies": {"onOutlookDelete": "delete"}}, "policies.onOutlookDelete"),
    ],
)
def test_only_an_administrator_sets(desk: Desk, body: dict[str, object], field: str) -> None:
    assert desk.call("PUT", ADDRESS, body).problem == (400, "admin-only", field)
    desk.save()
    assert desk.call("PATCH", ADDRESS, body).problem == (400, "admin-only", field)
    assert desk.call("PUT", f"/api/admin/profiles/{ADA}", body).status == 200


def test_what_an_administrator_set_stays_when_the_user_saves(desk: Desk) -> None:
    body = {"direction": "toOutlook", "mailbox": SALES, "policies": {"onOutlookDelete": "delete"}}
    made = desk.call("PUT", f"/api/admin/profiles/{ADA}", body)
    assert made.status == 201

    saved = desk.save(filter={"city": "Basel"}, direction="toOutlook", mailbox="sales@contoso.example").body

    assert saved["direction"] == "toOutlook"
    assert saved["mailbox"] == {"id": SALES, "address": "sales@contoso.example"}
    assert saved["policies"]["onOutlookDelete"] == "delete"
    assert desk.call("PATCH", ADDRESS, {"policies": {"onOutlookDelete": "hide"}}).status == 200


def test_r37_without_writing_to_bc_delete_acts_as_restore(desk: Desk) -> None:
    body = {"direction": "toOutlook", "policies": {"onOutlookDelete": "delete"}}
    saved = desk.call("PUT", f"/api/admin/profiles/{ADA}", body).body
    assert saved["policies"]["onOutlookDelete"] == "delete"
    assert saved["effectivePolicies"]["onOutlookDelete"] == "restore"


# ---------------------------------------------------------------- users, mailboxes, companies


@pytest.mark.parametrize(
    ("user", "problem"),
    [
        ("nobody@contoso.example", (404, "unknown-user", "")),
        ("12345678-0000-0000-0000-000000000000", (404, "unknown-user", "")),
        (UNLICENSED, (409, "no-mailbox", "")),
        (GUEST, (409, "mailbox-kind", "user")),
        (SALES, (409, "mailbox-kind", "user")),
        ("ada", (400, "bad-user", "user")),
    ],
)
def test_a_mailbox_that_cannot_be_used_is_refused(desk: Desk, user: str, problem: tuple[int, str, str]) -> None:
    assert desk.call("PUT", f"/api/profiles/{user}", {}).problem == problem
    assert not desk.world.state.profiles.rows


def test_an_administrator_sets_a_shared_mailbox_up_but_no_guests(desk: Desk) -> None:
    assert desk.call("PUT", f"/api/admin/profiles/{SALES}", {}).status == 201
    guest = desk.call("PUT", f"/api/admin/profiles/{ADA}", {"mailbox": "guest@fabrikam.example"})
    assert guest.problem == (409, "mailbox-kind", "mailbox")


def test_a_company_is_named_by_id_or_name(desk: Desk) -> None:
    desk.world.environment.add(OTHER_COMPANY)
    assert desk.call("PUT", ADDRESS, {}).problem == (409, "several-companies", "company")
    assert desk.call("PUT", f"{ADDRESS}?Company=Fabrikam", {}).body["company"]["id"] == OTHER_COMPANY
    assert desk.call("PUT", ADDRESS, {"company": COMPANY.upper()}).body["company"]["id"] == COMPANY
    several = desk.call("GET", ADDRESS)
    assert several.problem == (409, "several-companies", "company")
    assert {each["name"] for each in several.body["companies"]} == {"CRONUS AG", "Fabrikam"}
    assert desk.call("GET", f"{ADDRESS}?company=cronus%20ag").body["company"]["id"] == COMPANY
    assert desk.call("GET", f"{ADDRESS}?company=Adatum").problem == (404, "no-profile", "company")


def test_a_company_that_is_not_there_is_refused(desk: Desk) -> None:
    assert desk.call("PUT", ADDRESS, {"company": "Adatum"}).problem == (404, "unknown-company", "company")


def test_bc_that_cannot_be_read_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_world: object) -> None:
        raise CompanyUnavailable("The app lacks the permission to read contacts. Give it ...", code="bc-permission")

    monkeypatch.setattr("tests.functions.desk.NamedCompanies.companies", refused)
    assert desk.call("PUT", ADDRESS, {}).problem == (409, "bc-permission", "")
    assert not desk.world.state.profiles.rows


def test_missing_settings_are_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> None:
        raise SettingsError("The app's settings need mending: BC_ENVIRONMENT is missing.")

    monkeypatch.setattr("functions.profiles.get_services", failing)
    response = desk.call("PUT", ADDRESS, {})
    assert response.problem == (500, "settings", "")
    assert "BC_ENVIRONMENT" in response.body["detail"]
