"""Throttling on the Graph simulator: reference section 8."""

from contextlib import ExitStack
from email.utils import parsedate_to_datetime

import pytest

from dev.simulators.clock import SimClock
from dev.simulators.exchange import Request
from dev.simulators.graph.refusals import Refused
from dev.simulators.graph.switches import Switches
from dev.simulators.graph.throttle import Throttle
from tests.simulators.graph_api import IMMUTABLE, code


def reads(api, number: int) -> list[dict]:
    return [{"id": str(one), "method": "GET", "url": f"/users/{api.user}/contacts"} for one in range(number)]


def test_a_mailbox_over_its_request_limit_is_throttled_until_the_window_has_passed(api, graph):
    graph.set_speed(0)
    graph.switch(limit_requests=3)
    assert [api("GET", "/contacts").status_code for _ in range(3)] == [200, 200, 200]
    answer = api("GET", "/contacts")
    assert code(answer) == (429, "ApplicationThrottled")
    assert answer.json()["error"]["message"] == "Application is over its Request limit."
    assert answer.headers["Retry-After"] == "600"
    graph.advance_clock(601)
    assert api("GET", "/contacts").status_code == 200


def test_items_of_a_batch_count_one_by_one_and_are_throttled_one_by_one(api, graph):
    graph.switch(limit_requests=5)
    answers = api.batch(reads(api, 8)).values()
    assert sorted(one["status"] for one in answers) == [200] * 5 + [429] * 3
    assert all("Retry-After" in one["headers"] for one in answers if one["status"] == 429)


def test_another_mailbox_is_not_affected(api, graph):
    graph.switch(limit_requests=1)
    bob = graph.create_user("bob@contoso.example")
    assert api("GET", "/contacts").status_code == 200
    assert api("GET", "/contacts").status_code == 429
    assert api("GET", f"{api.root}/users/{bob}/contacts").status_code == 200


def test_the_fifth_request_at_a_time_is_one_too_many():
    throttle = Throttle(SimClock(), Switches())
    request = Request("graph", "GET", "/v1.0/users/ada/contacts", "", {})
    with ExitStack() as running:
        for _ in range(4):
            running.enter_context(throttle.admitted("app", "ada", request))
        with pytest.raises(Refused, match="MailboxConcurrency"), throttle.admitted("app", "ada", request):
            pass
        with throttle.admitted("app", "bob", request), throttle.admitted("another app", "ada", request):
            pass
    with throttle.admitted("app", "ada", request):
        pass


def test_concurrency_is_counted_for_the_items_of_a_batch(api, graph):
    graph.switch(limit_concurrent=3)
    graph.set_latency("graph", item=0.05)
    answers = api.batch(reads(api, 8)).values()
    assert sorted(one["status"] for one in answers) == [200] * 6 + [429] * 2
    (message,) = {one["body"]["error"]["message"] for one in answers if one["status"] == 429}
    assert message == "Application is over its MailboxConcurrency limit."


def test_too_much_upload_is_throttled(api, graph):
    graph.switch(limit_upload=1000)
    assert api("POST", "/contacts", {"personalNotes": "x" * 900}).status_code == 201
    assert api("POST", "/contacts", {"personalNotes": "x" * 900}).status_code == 429
    assert api("GET", "/contacts").status_code == 200


@pytest.mark.parametrize("form", ["integer", "fractional", "date", "missing"])
def test_retry_after_comes_in_the_form_that_is_switched_on(api, graph, form):
    graph.switch(limit_requests=1, retry_after=form)
    api("GET", "/contacts")
    found = api("GET", "/contacts").headers.get("Retry-After")
    match form:
        case "integer":
            assert 590 <= int(found) <= 600
        case "fractional":
            assert "." in found
            assert 590 <= float(found) <= 600
        case "date":
            assert parsedate_to_datetime(found).tzinfo is not None
        case "missing":
            assert found is None


def test_a_fast_clock_shortens_the_wait_that_clients_are_told(api, graph):
    graph.set_speed(100)
    graph.switch(limit_requests=1)
    api("GET", "/contacts")
    assert int(api("GET", "/contacts").headers["Retry-After"]) <= 6


def test_limits_can_be_switched_off(api, graph):
    graph.switch(limit_requests=1, throttling=False)
    assert {api("GET", "/contacts", prefer=IMMUTABLE).status_code for _ in range(5)} == {200}
