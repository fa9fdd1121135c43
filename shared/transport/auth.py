"""Tokens for Graph and BC, got with MSAL for the app itself (Graph reference 10.1, BC reference 9.1)."""

import base64
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from shared.errors import SettingsError
from shared.logs import log_event
from shared.transport.authority import AuthorityHttp, TokenUnavailable, unavailable
from shared.transport.retry import Lost, retry_after

logger = logging.getLogger(__name__)

RENEW_BEFORE = 300.0  #: seconds before its end at which a token is replaced
READ_TIMEOUT = 30.0
LONGEST_REST = 3600.0  #: seconds for which a Retry-After is remembered


class TokenSource(Protocol):
    """Where the client gets its bearer tokens from."""

    def token(self, scope: str, *, fresh: bool = False) -> str:
        """A token for `scope` (`.../.default`); `fresh` means that the service refused the one we had.

        Raises SettingsError when the identity platform refuses us, TokenUnavailable when it has none at the moment.
        """


@dataclass(frozen=True, slots=True)
class Secret:
    """A client secret: the last choice."""

    value: str

    def __repr__(self) -> str:
        """Never the value."""
        return "Secret(...)"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its private key, both PEM, in one text as Key Vault hands it out."""

    pem: str

    def __repr__(self) -> str:
        """Never the value."""
        return "Certificate(...)"


@dataclass(frozen=True, slots=True)
class Assertion:
    """A federated credential: a function that returns a fresh assertion, such as a managed identity's token.

    It raises TokenUnavailable or SettingsError when it has none.
    """

    fetch: Callable[[], str]


Credential = Secret | Certificate | Assertion

_PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)

_TOKEN = re.compile(r"[!-~]+")  #: what a header can carry

#: Authority hosts that MSAL knows by itself; any other one, the simulator's or a new cloud's, is trusted as configured
_KNOWN_HOSTS = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.chinacloudapi.cn",
        "login.partner.microsoftonline.cn",
        "login.windows.net",
    }
)

_ADVICE: Mapping[int, str] = {
    7000222: "the client secret has expired: make a new one in the app registration and put it into the settings",
    7000215: "the client secret is wrong: put the secret's value (not its id) into the settings",
    700016: "the tenant does not know the app: check client id and tenant, and give admin consent",
    90002: "the tenant does not exist: check the tenant id",
    700027: "the certificate is not registered for the app or has expired: upload it to the app registration",
    700213: "no federated credential matches the managed identity: check its issuer, subject and audience",
    70021: "no federated credential matches the managed identity: check its issuer, subject and audience",
    700024: "the assertion is not valid at this time: set this machine's clock right",
    700211: "no federated credential has this issuer: check its issuer, which names the tenant",
    700212: "no federated credential has this audience: check its audience, which differs between clouds",
    7000218: "no credential came along: set one of the three settings for it",
    7000229: "the app has no service principal in the tenant: give admin consent, or create its enterprise application",
    900023: "the tenant is no tenant id or domain name: check it",
    1002012: "the scope is not one of a service: check the scope setting, which ends with /.default",
    53003: "a Conditional Access policy for workload identities blocks the app: leave it out of the policy",
    500011: "the tenant does not know the service behind the scope: check the scope setting",
    7000112: "the app is disabled in the tenant: enable its enterprise application",
}


@dataclass(frozen=True, slots=True)
class _Failure:
    """There was no token: true for whoever asked before `at`, and for everybody until `until`."""

    outcome: int | Lost
    at: float
    until: float


class MsalTokens:
    """App-only tokens, cached per scope and replaced five minutes before they end; safe for threads.

    One thread asks the platform at a time, once; the others share what came of it.
    """

    def __init__(
        self,
        *,
        authority_host: str,
        tenant: str,
        client_id: str,
        credential: Credential,
        read_timeout: float = READ_TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is called before the first token is asked for. `authority_host` with its scheme; `read_timeout` is
        how many seconds the platform may say nothing."""
        self._authority = f"{authority_host.rstrip('/')}/{tenant}"
        self._client_id = client_id
        self._credential = credential
        self._read_timeout = read_timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, tuple[str, float]] = {}
        self._failures: dict[str, _Failure] = {}
        self._app: Any = None

    def token(self, scope: str, *, fresh: bool = False) -> str:
        """See TokenSource."""
        if not fresh and (held := self._held.get(scope)) and self._clock() < held[1]:
            return held[0]
        before, asked = self._held.get(scope), self._clock()
        with self._lock:
            held = self._held.get(scope)
            # another thread may have replaced it while this one waited
            if held is not None and self._clock() < held[1] and (held is not before or not fresh):
                return held[0]
            self._share_failure(scope, asked)
            try:
                token, seconds = self._acquire(scope)
            except TokenUnavailable as error:
                now, rest = self._clock(), min(LONGEST_REST, retry_after(error.headers) or 0)
                self._failures[scope] = _Failure(error.outcome, now, now + rest)
                raise
            # a short-lived token is used for half its life instead of being replaced before every request
            self._held[scope] = (token, self._clock() + max(seconds - RENEW_BEFORE, seconds / 2))
            return token

    def _share_failure(self, scope: str, asked: float) -> None:
        """Raises TokenUnavailable when a faster thread got no token, or the platform named a time that is not over."""
        failure, now = self._failures.get(scope), self._clock()
        if failure is None or (failure.at <= asked and failure.until <= now):
            return
        headers = {"Retry-After": str(failure.until - now)} if failure.until > now else {}
        raise TokenUnavailable(failure.outcome, headers)

    def _acquire(self, scope: str) -> tuple[str, float]:
        try:
            if self._app is None:
                self._app = self._make_app()
            self._app.remove_tokens_for_client()  # our cache decides, not MSAL's
            answer = self._app.acquire_token_for_client(scopes=[scope])
        except ValueError as error:
            raise SettingsError(
                "No token: the authority or the credential of the app is not usable. Check the authority host, the "
                f"tenant and the certificate ({type(error).__name__})."
            ) from None  # MSAL's message may quote what it was given
        except (TypeError, AttributeError, KeyError) as error:  # MSAL takes the answer's form for granted
            raise unavailable(type(error).__name__) from None
        if "access_token" not in answer:
            raise refusal(answer)
        token, seconds = answer["access_token"], answer.get("expires_in")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise unavailable("no token")
        try:
            return token, float(seconds or 0)
        except (TypeError, ValueError):
            raise unavailable("no lifetime") from None

    def _make_app(self) -> Any:
        import msal  # type: ignore[import-untyped]  # slow to import; an idle start needs no token

        host = (urlsplit(self._authority).hostname or "").lower()
        return msal.ConfidentialClientApplication(
            self._client_id,
            client_credential=_for_msal(self._credential),
            authority=self._authority,
            instance_discovery=None if host in _KNOWN_HOSTS else False,
            http_client=AuthorityHttp(self._read_timeout),
        )


def claims_of(token: str) -> Mapping[str, Any]:
    """What a token says of itself, unchecked: for telling an administrator, never for deciding. Empty when it cannot be
    read: to its bearer a token is a text without a promised form."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def roles_of(token: str) -> frozenset[str] | None:
    """The application permissions that a token carries; None when it does not tell."""
    claims = claims_of(token)
    roles = claims.get("roles", [])  # a token without any permission has no such claim
    if "aud" not in claims or not isinstance(roles, list):
        return None
    return frozenset(each for each in roles if isinstance(each, str))


def _for_msal(credential: Credential) -> str | dict[str, Any]:
    match credential:
        case Secret(value):
            return value
        case Certificate(pem):
            blocks = [found.group() for found in _PEM_BLOCK.finditer(pem)]
            keys = [block for block in blocks if "PRIVATE KEY-----" in block]
            certificates = [block for block in blocks if "BEGIN CERTIFICATE" in block]
            if len(keys) != 1 or not certificates:
                raise ValueError("a certificate needs one private key and its certificate")
            # the private key by itself: nothing but certificates may get into the assertion's header
            return {"private_key": keys[0], "public_certificate": certificates[0]}
        case Assertion(fetch):
            return {"client_assertion": fetch}


def refusal(answer: Mapping[str, Any]) -> SettingsError | TokenUnavailable:
    """The platform's refusal as an error that says what to do; its own text stays out, it may quote what we sent."""
    error = str(answer.get("error", ""))
    codes = answer.get("error_codes")
    numbers = [number for number in codes if isinstance(number, int)] if isinstance(codes, list) else []
    log_event(logger, "token_refused", level=logging.WARNING, error=error, codes=numbers)
    if error in {"temporarily_unavailable", "server_error", "slow_down"}:
        return TokenUnavailable()
    named = ", ".join(f"AADSTS{number}" for number in numbers) or error or "no reason given"
    advice = next(
        (_ADVICE[number] for number in numbers if number in _ADVICE), "check client id, tenant and credential"
    )
    return SettingsError(f"The identity platform refuses the app a token ({named}): {advice}.", code="token-refused")
