"""Feed a queue function from its queue, as the platform's listener does (reference 1.7, 5.1).

Batches of `batchSize`, fetched again when no more than `newBatchThreshold` messages are in work. A message is hidden
while it is worked on, and that is renewed at half time. A failed one comes back after `visibilityTimeout`; after
`maxDequeueCount` attempts it moves to the poison queue. The poison queue of a poison queue does not exist: there a
failed message stays hidden until its lease ends, lest it run in a fast, endless loop.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueMessage

from dev.host.queues import Queue, Queues
from dev.host.settings import QueueOptions

logger = logging.getLogger(__name__)

_SHORTEST_POLL = 0.1

#: Runs the function with (text, message); answers whether it succeeded.
type Run = Callable[[str, QueueMessage], Awaitable[bool]]


class QueueListener:
    """Listens to one queue for one function."""

    def __init__(self, queue: Queue, queues: Queues, connection: str, options: QueueOptions, run: Run) -> None:
        self._queue = queue
        self._queues = queues
        self._connection = connection
        self._options = options
        self._run = run
        self._in_work: set[asyncio.Task[None]] = set()

    async def listen(self, stopping: asyncio.Event) -> None:
        """Take messages until stopped; then wait for those in work."""
        pause = _SHORTEST_POLL
        while not stopping.is_set():
            self._queue.news.clear()
            if messages := await self._receive():
                pause = _SHORTEST_POLL
                for message in messages:
                    task = asyncio.create_task(self._work_on(message))
                    self._in_work.add(task)
                    task.add_done_callback(self._in_work.discard)
                await self._wait_for_room(stopping)
            else:
                await _first_of(stopping, self._queue.news, seconds=pause)
                pause = min(pause * 2, self._options.max_polling_interval.total_seconds())
        while self._in_work:
            await asyncio.wait(self._in_work)

    async def _receive(self) -> list[QueueMessage]:
        try:
            return await self._queue.receive(self._options.batch_size, self._options.lease.total_seconds())
        except AzureError as error:
            # storage is away, or the queue was deleted: the platform keeps trying, too
            logger.warning("Queue %s cannot be read: %s", self._queue.name, error.__class__.__name__)
            return []

    async def _wait_for_room(self, stopping: asyncio.Event) -> None:
        while len(self._in_work) > self._options.new_batch_threshold and not stopping.is_set():
            stop = asyncio.create_task(stopping.wait())
            await asyncio.wait({*self._in_work, stop}, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()

    async def _work_on(self, message: QueueMessage) -> None:
        try:
            text = self._queue.decode(message.content)
        except ValueError as error:
            logger.error("Queue %s, message %s: %s", self._queue.name, message.id, error)
            await self._settle(message, self._give_up(message))
            return
        if (message.dequeue_count or 0) > self._options.max_dequeue_count and not self._queue.is_poison:
            # taken often enough, but its last attempt never ended: the process died
            await self._settle(message, self._give_up(message))
            return
        finished = asyncio.Event()
        renewal = asyncio.create_task(self._keep_hidden(message, finished))
        try:
            succeeded = await self._run(text, message)
        finally:
            finished.set()
            await renewal
        await self._settle(message, self._queue.delete(message) if succeeded else self._failed(message))

    async def _keep_hidden(self, message: QueueMessage, finished: asyncio.Event) -> None:
        seconds = self._options.lease.total_seconds()
        while not await _first_of(finished, seconds=seconds / 2):
            await self._settle(message, self._queue.hide(message, seconds))

    async def _failed(self, message: QueueMessage) -> None:
        if self._queue.is_poison:
            return
        if (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            await self._give_up(message)
        else:
            await self._queue.hide(message, self._options.visibility_timeout.total_seconds())

    async def _give_up(self, message: QueueMessage) -> None:
        if self._queue.is_poison:
            return
        poison = await self._queues.poison_of(self._connection, self._queue)
        await poison.send_raw(message.content)
        await self._queue.delete(message)
        logger.error("Message %s moved to queue %s", message.id, poison.name)

    async def _settle(self, message: QueueMessage, step: Awaitable[None]) -> None:
        # Somebody else may hold or have removed the message by now, or storage is away: it comes back by itself.
        try:
            await step
        except AzureError as error:
            logger.warning("Queue %s, message %s: %s", self._queue.name, message.id, error.__class__.__name__)


async def _first_of(*events: asyncio.Event, seconds: float) -> bool:
    """Wait for one of the events, but no longer than that; True when one is set."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    return any(event.is_set() for event in events)
