"""The doctor's probes at the simulators: every question gets one answer for each way in which a service may behave."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.doctor import bc_probes, graph_probes
from dev.doctor.probing import Probe, at_a_time, shows_up
from dev.doctor.running import probe_bc, probe_graph
from dev.doctor.surroundings import Patient, environment_of, patient_of
from dev.simulators.launch import Simulators, start_simulators
from dev.system.settings import TRUST, settings_for
from shared.errors import SettingsError
from tests.simulators.receiver import Receiver, running_receiver

pytestmark = pytest.mark.integration

SHORT = 1.2  #: seconds that something may take to show up


@pytest.fixture(scope="module")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    with start_simulators(folder=tmp_path_factory.mktemp("simulators")) as running:
        yield running


@pytest.fixture(scope="module")
def receiver(simulators: Simulators) -> Iterator[Receiver]:
    with running_receiver(Path(simulators.addresses.server_file)) as running:
        yield running


@pytest.fixture
def environment(simulators: Simulators, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    simulators.graph.reset()
    simulators.bc.reset()
    receiver.reset()
    settings = settings_for(simulators.addresses, "", {}, public_address=receiver.root)
    for name in TRUST:
        monkeypatch.setenv(name, settings[name])
    return settings


@pytest.fixture
def patient(environment: dict[str, str]) -> Patient:
    return patient_of(environment)


@pytest.fixture
def ada(simulators: Simulators, environment: dict[str, str]) -> str:
    return simulators.graph.create_user("ada@contoso.example")


def one[Lab](probes: tuple[Probe[Lab], ...], asked: str) -> list[Probe[Lab]]:
    (found,) = [each for each in probes if asked in each.asked]
    return [found]


GRAPH: list[tuple[str, dict[str, Any], str]] = [
    ("old tag, changing", {"honour_if_match": True}, "honoured: refused (412 ErrorIrresolvableConflict)"),
    ("old tag, changing", {"honour_if_match": False}, "not honoured: taken (200)"),
    ("old tag, removing", {"honour_if_match": True}, "honoured: refused (412 ErrorIrresolvableConflict)"),
    ("old tag, removing", {"honour_if_match": False}, "not honoured: taken (204)"),
    ("current tag", {}, "taken (200)"),
    ("`parentFolderId`", {"contact_reparent": "refuse"}, "refused (400 ErrorInvalidPropertySet)"),
    ("`parentFolderId`", {"contact_reparent": "ignore"}, "ignored"),
    ("`parentFolderId`", {"contact_reparent": "move"}, "moves; the immutable id stays"),
    ("by its extended property", {"find_delay": 0.0}, "after 0."),
    ("by its extended property", {"find_delay": 1e6}, "not within 1 s"),
    ("a contact shows in", {"delta_delay": 1e6}, "made: not within 1 s; changed: not within 1 s"),
    ("removal shows", {}, "reason: deleted"),
    ("removal shows", {"delta_delay": 1e6}, "not within 1 s; reason: none"),
    ("extended property alone", {"stamp_only_change_in_delta": True}, "after 0."),
    ("extended property alone", {"stamp_only_change_in_delta": False}, "not within 1 s"),
    ("`$expand`", {"delta_expand_works": False}, "refused (500 InternalServerError)"),
    ("`$expand`", {"delta_expand_works": True}, "the feed carries it"),
    ("second folder", {"folder_exists_status": 409}, "refused (409 ErrorFolderExists)"),
    ("second folder", {"folder_exists_status": 400}, "refused (400 ErrorFolderExists)"),
    ("path without a folder", {"short_path_scope": "mailbox"}, "folder: finds it; in Deleted Items: does not"),
    ("path without a folder", {"short_path_scope": "with-deleted"}, "folder: finds it; in Deleted Items: finds it"),
    ("path without a folder", {"short_path_scope": "default-folder"}, "folder: does not find it"),
    ("path with a folder", {"folder_path_checks_folder": True}, "only there: refused (404 ErrorItemNotFound)"),
    ("path with a folder", {"folder_path_checks_folder": False}, "found there, too"),
    ("without the header", {"ids_need_prefer": True}, "refused (400 ErrorInvalidIdMalformed)"),
    ("without the header", {"ids_need_prefer": False}, "taken (200)"),
    ("the id of a folder", {}, "one form everywhere"),
    ("the main folder", {"list_default_folder": False}, "not in the list"),
    ("the main folder", {"list_default_folder": True}, "in the list"),
    ("a removed folder", {"deleted_folder_resolves": True}, "still there, with another parent"),
    ("a removed folder", {"deleted_folder_resolves": False}, "gone: refused (404 "),
    ("`Prefer` of a batch", {"batch_inherits_prefer": False}, "not inherited"),
    ("`Prefer` of a batch", {"batch_inherits_prefer": True}, "inherited"),
    ("256 letters", {"text_limit": 255}, "refused (400 "),
    ("256 letters", {"text_limit": 1000}, "taken (201)"),
    ("four e-mail addresses", {}, "refused (400 "),
    ("clear", {}, "cleared"),
    ("blank texts", {"empty_form": "null"}, "null"),
    ("blank texts", {"empty_form": "text"}, "an empty text"),
    ("blank texts", {"empty_form": "mixed"}, "an empty text, null"),
    ("part of the name", {"regenerate_display_name": True}, "is made anew"),
    ("part of the name", {"regenerate_display_name": False}, "stays"),
    ("sent without one", {"fill_email_name": True}, "is filled in"),
    ("sent without one", {"fill_email_name": False}, "stays blank"),
    ("category", {}, "kept"),
    ("“private”", {"sensitivity_always_present": True}, "0; its id comes as asked for"),
    ("“private”", {"proptag_form": "short"}, "0; its id comes in another form"),
    ("“private”", {"sensitivity_always_present": False}, "not there"),
    ("user who does not exist", {"unknown_user_code": "ErrorInvalidUser"}, "refused (404 ErrorInvalidUser)"),
    ("user who does not exist", {"unknown_user_code": "ResourceNotFound"}, "refused (404 ResourceNotFound)"),
    ("one folder", {"folder_subscriptions": True}, "taken; resource as asked for; clientState is not shown"),
    ("one folder", {"subscription_shows_client_state": True}, "clientState is shown"),
    ("one folder", {"folder_subscriptions": False}, "refused (400 ExtensionError)"),
]

BC: list[tuple[str, dict[str, Any], str]] = [
    ("old tag, changing", {}, "honoured: refused (409 Request_EntityChanged)"),
    ("old tag, deleting", {}, "honoured: refused (409 Request_EntityChanged)"),
    ("changing without", {}, "refused (400 "),
    ("deleting without", {"delete_without_if_match": "refused"}, "refused (400 "),
    ("deleting without", {"delete_without_if_match": "allowed"}, "taken (204)"),
    ("changes nothing", {}, "moves neither"),
    ("order", {"property_order": "page"}, "as on the page"),
    ("order", {"property_order": "payload"}, "as in the body"),
    ("`null`", {"null_text": "refused"}, "refused (400 "),
    ("`null`", {"null_text": "cleared"}, "clears"),
    ("`null`", {"null_text": "ignored"}, "ignored"),
    ("`id` of ours", {"client_id": "refused"}, "refused (400 "),
    ("`id` of ours", {"client_id": "kept"}, "kept"),
    ("ordinary read", {"replica": False}, "after 0."),
    ("ordinary read", {"replica_lag_ms": 1_000_000}, "not within 1 s"),
    ("filter's text", {"literals": "wildcards"}, "a wildcard"),
    ("filter's text", {"literals": "exact"}, "a letter"),
    ("does not exist", {"unknown_contact": "segment"}, "refused (404 BadRequest_ResourceNotFound)"),
    ("does not exist", {"unknown_contact": "empty"}, "refused (404)"),
    ("read-only field", {}, "refused (400 BadRequest_InvalidOperation)"),
    ("after an error", {}, "2 of 2 parts are answered, without it 1"),
    ("124 letters", {"website_length": 255}, "taken (201)"),
    ("124 letters", {"website_length": 80}, "refused (400 Application_StringExceededLength)"),
    ("what is announced", {"webhook_contacts": "supported"}, "found by name"),
    ("what is announced", {"webhook_contacts": "hidden"}, "found by wildcard only"),
    ("what is announced", {"webhook_contacts": "unsupported"}, "not offered"),
    ("second subscription", {"duplicate_subscription": 400}, "refused (400 "),
    ("second subscription", {"duplicate_subscription": 409}, "refused (409 "),
    ("second subscription", {"duplicate_subscription": "accepted"}, "taken (201)"),
]


@pytest.mark.parametrize(("asked", "switches", "expected"), GRAPH)
def test_graph_is_asked(
    simulators: Simulators, patient: Patient, ada: str, asked: str, switches: dict[str, Any], expected: str
) -> None:
    simulators.graph.switch(**switches)
    ((_, _, answer, _),) = probe_graph(patient, ada, one(graph_probes.PROBES, asked), wait=SHORT)
    assert expected in answer
    assert ("not " in answer) == ("not " in expected) or ";" in answer, "no answer holds its opposite"
    box = simulators.graph.read_mailbox(ada)
    assert [each["displayName"] for each in box["folders"] if "doctor" in each["displayName"]] == []
    assert simulators.graph.subscriptions() == []
    assert simulators.graph.defects() == []


@pytest.mark.parametrize(("asked", "switches", "expected"), BC)
def test_business_central_is_asked(
    simulators: Simulators, patient: Patient, asked: str, switches: dict[str, Any], expected: str
) -> None:
    simulators.bc.switch(**switches)
    company = simulators.bc.companies()[0]["id"]
    ((_, _, answer, _),) = probe_bc(patient, company, one(bc_probes.PROBES, asked), wait=SHORT)
    assert expected in answer
    assert simulators.bc.contacts() == []
    assert simulators.bc.subscriptions() == []


def test_every_question_is_tried_here() -> None:
    for probes, rows in ((graph_probes.PROBES, GRAPH), (bc_probes.PROBES, BC)):
        tried = {each.asked for row in rows for each in one(probes, row[0])}  # type: ignore[misc,arg-type]
        assert {each.asked for each in probes} - tried <= {"parts of an unordered batch at a time"}


def test_what_is_removed_lies_nowhere_where_it_can_be_found(simulators: Simulators, patient: Patient, ada: str) -> None:
    simulators.graph.switch(short_path_scope="with-deleted")
    list(probe_graph(patient, ada, one(graph_probes.PROBES, "removal shows"), wait=SHORT))
    assert simulators.graph.contacts_of(ada, "deleted") == []


def test_a_question_that_cannot_be_put_says_so_and_the_others_go_on(
    simulators: Simulators, patient: Patient, ada: str
) -> None:
    error = {"error": {"code": "ErrorQuotaExceeded", "message": "full"}}
    simulators.graph.add_fault("answer", service="graph", path="/contacts/delta", status=507, body=error)
    asked = [*one(graph_probes.PROBES, "a contact shows in"), *one(graph_probes.PROBES, "current tag")]
    first, second = (answer for _, _, answer, _ in probe_graph(patient, ada, asked, wait=SHORT))
    simulators.graph.clear_faults()
    assert "could not be asked: the change feed was refused (507 ErrorQuotaExceeded)" in first
    assert second == "taken (200)"


@pytest.mark.parametrize("width", [1, 2, 4, 5, 20])
@pytest.mark.parametrize("overhead", [0.0, 0.05, 1.0])
def test_how_many_parts_ran_at_a_time_is_told_from_three_times(width: int, overhead: float) -> None:
    each = 0.08
    one_part, ordered = overhead + each, overhead + 20 * each
    assert at_a_time(one_part, ordered, overhead + 20 / width * each, 20) == pytest.approx(width)


def test_what_shows_up_is_timed_and_what_does_not_is_given_up() -> None:
    times = iter((0.0, 3.25))
    assert shows_up(lambda: True, 10, lambda: next(times)) == "after 3.2 s"
    assert shows_up(lambda: False, 0) == "not within 0 s"


def test_settings_come_from_the_file_where_the_environment_has_none(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text('{"Values": {"BC_ENVIRONMENT": "Sandbox", "CATEGORY": "X"}}')
    found = environment_of({"CATEGORY": "Y"}, tmp_path)
    assert found == {"BC_ENVIRONMENT": "Sandbox", "CATEGORY": "Y"}
    (tmp_path / "local.settings.json").write_text("{")
    with pytest.raises(SettingsError, match="not valid JSON"):
        environment_of({}, tmp_path)


def test_a_managed_identity_counts_only_where_azure_hands_out_its_tokens(environment: dict[str, str]) -> None:
    both = {**environment, "MANAGED_IDENTITY_CLIENT_ID": "m"}
    assert patient_of(both).credential == "the client secret"
    assert patient_of({**both, "IDENTITY_ENDPOINT": "http://169.254.1.1"}).credential == "the managed identity"
    assert patient_of({**both, "ENTRA_CLIENT_SECRET": ""}).credential.startswith("the Azure CLI")


@pytest.mark.parametrize(
    ("storage", "looked_at"),
    [
        ({}, False),
        ({"AzureWebJobsStorage": "UseDevelopmentStorage=true"}, False),
        ({"AzureWebJobsStorage__accountName": "a"}, True),
    ],
)
def test_storage_is_looked_at_only_if_the_settings_name_one(
    environment: dict[str, str], storage: dict[str, str], looked_at: bool
) -> None:
    assert patient_of({**environment, **storage}).storage is looked_at
