"""The HTTP client against a function that plays the service; nothing here waits in real time."""

import gzip
import io
import logging
import socket
import threading
import tracemalloc
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from shared.errors import OutcomeUnknown, RetryableError, SettingsError, SyncError, Throttled
from shared.pace import Pace
from shared.transport.authority import TokenUnavailable
from shared.transport.client import Client, Service
from shared.transport.gates import Quota, Rate, Windows
from shared.transport.retry import Lost
from tests.fakes.http_service import OK, ROOT, FakeTime, Tokens, script, setup


def test_an_answer_carries_status_headers_and_parsed_body() -> None:
    answer = setup(script((200, {"ETag": "x"}, {"value": [1]}))).get()
    assert (answer.status, answer.headers["etag"], answer.body) == (200, "x", {"value": [1]})


def test_half_a_character_in_an_answer_is_replaced_and_a_whole_one_stays() -> None:
    body = b'{"a\\uD800": ["\\ud83d\\ude00", "x\\udfffy", "\\\\ud800"]}'
    assert setup(script((200, {}, body))).get().body == {"a?": ["\U0001f600", "x?y", "\\ud800"]}


@pytest.mark.parametrize(
    "body", [b"[" * 1_000_000, b'{"a":' * 200_000, b"9" * 100_000], ids=["lists", "objects", "digits"]
)
def test_an_answer_that_nobody_can_read_is_no_answer(body: bytes) -> None:
    with pytest.raises(RetryableError):
        setup(script(*[(200, {}, body)] * 20)).get()


def test_every_attempt_has_its_own_request_id_and_the_bearer_token() -> None:
    run = setup(script((503, {}, b""), OK))
    run.get(headers={"Prefer": "x"})
    first, second = run.fake.seen
    assert first.headers["client-request-id"] != second.headers["client-request-id"]
    assert first.headers["Authorization"] == "Bearer scope-1"
    assert first.headers["Prefer"] == "x"
    assert first.url == f"{ROOT}/things"
    assert run.pace.requests == {"graph": 2}


def test_a_netrc_file_does_not_replace_the_token(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine service.example login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    run = setup(script(OK))
    run.get()
    assert run.fake.seen[0].headers["Authorization"] == "Bearer scope-1"


def test_a_refused_token_is_replaced_once() -> None:
    refused = (401, {}, {"error": {"code": "InvalidAuthenticationToken"}})
    run = setup(script(refused, OK))
    assert run.get().status == 200
    assert run.fake.seen[1].headers["Authorization"] == "Bearer scope-2"
    again = setup(script(refused, refused))
    assert again.get().status == 401
    assert len(again.fake.seen) == 2


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


class Flaky(Tokens):
    """Has no token for a while."""

    def __init__(self, *failures: TokenUnavailable) -> None:
        super().__init__()
        self.failures = list(failures)

    def token(self, scope: str, *, fresh: bool = False) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return "late"


def test_a_missing_token_is_waited_for_as_the_identity_platform_asks() -> None:
    failures = TokenUnavailable(429, {"Retry-After": "7"}), TokenUnavailable(503), TokenUnavailable(Lost.NO_ANSWER)
    run = setup(script((201, {}, {})), tokens=Flaky(*failures))
    assert run.post().status == 201, "a create, too: nothing was sent before"
    assert run.fake.seen[0].headers["Authorization"] == "Bearer late"
    assert sum(run.time.slept) == pytest.approx(7 * 1.05 + 4 * 0.5 + 8 * 0.5)


def test_what_was_waited_for_a_token_leaves_the_request_its_own_attempts() -> None:
    run = setup(script(*[(502, {}, b"")] * 4, OK), tokens=Flaky(*[TokenUnavailable(502)] * 4))
    assert run.get().status == 200


@pytest.mark.parametrize(("outcome", "most"), [(500, 4), (502, 5), (Lost.NO_ANSWER, 5)])
def test_an_identity_platform_that_stays_broken_ends_the_attempts(outcome: int | Lost, most: int) -> None:
    tokens = Flaky(*[TokenUnavailable(outcome)] * 10)
    run = setup(script(OK), tokens=tokens)
    with pytest.raises(RetryableError, match="identity platform"):
        run.get()
    assert len(tokens.failures) == 10 - most
    assert not run.fake.seen


def test_a_throttled_identity_platform_is_waited_for_as_long_as_there_is_time() -> None:
    assert setup(script(OK), tokens=Flaky(*[TokenUnavailable(429)] * 12)).get().status == 200
    with pytest.raises(Throttled) as caught:
        setup(script(OK), tokens=Flaky(TokenUnavailable(429, {"Retry-After": "900"}))).get()
    assert caught.value.retry_after >= 900


def test_a_success_that_cannot_be_read_is_no_answer() -> None:
    assert setup(script((200, {}, b"<html>"), OK)).get().status == 200
    with pytest.raises(OutcomeUnknown):
        setup(script((200, {}, b"<html>"))).post()


def test_an_empty_or_foreign_error_body_is_tolerated() -> None:
    for body in (b"", b"<html>", [], {"error": "text"}, {"error": {"code": 7}}):
        answer = setup(script((400, {}, body))).get()
        assert (answer.status, answer.error()) == (400, ("", ""))


def test_an_answer_that_is_too_large_is_refused() -> None:
    with pytest.raises(SyncError, match="larger"):
        setup(script((200, {}, b"[" + b" " * 200 + b"]")), most_bytes=100).get()


def test_an_answer_that_unpacks_to_more_than_is_allowed_is_refused_without_being_unpacked_whole() -> None:
    bomb = gzip.compress(b" " * 64 * 1024 * 1024)
    assert len(bomb) < 100_000

    def play(request: requests.PreparedRequest) -> requests.Response:
        packed = urllib3.HTTPResponse(io.BytesIO(bomb), headers={"Content-Encoding": "gzip"}, preload_content=False)
        return HTTPAdapter().build_response(request, packed)

    tracemalloc.start()
    try:
        with pytest.raises(SyncError, match="larger"):
            setup(play, most_bytes=1_000_000).get()
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_an_answer_that_drips_for_ever_ends_with_the_runs_time() -> None:
    def drip(request: requests.PreparedRequest) -> requests.Response:
        response = requests.Response()
        response.status_code, response.raw = 200, Drip()
        return response

    class Drip(io.BytesIO):
        def stream(self, *_: object, **__: object) -> Iterator[bytes]:
            while run.time.now < 100_000:
                run.time.now += 20
                yield b" "

    run = setup(drip, seconds=600.0, read_timeout=120.0)
    start = run.time.now
    with pytest.raises(RetryableError):
        run.get()
    assert run.time.now - start <= 600 + 120 + 20


def test_an_untrusted_certificate_is_a_matter_of_settings() -> None:
    error = requests.exceptions.SSLError("certificate verify failed: CERTIFICATE_VERIFY_FAILED")
    with pytest.raises(SettingsError, match="REQUESTS_CA_BUNDLE"):
        setup(script(error)).get()


def test_redirects_are_not_followed() -> None:
    run = setup(script((302, {"Location": "https://elsewhere.example/"}, b"")))
    assert run.get().status == 302
    assert len(run.fake.seen) == 1


@pytest.mark.parametrize(
    "link",
    [
        "https://service.example/v1.0/things?$skiptoken=a",
        "https://SERVICE.example:443/v1.0/things?$skiptoken=a",
        "HTTPS://service.example/other",
    ],
)
def test_links_to_the_own_host_are_followed(link: str) -> None:
    assert setup(script(OK)).get(link).status == 200


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/things",
        "http://service.example/v1.0/things",
        "https://service.example:444/things",
        "https://service.example@evil.example/things",
        "https://user:x@service.example/things",
        "https://service.example.evil.example/",
        "https://service.example\\@evil.example/",
        "https://[bad/things",
        "https://service.example:port/",
    ],
)
def test_links_elsewhere_never_see_the_token(link: str) -> None:
    run = setup(script(OK))
    with pytest.raises(SyncError, match="another host"):
        run.get(link)
    assert run.fake.seen == []


def test_a_path_cannot_leave_the_host() -> None:
    run = setup(script(OK))
    run.get("//evil.example/things?next=https://evil.example")
    assert str(run.fake.seen[0].url).startswith("https://service.example/")


def test_logs_hold_neither_urls_nor_bodies_nor_tokens(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="shared")
    run = setup(script((503, {}, b""), (200, {"request-id": "r-1"}, {"name": "Zoey"})))
    run.get("things?$filter=email eq 'zoey@x.example'")
    assert "r-1" in caplog.text
    assert "things" in caplog.text
    for secret in ("zoey", "Zoey", "filter", "scope-1", "service.example"):
        assert secret not in caplog.text


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


def test_an_answer_that_the_service_calls_final_is_not_repeated() -> None:
    run = setup(
        script((500, {}, {"error": {"code": "forbidden"}})), is_final=lambda answer: answer.error()[0] == "forbidden"
    )
    assert run.post().status == 500
    assert len(run.fake.seen) == 1


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
