"""Contacts on the Graph simulator: reference sections 1, 3, 5 and 6."""

import json

import pytest

from tests.simulators.graph_api import STAMP, code, expand

BAD_ID = (400, "ErrorInvalidExtendedProperty")
GRACE = {"givenName": "Grace", "surname": "Hopper", "emailAddresses": [{"address": "grace@navy.example"}]}


# Create and read


def test_a_created_contact_comes_back_whole_but_without_its_stamp(api):
    made = api.create({**GRACE, "singleValueExtendedProperties": [{"id": STAMP, "value": "17"}]})
    assert made["displayName"] == "Grace Hopper"
    assert made["fileAs"] == "Hopper, Grace"
    assert made["emailAddresses"] == [{"name": "grace@navy.example", "address": "grace@navy.example"}]
    assert made["primaryEmailAddress"]["address"] == "grace@navy.example"
    assert made["secondaryEmailAddress"] is None
    assert made["@odata.etag"] == f'W/"{made["changeKey"]}"'
    assert "singleValueExtendedProperties" not in made
    read = api.get(f"/contacts/{made['id']}", expand=expand(STAMP))
    assert read["singleValueExtendedProperties"] == [{"id": STAMP, "value": "17"}]


def test_select_shows_id_and_etag_anyway(api):
    made = api.create(GRACE)
    read = api.get(f"/contacts/{made['id']}", select="surname")
    assert set(read) == {"@odata.context", "@odata.etag", "id", "surname"}


def test_empty_values_come_back_in_mixed_forms(api, graph):
    shown = [api.create({"givenName": name}) for name in "abc"]
    assert {value for contact in shown for value in (contact["jobTitle"], contact["department"])} == {None, ""}
    assert all(contact["businessAddress"] == {} and contact["businessPhones"] == [] for contact in shown)
    graph.switch(empty_form="null")
    assert api.create({})["jobTitle"] is None
    graph.switch(empty_form="text")
    assert api.create({})["jobTitle"] == ""


def test_a_birthday_keeps_its_day_only(api):
    assert api.create({"birthday": "1906-12-09"})["birthday"] == "1906-12-09T11:59:00Z"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"faxNumber": "1"}, (400, "RequestBodyRead")),
        ({"id": "x"}, (400, "ErrorInvalidPropertySet")),
        ({"changeKey": "x"}, (400, "ErrorInvalidPropertySet")),
        ({"surname": 7}, (400, "RequestBodyRead")),
        ({"surname": "x" * 256}, (400, "ErrorInvalidArgument")),
        ({"personalNotes": "x" * 32769}, (400, "ErrorInvalidArgument")),
        ({"businessPhones": ["1", "2", "3"]}, (400, "ErrorInvalidArgument")),
        ({"homePhones": ["1", "2", "3"]}, (400, "ErrorInvalidArgument")),
        ({"imAddresses": ["1", "2", "3", "4"]}, (400, "ErrorInvalidArgument")),
        ({"emailAddresses": [{"address": f"{n}@x.example"} for n in range(4)]}, (400, "ErrorInvalidArgument")),
        ({"emailAddresses": [{"mail": "a@x.example"}]}, (400, "RequestBodyRead")),
        ({"emailAddresses": [], "primaryEmailAddress": None}, (400, "ErrorInvalidPropertySet")),
        ({"businessPhones": [None]}, (400, "RequestBodyRead")),
        ({"businessAddress": {"country": "UK"}}, (400, "RequestBodyRead")),
        ({"birthday": "9 December"}, (400, "RequestBodyRead")),
        (
            {"singleValueExtendedProperties": [{"id": "String Key", "value": "1"}]},
            (400, "ErrorInvalidExtendedProperty"),
        ),
        (
            {"singleValueExtendedProperties": [{"id": "String 0x8001", "value": "1"}]},
            (400, "ErrorInvalidExtendedProperty"),
        ),
        ({"singleValueExtendedProperties": [{"id": STAMP, "value": 17}]}, (400, "RequestBodyRead")),
        ({"singleValueExtendedProperties": [{"id": "Integer 0x0036", "value": "x"}]}, (400, "ErrorInvalidArgument")),
    ],
)
def test_a_body_that_graph_would_refuse_is_refused_and_creates_nothing(api, graph, ada, body, expected):
    assert code(api("POST", "/contacts", body)) == expected
    assert graph.contacts_of(ada) == []


def test_the_message_for_too_many_phones_is_the_reported_one(api):
    answer = api("POST", "/contacts", {"businessPhones": ["1", "2", "3"]})
    assert answer.json()["error"]["message"] == (
        "The multi value property BusinessPhones has 3 entries, that exceeds the max allowed value of 2"
    )


def test_a_body_needs_its_content_type_and_must_be_json(api):
    plain = {"Content-Type": "text/plain"}
    assert api("POST", "/contacts", data=json.dumps(GRACE), headers=plain).status_code == 415
    broken = {"Content-Type": "application/json"}
    assert code(api("POST", "/contacts", data="{", headers=broken)) == (400, "RequestBodyRead")
    assert code(api("POST", "/contacts", data="[]", headers=broken)) == (400, "RequestBodyRead")


# Change


def test_name_parts_without_display_name_regenerate_it(api):
    made = api.create({**GRACE, "displayName": "Amazing Grace"})
    assert made["displayName"] == "Amazing Grace"
    changed = api("PATCH", f"/contacts/{made['id']}", {"surname": "Murray"}).json()
    assert changed["displayName"] == "Grace Murray"
    kept = api("PATCH", f"/contacts/{made['id']}", {"surname": "Hopper", "displayName": "Amazing Grace"}).json()
    assert kept["displayName"] == "Amazing Grace"
    untouched = api("PATCH", f"/contacts/{made['id']}", {"jobTitle": "Admiral"}).json()
    assert untouched["displayName"] == "Amazing Grace"


def test_an_address_is_replaced_whole(api):
    made = api.create({"businessAddress": {"street": "1 Way", "city": "London", "postalCode": "N1"}})
    changed = api("PATCH", f"/contacts/{made['id']}", {"businessAddress": {"city": "Paris"}}).json()
    assert {part: text for part, text in changed["businessAddress"].items() if text} == {"city": "Paris"}


@pytest.mark.parametrize("empty", [None, []])
def test_collections_are_cleared_by_null_and_by_an_empty_list(api, empty):
    made = api.create({"businessPhones": ["1", "2"], "categories": ["x"]})
    changed = api("PATCH", f"/contacts/{made['id']}", {"businessPhones": empty, "categories": empty}).json()
    assert (changed["businessPhones"], changed["categories"]) == ([], [])


def test_one_address_alone_takes_its_place_among_the_others(api):
    made = api.create({"emailAddresses": [{"address": "a@x.example"}, {"address": "b@x.example"}]})
    changed = api("PATCH", f"/contacts/{made['id']}", {"secondaryEmailAddress": {"address": "c@x.example"}}).json()
    assert [entry["address"] for entry in changed["emailAddresses"]] == ["a@x.example", "c@x.example"]


def test_every_save_advances_the_change_key_even_without_a_difference(api):
    made = api.create(GRACE)
    assert api("PATCH", f"/contacts/{made['id']}", {"surname": "Hopper"}).json()["changeKey"] != made["changeKey"]


def test_an_outdated_if_match_is_refused_unless_it_is_ignored(api, graph):
    made = api.create(GRACE)
    path, old = f"/contacts/{made['id']}", {"If-Match": made["@odata.etag"]}
    assert api("PATCH", path, {"jobTitle": "A"}, headers=old).status_code == 200
    assert code(api("PATCH", path, {"jobTitle": "B"}, headers=old)) == (412, "ErrorIrresolvableConflict")
    assert code(api("DELETE", path, headers=old)) == (412, "ErrorIrresolvableConflict")
    assert api("PATCH", path, {"jobTitle": "C"}, headers={"If-Match": "*"}).status_code == 200
    graph.switch(honour_if_match=False)
    assert api("PATCH", path, {"jobTitle": "D"}, headers=old).status_code == 200


def test_a_spurious_conflict_can_be_ordered(api, graph):
    made = api.create(GRACE)
    graph.refuse_once_with_conflict("/contacts/")
    path = f"/contacts/{made['id']}"
    assert code(api("PATCH", path, {"jobTitle": "A"})) == (412, "ErrorIrresolvableConflict")
    assert api("PATCH", path, {"jobTitle": "A"}).status_code == 200


def test_moving_by_patch_is_refused_ignored_or_done_as_switched(api, graph):
    folder = api.folder("Other")
    made = api.create(GRACE)
    path, body = f"/contacts/{made['id']}", {"parentFolderId": folder}
    assert code(api("PATCH", path, body)) == (400, "ErrorInvalidPropertySet")
    graph.switch(contact_reparent="ignore")
    assert api("PATCH", path, body).json()["parentFolderId"] == made["parentFolderId"]
    graph.switch(contact_reparent="move")
    assert api("PATCH", path, body).json()["parentFolderId"] == folder


# Delete


def test_a_deleted_contact_lies_in_deleted_items_and_is_gone_for_clients(api, graph, ada):
    made = api.create(GRACE)
    path = f"/contacts/{made['id']}"
    assert api("DELETE", path).status_code == 204
    assert code(api("DELETE", path)) == (404, "ErrorItemNotFound")
    assert code(api("GET", path)) == (404, "ErrorItemNotFound")
    assert [one["surname"] for one in graph.contacts_of(ada, "deleted")] == ["Hopper"]
    graph.switch(short_path_scope="with-deleted")
    assert api.get(path)["parentFolderId"] == graph.read_mailbox(ada)["deleted_items"]


def test_a_permanently_deleted_contact_is_nowhere(api, graph, ada):
    made = api.create(GRACE)
    assert api("POST", f"/contacts/{made['id']}/permanentDelete").status_code == 204
    assert graph.read_mailbox(ada)["contacts"] == []


# Ids


def test_the_immutable_id_survives_a_move_and_the_default_id_does_not(api, graph, ada):
    folder = api.folder("Other")
    made = api.create(GRACE)
    default = api("GET", "/contacts", prefer=None).json()["value"][0]["id"]
    assert default != made["id"]
    graph.move_contact(ada, made["id"], folder)
    assert api.get(f"/contacts/{made['id']}")["parentFolderId"] == folder
    assert code(api("GET", f"/contacts/{default}", prefer=None)) == (404, "ErrorItemNotFound")


def test_ids_are_long_with_equal_signs_and_case_sensitive(api):
    made = api.create(GRACE)["id"]
    assert len(made) > 100
    assert made.endswith("=")
    swapped = made[:40] + made[40:].swapcase()
    for bad in (swapped, made[:-8], "x", "AAkALg"):
        assert code(api("GET", f"/contacts/{bad}")) == (400, "ErrorInvalidIdMalformed")


def test_an_id_must_be_of_the_form_that_the_request_prefers(api, graph):
    made = api.create(GRACE)["id"]
    assert code(api("GET", f"/contacts/{made}", prefer=None)) == (400, "ErrorInvalidIdMalformed")
    graph.switch(ids_need_prefer=False)
    assert api("GET", f"/contacts/{made}", prefer=None).json()["id"] != made


def test_several_preferences_may_share_a_header(api):
    made = api.create(GRACE)["id"]
    assert api("GET", f"/contacts/{made}", prefer='odata.maxpagesize=5, IdType="ImmutableId"').json()["id"] == made


def test_an_id_of_another_mailbox_is_not_found(api, graph):
    graph.create_user("bob@contoso.example")
    other = graph.create_contact("bob@contoso.example", GRACE)
    assert code(api("GET", f"/contacts/{other}")) == (404, "ErrorItemNotFound")


def test_a_missing_id_meets_the_collection_and_is_405(api):
    for method in ("PATCH", "DELETE"):
        answer = api(method, "/contacts/", {} if method == "PATCH" else None)
        assert code(answer) == (405, "ErrorInvalidRequest")


def test_the_short_path_finds_contacts_of_any_folder_and_the_folder_path_only_its_own(api, graph):
    folder, other = api.folder("A"), api.folder("B")
    made = api.create(GRACE, folder)["id"]
    assert api.get(f"/contacts/{made}")["parentFolderId"] == folder
    assert api.get(f"/contactFolders/{folder}/contacts/{made}")["id"] == made
    assert code(api("GET", f"/contactFolders/{other}/contacts/{made}")) == (404, "ErrorItemNotFound")
    graph.switch(short_path_scope="default-folder")
    assert code(api("GET", f"/contacts/{made}")) == (404, "ErrorItemNotFound")


# List


def test_lists_come_in_pages_of_ten_that_link_on(api, graph, ada):
    graph.seed_contacts(ada, [{"surname": str(number)} for number in range(25)])
    names, link, pages = [], "/contacts?$select=surname", 0
    while link:
        page = api.get(link)
        names += [contact["surname"] for contact in page["value"]]
        link, pages = page.get("@odata.nextLink"), pages + 1
    assert (pages, sorted(map(int, names))) == (3, list(range(25)))


def test_skip_pages_over_live_data_lose_a_row_when_one_goes(api, graph, ada):
    ids = graph.seed_contacts(ada, [{"surname": str(number)} for number in range(20)])
    first = api.get("/contacts?$top=10")
    graph.delete_contact(ada, ids[0])
    rest = api.get(first["@odata.nextLink"])
    seen = {contact["id"] for contact in first["value"] + rest["value"]}
    assert ids[10] not in seen


@pytest.mark.parametrize(
    "query",
    [
        "$select=faxNumber",
        "$select=singleValueExtendedProperties",
        "$orderby=surname",
        "$search=x",
        "select=surname",
        "$filter=surname eq 'x'",
        "$filter=startswith(displayName,'x')",
        "$filter=emailAddresses/any(a:a/name eq 'x')",
        "$filter=emailAddresses/any(a:startswith(a/address,'x'))",
        f"$filter=singleValueExtendedProperties/Any(ep: ep/id eq '{STAMP}' and startswith(ep/value,'x'))",
        "$expand=singleValueExtendedProperties",
        "$expand=photo",
        "$top=0",
        "$skip=-1",
        "$count=yes",
        "$top=1&$top=2",
    ],
)
def test_query_options_that_are_not_documented_are_refused(api, query):
    assert api("GET", f"/contacts?{query}").status_code == 400


def test_contacts_are_found_by_address(api):
    made = api.create(GRACE)
    api.create({"surname": "Other"})
    found = api.get("/contacts", filter="emailAddresses/any(a:a/address eq 'Grace@Navy.example')")
    assert [one["id"] for one in found["value"]] == [made["id"]]


def test_the_default_folders_list_leaves_other_folders_out(api):
    folder = api.folder("A")
    api.create(GRACE, folder)
    assert api.get("/contacts")["value"] == []
    assert len(api.get(f"/contactFolders/{folder}/contacts")["value"]) == 1


# Extended properties


def by_key(value: str, key: str = STAMP) -> str:
    return f"singleValueExtendedProperties/Any(ep: ep/id eq '{key}' and ep/value eq '{value}')"


def test_the_stamps_name_is_case_sensitive_and_its_value_is_not(api):
    made = api.create({"singleValueExtendedProperties": [{"id": STAMP, "value": "crm-O'Brien"}]})
    assert [one["id"] for one in api.get("/contacts", filter=by_key("CRM-O''BRIEN"))["value"]] == [made["id"]]
    assert api.get("/contacts", filter=by_key("crm-O''Brien", STAMP.replace("ContactKey", "CONTACTKEY")))["value"] == []
    assert api.get("/contacts", filter=by_key("other"))["value"] == []


def test_the_filter_alone_does_not_show_the_property(api):
    api.create({"singleValueExtendedProperties": [{"id": STAMP, "value": "1"}]})
    (alone,) = api.get("/contacts", filter=by_key("1"))["value"]
    assert "singleValueExtendedProperties" not in alone
    (expanded,) = api.get("/contacts", filter=by_key("1"), expand=expand(STAMP))["value"]
    assert expanded["singleValueExtendedProperties"][0]["value"] == "1"


def test_two_properties_are_read_at_once_and_absent_ones_are_left_out(api, graph):
    api.create({"singleValueExtendedProperties": [{"id": STAMP, "value": "1"}]})
    api.create({})
    wanted = expand(STAMP, "Integer 0x0036")
    marked, plain = api.get("/contacts", expand=wanted)["value"]
    assert [one["value"] for one in marked["singleValueExtendedProperties"]] == ["1", "0"]
    assert [one["id"] for one in plain["singleValueExtendedProperties"]] == ["Integer 0x0036"]
    graph.switch(sensitivity_always_present=False)
    assert "singleValueExtendedProperties" not in api.get("/contacts", expand=wanted)["value"][1]
    graph.switch(missing_extended="empty")
    assert api.get("/contacts", expand=wanted)["value"][1]["singleValueExtendedProperties"] == []


def test_a_private_contact_has_its_mark(api, graph, ada):
    made = api.create(GRACE)["id"]
    graph.mark_contact(ada, made, 2)
    read = api.get(f"/contacts/{made}", expand=expand("Integer 0x0036"))
    assert read["singleValueExtendedProperties"] == [{"id": "Integer 0x0036", "value": "2"}]
    graph.switch(proptag_form="short")
    read = api.get(f"/contacts/{made}", expand=expand("Integer 0x0036"))
    assert read["singleValueExtendedProperties"][0]["id"] == "Integer 0x36"


def test_a_number_is_compared_with_a_cast(api, graph, ada):
    graph.mark_contact(ada, api.create(GRACE)["id"], 2)
    plain = by_key("2", "Integer 0x0036")
    assert api("GET", "/contacts", params={"$filter": plain}).status_code == 400
    cast = plain.replace("ep/value eq '2'", "cast(ep/value, Edm.Int32) eq 2")
    assert len(api.get("/contacts", filter=cast)["value"]) == 1


def test_patching_one_property_leaves_the_others_alone(api):
    other = STAMP.replace("ContactKey", "Other")
    made = api.create({"singleValueExtendedProperties": [{"id": STAMP, "value": "1"}, {"id": other, "value": "2"}]})
    body = {"singleValueExtendedProperties": [{"id": STAMP, "value": "-"}]}
    assert api("PATCH", f"/contacts/{made['id']}", body).status_code == 200
    read = api.get(f"/contacts/{made['id']}", expand=expand(STAMP, other))
    assert [one["value"] for one in read["singleValueExtendedProperties"]] == ["-", "2"]


def test_a_copy_carries_the_same_stamp(api, graph, ada):
    made = api.create({"singleValueExtendedProperties": [{"id": STAMP, "value": "1"}]})
    graph.copy_contact(ada, made["id"], "contacts")
    assert len({one["id"] for one in api.get("/contacts", filter=by_key("1"))["value"]}) == 2


def test_the_find_by_key_filter_may_lag_behind_a_create(api, graph):
    graph.set_speed(0)
    graph.switch(find_delay=5)
    api.create({"singleValueExtendedProperties": [{"id": STAMP, "value": "1"}]})
    assert api.get("/contacts", filter=by_key("1"))["value"] == []
    graph.advance_clock(5)
    assert len(api.get("/contacts", filter=by_key("1"))["value"]) == 1
