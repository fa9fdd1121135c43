"""Bicep against Azure's own resource types, as its compiler knows them. They lie beside the project, not in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.conftest import ROOT, Plant

CHECKER = ROOT.parent / "shared" / "tools" / "bicep" / "check_bicep.py"

pytestmark = pytest.mark.skipif(
    not CHECKER.exists(), reason="Azure's resource types (../shared) are not here; test_templates.py checks the syntax"
)

MISTAKES = {
    "unknown property": ("storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeysAccess: false"),
    "missing required": ("storage.bicep", "  kind: 'StorageV2'\n", ""),
    "wrong value": ("storage.bicep", "isLocalUserEnabled: false", "isLocalUserEnabled: 'no'"),
    "wrong version": ("app.bicep", "Microsoft.Web/serverfarms@2024-11-01", "Microsoft.Web/serverfarms@2024-11-11"),
    "wrong type": ("vault.bicep", "Microsoft.KeyVault/vaults@", "Microsoft.KeyVault/vault@"),
    "unknown role": ("vault.bicep", "4633458b-17de-408a", "4633458b-17de-408b"),
    "unknown symbol": ("app.bicep", "serverFarmId: plan.id", "serverFarmId: plans.id"),
    "unknown function": ("storage.bicep", "items(roles)", "entries(roles)"),
    "unused parameter": ("storage.bicep", "  sku: { name: sku }", "  sku: { name: 'Standard_LRS' }"),
}


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    files = sorted(str(path) for path in (folder / "bicep").rglob("*.bicep"))
    command = [sys.executable, str(CHECKER), *files]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


def test_azure_knows_all_that_the_templates_say() -> None:
    ended = check(ROOT / "infra")
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_found(copy: Path, plant: Plant, mistake: str) -> None:
    file, old, new = MISTAKES[mistake]
    plant(f"bicep/modules/{file}", old, new)
    ended = check(copy)
    assert ended.returncode == 1
    assert f"{file}: 0 finding" not in ended.stdout
