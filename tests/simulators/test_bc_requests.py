"""Business Central over TLS: who may ask what, pages, tags, stale reads (reference 1, 3, 4, 7, 9, 11)."""

from datetime import UTC, datetime, timedelta

import pytest

from dev.simulators.control_client import ControlRefused
from tests.simulators.bc_client import BcClient, refusal

NOBODY = "00000000-0000-0000-0000-000000000001"
EIGHT = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def bc(simulators):
    simulators.bc.set_speed(0)
    simulators.bc.reset()
    simulators.bc.set_clock(EIGHT)
    client = BcClient(simulators)
    yield client
    client.session.close()
    assert simulators.bc.defects() == []
    simulators.bc.clear_faults()
    simulators.bc.set_latency("bc")
    simulators.bc.set_speed(1)


# Access


def test_without_a_good_token_nothing_is_shown(bc, simulators):
    token = bc.session.headers.pop("Authorization")
    assert refusal(bc.send("GET", "companies")) == (401, "Authentication_InvalidCredentials")
    wrong = {"Authorization": f"{token}x"}
    assert refusal(bc.send("GET", "companies", headers=wrong)) == (401, "Authentication_InvalidCredentials")
    bc.session.headers["Authorization"] = token
    assert bc.send("GET", "companies").status_code == 200
    elsewhere = bc.base.replace(simulators.addresses.tenant, NOBODY)
    assert refusal(bc.send("GET", f"{elsewhere}/companies")) == (401, "Authentication_InvalidCredentials")
    simulators.bc.advance_clock(4000)
    assert refusal(bc.send("GET", "companies")) == (401, "Authentication_InvalidCredentials")


def test_an_app_disabled_in_bc_is_not_let_in(bc):
    bc.control.switch(app_enabled=False)
    assert refusal(bc.send("GET", "companies"))[0] == 401


def test_a_token_without_the_role_is_not_let_in(bc, simulators):
    simulators.entra.set_roles("bc", [])
    try:
        assert refusal(BcClient(simulators).send("GET", "companies"))[0] == 401
    finally:
        simulators.entra.set_roles("bc", ["API.ReadWrite.All"])


def test_missing_permissions_name_table_and_action(bc):
    row = bc.post(type="Person", displayName="Anna Berg").json()
    bc.control.set_permissions("read-only")
    assert bc.get(row["id"])["displayName"] == "Anna Berg"
    refused = bc.patch(row, {"city": "Bonn"})
    assert refusal(refused) == (500, "Internal_ServerError")
    assert "(TableData 5050 Contact Modify: " in refused.json()["error"]["message"]
    bc.control.switch(permissions="none", permission_status=403)
    assert refusal(bc.send("GET", bc.contacts)) == (403, "Authorization_RequestDenied")


# Routes


def test_companies_and_countries_are_listed(bc):
    listed = bc.send("GET", "companies", select="id,name").json()["value"]
    assert [(company["id"], company["name"]) for company in listed] == [(bc.company, "CRONUS")]
    countries = bc.send("GET", f"companies({bc.company})/countriesRegions", select="code,displayName").json()["value"]
    names = {country["code"]: country["displayName"] for country in countries}
    assert len(names) > 60
    assert names["GB"] == "Great Britain"
    assert names["US"] == "USA"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"companies({NOBODY})/contacts", (404, "Internal_CompanyNotFound")),
        ("companies({company})/contacts(" + NOBODY + ")", (404, "BadRequest_ResourceNotFound")),
        ("companies({company})/contacts(None)", (404, "BadRequest_NotFound")),
        ("companies({company})/contacts((None))", (404, "BadRequest_NotFound")),
        ("companies({company})/people", (404, "BadRequest_ResourceNotFound")),
        ("companies({company})/contacts/people", (404, "BadRequest_ResourceNotFound")),
        ("people", (404, "BadRequest_ResourceNotFound")),
        ("", (404, "BadRequest_NotFound")),
    ],
)
def test_what_is_not_there_is_not_found_in_different_words(bc, path, expected):
    assert refusal(bc.send("GET", path.replace("{company}", bc.company))) == expected


def test_another_environment_has_no_endpoint(bc):
    answer = bc.send("GET", f"{bc.base.replace('Production', 'Sandbox')}/companies")
    assert refusal(answer) == (404, "BadRequest_NotFound")
    assert "No HTTP resource was found" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("variant", "status", "code"),
    [("not-found", 404, "Internal_RecordNotFound"), ("endpoint", 404, "BadRequest_NotFound"), ("empty", 404, None)],
)
def test_an_unknown_contact_is_not_found_in_the_variant_switched_on(bc, variant, status, code):
    bc.control.switch(unknown_contact=variant)
    answer = bc.send("GET", f"{bc.contacts}({NOBODY})")
    assert answer.status_code == status
    assert (answer.json()["error"]["code"] if answer.content else None) == code


def test_wrong_verbs_are_refused(bc):
    for method, path in (("PATCH", bc.contacts), ("PUT", f"{bc.contacts}({NOBODY})"), ("POST", "companies"),
                         ("POST", f"{bc.contacts}({NOBODY})"), ("GET", "$batch")):  # fmt: skip
        assert refusal(bc.send(method, path, {}))[0] == 405
    assert refusal(bc.send("POST", f"contacts?company={bc.company}", {})) == (405, "BadRequest_MethodNotAllowed")
    assert bc.send("GET", f"contacts?company={bc.company}").status_code == 200


def test_bodies_are_json_objects_and_say_so(bc):
    url = f"{bc.base}/{bc.contacts}"
    assert refusal(bc.session.post(url, data=b"{}", headers={"Content-Type": "text/plain"}))[0] == 415
    for body in (b"{", b"[]", b""):
        answer = bc.session.post(url, data=body, headers={"Content-Type": "application/json"})
        assert refusal(answer) == (400, "BadRequest")


def test_long_urls_are_refused(bc):
    assert bc.send("GET", bc.contacts, filter="city eq 'x'" + " or city eq 'x'" * 500).status_code == 200
    assert refusal(bc.send("GET", bc.contacts, filter="city eq 'x'" + " or city eq 'x'" * 1000))[0] == 400


def test_messages_are_localised_and_bodies_can_be_empty_or_html(bc):
    path = f"{bc.contacts}({NOBODY})"
    bc.control.switch(server_language="de")
    assert "nicht gefunden" in bc.send("GET", path, headers={"Accept-Language": "fr"}).json()["error"]["message"]
    assert "not found" in bc.send("GET", path, headers={"Accept-Language": "en-US"}).json()["error"]["message"]
    bc.control.switch(error_body="empty")
    assert bc.send("GET", path).content == b""
    bc.control.switch(error_body="html")
    assert bc.send("GET", path).headers["Content-Type"] == "text/html"


# Writing and tags


def test_a_contact_is_created_read_changed_and_deleted(bc):
    created = bc.post(type="Person", displayName="Anna Berg", email="anna@berg.example")
    row = created.json()
    assert created.status_code == 201
    assert created.headers["Location"] == f"{bc.base}/{bc.contacts}({row['id']})"
    assert "ETag" not in created.headers
    assert row["lastModifiedDateTime"] == "2026-03-01T08:00:00Z"
    assert bc.get(row["id"])["@odata.etag"] == row["@odata.etag"]
    bc.control.advance_clock(0.25)
    changed = bc.patch(row, {"city": "Bonn"})
    assert changed.status_code == 200
    assert (changed.json()["city"], changed.json()["lastModifiedDateTime"]) == ("Bonn", "2026-03-01T08:00:00.25Z")
    assert bc.delete(changed.json(), changed.json()["@odata.etag"]).status_code == 204
    assert refusal(bc.delete(row)) == (404, "BadRequest_ResourceNotFound")


def test_tags_guard_against_lost_updates(bc):
    row = bc.post(type="Person", displayName="Anna Berg").json()
    bc.control.update_contact(row["id"], city="Kiel")
    assert refusal(bc.patch(row, {"city": "Bonn"})) == (409, "Request_EntityChanged")
    assert refusal(bc.delete(row, row["@odata.etag"])) == (409, "Request_EntityChanged")
    for tag in (None, "nonsense", row["@odata.etag"].removeprefix("W/"), f"{row['@odata.etag']}, *"):
        assert refusal(bc.patch(row, {"city": "Bonn"}, tag)) == (400, "BadRequest_InvalidToken")
    assert refusal(bc.delete(row, None)) == (400, "BadRequest_InvalidToken")
    assert bc.patch(row, {"city": "Bonn"}, "*").status_code == 200
    bc.control.switch(delete_without_if_match="allowed")
    assert bc.delete(row, None).status_code == 204


def test_the_interaction_date_moves_the_tag_and_not_the_stamp(bc):
    row = bc.post(type="Person", displayName="Anna Berg").json()
    bc.control.set_facts(row["id"], interaction_date="2026-02-01")
    again = bc.get(row["id"])
    assert again["lastInteractionDate"] == "2026-02-01"
    assert again["lastModifiedDateTime"] == row["lastModifiedDateTime"]
    assert again["@odata.etag"] != row["@odata.etag"]


def test_a_client_may_choose_the_id_only_where_that_is_switched_on(bc):
    assert refusal(bc.post(id=NOBODY, displayName="x")) == (400, "BadRequest_InvalidOperation")
    bc.control.switch(client_id="kept")
    assert bc.post(id=NOBODY, displayName="x").json()["id"] == NOBODY
    assert refusal(bc.post(id=NOBODY, displayName="x"))[1] == "Internal_EntityWithSameKeyExists"


def test_a_picture_has_metadata_only(bc):
    row = bc.post(type="Person", displayName="Anna Berg").json()
    picture = bc.send("GET", f"{bc.contacts}({row['id']})/picture").json()
    assert (picture["id"], picture["parentType"], picture["width"]) == (row["id"], "Contact", 0)
    assert bc.page(expand="picture")["value"][0]["picture"]["id"] == row["id"]


# Lists


def test_a_walk_follows_links_to_the_end(bc):
    bc.control.seed(count=25)
    prefer = {"Prefer": "odata.maxpagesize=10"}
    first = bc.send("GET", bc.contacts, headers=prefer, filter="startswith(email,'')", select="id,number")
    assert first.headers["Preference-Applied"] == "odata.maxpagesize=10"
    page, rows = first.json(), []
    while True:
        rows += page["value"]
        link = page.get("@odata.nextLink")
        if link is None:
            break
        assert link.startswith(f"{bc.base}/{bc.contacts}?")
        assert f"aid=FIN&$skiptoken={page['value'][-1]['id']}" in link
        page = bc.send("GET", link, headers=prefer).json()
    assert len({row["id"] for row in rows}) == len(rows) == 25
    assert set(rows[0]) == {"@odata.etag", "id", "number"}


def test_a_walk_by_stamp_survives_ties_and_an_edit_of_its_last_row(bc):
    bc.control.seed(count=9, stamp=EIGHT - timedelta(hours=1))
    prefer = {"Prefer": "odata.maxpagesize=4"}
    page = bc.page(prefer, orderby="lastModifiedDateTime")
    rows = list(page["value"])
    bc.control.update_contact(rows[-1]["id"], city="Bonn")
    while link := page.get("@odata.nextLink"):
        page = bc.send("GET", link, headers=prefer).json()
        rows += page["value"]
    assert len({row["id"] for row in rows}) == 9
    assert len(rows) == 10  # the edited row has moved to the end


def test_a_walk_whose_last_row_is_deleted_ends_or_goes_on(bc):
    bc.control.seed(count=9)
    page = bc.page({"Prefer": "odata.maxpagesize=4"})
    bc.control.delete_contact(page["value"][-1]["id"])
    assert refusal(bc.send("GET", page["@odata.nextLink"])) == (400, "SkipTokenIsNoLongerValid")
    bc.control.switch(skiptoken_of_deleted="continue")
    assert len(bc.send("GET", page["@odata.nextLink"]).json()["value"]) == 5


def test_top_is_a_cap_and_skip_and_count_work(bc):
    bc.control.seed(count=12)
    assert "@odata.nextLink" not in bc.page(top="5")
    prefer = {"Prefer": "odata.maxpagesize=4"}
    page = bc.page(prefer, top="6", skip="1", count="true")
    rest = bc.send("GET", page["@odata.nextLink"], headers=prefer).json()
    assert (page["@odata.count"], len(page["value"]), len(rest["value"])) == (12, 4, 2)
    assert "@odata.nextLink" not in rest
    ids = [row["id"] for row in bc.page()["value"]]
    assert [row["id"] for row in page["value"] + rest["value"]] == ids[1:7]
    count = bc.send("GET", f"{bc.contacts}/$count", filter="type eq 'Person'")
    assert (count.text, count.headers["Content-Type"]) == ("12", "text/plain")


def test_order_is_by_several_columns(bc):
    bc.control.seed([{"displayName": name, "city": city} for name, city in (("a", "x"), ("b", "y"), ("c", "x"))])
    rows = bc.page(orderby="city desc, displayName")["value"]
    assert [row["displayName"] for row in rows] == ["b", "a", "c"]


def test_bad_options_are_refused_and_unknown_ones_ignored(bc):
    for option in ({"select": "surname"}, {"orderby": "surname"}, {"top": "-1"}, {"expand": "contactInformation"},
                   {"orderby": "city sideways"}, {"count": "maybe"}):  # fmt: skip
        assert refusal(bc.send("GET", bc.contacts, **option)) == (400, "BadRequest")
    assert bc.page(search="Anna", apply="x", nonsense="y")["value"] == []


def test_a_filter_over_the_wire(bc):
    bc.control.seed(count=50, companies=2)
    assert len(bc.names("type eq 'Company'")) == 2
    assert refusal(bc.send("GET", bc.contacts, filter="city eq 'x' or country eq 'GB'"))[0] == 501
    assert len(bc.names("country in ('GB','DE')", schemaversion="2.1")) == 26


# Stale, late, uncommitted, restored, copied


def test_the_replica_lags_and_the_primary_does_not(bc):
    row = bc.post(type="Person", displayName="Anna Berg").json()
    path, stale = f"{bc.contacts}({row['id']})", {"Data-Access-Intent": "ReadOnly"}
    assert bc.send("GET", path, headers=stale).status_code == 404
    assert bc.send("GET", path).status_code == 200
    bc.control.advance_clock(1)
    assert bc.send("GET", path, headers=stale).json()["city"] == ""
    bc.patch(row, {"city": "Bonn"})
    assert bc.send("GET", path, headers=stale).json()["@odata.etag"] == row["@odata.etag"]
    bc.control.switch(sandbox=True)
    assert bc.send("GET", path, headers=stale).json()["city"] == "Bonn"
    assert refusal(bc.post(headers=stale, displayName="x")) == (400, "BadRequest")


def test_a_late_commit_is_older_than_what_was_read_before(bc):
    bc.control.create_contact(displayName="On Time")
    bc.control.create_contact(displayName="Late", stamp=EIGHT - timedelta(minutes=5))
    rows = bc.page(orderby="lastModifiedDateTime")["value"]
    assert [row["displayName"] for row in rows] == ["Late", "On Time"]


def test_an_uncommitted_contact_is_seen_and_vanishes_or_stays(bc):
    ghost = bc.control.create_contact(displayName="Ghost", committed=False)
    bc.control.advance_clock(60)
    assert bc.names("displayName eq 'Ghost'") == ["Ghost"]
    assert bc.page({"Data-Access-Intent": "ReadOnly"})["value"] == []
    bc.control.finish_uncommitted(commit=False)
    assert bc.send("GET", f"{bc.contacts}({ghost['id']})").status_code == 404
    bc.control.create_contact(displayName="Slow", committed=False)
    bc.control.finish_uncommitted(commit=True)
    bc.control.advance_clock(60)
    assert len(bc.page({"Data-Access-Intent": "ReadOnly"})["value"]) == 1


def test_stamps_can_be_tied(bc):
    bc.control.seed(count=3)
    numbers = [row["number"] for row in bc.control.contacts()]
    bc.control.set_stamp(numbers, EIGHT - timedelta(days=1))
    assert {row["lastModifiedDateTime"] for row in bc.page()["value"]} == {"2026-02-28T08:00:00Z"}


def test_a_restored_company_has_its_old_rows_with_their_old_stamps(bc):
    row = bc.control.create_contact(displayName="Anna Berg")
    snapshot = bc.control.take_snapshot()
    bc.control.advance_clock(60)
    bc.control.update_contact(row["id"], city="Bonn")
    bc.control.create_contact(displayName="Later")
    bc.control.restore(snapshot)
    assert [(one["id"], one["@odata.etag"]) for one in bc.page()["value"]] == [(row["id"], row["@odata.etag"])]
    assert bc.control.create_contact(displayName="Again")["number"] == "CT000002"


@pytest.mark.parametrize("keeps", [True, False])
def test_a_copied_company_looks_old(bc, keeps):
    row = bc.control.create_contact(displayName="Anna Berg")
    bc.control.advance_clock(60)
    bc.control.switch(copy_keeps_ids=keeps)
    bc.company = bc.control.copy_company("COPY")
    copied = bc.page()["value"][0]
    assert copied["lastModifiedDateTime"] == row["lastModifiedDateTime"]
    assert (copied["id"] == row["id"]) is keeps


def test_companies_come_are_renamed_and_go(bc):
    other = bc.control.add_company("MILL", "The Mill")
    bc.control.rename_company("MILL 2", company="MILL")
    assert {company["name"] for company in bc.control.companies()} == {"CRONUS", "MILL 2"}
    bc.control.delete_company(other)
    bc.company = other
    assert refusal(bc.send("GET", bc.contacts)) == (404, "Internal_CompanyNotFound")


# What users do


def test_a_user_edits_the_parts_of_a_name(bc):
    row = bc.control.create_contact(displayName="Anna Maria van Dijk")
    assert (row["firstName"], row["middleName"], row["surname"]) == ("Anna Maria", "van", "Dijk")
    row = bc.control.update_contact(row["number"], middleName="", surname="van Dijk")
    assert (row["displayName"], row["surname"]) == ("Anna Maria van Dijk", "van Dijk")


def test_what_bc_refuses_a_user_comes_back_as_the_reason(bc):
    with pytest.raises(ControlRefused, match="Application_DialogException"):
        bc.control.create_contact(displayName="Anna", email="wrong")
    with pytest.raises(ControlRefused, match="no switch 'speling'"):
        bc.control.switch(speling=True)
    with pytest.raises(ControlRefused, match="cannot be"):
        bc.control.switch(property_order="random")


def test_a_minor_is_blocked_until_consent(bc):
    row = bc.control.create_contact(displayName="Kid Berg")
    bc.control.set_facts(row["id"], minor=True)
    assert refusal(bc.patch(row, {"privacyBlocked": False}, "*")) == (400, "Application_DialogException")
    bc.control.set_facts(row["id"], parental_consent=True)
    assert bc.patch(row, {"privacyBlocked": False}, "*").json()["privacyBlocked"] is False


def test_a_template_fills_what_was_not_sent(bc):
    bc.control.set_up(template={"jobTitle": "Contact", "city": "Bonn"}, default_country="DE")
    row = bc.post(type="Person", displayName="Anna Berg", city="").json()
    assert (row["jobTitle"], row["city"], row["country"]) == ("Contact", "", "DE")


def test_seeding_takes_rows_from_elsewhere(bc):
    rows = [
        {"number": "CT100240", "type": "Person", "name": "Anna Berg", "address": "1 Dock Rd", "country": "GB",
         "postal_code": "np5 6gh", "company_number": "CT100239", "job_title": None},
        {"number": "CT100239", "type": "Company", "name": "Works"},
        {"displayName": "Numbered By Bc"},
    ]  # fmt: skip
    assert bc.control.seed(rows) == 3
    person = bc.control.contact("CT100240")
    assert (person["companyName"], person["postalCode"], person["surname"]) == ("Works", "NP5 6GH", "Berg")
    for mistake in ({"number": "CT100239"}, {"colour": "red"}, {"companyNumber": "CT100240"}, {"jobTitle": "x" * 31}):
        with pytest.raises(ControlRefused):
            bc.control.seed([mistake])
    assert len(bc.control.contacts()) == 3
