"""Notifications of the Graph simulator: reference sections 9.4 and 9.6."""

from datetime import timedelta

import pytest

from tests.simulators.graph_api import GraphApi, code
from tests.simulators.receiver import Receiver, Reply, slow

BODY = {"givenName": "Grace", "surname": "Hopper"}


@pytest.fixture
def subscribe(api: GraphApi, graph, endpoint: Receiver, ada):
    """Subscribe to a folder of Ada's, or to her mailbox; returns the id."""

    def post(folder: str | None = None, prefer: str | None = None, **changes) -> str:
        below = f"/contactFolders/{folder}" if folder else ""
        body = {
            "changeType": "created,updated,deleted",
            "resource": f"users/{ada}{below}/contacts",
            "notificationUrl": endpoint.url,
            "lifecycleNotificationUrl": f"{endpoint.root}/lifecycle",
            "expirationDateTime": (graph.now() + timedelta(days=2)).isoformat(),
            "clientState": "secret",
        } | changes
        made = api("POST", f"{api.root}/subscriptions", body, prefer=prefer)
        assert made.status_code == 201, made.text
        endpoint.received.clear()
        return str(made.json()["id"])

    return post


def changes(endpoint: Receiver, graph) -> list[str]:
    """What was told since the last look."""
    graph.wait_for_deliveries()
    found = [item["changeType"] for item in endpoint.items]
    endpoint.received.clear()
    return found


def test_a_change_is_told_in_the_documented_shape(graph, endpoint, ada, subscribe):
    graph.switch(notify_resource_form="segments")
    subscription = subscribe(notificationUrl=f"{endpoint.url}?t=1")
    graph.create_contact(ada, BODY)
    graph.wait_for_deliveries()
    (post,) = endpoint.posts
    assert (post.method, post.path, post.query) == ("POST", "/notify", {"t": "1"})
    assert post.headers["content-type"] == "application/json"
    (item,) = post.items
    (contact,) = graph.contacts_of(ada)
    where = f"Users/{ada}/Contacts/{contact['defaultId']}"
    assert item.pop("id")
    assert item.pop("subscriptionExpirationDateTime").endswith("+00:00")
    assert item == {
        "subscriptionId": subscription,
        "clientState": "secret",
        "changeType": "created",
        "resource": where,
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.Contact",
            "@odata.id": where,
            "@odata.etag": f'W/"{contact["changeKey"]}"',
            "id": contact["defaultId"],
        },
        "tenantId": "11111111-2222-4333-8444-555555555555",
    }


def test_ids_are_immutable_when_that_was_asked_for_at_creation(graph, endpoint, ada, subscribe):
    subscribe(prefer='IdType="ImmutableId"')
    contact = graph.create_contact(ada, BODY)
    graph.wait_for_deliveries()
    assert [item["resourceData"]["id"] for item in endpoint.items] == [contact]


def test_everything_that_happens_to_a_contact_is_told(api, graph, endpoint, ada, subscribe):
    here, there = api.folder("Here"), api.folder("There")
    subscribe(here)
    contact = graph.create_contact(ada, BODY, here)
    assert changes(endpoint, graph) == ["created"]
    graph.edit_contact(ada, contact, {"surname": "H."})
    assert changes(endpoint, graph) == ["updated"]
    graph.move_contact(ada, contact, there)
    assert changes(endpoint, graph) == ["deleted"]
    graph.edit_contact(ada, contact, {"surname": "Hopper"})
    assert changes(endpoint, graph) == []
    graph.move_contact(ada, contact, here)
    assert changes(endpoint, graph) == ["created"]
    graph.delete_contact(ada, contact)
    assert changes(endpoint, graph) == ["deleted"]
    graph.purge_contact(ada, contact)
    assert changes(endpoint, graph) == []


def test_a_subscription_to_the_mailbox_hears_of_all_its_folders(api, graph, endpoint, ada, subscribe):
    subscribe()
    contact = graph.create_contact(ada, BODY, api.folder("Here"))
    assert changes(endpoint, graph) == ["created"]
    graph.delete_contact(ada, contact)
    assert changes(endpoint, graph) == ["deleted"]
    graph.undelete_contact(ada, contact, "contacts")
    assert changes(endpoint, graph) == ["created"]
    graph.purge_contact(ada, contact)
    assert changes(endpoint, graph) == ["deleted"]


def test_the_apps_own_writes_are_told(api, graph, endpoint, subscribe):
    subscribe()
    contact = api.create(BODY)
    assert changes(endpoint, graph) == ["created"]
    api("PATCH", f"/contacts/{contact['id']}", {"surname": "H."})
    assert changes(endpoint, graph) == ["updated"]
    api("DELETE", f"/contacts/{contact['id']}")
    assert changes(endpoint, graph) == ["deleted"]


def test_only_what_was_subscribed_to_is_told_and_only_while_it_lasts(api, graph, endpoint, ada, subscribe):
    subscription = subscribe(changeType="updated")
    contact = graph.create_contact(ada, BODY)
    graph.bump_contact(ada, contact)
    assert changes(endpoint, graph) == ["updated"]
    assert api("DELETE", f"{api.root}/subscriptions/{subscription}").status_code == 204
    graph.bump_contact(ada, contact)
    assert changes(endpoint, graph) == []


@pytest.mark.parametrize(("how", "told"), [("nothing", []), ("items", ["deleted", "deleted"]), ("removed", [])])
@pytest.mark.parametrize("purge", [True, False])
def test_what_is_told_of_a_deleted_folder_is_open(api, graph, endpoint, ada, subscribe, how, told, purge):
    graph.switch(notify_folder_deletion=how)
    folder = api.folder("Here")
    graph.seed_contacts(ada, [BODY, BODY], folder)
    subscription = subscribe(folder)
    graph.delete_folder(ada, folder, purge=purge)
    graph.wait_for_deliveries()
    items = endpoint.items
    assert [item["changeType"] for item in items if "changeType" in item] == told
    removed = [item["subscriptionId"] for item in items if item.get("lifecycleEvent") == "subscriptionRemoved"]
    assert removed == ([subscription] if how == "removed" else [])
    assert len(graph.subscriptions()) == (how != "removed")


def test_what_becomes_due_together_goes_in_one_post(api, graph, endpoint, ada, subscribe):
    here = api.folder("Here")
    first, second, other = (
        subscribe(here),
        subscribe(),
        subscribe(changeType="created", notificationUrl=f"{endpoint.root}/x"),
    )
    graph.seed_contacts(ada, [BODY] * 3, here)
    graph.wait_for_deliveries()
    by_path = {post.path: sorted(item["subscriptionId"] for item in post.items) for post in endpoint.posts}
    assert len(endpoint.posts) == 2
    assert by_path == {"/notify": sorted([first, second] * 3), "/x": [other] * 3}


def test_notifications_wait_for_their_time(graph, endpoint, ada, subscribe):
    graph.set_speed(0)
    graph.switch(notify_delay=60)
    subscribe()
    graph.create_contact(ada, BODY)
    graph.advance_clock(59)
    graph.wait_for_deliveries(due_only=True)
    assert endpoint.posts == []
    graph.advance_clock(1)
    assert changes(endpoint, graph) == ["created"]


def test_notifications_get_lost_or_come_twice(graph, endpoint, ada, subscribe):
    subscribe()
    graph.switch(notify_loss=1.0)
    contact = graph.create_contact(ada, BODY)
    assert changes(endpoint, graph) == []
    graph.switch(notify_loss=0.0, notify_duplicates=1.0)
    graph.bump_contact(ada, contact)
    assert changes(endpoint, graph) == ["updated", "updated"]


def test_items_of_a_post_have_no_order(graph, endpoint, ada, subscribe):
    subscribe(prefer='IdType="ImmutableId"')
    made = graph.seed_contacts(ada, [BODY] * 20)
    graph.wait_for_deliveries()
    told = [item["resourceData"]["id"] for item in endpoint.items]
    assert told != made
    assert sorted(told) == sorted(made)


@pytest.mark.parametrize("status", [404, 500, 302])
def test_what_is_not_accepted_is_sent_again_with_growing_pauses(graph, endpoint, ada, subscribe, status):
    graph.set_speed(0)
    subscribe()
    endpoint.answers(status, status)
    graph.create_contact(ada, BODY)
    for pause, posts in ((0, 1), (9, 1), (1, 2), (19, 2), (1, 3)):
        graph.advance_clock(pause)
        graph.wait_for_deliveries(due_only=True)
        assert len(endpoint.posts) == posts
    graph.wait_for_deliveries()
    assert len({post.body for post in endpoint.posts}) == 1
    sent = [
        (one["attempt"], one["status"], one["items"]) for one in graph.deliveries("graph") if one["kind"] == "notify"
    ]
    assert sent == [(1, status, 1), (2, status, 1), (3, 202, 1)]


def test_a_late_answer_counts_as_none_and_a_retry_is_given_longer(graph, endpoint, ada, subscribe):
    graph.switch(notify_timeout=0.1, notify_retry_timeout=5.0, notify_retry_first=0.0)
    subscribe()
    endpoint.accept = lambda _: slow(Reply(), 0.5)
    graph.create_contact(ada, BODY)
    graph.wait_for_deliveries()
    first, second = (one for one in graph.deliveries("graph") if one["kind"] == "notify")
    assert (first["status"], first["problem"], second["status"]) == (0, "timeout", 202)
    assert 100 <= first["milliseconds"] < 500 <= second["milliseconds"]


def test_after_four_hours_an_item_is_lost(graph, endpoint, ada, subscribe):
    graph.set_speed(0)
    graph.switch(notify_retry_first=3600)
    subscribe()
    endpoint.accept = lambda _: Reply(503)
    graph.create_contact(ada, BODY)
    for _ in range(4):
        graph.wait_for_deliveries(due_only=True)
        graph.advance_clock(3600)
    graph.wait_for_deliveries()
    assert len(endpoint.posts) == 3  # at once, after 1 h, after 3 h; the next would be after 7 h


def test_what_is_not_delivered_yet_goes_with_its_subscription(graph, endpoint, ada, subscribe):
    graph.set_speed(0)
    subscription = subscribe()
    endpoint.answers(503)
    graph.create_contact(ada, BODY)
    graph.wait_for_deliveries(due_only=True)
    graph.remove_subscription(subscription, lifecycle=False)
    graph.advance_clock(20)
    graph.wait_for_deliveries()
    assert len(endpoint.posts) == 1


def test_a_slow_endpoint_waits_ten_minutes_and_a_very_slow_one_loses_what_comes(graph, endpoint, ada, subscribe):
    graph.set_speed(0)
    graph.switch(notify_endpoint_states=True, notify_timeout=0.1, notify_retry_timeout=5.0, notify_retry_first=0.0)
    subscribe()
    contact = graph.create_contact(ada, BODY)
    assert changes(endpoint, graph) == ["created"]
    endpoint.accept = lambda _: slow(Reply(), 0.3)
    graph.bump_contact(ada, contact)
    graph.wait_for_deliveries()
    endpoint.reset()
    graph.bump_contact(ada, contact)
    graph.wait_for_deliveries(due_only=True)
    assert endpoint.posts == []
    graph.advance_clock(600)
    assert changes(endpoint, graph) == ["updated"]
    graph.switch(notify_timeout=0.4, notify_retry_timeout=0.2, notify_retry_for=0.0)
    endpoint.accept = lambda _: slow(Reply(), 1.0)
    graph.bump_contact(ada, contact)
    graph.wait_for_deliveries()
    endpoint.reset()
    graph.bump_contact(ada, contact)
    graph.advance_clock(599)
    assert changes(endpoint, graph) == []
    graph.advance_clock(600)
    graph.bump_contact(ada, contact)
    assert changes(endpoint, graph) == ["updated"]


def test_lifecycle_notifications_go_to_their_address(graph, endpoint, subscribe):
    subscription = subscribe()
    graph.send_lifecycle(subscription, "missed")
    graph.wait_for_deliveries()
    (post,) = endpoint.posts
    (item,) = post.items
    assert post.path == "/lifecycle"
    assert set(item) == {
        "subscriptionId",
        "subscriptionExpirationDateTime",
        "tenantId",
        "clientState",
        "lifecycleEvent",
    }
    assert (item["subscriptionId"], item["clientState"], item["lifecycleEvent"]) == (subscription, "secret", "missed")


@pytest.mark.parametrize("lifecycle", [True, False])
def test_the_service_may_remove_a_subscription(api, graph, endpoint, ada, subscribe, lifecycle):
    subscription = subscribe()
    graph.remove_subscription(subscription, lifecycle=lifecycle)
    graph.create_contact(ada, BODY)
    graph.wait_for_deliveries()
    assert [item["lifecycleEvent"] for item in endpoint.items] == ["subscriptionRemoved"] * lifecycle
    assert api("GET", f"{api.root}/subscriptions/{subscription}").status_code == 404


@pytest.mark.parametrize("how", ["reauthorize", "renew"])
@pytest.mark.parametrize(("while_without", "told"), [("lost", []), ("held", ["created"])])
def test_delivery_pauses_until_the_subscription_is_reauthorized(
    api, graph, endpoint, ada, subscribe, how, while_without, told
):
    graph.switch(notify_while_unauthorized=while_without, handshake_on_patch="never")
    subscription = subscribe()
    graph.lose_authorization(subscription)
    graph.wait_for_deliveries()
    assert [item["lifecycleEvent"] for item in endpoint.items] == ["reauthorizationRequired"]
    endpoint.received.clear()
    contact = graph.create_contact(ada, BODY)
    assert changes(endpoint, graph) == []
    one = f"{api.root}/subscriptions/{subscription}"
    if how == "renew":
        expires = (graph.now() + timedelta(days=3)).isoformat()
        assert api("PATCH", one, {"expirationDateTime": expires}).status_code == 200
    else:
        assert api("POST", f"{one}/reauthorize").status_code == 204
    assert changes(endpoint, graph) == told
    graph.bump_contact(ada, contact)
    assert changes(endpoint, graph) == ["updated"]


def test_a_burst_comes_as_many_posts_or_as_one(graph, endpoint, subscribe):
    subscription = subscribe()
    graph.burst(subscription, 20, seconds=0.2)
    graph.wait_for_deliveries()
    assert [len(post.items) for post in endpoint.posts] == [1] * 20
    endpoint.received.clear()
    graph.burst(subscription, 20, together=True)
    graph.wait_for_deliveries()
    assert [len(post.items) for post in endpoint.posts] == [20]
    assert {item["subscriptionId"] for item in endpoint.items} == {subscription}


def test_anybody_can_post_anything(graph, endpoint):
    endpoint.accept = lambda got: Reply(400, f"not {got.body}", headers={"X": "y"})
    got = graph.send_notifications(endpoint.url, "{", "text/html")
    assert (got["status"], got["text"]) == (400, "not {")
    assert got["milliseconds"] > 0
    assert endpoint.posts[0].headers["content-type"] == "text/html"
    assert graph.send_notifications(endpoint.url, {"value": []})["status"] == 400
    assert endpoint.posts[1].items == []


def test_deliveries_are_not_among_the_requests_to_graph(graph, endpoint, ada, subscribe):
    subscribe()
    since = graph.log_number()
    graph.create_contact(ada, BODY)
    graph.wait_for_deliveries()
    assert graph.counts(since) == {}
    newest = graph.deliveries("graph")[-1]
    assert (newest["url"], newest["status"], newest["items"]) == (endpoint.url, 202, 1)
    assert graph.deliveries("graph", since=newest["number"]) == []


def test_a_reset_ends_what_is_under_way(graph, endpoint, ada, subscribe):
    graph.set_speed(0)
    graph.switch(notify_delay=60)
    subscribe()
    graph.create_contact(ada, BODY)
    graph.reset()
    graph.wait_for_deliveries()
    graph.advance_clock(60)
    assert endpoint.posts == []


def test_waiting_for_deliveries_ends_with_what_is_pending(graph, ada, subscribe):
    graph.set_speed(0)
    graph.switch(notify_delay=60)
    subscribe()
    graph.create_contact(ada, BODY)
    with pytest.raises(Exception, match="1 deliveries are pending, 1 of them later"):
        graph.wait_for_deliveries(timeout=0.1)


def test_what_a_person_cannot_do_to_a_subscription_is_refused(api, graph, endpoint, ada, subscribe):
    subscription = subscribe(lifecycleNotificationUrl=None)
    with pytest.raises(Exception, match="no lifecycleNotificationUrl"):
        graph.send_lifecycle(subscription, "missed")
    with pytest.raises(Exception, match="no subscription"):
        graph.burst("x", 1)
    assert code(api("POST", f"{api.root}/subscriptions/x/reauthorize")) == (404, "ResourceNotFound")
