"""The seam to Azure's own Python worker library, `azure-functions-runtime`.

The library indexes the app and runs its functions exactly as it does in Azure. It expects a protobuf module only to
construct answers, so a stand-in is enough, and its module `native_invocation` takes plain `Datum` values. That module
is internal to the library: `tests/host/test_worker_seam.py` pins what is used here.

The library keeps its state in module globals and reads the process's environment: one app per process.
"""

import asyncio
import json
import os
import sys
import threading
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime import native_invocation
from azure_functions_runtime.bindings.datumdef import Datum

from dev.host.errors import HostStartError
from dev.host.functions import IndexedFunction

__all__ = ["Datum", "Inputs", "Invocation", "Metadata", "Worker", "json_datum", "text", "texts"]

type Inputs = list[tuple[str, Datum]]
type Metadata = dict[str, Datum]


@dataclass(frozen=True, slots=True)
class Invocation:
    """What became of a call: its value and outputs (name, Datum), or the error."""

    succeeded: bool
    value: Datum | None
    outputs: tuple[tuple[str, Datum], ...]
    error: str | None


class Protobuf:
    """Stand-in for the protobuf module: every message type is a plain namespace."""

    class StatusResult(SimpleNamespace):
        """Outcome of a request to the worker."""

        Failure, Success = 0, 1

    class BindingInfo(SimpleNamespace):
        """A binding's direction, as numbered by the platform."""

        undefined, out, inout = 0, 1, 2

    def __getattr__(self, name: str) -> type[SimpleNamespace]:
        return type(name, (SimpleNamespace,), {})


class Worker:
    """The worker library with its own event loop in its own thread.

    As on the platform, a function that blocks the loop stalls the other invocations, but not the host.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="worker", daemon=True)
        self.running = 0

    def start(self, app_dir: Path) -> tuple[IndexedFunction, ...]:
        """Index the app; changes the working directory and the import path to it, as the worker does.

        Raises HostStartError with the worker's own message when the app is refused.
        """
        os.chdir(app_dir)
        sys.path.insert(0, str(app_dir))
        self._thread.start()
        runtime.start_threadpool_executor()
        request = SimpleNamespace(capabilities={}, function_app_directory=str(app_dir))
        answer = self._wait_for(
            runtime.worker_init_request(
                SimpleNamespace(
                    properties={"host": "127.0.0.1", "protos": Protobuf()},
                    request=SimpleNamespace(worker_init_request=request),
                )
            )
        )
        if answer.result.status != Protobuf.StatusResult.Success:
            raise HostStartError(f"The worker refuses the app. {answer.result.exception.message}")
        metadata = self._wait_for(
            runtime.functions_metadata_request(SimpleNamespace(properties={}, request=None))
        ).function_metadata_results
        return tuple(
            IndexedFunction(each.name, each.function_id, [json.loads(binding) for binding in each.raw_bindings])
            for each in metadata or ()
        )

    async def invoke(self, function_id: str, inputs: Inputs, metadata: Metadata) -> Invocation:
        """Run a function; its exceptions are logged by the library and reported in the result."""
        call = native_invocation.invocation_request_native(str(uuid.uuid4()), function_id, inputs, metadata)
        self.running += 1
        try:
            succeeded, value, outputs, error, _ = await asyncio.wrap_future(
                asyncio.run_coroutine_threadsafe(call, self._loop)
            )
        finally:
            self.running -= 1
        return Invocation(succeeded, value, tuple(outputs), error)

    def stop(self) -> None:
        """Wait for the threads of plain functions, then stop the loop."""
        runtime.stop_threadpool_executor()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _wait_for(self, call: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result()


def text(value: str) -> Datum:
    """A string for the worker."""
    return Datum(value, "string")


def json_datum(value: object) -> Datum:
    """A JSON value for the worker."""
    return Datum(json.dumps(value), "json")


def texts(values: Mapping[str, str]) -> dict[str, Datum]:
    """Strings by name for the worker."""
    return {name: text(value) for name, value in values.items()}
