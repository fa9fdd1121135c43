"""The HTTP client's tokens: each request carries one, and a missing one is waited for."""

from typing import Any

import pytest

from shared.errors import RetryableError, Throttled
from shared.transport.authority import TokenUnavailable
from shared.transport.retry import Lost
from tests.fakes.http_service import OK, ROOT, Tokens, script, setup


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
