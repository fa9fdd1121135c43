"""Contact folders on the Graph simulator: reference section 2."""

import pytest

from tests.simulators.graph_api import STAMP, code, expand


def test_the_list_leaves_out_the_default_folder_but_names_it_as_parent(api, graph, ada):
    folder = api.folder("Business Central")
    default = graph.read_mailbox(ada)["default_folder"]
    assert api.get("/contactFolders")["value"] == [
        {"id": folder, "parentFolderId": default, "displayName": "Business Central"}
    ]
    graph.switch(list_default_folder=True)
    assert [one["id"] for one in api.get("/contactFolders")["value"]] == [default, folder]


def test_folder_lists_are_paged_by_ten(api, graph, ada):
    for number in range(12):
        graph.create_folder(ada, f"Folder {number}")
    first = api.get("/contactFolders")
    assert len(first["value"]) == 10
    assert len(api.get(first["@odata.nextLink"])["value"]) == 2
    assert len(api.get("/contactFolders?$top=100")["value"]) == 12


@pytest.mark.parametrize("status", [409, 400])
def test_a_taken_name_is_refused_in_any_case(api, graph, status):
    graph.switch(folder_exists_status=status)
    api.folder("Business Central")
    answer = api("POST", "/contactFolders", {"displayName": "business central"})
    assert code(answer) == (status, "ErrorFolderExists")


def test_a_hidden_folder_is_in_no_list_but_its_name_is_taken(api, graph, ada):
    graph.create_folder(ada, "Business Central", hidden=True)
    assert api.get("/contactFolders")["value"] == []
    answer = api("POST", "/contactFolders", {"displayName": "Business Central"})
    assert code(answer) == (409, "ErrorFolderExists")


def test_a_renamed_folder_keeps_its_id_and_stamp(api, graph, ada):
    body = {"displayName": "A", "singleValueExtendedProperties": [{"id": STAMP, "value": "p-1"}]}
    made = api("POST", "/contactFolders", body).json()
    assert "singleValueExtendedProperties" not in made
    graph.rename_folder(ada, "A", "Customers")
    assert api("PATCH", f"/contactFolders/{made['id']}", {"displayName": "Clients"}).json()["displayName"] == "Clients"
    by_stamp = f"singleValueExtendedProperties/Any(ep: ep/id eq '{STAMP}' and ep/value eq 'p-1')"
    (found,) = api.get("/contactFolders", filter=by_stamp, expand=expand(STAMP))["value"]
    assert (found["id"], found["displayName"]) == (made["id"], "Clients")
    assert found["singleValueExtendedProperties"] == [{"id": STAMP, "value": "p-1"}]


def test_a_folder_can_be_stamped_later(api):
    folder = api.folder("A")
    body = {"singleValueExtendedProperties": [{"id": STAMP, "value": "p-2"}]}
    assert api("PATCH", f"/contactFolders/{folder}", body).status_code == 200
    read = api.get(f"/contactFolders/{folder}", expand=expand(STAMP))
    assert read["singleValueExtendedProperties"][0]["value"] == "p-2"


@pytest.mark.parametrize("body", [{}, {"displayName": ""}, {"displayName": "x" * 256}, {"displayName": "A", "x": 1}])
def test_a_folder_needs_a_proper_name_and_nothing_unknown(api, body):
    assert api("POST", "/contactFolders", body).status_code == 400


def test_child_folders_are_made_and_listed_below_their_parent(api):
    folder = api.folder("A")
    child = api("POST", f"/contactFolders/{folder}/childFolders", {"displayName": "B"}).json()
    assert child["parentFolderId"] == folder
    assert [one["id"] for one in api.get(f"/contactFolders/{folder}/childFolders")["value"]] == [child["id"]]
    assert [one["id"] for one in api.get("/contactFolders")["value"]] == [folder]
    made = api("POST", f"/contactFolders/{folder}/childFolders/{child['id']}/contacts", {"surname": "C"})
    assert made.json()["parentFolderId"] == child["id"]


def test_a_deleted_folder_still_resolves_elsewhere_until_it_is_purged(api, graph, ada):
    folder = api.folder("A")
    contact = api.create({"surname": "X"}, folder)["id"]
    assert api("DELETE", f"/contactFolders/{folder}").status_code == 204
    assert api.get("/contactFolders")["value"] == []
    assert api.get(f"/contactFolders/{folder}")["parentFolderId"] == graph.read_mailbox(ada)["deleted_items"]
    assert code(api("GET", f"/contacts/{contact}")) == (404, "ErrorItemNotFound")
    assert api.folder("A") != folder  # the name is free again
    graph.delete_folder(ada, folder, purge=True)
    assert code(api("GET", f"/contactFolders/{folder}")) == (404, "ErrorItemNotFound")


def test_deleting_can_be_switched_to_purge_at_once(api, graph):
    graph.switch(deleted_folder_resolves=False)
    folder = api.folder("A")
    api("DELETE", f"/contactFolders/{folder}")
    assert code(api("GET", f"/contactFolders/{folder}")) == (404, "ErrorItemNotFound")
    assert code(api("GET", f"/contactFolders/{folder}/contacts")) == (404, "ErrorItemNotFound")
    assert code(api("POST", f"/contactFolders/{folder}/childFolders", {"displayName": "B"})) == (
        404,
        "ErrorParentFolderNotFound",
    )


def test_the_default_folder_is_neither_deleted_nor_renamed(api, graph, ada):
    default = graph.read_mailbox(ada)["default_folder"]
    answer = api("DELETE", f"/contactFolders/{default}")
    assert code(answer) == (400, "ErrorDeleteDistinguishedFolder")
    assert api("PATCH", f"/contactFolders/{default}", {"displayName": "X"}).status_code == 400


def test_a_folders_parent_cannot_be_patched_unless_switched_on(api, graph):
    folder, other = api.folder("A"), api.folder("B")
    body = {"parentFolderId": other}
    assert code(api("PATCH", f"/contactFolders/{folder}", body)) == (400, "ErrorInvalidPropertySet")
    graph.switch(folder_reparent="move")
    assert api("PATCH", f"/contactFolders/{folder}", body).json()["parentFolderId"] == other


def test_bad_folder_ids_are_malformed_and_foreign_ones_not_found(api, graph):
    graph.create_user("bob@contoso.example")
    foreign = graph.create_folder("bob@contoso.example", "A")
    assert code(api("GET", "/contactFolders/contacts")) == (400, "ErrorInvalidIdMalformed")
    assert code(api("GET", f"/contactFolders/{foreign}")) == (404, "ErrorItemNotFound")
