"""Asking a service what no page of it says. Answers hold statuses, codes, numbers and words of ours, nobody's data."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from shared.errors import SyncError
from shared.outlook.errors import label
from shared.transport.client import Answer

COLUMNS = ("service", "asked", "answer", "what the app does")
WAIT = 60.0  #: seconds that something may take to show up
_POLL = 0.5


@dataclass(frozen=True, slots=True)
class Probe[Lab]:
    """One question; `app` says what the app does about it, whatever the answer."""

    asked: str
    app: str
    ask: Callable[[Lab], str]


class Unclear(SyncError):
    """The question could not be put: something before it was refused."""

    code = "unclear"


def answers[Lab](service: str, lab: Lab, probes: Sequence[Probe[Lab]]) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the table, one by one. A question that cannot be put says why."""
    for probe in probes:
        try:
            answer = probe.ask(lab)
        except SyncError as error:
            answer = (
                f"could not be asked: {error}" if isinstance(error, Unclear) else f"could not be asked: {error.code}"
            )
        yield service, probe.asked, answer, probe.app


def said(answer: Answer) -> str:
    """Status and code of a refusal, or that it was taken."""
    return f"taken ({answer.status})" if answer.ok else f"refused ({label(answer)})"


def needed(answer: Answer, what: str) -> Answer:
    """The answer to a step that the question needs. Raises Unclear."""
    if not answer.ok:
        raise Unclear(f"{what} was refused ({label(answer)})")
    return answer


def shows_up(is_there: Callable[[], bool], wait: float, clock: Callable[[], float] = time.monotonic) -> str:
    """After how many seconds something is there, looked at twice a second."""
    started = clock()
    while True:
        if is_there():
            return f"after {clock() - started:.1f} s"
        if clock() - started > wait:
            return f"not within {wait:.0f} s"
        time.sleep(_POLL)


def at_a_time(one: float, in_order: float, unordered: float, parts: int) -> float:
    """How many parts of an unordered batch ran at a time, from the seconds that one part, `parts` of them one after the
    other, and `parts` of them unordered took: the overhead of a batch is in all three."""
    each = (in_order - one) / (parts - 1)
    waves = 1 + (unordered - one) / each if each > 0 else 1
    return parts / max(waves, 1)
