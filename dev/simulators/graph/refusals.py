"""Refusals in Graph's error envelope (reference 12.1)."""

import uuid
from collections.abc import Mapping

from dev.simulators.exchange import Answer, Request


class Refused(Exception):
    """A request that Graph refuses."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        """Keep what the answer will say."""
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def answer(self, request: Request, stamp: str) -> Answer:
        """Return the answer with its envelope; `stamp` is the simulated time."""
        request_id = str(uuid.uuid4())
        inner = {"date": stamp.removesuffix("Z"), "request-id": request_id}
        inner["client-request-id"] = request.headers.get("client-request-id", request_id)
        error = {"code": self.code, "message": self.message, "innerError": inner}
        return Answer(self.status, {"error": error}, {"request-id": request_id, **self.headers})


def not_found() -> Refused:
    """Item or folder is not there."""
    return Refused(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def malformed_id() -> Refused:
    """An id that cannot be parsed."""
    return Refused(400, "ErrorInvalidIdMalformed", "Id is malformed.")


def bad_request(message: str, code: str = "ErrorInvalidRequest") -> Refused:
    """A request that makes no sense."""
    return Refused(400, code, message)


def bad_query(message: str) -> Refused:
    """A query option or URL that makes no sense."""
    return Refused(400, "RequestBroker--ParseUri", message)


def wrong_verb(method: str) -> Refused:
    """A verb that the addressed thing does not know."""
    return Refused(405, "ErrorInvalidRequest", f"The OData request is not supported. Method '{method}' not allowed.")
