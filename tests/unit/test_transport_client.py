"""The HTTP client's answers and attempts, against a function that plays the service: what is repeated, and how long
it waits. Nothing here waits in real time."""

import socket
from typing import Any

import pytest
import requests

from shared.errors import OutcomeUnknown, RetryableError, Throttled
from shared.pace import Pace
from shared.transport.client import Client, Service
from tests.fakes.http_service import OK, FakeTime, Tokens, script, setup


def test_an_answer_carries_status_headers_and_parsed_body() -> None:
    answer = setup(script((200, {"ETag": "x"}, {"value": [1]}))).get()
    assert (answer.status, answer.headers["etag"], answer.body) == (200, "x", {"value": [1]})


def test_half_a_character_in_an_answer_is_replaced_and_a_whole_one_stays() -> None:
    body = b'{"a\\uD800": ["\\ud83d\\ude00", "x\\udfffy", "\\\\ud800"]}'
    assert setup(script((200, {}, body))).get().body == {"a?": ["\U0001f600", "x?y", "\\ud800"]}


def test_after_503_the_connection_is_new_and_the_wait_is_what_was_asked() -> None:
    run = setup(script((503, {"Retry-After": "7"}, b"<html>"), OK), jitter=0.0)
    assert run.get().status == 200
    assert sum(run.time.slept) == 7
    assert run.fake.closed == 1


def test_a_pause_longer_than_the_run_has_is_handed_over() -> None:
    run = setup(script((429, {"Retry-After": "700"}, {})))
    with pytest.raises(Throttled) as caught:
        run.get()
    assert caught.value.retry_after >= 700
    assert run.time.slept == []


def test_throttling_does_not_end_before_the_time_does() -> None:
    """R32"""
    run = setup(script(*[(429, {"Retry-After": "5"}, {})] * 40, OK))
    assert run.get().status == 200


def test_waiting_asks_whether_to_keep_going() -> None:
    class Stop(Exception):
        pass

    asked: list[float] = []
    run = setup(script((429, {"Retry-After": "100"}, {})))

    def keep_going() -> None:
        asked.append(run.time.now)
        if len(asked) > 4:
            raise Stop

    run.pace.keep_going = keep_going
    with pytest.raises(Stop):
        run.get()
    assert sum(run.time.slept) < 10


def test_nothing_is_sent_when_the_time_is_over() -> None:
    run = setup(script(), seconds=0)
    with pytest.raises(RetryableError):
        run.get()
    assert run.fake.seen == []


@pytest.mark.parametrize(
    "loss", [requests.ConnectionError("reset"), requests.ReadTimeout(), (502, {}, b""), (504, {}, b"")]
)
def test_a_create_without_an_answer_is_not_repeated(loss: Any) -> None:
    """R9"""
    run = setup(script(loss))
    with pytest.raises(OutcomeUnknown):
        run.post()
    assert len(run.fake.seen) == 1


@pytest.mark.parametrize(
    "loss", [requests.ConnectionError("reset"), requests.ReadTimeout(), (502, {}, b""), (504, {}, b"")]
)
def test_a_read_without_an_answer_is_repeated(loss: Any) -> None:
    assert setup(script(loss, loss, OK)).get().status == 200
    with pytest.raises(RetryableError):
        setup(script(*[loss] * 5)).get()


def test_a_create_that_was_never_sent_is_repeated() -> None:
    run = setup(script(requests.ConnectTimeout(), (201, {}, {})))
    assert run.post().status == 201


def test_a_refused_connection_sent_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    time = FakeTime()
    service = Service("graph", f"https://127.0.0.1:{port}", "scope")
    client = Client(service, Tokens(), clock=time.clock, sleep=time.sleep, jitter=lambda: 0.5)
    pace = Pace(deadline=time.now + 600)
    with pytest.raises(RetryableError):
        client.request("POST", "things", pace=pace, what="things", json={})
    assert pace.requests == {"graph": 5}


def test_a_success_that_cannot_be_read_is_no_answer() -> None:
    assert setup(script((200, {}, b"<html>"), OK)).get().status == 200
    with pytest.raises(OutcomeUnknown):
        setup(script((200, {}, b"<html>"))).post()


def test_an_empty_or_foreign_error_body_is_tolerated() -> None:
    for body in (b"", b"<html>", [], {"error": "text"}, {"error": {"code": 7}}):
        answer = setup(script((400, {}, body))).get()
        assert (answer.status, answer.error()) == (400, ("", ""))


def test_an_answer_that_the_service_calls_final_is_not_repeated() -> None:
    run = setup(
        script((500, {}, {"error": {"code": "forbidden"}})), is_final=lambda answer: answer.error()[0] == "forbidden"
    )
    assert run.post().status == 500
    assert len(run.fake.seen) == 1
