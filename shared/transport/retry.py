"""The one retry policy, for single requests and for every part of a batch: a pure function.

What it knows (Graph reference 8.3, BC reference 8.3 and 11.2):

    answer                      idempotent                       create (POST)
    429, 503, 509               wait and repeat while there is time (R32): the service did not take the request
    424, 423                    as above: the part waits for another one, the record is locked
    502, 504, 408, connection   back off, at most 5 attempts     outcome unknown (R9)
      lost, time-out
    500                         back off, at most 3 repeats      outcome unknown (R9)
    not sent at all             back off, at most 5 attempts     the same: nothing can have happened
    anything else               final

A token is asked for like something idempotent, before and apart from the request that needs it.

A create that met 500 counts as unknown too, although the references allow a repeat: looking first costs one request,
a duplicate costs the user's trust.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

MOST_ATTEMPTS = 5  #: for gateway errors and lost connections
MOST_SERVER_ERRORS = 4  #: attempts that end in 500: the first and three repeats
LONGEST_BACKOFF = 60.0
SPREAD = 0.1  #: up to this part of a Retry-After is added, so that waiting callers do not return together


class Lost(StrEnum):
    """A request without an answer."""

    NOT_SENT = "not-sent"  #: no connection: the service never saw it
    NO_ANSWER = "no-answer"  #: sent, at least in part; nobody knows what the service did


@dataclass(frozen=True, slots=True)
class Wait:
    """Repeat after `seconds`; on a new connection where the service asks for one (Graph 8.3, 503)."""

    seconds: float
    fresh_connection: bool = False


@dataclass(frozen=True, slots=True)
class OutOfTime:
    """It should be repeated after `seconds`, and the run has less than that: the run hands over (R32)."""

    seconds: float
    throttled: bool


class End(StrEnum):
    """No further attempt."""

    GIVE_UP = "give-up"  #: the answer is final
    UNKNOWN = "unknown"  #: a create that may have happened


Step = Wait | OutOfTime | End

_THROTTLED = frozenset({429, 503, 509, 423, 424})
_NO_OUTCOME = frozenset({502, 504, 408})


def next_step(
    outcome: int | Lost,
    headers: Mapping[str, str],
    *,
    attempt: int,
    idempotent: bool,
    seconds_left: float,
    jitter: float,
    now: datetime | None = None,
) -> Step:
    """What to do after the `attempt`-th attempt (from 1) ended with a status or without an answer.

    `headers` are looked up by lower-case names too, `jitter` is a random number from 0 to 1, `now` the wall clock for
    a Retry-After that is a date.
    """
    throttled = outcome in _THROTTLED
    if not throttled:
        end = _end(outcome, attempt, idempotent)
        if end is not None:
            return end
    asked = retry_after(headers, now)
    backoff = min(LONGEST_BACKOFF, 2.0 ** min(attempt, 10)) * jitter  # full jitter (BC 8.3)
    seconds = backoff if asked is None else asked * (1 + SPREAD * jitter)
    if seconds >= seconds_left:
        return OutOfTime(seconds, throttled)
    return Wait(seconds, fresh_connection=outcome in {503, Lost.NO_ANSWER})


def _end(outcome: int | Lost, attempt: int, idempotent: bool) -> End | None:
    """Whether an outcome other than throttling ends the attempts."""
    if outcome == 500:
        most = MOST_SERVER_ERRORS
    elif isinstance(outcome, Lost) or outcome in _NO_OUTCOME:
        most = MOST_ATTEMPTS
    else:
        return End.GIVE_UP
    if not idempotent and outcome is not Lost.NOT_SENT:
        return End.UNKNOWN
    return End.GIVE_UP if attempt >= most else None


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The Retry-After header in seconds: whole, fractional or as an HTTP date; None when missing or unreadable."""
    text = (headers.get("Retry-After") or headers.get("retry-after") or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = _until(text, now or datetime.now(UTC))
    # also refuses "nan" and "inf", which float() takes
    return max(0.0, seconds) if seconds < 1e7 else None


def _until(text: str, now: datetime) -> float:
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return float("nan")
    return (then.replace(tzinfo=then.tzinfo or UTC) - now).total_seconds()
