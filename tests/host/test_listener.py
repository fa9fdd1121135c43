"""The queue listener against a queue that never lets anyone wait."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from azure.core.exceptions import ServiceRequestError
from azure.storage.queue import QueueMessage

from dev.host.listener import QueueListener
from dev.host.queues import Queue, Queues
from dev.host.settings import QueueOptions

OPTIONS = QueueOptions(
    batch_size=2, new_batch_threshold=1, max_dequeue_count=3, visibility_timeout=timedelta(seconds=7)
)


class FakeQueue:
    """Hands out messages and writes down what is done with them."""

    def __init__(self, name: str = "jobs") -> None:
        self.name = name
        self.is_poison = name.endswith("-poison")
        self.news = asyncio.Event()
        self.waiting: list[QueueMessage] = []
        self.asked_for: list[int] = []
        self.done: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
        self.broken = 0

    async def receive(self, count: int, hidden_for: float) -> list[QueueMessage]:
        if self.broken:
            self.broken -= 1
            raise ServiceRequestError("storage is away")
        self.asked_for.append(count)
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken

    def decode(self, content: str) -> str:
        if content == "not base64":
            raise ValueError("not base64")
        return content

    async def hide(self, message: QueueMessage, seconds: float) -> None:
        self.done.put_nowait(("hide", message.id, seconds))

    async def delete(self, message: QueueMessage) -> None:
        self.done.put_nowait(("delete", message.id))

    async def send_raw(self, content: str) -> None:
        self.done.put_nowait(("send", self.name, content))


class FakeQueues:
    """Only knows the poison queue."""

    def __init__(self, queue: FakeQueue) -> None:
        self.poison = FakeQueue(f"{queue.name}-poison")
        self.poison.done = queue.done

    async def poison_of(self, connection: str, queue: FakeQueue) -> FakeQueue:
        return self.poison


def message(identity: str, content: str = "text", attempt: int = 1) -> QueueMessage:
    return QueueMessage(content=content, id=identity, dequeue_count=attempt, pop_receipt="r")


def listening(
    scenario: Callable[[FakeQueue], Awaitable[None]],
    run: Callable[[str, QueueMessage], Awaitable[bool]],
    options: QueueOptions = OPTIONS,
    name: str = "jobs",
) -> None:
    """Play a scenario while a listener runs."""

    async def play() -> None:
        queue = FakeQueue(name)
        stopping = asyncio.Event()
        listener = QueueListener(cast(Queue, queue), cast(Queues, FakeQueues(queue)), "storage", options, run)
        task = asyncio.create_task(listener.listen(stopping))
        async with asyncio.timeout(20):
            await scenario(queue)
            stopping.set()
            await task

    asyncio.run(play())


def give(queue: FakeQueue, *messages: QueueMessage) -> None:
    queue.waiting += messages
    queue.news.set()


async def succeeds(text: str, taken: QueueMessage) -> bool:
    return True


async def fails(text: str, taken: QueueMessage) -> bool:
    return False


def test_a_message_is_deleted_after_success() -> None:
    async def scenario(queue: FakeQueue) -> None:
        give(queue, message("1"))
        assert await queue.done.get() == ("delete", "1")

    listening(scenario, succeeds)


def test_a_failed_message_comes_back_after_the_visibility_timeout() -> None:
    async def scenario(queue: FakeQueue) -> None:
        give(queue, message("1", attempt=2))
        assert await queue.done.get() == ("hide", "1", 7)

    listening(scenario, fails)


def test_the_last_failed_attempt_moves_the_message_to_the_poison_queue() -> None:
    async def scenario(queue: FakeQueue) -> None:
        give(queue, message("1", "raw text", attempt=3))
        assert await queue.done.get() == ("send", "jobs-poison", "raw text")
        assert await queue.done.get() == ("delete", "1")

    listening(scenario, fails)


def test_a_message_taken_too_often_is_given_up_without_another_attempt() -> None:
    async def never(text: str, taken: QueueMessage) -> bool:
        raise AssertionError("must not run")

    async def scenario(queue: FakeQueue) -> None:
        give(queue, message("1", attempt=4))
        assert await queue.done.get() == ("send", "jobs-poison", "text")
        assert await queue.done.get() == ("delete", "1")

    listening(scenario, never)


def test_text_that_cannot_be_decoded_is_given_up_as_it_is() -> None:
    async def scenario(queue: FakeQueue) -> None:
        give(queue, message("1", "not base64"))
        assert await queue.done.get() == ("send", "jobs-poison", "not base64")

    listening(scenario, succeeds)


def test_a_failed_message_of_a_poison_queue_stays_where_it_is() -> None:
    async def scenario(queue: FakeQueue) -> None:
        give(queue, message("1", attempt=9), message("2"))
        ran.clear()
        await ran.wait()
        assert queue.done.empty()

    ran = asyncio.Event()

    async def run(text: str, taken: QueueMessage) -> bool:
        if taken.id == "2":
            ran.set()
        return False

    listening(scenario, run, name="jobs-poison")


def test_a_message_stays_hidden_as_long_as_its_function_runs() -> None:
    release = asyncio.Event()

    async def slow(text: str, taken: QueueMessage) -> bool:
        return await release.wait()

    async def scenario(queue: FakeQueue) -> None:
        give(queue, message("1"))
        assert [await queue.done.get() for _ in range(3)] == [("hide", "1", 0.02)] * 3
        release.set()
        while (step := await queue.done.get()) == ("hide", "1", 0.02):
            pass
        assert step == ("delete", "1")

    listening(scenario, slow, replace(OPTIONS, lease=timedelta(milliseconds=20)))


def test_the_next_batch_is_fetched_when_few_enough_are_in_work() -> None:
    gates = {name: asyncio.Event() for name in "123"}
    started: list[str] = []

    async def run(text: str, taken: QueueMessage) -> bool:
        started.append(taken.id)
        return await gates[taken.id].wait()

    async def scenario(queue: FakeQueue) -> None:
        queue.waiting = [message("1"), message("2"), message("3")]
        queue.news.set()
        gates["1"].set()
        assert await queue.done.get() == ("delete", "1")
        # one is left in work, which is the threshold: the third is fetched while the second goes on
        gates["3"].set()
        assert await queue.done.get() == ("delete", "3")
        assert started == ["1", "2", "3"]
        gates["2"].set()

    listening(scenario, run)


def test_no_more_than_a_batch_and_the_threshold_are_in_work() -> None:
    most = 0
    in_work: set[str] = set()
    step = asyncio.Event()

    async def run(text: str, taken: QueueMessage) -> bool:
        nonlocal most
        in_work.add(taken.id)
        most = max(most, len(in_work))
        await asyncio.sleep(0.001)
        in_work.discard(taken.id)
        return True

    async def scenario(queue: FakeQueue) -> None:
        give(queue, *(message(str(number)) for number in range(30)))
        for _ in range(30):
            await queue.done.get()
        step.set()

    listening(scenario, run)
    assert 1 < most <= OPTIONS.batch_size + OPTIONS.new_batch_threshold


def test_polling_slows_down_to_the_maximum_while_the_queue_is_empty() -> None:
    pauses: list[float] = []

    async def scenario(queue: FakeQueue) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        for count in range(2, 6):
            while len(queue.asked_for) < count:
                await asyncio.sleep(0.005)
            pauses.append(loop.time() - last)
            last = loop.time()

    listening(scenario, succeeds, replace(OPTIONS, max_polling_interval=timedelta(milliseconds=150)))
    assert pauses[0] > 0.09
    assert all(pause > 0.14 for pause in pauses[1:])
    # doubling on would have made 0.8 s of the last one
    assert pauses[-1] < 0.7


def test_a_listener_outlives_an_outage_of_the_storage() -> None:
    async def scenario(queue: FakeQueue) -> None:
        queue.broken = 2
        give(queue, message("1"))
        assert await queue.done.get() == ("delete", "1")

    listening(scenario, succeeds)


def test_stopping_waits_for_the_messages_in_work() -> None:
    release = asyncio.Event()
    ended: list[Any] = []

    async def slow(text: str, taken: QueueMessage) -> bool:
        await release.wait()
        ended.append(taken.id)
        return True

    async def scenario(queue: FakeQueue) -> None:
        give(queue, message("1"))
        while queue.waiting:
            await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.05, release.set)

    listening(scenario, slow)
    assert ended == ["1"]
