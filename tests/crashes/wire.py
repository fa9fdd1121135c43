"""The one place that every outgoing request of the app passes: to Graph, Business Central, tables and queues.

All of them end in `requests.adapters.HTTPAdapter.send`: our own client and the storage libraries alike. Requests are
counted there, and there the app dies when it is told to. A dead app sends nothing more, from none of its threads.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import pytest
import requests
from requests.adapters import HTTPAdapter


class Died(SystemExit):
    """The process died. No Exception, so that nothing survives it; a SystemExit, so that threads end without a word."""


class Way(StrEnum):
    """When a process dies, as seen from one of its requests."""

    BEFORE = "before the request"
    ANSWER_LOST = "after it took effect, without the answer"
    AFTER = "after the answer"


class Wire:
    """Counts and kills. One app at a time: a new one begins with `restart`."""

    def __init__(self, ignored: tuple[str, ...]) -> None:
        """`ignored`: roots whose requests have no effect that could be lost, such as those for tokens."""
        self.asked: list[str] = []  #: what the app asked for since `count_anew`, in words for failures
        self.is_dead = False
        self.deaths = 0  #: all that were died
        self._ignored = ignored
        self._lock = threading.Lock()
        self._dies_at: int | None = None
        self._way = Way.BEFORE
        self._outsiders: WeakSet[threading.Thread] = WeakSet()
        self._gone: WeakSet[threading.Thread] = WeakSet()
        self._outside = threading.local()

    def count_anew(self) -> None:
        """Forget what was asked so far, and a death that did not come."""
        with self._lock:
            self.asked = []
            self._dies_at = None

    def die_at(self, number: int, way: Way) -> None:
        """Let the app die at the `number`-th request from now."""
        self.count_anew()
        self._dies_at, self._way = number, way

    def restart(self) -> None:
        """A new process: the threads of the old one never send again."""
        with self._lock:
            self.deaths += self.is_dead
            self._gone.update(each for each in threading.enumerate() if each not in self._outsiders)
            self._gone.discard(threading.current_thread())
            self._dies_at, self.is_dead = None, False

    @contextmanager
    def outside(self) -> Iterator[None]:
        """What the host or the test does in this thread is none of the app's requests."""
        self._outside.now = True
        try:
            yield
        finally:
            self._outside.now = False

    @contextmanager
    def attached(self) -> Iterator["Wire"]:
        """See all requests of this process. Threads that run already are not the app's."""
        self._outsiders.update(threading.enumerate())
        real = HTTPAdapter.send
        wire = self

        def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **how: Any) -> requests.Response:
            return wire.pass_on(request, lambda: real(adapter, request, **how))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HTTPAdapter, "send", send)
            yield self

    def pass_on(self, request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
        """One request."""
        url = str(request.url)
        if getattr(self._outside, "now", False) or "/control/" in url or url.startswith(self._ignored):
            return send()
        fatal = self._admit(f"{request.method} {urlsplit(url).path}")
        answer = send()
        with self._lock:
            if fatal and self._way is Way.AFTER:
                self.is_dead = True
                return answer
            if fatal or self.is_dead or threading.current_thread() in self._gone:
                self.is_dead = self.is_dead or fatal
                answer.close()
                raise Died
        return answer

    def _admit(self, what: str) -> bool:
        """Whether this is the request to die at. Raises Died for one that must not go out."""
        with self._lock:
            if self.is_dead or threading.current_thread() in self._gone:
                raise Died
            self.asked.append(what)
            fatal = len(self.asked) == self._dies_at
            if fatal and self._way is Way.BEFORE:
                self.is_dead = True
                raise Died
            return fatal
