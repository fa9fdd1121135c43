"""What a service cannot make the HTTP client do: take in too much, send a token elsewhere, tell secrets to the log."""

import gzip
import io
import logging
import tracemalloc
from collections.abc import Iterator

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from shared.errors import RetryableError, SettingsError, SyncError
from tests.fakes.http_service import OK, script, setup


@pytest.mark.parametrize(
    "body", [b"[" * 1_000_000, b'{"a":' * 200_000, b"9" * 100_000], ids=["lists", "objects", "digits"]
)
def test_an_answer_that_nobody_can_read_is_no_answer(body: bytes) -> None:
    with pytest.raises(RetryableError):
        setup(script(*[(200, {}, body)] * 20)).get()


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
