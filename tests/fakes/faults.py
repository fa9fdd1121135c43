"""Failures on demand: raise before or after the n-th call, or let the whole process die there.

faults.fail(3, RetryableError("busy"))                      the 3rd call from now, before it did anything
faults.fail(1, LeaseLost("taken"), call="mailbox.commit")   the next transaction of a mailbox
faults.fail(1, NotDone("busy"), call="graph.")              the next call of that service
faults.fail(2, after=True)                                  the 2nd call, after its effect: the answer is lost
faults.die(5)                                               the process dies at the 5th call; so does every further call
faults.restart()                                            a new process: works again
faults.before("bc.write", lambda: company.edit(...))        somebody acts just before the next call of that name
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field

from shared.errors import RetryableError


class Died(BaseException):
    """The process died: not an Exception, so that no `except Exception` survives it."""


@dataclass(slots=True)
class _Planned:
    calls_left: int
    error: BaseException
    after: bool
    call: str | None


@dataclass(slots=True)
class Faults:
    """What goes wrong, and when. `calls` is the history of all calls, for counting."""

    calls: list[str] = field(default_factory=list)
    on_death: list[Callable[[], None]] = field(default_factory=list)  #: told at once when the process dies
    _planned: list[_Planned] = field(default_factory=list)
    _actions: dict[str, Callable[[], object]] = field(default_factory=dict)
    _dead: bool = False
    _paused: bool = False

    def fail(
        self, at: int = 1, error: BaseException | None = None, *, after: bool = False, call: str | None = None
    ) -> None:
        """Let the `at`-th call from now fail; `call` counts only the calls of that name; "graph." is all of Graph."""
        self._planned.append(_Planned(at, error or RetryableError("storage is busy"), after, call))

    def die(self, at: int = 1, *, after: bool = False, call: str | None = None) -> None:
        """Let the process die at the `at`-th call from now."""
        self.fail(at, Died(), after=after, call=call)

    def before(self, call: str, act: Callable[[], object]) -> None:
        """Let somebody act just before the next call of that name."""
        self._actions[call] = act

    def restart(self) -> None:
        """A new process; failures that were planned and never happened are forgotten."""
        self._dead = False
        self._planned.clear()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What a test does itself meets no faults."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def forget_actions(self) -> None:
        """Nobody acts any more."""
        self._actions.clear()

    @property
    def is_dead(self) -> bool:
        """Whether the process died."""
        return self._dead

    @property
    def are_planned(self) -> bool:
        """Whether anything is still to go wrong, or anybody to act."""
        return bool(self._planned or self._actions)

    @property
    def pending(self) -> int:
        """Failures planned that have not happened yet."""
        return len(self._planned)

    @contextmanager
    def around(self, call: str) -> Iterator[None]:
        """One call with its effect inside the `with` block."""
        if self._paused:
            yield
            return
        if self._dead:
            raise Died
        self.calls.append(call)
        if (act := self._actions.pop(call, None)) is not None:
            act()
        due = self._count(call)
        for planned in due:
            if not planned.after:
                self._raise(planned.error)
        yield
        for planned in due:
            self._raise(planned.error)

    def _count(self, call: str) -> list[_Planned]:
        due = []
        for planned in self._planned:
            if planned.call in (None, call) or (str(planned.call).endswith(".") and call.startswith(str(planned.call))):
                planned.calls_left -= 1
                if planned.calls_left == 0:
                    due.append(planned)
        for planned in due:
            self._planned.remove(planned)
        return due

    def _raise(self, error: BaseException) -> None:
        if isinstance(error, Died):
            self._dead = True
            for told in self.on_death:
                told()
        raise error


class AtOnce(Executor):
    """An executor without threads: what is submitted is done, or fails, before `submit` returns. So a batch was sent
    before the one before it is recorded, which is the order in which most is lost when the process dies; and histories
    are the same every time."""

    def submit[**P, R](self, work: Callable[P, R], /, *args: P.args, **how: P.kwargs) -> Future[R]:
        """Do it now."""
        done: Future[R] = Future()
        try:
            done.set_result(work(*args, **how))
        except BaseException as error:  # noqa: BLE001 - as in a thread: whoever asks for the result gets it
            done.set_exception(error)
        return done
