"""JSON batches, the same for Graph and BC: many requests in one, retried part by part (Graph 7, BC 5).

An outer 200 says nothing about the parts. Parts that may be repeated go into a later batch, together with what is still
to be sent, after the longest pause that any of them asked for. A create without an answer is never repeated here (R9).
"""

import json
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from requests.structures import CaseInsensitiveDict

from shared.errors import OutcomeUnknown, RetryableError, SyncError
from shared.logs import log_event
from shared.pace import Pace
from shared.transport.client import Answer, Client
from shared.transport.retry import End, Lost, OutOfTime, Wait

logger = logging.getLogger(__name__)

MOST_BYTES = 900_000  #: of one batch's body; the services' limits are not known exactly, 1 MB is safe


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a batch. `url` is relative to the service's root; `idempotent` False for creates."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    body: Any = field(default=None, hash=False)
    idempotent: bool = True


class Unanswered(StrEnum):
    """What became of a part that has no answer."""

    UNKNOWN = "unknown"  #: a create that may have happened: look before repeating it (R9)
    NOT_DONE = "not-done"  #: the run's time ended first: repeating it is safe (R32)


class BatchRefused(SyncError):
    """The service refused the whole batch with `answer`: no part was carried out, and nothing is said of any."""

    code = "batch-refused"

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"The service refused a batch (status {answer.status}).")
        self.answer = answer


@dataclass(slots=True)
class _Waiting:
    """A part on its way: its place in the caller's list and how often it was tried."""

    place: int
    part: Part
    size: int
    attempt: int = 0


class Batches:
    """Runs batches for one mailbox or company, one at a time.

    `ordered` parts are carried out one after another; it switches itself on for good when a mailbox answers that too
    many of its parts ran at once (Graph 7.1).
    """

    def __init__(
        self,
        client: Client,
        pace: Pace,
        *,
        most: int,
        headers: Mapping[str, str] | None = None,
        ordered: bool = False,
        whose: str = "",
    ) -> None:
        """At most `most` parts a batch; `headers` go on the outer request; `whose` quota they count against."""
        self._client = client
        self._pace = pace
        self._most = most
        self._headers = headers or {}
        self._whose = whose
        self.ordered = ordered

    def run(self, parts: Sequence[Part], *, what: str) -> list[Answer | Unanswered]:
        """Carry out all parts and answer in their order.

        Raises BatchRefused, SettingsError and what `pace.keep_going` raises; Throttled or RetryableError when the time
        is over before any part was answered. Once there are answers, parts that came too late are NOT_DONE instead.
        """
        answers: list[Answer | Unanswered | None] = [None] * len(parts)
        waiting = deque(_Waiting(place, part, _size(part)) for place, part in enumerate(parts))
        renewed = False
        while waiting:
            sent = self._take(waiting)
            try:
                got = self._send(sent, what)
            except RetryableError as error:
                if all(answer is None for answer in answers):
                    raise
                log_event(logger, "batch_cut_short", service=self._client.service.name, what=what, code=error.code)
                break
            if not renewed and any(isinstance(each, Answer) and each.status == 401 for each in got):
                # the token ended while the batch ran; the parts refused for it did not happen
                renewed = True
                self._client.renew_token()
                self._again([each for each, one in zip(sent, got, strict=True) if _status(one) == 401], waiting)
                sent, got = _without(sent, got, 401)
            too_late = self._settle(sent, got, answers, waiting, what)
            if too_late is not None:
                if all(answer is None for answer in answers):
                    raise self._client.too_late(too_late)
                break
        return [answer or Unanswered.NOT_DONE for answer in answers]

    def _take(self, waiting: deque[_Waiting]) -> list[_Waiting]:
        """The next parts that fit into one batch, at least one."""
        taken: list[_Waiting] = []
        size = 0
        while waiting and len(taken) < self._most and (not taken or size + waiting[0].size <= MOST_BYTES):
            taken.append(waiting.popleft())
            size += taken[-1].size
            taken[-1].attempt += 1
        return taken

    def _send(self, sent: Sequence[_Waiting], what: str) -> list[Answer | Lost]:
        """One batch request; an outcome for each part sent."""
        try:
            answer = self._client.request(
                "POST",
                "$batch",
                pace=self._pace,
                what=what,
                headers=self._headers,
                json={"requests": [self._written(number, each.part) for number, each in enumerate(sent)]},
                idempotent=all(each.part.idempotent for each in sent),
                cost=len(sent),
                whose=self._whose,
            )
        except OutcomeUnknown:
            return [Lost.NO_ANSWER] * len(sent)
        if not answer.ok:
            raise BatchRefused(answer)
        by_id = _by_id(answer.body)
        return [by_id.get(str(number), Lost.NO_ANSWER) for number in range(len(sent))]

    def _written(self, number: int, part: Part) -> dict[str, Any]:
        written: dict[str, Any] = {"id": str(number), "method": part.method, "url": part.url}
        headers = dict(part.headers)
        if part.body is not None:
            headers.setdefault("Content-Type", "application/json")
            written["body"] = part.body
        if headers:
            written["headers"] = headers
        if self.ordered and number:
            written["dependsOn"] = [str(number - 1)]
        return written

    def _settle(
        self,
        sent: Sequence[_Waiting],
        got: Sequence[Answer | Lost],
        answers: list[Answer | Unanswered | None],
        waiting: deque[_Waiting],
        what: str,
    ) -> OutOfTime | None:
        """Sort one batch's outcomes into final answers and parts to repeat, and wait where there is time for it."""
        pause: Wait | None = None
        slowest: Answer | Lost | None = None
        again: list[_Waiting] = []
        too_late: OutOfTime | None = None
        for each, outcome in zip(sent, got, strict=True):
            if _needs_order(outcome):
                self.ordered = True
            if self.ordered and _status(outcome) == 424 and each is not sent[0]:
                # an earlier part of the chain failed; this one was never tried
                again.append(each)
                each.attempt -= 1
                continue
            match self._step(each, outcome):
                case Wait() as wait:
                    again.append(each)
                    if pause is None or wait.seconds > pause.seconds:
                        pause, slowest = wait, outcome
                case OutOfTime() as step:
                    too_late = step
                case End.UNKNOWN:
                    answers[each.place] = Unanswered.UNKNOWN
                case End.GIVE_UP:
                    answers[each.place] = outcome if isinstance(outcome, Answer) else Unanswered.NOT_DONE
        self._again(again, waiting)
        if too_late is None and pause is not None and slowest is not None:
            self._client.wait(pause, self._pace, what, slowest)
        return too_late

    def _step(self, each: _Waiting, outcome: Answer | Lost) -> Wait | OutOfTime | End:
        if isinstance(outcome, Answer) and (outcome.ok or self._client.service.is_final(outcome)):
            return End.GIVE_UP
        return self._client.step(outcome, attempt=each.attempt, idempotent=each.part.idempotent, pace=self._pace)

    @staticmethod
    def _again(parts: Sequence[_Waiting], waiting: deque[_Waiting]) -> None:
        """Put parts back in front, in their order."""
        waiting.extendleft(reversed(parts))


def _by_id(body: Any) -> dict[str, Answer]:
    """The answers of a batch by id; ids differ in case at most (Graph 7), the first of two counts."""
    responses = body.get("responses") if isinstance(body, dict) else None
    found: dict[str, Answer] = {}
    for response in responses if isinstance(responses, list) else ():
        if not isinstance(response, dict) or not isinstance(response.get("status"), int):
            continue
        headers = response.get("headers")
        texts = {name: str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
        answer = Answer(response["status"], CaseInsensitiveDict(texts), response.get("body"))
        found.setdefault(str(response.get("id")).lower(), answer)
    return found


def _status(outcome: Answer | Lost) -> int | None:
    return outcome.status if isinstance(outcome, Answer) else None


def _without(
    sent: Sequence[_Waiting], got: Sequence[Answer | Lost], status: int
) -> tuple[list[_Waiting], list[Answer | Lost]]:
    kept = [(each, one) for each, one in zip(sent, got, strict=True) if _status(one) != status]
    return [each for each, _ in kept], [one for _, one in kept]


def _needs_order(outcome: Answer | Lost) -> bool:
    """Whether a mailbox says that too many parts ran at once; only the message tells it from other limits."""
    return isinstance(outcome, Answer) and outcome.status == 429 and "MailboxConcurrency" in outcome.error()[1]


def _size(part: Part) -> int:
    return len(json.dumps(part.body)) + len(part.url) + 200 + sum(len(value) for value in part.headers.values())
