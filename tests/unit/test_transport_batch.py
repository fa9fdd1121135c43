"""Batches against a service that answers part by part."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import requests

from shared.errors import RetryableError, Throttled
from shared.transport.batch import MOST_BYTES, Batches, BatchRefused, Part, Unanswered
from shared.transport.gates import Rate
from tests.fakes.http_service import Setup, setup

Item = dict[str, Any]
Reaction = Callable[[Item, int], tuple[int, Mapping[str, str], Any] | None]


class Rehearsed:
    """Plays `$batch`: calls `react(part, time it is seen)` for each part; None leaves the part out."""

    def __init__(self, react: Reaction) -> None:
        self.react = react
        self.batches: list[list[Item]] = []
        self.times: dict[str, int] = {}

    def __call__(self, request: requests.PreparedRequest) -> tuple[int, Mapping[str, str], Any]:
        items = json.loads(request.body or b"")["requests"]
        self.batches.append(items)
        responses = []
        for item in reversed(items):  # services answer in any order
            self.times[item["url"]] = self.times.get(item["url"], 0) + 1
            reaction = self.react(item, self.times[item["url"]])
            if reaction is not None:
                status, headers, body = reaction
                responses.append({"id": item["id"], "status": status, "headers": headers, "body": body})
        return 200, {}, {"responses": responses}

    def urls(self) -> list[list[str]]:
        return [[item["url"] for item in items] for items in self.batches]


def fine(item: Item, time: int) -> tuple[int, Mapping[str, str], Any]:
    return 200, {}, {"url": item["url"]}


def batches(play: Any, *, most: int = 20, ordered: bool = False, **options: Any) -> tuple[Batches, Setup]:
    run = setup(play, jitter=0.0, **options)
    return Batches(run.client, run.pace, most=most, ordered=ordered), run


def gets(*urls: str) -> list[Part]:
    return [Part("GET", url) for url in urls]


def create(url: str) -> Part:
    return Part("POST", url, body={"name": "x"}, idempotent=False)


def statuses(answers: list[Any]) -> list[Any]:
    return [each if isinstance(each, Unanswered) else each.status for each in answers]


def test_answers_come_in_the_order_asked_over_several_batches() -> None:
    play = Rehearsed(fine)
    runner, run = batches(play, most=3)
    answers = runner.run(gets(*"abcdefgh"), what="things")
    assert [answer.body["url"] for answer in answers if not isinstance(answer, Unanswered)] == list("abcdefgh")
    assert [len(each) for each in play.batches] == [3, 3, 2]
    assert run.pace.requests == {"graph": 3}


def test_no_parts_no_request() -> None:
    runner, run = batches(Rehearsed(fine))
    assert runner.run([], what="things") == []
    assert run.fake.seen == []


def test_a_part_with_a_body_says_what_it_is() -> None:
    play = Rehearsed(fine)
    batches(play)[0].run([create("a"), Part("GET", "b")], what="things")
    assert play.batches[0][0] == {
        "id": "0",
        "method": "POST",
        "url": "a",
        "headers": {"Content-Type": "application/json"},
        "body": {"name": "x"},
    }
    assert play.batches[0][1] == {"id": "1", "method": "GET", "url": "b"}


def test_ids_are_matched_without_case_and_the_first_of_two_counts() -> None:
    def play(request: requests.PreparedRequest) -> tuple[int, Mapping[str, str], Any]:
        return 200, {}, {"responses": [{"id": 0, "status": 200}, {"id": "0", "status": 404}, "rubbish", {"id": "0"}]}

    assert statuses(batches(play)[0].run(gets("a"), what="things")) == [200]


def test_only_throttled_parts_are_repeated_after_the_longest_pause_asked() -> None:
    pauses = {"b": "3", "d": "9"}

    def react(item: Item, time: int) -> tuple[int, Mapping[str, str], Any]:
        if item["url"] in pauses and time == 1:
            return (
                429,
                {"Retry-After": pauses[item["url"]]},
                {"error": {"code": "ApplicationThrottled", "message": "x"}},
            )
        return fine(item, time)

    play = Rehearsed(react)
    runner, run = batches(play, most=4)
    assert statuses(runner.run(gets(*"abcdef"), what="things")) == [200] * 6
    assert play.urls() == [list("abcd"), list("bdef")]
    assert sum(run.time.slept) == 9


def test_a_failed_part_does_not_touch_the_others() -> None:
    play = Rehearsed(lambda item, time: (404, {}, None) if item["url"] == "b" else fine(item, time))
    assert statuses(batches(play)[0].run(gets(*"abc"), what="things")) == [200, 404, 200]
    assert len(play.batches) == 1


def test_a_create_without_an_answer_of_its_own_is_unknown_and_never_repeated() -> None:
    """R9"""
    play = Rehearsed(lambda item, time: None if time == 1 else fine(item, time))
    answers = batches(play)[0].run([create("a"), *gets("b")], what="things")
    assert statuses(answers) == [Unanswered.UNKNOWN, 200]
    assert play.urls() == [["a", "b"], ["b"]]


@pytest.mark.parametrize("status", [502, 504, 500])
def test_a_create_inside_a_batch_with_a_gateway_error_is_unknown(status: int) -> None:
    play = Rehearsed(lambda item, time: (status, {}, None) if time == 1 else fine(item, time))
    assert statuses(batches(play)[0].run([create("a"), *gets("b")], what="things")) == [Unanswered.UNKNOWN, 200]


@pytest.mark.parametrize(
    "loss", [requests.ConnectionError("reset"), (504, {}, b""), (500, {}, b""), (200, {}, b"<html>")]
)
def test_a_whole_batch_without_an_answer_leaves_creates_unknown_and_repeats_the_rest(loss: Any) -> None:
    inner = Rehearsed(fine)
    seen = 0

    def play(request: requests.PreparedRequest) -> tuple[int, Mapping[str, str], Any]:
        nonlocal seen
        seen += 1
        if seen == 1:
            if isinstance(loss, Exception):
                raise loss
            return loss  # type: ignore[no-any-return]
        return inner(request)

    assert statuses(batches(play)[0].run([create("a"), *gets("b")], what="things")) == [Unanswered.UNKNOWN, 200]
    assert inner.urls() == [["b"]]


def test_a_throttled_batch_is_repeated_whole_creates_too() -> None:
    inner = Rehearsed(fine)
    answers = iter([(429, {"Retry-After": "1"}, b""), (503, {}, b"")])

    def play(request: requests.PreparedRequest) -> tuple[int, Mapping[str, str], Any]:
        return next(answers, None) or inner(request)

    assert statuses(batches(play)[0].run([create("a")], what="things")) == [200]


def test_what_the_time_did_not_suffice_for_is_not_done_and_the_rest_is_kept() -> None:
    """R32"""
    play = Rehearsed(lambda item, time: (429, {"Retry-After": "900"}, None) if item["url"] == "b" else fine(item, time))
    assert statuses(batches(play, most=2)[0].run(gets(*"abc"), what="things")) == [
        200,
        Unanswered.NOT_DONE,
        Unanswered.NOT_DONE,
    ]


def test_when_nothing_was_done_the_pause_is_raised() -> None:
    """R32"""
    play = Rehearsed(lambda item, time: (429, {"Retry-After": "900"}, None))
    with pytest.raises(Throttled) as caught:
        batches(play)[0].run(gets(*"abc"), what="things")
    assert caught.value.retry_after == 900
    with pytest.raises(RetryableError):
        batches(play, seconds=0)[0].run(gets("a"), what="things")


def test_a_refused_batch_says_nothing_about_its_parts() -> None:
    """R25"""
    with pytest.raises(BatchRefused) as caught:
        batches(lambda request: (404, {}, {"error": {"code": "x"}}))[0].run(gets("a"), what="things")
    assert caught.value.answer.status == 404


def test_a_token_that_ends_inside_a_batch_is_renewed_once() -> None:
    play = Rehearsed(lambda item, time: (401, {}, None) if item["url"] == "b" and time == 1 else fine(item, time))
    runner, run = batches(play)
    assert statuses(runner.run(gets(*"abc"), what="things")) == [200, 200, 200]
    assert [request.headers["Authorization"] for request in run.fake.seen] == ["Bearer scope-1", "Bearer scope-2"]
    refused = Rehearsed(lambda item, time: (401, {}, None))
    assert statuses(batches(refused)[0].run(gets(*"ab"), what="things")) == [401, 401]
    assert len(refused.batches) == 2


def test_a_mailbox_over_its_concurrency_limit_gets_ordered_batches_from_then_on() -> None:
    crowded = {
        "error": {"code": "ApplicationThrottled", "message": "Application is over its MailboxConcurrency limit."}
    }
    play = Rehearsed(
        lambda item, time: (
            (429, {"Retry-After": "1"}, crowded) if item["url"] == "c" and time == 1 else fine(item, time)
        )
    )
    runner, _ = batches(play, most=3)
    assert statuses(runner.run(gets(*"abcdef"), what="things")) == [200] * 6
    assert [[part.get("dependsOn") for part in batch] for batch in play.batches] == [
        [None, None, None],
        [None, ["0"], ["1"]],
        [None],
    ]
    assert runner.ordered


def test_in_order_a_failure_does_not_carry_over_to_what_depended_on_it() -> None:
    def play(request: requests.PreparedRequest) -> tuple[int, Mapping[str, str], Any]:
        items = json.loads(request.body or b"")["requests"]
        seen.append([item["url"] for item in items])
        failed, responses = False, []
        for item in items:
            status = 424 if failed else 404 if item["url"] == "b" else 200
            failed = failed or status != 200
            responses.append({"id": item["id"], "status": status, "body": None})
        return 200, {}, {"responses": responses}

    seen: list[list[str]] = []
    runner, run = batches(play, ordered=True)
    assert statuses(runner.run([*gets("a", "b"), create("c"), *gets("d")], what="things")) == [200, 404, 200, 200]
    assert seen == [list("abcd"), list("cd")]
    assert run.time.slept == []


def test_unordered_parts_that_depended_on_throttled_ones_are_repeated() -> None:
    play = Rehearsed(lambda item, time: (424, {}, None) if time == 1 else fine(item, time))
    assert statuses(batches(play)[0].run([create("a"), *gets("b")], what="things")) == [200, 200]


def test_a_batch_stays_below_the_size_limit() -> None:
    play = Rehearsed(fine)
    parts = [Part("PATCH", str(number), body={"notes": "x" * 300_000}) for number in range(5)]
    batches(play)[0].run(parts, what="things")
    assert [len(batch) for batch in play.batches] == [2, 2, 1]
    assert all(len(json.dumps(batch)) < MOST_BYTES for batch in play.batches)
    play.batches.clear()
    batches(play)[0].run([Part("PATCH", "a", body={"notes": "x" * 2_000_000})], what="things")
    assert len(play.batches) == 1


def test_answers_that_a_service_calls_final_are_not_repeated() -> None:
    play = Rehearsed(lambda item, time: (500, {}, {"error": {"code": "forbidden", "message": ""}}))
    runner, _ = batches(play, is_final=lambda answer: answer.error()[0] == "forbidden")
    assert statuses(runner.run([create("a")], what="things")) == [500]


def test_parts_that_never_had_their_turn_keep_all_their_attempts() -> None:
    def play(request: requests.PreparedRequest) -> tuple[int, Mapping[str, str], Any]:
        items = json.loads(request.body or b"")["requests"]
        seen.append([item["url"] for item in items])
        first = 200 if len(items) == 1 and len(seen) > 6 else 500 if len(items) == 1 else 404
        return (
            200,
            {},
            {"responses": [{"id": item["id"], "status": 424 if n else first} for n, item in enumerate(items)]},
        )

    seen: list[list[str]] = []
    answers = batches(play, ordered=True)[0].run(gets(*"abcde"), what="things")
    assert statuses(answers) == [404, 404, 404, 404, 200]
    assert len(seen) == 7


def test_each_part_counts_against_the_rate() -> None:
    """BC 5: it is not said whether they do, so they are taken to"""
    rehearsed = Rehearsed(fine)
    asked, run = batches(rehearsed, rate=Rate(per_second=10, burst=0))
    asked.run(gets(*(str(number) for number in range(60))), what="x")
    assert [len(each) for each in rehearsed.batches] == [20, 20, 20]
    assert sum(run.time.slept) == pytest.approx(4)
