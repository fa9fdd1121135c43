"""R29: plain requests of one profile become one that does what each of them wanted."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.engine.model import WAKE_AGAIN, Mode, RunRequest, Trigger, merged, must_wake

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def request(trigger: Trigger = Trigger.TIMER, at: datetime = T0, **more: object) -> RunRequest:
    return RunRequest(f"run-{at:%M%S}-{trigger}", "c", "ada", "m", Mode.INCREMENTAL, trigger, at, **more)  # type: ignore[arg-type]


OUTLOOK = {"fresh_feed": False}
BC = {"reads_folder": False, "fresh_feed": False}


@pytest.mark.parametrize(
    ("waiting", "news", "folder", "bc"),
    [
        (BC, BC, False, False),
        (OUTLOOK, OUTLOOK, True, False),
        (BC, OUTLOOK, True, False),
        (OUTLOOK, BC, True, False),
        ({}, BC, True, True),
        (OUTLOOK, {}, True, True),
    ],
)
def test_what_either_would_read_is_read(
    waiting: dict[str, object], news: dict[str, object], folder: bool, bc: bool
) -> None:
    both = merged(request(**waiting), request(at=T0 + SECOND, **news))
    assert (both.reads_folder, both.fresh_feed) == (folder, bc)


def test_news_of_outlook_do_not_make_the_company_be_read_again() -> None:
    both = merged(request(), request(Trigger.GRAPH, T0 + SECOND, **OUTLOOK))
    assert both.requested_at == T0


def test_a_later_request_that_reads_the_company_is_served_with_what_was_there_then() -> None:
    both = merged(request(Trigger.GRAPH, **OUTLOOK), request(Trigger.HTTP, T0 + SECOND))
    assert (both.requested_at, both.trigger) == (T0 + SECOND, Trigger.HTTP)


def test_a_burst_needs_one_message() -> None:
    first = request(Trigger.GRAPH)
    assert must_wake(first, first)
    waiting = first
    for number in range(1, 50):
        again = request(Trigger.GRAPH, T0 + number * SECOND)
        waiting = merged(waiting, again)
        assert not must_wake(again, waiting)


def test_a_message_that_woke_nobody_is_sent_again_and_only_once() -> None:
    waiting, late = request(Trigger.GRAPH), T0 + WAKE_AGAIN + SECOND
    again = request(Trigger.GRAPH, late)
    waiting = merged(waiting, again)
    assert must_wake(again, waiting)
    once_more = request(Trigger.GRAPH, late + SECOND)
    assert not must_wake(once_more, merged(waiting, once_more))
