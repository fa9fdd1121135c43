"""Webhooks of the Business Central simulator: reference section 6."""

import re
from datetime import timedelta

import pytest

from dev.simulators.control_client import ControlRefused
from tests.simulators.bc_client import BcClient, refusal
from tests.simulators.receiver import Receiver, Reply, shake, slow


@pytest.fixture
def bc(simulators):
    """A client of a fresh environment whose clock stands still."""
    simulators.bc.reset()
    simulators.bc.clear_faults()
    simulators.bc.set_speed(0)
    yield BcClient(simulators)
    simulators.bc.set_speed(1)
    assert simulators.bc.defects() == []


@pytest.fixture
def subscribe(bc: BcClient, endpoint: Receiver):
    """POST a subscription to the company's contacts."""

    def post(**changes):
        body = {
            "notificationUrl": f"{endpoint.url}?code=1",
            "resource": f"/api/v2.0/{bc.contacts}",
            "clientState": "secret",
        } | changes
        answer = bc.send("POST", "subscriptions", {name: value for name, value in body.items() if value is not None})
        if answer.status_code == 201:
            endpoint.received.clear()
        return answer

    return post


def told(bc: BcClient, endpoint: Receiver, seconds: float = 30.0) -> list[tuple[str, str]]:
    """Change and contact (empty for a collection) of what is told within the next simulated seconds."""
    bc.control.advance_clock(seconds)
    bc.control.wait_for_deliveries(due_only=True)
    items = endpoint.items
    endpoint.received.clear()
    found = [re.search(r"/contacts\(([0-9a-f-]{36})\)$", item["resource"]) for item in items]
    return [(item["changeType"], match[1] if match else "") for item, match in zip(items, found, strict=True)]


def one(answer) -> str:
    return f"subscriptions('{answer.json()['subscriptionId']}')"


def supported(bc: BcClient, filter_: str | None = None) -> list[str]:
    url = f"{bc.base.removesuffix('v2.0')}microsoft/runtime/beta/companies({bc.company})/webhookSupportedResources"
    answer = bc.send("GET", url, **({"filter": filter_} if filter_ else {}))
    assert answer.status_code == 200, answer.text
    return [row["resource"] for row in answer.json()["value"]]


def test_the_environment_says_whether_contacts_are_supported(bc, subscribe):
    exact, wild = "resource eq 'v2.0/contacts'", "resource eq 'v2.0*'"
    assert supported(bc, exact) == ["v2.0/contacts"]
    bc.control.switch(webhook_contacts="hidden")
    assert supported(bc, exact) == []
    assert "v2.0/contacts" in supported(bc, wild)
    bc.control.switch(webhook_contacts="unsupported")
    assert supported(bc, exact) == []
    assert supported(bc, wild) and "v2.0/contacts" not in supported(bc)
    assert subscribe().status_code == 400


def test_a_subscription_lives_from_creation_to_deletion(bc, subscribe):
    made = subscribe()
    assert made.status_code == 201
    shown = made.json()
    assert re.fullmatch(r"[0-9a-f]{32}", shown["subscriptionId"])
    assert shown["clientState"] == "secret"
    assert shown["resource"] == f"/api/v2.0/{bc.contacts}"
    bc.control.advance_clock(1800)
    (listed,) = bc.send("GET", "subscriptions").json()["value"]
    assert listed["expirationDateTime"] == shown["expirationDateTime"]
    renewed = bc.send("PATCH", one(made), {"clientState": "new"}, {"If-Match": listed["@odata.etag"]})
    assert renewed.status_code == 200
    assert renewed.json()["expirationDateTime"] > shown["expirationDateTime"]
    assert renewed.json()["clientState"] == "new"
    assert refusal(bc.send("PATCH", one(made), {}, {"If-Match": listed["@odata.etag"]}))[0] == 409
    assert bc.send("DELETE", one(made), headers={"If-Match": "*"}).status_code == 204
    assert bc.send("DELETE", one(made), headers={"If-Match": "*"}).status_code == 404
    kinds = [entry["kind"] for entry in bc.control.log(service="bc")][-6:]
    assert kinds[:4] == ["create subscription", "list subscriptions", "renew subscription", "renew subscription"]


def test_it_ends_after_three_days_unless_it_is_renewed(simulators, bc, subscribe):
    made = subscribe()
    bc.control.advance_clock(3 * 86_400 - 1)
    assert len(bc.control.subscriptions()) == 1
    assert BcClient(simulators).send("PATCH", one(made), {}, {"If-Match": "*"}).status_code == 200
    bc.control.advance_clock(3 * 86_400)
    assert bc.control.subscriptions() == []
    assert BcClient(simulators).send("PATCH", one(made), {}, {"If-Match": "*"}).status_code == 404


def test_the_id_is_in_quotes_and_a_tag_is_needed(bc, subscribe):
    made = subscribe()
    unquoted = one(made).replace("'", "")
    assert bc.send("PATCH", unquoted, {}, {"If-Match": "*"}).status_code == 404
    assert refusal(bc.send("PATCH", one(made), {})) == (400, "BadRequest_InvalidToken")
    assert refusal(bc.send("DELETE", one(made))) == (400, "BadRequest_InvalidToken")


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_creating_and_renewing_shake_hands(bc, endpoint, subscribe, method):
    bc.control.switch(handshake_method=method)
    seen = []
    endpoint.handshake = lambda got: seen.append(got) or shake(got)
    made = subscribe()
    assert bc.send("PATCH", one(made), {}, {"If-Match": "*"}).status_code == 200
    assert [got.method for got in seen] == [method] * 2
    assert {got.query["code"] for got in seen} == {"1"}
    endpoint.handshake = lambda got: Reply(404)
    assert bc.send("PATCH", one(made), {}, {"If-Match": "*"}).status_code == 400


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        (lambda got: Reply(200, f'"{got.token}"', "application/json"), True),
        (lambda got: Reply(200, "something else"), False),
        (lambda got: Reply(202, got.token), False),
        (lambda got: Reply(401, got.token), False),
        (lambda got: slow(shake(got), 5), False),
    ],
    ids=["JSON", "no token", "202", "401", "too late"],
)
def test_the_answer_to_a_handshake_holds_the_token(bc, endpoint, subscribe, answer, accepted):
    bc.control.switch(handshake_timeout=0.3)
    endpoint.handshake = answer
    assert subscribe().status_code == (201 if accepted else 400)
    assert len(bc.control.subscriptions()) == accepted


def test_an_exact_answer_may_be_wanted(bc, endpoint, subscribe):
    bc.control.switch(handshake_body="exact")
    endpoint.handshake = lambda got: Reply(200, f'"{got.token}"')
    assert subscribe().status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"notificationUrl": None},
        {"notificationUrl": "http://127.0.0.1/x"},
        {"resource": None},
        {"resource": "/api/v2.0/companies(x)/contacts"},
        {"resource": "/api/v2.0/contacts"},
        {"resource": "https://elsewhere.example/api/v2.0/companies(x)/contacts"},
        {"clientState": "x" * 2049},
        {"expirationDateTime": "2030-01-01T00:00:00Z"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_a_body_that_makes_no_sense_is_refused_before_any_handshake(endpoint, subscribe, changes):
    assert 400 <= subscribe(**changes).status_code < 500
    assert endpoint.received == []


def test_the_same_url_and_resource_twice(bc, subscribe):
    assert subscribe().status_code == 201
    assert subscribe(resource=f"{bc.base}/{bc.contacts}").status_code == 400
    bc.control.switch(duplicate_subscription="accepted")
    assert subscribe().status_code == 201
    bc.control.switch(subscription_maximum=2)
    assert subscribe().status_code == 400


@pytest.mark.parametrize("start", ["/api/v2.0/", "api/v2.0/", "", "{base}/"])
def test_notifications_name_the_resource_as_it_was_subscribed_to(bc, endpoint, subscribe, start):
    resource = start.format(base=bc.base) + bc.contacts
    assert subscribe(resource=resource).status_code == 201
    contact = bc.control.create_contact(displayName="Grace")
    bc.control.advance_clock(30)
    bc.control.wait_for_deliveries()
    (item,) = endpoint.items
    assert item["resource"] == f"{resource}({contact['id']})"


def test_the_leading_slash_may_come_or_go(bc, endpoint, subscribe):
    subscribe()
    for form, start in (("never", "api/"), ("always", "/api/")):
        bc.control.switch(leading_slash=form, notification_delay=0)
        bc.control.create_contact(displayName="Grace")
        bc.control.wait_for_deliveries()
        assert endpoint.items[-1]["resource"].startswith(start)


def test_a_notification_is_told_half_a_minute_later_in_the_documented_shape(bc, endpoint, subscribe):
    made = subscribe().json()
    contact = bc.post(displayName="Grace", type="Person").json()
    assert told(bc, endpoint, 29) == []
    bc.control.advance_clock(1)
    bc.control.wait_for_deliveries()
    (post,) = endpoint.posts
    assert (post.method, post.query) == ("POST", {"code": "1"})
    assert post.headers["clientrequestid"] == post.headers["x-ms-correlation-id"]
    assert post.headers["content-type"] == post.headers["accept"] == "application/json"
    assert post.items == [
        {
            "subscriptionId": made["subscriptionId"],
            "clientState": "secret",
            "expirationDateTime": made["expirationDateTime"],
            "resource": f"/api/v2.0/{bc.contacts}({contact['id']})",
            "changeType": "created",
            "lastModifiedDateTime": contact["lastModifiedDateTime"],
        }
    ]


def test_updates_are_merged_and_everything_else_stays_apart(bc, endpoint, subscribe):
    subscribe()
    contact = bc.control.create_contact(displayName="Grace")["id"]
    for title in ("A", "B", "C"):
        bc.control.update_contact(contact, jobTitle=title)
    assert told(bc, endpoint) == [("created", contact), ("updated", contact)]
    bc.control.update_contact(contact, jobTitle="D")
    bc.control.delete_contact(contact)
    assert told(bc, endpoint) == [("updated", contact), ("deleted", contact)]


def test_a_deleted_company_deletes_its_persons_each_told(bc, endpoint, subscribe):
    company = bc.control.create_contact(type="Company", displayName="Cement")
    person = bc.control.create_contact(displayName="Grace", companyNumber=company["number"])
    subscribe()
    bc.control.delete_contact(company["id"])
    assert sorted(told(bc, endpoint)) == sorted([("deleted", company["id"]), ("deleted", person["id"])])


def test_what_is_rolled_back_or_changes_nothing_is_not_told(bc, endpoint, subscribe):
    contact = bc.control.create_contact(displayName="Grace", jobTitle="A")
    subscribe()
    with pytest.raises(ControlRefused):
        bc.control.create_contact(displayName="")
    bc.control.update_contact(contact["id"], jobTitle="A")
    part = {"id": "1", "method": "PATCH", "url": f"{bc.contacts}({contact['id']})", "body": {"jobTitle": "B"}}
    part["headers"] = {"If-Match": "*", "Content-Type": "application/json"}
    bad = {**part, "id": "2", "body": {"colour": "red"}}
    bc.batch(part, bad, headers={"Isolation": "snapshot"})
    uncommitted = bc.control.create_contact(displayName="Ada", committed=False)
    assert told(bc, endpoint) == []
    bc.control.finish_uncommitted(commit=True)
    assert told(bc, endpoint) == [("created", uncommitted["id"])]


def test_null_updates_are_dropped(bc, endpoint, subscribe):
    contact = bc.control.create_contact(displayName="Grace")["id"]
    subscribe()
    bc.control.advance_clock(3)
    bc.control.set_facts(contact, interaction_date="2026-01-01")
    assert told(bc, endpoint) == []


def test_subscriptions_with_one_address_share_a_post(bc, endpoint, subscribe):
    bc.control.switch(duplicate_subscription="accepted")
    ids = [subscribe().json()["subscriptionId"] for _ in range(2)]
    other = subscribe(notificationUrl=f"{endpoint.root}/other").json()["subscriptionId"]
    bc.control.seed(count=3)
    bc.control.advance_clock(30)
    bc.control.wait_for_deliveries()
    posts = {post.path: [item["subscriptionId"] for item in post.items] for post in endpoint.posts}
    assert len(endpoint.posts) == 2
    assert posts == {"/notify": sorted(ids * 3, key=ids.index), "/other": [other] * 3}


def test_other_companies_are_not_told_about(bc, endpoint, subscribe):
    subscribe()
    other = bc.control.add_company("OTHER")
    bc.control.create_contact(displayName="Grace", company=other)
    assert told(bc, endpoint) == []


def test_too_many_entries_become_a_collection(bc, endpoint, subscribe):
    bc.control.switch(collection_maximum=3)
    subscribe()
    bc.control.seed(count=3)
    assert len(told(bc, endpoint)) == 3
    first = bc.control.now() - timedelta(milliseconds=50)
    bc.control.seed(count=4)
    bc.control.advance_clock(30)
    bc.control.wait_for_deliveries()
    (item,) = endpoint.items
    assert item["changeType"] == "collection"
    since = first.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    start, _, shown = item["resource"].partition("?$filter=lastModifiedDateTime%20gt%20")
    assert start == f"/api/v2.0/{bc.contacts}"
    assert shown.rstrip("Z").ljust(23, "0")[:19] == since[:19]


@pytest.mark.parametrize("known", [True, False])
def test_a_collection_with_a_deletion_or_an_unknown_beginning_has_no_filter(bc, endpoint, subscribe, known):
    contact = bc.control.create_contact(displayName="Grace")["id"]
    bc.control.switch(collection_maximum=1, collection_filter=known)
    subscribe()
    bc.control.seed(count=3)
    if known:
        bc.control.delete_contact(contact)
    bc.control.advance_clock(30)
    bc.control.wait_for_deliveries()
    assert [item["resource"] for item in endpoint.items] == [f"/api/v2.0/{bc.contacts}"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_receiver_is_tried_again_and_again_and_then_no_more(bc, endpoint, subscribe, status):
    subscribe()
    endpoint.accept = lambda _: Reply(status)
    contact = bc.control.create_contact(displayName="Grace")["id"]
    for seconds in (30, 60, 60, 600, 6_000):
        assert told(bc, endpoint, seconds - 1) == []
        assert told(bc, endpoint, 1) == [("created", contact)]
    assert len(bc.control.subscriptions()) == 1
    assert told(bc, endpoint, 60_000) == [("created", contact)]
    assert bc.control.subscriptions() == []
    bc.control.wait_for_deliveries()


def test_a_receiver_that_comes_back_is_told(bc, endpoint, subscribe):
    subscribe()
    endpoint.answers(503, 500)
    contact = bc.control.create_contact(displayName="Grace")["id"]
    assert [told(bc, endpoint, seconds) for seconds in (30, 60, 60, 600)] == [[("created", contact)]] * 3 + [[]]
    sent = [(one["attempt"], one["status"]) for one in bc.control.deliveries("bc") if one["kind"] == "notify"]
    assert sent == [(1, 503), (2, 500), (3, 202)]


def test_no_answer_in_time_is_tried_again(bc, endpoint, subscribe):
    bc.control.switch(notification_timeout=0.2)
    subscribe()
    endpoint.accept = lambda _: slow(Reply(), 1)
    contact = bc.control.create_contact(displayName="Grace")["id"]
    assert told(bc, endpoint) == [("created", contact)]
    endpoint.reset()
    assert told(bc, endpoint, 60) == [("created", contact)]
    assert len(bc.control.subscriptions()) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 302])
def test_any_other_answer_deletes_the_subscription_at_once(bc, endpoint, subscribe, status):
    subscribe()
    endpoint.answers(status)
    bc.control.create_contact(displayName="Grace")
    assert len(told(bc, endpoint)) == 1
    assert bc.control.subscriptions() == []


def test_a_copied_or_restored_environment_has_no_subscriptions(bc, endpoint, subscribe):
    snapshot = bc.control.take_snapshot()
    for recreate in (bc.control.recreate_environment, lambda: bc.control.restore(snapshot)):
        assert subscribe().status_code == 201
        bc.control.create_contact(displayName="Grace")
        recreate()
        assert bc.control.subscriptions() == []
        assert told(bc, endpoint) == []


def test_subscriptions_of_others_may_be_hidden(simulators, bc, subscribe):
    made = subscribe()
    simulators.entra.add_registration("other-app", "other-secret", {"bc": ["API.ReadWrite.All"]})
    form = {"grant_type": "client_credentials", "client_id": "other-app", "client_secret": "other-secret"}
    token = bc.session.post(
        f"{simulators.authority}/oauth2/v2.0/token", data=form | {"scope": simulators.addresses.bc_scope}
    ).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
    assert len(bc.send("GET", "subscriptions", headers=headers).json()["value"]) == 1
    bc.control.switch(subscriptions_visible="own")
    assert bc.send("GET", "subscriptions", headers=headers).json()["value"] == []
    assert bc.send("DELETE", one(made), headers=headers).status_code == 404


def test_people_can_lose_remove_and_invent_notifications(bc, endpoint, subscribe):
    made = subscribe().json()["subscriptionId"]
    bc.control.switch(notification_loss=1.0)
    bc.control.create_contact(displayName="Grace")
    assert told(bc, endpoint) == []
    bc.control.burst(made, 10, seconds=0.1)
    bc.control.wait_for_deliveries()
    assert [len(post.items) for post in endpoint.posts] == [1] * 10
    endpoint.received.clear()
    bc.control.burst(made, 10, together=True)
    bc.control.wait_for_deliveries()
    assert [len(post.items) for post in endpoint.posts] == [10]
    bc.control.remove_subscription(made)
    assert bc.control.subscriptions() == []
    with pytest.raises(ControlRefused, match="no subscription"):
        bc.control.remove_subscription(made)
