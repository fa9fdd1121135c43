"""Terraform's own checks against the provider's schema; `CI=true` turns a missing Terraform into a failure."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.infra import terraform
from tests.infra.conftest import ROOT, Plant

(SCHEMA,) = (ROOT / "tests" / "infra" / "data").glob("azurerm-*.json")


def terraform_is_here() -> None:
    """Skips without Terraform; fails where everything must be checked."""
    if not terraform.available():
        reason = "terraform is not on the path"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    terraform_is_here()
    with terraform.stand_in(SCHEMA) as how:
        yield how


@pytest.fixture
def folder(copy: Path) -> Path:
    return copy / "terraform"


def validated(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    begun = terraform.run(folder, environment, "init", "-backend=false")
    return begun if begun.returncode else terraform.run(folder, environment, "validate")


def test_a_missing_terraform_skips_but_fails_continuous_integration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="not on the path"):
        terraform_is_here()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="not on the path"):
        terraform_is_here()


def test_the_schema_is_of_the_version_that_is_pinned() -> None:
    version = json.loads(SCHEMA.read_text())["version"]["version"]
    assert version in SCHEMA.name
    assert f'"~> {version.rpartition(".")[0]}"' in (ROOT / "infra/terraform/versions.tf").read_text()


def test_the_files_are_formatted_valid_and_pass_their_own_tests(folder: Path, environment: dict[str, str]) -> None:
    formatted = terraform.run(folder, environment, "fmt", "-check", "-recursive")
    assert formatted.returncode == 0, f"run terraform fmt -recursive: {formatted.stdout}"
    valid = validated(folder, environment)
    assert valid.returncode == 0, valid.stdout
    tested = terraform.run(folder, environment, "test")
    assert tested.returncode == 0, tested.stdout
    assert "0 failed" in tested.stdout


MISTAKES = {
    "unknown argument": ("storage.tf", "min_tls_version  ", "minimum_tls_version"),
    "missing required": ("vault.tf", "  rbac_authorization_enabled = true\n", ""),
    "unknown block": ("app.tf", "  site_config {", "  sites_config {"),
    "unknown resource": ("app.tf", '"azurerm_service_plan"', '"azurerm_app_plan"'),
    "wrong type": ("monitoring.tf", "severity                = each.value.severity", "severity = [1]"),
    "unknown variable": ("app.tf", "var.instance_memory_mb", "var.instance_memory"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_not_valid(folder: Path, environment: dict[str, str], plant: Plant, mistake: str) -> None:
    file, old, new = MISTAKES[mistake]
    plant(f"terraform/{file}", old, new)
    assert validated(folder, environment).returncode != 0


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("storage.tf", "shared_access_key_enabled        = false", "shared_access_key_enabled = true"),
        ("storage.tf", '"Storage Table Data Contributor"', '"Storage Table Data Reader"'),
        ("app.tf", "https_only                                     = true", "https_only = false"),
    ],
)
def test_a_planted_mistake_fails_the_configurations_own_tests(
    folder: Path, environment: dict[str, str], plant: Plant, file: str, old: str, new: str
) -> None:
    plant(f"terraform/{file}", old, new)
    assert validated(folder, environment).returncode == 0
    assert terraform.run(folder, environment, "test").returncode != 0
