"""Faults and latencies that tests switch on."""

import random
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from dev.simulators.clock import SimClock
from dev.simulators.exchange import Request


class Act(StrEnum):
    """What a fault does."""

    ANSWER = "answer"  #: answer with the rule's status, body and headers; nothing is done
    DROP = "drop"  #: cut the connection; nothing is done
    SILENCE = "silence"  #: no answer ever comes, the connection stays open; nothing is done
    LOST_SILENCE = "lost-silence"  #: do it, then never answer
    LOST_DROP = "lost-drop"  #: do it, then cut the connection
    LOST_ANSWER = "lost-answer"  #: do it, then answer with the rule's status (default 504)
    SHORT = "short"  #: do it, and leave the second half of the answer's list out
    DELAY = "delay"  #: wait `seconds`, then go on normally


@dataclass(slots=True)
class Rule:
    """When a fault happens, and what it does.

    A rule looks at requests of its service, method and path (a regular expression, searched in path and query);
    `item` True: items of batches only, False: none of them. Of those that match it lets the first `skip` pass, then
    acts with `probability`, at most `times` times (None: for ever). Its luck is its own: what it does to the n-th
    request that matches depends on `seed` and on nothing that happened before it was added.
    """

    id: str
    act: Act
    service: str | None = None
    method: str | None = None
    path: str | None = None
    item: bool | None = None
    skip: int = 0
    times: int | None = 1
    probability: float = 1.0
    status: int = 504
    body: Any = None  #: JSON value, or text that goes out as it is (an HTML page of a gateway, say)
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    seed: int = 1
    seen: int = 0  #: requests that matched so far
    acted: int = 0  #: times the fault happened

    def matches(self, request: Request) -> bool:
        """Tell whether the rule looks at this request at all."""
        return (
            self.service in (None, request.service)
            and self.method in (None, request.method)
            and self.item in (None, request.item is not None)
            and (self.path is None or re.search(self.path, request.target) is not None)
        )


class Faults:
    """The fault rules in force; the first that wants to act on a request does."""

    def __init__(self) -> None:
        """Start without rules."""
        self._luck: dict[str, random.Random] = {}
        self._rules: list[Rule] = []
        self._count = 0

    def add(self, act: str, **conditions: Any) -> str:
        """Add a rule (fields of `Rule`); returns its id."""
        self._count += 1
        rule = Rule(id=conditions.pop("id", f"fault-{self._count}"), act=Act(act), **conditions)
        if rule.path is not None:
            re.compile(rule.path)
        self._rules.append(rule)
        self._luck[rule.id] = random.Random(rule.seed)
        return rule.id

    def clear(self, id: str | None = None) -> None:  # noqa: A002 - the rule's own word
        """Remove one rule, or all."""
        self._rules = [rule for rule in self._rules if id is not None and rule.id != id]

    def read(self) -> list[dict[str, Any]]:
        """Return all rules with how often they matched and acted."""
        return [asdict(rule) for rule in self._rules]

    def strike(self, request: Request) -> Rule | None:
        """Return the rule that acts on this request, and count it."""
        for rule in self._rules:
            if (rule.times is not None and rule.acted >= rule.times) or not rule.matches(request):
                continue
            rule.seen += 1
            if rule.seen > rule.skip and (rule.probability >= 1 or self._luck[rule.id].random() < rule.probability):
                rule.acted += 1
                request.fault = rule.id
                return rule
        return None


@dataclass(slots=True)
class Latency:
    """How long answers take, in simulated seconds, per service."""

    request: dict[str, float] = field(default_factory=dict)
    item: dict[str, float] = field(default_factory=dict)
    batch: dict[str, float] = field(default_factory=dict)

    def set(self, service: str, request: float = 0.0, item: float = 0.0, batch: float | None = None) -> None:
        """Let every request and every item of a batch of `service` take this long; `batch`: what the request around
        the items takes by itself, None for as long as any other."""
        self.request[service], self.item[service] = request, item
        self.batch[service] = request if batch is None else batch

    async def wait(self, request: Request, clock: SimClock) -> None:
        """Wait as long as this request takes."""
        of_kind = self.request if request.item is None else self.item
        if request.item is None and request.path.endswith("/$batch"):
            of_kind = self.batch
        if seconds := of_kind.get(request.service, 0.0):
            await clock.sleep(seconds)
