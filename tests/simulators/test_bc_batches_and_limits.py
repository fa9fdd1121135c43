"""Business Central's batches, limits and failures (reference 5, 8)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.simulators.bc_client import BcClient, refusal


@pytest.fixture
def bc(simulators):
    simulators.bc.set_speed(0)
    simulators.bc.reset()
    client = BcClient(simulators)
    simulators.bc.reset_log()
    yield client
    client.session.close()
    assert simulators.bc.defects() == []
    simulators.bc.clear_faults()
    simulators.bc.set_latency("bc")
    simulators.bc.set_speed(1)


def posting(bc: BcClient, key: str, name: str) -> dict:
    return {"id": key, "method": "POST", "url": bc.contacts, "headers": {"Content-Type": "application/json"},
            "body": {"type": "Person", "displayName": name}}  # fmt: skip


def statuses(answer: requests.Response) -> list[tuple[str, int]]:
    assert answer.status_code == 200, answer.text
    return [(response["id"], response["status"]) for response in answer.json()["responses"]]


def test_parts_are_answered_by_id_with_their_bodies(bc):
    row = bc.post(type="Person", displayName="Anna Berg").json()
    patch = {"id": "p", "method": "PATCH", "url": f"{bc.contacts}({row['id']})",
             "headers": {"Content-Type": "application/json", "If-Match": row["@odata.etag"]},
             "body": {"city": "Bonn"}}  # fmt: skip
    get = {"id": "g", "method": "GET", "url": f"{bc.contacts}?$filter=city eq 'Bonn'&$select=id",
           "headers": {"Data-Access-Intent": "ReadWrite"}}  # fmt: skip
    delete = {"id": "d", "method": "DELETE", "url": f"{bc.contacts}({row['id']})", "headers": {"If-Match": "*"}}
    answer = bc.batch(patch, get, delete)
    assert statuses(answer) == [("p", 200), ("g", 200), ("d", 204)]
    first, second, third = answer.json()["responses"]
    assert first["headers"]["content-type"].startswith("application/json")
    assert first["body"]["city"] == "Bonn"
    assert [one["id"] for one in second["body"]["value"]] == [row["id"]]
    assert "body" not in third


def test_a_batch_stops_at_the_first_error_unless_told_to_go_on(bc):
    parts = [posting(bc, "1", "Anna"), posting(bc, "2", ""), posting(bc, "3", "Bela")]
    assert statuses(bc.batch(*parts)) == [("1", 201), ("2", 400)]
    goes_on = {"Prefer": "odata.continue-on-error"}
    assert statuses(bc.batch(*parts, headers=goes_on)) == [("1", 201), ("2", 400), ("3", 201)]
    assert sorted(row["displayName"] for row in bc.control.contacts()) == ["Anna", "Anna", "Bela"]


def test_a_snapshot_batch_is_all_or_nothing_and_lies_about_it(bc):
    snapshot = {"Isolation": "snapshot"}
    answer = bc.batch(posting(bc, "1", "Anna"), posting(bc, "2", ""), headers=snapshot)
    assert statuses(answer) == [("1", 201), ("2", 400)]
    assert bc.control.contacts() == []
    assert bc.send("GET", f"{bc.contacts}({answer.json()['responses'][0]['body']['id']})").status_code == 404
    assert statuses(bc.batch(posting(bc, "1", "Anna"), posting(bc, "2", "Bela"), headers=snapshot))[1] == ("2", 201)
    assert len(bc.control.contacts()) == 2


def test_a_hundred_parts_are_the_most(bc):
    part = {"method": "GET", "url": f"{bc.contacts}?$top=1"}
    answer = bc.batch(*[part] * 100)
    assert len(answer.json()["responses"]) == 100
    assert answer.json()["responses"][0]["id"] is None
    refused = bc.batch(*[part] * 101)
    assert refusal(refused) == (500, "Unknown")
    assert "too many parts" in refused.json()["error"]["message"]


@pytest.mark.parametrize("body", [{}, {"requests": 5}, {"requests": [{"method": "GET"}]}, [], {"requests": ["x"]}])
def test_what_is_no_batch_is_refused_whole(bc, body):
    assert refusal(bc.send("POST", "$batch", body)) == (400, "BadRequest")


def test_urls_of_parts_are_relative_to_the_batch(bc):
    goes_on = {"Prefer": "odata.continue-on-error"}
    answer = bc.batch(
        {"id": "slash", "method": "GET", "url": f"/{bc.contacts}"},
        {"id": "header", "method": "GET", "url": "contacts", "headers": {"Company": bc.company}},
        {"id": "batch", "method": "POST", "url": "$batch", "body": {"requests": []}},
        headers=goes_on,
    )
    assert statuses(answer) == [("slash", 404), ("header", 200), ("batch", 400)]


def test_parts_read_the_replica_unless_they_say_otherwise_themselves(bc):
    bc.control.create_contact(displayName="Anna Berg")
    part = {"id": "1", "method": "GET", "url": bc.contacts}
    intent = {"Data-Access-Intent": "ReadWrite"}
    assert bc.batch(part, headers=intent).json()["responses"][0]["body"]["value"] == []
    assert len(bc.batch({**part, "headers": intent}).json()["responses"][0]["body"]["value"]) == 1
    bc.control.switch(batch_inherits_intent=True)
    assert len(bc.batch(part, headers=intent).json()["responses"][0]["body"]["value"]) == 1


def test_the_log_counts_batches_and_their_parts(bc):
    bc.batch(posting(bc, "1", "Anna"), posting(bc, "2", "Bela"))
    counts = bc.control.counts()["bc"]
    assert (counts["requests"], counts["items"], counts["kinds"]) == (1, 2, {"create contact": 2})


# Limits


def test_the_rate_is_a_sliding_window_and_parts_count(bc):
    bc.control.set_limits(rate=4)
    part = {"method": "GET", "url": f"{bc.contacts}?$top=1"}
    assert [one["status"] for one in bc.batch(*[part] * 4).json()["responses"]] == [200, 200, 200, 429]
    refused = bc.send("GET", bc.contacts)
    assert refusal(refused) == (429, "Application_TooManyRequests")
    assert "Retry-After" not in refused.headers
    bc.control.switch(retry_after_on_429=True)
    assert bc.send("GET", bc.contacts).headers["Retry-After"] == "300"
    bc.control.advance_clock(301)
    assert bc.send("GET", bc.contacts).status_code == 200


def test_parts_count_only_where_that_is_switched_on(bc):
    bc.control.set_limits(rate=2)
    bc.control.switch(batch_parts_count=False)
    assert len(bc.batch(*[{"method": "GET", "url": f"{bc.contacts}?$top=1"}] * 50).json()["responses"]) == 50


def test_more_than_five_at_once_wait_and_more_than_the_queue_are_refused(bc):
    bc.control.set_limits(queue=3)
    bc.control.set_speed(1)
    bc.control.set_latency("bc", request=0.3)
    with ThreadPoolExecutor(12) as pool:
        # A connection of its own for each, so that they really run at once
        sent = {"headers": dict(bc.session.headers), "verify": bc.session.verify, "timeout": 9}
        asked = [pool.submit(requests.get, f"{bc.base}/companies", **sent) for _ in range(12)]
        answers = [one.result() for one in asked]
    assert sorted(answer.status_code for answer in answers) == [200] * 8 + [429] * 4
    assert bc.control.set_limits() == {"most_running": 5, "most_waiting": 3}


def test_limits_can_be_off(bc):
    bc.control.set_limits(enabled=False, rate=1)
    assert [bc.send("GET", "companies").status_code for _ in range(5)] == [200] * 5


# Failures


@pytest.mark.parametrize(
    ("status", "headers"), [(408, {}), (502, {"Retry-After": "2"}), (503, {"Retry-After": "2"}), (504, {})]
)
def test_gateways_fail_as_told(bc, status, headers):
    bc.control.add_fault("answer", service="bc", status=status, body="<html>gateway</html>", headers=headers)
    answer = bc.send("GET", "companies")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, headers.get("Retry-After"))
    assert bc.send("GET", "companies").status_code == 200


def test_a_connection_may_drop_after_a_post_is_committed(bc):
    bc.control.add_fault("lost-drop", service="bc", method="POST")
    with pytest.raises(requests.ConnectionError):
        bc.post(type="Person", displayName="Anna Berg")
    assert [row["displayName"] for row in bc.control.contacts()] == ["Anna Berg"]


def test_a_dropped_snapshot_batch_leaves_nothing(bc):
    bc.control.add_fault("drop", service="bc", item=True, skip=1)
    with pytest.raises(requests.ConnectionError):
        bc.batch(posting(bc, "1", "Anna"), posting(bc, "2", "Bela"), headers={"Isolation": "snapshot"})
    assert bc.control.contacts() == []


def test_twenty_thousand_contacts_are_one_page_in_well_under_a_second(bc):
    assert bc.control.seed(count=20_001) == 20_001
    bc.page(top="1")
    bc.control.reset_log()
    page = bc.page(select="id,lastModifiedDateTime")
    assert len(page["value"]) == 20_000
    assert "@odata.nextLink" in page
    assert bc.control.log(service="bc", kind="list contacts")[0]["milliseconds"] < 1000
