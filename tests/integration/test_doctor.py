"""make doctor at the running system: all parts good, what is worth a look, and the table of probes."""

import re
import subprocess
import sys

import pytest

from dev.doctor import public_address
from dev.doctor.canary import VARIABLE
from dev.doctor.page import verdict
from dev.doctor.simulated import MEMBER, OUTSIDER
from dev.doctor.surroundings import patient_of
from shared.engine.watching import Draft
from tests.integration.surgery import PROJECT, Surgery, with_consent

pytestmark = pytest.mark.integration


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


def test_an_app_that_is_slow_to_wake_is_worth_a_look(surgery: Surgery) -> None:
    times = iter((0.0, 4.0))
    found = public_address.look(surgery.office.system.host.https_url, lambda: next(times))
    assert (verdict(found), "after 4 s" in found.detail) == ("look", True)


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


@pytest.mark.slow
def test_the_simulated_tenant_is_good_in_every_part(surgery: Surgery) -> None:
    command = [sys.executable, "-m", "dev.doctor", "--simulated", "--write"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=200)
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
