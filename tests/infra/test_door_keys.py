"""The script that gives each door one key. The Azure CLI is a stand-in."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from dev.system.settings import ADMIN_FUNCTIONS
from tests.functions.desk import FUNCTIONS
from tests.infra.conftest import ROOT

SCRIPT = ROOT / "infra" / "identity" / "door-keys.sh"
NAMED = ["--app", "func-x", "--resource-group", "rg-x"]


@pytest.fixture
def azure(tmp_path: Path) -> Path:
    """A stand-in that knows the app's functions (file `names`) and writes down what it is asked."""
    (tmp_path / "names").write_text("".join(f"func-x/{name}\n" for name in FUNCTIONS))
    (tmp_path / "asked").touch()
    (tmp_path / "az").write_text(
        f'#!/usr/bin/env bash\ncase "$*" in\n  *"function list"*) cat "{tmp_path}/names" ;;\n'
        f'  *) echo "$*" >>"{tmp_path}/asked" ;;\nesac\n'
    )
    (tmp_path / "az").chmod(0o755)
    return tmp_path


def run(azure: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments],
        env={"PATH": f"{azure}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def keys_by_function(azure: Path) -> dict[str, str]:
    asked = (azure / "asked").read_text()
    return dict(re.findall(r"--function-name (\w+) --key-name door --key-value (\w+)", asked))


def test_each_function_of_a_door_gets_its_doors_key_and_no_other_function_gets_any(azure: Path) -> None:
    ended = run(azure, *NAMED)
    assert ended.returncode == 0, ended.stderr
    printed = dict(line.split("=") for line in ended.stdout.splitlines())
    assert re.fullmatch(r"[0-9a-f]{64}", printed["ADMIN_KEY"])
    assert printed["ADMIN_KEY"] != printed["USER_KEY"]
    users = {name for name in FUNCTIONS if name.startswith("user_")}
    expected = dict.fromkeys(ADMIN_FUNCTIONS, printed["ADMIN_KEY"]) | dict.fromkeys(users, printed["USER_KEY"])
    assert keys_by_function(azure) == expected


def test_one_door_alone_and_a_dry_run_that_sets_nothing(azure: Path) -> None:
    dry = run(azure, *NAMED, "--door", "user", "--dry-run")
    assert (dry.returncode, keys_by_function(azure)) == (0, {})
    assert "--function-name user_sync --key-name door --key-value KEY" in dry.stdout
    assert run(azure, *NAMED, "--door", "user").returncode == 0
    assert {name.split("_")[0] for name in keys_by_function(azure)} == {"user"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--app", "func-x"], "--resource-group is missing"),
        (["--resource-group", "rg-x"], "--app is missing"),
        ([*NAMED, "--door", "master"], "admin or user"),
        ([*NAMED, "--door"], "needs a value"),
        ([*NAMED, "--force"], "unknown"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_set(azure: Path, arguments: list[str], words: str) -> None:
    ended = run(azure, *arguments)
    assert (ended.returncode, ended.stdout, keys_by_function(azure)) == (2, "", {})
    assert words in ended.stderr


def test_an_app_without_its_package_is_refused(azure: Path) -> None:
    (azure / "names").write_text("")
    ended = run(azure, *NAMED)
    assert (ended.returncode, keys_by_function(azure)) == (2, {})
    assert "deploy the package first" in ended.stderr
