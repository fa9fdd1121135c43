"""Errors as application/problem+json (RFC 9457), in one place."""

import functools
import logging
import traceback
import uuid
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import azure.functions as func

from shared.errors import (
    CompanyError,
    ContactError,
    LeaseLost,
    ProfileError,
    RequestError,
    RetryableError,
    SyncError,
    Throttled,
)
from shared.json_text import json_text
from shared.logs import log_event

logger = logging.getLogger(__name__)

MIME_TYPE = "application/problem+json"
RETRY_AFTER = 10  #: seconds, where the service names none

#: 409: the request is fine, but things are not so that it can be served; it says what to mend
_NOT_FOUND = ("unknown-user", "company-not-found")


def answering[**P](handler: Callable[P, func.HttpResponse]) -> Callable[P, func.HttpResponse]:
    """An HTTP function whose errors become problems."""

    @functools.wraps(handler)
    def answer(*args: P.args, **kwargs: P.kwargs) -> func.HttpResponse:
        try:
            return handler(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the one place that answers whatever happens
            return problem_of(error)

    return answer


def answering_later[**P](
    handler: Callable[P, Awaitable[func.HttpResponse]],
) -> Callable[P, Awaitable[func.HttpResponse]]:
    """The same for an `async def`: the worker must see that it is one."""

    @functools.wraps(handler)
    async def answer(*args: P.args, **kwargs: P.kwargs) -> func.HttpResponse:
        try:
            return await handler(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the one place that answers whatever happens
            return problem_of(error)

    return answer


def problem_of(error: Exception) -> func.HttpResponse:
    """The answer for an error; logs what it is, never what it says about a contact."""
    if not isinstance(error, SyncError):
        return _unexpected(error)
    status = _status(error)
    level = logging.ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
    log_event(logger, "request_refused", level=level, status=status, code=error.code)
    headers = {}
    if isinstance(error, RetryableError):
        headers["Retry-After"] = str(round(error.retry_after) if isinstance(error, Throttled) else RETRY_AFTER)
    field = getattr(error, "field", None)
    more = error.more if isinstance(error, RequestError) else None
    return problem(status, error.code, str(error), field=field, more=more, headers=headers)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    field: str | None = None,
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> func.HttpResponse:
    """A problem as an answer. `code` is stable; `detail` says what to do; `field` is the member it is about."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if field:
        body["field"] = field
    text = json_text(body | dict(more or {}))
    return func.HttpResponse(text, status_code=status, mimetype=MIME_TYPE, headers=dict(headers or {}))


def _status(error: SyncError) -> int:
    match error:
        case RequestError():
            return error.status
        case RetryableError() | LeaseLost():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case ProfileError() | CompanyError() | ContactError():
            return HTTPStatus.NOT_FOUND if error.code in _NOT_FOUND else HTTPStatus.CONFLICT
        case _:
            return HTTPStatus.INTERNAL_SERVER_ERROR


def _unexpected(error: Exception) -> func.HttpResponse:
    number = uuid.uuid4().hex[:12]
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f"{place[0].filename.rpartition('/')[2]}:{place[0].lineno}" if place else ""
    # the exception's text is left out: it may quote what it worked on
    log_event(logger, "request_broke", level=logging.ERROR, id=number, error=type(error).__name__, where=where)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "unexpected",
        f"Something unexpected happened. Try again; if it stays, report it with the number {number}.",
        more={"id": number},
    )
