"""Subscriptions on the Graph simulator: reference sections 8.1, 9.1 to 9.3, 9.5."""

import re
from datetime import datetime, timedelta
from urllib.parse import quote_plus

import pytest

from dev.simulators.launch import Simulators
from tests.simulators.graph_api import GraphApi, code
from tests.simulators.receiver import Reply, shake, slow


@pytest.fixture
def all_of(api: GraphApi) -> str:
    return f"{api.root}/subscriptions"


@pytest.fixture
def subscribe(api, graph, endpoint, ada, all_of):
    """POST a subscription to Ada's contacts; None leaves a property out."""

    def post(prefer: str | None = None, **changes):
        body = {
            "changeType": "created,updated,deleted",
            "resource": f"users/{ada}/contacts",
            "notificationUrl": endpoint.url,
            "expirationDateTime": (graph.now() + timedelta(days=2)).isoformat(),
            "clientState": "secret",
        } | changes
        return api("POST", all_of, {name: value for name, value in body.items() if value is not None}, prefer=prefer)

    return post


def when(answer) -> datetime:
    return datetime.fromisoformat(answer.json()["expirationDateTime"])


def test_a_subscription_lives_from_creation_to_deletion(api, graph, endpoint, ada, all_of, subscribe):
    made = subscribe(lifecycleNotificationUrl=f"{endpoint.root}/lifecycle", latestSupportedTlsVersion="v1_3")
    assert made.status_code == 201
    shown = made.json()
    assert {
        "changeType": "created,updated,deleted",
        "clientState": "secret",
        "notificationUrl": endpoint.url,
    }.items() <= (shown.items())
    assert (shown["lifecycleNotificationUrl"], shown["latestSupportedTlsVersion"]) == (
        f"{endpoint.root}/lifecycle",
        "v1_3",
    )
    one = f"{all_of}/{shown['id']}"
    assert api("GET", one).json() == {**shown, "clientState": None}
    later = (graph.now() + timedelta(days=5)).replace(microsecond=0)
    renewed = api("PATCH", one, {"expirationDateTime": later.isoformat()})
    assert (renewed.status_code, when(renewed)) == (200, later)
    assert api("POST", f"{one}/reauthorize").status_code == 204
    assert [item["id"] for item in api.get(all_of)["value"]] == [shown["id"]]
    assert api("DELETE", one).status_code == 204
    assert api("GET", one).status_code == api("DELETE", one).status_code == 404
    assert api("PATCH", one, {"expirationDateTime": later.isoformat()}).status_code == 404
    kinds = [entry["kind"] for entry in graph.log(service="graph") if entry["kind"].startswith("subscriptions.")]
    assert kinds[-9:-3] == [
        f"subscriptions.{verb}" for verb in ("create", "get", "renew", "reauthorize", "list", "delete")
    ]


def test_the_handshake_sends_an_encoded_token_to_both_addresses(endpoint, subscribe):
    assert subscribe(notificationUrl=f"{endpoint.url}?t=1", lifecycleNotificationUrl=endpoint.url).status_code == 201
    first, second = endpoint.handshakes
    assert (first.method, first.path, first.query["t"], first.body) == ("POST", "/notify", "1", "")
    assert first.headers["content-type"] == "text/plain; charset=utf-8"
    assert " " in first.token and first.token != second.token


@pytest.mark.parametrize(
    "wrong",
    [
        lambda got: Reply(200, got.token, "application/json"),
        lambda got: Reply(200, quote_plus(got.token)),
        lambda got: Reply(200, f'"{got.token}"'),
        lambda got: Reply(202, got.token),
        lambda got: Reply(302, headers={"Location": "/elsewhere"}),
        lambda got: slow(shake(got), 5),
    ],
    ids=["content type", "encoded", "quoted", "202", "redirect", "too late"],
)
def test_a_wrong_handshake_means_no_subscription(graph, endpoint, subscribe, wrong):
    graph.switch(handshake_timeout=0.3)
    endpoint.handshake = wrong
    answer = subscribe()
    assert code(answer) == (400, "InvalidRequest")
    assert "Notification endpoint must respond with 200 OK to validation request" in answer.json()["error"]["message"]
    assert graph.subscriptions() == []


def test_an_endpoint_that_is_not_there_means_no_subscription(graph, subscribe):
    assert code(subscribe(notificationUrl="https://127.0.0.1:1/")) == (400, "InvalidRequest")


def test_the_lifecycle_address_must_answer_too(graph, endpoint, subscribe):
    endpoint.handshake = lambda got: shake(got) if got.path == "/notify" else Reply(404)
    assert subscribe(lifecycleNotificationUrl=f"{endpoint.root}/lifecycle").status_code == 400
    assert graph.subscriptions() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"changeType": None},
        {"changeType": "created,moved"},
        {"changeType": "created,created"},
        {"notificationUrl": "http://127.0.0.1/notify"},
        {"notificationUrl": None},
        {"lifecycleNotificationUrl": "http://127.0.0.1/notify"},
        {"clientState": "x" * 129},
        {"clientState": 7},
        {"expirationDateTime": None},
        {"expirationDateTime": "tomorrow"},
        {"expirationDateTime": "2099-01-01T00:00:00"},
        {"expirationDateTime": "2001-01-01T00:00:00Z"},
        {"latestSupportedTlsVersion": "v2"},
        {"vapidPublicKey": "key"},
        {"includeResourceData": True},
    ],
    ids=str,
)
def test_a_body_that_makes_no_sense_is_refused_before_any_handshake(endpoint, subscribe, changes):
    assert code(subscribe(**changes)) == (400, "InvalidRequest")
    assert endpoint.received == []


def test_expiry_has_a_floor_and_a_ceiling(graph, subscribe):
    soon = subscribe(expirationDateTime=(graph.now() + timedelta(minutes=1)).isoformat(), changeType="created")
    assert timedelta(minutes=44) < when(soon) - graph.now() <= timedelta(minutes=45)
    far = (graph.now() + timedelta(days=7, minutes=1)).isoformat()
    assert code(subscribe(expirationDateTime=far)) == (400, "InvalidRequest")
    graph.switch(subscription_over_maximum="clamp")
    assert when(subscribe(expirationDateTime=far)) - graph.now() <= timedelta(days=7)


@pytest.mark.parametrize("start", ["", "/"])
def test_a_folder_or_a_mailbox_can_be_named_in_several_ways(api, graph, ada, subscribe, start):
    folder = api.folder("Customers")
    assert subscribe(resource=f"{start}users/{ada}/contactFolders/{folder}/contacts").status_code == 201
    assert subscribe(resource=f"{start}users/ada@contoso.example/contacts").status_code == 201
    assert [(one["user"], one["folder"]) for one in graph.subscriptions()] == [(ada, folder), (ada, None)]


@pytest.mark.parametrize("resource", ["me/contacts", "users/{ada}/events", "users/{ada}/contactFolders", "contacts"])
def test_other_resources_cannot_be_subscribed_to(ada, subscribe, resource):
    assert code(subscribe(resource=resource.format(ada=ada))) == (400, "ExtensionError")


def inner(answer) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["code"] == "ExtensionError"
    return answer.status_code, re.search(r"\[Status Code: (\w+); Reason: ", error["message"])[1]


def test_folders_may_not_be_supported_or_not_be_there(api, graph, ada, subscribe):
    folder = api.folder("Customers")
    graph.delete_folder(ada, folder, purge=True)
    gone = f"users/{ada}/contactFolders/{folder}/contacts"
    assert inner(subscribe(resource=gone)) == (400, "BadRequest")
    assert inner(subscribe(resource=f"users/{ada}/contactFolders/x/contacts")) == (400, "BadRequest")
    graph.switch(folder_subscriptions=False)
    there = f"users/{ada}/contactFolders/{api.folder('There')}/contacts"
    assert inner(subscribe(resource=there)) == (400, "BadRequest")


def test_rights_to_the_mailbox_are_asked_for(graph, ada, subscribe):
    assert inner(subscribe(resource="users/nobody@contoso.example/contacts")) == (404, "NotFound")
    graph.set_mailbox(ada, "moving")
    assert inner(subscribe()) == (403, "ServiceUnavailable")
    graph.set_mailbox(ada, "licensed")
    graph.block_by_policy([ada])
    assert inner(subscribe()) == (403, "Forbidden")


def test_reading_must_be_consented_to_or_granted(simulators: Simulators, session, graph, ada, endpoint):
    try:
        simulators.entra.set_roles("graph", ["Contacts.ReadWrite"])
        api = GraphApi(simulators, session, ada)
        expires = (graph.now() + timedelta(days=1)).isoformat()
        body = {"resource": f"users/{ada}/contacts", "notificationUrl": endpoint.url, "expirationDateTime": expires}

        def subscribe(change: str):
            return api("POST", f"{api.root}/subscriptions", body | {"changeType": change})

        assert inner(subscribe("created")) == (403, "Forbidden")
        graph.switch(subscription_needs_read=False)
        assert subscribe("created").status_code == 201
        graph.switch(subscription_needs_read=True)
        graph.grant_rbac([ada])
        assert subscribe("updated").status_code == 201
        graph.switch(subscription_by_rbac=False)
        assert inner(subscribe("deleted")) == (403, "Forbidden")
    finally:
        simulators.entra.set_roles("graph", ["Contacts.Read", "Contacts.ReadWrite", "User.Read.All"])


def test_the_same_subscription_twice_is_a_conflict_that_names_the_first(ada, endpoint, subscribe):
    first = subscribe().json()["id"]
    again = subscribe(resource="/users/ada@contoso.example/contacts", changeType="deleted,updated,created")
    assert again.status_code == 409
    assert first in again.json()["error"]["message"]
    assert subscribe(changeType="created").status_code == 201


def test_a_mailbox_has_a_quota(graph, subscribe):
    graph.switch(subscriptions_per_mailbox=1)
    assert subscribe().status_code == 201
    answer = subscribe(changeType="created")
    assert answer.status_code == 403
    assert "quota" in answer.json()["error"]["message"]


def test_an_expired_subscription_is_gone(simulators, session, graph, ada, all_of, subscribe):
    one = f"{all_of}/{subscribe().json()['id']}"
    graph.advance_clock(2 * 86_400 - 60)
    assert len(graph.subscriptions()) == 1
    graph.advance_clock(120)
    api = GraphApi(simulators, session, ada)
    expires = (graph.now() + timedelta(days=1)).isoformat()
    assert api("GET", one).status_code == api("PATCH", one, {"expirationDateTime": expires}).status_code == 404
    assert graph.subscriptions() == api.get(all_of)["value"] == []


@pytest.mark.parametrize(("how", "same", "other"), [("always", 1, 1), ("url", 0, 1), ("never", 0, 0)])
def test_a_renewal_may_ask_the_endpoint_again(api, graph, endpoint, all_of, subscribe, how, same, other):
    graph.switch(handshake_on_patch=how)
    one = f"{all_of}/{subscribe().json()['id']}"
    endpoint.reset()
    expires = (graph.now() + timedelta(days=3)).isoformat()
    assert api("PATCH", one, {"expirationDateTime": expires}).status_code == 200
    assert len(endpoint.handshakes) == same
    endpoint.reset()
    assert api("PATCH", one, {"notificationUrl": f"{endpoint.root}/new"}).status_code == 200
    assert len(endpoint.handshakes) == other
    assert graph.subscriptions()[0]["notificationUrl"] == f"{endpoint.root}/new"


@pytest.mark.parametrize("body", [{}, {"clientState": "new"}, {"lifecycleNotificationUrl": "https://127.0.0.1/x"}])
def test_nothing_but_expiry_and_address_can_be_updated(api, all_of, subscribe, body):
    one = f"{all_of}/{subscribe().json()['id']}"
    assert code(api("PATCH", one, body)) == (400, "InvalidRequest")


def test_the_list_is_paged(api, graph, all_of, subscribe):
    graph.switch(subscription_page_size=2)
    for change in ("created", "updated", "deleted"):
        assert subscribe(changeType=change).status_code == 201
    first = api.get(all_of)
    second = api.get(first["@odata.nextLink"])
    assert [one["changeType"] for one in first["value"] + second["value"]] == ["created", "updated", "deleted"]
    assert "@odata.nextLink" not in second


def test_the_list_has_a_limit_of_its_own(api, graph, all_of, subscribe):
    graph.set_speed(0)
    one = f"{all_of}/{subscribe().json()['id']}"
    assert [api("GET", all_of).status_code for _ in range(26)] == [200] * 25 + [429]
    assert api("GET", one).status_code == 200
    graph.advance_clock(21)
    assert api("GET", all_of).status_code == 200
    graph.switch(limit_subscription_writes=1)
    graph.reset_throttle()
    assert [api("POST", all_of, {}).status_code for _ in range(2)] == [400, 429]


def test_other_verbs_are_refused(api, all_of):
    assert api("PUT", all_of, {}).status_code == 405
    assert api("GET", f"{all_of}/x/reauthorize").status_code == 405
    assert api("GET", f"{all_of}/x/y").status_code == 400
