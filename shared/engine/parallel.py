"""Several small requests at the same time: storage and services answer many at once, and each takes milliseconds."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

MOST = 8  #: at the same time


def in_parallel[T, R](work: Callable[[T], R], items: Iterable[T], *, most: int = MOST) -> list[R]:
    """Do the work for each item and answer the results in their order; the first error is raised when all are done."""
    todo = list(items)
    if len(todo) < 2:
        return [work(each) for each in todo]
    with ThreadPoolExecutor(min(most, len(todo)), thread_name_prefix="engine") as pool:
        return list(pool.map(work, todo))
