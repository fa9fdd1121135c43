"""No answer of Graph or Business Central, however strange, gets past the adapters as anything but an error of ours.

Each act is done once with the simulators; then every place in every answer is spoiled in turn, and the act is done
again with that. It may come to something or to a SyncError (a note or a failed run with a stable code), never to
another exception: that would be a crash.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from dev.simulators.launch import Addresses, Simulators, start_simulators
from shared.business_central.environment import Environment, service
from shared.cards.model import Field
from shared.engine.sides import BcDraft, BcWrite, Folder, OutlookWrite
from shared.engine.watching import Draft
from shared.errors import SyncError
from shared.outlook.directory import OutlookDirectory
from shared.outlook.service import graph_service
from shared.pace import Pace
from shared.transport.auth import MsalTokens, Secret
from shared.transport.client import Client, Service
from tests.contract.mangling import Recorded, Recorder, played, variants
from tests.contract.outlook.office import ADDRESS, CATEGORY, STAMP, draft
from tests.fakes.http_service import FakeService, FakeTime, Tokens

pytestmark = pytest.mark.integration


@dataclass
class Office:
    """One mailbox with a folder and contacts, one company with contacts, real services behind both."""

    graph: Service
    bc: Service
    user: str
    folder: Folder
    contact: Any
    company: str
    delta: str
    tokens: MsalTokens
    running: Simulators


def _tokens(at: Addresses) -> MsalTokens:
    return MsalTokens(
        authority_host=at.authority_host,
        tenant=at.tenant,
        client_id=at.client_id,
        credential=Secret(at.client_secret),
    )


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with (
        start_simulators(("entra", "graph", "bc"), folder=tmp_path_factory.mktemp("simulators")) as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        at = running.addresses
        patch.setenv("REQUESTS_CA_BUNDLE", at.ca_file)
        graph = graph_service(at.graph_root)
        bc = service(root=at.bc_root, tenant=at.tenant, environment="Production", scope=at.bc_scope)
        tokens = _tokens(at)
        user = running.graph.create_user(ADDRESS, mail=ADDRESS)
        persons = [{"displayName": f"Ann {n}", "email": f"ann{n}@x.example", "country": "CH"} for n in range(3)]
        running.bc.seed(persons)
        pace, client = Pace(deadline=1e12), Client(graph, tokens)
        side = OutlookDirectory(client, pace, category=CATEGORY).outlook(user)
        folder = side.create_folder("Business Central", STAMP)
        (contact,) = side.create(folder.id, [draft()])
        delta = side.changes(folder.id, None).delta_link
        running.graph.create_contact(user, {"displayName": "Ben", "emailAddresses": []}, folder.id)
        yield Office(graph, bc, user, folder, contact, running.bc.companies()[0]["id"], delta, tokens, running)


def in_graph(do: Callable[[Office, OutlookDirectory], object]) -> Callable[[Office, Client, Pace], object]:
    return lambda office, client, pace: do(office, OutlookDirectory(client, pace, category=CATEGORY))


def in_bc(do: Callable[[Office, Environment], object]) -> Callable[[Office, Client, Pace], object]:
    return lambda office, client, pace: do(office, Environment(client, pace))


def watch(office: Office) -> Draft:
    return Draft(
        office.company,
        office.user,
        office.folder.id,
        "https://127.0.0.1:1",
        client_state="secret",
        expires_at=datetime.now(UTC) + timedelta(days=2),
    )


def write_in_outlook(office: Office, directory: OutlookDirectory) -> object:
    return directory.outlook(office.user).write(office.folder.id, [OutlookWrite(office.contact, {Field.CITY: "Bern"})])


def write_in_bc(office: Office, environment: Environment) -> object:
    company = environment.company(office.company)
    return company.write([BcWrite(each, {Field.CITY: "Bern"}) for each in list(company.contacts())[:2]])


def remove_in_bc(office: Office, environment: Environment) -> object:
    company = environment.company(office.company)
    return company.remove(list(company.contacts())[-1:])


GRAPH: dict[str, Callable[[Office, OutlookDirectory], object]] = {
    "who a user is": lambda o, d: d.mailbox(ADDRESS),
    "a user by id": lambda o, d: d.mailbox(o.user),
    "a folder": lambda o, d: d.outlook(o.user).folder(o.folder.id),
    "the folder with our stamp": lambda o, d: d.outlook(o.user).find_folder(STAMP),
    "the main folder": lambda o, d: d.outlook(o.user).main_folder(),
    "a folder made": lambda o, d: d.outlook(o.user).create_folder("Another", STAMP),
    "a folder renamed": lambda o, d: d.outlook(o.user).rename_folder(o.folder.id, "Business Central"),
    "the first changes": lambda o, d: d.outlook(o.user).changes(o.folder.id, None),
    "changes since": lambda o, d: d.outlook(o.user).changes(o.folder.id, o.delta),
    "all contacts": lambda o, d: list(d.outlook(o.user).contacts(o.folder.id)),
    "contacts by id": lambda o, d: d.outlook(o.user).read(o.folder.id, [o.contact.id, "AAMkunknown="]),
    "contacts by stamp": lambda o, d: d.outlook(o.user).find_stamped(o.folder.id, [o.contact.stamp.bc_id, o.company]),
    "contacts made": lambda o, d: d.outlook(o.user).create(o.folder.id, [draft(), draft()]),
    "a contact changed": write_in_outlook,
    "a contact removed": lambda o, d: d.outlook(o.user).remove(o.folder.id, ["AAMkunknown="]),
    "a subscription refused": lambda o, d: d.notifications().subscribe(watch(o)),
    "a subscription that is gone": lambda o, d: d.notifications().renew(o.company, watch(o)),
    "the list of subscriptions": lambda o, d: d.notifications().listed(),
}
BC: dict[str, Callable[[Office, Environment], object]] = {
    "companies": lambda o, e: e.companies(),
    "contacts": lambda o, e: list(e.company(o.company).contacts()),
    "contacts changed": lambda o, e: e.company(o.company).changed_since("2020-01-31T12:00:00Z"),
    "stamps": lambda o, e: list(e.company(o.company).stamps()),
    "contacts by id": lambda o, e: e.company(o.company).read([*_ids(o, e), o.company]),
    "persons by e-mail": lambda o, e: e.company(o.company).find_persons(["ann1@x.example", "nobody@x.example"]),
    "countries": lambda o, e: e.company(o.company).countries(),
    "contacts made": lambda o, e: e.company(o.company).create(
        [BcDraft({Field.NAME: "New", Field.EMAIL: "new@x.example"}), BcDraft({Field.NAME: "", Field.EMAIL: "?"})]
    ),
    "contacts changed by us": write_in_bc,
    "a contact removed": remove_in_bc,
    "a subscription refused": lambda o, e: e.notifications().subscribe(watch(o)),
    "a subscription that is gone": lambda o, e: e.notifications().renew(o.company, watch(o)),
    "the list of subscriptions": lambda o, e: e.notifications().listed(),
}


def _ids(office: Office, environment: Environment) -> list[str]:
    return [each.id for each in environment.company(office.company).contacts()][:2]


ACTS = [("graph", name, in_graph(do)) for name, do in GRAPH.items()] + [
    ("bc", name, in_bc(do)) for name, do in BC.items()
]


@pytest.mark.parametrize(("which", "act"), [(w, a) for w, _, a in ACTS], ids=[f"{w}: {n}" for w, n, _ in ACTS])
def test_a_spoiled_answer_is_at_worst_an_error_of_ours(
    office: Office, which: str, act: Callable[[Office, Client, Pace], object]
) -> None:
    spoken_to = office.graph if which == "graph" else office.bc
    recorder = Recorder()
    try:
        act(office, Client(spoken_to, office.tokens, adapter=recorder), Pace(deadline=1e12))
    except SyncError:
        assert recorder.answers  # a refusal is an answer, too
    crashes: list[str] = []
    tried = 0
    for name, answers in variants(recorder.answers):
        tried += 1
        time, fake = FakeTime(), FakeService(played(answers))
        client = Client(spoken_to, Tokens(), adapter=fake, clock=time.clock, sleep=time.sleep)
        try:
            act(office, client, Pace(deadline=time.now + 600))
        except SyncError as error:
            assert error.code
        except Exception as error:  # noqa: BLE001 - that there is none is the test
            crashes.append(f"{name}: {type(error).__name__}: {str(error)[:80]}")
    assert not crashes, f"{len(crashes)} of {tried}:\n" + "\n".join(crashes[:40])
    assert tried > 20


GRANTED = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": "t0ken"}
REFUSED = {"error": "invalid_client", "error_description": "AADSTS7000215: No.", "error_codes": [7000215]}


@pytest.mark.parametrize(("path", "status"), [("/token", 200), ("/token", 401), ("openid-configuration", 200)])
def test_a_spoiled_answer_of_the_identity_platform_is_at_worst_an_error_of_ours(
    office: Office, path: str, status: int
) -> None:
    at = office.running.addresses
    discovered = requests.get(
        f"{at.authority_host}/{at.tenant}/v2.0/.well-known/openid-configuration", verify=at.ca_file, timeout=10
    ).json()
    good = discovered if "openid" in path else GRANTED if status == 200 else REFUSED
    crashes: list[str] = []
    for name, answers in variants([Recorded("POST", path, status, {}, good)]):
        if "ud800" in name:
            continue  # the simulator sends whole characters only
        body = answers[0].body
        office.running.graph.add_fault("answer", service="entra", path=path, status=status, body=body, times=None)
        try:
            token = _tokens(at).token(at.graph_scope)
            if token in ("", " ", "None", "[]", "{}"):
                crashes.append(f"{name}: {token[:40]!r} was taken for a token")
        except SyncError as error:
            assert error.code
        except Exception as error:  # noqa: BLE001 - that there is none is the test
            crashes.append(f"{name}: {type(error).__name__}: {str(error)[:80]}")
        office.running.graph.clear_faults()
    assert not crashes, f"{len(crashes)}:\n" + "\n".join(crashes[:40])
