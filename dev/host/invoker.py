"""Call functions the way each trigger does, and write what they put into their queue outputs."""

import json
import logging
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueMessage

from dev.host.functions import Function, HttpTrigger, QueueTrigger
from dev.host.queues import Queues
from dev.host.worker import Datum, Inputs, Invocation, Metadata, Worker, json_datum, text, texts

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A request as the worker wants it: header names in lower case, each value a single string."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    route_values: Mapping[str, str]
    body: bytes


class Invoker:
    """Runs functions in the worker. If a function raises, or an output cannot be written, the invocation failed."""

    def __init__(self, worker: Worker, queues: Queues) -> None:
        self._worker = worker
        self._queues = queues

    async def http(self, function: Function, call: HttpCall) -> Invocation:
        """Call an HTTP function."""
        request = {
            "method": text(call.method),
            "url": text(call.url),
            "headers": texts(call.headers),
            # as on the platform: a query parameter without a value does not reach the function
            "query": texts({name: value for name, value in call.query.items() if value}),
            "params": texts(call.route_values),
            "body": Datum(call.body, "bytes"),
        }
        return await self._call(function, [(function.trigger.argument, Datum(request, "http"))], {})

    async def timer(self, function: Function) -> bool:
        """Call a timer function; True when it succeeded."""
        # no monitor: this host does not remember runs over a restart, so a run is never past due
        timer = json_datum({"IsPastDue": False, "Schedule": {"AdjustForDST": True}, "ScheduleStatus": None})
        return (await self._call(function, [(function.trigger.argument, timer)], {})).succeeded

    async def queue(self, function: Function, content: str, message: QueueMessage) -> bool:
        """Call a queue function with a message taken from its queue; True when it succeeded."""
        metadata = {
            "Id": text(message.id),
            "PopReceipt": text(message.pop_receipt or ""),
            "DequeueCount": json_datum(message.dequeue_count),
            "InsertionTime": json_datum(_moment(message.inserted_on)),
            "ExpirationTime": json_datum(_moment(message.expires_on)),
            "NextVisibleTime": json_datum(_moment(message.next_visible_on)),
        }
        return (await self._call(function, [(function.trigger.argument, text(content))], metadata)).succeeded

    async def by_hand(self, function: Function, content: str) -> bool:
        """Fire a timer or queue function without schedule or queue; True when it succeeded."""
        if not isinstance(function.trigger, QueueTrigger):
            return await self.timer(function)
        message = QueueMessage(content=content, id=str(uuid.uuid4()), dequeue_count=1)
        message.inserted_on = message.next_visible_on = datetime.now(UTC)
        message.expires_on = message.inserted_on + timedelta(days=7)
        return await self.queue(function, content, message)

    async def _call(self, function: Function, inputs: Inputs, metadata: Metadata) -> Invocation:
        result = await self._worker.invoke(function.id, inputs, metadata)
        if not result.succeeded:
            logger.error("Function %s failed: %s", function.name, _kind(result.error))
            return result
        outputs = list(result.outputs)
        if result.value is not None and not isinstance(function.trigger, HttpTrigger):
            outputs.append(("$return", result.value))
        try:
            for name, value in outputs:
                await self._write(function, name, value)
        except (AzureError, ValueError) as error:
            logger.error("Function %s: an output could not be written: %s", function.name, error)
            return Invocation(False, None, (), repr(error))
        return result

    async def _write(self, function: Function, name: str, value: Datum) -> None:
        if name not in function.outputs:
            return
        output = function.outputs[name]
        queue = await self._queues.open(output.connection, output.queue)
        for message in _messages(value):
            await queue.send(message)


def _messages(value: Datum) -> Iterable[str]:
    """A string is one message, a JSON array of strings one message each (reference 2.1)."""
    if value.type == "string":
        return [value.value]
    found = json.loads(value.value) if value.type == "json" else None
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return found
    raise ValueError("queue outputs take a str or a list of str")


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _kind(error: str | None) -> str:
    # the library has logged the exception with its traceback; its text may hold what the function worked on
    return (error or "").split("(", 1)[0]
