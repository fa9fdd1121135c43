"""A caller's desk: the app's functions on services in memory, and every answer held to docs/openapi.yaml."""

import asyncio
import functools
import inspect
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import azure.functions as func
import yaml
from jsonschema import Draft202012Validator, FormatChecker

import function_app
from shared.bootstrap import use_services
from shared.engine.permissions import Api
from shared.engine.run import run_mailbox
from shared.engine.services import Services
from shared.engine.sides import BcCompany, BcUser, Mailbox
from shared.errors import MailboxUnavailable
from shared.planning.importing import Person, Unfit
from tests.fakes.outlook import MemoryDirectory, MemoryMailbox
from tests.fakes.watching import MemoryNotifications
from tests.fakes.world import COMPANY, World

ADA = "aaaaaaaa-0000-0000-0000-000000000001"
BEN = "bbbbbbbb-0000-0000-0000-000000000002"
SALES = "cccccccc-0000-0000-0000-000000000003"  #: a shared mailbox
GUEST = "dddddddd-0000-0000-0000-000000000004"
UNLICENSED = "eeeeeeee-0000-0000-0000-000000000005"
OTHER_COMPANY = "22222222-0000-0000-0000-000000000002"
TENANT = "99999999-0000-0000-0000-000000000009"

OPENAPI = Path(__file__).parents[2] / "docs" / "openapi.yaml"
FUNCTIONS = {each.get_function_name(): each for each in function_app.app.get_functions()}


@functools.cache
def openapi() -> dict[str, Any]:
    """The interface's description."""
    return dict(yaml.safe_load(OPENAPI.read_text(encoding="utf-8")))


@dataclass
class Directory:
    """Who has a mailbox: users by object id and by address."""

    mailboxes: MemoryDirectory
    people: dict[str, Mailbox] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def mailbox(self, user: str) -> Mailbox:
        self.asked.append(user)
        found = next((each for each in self.people.values() if user.lower() in (each.id, each.address)), None)
        if found is None:
            raise MailboxUnavailable("Microsoft 365 knows no such user.", code="unknown-user")
        if found.id == UNLICENSED:
            raise MailboxUnavailable("This user has no mailbox. Give the user a licence.", code="no-mailbox")
        return found

    def members(self, group_id: str) -> Sequence[Person]:
        return self.mailboxes.members(group_id)

    def find_all(self, names: Sequence[str]) -> Sequence[Person]:
        return self.mailboxes.find_all(names)

    def unusable(self, user_ids: Sequence[str]) -> Sequence[Unfit | None]:
        return self.mailboxes.unusable(user_ids)

    def outlook(self, mailbox_id: str) -> MemoryMailbox:
        return self.mailboxes.outlook(mailbox_id)

    def notifications(self) -> MemoryNotifications:
        return self.mailboxes.notifications()


class NamedCompanies:
    """The environment, with companies that have names."""

    def __init__(self, world: World) -> None:
        self._environment = world.environment

    def companies(self) -> list[BcCompany]:
        names = {COMPANY: "CRONUS AG", OTHER_COMPANY: "Fabrikam"}
        return [BcCompany(each, names[each], f"{names[each]} (displayed)") for each in self._environment.all]

    def company(self, company_id: str) -> Any:
        return self._environment.company(company_id)

    def users(self, company_id: str) -> Sequence[BcUser]:
        return self._environment.users(company_id)

    def notifications(self) -> MemoryNotifications:
        return self._environment.notifications()


class Sent:
    """A queue output of a function."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def set(self, messages: list[str]) -> None:
        self.messages = [json.loads(each) for each in messages]

    def get(self) -> None:
        """Nobody reads an output."""


@dataclass(frozen=True)
class Response:
    """An answer, read."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]
    sent: Mapping[str, list[dict[str, Any]]]

    @property
    def problem(self) -> tuple[int, str, str]:
        """Status, code and field of a problem."""
        assert self.status >= 400, self.body
        return self.status, self.body["code"], self.body.get("field", "")


class Desk:
    """Callers' and workers' hands. Everything works on `world`."""

    def __init__(self) -> None:
        self.world = World.new()
        tags = count(1)  # as Table Storage writes them: not fit for a header
        self.world.state.next_etag = lambda: f"W/\"datetime'2026-01-01T00%3A00%3A{next(tags):02d}Z'\""  # type: ignore[method-assign]
        self.directory = Directory(self.world.directory)
        for key, address, kind in (
            (ADA, "ada@contoso.example", "user"),
            (BEN, "ben@contoso.example", "user"),
            (SALES, "sales@contoso.example", "shared"),
            (GUEST, "guest@fabrikam.example", "guest"),
            (UNLICENSED, "new@contoso.example", "user"),
        ):
            self.directory.people[key] = Mailbox(key, address, kind)
        numbers = count(1)
        self.services: Services = replace(
            self.world.services,
            directory=lambda _pace: self.directory,
            business_central=lambda _pace: NamedCompanies(self.world),
            new_id=lambda: f"{next(numbers):08x}",
            tenant=TENANT,
        )
        use_services(self.services)

    def grant(self, graph: set[str], bc: set[str]) -> None:
        """The app's tokens carry these permissions from now on."""
        roles = {Api.GRAPH: frozenset(graph), Api.BC: frozenset(bc)}
        self.services = replace(self.services, granted=roles.__getitem__)
        use_services(self.services)

    def announce_at(self, address: str) -> None:
        """The app has a public address from now on: folders and companies are watched."""
        self.services = replace(self.services, public_address=address)
        use_services(self.services)

    # ------------------------------------------------------------ callers

    def call(
        self,
        method: str,
        address: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Response:
        """Call an address, see `call`."""
        return call(method, address, body, headers=headers, raw=raw)

    def save(self, user: str = ADA, body: object = None, **members: object) -> Response:
        """PUT a profile at the user door; it must work."""
        response = self.call("PUT", f"/api/profiles/{user}", body if body is not None else members)
        assert response.status in (200, 201), response.body
        return response

    def swing(self, contact: str) -> None:
        """A synced contact's title is set in BC and back in Ada's Outlook, until no run writes it any more (R38)."""
        mailbox = self.world.mailbox(ADA)
        for _ in range(3):
            self.world.clock.advance(minutes=1)
            self.world.bc.edit(contact, jobTitle="Chief")
            self._sync()
            self.world.clock.advance(minutes=1)
            mailbox.edit(next(iter(mailbox.entries)), job_title="Clerk")
            self._sync()

    def _sync(self) -> None:
        asked = self.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"})
        assert asked.status == 202, asked.body
        self.work()

    # ------------------------------------------------------------ workers

    def work(self, mailbox: str = ADA) -> None:
        """What the sync-jobs messages of a mailbox do."""
        for _ in range(20):
            run_mailbox(self.services, mailbox, "worker")
            if not self.services.mailboxes.waiting(mailbox):
                return
            self.world.clock.advance(seconds=61)
        raise AssertionError("the line never gets empty")


def call(
    method: str,
    address: str,
    body: object = None,
    *,
    headers: Mapping[str, str] | None = None,
    raw: bytes | None = None,
) -> Response:
    """Call an address; the answer is checked against the interface's description."""
    parts = urlsplit(address)
    function, template, values = _route(method, parts.path)
    content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
    request = func.HttpRequest(
        method=method,
        url=f"https://app.example{address}",
        headers=dict(headers or {}),
        params=dict(parse_qsl(parts.query, keep_blank_values=True)),
        route_params=values,
        body=content,
    )
    outputs = {name: Sent() for name in _outputs(function)}
    answered = FUNCTIONS[function].get_user_function()(req=request, **outputs)
    if inspect.isawaitable(answered):
        answered = asyncio.run(_finished(answered))
    content = answered.get_body()
    response = Response(
        answered.status_code,
        json.loads(content) if "json" in answered.mimetype else {"text": content.decode()},
        dict(answered.headers),
        {name: sent.messages for name, sent in outputs.items()},
    )
    check_answer(method, template, response, answered.mimetype)
    if response.status >= 400:
        is_webhook = "/webhooks/" in template  # who is in line already is woken
        assert is_webhook or not any(response.sent.values()), "a refused request must not wake anybody"
    return response


def check_answer(method: str, template: str, response: Response, mimetype: str) -> None:
    """Hold an answer to the description: status, type and every member."""
    responses = openapi()["paths"][template][method.lower()]["responses"]
    described = resolved(responses.get(str(response.status), responses["default"]))
    kinds = described.get("content")
    if kinds is None:
        assert response.body == {"text": ""}
        return
    assert mimetype in kinds, f"{method} {template} answered {response.status} {mimetype}: {response.body}"
    if mimetype == "text/plain":
        return
    schema = kinds[mimetype]["schema"] | {"components": openapi()["components"]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(response.body)


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """What a $ref of the description points to."""
    if "$ref" not in part:
        return part
    found: Any = openapi()
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return dict(found)


def bindings(function: str) -> list[dict[str, Any]]:
    """A function's bindings as the worker reports them."""
    return [json.loads(each) for each in FUNCTIONS[function].get_raw_bindings()]


def _outputs(function: str) -> list[str]:
    return [each["name"] for each in bindings(function) if each["type"] == "queue"]


def _route(method: str, path: str) -> tuple[str, str, dict[str, str]]:
    """As the platform: the functions in the order of their names, the first whose route and verb fit."""
    for name in sorted(FUNCTIONS):
        for binding in bindings(name):
            if binding["type"] != "httpTrigger" or method not in binding["methods"]:
                continue
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", f"/{binding['route']}")
            if match := re.fullmatch(pattern, path, re.IGNORECASE):
                return name, f"/{binding['route']}", {key: unquote(each) for key, each in match.groupdict().items()}
    raise AssertionError(f"no function for {method} {path}")


async def _finished(answered: Any) -> Any:
    return await answered
