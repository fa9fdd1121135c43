"""What the Outlook adapter asks of Graph names only what Microsoft's metadata knows: paths, options and bodies.

The metadata at hand is cut to contacts and what belongs to them; users are not in it. So of a user's addresses only
what comes behind `contactFolders` and `contacts` is checked, and requests about users themselves are left out.
"""

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
import requests
from requests.adapters import HTTPAdapter

from dev.simulators.launch import Simulators, start_simulators
from shared.cards.model import Field, Origin, OutlookContact, Stamp
from shared.engine.sides import FolderStamp, OutlookDraft, OutlookWrite
from shared.outlook.directory import OutlookDirectory
from shared.outlook.service import graph_service
from shared.pace import Pace
from shared.transport.auth import MsalTokens, Secret
from shared.transport.client import Client
from tests.fakes.cards import FULL_CARD
from tests.fakes.http_service import FakeTime

CSDL = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "graph-v1.0-contacts.csdl"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
#: where the addresses of a user lead to; users themselves are not in the metadata at hand
OF_USER = {"contactFolders": "Collection(graph.contactFolder)", "contacts": "Collection(graph.contact)"}

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not CSDL.exists(), reason="Microsoft's metadata (../shared/contracts) is not here"),
]

FOLDER = FolderStamp(company_id=str(uuid4()), profile_id="p1", environment="Production")


class Metadata:
    """The types of the file, with what they inherit."""

    def __init__(self, file: Path) -> None:
        root = ElementTree.parse(file).getroot()  # noqa: S314 - a file of Microsoft's on our own disk
        self._types = {
            each.get("Name", ""): each for each in root.iter() if each.tag in (f"{EDM}EntityType", f"{EDM}ComplexType")
        }
        self.functions = {
            (each.get("Name"), parameter.get("Type"))
            for each in root.iter(f"{EDM}Function")
            for parameter in each.findall(f"{EDM}Parameter")
        }

    def members(self, name: str, *, navigation: bool) -> dict[str, str]:
        """Properties of a type, and with `navigation` what it leads to, with their types."""
        found: dict[str, str] = {}
        wanted: str | None = name
        while wanted:
            element = self._types[wanted]
            for kind in ("Property", "NavigationProperty") if navigation else ("Property",):
                for each in element.findall(f"{EDM}{kind}"):
                    found.setdefault(each.get("Name", ""), each.get("Type", ""))
            wanted = (element.get("BaseType") or "").removeprefix("graph.") or None
        return found

    def mistakes_in_body(self, body: object, kind: str, where: str) -> Iterator[str]:
        """What of a JSON value is not as the type says."""
        if kind.startswith("Collection("):
            if not isinstance(body, list):
                yield f"{where} is no list"
                return
            for each in body:
                yield from self.mistakes_in_body(each, kind[len("Collection(") : -1], where)
        elif kind.startswith("graph."):
            if not isinstance(body, dict):
                yield f"{where} is no object"
                return
            known = self.members(kind.removeprefix("graph."), navigation=True)
            for name, value in body.items():
                if name not in known:
                    yield f"{where}.{name} is not in the metadata"
                elif value is not None:
                    yield from self.mistakes_in_body(value, known[name], f"{where}.{name}")
        elif kind in ("Edm.String", "Edm.DateTimeOffset") and not isinstance(body, str):
            yield f"{where} is no text"

    def mistakes_in_path(self, path: str) -> tuple[str, list[str]]:
        """The type that a path below /users/{id} leads to, and what of the path is unknown."""
        first, *rest = path.split("/")
        if first not in OF_USER:
            return "graph.entity", [f"{first} of a user is not expected"]
        kind = OF_USER[first]
        for segment in rest:
            if (segment, kind) in self.functions:
                continue
            if kind.startswith("Collection("):
                kind = kind[len("Collection(") : -1]  # an id
                continue
            known = self.members(kind.removeprefix("graph."), navigation=True)
            if segment not in known:
                return kind, [f"{segment} of {kind} is not in the metadata"]
            kind = known[segment]
        return kind, []

    def mistakes_in_options(self, options: dict[str, str], kind: str) -> Iterator[str]:
        """Names in $select, $expand, $filter and $orderby that the type does not have."""
        of_one = re.sub(r"Collection\((.*)\)", r"\1", kind).removeprefix("graph.")
        own, all_of_it = (self.members(of_one, navigation=each) for each in (False, True))
        for name in filter(None, options.get("$select", "").split(",")):
            if name not in own:
                yield f"$select={name} of {kind} is not in the metadata"
        if (expanded := re.match(r"\w+", options.get("$expand", ""))) and expanded[0] not in all_of_it:
            yield f"$expand={expanded[0]} of {kind} is not in the metadata"
        for option in ("$filter", "$orderby"):
            text = re.sub(r"'[^']*'", "", options.get(option, ""))
            for name in re.findall(r"^\w+", text):
                if name not in all_of_it:
                    yield f"{option}={name} of {kind} is not in the metadata"


class Recorder(HTTPAdapter):
    """The real way out, which remembers what went along it; parts of batches count as requests."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str, Any]] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        body = json.loads(request.body) if request.body else None
        address = (request.url or "").split("/v1.0", 1)[1]
        if address.startswith("/$batch"):
            self.sent += [(part["method"], part["url"], part.get("body")) for part in body["requests"]]
        self.sent.append((request.method or "", address, body))
        return super().send(request, *args, **more)


@dataclass
class Checked:
    """What was checked, so that the test can tell that it saw all that it wanted to see."""

    mistakes: list[str] = field(default_factory=list)
    kinds: set[tuple[str, str]] = field(default_factory=set)
    selects: int = 0


def check(metadata: Metadata, sent: list[tuple[str, str, Any]]) -> Checked:
    checked = Checked()
    for method, address, body in sent:
        parts = urlsplit(address)
        path = re.fullmatch(r"/users/[^/]+/(.+)", parts.path)
        if path is None:
            assert parts.path in ("/$batch", "/users") or re.fullmatch("/users/[^/]+", parts.path), parts.path
            continue
        kind, mistakes = metadata.mistakes_in_path(path[1])
        options = dict(parse_qsl(parts.query))
        mistakes += metadata.mistakes_in_options(options, kind)
        if body is not None:
            one = re.sub(r"Collection\((.*)\)", r"\1", kind)
            mistakes += metadata.mistakes_in_body(body, one, one)
        checked.mistakes += [f"{method} {each}" for each in mistakes]
        checked.kinds.add((method, kind))
        checked.selects += "$select" in options
    return checked


@pytest.fixture(scope="module")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    with start_simulators(("entra", "graph"), folder=tmp_path_factory.mktemp("simulators")) as running:
        yield running


@pytest.fixture
def sent(simulators: Simulators, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Any]]:
    """The requests of a story that uses everything that the adapter can do."""
    at, time, recorder = simulators.addresses, FakeTime(), Recorder()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", at.ca_file)
    tokens = MsalTokens(
        authority_host=at.authority_host, tenant=at.tenant, client_id=at.client_id, credential=Secret(at.client_secret)
    )
    client = Client(graph_service(at.graph_root), tokens, adapter=recorder, clock=time.clock, sleep=time.sleep)
    directory = OutlookDirectory(client, Pace(deadline=time.now + 3600), category="Business Central")
    user = simulators.graph.create_user("ada@contoso.example", mail="ada@contoso.example")
    existing = simulators.graph.create_folder(user, "Adopted")

    side = directory.outlook(directory.mailbox("ada@contoso.example").id)
    folder = side.create_folder("Business Central", FOLDER)
    side.stamp_folder(existing, FOLDER)
    side.find_folder(FOLDER)
    side.folder_named("Business Central")
    side.rename_folder(folder.id, "Customers")
    stamps = [Stamp(str(uuid4()), Origin.SYNC, "Production", FOLDER.company_id) for _ in range(25)]
    made = side.create(folder.id, [OutlookDraft(FULL_CARD, each) for each in stamps])
    contacts = [each for each in made if isinstance(each, OutlookContact)]
    assert len(contacts) == 25
    side.main_folder()
    position = side.changes(folder.id, None).delta_link
    new: dict[Field, str] = {each: "" for each in Field if each not in (Field.NAME, Field.PHONE, Field.CITY)}
    parts = ("Ada", "", "King")
    renamed = OutlookWrite(contacts[0], new | {Field.NAME: "Ada King", Field.CITY: "Bath"}, name_parts=parts)
    side.write(folder.id, [renamed, OutlookWrite(contacts[1], {Field.PHONE: "+44 3"}, stamp=stamps[0])])
    side.changes(folder.id, position)
    side.read(folder.id, [each.id for each in contacts])
    list(side.contacts(folder.id))
    side.remove(folder.id, [contacts[2].id])
    return recorder.sent


def test_requests_name_only_what_the_metadata_knows(sent: list[tuple[str, str, Any]]) -> None:
    checked = check(Metadata(CSDL), sent)
    assert checked.mistakes == []
    folders, contacts = "Collection(graph.contactFolder)", "Collection(graph.contact)"
    wanted = {("POST", folders), ("PATCH", "graph.contactFolder"), ("POST", contacts), ("PATCH", "graph.contact")}
    wanted |= {("GET", contacts), ("GET", "graph.contact"), ("GET", folders), ("DELETE", "graph.contact")}
    assert checked.kinds >= wanted
    assert checked.selects > 5


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("GET", "/users/u/contactFolders/f/contact", None),
        ("GET", "/users/u/people/c", None),
        ("GET", "/users/u/contactFolders/f/contacts/delta?$select=displayname", None),
        ("GET", "/users/u/contactFolders/f/contacts/c?$expand=extended($filter=id eq 'x')", None),
        ("POST", "/users/u/contactFolders/f/contacts", {"displayName": "Ada", "phone": "1"}),
        ("POST", "/users/u/contactFolders/f/contacts", {"businessAddress": {"country": "GB"}}),
        ("POST", "/users/u/contactFolders/f/contacts", {"businessPhones": "1"}),
        ("PATCH", "/users/u/contactFolders/f", {"name": "x"}),
    ],
)
def test_the_check_finds_what_the_metadata_lacks(method: str, address: str, body: Any) -> None:
    assert len(check(Metadata(CSDL), [(method, address, body)]).mistakes) == 1
