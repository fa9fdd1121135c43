"""The HTTP client keeps to what a service allows: requests at a time, a rate, a quota for each mailbox."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from shared.errors import Throttled
from shared.transport.gates import Quota, Rate, Windows
from tests.fakes.http_service import OK, FakeTime, script, setup


def test_no_more_requests_at_a_time_than_allowed() -> None:
    inside, most = 0, 0
    lock, full, go_on = threading.Lock(), threading.Event(), threading.Event()

    def play(request: requests.PreparedRequest) -> tuple[int, Mapping[str, str], Any]:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
            if inside == 2:
                full.set()
        assert go_on.wait(10)
        with lock:
            inside -= 1
        return OK

    run = setup(play, parallel=2)
    threads = [threading.Thread(target=run.get) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert full.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert most == 2
    assert len(run.fake.seen) == 5


def test_requests_keep_to_the_rate_once_the_burst_is_used() -> None:
    """BC 8.3"""
    run = setup(script(*[OK] * 40), rate=Rate(per_second=2, burst=10))
    for _ in range(40):
        run.get()
    assert sum(run.time.slept) == pytest.approx((39 - 10) / 2)


def test_a_rest_fills_the_burst_again_and_no_more() -> None:
    run = setup(script(*[OK] * 40), seconds=10_000, rate=Rate(per_second=2, burst=10))
    for _ in range(11):
        run.get()
    run.time.now += 3600
    for _ in range(11):
        run.get()
    assert run.time.slept == []
    run.get()
    assert run.time.slept == [0.5]


def test_a_repeated_request_counts_again() -> None:
    run = setup(script((429, {"Retry-After": "0"}, {}), (429, {"Retry-After": "0"}, {}), OK), rate=Rate(1, burst=1))
    run.get()
    assert sum(run.time.slept) == 1


def test_a_turn_that_comes_too_late_is_handed_over_and_costs_nothing() -> None:
    """R32"""
    run = setup(script(OK, OK, OK), seconds=5, rate=Rate(per_second=1, burst=0))
    run.get(cost=10)
    with pytest.raises(Throttled) as caught:
        run.get()
    assert caught.value.retry_after == 10
    assert (run.time.slept, len(run.fake.seen)) == ([], 1)
    run.pace.deadline += 10
    run.get()
    assert sum(run.time.slept) == 10


def test_waiting_for_a_turn_asks_whether_to_keep_going() -> None:
    class Stop(Exception):
        pass

    def keep_going() -> None:
        if run.time.slept:
            raise Stop

    run = setup(script(OK), rate=Rate(per_second=1, burst=0))
    run.get(cost=100)
    run.pace.keep_going = keep_going
    with pytest.raises(Stop):
        run.get()
    assert sum(run.time.slept) <= 2


def test_nobody_comes_over_the_quota_of_a_window() -> None:
    """Graph 8.1"""
    run = setup(script(*[OK] * 40), quota=Quota(10, 60.0))
    asked: list[float] = []
    for _ in range(40):
        run.time.now += 1
        run.get(whose="ada")
        asked.append(run.time.now)
    assert all(later - earlier >= 60 for earlier, later in zip(asked, asked[10:], strict=False))
    assert asked[10] - asked[0] == 60, "no later than it must"


def test_each_has_a_quota_of_its_own_and_the_directory_none() -> None:
    run = setup(script(*[OK] * 50), quota=Quota(10, 60.0))
    for _ in range(10):
        run.get(whose="ada")
        run.get(whose="ben")
        run.get()
    assert run.time.slept == []
    run.get(whose="ben")
    assert sum(run.time.slept) == 60


def test_a_request_counts_for_what_it_costs() -> None:
    run = setup(script(*[OK] * 5), quota=Quota(40, 60.0))
    run.get(whose="ada", cost=20)
    run.time.now += 5
    run.get(whose="ada", cost=20)
    run.get(whose="ada", cost=20)
    assert sum(run.time.slept) == 55
    run.get(whose="ada", cost=20)
    assert sum(run.time.slept) == 60


def test_what_would_come_too_late_takes_nothing_of_the_quota() -> None:
    """R32"""
    run = setup(script(*[OK] * 5), seconds=30, quota=Quota(1, 60.0))
    run.get(whose="ada")
    with pytest.raises(Throttled) as caught:
        run.get(whose="ada")
    assert caught.value.retry_after == 60
    run.time.now += 60
    run.pace.deadline += 60
    run.get(whose="ada")
    assert run.time.slept == []


def test_windows_that_are_over_are_forgotten() -> None:
    time = FakeTime()
    windows = Windows(Quota(10, 60.0), time.clock)
    for number in range(3 * Windows.MANY):
        windows.take(f"mailbox-{number}", 1, most_seconds=1)
        time.now += 1
    assert len(windows._taken) <= Windows.MANY
    assert windows.take(f"mailbox-{3 * Windows.MANY - 1}", 10, most_seconds=100) == pytest.approx(59)
