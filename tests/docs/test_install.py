"""The commands of docs/install.md, run line by line in a copy of the project, by both ways.

Azure's tools are stand-ins that write down what they are asked: what is shown is that the commands fit together, each
name is given before it is used, and our own scripts do their part. What the real tools answer is not.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.test_pages import ROOT, blocks
from tests.functions.desk import FUNCTIONS

IDENTITY = "22222222-2222-2222-2222-222222222222"
AZ = f"""
echo "az $*" >>"$ASKED"
case "$*" in
    "account show --query tenantId"*) echo 00000000-0000-0000-0000-000000000000 ;;
    "deployment group show"*identityPrincipalId*) echo {IDENTITY} ;;
    "deployment group show"*functionAppName*) echo func-it ;;
    "deployment group show"*appAddress*) echo https://func-it.example ;;
    "ad app create"*) echo 33333333-3333-3333-3333-333333333333 ;;
    "ad sp create"*) echo principal-1 ;;
    "ad sp show"*) echo bc-role ;;
    "cloud show"*) echo https://graph.example/ ;;
    "functionapp function list"*) cat "$FUNCTIONS" ;;
    *) ;;
esac
"""
TERRAFORM = f"""
echo "terraform $*" >>"$ASKED"
case "$*" in
    *identity_principal_id) echo {IDENTITY} ;;
    *function_app_name) echo func-it ;;
    *app_address) echo https://func-it.example ;;
    *) ;;
esac
"""
OTHER = 'echo "$(basename "$0") $*" >>"$ASKED"\n'


@pytest.mark.parametrize("way", ["bicep", "terraform"])
def test_the_commands_fit_together(way: str, tmp_path: Path) -> None:
    project, tools = tmp_path / "project", tmp_path / "tools"
    shutil.copytree(ROOT / "infra", project / "infra", ignore=shutil.ignore_patterns(".terraform*", "*.tfvars"))
    (project / "docs").mkdir()
    tools.mkdir()
    (tmp_path / "functions").write_text("".join(f"func-it/{name}\n" for name in FUNCTIONS))
    for name, script in (("az", AZ), ("terraform", TERRAFORM), ("curl", OTHER), ("make", OTHER)):
        (tools / name).write_text(f"#!/usr/bin/env bash\n{script}")
        (tools / name).chmod(0o755)
    other_way = "terraform -chdir" if way == "bicep" else "az deployment group create"
    commands = "".join(each for each in blocks("install.md") if other_way not in each)

    ended = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=commands,
        cwd=project,
        env={
            "PATH": f"{tools}:{os.environ['PATH']}",
            "ASKED": str(tmp_path / "asked"),
            "FUNCTIONS": str(tmp_path / "functions"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    asked = (tmp_path / "asked").read_text()
    (trust,) = re.findall(r"az ad app federated-credential create.*", asked)
    assert IDENTITY in trust
    assert "--name func-it --src dist/contact-sync.zip --build-remote true" in asked
    keys = dict(re.findall(r"(\w+)_KEY=(\w+)", (project / "docs" / ".env").read_text()))
    assert f"x-functions-key: {keys['ADMIN']} https://func-it.example/api/admin/health" in asked
    assert f"x-functions-key: {keys['USER']} https://func-it.example/api/sync?wait=60" in asked
    made = asked.index("group create --name rg-contact-sync")
    deployed = asked.index("deployment group create" if way == "bicep" else "-chdir=infra/terraform apply")
    assert made < asked.index("ad app create") < deployed < asked.index("make package") < asked.index(trust)
    if way == "terraform":
        given = (project / "infra" / "terraform" / "terraform.tfvars").read_text()
        assert 'name                = "contososync"' in given
