"""Tokens: cached, renewed in time, and refused with a sentence that says what to do."""

import linecache
import sys
import threading
from typing import Any, ClassVar

import jwt
import msal
import pytest

from shared.errors import SettingsError
from shared.transport.auth import Assertion, Certificate, Credential, MsalTokens, Secret, roles_of
from shared.transport.authority import TokenUnavailable
from shared.transport.retry import Lost
from tests.fakes.http_service import FakeTime


class FakeApp:
    """Plays MSAL's application."""

    made: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, client_id: str, **options: Any) -> None:
        self.made.append({"client_id": client_id, **options})

    def remove_tokens_for_client(self) -> None:
        pass

    def acquire_token_for_client(self, scopes: list[str]) -> Any:
        return self.answer(scopes[0])

    answer: Any = None


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> type[FakeApp]:
    FakeApp.made = []
    monkeypatch.setattr(msal, "ConfidentialClientApplication", FakeApp)
    return FakeApp


def tokens(
    time: FakeTime | None = None, credential: Credential | None = None, host: str = "https://127.0.0.1:1"
) -> MsalTokens:
    return MsalTokens(
        authority_host=host,
        tenant="t",
        client_id="c",
        credential=credential or Secret("s3cret"),
        clock=(time or FakeTime()).clock,
    )


def numbered(app: type[FakeApp], seconds: float = 3599) -> list[str]:
    """Lets the app hand out numbered tokens; the list shows what was asked for."""
    asked: list[str] = []

    def answer(self: FakeApp, scope: str) -> Any:
        asked.append(scope)
        return {"access_token": f"{scope}#{len(asked)}", "expires_in": seconds}

    app.answer = answer
    return asked


def test_a_token_is_kept_per_scope_until_five_minutes_before_its_end(app: type[FakeApp]) -> None:
    time = FakeTime()
    asked, source = numbered(app), tokens(time)
    assert [source.token("a"), source.token("a"), source.token("b")] == ["a#1", "a#1", "b#2"]
    time.now += 3599 - 301
    assert source.token("a") == "a#1"
    time.now += 2
    assert source.token("a") == "a#3"
    assert asked == ["a", "b", "a"]


def test_a_short_token_is_used_for_half_its_life(app: type[FakeApp]) -> None:
    time = FakeTime()
    numbered(app, seconds=60)
    source = tokens(time)
    assert source.token("a") == "a#1"
    time.now += 29
    assert source.token("a") == "a#1"
    time.now += 2
    assert source.token("a") == "a#2"


def test_a_refused_token_is_replaced(app: type[FakeApp]) -> None:
    numbered(app)
    source = tokens()
    assert source.token("a") == "a#1"
    assert source.token("a", fresh=True) == "a#2"
    assert source.token("a") == "a#2"


def test_many_threads_ask_once(app: type[FakeApp]) -> None:
    asked, source = numbered(app), tokens()
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait(10)
        source.token("a")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert asked == ["a"]


def test_a_custom_authority_is_not_looked_up_elsewhere(app: type[FakeApp]) -> None:
    numbered(app)
    tokens().token("a")
    tokens(host="https://login.microsoftonline.com/").token("a")
    own, known = app.made
    assert (own["authority"], own["instance_discovery"]) == ("https://127.0.0.1:1/t", False)
    assert (known["authority"], known["instance_discovery"]) == ("https://login.microsoftonline.com/t", None)


def test_each_kind_of_credential_reaches_msal(app: type[FakeApp]) -> None:
    numbered(app)

    def fetch() -> str:
        return "assertion"

    key = "-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----"
    leaf, issuer = (f"-----BEGIN CERTIFICATE-----\n{each}\n-----END CERTIFICATE-----" for each in "BC")
    for credential in (Secret("x"), Certificate(f"{leaf}\n{issuer}\n{key}\n"), Assertion(fetch)):
        tokens(credential=credential).token("a")
    assert [each["client_credential"] for each in app.made] == [
        "x",
        {"private_key": key, "public_certificate": leaf},
        {"client_assertion": fetch},
    ]


@pytest.mark.parametrize(
    ("number", "advice"), [(7000222, "expired"), (7000215, "wrong"), (700016, "client id"), (1, "check client id")]
)
def test_a_refusal_says_what_to_do_and_never_the_secret(app: type[FakeApp], number: int, advice: str) -> None:
    app.answer = lambda self, scope: {
        "error": "invalid_client",
        "error_codes": [number],
        "error_description": "AADSTS: s3cret",
    }
    with pytest.raises(SettingsError, match=advice) as caught:
        tokens().token("a")
    assert f"AADSTS{number}" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_broken_credential_is_a_matter_of_settings(app: type[FakeApp]) -> None:
    def answer(self: FakeApp, scope: str) -> Any:
        raise ValueError("s3cret in a broken PEM")

    app.answer = answer
    with pytest.raises(SettingsError) as caught:
        tokens().token("a")
    assert "s3cret" not in str(caught.value)


# ---------------------------------------------------------------- a platform that has no token at the moment


class FailingApp(FakeApp):
    """MSAL's application while the platform fails, in a way that the test decides."""

    failures: ClassVar[list[TokenUnavailable]] = []
    asked: ClassVar[list[str]] = []

    def answer(self, scope: str) -> Any:  # type: ignore[override]
        self.asked.append(scope)
        if self.failures:
            raise self.failures.pop(0)
        return {"access_token": "t", "expires_in": 3599}


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> type[FailingApp]:
    FailingApp.failures, FailingApp.asked = [], []
    monkeypatch.setattr(msal, "ConfidentialClientApplication", FailingApp)
    return FailingApp


def test_nobody_asks_before_the_time_that_the_platform_named(failing: type[FailingApp]) -> None:
    failing.failures.append(TokenUnavailable(429, {"Retry-After": "60"}))
    time = FakeTime()
    source = tokens(time)
    for passed, left in ((0, "60"), (20, "40.0")):
        time.now += passed
        with pytest.raises(TokenUnavailable) as caught:
            source.token("a")
        assert (caught.value.outcome, caught.value.headers["Retry-After"]) == (429, left)
    assert source.token("b") == "t", "another scope is another matter"
    time.now += 41
    assert source.token("a") == "t"
    assert failing.asked == ["a", "b", "a"]


def test_a_time_beyond_reason_is_not_kept_for_ever(failing: type[FailingApp]) -> None:
    failing.failures.append(TokenUnavailable(429, {"Retry-After": "1000000"}))
    time = FakeTime()
    source = tokens(time)
    with pytest.raises(TokenUnavailable):
        source.token("a")
    time.now += 3601
    assert source.token("a") == "t"


def test_threads_that_wait_for_a_token_share_the_failure(failing: type[FailingApp], monkeypatch: Any) -> None:
    asking, over = threading.Event(), threading.Event()

    def answer(self: FailingApp, scope: str) -> Any:
        self.asked.append(scope)
        asking.set()
        assert over.wait(10)
        time.now += 30  # the platform said nothing for so long
        raise TokenUnavailable

    monkeypatch.setattr(failing, "answer", answer)
    time = FakeTime()
    source, outcomes = tokens(time), []

    def ask() -> None:
        try:
            source.token("a")
        except TokenUnavailable as error:
            outcomes.append(error.outcome)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    threads[0].start()
    assert asking.wait(10)
    for thread in threads[1:]:
        thread.start()
    while sum("lock" in line for line in waiting_at(threads)) < 3:
        pass
    over.set()
    for thread in threads:
        thread.join(10)
    assert outcomes == [Lost.NO_ANSWER] * 4
    assert failing.asked == ["a"]


def waiting_at(threads: list[threading.Thread]) -> list[str]:
    """The line at which each thread is."""
    frames = sys._current_frames()
    found = [frames.get(each.ident or 0) for each in threads]
    return [linecache.getline(each.f_code.co_filename, each.f_lineno) for each in found if each]


@pytest.mark.parametrize("pem", ["", "rubbish", "-----BEGIN CERTIFICATE-----\nB\n-----END CERTIFICATE-----"])
def test_a_certificate_without_its_key_is_a_matter_of_settings(app: type[FakeApp], pem: str) -> None:
    numbered(app)
    with pytest.raises(SettingsError, match="certificate"):
        tokens(credential=Certificate(pem)).token("a")


def test_a_busy_platform_is_retried(app: type[FakeApp]) -> None:
    app.answer = lambda self, scope: {"error": "temporarily_unavailable"}
    with pytest.raises(TokenUnavailable):
        tokens().token("a")


def test_credentials_do_not_show_their_secret() -> None:
    assert "x1" not in repr(Secret("x1")) + repr(Certificate("x1"))


def jwt_of(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "a key that nobody checks, long enough", algorithm="HS256")


def test_a_token_shows_its_permissions() -> None:
    assert roles_of(jwt_of({"aud": "a", "roles": ["Contacts.Read", "User.Read.All"]})) == {
        "Contacts.Read",
        "User.Read.All",
    }
    assert roles_of(jwt_of({"aud": "a"})) == frozenset()  # an app without any permission gets a token all the same


@pytest.mark.parametrize(
    "token", ["", "opaque", "a.b", "a.é.c", "a.W10.c", jwt_of({"roles": ["x"]}), jwt_of({"aud": "a", "roles": "x"})]
)
def test_a_token_that_cannot_be_read_says_nothing(token: str) -> None:
    assert roles_of(token) is None
