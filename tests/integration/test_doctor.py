"""make doctor at the running system: all parts good, and each thing that somebody may get wrong, with advice."""

import argparse
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dev.doctor import public_address
from dev.doctor.__main__ import examine
from dev.doctor.canary import VARIABLE
from dev.doctor.page import Page, verdict
from dev.doctor.scratch import NAME, surely
from dev.doctor.simulated import MEMBER, OUTSIDER
from dev.doctor.surroundings import patient_of
from dev.ports import free_port
from dev.simulators.certificates import make_certificates
from shared.engine.checks import Check
from shared.engine.watching import Draft
from tests.integration.office import Office
from tests.simulators.receiver import running_receiver

pytestmark = pytest.mark.integration

CONSENTED = ["Contacts.Read", "Contacts.ReadWrite", "User.Read.All"]
_TRUST = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NO_PROXY", "no_proxy")
_PROJECT = Path(__file__).parents[2]


class Recorder(Page):
    """The page, read back."""

    def __init__(self) -> None:
        super().__init__(Console(file=io.StringIO(), width=110))
        self.told: dict[str, Check] = {}

    def tell(self, check: Check) -> None:
        super().tell(check)
        assert check.check not in self.told, "a part is told once"
        self.told[check.check] = check
        assert check.ok is not False or len(check.what_to_do) > 20, f"{check} does not say what to do"


@dataclass
class Surgery:
    """A tenant as install.md wants it, which tests spoil, and the doctor."""

    office: Office
    environment: dict[str, str]
    asked: dict[str, Any] = field(default_factory=lambda: {"mailbox": MEMBER, "company": "", "write": False})

    def __post_init__(self) -> None:
        self.graph, self.bc = self.office.graph, self.office.bc
        self.entra = self.office.system.simulators.entra
        self.red: dict[str, str] = {}
        self.company = self.bc.companies()[0]["id"]

    def examine(self) -> tuple[dict[str, Check], int]:
        """What the doctor says, by part, and its exit code."""
        page = Recorder()
        code = examine(page, argparse.Namespace(probe=False, **self.asked), self.environment)
        self.red = {each.check: each.what_to_do for each in page.told.values() if each.ok is False}
        assert code == (1 if self.red else 0), self.red
        return page.told, code

    def process(self, *arguments: str) -> "subprocess.Popen[str]":
        """The doctor as the command that `make doctor` calls."""
        command = [sys.executable, "-u", "-m", "dev.doctor", "--mailbox", MEMBER, *arguments]
        return subprocess.Popen(command, cwd=_PROJECT, env=self.environment, stdout=subprocess.PIPE, text=True)

    def left_behind(self) -> list[str]:
        """What is in the mailbox and in BC by the doctor's name."""
        box = self.graph.read_mailbox(MEMBER)
        folders = [each["displayName"] for each in box["folders"] if NAME in each["displayName"]]
        persons = [each["displayName"] for each in self.bc.contacts() if NAME in each["displayName"]]
        return folders + persons


@pytest.fixture
def surgery(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Surgery]:
    settings = office.system.settings
    for name in _TRUST:
        monkeypatch.setenv(name, settings[name])
    environment = {**settings, "PUBLIC_ADDRESS": office.system.host.https_url, VARIABLE: OUTSIDER}
    made = Surgery(office, environment)
    for address in (MEMBER, OUTSIDER):
        office.graph.create_user(address)
    office.bc.seed(count=5, companies=1)
    made.entra.set_roles("graph", ["User.Read.All"])
    office.graph.grant_rbac([MEMBER])
    yield made
    made.entra.set_roles("graph", CONSENTED)
    made.entra.set_roles("bc", ["API.ReadWrite.All"])
    office.bc.switch(app_enabled=True)


def test_a_right_installation_is_good_in_every_part_and_nothing_is_left(surgery: Surgery) -> None:
    surgery.asked["write"] = True
    before = [(each["id"], each["@odata.etag"]) for each in surgery.bc.contacts()]
    told, code = surgery.examine()
    assert {name: verdict(check) for name, check in told.items() if verdict(check) != "good"} == {}
    assert code == 0
    assert surgery.left_behind() == []
    assert [(each["id"], each["@odata.etag"]) for each in surgery.bc.contacts()] == before
    assert surgery.graph.subscriptions() == []
    assert surgery.bc.subscriptions() == []


def test_what_is_not_asked_for_is_not_tried_and_nothing_is_written(surgery: Surgery) -> None:
    surgery.environment |= {"PUBLIC_ADDRESS": "", VARIABLE: ""}
    surgery.asked["mailbox"] = ""
    mark = surgery.office.mark()
    told, code = surgery.examine()
    assert {name for name, check in told.items() if check.ok is None} == {
        "mailbox", "folder", "public address", "handshake Microsoft Graph", "handshake Business Central",
        "write Outlook", "write Business Central", "mailbox outside the group",
    }  # fmt: skip
    assert all(check.what_to_do for check in told.values() if check.ok is None)
    assert code == 0
    batches = {"graph": 1, "bc": 0}  # users are looked up in a batch, which is a POST
    assert {name: each.writes for name, each in surgery.office.counts(mark).items()}["bc"] == batches["bc"]


def with_consent(surgery: Surgery) -> None:
    surgery.entra.set_roles("graph", CONSENTED)


def with_the_mailbox(state: str) -> Callable[[Surgery], None]:
    return lambda surgery: surgery.graph.set_mailbox(MEMBER, state=state)


def with_environment(**settings: str) -> Callable[[Surgery], None]:
    return lambda surgery: surgery.environment.update(settings)


def asking(**questions: Any) -> Callable[[Surgery], None]:
    return lambda surgery: surgery.asked.update(questions)


def both(*spoil: Callable[[Surgery], None]) -> Callable[[Surgery], None]:
    def all_of_them(surgery: Surgery) -> None:
        for each in spoil:
            each(surgery)

    return all_of_them


WRONG: dict[str, tuple[Callable[[Surgery], None], dict[str, str]]] = {
    # settings and tokens
    "a setting missing": (with_environment(BC_ENVIRONMENT=""), {"settings": "BC_ENVIRONMENT is missing"}),
    "a wrong secret": (
        with_environment(ENTRA_CLIENT_SECRET="nonsense"),
        {"token Microsoft Graph": "AADSTS7000215", "token Business Central": "put the secret's value"},
    ),
    "an expired secret": (
        both(
            lambda surgery: (surgery.entra.add_secret("old"), surgery.entra.expire_secret("old"))[0],
            with_environment(ENTRA_CLIENT_SECRET="old"),
        ),
        {"token Microsoft Graph": "AADSTS7000222"},
    ),
    "another app": (
        with_environment(ENTRA_CLIENT_ID="00000000-1111-2222-3333-444444444444"),
        {"token Microsoft Graph": "AADSTS700016"},
    ),
    "another tenant": (
        with_environment(ENTRA_TENANT_ID="00000000-1111-2222-3333-444444444444"),
        {"token Microsoft Graph": "tenant"},
    ),
    "a wrong scope": (
        with_environment(BC_SCOPE="https://nothing.example/.default"),
        {"token Business Central": "AADSTS500011"},
    ),
    # permissions
    "Contacts.Read missing": (
        lambda surgery: surgery.entra.set_roles("graph", ["Contacts.ReadWrite", "User.Read.All"]),
        {"permission Contacts.Read": "admin consent"},
    ),
    "Contacts.ReadWrite missing": (
        lambda surgery: surgery.entra.set_roles("graph", ["Contacts.Read", "User.Read.All"]),
        {"permission Contacts.ReadWrite": "admin consent"},
    ),
    "API.ReadWrite.All missing": (
        lambda surgery: surgery.entra.set_roles("bc", []),
        {"permission API.ReadWrite.All": "admin consent"},
    ),
    "consent besides the limit": (
        with_consent,
        {"permission Contacts.ReadWrite": "undoes their limit", "mailbox outside the group": "Take Contacts.Read"},
    ),
    # mailbox
    "a mailbox outside the scope": (
        lambda surgery: surgery.graph.grant_rbac([]),
        {"mailbox": "Test-ServicePrincipalAuthorization", "mailbox outside the group": "wait and run this again"},
    ),
    "a policy in the way": (
        both(with_consent, lambda surgery: surgery.graph.block_by_policy([MEMBER])),
        {"mailbox": "application access policy"},
    ),
    "no licence": (with_the_mailbox("unlicensed"), {"mailbox": "licence"}),
    "nobody of that name": (asking(mailbox="nobody@contoso.example"), {"mailbox": "knows no such user"}),
    "a guest": (lambda surgery: surgery.graph.change_user(MEMBER, userType="Guest"), {"mailbox": "guest"}),
    "Exchange's reading role alone": (
        both(asking(write=True), lambda surgery: surgery.graph.grant_rbac([MEMBER], write=False)),
        {"write Outlook": "Application Contacts.ReadWrite"},
    ),
    # the mailbox that must not be reached
    "a scope that is too wide": (
        lambda surgery: surgery.graph.grant_rbac([MEMBER, OUTSIDER]),
        {"mailbox outside the group": "InScope True"},
    ),
    "a canary that does not exist": (
        with_environment(**{VARIABLE: "bird@contoso.example"}),
        {"mailbox outside the group": "knows no such user"},
    ),
    "a canary without a mailbox": (
        both(with_consent, lambda surgery: surgery.graph.set_mailbox(OUTSIDER, state="unlicensed")),
        {"mailbox outside the group": "another"},
    ),
    "a canary that is the member": (
        with_environment(**{VARIABLE: MEMBER}),
        {"mailbox outside the group": "outside the group"},
    ),
    "a canary by address that nobody may look up": (
        both(
            lambda surgery: surgery.entra.set_roles("graph", []),
            lambda surgery: surgery.asked.update(mailbox=surgery.graph.create_user("ben@contoso.example")),
        ),
        {"mailbox outside the group": "object id"},
    ),
    # Business Central
    "a wrong company": (asking(company="Nowhere Ltd"), {"company": "“CRONUS”"}),
    "a wrong environment": (with_environment(BC_ENVIRONMENT="Elsewhere"), {"company": "environment"}),
    "a card that is disabled": (
        lambda surgery: surgery.bc.switch(app_enabled=False),
        {"company": "Microsoft Entra Applications"},
    ),
    "no permission set": (lambda surgery: surgery.bc.switch(permissions="none"), {"contacts": "TableData"}),
    "a permission set for reading": (
        both(asking(write=True), lambda surgery: surgery.bc.switch(permissions="read-only")),
        {"write Business Central": "Microsoft Entra Applications"},
    ),
    "webhooks not offered": (
        lambda surgery: surgery.bc.switch(webhook_contacts="unsupported"),
        {"webhooks Business Central": "v2.0/contacts", "handshake Business Central": "polled"},
    ),
    # the public address
    "nothing at the public address": (
        lambda surgery: surgery.environment.update(PUBLIC_ADDRESS=f"https://127.0.0.1:{free_port()}"),
        {
            "public address": "PUBLIC_ADDRESS",
            "handshake Microsoft Graph": "PUBLIC_ADDRESS",
            "handshake Business Central": "PUBLIC_ADDRESS",
        },
    ),
    "something else at the public address": (
        lambda surgery: surgery.environment.update(PUBLIC_ADDRESS=surgery.environment["ENTRA_AUTHORITY_HOST"]),
        {"public address": "Something else answers", "handshake Microsoft Graph": "PUBLIC_ADDRESS"},
    ),
    "a sign-in before the app": (
        lambda surgery: surgery.environment.update(PUBLIC_ADDRESS=surgery.environment["GRAPH_ROOT"]),
        {"public address": "let /api/health and /api/webhooks/* through"},
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_red_and_says_what_to_do(surgery: Surgery, what: str) -> None:
    spoil, expected = WRONG[what]
    spoil(surgery)
    told, code = surgery.examine()
    for part, advice in expected.items():
        assert told[part].ok is False, told
        assert advice in told[part].what_to_do
    assert code == 1
    assert surgery.left_behind() == []


def test_a_certificate_that_nobody_trusts_is_named(surgery: Surgery, tmp_path: Path) -> None:
    with running_receiver(make_certificates(tmp_path).server_file) as receiver:
        surgery.environment["PUBLIC_ADDRESS"] = receiver.root
        told, _ = surgery.examine()
    assert "certificate there is not trusted" in told["public address"].what_to_do
    assert "trusted certificate" in told["handshake Business Central"].what_to_do


def test_an_app_that_is_slow_to_wake_is_worth_a_look(surgery: Surgery) -> None:
    times = iter((0.0, 4.0))
    found = public_address.look(surgery.office.system.host.https_url, lambda: next(times))
    assert (verdict(found), "after 4 s" in found.detail) == ("look", True)


def test_services_that_cannot_be_reached_are_told_from_those_that_refuse(surgery: Surgery) -> None:
    surgery.graph.add_fault("answer", service="bc", path="/companies", status=400, body="<html>a proxy</html>")
    told, _ = surgery.examine()
    surgery.graph.clear_faults()
    assert "refused a request" in told["company"].what_to_do
    surgery.environment["ENTRA_AUTHORITY_HOST"] = f"https://127.0.0.1:{free_port()}"
    told, _ = surgery.examine()
    assert "network, proxy" in told["token Microsoft Graph"].what_to_do


def test_roles_that_are_not_yet_effective_are_told_apart_from_the_limit(surgery: Surgery) -> None:
    surgery.graph.grant_rbac([MEMBER], delay=60)
    told, code = surgery.examine()
    assert code == 1
    assert "not yet effective" in told["mailbox outside the group"].detail
    assert "2 hours" in told["mailbox"].what_to_do
    surgery.graph.advance_clock(61)
    told, _ = surgery.examine()
    assert surgery.red == {}
    assert "the limit is in force" in told["mailbox outside the group"].detail


def test_a_limit_without_a_mailbox_to_compare_with_is_worth_a_look(surgery: Surgery) -> None:
    surgery.asked["mailbox"] = ""
    told, code = surgery.examine()
    assert (verdict(told["mailbox outside the group"]), code) == ("look", 0)


def test_consent_for_all_mailboxes_is_worth_a_look_where_nobody_wants_a_limit(surgery: Surgery) -> None:
    with_consent(surgery)
    surgery.environment[VARIABLE] = ""
    told, code = surgery.examine()
    assert (verdict(told["permission Contacts.ReadWrite"]), code) == ("look", 0)


def test_a_folder_that_the_sync_did_not_make_is_worth_a_look(surgery: Surgery) -> None:
    surgery.graph.create_folder(MEMBER, "Business Central")
    assert verdict(surgery.examine()[0]["folder"]) == "look"


def test_one_of_several_companies_must_be_named(surgery: Surgery) -> None:
    surgery.bc.add_company("Fabrikam & Söhne")
    told, code = surgery.examine()
    assert ("“Fabrikam & Söhne”" in told["company"].what_to_do, code) == (True, 1)
    surgery.asked["company"] = "fabrikam & söhne"
    assert surgery.examine()[1] == 0, surgery.red


def test_webhooks_that_are_shown_by_wildcard_only_are_found(surgery: Surgery) -> None:
    surgery.bc.switch(webhook_contacts="hidden")
    assert surgery.examine()[1] == 0, surgery.red


def test_a_subscription_that_is_there_already_stays(surgery: Surgery) -> None:
    patient = patient_of(surgery.environment)
    bc = patient.services.business_central(patient.pace()).notifications()
    made = bc.subscribe(Draft(surgery.company, address=surgery.environment["PUBLIC_ADDRESS"], client_state="x"))
    told, code = surgery.examine()
    assert ("already" in told["handshake Business Central"].detail, code) == (True, 0)
    assert [each["subscriptionId"] for each in surgery.bc.subscriptions()] == [made.id]


# ---------------------------------------------------------------- the Azure CLI


def az(folder: Path, token: str) -> None:
    """An `az` that hands out a token."""
    answer = {"accessToken": token, "expires_on": 4_000_000_000, "tenant": "t", "tokenType": "Bearer"}
    script = folder / "az"
    script.write_text(f"#!{sys.executable}\nprint({json.dumps(answer)!r})\n")
    script.chmod(0o755)


def test_without_az_it_says_how_to_sign_in(surgery: Surgery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    surgery.environment |= {"ENTRA_CLIENT_SECRET": "", "MANAGED_IDENTITY_CLIENT_ID": "an identity of Azure"}
    told, code = surgery.examine()
    assert code == 1
    assert "az login --service-principal" in told["token Microsoft Graph"].what_to_do


def test_az_signed_in_as_the_app_is_as_good_as_a_secret(
    surgery: Surgery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    patient = patient_of(surgery.environment)
    az(tmp_path, patient.clients.tokens.token(patient.settings.graph_scope))
    monkeypatch.setenv("PATH", str(tmp_path))
    surgery.environment["ENTRA_CLIENT_SECRET"] = ""
    told, _ = surgery.examine()
    assert "Azure CLI" in told["token Microsoft Graph"].detail
    assert told["mailbox"].ok


def test_az_signed_in_as_somebody_else_is_refused(
    surgery: Surgery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = "77777777-7777-4888-9999-aaaaaaaaaaaa"
    surgery.entra.add_registration(other, "x", {"graph": CONSENTED, "bc": []})
    patient = patient_of({**surgery.environment, "ENTRA_CLIENT_ID": other, "ENTRA_CLIENT_SECRET": "x"})
    az(tmp_path, patient.clients.tokens.token(patient.settings.graph_scope))
    monkeypatch.setenv("PATH", str(tmp_path))
    surgery.environment["ENTRA_CLIENT_SECRET"] = ""
    assert "somebody else" in surgery.examine()[0]["token Microsoft Graph"].what_to_do


# ---------------------------------------------------------------- interrupted


def wait_for_the_slow_question(process: "subprocess.Popen[str]") -> None:
    """Read until the doctor waits for the change feed, which says nothing: scratch folder and contacts are there."""
    assert process.stdout is not None
    for line in process.stdout:
        if "is found by its extended property" in line:
            return
    raise AssertionError("it ended before")


def test_interrupted_it_removes_what_it_made(surgery: Surgery) -> None:
    surgery.graph.switch(delta_delay=1e6)
    process = surgery.process("--probe")
    wait_for_the_slow_question(process)
    assert surgery.left_behind()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert surgery.left_behind() == []
    assert surgery.graph.contacts_of(MEMBER, "deleted") == []


def test_what_a_killed_one_left_is_removed_by_the_next(surgery: Surgery) -> None:
    surgery.graph.switch(delta_delay=1e6)
    process = surgery.process("--probe")
    wait_for_the_slow_question(process)
    process.kill()
    process.communicate(timeout=60)
    assert len(surgery.left_behind()) == 1
    surgery.graph.switch(delta_delay=0.0)
    surgery.asked["write"] = True
    assert surgery.examine()[1] == 0, surgery.red
    assert surgery.left_behind() == []


def test_a_person_who_interrupts_the_cleaning_does_not_stop_it() -> None:
    done = []

    def clean() -> None:
        done.append("begun")
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append("ended")

    with pytest.raises(KeyboardInterrupt):
        surely(clean)
    assert done == ["begun", "begun", "ended"]


@pytest.mark.slow
def test_the_simulated_tenant_is_good_in_every_part(surgery: Surgery) -> None:
    command = [sys.executable, "-m", "dev.doctor", "--simulated", "--write"]
    done = subprocess.run(command, cwd=_PROJECT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ good\.$", done.stdout, re.MULTILINE), done.stdout


def test_the_table_of_probes_holds_nobody_s_data(surgery: Surgery) -> None:
    process = surgery.process("--probe")
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    rows = [line for line in said.splitlines() if line.startswith("| ")]
    assert {line.split(" | ")[0] for line in rows} >= {"| Graph", "| BC"}
    assert not [line for line in rows if "could not be asked" in line]
    table = "\n".join(rows)
    ids = [MEMBER, OUTSIDER, surgery.company, surgery.graph.read_mailbox(MEMBER)["default_folder"]]
    assert not [each for each in ids if each in table]
    assert not re.findall(r"\S+@\S+|[0-9a-f]{8}-[0-9a-f]{4}|[A-Za-z0-9_-]{40,}|https?://", table)
    assert surgery.left_behind() == []
