"""The app's queues in a test's hands: each message is seen before its function gets it."""

import base64
from types import TracebackType
from typing import Self

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueServiceClient

from dev.system import System

_VERSION = "2025-11-05"  # the newest that Azurite 3.35 knows

#: what somebody holds in Business Central that is found wherever it stands
TELLING = {
    "jobTitle": "Wombat keeper",
    "phoneNumber": "+44 20 7946 4711",
    "mobilePhoneNumber": "+44 7700 900815",
    "addressLine1": "7 Platypus Lane",
    "city": "Ballarat",
    "website": "https://quokka.example",
}


class Queued:
    """Serves the queues of a system whose queue triggers (`FUNCTIONS`) are off."""

    FUNCTIONS = ("company_jobs", "company_jobs_poison", "sync_jobs", "sync_jobs_poison")

    def __init__(self, system: System) -> None:
        self._app = system.app
        self._prefix = system.settings["STORAGE_PREFIX"]
        self._service = QueueServiceClient.from_connection_string(
            system.azurite.connection_string, api_version=_VERSION
        )
        self.seen: list[str] = []  #: the bodies of all messages, oldest first

    def work(self) -> None:
        """Hand over all messages, and those that come of them, until there are none."""
        while sum(self._serve(each) for each in self.FUNCTIONS):
            pass

    def _serve(self, function: str) -> bool:
        served = False
        with self._service.get_queue_client(f"{self._prefix}-{function.replace('_', '-')}") as queue:
            try:
                while message := queue.receive_message(visibility_timeout=600):
                    served = True
                    body = base64.b64decode(message.content).decode()
                    self.seen.append(body)
                    queue.delete_message(message.id, message.pop_receipt)
                    self._app.fire(function, body)
            except ResourceNotFoundError:
                pass  # a queue that was never needed
        return served

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._service.close()
