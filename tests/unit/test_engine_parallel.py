"""A batch is sent while the one before it is recorded, and what was sent is recorded whatever happens next."""

import threading
from collections.abc import Iterator

import pytest

from shared.engine.parallel import one_ahead, thread_ahead


def test_a_batch_is_under_way_while_the_one_before_it_is_taken_in() -> None:
    under_way = {number: threading.Event() for number in range(4)}
    taken: list[int] = []

    def send(batch: int) -> int:
        under_way[batch].set()
        return batch * 10

    def take_in(batch: int, answer: int) -> None:
        if batch < 3:
            assert under_way[batch + 1].wait(10), "the next one was not sent meanwhile"
        assert answer == batch * 10
        taken.append(batch)

    one_ahead(thread_ahead, range(4), send, take_in)
    assert taken == [0, 1, 2, 3]


def test_never_two_are_under_way_and_the_next_is_chosen_when_none_is() -> None:
    running = threading.Lock()

    def batches() -> Iterator[int]:
        for number in range(5):
            assert not running.locked()
            yield number

    def send(batch: int) -> int:
        with running:
            return batch

    one_ahead(thread_ahead, batches(), send, lambda batch, answer: None)


@pytest.mark.parametrize("where", ["batches", "send"])
def test_what_was_sent_is_taken_in_when_the_next_fails(where: str) -> None:
    taken: list[int] = []

    def batches() -> Iterator[int]:
        yield 1
        if where == "batches":
            raise TimeoutError("out of time")
        yield 2

    def send(batch: int) -> int:
        if batch == 2:
            raise TimeoutError("throttled")
        return batch

    with pytest.raises(TimeoutError):
        one_ahead(thread_ahead, batches(), send, lambda batch, answer: taken.append(batch))
    assert taken == [1]


def test_nothing_is_under_way_any_more_when_recording_has_failed() -> None:
    sent: list[int] = []
    go_on = threading.Event()

    def send(batch: int) -> int:
        if batch == 2:
            assert go_on.wait(10)
        sent.append(batch)
        return batch

    def take_in(batch: int, answer: int) -> None:
        go_on.set()
        raise ConnectionError("storage is away")

    with pytest.raises(ConnectionError):
        one_ahead(thread_ahead, [1, 2, 3], send, take_in)
    assert sent == [1, 2]
