"""Storage queues: one client per queue, created when missing, with the platform's message encoding."""

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient, QueueMessage

logger = logging.getLogger(__name__)

#: The newest version that Azurite 3.35 knows; the library would ask for a newer one.
_API_VERSION = "2025-11-05"
_POISON = "-poison"


class Queue:
    """One queue. Calls block, so they run in threads of their own."""

    def __init__(self, client: QueueClient, threads: ThreadPoolExecutor, encode: bool) -> None:
        self._client = client
        self._threads = threads
        self._encode = encode
        self.name = client.queue_name
        #: set when this host put a message in, so that its own listener need not wait for its next poll
        self.news = asyncio.Event()

    @property
    def is_poison(self) -> bool:
        """Whether this queue keeps the messages that another one gave up."""
        return self.name.endswith(_POISON)

    async def create(self) -> None:
        """Create the queue unless it exists."""
        try:
            await self._run(self._client.create_queue)
        except ResourceExistsError:
            return
        logger.info("Created queue %s", self.name)

    async def send(self, content: str) -> None:
        """Add a message, encoded as host.json says."""
        await self.send_raw(base64.b64encode(content.encode()).decode() if self._encode else content)

    async def send_raw(self, content: str) -> None:
        """Add a message as it is."""
        await self._run(lambda: self._client.send_message(content))
        self.news.set()

    async def receive(self, count: int, hidden_for: float) -> list[QueueMessage]:
        """Take up to `count` messages and hide them for so many seconds."""
        return await self._run(
            lambda: list(
                self._client.receive_messages(
                    messages_per_page=count, max_messages=count, visibility_timeout=int(hidden_for)
                )
            )
        )

    async def hide(self, message: QueueMessage, seconds: float) -> None:
        """Hide a taken message for so many seconds from now; renews the message's receipt."""
        updated = await self._run(
            lambda: self._client.update_message(message.id, message.pop_receipt, visibility_timeout=int(seconds))
        )
        message.pop_receipt = updated.pop_receipt

    async def delete(self, message: QueueMessage) -> None:
        """Remove a taken message."""
        await self._run(lambda: self._client.delete_message(message.id, message.pop_receipt))

    def decode(self, content: str) -> str:
        """The text of a message; raises ValueError when it is not encoded as host.json says."""
        if not self._encode:
            return content
        try:
            return base64.b64decode(content, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError("the message is not base64-encoded text") from error

    async def _run[T](self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


class Queues:
    """All queues of the host, by connection and name."""

    def __init__(self, encode: bool) -> None:
        self._threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="queues")
        self._encode = encode
        self._queues: dict[tuple[str, str], Queue] = {}

    async def open(self, connection: str, name: str) -> Queue:
        """The queue of that name, created when missing."""
        key = (connection, name)
        if key not in self._queues:
            client = QueueClient.from_connection_string(connection, name, api_version=_API_VERSION)
            queue = Queue(client, self._threads, self._encode)
            await queue.create()
            self._queues.setdefault(key, queue)
        return self._queues[key]

    async def poison_of(self, connection: str, queue: Queue) -> Queue:
        """Where a queue's hopeless messages go."""
        return await self.open(connection, queue.name + _POISON)

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)
