"""A function that plays Graph for the adapter: a test says what it answers and looks at what it was sent."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import requests

from shared.cards.model import Card, Field, Origin, OutlookContact, Stamp
from shared.engine.sides import OutlookDraft, OutlookWrite
from shared.outlook.directory import OutlookDirectory
from shared.outlook.service import graph_service
from shared.outlook.side import OutlookMailbox
from shared.outlook.wire import CONTACT_PROPERTIES
from shared.pace import Pace
from shared.transport.client import Client
from tests.fakes.http_service import FakeService, FakeTime, Tokens

ROOT = "https://graph.example"
UID = "0f3c0000-0000-0000-0000-000000000001"
FID = "AAMk/Folder="
STAMP = Stamp("b1", Origin.SYNC, "Production", "c0")
IMMUTABLE = 'IdType="ImmutableId"'
Reply = tuple[int, Any] | Exception


@dataclass
class Call:
    """One request or one part of a batch, as the service sees it: the path without root, decoded."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any
    in_batch: bool = False


def sent(request: requests.PreparedRequest) -> Any:
    return json.loads(request.body) if request.body else None


@dataclass
class Graph:
    """Answers every request and every part of a batch by `reply(call)` -> (status, body)."""

    reply: Callable[[Call], Reply]
    calls: list[Call] = field(default_factory=list)
    outer: list[requests.PreparedRequest] = field(default_factory=list)

    def __call__(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], Any]:
        self.outer.append(request)
        body = sent(request)
        url = str(request.url).removeprefix(f"{ROOT}/v1.0")
        if url != "/$batch":
            status, answer = self._answer(Call(str(request.method), unquote(url), dict(request.headers), body))
            return status, {}, answer
        responses = []
        for part in body["requests"]:
            call = Call(part["method"], unquote(part["url"]), part.get("headers", {}), part.get("body"), in_batch=True)
            status, answer = self._answer(call)
            responses.append({"id": part["id"], "status": status, "headers": {}, "body": answer})
        return 200, {}, {"responses": responses[::-1]}

    def _answer(self, call: Call) -> tuple[int, Any]:
        self.calls.append(call)
        answer = self.reply(call)
        if isinstance(answer, Exception):
            raise answer
        return answer


def client_for(graph: Graph) -> tuple[Client, Pace]:
    time = FakeTime()
    client = Client(
        graph_service(f"{ROOT}/"),
        Tokens(),
        adapter=FakeService(graph),
        clock=time.clock,
        sleep=time.sleep,
        jitter=lambda: 0.5,
    )
    return client, Pace(deadline=time.now + 600)


def mailbox(reply: Callable[[Call], Reply]) -> tuple[OutlookMailbox, Graph]:
    graph = Graph(reply)
    client, pace = client_for(graph)
    return OutlookDirectory(client, pace, category="Business Central").outlook(UID), graph


def error(status: int, code: str, message: str = "") -> tuple[int, Any]:
    return status, {"error": {"code": code, "message": message}}


def row(contact_id: str, **properties: Any) -> dict[str, Any]:
    return {"id": contact_id, **dict.fromkeys(CONTACT_PROPERTIES), "parentFolderId": FID, **properties}


def drafts(number: int) -> list[OutlookDraft]:
    return [OutlookDraft(Card(name=f"N{each}"), STAMP) for each in range(number)]


def write_of(contact_id: str = "c1", etag: str = 'W/"1"') -> OutlookWrite:
    current = OutlookContact(contact_id, etag, Card(name="Ada"), stamp=STAMP, marks_known=True, private=False)
    return OutlookWrite(current, {Field.JOB_TITLE: "CTO"})
