"""The retry policy as a table."""

from datetime import UTC, datetime

import pytest

from shared.transport.retry import End, Lost, OutOfTime, Wait, next_step, retry_after

GIVE_UP, UNKNOWN = End.GIVE_UP, End.UNKNOWN


def step(
    outcome: int | Lost, *, attempt: int = 1, idempotent: bool = True, left: float = 600.0, after: str = ""
) -> object:
    headers = {"Retry-After": after} if after else {}
    return next_step(outcome, headers, attempt=attempt, idempotent=idempotent, seconds_left=left, jitter=1.0)


@pytest.mark.parametrize(
    ("outcome", "attempt", "repeatable", "create"),
    [
        # not taken by the service: wait, whatever it was
        (429, 1, Wait(2.0), Wait(2.0)),
        (429, 50, Wait(60.0), Wait(60.0)),
        (503, 1, Wait(2.0, fresh_connection=True), Wait(2.0, fresh_connection=True)),
        (509, 1, Wait(2.0), Wait(2.0)),
        (424, 1, Wait(2.0), Wait(2.0)),
        (423, 1, Wait(2.0), Wait(2.0)),
        (Lost.NOT_SENT, 1, Wait(2.0), Wait(2.0)),
        (Lost.NOT_SENT, 5, GIVE_UP, GIVE_UP),
        # nobody knows
        (502, 1, Wait(2.0), UNKNOWN),
        (504, 3, Wait(8.0), UNKNOWN),
        (504, 5, GIVE_UP, UNKNOWN),
        (408, 1, Wait(2.0), UNKNOWN),
        (Lost.NO_ANSWER, 2, Wait(4.0, fresh_connection=True), UNKNOWN),
        (Lost.NO_ANSWER, 5, GIVE_UP, UNKNOWN),
        (500, 1, Wait(2.0), UNKNOWN),
        (500, 3, Wait(8.0), UNKNOWN),
        (500, 4, GIVE_UP, UNKNOWN),
        # an answer
        *(
            (status, 1, GIVE_UP, GIVE_UP)
            for status in (301, 400, 401, 403, 404, 405, 409, 410, 412, 413, 422, 501, 507)
        ),
    ],
)
def test_what_follows_an_outcome(outcome: int | Lost, attempt: int, repeatable: object, create: object) -> None:
    assert step(outcome, attempt=attempt) == repeatable
    assert step(outcome, attempt=attempt, idempotent=False) == create


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("2.128", 2.128),
        ("0", 0.0),
        ("-3", 0.0),
        ("Mon, 02 Feb 2026 10:00:30 GMT", 30.0),
        ("Mon, 02 Feb 2026 09:00:00 GMT", 0.0),
        ("Mon, 02 Feb 2026 12:00:30 +0200", 30.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e300", None),
    ],
)
def test_retry_after_is_read_in_every_form(text: str, seconds: float | None) -> None:
    now = datetime(2026, 2, 2, 10, 0, 0, tzinfo=UTC)
    assert retry_after({"Retry-After": text}, now) == seconds
    assert retry_after({"retry-after": text}, now) == seconds


def test_the_asked_pause_is_kept_and_a_little_spread() -> None:
    assert step(429, after="10") == Wait(11.0)
    assert next_step(429, {"Retry-After": "10"}, attempt=9, idempotent=True, seconds_left=60, jitter=0.0) == Wait(10.0)


def test_an_asked_pause_counts_for_gateway_errors_too() -> None:
    assert step(502, after="20") == Wait(22.0)


def test_a_pause_beyond_the_runs_time_is_not_waited_for() -> None:
    """R32"""
    assert step(429, after="10", left=10.0) == OutOfTime(11.0, throttled=True)
    assert step(Lost.NO_ANSWER, left=1.0) == OutOfTime(2.0, throttled=False)
