"""The one HTTP client: one per service root, kept for the life of the process, safe for threads.

It adds tokens and request ids, keeps to time-outs and sizes, waits and repeats by `retry.py`, follows links only to the
service's own host, and logs neither URLs nor bodies. What a status means is the adapters' business.
"""

import json as jsonlib
import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from shared import errors
from shared.errors import OutcomeUnknown, RetryableError, SettingsError, SyncError, Throttled
from shared.logs import log_event
from shared.pace import Pace
from shared.transport.auth import TokenSource
from shared.transport.authority import TokenUnavailable
from shared.transport.gates import SLICE, Bucket, Places, Quota, Rate, Windows
from shared.transport.links import address, is_untrusted, never_connected
from shared.transport.retry import End, Lost, OutOfTime, Step, Wait, next_step

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said: to one request, or to one part of a batch.

    `body` is the parsed JSON, None when there is none; `headers` are looked up without regard to case.
    """

    status: int
    headers: Mapping[str, str] = field(hash=False)
    body: Any = field(default=None, hash=False)

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def error(self) -> tuple[str, str]:
        """`error.code` and `error.message` of the body, blank where the service sent something else."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        if not isinstance(error, dict):
            return "", ""
        return _text(error.get("code")), _text(error.get("message"))


@dataclass(frozen=True, slots=True)
class Service:
    """One service and how to treat it. `root` has a scheme, may have a path, and no trailing slash."""

    name: str  #: "graph" or "bc": for logs and for counting requests
    root: str
    scope: str
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)  #: sent with every request
    read_timeout: float = 120.0
    most_bytes: int = 128 * 1024 * 1024  #: of one answer, unpacked
    parallel: int | None = None  #: most requests at a time in this process; None for no limit
    rate: Rate | None = None  #: how often this process may ask; None for no limit
    quota: Quota | None = None  #: of each of those whom it counts apart; None for no limit
    is_final: Callable[[Answer], bool] = lambda answer: False  #: answers not worth repeating whatever their status


class _Bearer(requests.auth.AuthBase):
    """Sets the token; as an auth object, so that no .netrc file can replace it."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class Client:
    """Requests to one service."""

    def __init__(
        self,
        service: Service,
        tokens: TokenSource,
        *,
        adapter: requests.adapters.BaseAdapter | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`adapter` plays the service in tests; clock, sleep and jitter are for tests too."""
        self.service = service
        self._tokens = tokens
        self._adapter = adapter
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._idle: list[requests.Session] = []  #: connections that no request uses now; the newest is taken first
        self._places = Places(service.parallel)
        self._bucket = Bucket(service.rate, clock) if service.rate else None
        self._windows = Windows(service.quota, clock) if service.quota else None
        self._refused_token = threading.Event()

    def request(
        self,
        method: str,
        url: str,
        *,
        pace: Pace,
        what: str,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        idempotent: bool | None = None,
        cost: int = 1,
        whose: str = "",
    ) -> Answer:
        """Send, wait and repeat as the policy says, and return the final answer, whatever its status below 501.

        `url` is a path below the root, or a link that the service returned. `what` names the kind of request in logs
        ("contacts.changed"). `idempotent` defaults to every method but POST. `cost` is how many requests the service
        counts, `whose` against whose quota it counts them; blank: nobody's.

        Raises Throttled or RetryableError when the service stays away or the run's time ends first, OutcomeUnknown for
        a request that may have happened and must not be repeated, SettingsError, and whatever `pace.keep_going` raises.
        """
        target = address(self.service.root, url, self.service.name)
        if idempotent is None:
            idempotent = method != "POST"
        attempt, renewed = 0, False
        while True:
            attempt += 1
            self.check(pace)
            token = self._token(pace, fresh=renewed and attempt == 2)
            self._wait_for_turn(cost, pace, what, whose)
            outcome = self._attempt(method, target, pace, what, headers, json, token)
            if isinstance(outcome, Answer):
                if outcome.status == 401 and not renewed:
                    renewed, attempt = True, 1
                    continue
                if outcome.ok or self.service.is_final(outcome):
                    return outcome
            step = self.step(outcome, attempt=attempt, idempotent=idempotent, pace=pace)
            if not isinstance(step, Wait):
                return self._end(step, outcome)
            self.wait(step, pace, what, outcome)

    def step(self, outcome: Answer | Lost, *, attempt: int, idempotent: bool, pace: Pace) -> Step:
        """Ask the policy about one outcome, of a request or of a part of a batch."""
        status, headers = (outcome.status, outcome.headers) if isinstance(outcome, Answer) else (outcome, {})
        return next_step(
            status,
            headers,
            attempt=attempt,
            idempotent=idempotent,
            seconds_left=self.seconds_left(pace),
            jitter=self._jitter(),
        )

    def seconds_left(self, pace: Pace) -> float:
        """How long the run may still take."""
        return pace.deadline - self._clock()

    def check(self, pace: Pace) -> None:
        """Ask whether to keep going. Raises RetryableError when the time is over, and what `keep_going` raises."""
        pace.keep_going()
        if self.seconds_left(pace) <= 0:
            raise errors.OutOfTime("The run's time is over; a continuation goes on from here.")

    def too_late(self, step: OutOfTime) -> RetryableError:
        """The error for a pause that is longer than the run has time (R32)."""
        name = self.service.name
        if step.throttled:
            return Throttled(f"{name} asks for a pause; the run goes on later.", retry_after=step.seconds)
        return RetryableError(f"{name} is not reachable at the moment; the run goes on later.")

    def renew_token(self) -> None:
        """Use a new token from the next request on: a part of a batch was refused for it."""
        self._refused_token.set()

    def wait(self, step: Wait, pace: Pace, what: str, outcome: Answer | Lost) -> None:
        """Wait in slices, asking between them whether to keep going."""
        reason = str(outcome.status if isinstance(outcome, Answer) else outcome)
        log_event(logger, "request_waits", service=self.service.name, what=what, reason=reason, seconds=step.seconds)
        if step.fresh_connection:
            while self._idle:
                self._idle.pop().close()
        self._pause(step.seconds, pace)

    def _token(self, pace: Pace, *, fresh: bool) -> str:
        """A token; while the identity platform has none, wait and ask again as the policy says.

        Raises Throttled or RetryableError when it stays away or the run's time ends first, and SettingsError.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                token = self._tokens.token(self.service.scope, fresh=fresh or self._refused_token.is_set())
            except TokenUnavailable as error:
                outcome = error.outcome if isinstance(error.outcome, Lost) else Answer(error.outcome, error.headers)
                step = self.step(outcome, attempt=attempt, idempotent=True, pace=pace)
                if isinstance(step, OutOfTime) and step.throttled:
                    raise Throttled(str(error), retry_after=step.seconds) from error
                if not isinstance(step, Wait):
                    raise
                self.wait(step, pace, "token", outcome)
                self.check(pace)
            else:
                self._refused_token.clear()
                return token

    def _wait_for_turn(self, cost: int, pace: Pace, what: str, whose: str) -> None:
        """Keep to the service's rate and quota. Raises Throttled when the run's time ends before its turn comes."""
        if self._bucket is not None:
            self._turn("rate", partial(self._bucket.take, cost), pace, what)
        if self._windows is not None and whose:
            self._turn("quota", partial(self._windows.take, whose, cost), pace, what)

    def _turn(self, reason: str, take: Callable[..., float], pace: Pace, what: str) -> None:
        left = self.seconds_left(pace)
        seconds = take(most_seconds=left)
        if seconds >= left:
            raise self.too_late(OutOfTime(seconds, throttled=True))
        if seconds:
            log_event(logger, "request_waits", service=self.service.name, what=what, reason=reason, seconds=seconds)
            self._pause(seconds, pace)

    def _pause(self, seconds: float, pace: Pace) -> None:
        end = self._clock() + seconds
        while (left := end - self._clock()) > 0:
            self._sleep(min(SLICE, left))
            pace.keep_going()

    def _end(self, step: OutOfTime | End, outcome: Answer | Lost) -> Answer:
        """The final answer, or the error that stands for it."""
        name = self.service.name
        if isinstance(step, OutOfTime):
            raise self.too_late(step)
        if step is End.UNKNOWN:
            raise OutcomeUnknown(f"No answer of {name} to a request that may have happened.")
        if isinstance(outcome, Lost) or outcome.status in {408, 502, 504}:
            raise RetryableError(f"{name} is not reachable at the moment; the run goes on later.")
        return outcome

    def _attempt(
        self,
        method: str,
        url: str,
        pace: Pace,
        what: str,
        headers: Mapping[str, str] | None,
        json: Any,
        token: str,
    ) -> Answer | Lost:
        """One HTTP request."""
        request_id = str(uuid.uuid4())
        sent = {
            "Accept": "application/json",
            **self.service.headers,
            **(headers or {}),
            "client-request-id": request_id,
        }
        with self._places.hold(lambda: self.check(pace)):
            pace.count(self.service.name)
            start = self._clock()
            outcome = self._send(method, url, sent, json, _Bearer(token), pace)
        log_event(
            logger,
            "request",
            level=logging.DEBUG,
            service=self.service.name,
            method=method,
            what=what,
            outcome=str(outcome.status if isinstance(outcome, Answer) else outcome),
            ms=round((self._clock() - start) * 1000),
            client_request_id=request_id,
            request_id=outcome.headers.get("request-id", "") if isinstance(outcome, Answer) else "",
        )
        return outcome

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], json: Any, auth: _Bearer, pace: Pace
    ) -> Answer | Lost:
        try:
            with (
                self._session() as session,
                session.request(
                    method,
                    url,
                    headers=headers,
                    json=json,
                    auth=auth,
                    timeout=(CONNECT_TIMEOUT, self.service.read_timeout),
                    allow_redirects=False,  # a redirect could carry the token away
                    stream=True,
                ) as response,
            ):
                return self._read(response, pace)
        except requests.ConnectTimeout:
            return Lost.NOT_SENT
        except requests.exceptions.SSLError as error:
            if not is_untrusted(error):
                return Lost.NO_ANSWER
            raise SettingsError(
                f"The certificate of {self.service.name} is not trusted. Check the root address in the settings, and "
                "for a private authority the environment variable REQUESTS_CA_BUNDLE."
            ) from None
        except requests.ConnectionError as error:
            return Lost.NOT_SENT if never_connected(error) else Lost.NO_ANSWER
        except (requests.Timeout, requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
            return Lost.NO_ANSWER

    def _read(self, response: requests.Response, pace: Pace) -> Answer | Lost:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(1 << 16):
            size += len(part)
            if size > self.service.most_bytes:
                raise SyncError(f"An answer of {self.service.name} is larger than allowed.", code="answer-too-large")
            if self.seconds_left(pace) <= -self.service.read_timeout:
                return Lost.NO_ANSWER  # it drips: no longer past the run's end than a service that says nothing
            parts.append(part)
        content = b"".join(parts)
        headers = CaseInsensitiveDict(response.headers)
        if not content.strip():
            return Answer(response.status_code, headers)
        try:
            return Answer(response.status_code, headers, _parsed(content))
        except (ValueError, RecursionError):
            # A page of some gateway. With an error status the status says enough, but a success that cannot be read
            # is no answer to our question.
            return Lost.NO_ANSWER if response.ok else Answer(response.status_code, headers)

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """A session for one request. They do not belong to threads: these come and go, and each would connect anew."""
        try:
            session = self._idle.pop()
        except IndexError:
            session = requests.Session()
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # no gateway pins us to one node
            session.mount("https://", self._adapter or HTTPAdapter(pool_connections=1, pool_maxsize=1))
        try:
            yield session
        finally:
            self._idle.append(session)


def _parsed(content: bytes) -> Any:
    """The JSON value. Half a surrogate pair, which nothing can store or send, becomes "?"."""
    value = jsonlib.loads(content)
    if b"\\ud" in content.lower():
        return jsonlib.loads(jsonlib.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
