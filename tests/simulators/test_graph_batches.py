"""POST /$batch on the Graph simulator: reference section 7."""

import pytest
import requests

from tests.simulators.graph_api import IMMUTABLE, code

JSON = {"Content-Type": "application/json", "Prefer": IMMUTABLE}


def create(api, name: str, **changes):
    return {
        "id": name,
        "method": "POST",
        "url": f"/users/{api.user}/contacts",
        "headers": JSON,
        "body": {"surname": name},
        **changes,
    }


def test_twenty_items_are_done_and_answered_in_any_order(api, graph, ada):
    items = [create(api, str(number)) for number in range(20)]
    answer = api("POST", f"{api.root}/$batch", {"requests": items}, prefer=None).json()["responses"]
    assert [one["id"] for one in answer] != [item["id"] for item in items]
    assert {one["id"]: (one["status"], one["body"]["surname"]) for one in answer} == {
        str(number): (201, str(number)) for number in range(20)
    }
    assert len(graph.contacts_of(ada)) == 20


def without(item: dict, name: str) -> dict:
    return {key: value for key, value in item.items() if key != name}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda api: [create(api, str(number)) for number in range(21)],
        lambda api: [create(api, "a"), create(api, "A")],
        lambda api: [without(create(api, "a"), "id")],
        lambda api: [create(api, "a", id=1)],
        lambda api: [create(api, "a", method="COPY")],
        lambda api: [create(api, "a", url=f"{api.root}/users/{api.user}/contacts")],
        lambda api: [create(api, "a", url="users/x/contacts")],
        lambda api: [create(api, "a", url="/$batch")],
        lambda api: [create(api, "a", headers={"Prefer": IMMUTABLE})],
        lambda api: [without(create(api, "a"), "headers")],
        lambda api: [create(api, "a", dependsOn=["b"])],
        lambda api: [create(api, "a", dependsOn="b")],
        lambda api: [create(api, "a", dependsOn=["b"]), create(api, "b")],
        lambda api: [create(api, "a", colour="red")],
        lambda api: [],
    ],
)
def test_a_malformed_batch_is_refused_whole(api, graph, ada, spoil):
    assert api("POST", f"{api.root}/$batch", {"requests": spoil(api)}).status_code == 400
    assert graph.contacts_of(ada) == []


def test_an_undocumented_member_of_a_request_is_refused_unless_switched_to_ignore(api, graph, ada):
    item = create(api, "a", depends_on=[])  # as Microsoft's library for Python sends it
    assert api("POST", f"{api.root}/$batch", {"requests": [item]}).status_code == 400
    graph.switch(batch_unknown_members="ignore")
    assert api.batch([item])["a"]["status"] == 201
    assert len(graph.contacts_of(ada)) == 1


def test_a_batch_needs_its_content_type(api):
    assert api("POST", f"{api.root}/$batch", data='{"requests":[]}').status_code == 400


def test_an_item_that_fails_does_not_stop_the_others(api):
    read = {"id": "r", "method": "GET", "url": f"/users/{api.user}/contacts/x"}
    wrong = {"id": "v", "method": "GET", "url": f"/v1.0/users/{api.user}/contacts"}
    answers = api.batch([create(api, "a"), create(api, "b", body={"fax": 1}), read, wrong])
    assert {name: one["status"] for name, one in answers.items()} == {"a": 201, "b": 400, "r": 400, "v": 400}
    assert answers["r"]["body"]["error"]["code"] == "ErrorInvalidIdMalformed"


def test_a_deletion_is_answered_without_a_body(api):
    made = api.create({"surname": "a"})["id"]
    item = {
        "id": "1",
        "method": "DELETE",
        "url": f"/users/{api.user}/contacts/{made}",
        "headers": {"Prefer": IMMUTABLE},
    }
    answer = api.batch([item])["1"]
    assert (answer["status"], answer["body"]) == (204, None)


def test_an_ordered_batch_fails_what_depends_on_a_failure(api, graph, ada):
    answers = api.batch(
        [
            create(api, "a"),
            create(api, "b", dependsOn=["a"], body={"fax": 1}),
            create(api, "c", dependsOn=["B"]),
            create(api, "d", dependsOn=["c"]),
        ]
    )
    assert {name: one["status"] for name, one in answers.items()} == {"a": 201, "b": 400, "c": 424, "d": 424}
    assert len(graph.contacts_of(ada)) == 1


def test_the_outer_prefer_is_not_inherited_unless_switched_on(api, graph, ada):
    item = create(api, "a", headers={"Content-Type": "application/json"})
    outer = {"Prefer": IMMUTABLE}
    shown = api.batch([item], headers=outer)["a"]["body"]["id"]
    assert shown == graph.contacts_of(ada)[0]["defaultId"]
    graph.switch(batch_inherits_prefer=True)
    shown = api.batch([item], headers=outer)["a"]["body"]["id"]
    assert shown == graph.contacts_of(ada)[1]["id"]


def test_an_unordered_batch_runs_four_at_a_time_and_an_ordered_one_serially(api, graph):
    graph.set_speed(10)
    graph.set_latency("graph", item=1)  # 100 ms
    api.batch([create(api, str(number)) for number in range(8)])
    assert 190 < graph.log(kind="batch")[-1]["milliseconds"] < 700  # two waves, not eight items one after another
    api.batch([create(api, str(number), dependsOn=[str(number - 1)] if number else []) for number in range(4)])
    assert graph.log(kind="batch")[-1]["milliseconds"] > 390


def test_items_and_their_batch_stand_in_the_log(api, graph, ada):
    before = graph.log_number()
    api.batch([create(api, "a"), create(api, "b")])
    counts = graph.counts(since=before)["graph"]
    assert (counts["requests"], counts["items"], counts["writes"]) == (1, 2, 2)
    assert counts["kinds"] == {"contacts.create": 2}
    first, second = graph.log(since=before, items=True)
    assert (first["mailbox"], first["batch"]) == (ada, second["batch"])
    assert {first["item"], second["item"]} == {"a", "b"}


# Faults


def test_one_item_can_be_throttled_with_its_own_retry_after(api, graph):
    error = {"error": {"code": "ApplicationThrottled", "message": "Application is over its MailboxConcurrency limit."}}
    graph.add_fault("answer", item=True, method="POST", skip=1, status=429, body=error, headers={"Retry-After": "9"})
    answers = api.batch([create(api, str(number)) for number in range(3)])
    throttled = [one for one in answers.values() if one["status"] == 429]
    assert [one["headers"]["Retry-After"] for one in throttled] == ["9"]


def test_requests_that_a_fault_kept_away_stand_in_the_log_by_kind_and_mailbox(api, graph, ada):
    graph.add_fault("answer", path="/contacts", status=429, item=True)
    fault = graph.add_fault("answer", path="/contacts", status=503, item=False)
    before = graph.log_number()
    api.batch([create(api, "a")])
    api("GET", "/contacts")
    item, _, single = graph.log(since=before)
    assert (item["kind"], item["mailbox"], item["status"]) == ("contacts.create", ada, 429)
    assert (single["kind"], single["mailbox"], single["fault"]) == ("contacts.list", ada, fault)


def test_the_answer_of_a_whole_batch_can_be_lost_after_it_was_done(api, graph, ada):
    graph.add_fault("lost-drop", path="batch")
    with pytest.raises(requests.ConnectionError):
        api.batch([create(api, "a")])
    assert len(graph.contacts_of(ada)) == 1


def test_the_answer_of_an_item_can_be_lost_after_it_was_done(api, graph, ada):
    graph.add_fault("lost-answer", item=True, status=504)
    assert api.batch([create(api, "a")])["a"]["status"] == 504
    assert len(graph.contacts_of(ada)) == 1


def test_the_whole_batch_can_be_refused(api, graph, ada):
    graph.add_fault("answer", path="batch", status=503, headers={"Retry-After": "3"})
    answer = api("POST", f"{api.root}/$batch", {"requests": [create(api, "a")]})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert graph.contacts_of(ada) == []


def test_a_refused_token_refuses_the_whole_batch(api, graph):
    graph.revoke_tokens()
    assert code(api("POST", f"{api.root}/$batch", {"requests": [create(api, "a")]}))[0] == 401
