"""What a run writes to the log, to queues and into addresses, and what refusals answer, holds no personal data, no
key and no token.

The queues' triggers are off here: the test takes each message itself, reads it, and hands it to its function.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from dev.system import System
from dev.system.settings import ADMIN_KEY, MASTER_KEY, USER_KEY
from tests.integration.office import Contact, Office, Report, codes, email_of, emptied
from tests.integration.queued import TELLING, Queued

pytestmark = pytest.mark.integration

ADA, BEN = "ada.wigglesworth", "ben.okonkwo"
ACTOR, FOLDER, WRONG_KEY = "Marmaduke Overseer", "Okapi customers", "wrong-key-90210"
ZEB, ORLA, INES, PIM = "Zebedee Quill", "Orla Brambleby", "Ines Yarrow", "Pim Thistledown"
#: What somebody typed in Outlook, in the order of the story; the last ones only ever stand in what is refused.
TYPED = ("Axolotl tamer", "Numbat broker", "+49 30 4711 0815", "Narwhal", "Capybara")
PERSONAL = [
    *(part for name in (ZEB, ORLA, INES, PIM) for part in (name.split()[1], email_of(name))),
    *(TELLING.values()), *TYPED, ADA, BEN, "Wigglesworth", FOLDER, ACTOR, "Tapir",
]  # fmt: skip


@dataclass
class Story:
    """What was seen on the way."""

    office: Office
    queued: Queued
    refused: list[requests.Response] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)

    def run(self, user: str, mode: str = "incremental", **members: Any) -> Report:
        return self.done(self.office.app.ask(user, mode, actor=ACTOR, **members))

    def done(self, run_id: str) -> Report:
        self.queued.work()
        return self.office.app.run(run_id)

    def ask(self, method: str, path: str, key: str | None = None, body: object = None) -> requests.Response:
        answer = self.office.app.request(method, path, key=key, body=body)
        if not answer.ok:
            self.refused.append(answer)
        return answer


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    off = {f"AzureWebJobs.{each}.Disabled": "true" for each in Queued.FUNCTIONS}
    with System(settings=off | {"RUN_GAP_SECONDS": "0"}, announced=True) as running:
        yield running


@pytest.fixture
def story(system: System) -> Iterator[Story]:
    with Queued(system) as queued, emptied(system) as office:
        yield Story(office, queued)
        queued.work()


def test_no_personal_data_no_key_and_no_token_leaves_by_a_side_door(story: Story) -> None:
    office, mark = story.office, story.office.mark()
    ada, ben = _first_runs(story)
    _edits_on_both_sides(story, ada)
    _a_contact_that_bc_refuses(story, ada)
    _what_is_undone_and_what_is_approved(story, ada)
    _requests_that_are_refused(story, ada)
    _notices(story)
    story.run(ben, "full")

    texts = {
        "log": office.system.host.log_text(),
        "queue": "\n".join(story.queued.seen),
        "address": "\n".join(each["path"] for each in office.graph.log() if each["number"] > mark and not each["item"]),
        "answer": "\n".join(f"{each.text} {dict(each.headers)}" for each in story.refused),
    }
    assert all(texts.values())
    assert texts["log"].count("run_finished") >= 6 and len(story.queued.seen) >= 8 and len(story.refused) >= 14
    values = [*PERSONAL, *story.secrets, *_keys(office.system)]
    leaks = {(where, each) for where, text in texts.items() for each in values if each.lower() in text.lower()}
    assert leaks == set()
    for where in ("log", "queue", "answer"):
        assert not re.search(r"eyJ[\w-]{10}|Bearer\s+[\w-]|[?&](code|sig|\$?deltatoken)=", texts[where], re.I), where


def _first_runs(story: Story) -> tuple[str, str]:
    office = story.office
    office.persons(ZEB, ORLA, **TELLING)
    office.persons(*(f"Tapir {chr(ord('A') + number)}" for number in range(14)), city="Nowra")
    ada, ben = office.user(ADA, folder=FOLDER), office.user(BEN)
    for user in (ada, ben):
        assert story.run(user)["status"] == "succeeded"
    office.system.keep_up()
    office.app.fire("fan_out")
    story.queued.work()
    assert len(office.graph.subscriptions()) == 2
    rows = [json.loads(row["c0"]) for row in office.system.tables("subscriptions") if "c0" in row]
    story.secrets |= {row["client_state"] for row in rows if row.get("client_state")}
    assert story.secrets
    return ada, ben


def _edits_on_both_sides(story: Story, ada: str) -> None:
    office = story.office
    office.edit_in_bc(ZEB, jobTitle="Wombat keeper in chief")
    _type(office, ada, ZEB, jobTitle=TYPED[0], mobilePhone=TYPED[2])
    person = {"displayName": INES, "emailAddresses": [{"address": email_of(INES), "name": INES}], "jobTitle": TYPED[1]}
    office.graph.create_contact(ada, person, FOLDER)
    office.delete_in_bc("Tapir A")
    assert "conflict" in codes(story.run(ada))


def _a_contact_that_bc_refuses(story: Story, ada: str) -> None:
    office = story.office
    said = f"The field Phone No. of {ZEB} contains '{TYPED[3]}', which is not valid."
    body = {"error": {"code": "Application_FieldValidationException", "message": said}}
    office.bc.add_fault("answer", service="bc", method="PATCH", times=None, status=400, body=body)
    office.graph.add_fault("answer", service="graph", method="POST", path="contacts", times=1, status=400, body=body)
    _type(office, ada, ZEB, businessPhones=[TYPED[3]])
    office.persons(PIM)
    assert story.run(ada)["notes"]
    office.bc.clear_faults()
    office.graph.clear_faults()
    story.run(ada)


def _what_is_undone_and_what_is_approved(story: Story, ada: str) -> None:
    office = story.office
    _type(office, ada, ORLA, jobTitle=TYPED[1])
    edited = story.run(ada)
    undone = office.app.admin("POST", f"/api/admin/runs/{edited['runId']}/undo", {"actor": ACTOR})
    assert story.done(undone["runId"])["status"].startswith("succeeded")
    held = story.run(ada, "full", filter={"city": "Ballarat"})
    assert held["status"] == "held", held
    holds = [{"kind": each["kind"], "count": each["count"]} for each in held["held"]]
    wrong = [each | {"count": each["count"] + 1} for each in holds]
    approve = f"/api/admin/runs/{held['runId']}/approve"
    assert story.ask("POST", approve, ADMIN_KEY, {"actor": ACTOR, "holds": wrong}).status_code == 409
    asked = office.app.admin("POST", approve, {"actor": ACTOR, "holds": holds})
    assert story.done(asked["runId"])["toOutlook"]["deleted"] == holds[0]["count"]


def _requests_that_are_refused(story: Story, ada: str) -> None:
    contact, profile = TYPED[4], f"/api/profiles/{ada}"
    body = {"user": ada, "mode": "full"}
    for answer, status in (
        (story.ask("POST", f"/api/sync?code={WRONG_KEY}", body=body), 401),
        (story.ask("GET", f"{profile}?code={WRONG_KEY}"), 401),
        (story.ask("GET", "/api/admin/profiles", USER_KEY), 401),
        (story.ask("GET", f"/api/runs/{contact}?code={USER_KEY}"), 404),
        (story.ask("PUT", f"{profile}?code={USER_KEY}", body={"folder": [contact]}), 400),
        (story.ask("PUT", profile, USER_KEY, {"filter": {"city": f"({contact}"}, "actor": ACTOR}), 400),
        (story.ask("PUT", profile, USER_KEY, {"enabled": contact}), 400),
        (story.ask("PUT", profile, USER_KEY, {"direction": contact}), 400),
        (story.ask("PUT", profile, USER_KEY, f'{{"actor": "{contact}'.encode()), 400),
        (story.ask("POST", "/api/sync", USER_KEY, {"user": f"{contact}@nowhere.example", "mode": "full"}), 404),
        (story.ask("POST", "/api/sync", USER_KEY, body | {"environment": "Sandbox"}), 409),
        (story.ask("POST", "/api/sync", USER_KEY, body | {"tenantId": contact}), 409),
        (story.ask("POST", "/api/sync", USER_KEY, body | {"company": contact}), 404),
        (story.ask("POST", f"{profile}/contacts/explain", USER_KEY, {"contact": [contact]}), 400),
        (story.ask("POST", f"{profile}/contacts/{contact}/unhide", USER_KEY, {}), 404),
    ):
        assert answer.status_code == status, (answer.request.method, answer.request.path_url, answer.text)
    error = {"error": {"code": "ErrorAccessDenied", "message": f"No access to the mailbox of {ADA}, {ZEB}."}}
    story.office.graph.add_fault("answer", service="graph", path="contactFolders", times=None, status=403, body=error)
    story.run(ada, "full")
    assert story.ask("PUT", profile, USER_KEY, {"folder": "Another"}).status_code == 409
    story.office.graph.clear_faults()


def _notices(story: Story) -> None:
    graph = story.office.graph
    known = graph.subscriptions()[0]
    for change in ({}, {"clientState": TYPED[4]}, {"resourceData": {"id": TYPED[4]}, "subscriptionId": TYPED[4]}):
        head = {
            "subscriptionId": known["id"],
            "clientState": known["clientState"],
            "subscriptionExpirationDateTime": known["expirationDateTime"],
        }
        assert graph.send_notifications(known["notificationUrl"], {"value": [head | change]})["status"] == 202
    story.queued.work()
    for each in ("sync_jobs", "company_jobs", "sync_jobs_poison", "company_jobs_poison"):
        story.office.app.fire(each, f'{{"{TYPED[4]}": "{TYPED[4]}')


def _type(office: Office, user: str, name: str, **values: Any) -> None:
    found: dict[str, Contact] = office.in_folder(user, FOLDER)
    office.graph.edit_contact(user, found[name]["id"], values)


def _keys(system: System) -> Iterator[str]:
    yield from (USER_KEY, ADMIN_KEY, f"={MASTER_KEY}", WRONG_KEY, str(system.settings["ENTRA_CLIENT_SECRET"]))
    yield from re.findall("AccountKey=([^;]+)", system.azurite.connection_string)
