"""Graph as a service of the transport, and the requests of one mailbox."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from shared.errors import RetryableError, SyncError
from shared.outlook import wire
from shared.outlook.errors import is_final, mailbox_failure
from shared.pace import Pace
from shared.transport.batch import Batches, BatchRefused, Part, Unanswered
from shared.transport.client import Answer, Client, Service
from shared.transport.gates import Quota

READ_TIMEOUT = 120.0
#: Of the 10,000 in ten minutes that a mailbox takes of one app (reference 8.1); the rest is for what other instances of
#: the app ask, and for the moments by which its count and ours differ.
QUOTA = Quota(requests=9_900, seconds=600.0)

#: What makes our error of a refusal.
type Failure = Callable[[Answer], SyncError]


def graph_service(root: str) -> Service:
    """How the client treats Graph at `root` ("https://graph.microsoft.com"; national clouds: reference 10.6)."""
    root = root.rstrip("/")
    return Service(
        name="graph",
        root=f"{root}/v1.0",
        scope=f"{root}/.default",
        headers=wire.PREFER,
        read_timeout=READ_TIMEOUT,
        quota=QUOTA,
        is_final=is_final,
    )


class Requests:
    """Single requests, pages and batches: a mailbox takes four at a time, and a batch uses all (reference 7.1), so that
    nothing else may be under way beside one."""

    def __init__(self, client: Client, pace: Pace, mailbox: str = "") -> None:
        """For one run; `pace` is its. `mailbox`, an object id: whose quota it uses; blank for the directory."""
        self._client = client
        self._pace = pace
        self._mailbox = mailbox
        self._batches = Batches(client, pace, most=wire.MOST_IN_BATCH, whose=mailbox)

    def send(
        self, method: str, url: str, *, what: str, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request; the answer whatever its status."""
        return self._client.request(
            method, url, pace=self._pace, what=what, json=json, headers=headers, whose=self._mailbox
        )

    def get(
        self, url: str, *, what: str, headers: Mapping[str, str] | None = None, failure: Failure = mailbox_failure
    ) -> Answer:
        """Read something of the mailbox. Raises what `failure` makes of a refusal."""
        answer = self.send("GET", url, what=what, headers=headers)
        if not answer.ok:
            raise failure(answer)
        return answer

    def pages(
        self, url: str, *, what: str, headers: Mapping[str, str] | None = None, failure: Failure = mailbox_failure
    ) -> Iterator[Answer]:
        """All pages of a collection, following links as they are; the last one has no nextLink."""
        seen: set[str] = set()
        while url:
            answer = self.get(url, what=what, headers=headers, failure=failure)
            yield answer
            url = wire.link(answer.body, "nextLink")
            if url in seen:
                raise RetryableError("Outlook hands out the same page again and again; the run goes on later.")
            seen.add(url)

    def rows(self, url: str, *, what: str, failure: Failure = mailbox_failure) -> Iterator[wire.Json]:
        """All entities of a collection."""
        for page in self.pages(url, what=what, failure=failure):
            yield from wire.rows(page.body)

    def batch(self, parts: Sequence[Part], *, what: str) -> list[Answer | Unanswered]:
        """Carry out parts, in their order; outcomes one by one. Raises when a whole batch is refused."""
        if not parts:
            return []
        try:
            return self._batches.run(parts, what=what)
        except BatchRefused as refused:
            raise mailbox_failure(refused.answer) from None


def reading(url: str) -> Part:
    """A GET as part of a batch."""
    return Part("GET", url, wire.PREFER)
