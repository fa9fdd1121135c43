"""Walking a list to its end: all pages or an exception, never a part taken for the whole (BC reference 3.3, R25)."""

from collections.abc import Iterator
from typing import Any

from shared.business_central.reactions import company_error
from shared.business_central.wire import PRIMARY
from shared.errors import RetryableError
from shared.pace import Pace
from shared.transport.client import Answer, Client

MOST_RESTARTS = 2


class _Broken(Exception):
    """A page's link is not accepted any more, so the walk has to begin anew."""


def walk(client: Client, pace: Pace, path: str, *, what: str, page_size: int | None = None) -> Iterator[dict[str, Any]]:
    """Every row of a list, read from the primary.

    When BC refuses to go on from a page (its last row was deleted meanwhile), the walk begins anew; rows that were
    handed out are left out then unless they changed. Raises CompanyUnavailable, RetryableError, SyncError.
    """
    headers = {**PRIMARY, "Prefer": f"odata.maxpagesize={page_size}"} if page_size else dict(PRIMARY)
    handed_out: set[tuple[str, str]] = set()
    for _ in range(MOST_RESTARTS + 1):
        try:
            for row in _pages(client, pace, path, headers, what):
                key, tag = row.get("id"), row.get("@odata.etag")
                if not isinstance(key, str) or not isinstance(tag, str):
                    yield row  # without both, nobody can say whether it is the same as another one
                elif (key, tag) not in handed_out:
                    handed_out.add((key, tag))
                    yield row
        except _Broken:
            continue
        return
    raise RetryableError("Business Central did not let a list be read to its end; it is tried again later.")


def page(answer: Answer) -> tuple[list[dict[str, Any]], str | None]:
    """Rows and next link of one page. Raises RetryableError when it is not a page."""
    body = answer.body
    rows = body.get("value") if isinstance(body, dict) else None
    link = body.get("@odata.nextLink") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not isinstance(link, str | None):
        raise RetryableError(
            "Business Central's answer is not a list; it is read again later.", code="unreadable-answer"
        )
    return rows, link


def _pages(client: Client, pace: Pace, path: str, headers: dict[str, str], what: str) -> Iterator[dict[str, Any]]:
    link: str | None = path
    followed: set[str] = set()
    while link is not None:
        answer = client.request("GET", link, pace=pace, what=what, headers=headers)
        if not answer.ok:
            if followed and 400 <= answer.status < 500 and answer.status not in {401, 403}:
                raise _Broken
            raise company_error(answer)
        rows, following = page(answer)
        yield from rows
        followed.add(link)
        if following in followed:
            raise _Broken  # it would go on for ever
        link = following
