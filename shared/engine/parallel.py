"""Several requests at the same time: many small ones, or a batch that is sent while the one before it is recorded."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor

MOST = 8  #: at the same time


def in_parallel[T, R](work: Callable[[T], R], items: Iterable[T], *, most: int = MOST) -> list[R]:
    """Do the work for each item and answer the results in their order; the first error is raised when all are done."""
    todo = list(items)
    if len(todo) < 2:
        return [work(each) for each in todo]
    with ThreadPoolExecutor(min(most, len(todo)), thread_name_prefix="engine") as pool:
        return list(pool.map(work, todo))


def one_ahead[B, R](
    ahead: Callable[[], Executor],
    batches: Iterable[B],
    send: Callable[[B], R],
    take_in: Callable[[B, R], None],
) -> None:
    """Send batch after batch in a thread of its own, and take in what came of each while the next one is under way.

    The next batch is taken from `batches` when none is under way. What was sent is taken in, also when `batches` or the
    next `send` raises; when `take_in` raises, the batch under way is waited for, and its outcome is lost as if the
    process had died.
    """
    sent: list[tuple[B, R]] = []
    with ahead() as sender:
        try:
            for batch in batches:
                sending = sender.submit(send, batch)
                while sent:
                    take_in(*sent.pop())
                sent.append((batch, sending.result()))
        finally:
            while sent:
                take_in(*sent.pop())


def thread_ahead() -> Executor:
    """One thread, for `one_ahead`."""
    return ThreadPoolExecutor(1, thread_name_prefix="ahead")
