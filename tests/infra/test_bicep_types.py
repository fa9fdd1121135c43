"""Bicep against Azure's own resource types, as its compiler knows them.

What the templates use of the types is kept with the tests. All of them, which tell more (types of literals, symbols,
functions), lie beside the project where it is developed, and not in it.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dev.infra import bicep
from dev.infra.azure_types import cut, findings
from tests.infra.conftest import ROOT, Plant

SHARED = ROOT.parent / "shared"
CHECKER, PROVIDERS = SHARED / "tools" / "bicep" / "check_bicep.py", SHARED / "contracts" / "bicep-types"
TYPES = json.loads((ROOT / "tests" / "infra" / "data" / "azure-types.json").read_text())

with_all_types = pytest.mark.skipif(
    not CHECKER.exists(), reason="all of Azure's resource types (../shared) are not here; those in use are checked"
)

MISTAKES = {
    "unknown property": ("storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeysAccess: false"),
    "unknown property, deep": ("app.bicep", "perInstanceConcurrency: 8", "instanceConcurrency: 8"),
    "unknown property in a loop": ("monitoring.bicep", "autoMitigate: true", "autoMitigated: true"),
    "missing required": ("storage.bicep", "  kind: 'StorageV2'\n", ""),
    "missing required, deep": ("vault.bicep", "sku: { family: 'A', name: 'standard' }", "sku: { name: 'standard' }"),
    "read-only": ("vault.bicep", "    enableSoftDelete: true\n", "    hsmPoolResourceId: 'x'\n"),
    "not an object": ("app.bicep", "properties: { reserved: true }", "properties: true"),
    "wrong version": ("app.bicep", "Microsoft.Web/serverfarms@2024-11-01", "Microsoft.Web/serverfarms@2024-11-11"),
    "wrong type": ("vault.bicep", "Microsoft.KeyVault/vaults@", "Microsoft.KeyVault/vault@"),
    "wrong config": ("settings.bicep", "name: 'appsettings'", "name: 'appsetting'"),
}
MORE = {
    "wrong value": ("storage.bicep", "isLocalUserEnabled: false", "isLocalUserEnabled: 'no'"),
    "unknown role": ("vault.bicep", "4633458b-17de-408a", "4633458b-17de-408b"),
    "unknown symbol": ("app.bicep", "serverFarmId: plan.id", "serverFarmId: plans.id"),
    "unknown function": ("storage.bicep", "items(roles)", "entries(roles)"),
    "unused parameter": ("storage.bicep", "  sku: { name: sku }", "  sku: { name: 'Standard_LRS' }"),
}


def test_azure_knows_what_the_templates_set() -> None:
    assert findings(ROOT / "infra" / "bicep", TYPES) == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_found(copy: Path, plant: Plant, mistake: str) -> None:
    file, old, new = MISTAKES[mistake]
    plant(f"bicep/modules/{file}", old, new)
    (found,) = findings(copy / "bicep", TYPES)[:1]
    assert found.startswith(f"{file}: ")


def test_only_types_that_the_templates_use_are_kept() -> None:
    files = (ROOT / "infra" / "bicep").rglob("*.bicep")
    assert set(TYPES["types"]) == {each.type for path in files for each in bicep.read(path).resources}


@with_all_types
def test_the_types_that_are_kept_are_cut_out_of_all_of_them() -> None:
    assert cut(PROVIDERS, ROOT / "infra" / "bicep") == TYPES


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    files = sorted(str(path) for path in (folder / "bicep").rglob("*.bicep"))
    command = [sys.executable, str(CHECKER), *files]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


@with_all_types
def test_azure_knows_all_that_the_templates_say() -> None:
    ended = check(ROOT / "infra")
    assert ended.returncode == 0, ended.stdout + ended.stderr


@with_all_types
@pytest.mark.parametrize("mistake", MISTAKES | MORE)
def test_a_planted_mistake_of_any_kind_is_found_with_all_types(copy: Path, plant: Plant, mistake: str) -> None:
    file, old, new = (MISTAKES | MORE)[mistake]
    plant(f"bicep/modules/{file}", old, new)
    ended = check(copy)
    assert ended.returncode == 1
    assert f"{file}: 0 finding" not in ended.stdout
