"""Bicep and Terraform say the same, set what the code reads, and keep the rules of safety. No Azure is needed."""

import json
import re
from pathlib import Path

import pytest

from dev.infra.checks import findings
from shared.settings import read
from tests.infra.conftest import ROOT, Plant

HOST = json.loads((ROOT / "host.json").read_text())
APP = "bicep/modules/app.bicep"
STORAGE = "bicep/modules/storage.bicep"

REFERENCE = '"@Microsoft.KeyVault(VaultName=kv-${{{}}};SecretName=entra-client-secret)"'

MISTAKES = {
    "bicep syntax": ("bicep/main.bicep", "param location string", "param location"),
    "terraform syntax": ("terraform/app.tf", 'os_type             = "Linux"', "os_type ="),
    "bicep: parameter of one side": ("bicep/main.bicep", "param tags object = {}", "param tag object = {}"),
    "terraform: another default": ("terraform/variables.tf", "default     = 40", "default     = 50"),
    "terraform: output of one side": ("terraform/outputs.tf", 'output "app_address"', 'output "address"'),
    "bicep: a setting missing": ("bicep/main.bicep", "      BC_TENANT: bcTenant\n", ""),
    "terraform: a setting missing": ("terraform/app.tf", "BC_ENVIRONMENT  ", "BC_ENVIRONMEN   "),
    "common: a setting missing": ("settings.json", '"APPLY_BATCH"', '"APPLY_BACH"'),
    "common: another default": ("settings.json", '"APPLY_BATCH": "200"', '"APPLY_BATCH": "300"'),
    "bicep: role id": (STORAGE, "0a9a7e1f-b9d0", "0a9a7e1f-b9d1"),
    "bicep: role name": (STORAGE, "Storage Queue Data Contributor", "Storage Queue Data Reader"),
    "bicep: one role more": (
        STORAGE,
        "var roles = {",
        "var roles = {\n  Owner: '8e3af657-a8ff-443c-a75c-2fe8c4bcb635'",
    ),
    "terraform: role name": ("terraform/storage.tf", "Storage Table Data Contributor", "Storage Table Contributor"),
    "terraform: broad role": ("terraform/monitoring.tf", '"Monitoring Metrics Publisher"', '"Contributor"'),
    "bicep: shared keys": (STORAGE, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
    "terraform: shared keys": (
        "terraform/storage.tf",
        "shared_access_key_enabled        = false",
        "shared_access_key_enabled = true",
    ),
    "bicep: public blobs": (STORAGE, "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"),
    "terraform: public blobs": ("terraform/storage.tf", "allow_nested_items_to_be_public  = false", ""),
    "bicep: old tls": (APP, "minTlsVersion: '1.2'", "minTlsVersion: '1.0'"),
    "terraform: old tls": ("terraform/storage.tf", '"TLS1_2"', '"TLS1_0"'),
    "bicep: http": (APP, "httpsOnly: true", "httpsOnly: false"),
    "terraform: http": ("terraform/app.tf", "https_only                                     = true", ""),
    "bicep: ftp": (APP, "ftpsState: 'Disabled'", "ftpsState: 'AllAllowed'"),
    "bicep: passwords": (APP, "properties: { allow: false }", "properties: { allow: true }"),
    "terraform: passwords": ("terraform/app.tf", "webdeploy_publish_basic_authentication_enabled = false", ""),
    "bicep: telemetry keys": ("bicep/modules/monitoring.bicep", "DisableLocalAuth: true", "DisableLocalAuth: false"),
    "terraform: telemetry keys": ("terraform/monitoring.tf", "local_authentication_enabled = false", ""),
    "bicep: a key put out": ("bicep/main.bicep", "= storage.outputs.name\n", "= storage.listKeys().keys[0].value\n"),
    "terraform: a key put out": ("terraform/outputs.tf", "account.name", "account.primary_access_key"),
    "bicep: a secret as setting": ("bicep/main.bicep", REFERENCE.format("name").replace('"', "'"), "'s3cret'"),
    "terraform: a secret as setting": ("terraform/app.tf", REFERENCE.format("var.name"), '"s3cret"'),
    "bicep: module misses a parameter": ("bicep/main.bicep", "    sku: storageSku\n", ""),
    "bicep: a table missing": (STORAGE, "'marks', ", ""),
    "terraform: a queue missing": ("terraform/storage.tf", '"company-jobs", ', ""),
    "terraform: provider not pinned": ("terraform/versions.tf", "~> 5.10", ">= 4.0"),
}


def test_both_templates_are_right() -> None:
    assert findings(ROOT / "infra") == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_found(copy: Path, plant: Plant, mistake: str) -> None:
    plant(*MISTAKES[mistake])
    assert findings(copy)


def test_the_common_settings_with_the_required_ones_make_the_app_work() -> None:
    common = json.loads((ROOT / "infra" / "settings.json").read_text())
    required = {
        "ENTRA_TENANT_ID": "t",
        "ENTRA_CLIENT_ID": "c",
        "MANAGED_IDENTITY_CLIENT_ID": "m",
        "BC_ENVIRONMENT": "P",
    }
    assert read({**common, **required, "AzureWebJobsStorage__accountName": "st"}).bc_environment == "P"


def test_there_are_threads_for_all_messages_that_the_host_hands_over() -> None:
    queues = HOST["extensions"]["queues"]
    (threads,) = re.findall(r"PYTHON_THREADPOOL_THREAD_COUNT: '(\d+)'", (ROOT / "infra/bicep/main.bicep").read_text())
    assert int(threads) >= queues["batchSize"] + queues["newBatchThreshold"]
    assert f'PYTHON_THREADPOOL_THREAD_COUNT            = "{threads}"' in (ROOT / "infra/terraform/app.tf").read_text()


def logged() -> set[str]:
    """The name of every event that the code logs."""
    files = [path for folder in ("shared", "functions") for path in (ROOT / folder).rglob("*.py")]
    return {name for path in files for name in re.findall(r'log_event\(\s*logger,\s*"(\w+)"', path.read_text())}


def queries() -> dict[str, str]:
    alerts = {each["name"]: "\n".join(each["query"]) for each in json.loads((ROOT / "infra/alerts.json").read_text())}
    items = json.loads((ROOT / "infra/workbook.json").read_text())["items"]
    return alerts | {f"workbook {each['name']}": each["content"]["query"] for each in items if each["type"] == 3}


@pytest.mark.parametrize("name", queries())
def test_a_query_reads_events_that_the_app_logs(name: str) -> None:
    events = re.findall(r"startswith '(\w+) ", queries()[name])
    assert events
    assert set(events) <= logged()


def test_what_must_not_be_lost_is_not_sampled() -> None:
    sampling = HOST["logging"]["applicationInsights"]["samplingSettings"]
    assert {"Trace", "Exception"} <= set(sampling["excludedTypes"].split(";"))
    for name, query in queries().items():
        if not name.startswith("workbook"):
            assert re.search(r"(summarize|project) value = ", query), name
