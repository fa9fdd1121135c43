"""Tokens, permissions, mailbox states and users on the Graph simulator: reference sections 10 and 11."""

import pytest

from tests.simulators.graph_api import GraphApi, code, token_for

# Tokens


@pytest.mark.parametrize(
    "header", [{"Authorization": ""}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eA=="}]
)
def test_a_missing_or_malformed_token_is_refused(api, header):
    answer = api("GET", "/contacts", headers=header)
    assert code(answer) == (401, "InvalidAuthenticationToken")
    assert "WWW-Authenticate" in answer.headers


def test_a_token_for_another_service_is_refused(api, simulators, session):
    token = token_for(simulators, session, simulators.addresses.bc_scope)
    answer = api("GET", "/contacts", headers={"Authorization": f"Bearer {token}"})
    assert code(answer) == (401, "InvalidAuthenticationToken")
    assert "Invalid audience" in answer.json()["error"]["message"]


def test_an_expired_token_is_refused_and_a_fresh_one_is_not(api, simulators, session, graph):
    graph.advance_clock(3601)
    assert code(api("GET", "/contacts")) == (401, "InvalidAuthenticationToken")
    assert GraphApi(simulators, session, api.user)("GET", "/contacts").status_code == 200


# Permissions


@pytest.fixture
def roles(simulators):
    yield lambda *names: simulators.entra.set_roles("graph", names)
    simulators.entra.set_roles("graph", ["Contacts.ReadWrite", "User.Read.All"])


def test_reading_needs_one_permission_and_writing_another(simulators, session, graph, ada, roles):
    roles("Contacts.Read")
    reader = GraphApi(simulators, session, ada)
    assert reader("GET", "/contacts").status_code == 200
    assert code(reader("POST", "/contacts", {})) == (403, "ErrorAccessDenied")
    assert code(reader("GET", f"{reader.root}/users")) == (403, "Authorization_RequestDenied")


def test_rbac_opens_single_mailboxes_after_its_delay_without_any_consent(simulators, session, graph, ada, roles):
    roles("User.Read.All")
    bob = graph.create_user("bob@contoso.example")
    graph.grant_rbac(["ada@contoso.example"], delay=1800)
    scoped = GraphApi(simulators, session, ada)
    assert code(scoped("GET", "/contacts")) == (403, "ErrorAccessDenied")
    graph.advance_clock(1801)
    assert scoped("GET", "/contacts").status_code == 200
    assert scoped("POST", "/contacts", {}).status_code == 201
    assert code(scoped("GET", f"{scoped.root}/users/{bob}/contacts")) == (403, "ErrorAccessDenied")
    graph.grant_rbac(["ada@contoso.example"], write=False)
    assert code(scoped("POST", "/contacts", {})) == (403, "ErrorAccessDenied")


def test_the_access_policy_has_a_body_of_its_own(api, graph, ada):
    graph.block_by_policy([ada])
    answer = api("GET", "/contacts")
    assert code(answer) == (403, "ErrorAccessDenied")
    assert answer.json()["error"]["message"].startswith("Access to OData is disabled.")


# Mailboxes


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("inactive", (404, "MailboxNotEnabledForRESTAPI")),
        ("unsupported", (404, "MailboxNotSupportedForRESTAPI")),
        ("unlicensed", (404, "ResourceNotFound")),
        ("invalid", (404, "ErrorInvalidUser")),
        ("nonexistent", (404, "ErrorNonExistentMailbox")),
        ("moving", (503, "ErrorMailboxMoveInProgress")),
    ],
)
def test_a_mailbox_that_is_not_usable_says_why_and_comes_back(api, graph, ada, state, expected):
    graph.set_mailbox(ada, state)
    for path in ("/contactFolders?$top=1", "/contacts"):
        assert code(api("GET", path)) == expected
    assert api("GET", "").status_code == 200  # the user is still in the directory
    graph.set_mailbox(ada, "licensed")
    assert api("GET", "/contacts").status_code == 200


def test_a_full_mailbox_is_readable_but_takes_nothing_new(api, graph, ada):
    made = api.create({"surname": "a"})["id"]
    graph.set_mailbox(ada, is_full=True)
    assert code(api("POST", "/contacts", {})) == (507, "ErrorQuotaExceeded")
    assert api("GET", f"/contacts/{made}").status_code == 200
    assert api("DELETE", f"/contacts/{made}").status_code == 204


def test_a_user_who_does_not_exist_is_missed_by_mailbox_and_directory_in_their_own_words(api, graph, ada):
    graph.delete_user(ada)
    assert code(api("GET", "/contacts")) == (404, "ErrorInvalidUser")
    assert code(api("GET", "")) == (404, "Request_ResourceNotFound")
    graph.switch(unknown_user_code="ResourceNotFound")
    assert code(api("GET", "/contacts")) == (404, "ResourceNotFound")


# Users


def test_a_user_is_found_by_id_and_principal_name_and_by_mail_only_where_switched_on(api, graph, ada):
    graph.change_user(ada, mail="ada.lovelace@contoso.example")
    for name in (ada, "ADA@contoso.example"):
        assert api("GET", f"{api.root}/users/{name}?$select=id").json()["id"] == ada
        assert api("GET", f"{api.root}/users/{name}/contacts").status_code == 200
    by_mail = f"{api.root}/users/ada.lovelace@contoso.example"
    assert code(api("GET", by_mail)) == (404, "Request_ResourceNotFound")
    graph.switch(users_by_mail=True)
    assert api("GET", by_mail).json()["id"] == ada


def test_the_default_properties_leave_out_the_type_and_whether_enabled(api):
    user = api("GET", "").json()
    assert user["displayName"] == "Ada Lovelace"
    assert not {"accountEnabled", "userType"} & set(user)
    chosen = api("GET", "?$select=accountEnabled,userType").json()
    assert (chosen["accountEnabled"], chosen["userType"]) == (True, "Member")
    assert api("GET", "?$select=shoeSize").status_code == 400


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("accountEnabled eq true", {"ada", "guest"}),
        ("userType eq 'Member'", {"ada", "room"}),
        ("accountEnabled eq true and userType eq 'Member'", {"ada"}),
        ("mail eq 'ADA@contoso.example' or userPrincipalName eq 'room@contoso.example'", {"ada", "room"}),
    ],
)
def test_users_are_filtered_by_equality(api, graph, text, found):
    graph.create_user("guest@contoso.example", userType="Guest")
    graph.create_user("room@contoso.example", accountEnabled=False)
    answer = api("GET", f"{api.root}/users", params={"$filter": text, "$select": "mail"}).json()
    assert {user["mail"].partition("@")[0] for user in answer["value"]} == found


@pytest.mark.parametrize(
    "query",
    [
        "$filter=userType ne 'Guest'",
        "$filter=endsWith(mail,'x')",
        "$search=x",
        "$count=true",
        "$top=1000",
        "$orderby=mail",
    ],
)
def test_what_needs_the_advanced_mode_or_more_is_refused(api, query):
    assert code(api("GET", f"{api.root}/users?{query}")) == (400, "Request_UnsupportedQuery")


def test_users_are_paged_by_a_hundred(api, graph):
    for number in range(120):
        graph.create_user(f"user{number}@contoso.example")
    first = api("GET", f"{api.root}/users?$select=id").json()
    assert len(first["value"]) == 100
    second = api("GET", first["@odata.nextLink"]).json()
    assert len({user["id"] for user in first["value"] + second["value"]}) == 121
    assert "@odata.nextLink" not in second


# Addresses


@pytest.mark.parametrize("path", ["/v1.0/groups", "/beta/users", "/v1.0", "/"])
def test_paths_that_do_not_exist_are_refused(api, simulators, path):
    assert api("GET", f"{simulators.graph_root}{path}").status_code == 400


def test_a_verb_that_a_thing_does_not_know_is_405(api):
    assert api("PUT", "/contacts", {}).status_code == 405
    assert api("DELETE", "/contactFolders").status_code == 405
    assert api("POST", f"{api.root}/users", {}).status_code == 405


def test_the_clients_request_id_comes_back(api):
    answer = api("GET", "/contacts", headers={"client-request-id": "7c1d"})
    assert answer.headers["client-request-id"] == "7c1d"
    refused = api("GET", "/contacts/x", headers={"client-request-id": "7c1d"}).json()
    assert refused["error"]["innerError"]["client-request-id"] == "7c1d"
