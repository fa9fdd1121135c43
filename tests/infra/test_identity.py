"""The script that registers the app: what it would run, and what it refuses. The Azure CLI is a stand-in."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.infra.conftest import ROOT

SCRIPT = ROOT / "infra" / "identity" / "register-app.sh"
TENANT, IDENTITY = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
CONTACTS = ["089fe4d0-434a-44c5-8827-41ba8a0b17f5", "6918b873-d17a-4dc1-b314-35f528134491"]
NAMED = ["--name", "Contact sync", "--tenant", TENANT]
GROUP = ["--mailbox-group", "sync-users"]


def register(*arguments: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments],
        env={"PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_group_gets_exchange_roles_and_no_contacts_in_entra() -> None:
    ended = register(*NAMED, *GROUP, "--identity", IDENTITY, "--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert not [each for each in CONTACTS if each in ended.stdout]
    for role in ("Application Contacts.Read", "Application Contacts.ReadWrite"):
        assert f"-Role '{role}' -CustomResourceScope 'Contact sync'" in ended.stdout
    assert "MemberOfGroup -eq '$group'" in ended.stdout
    assert "User.Read.All" not in ended.stdout
    assert "df021288-bdef-4463-88db-98f22de89214" not in ended.stdout


def test_the_managed_identity_is_trusted_and_no_secret_is_made() -> None:
    ended = register(*NAMED, *GROUP, "--identity", IDENTITY, "--dry-run")
    (trust,) = [line for line in ended.stdout.splitlines() if "federated-credential create" in line]
    for part in (IDENTITY, f"https://login.microsoftonline.com/{TENANT}/v2.0", "api://AzureADTokenExchange"):
        assert part in trust
    assert "credential reset" not in SCRIPT.read_text()


def test_all_mailboxes_are_the_wider_choice_by_name() -> None:
    ended = register(*NAMED, "--all-mailboxes", "--directory", "--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert all(f"{each}=Role" in ended.stdout for each in [*CONTACTS, "df021288-bdef-4463-88db-98f22de89214"])
    assert "New-ManagementRoleAssignment" not in ended.stdout


@pytest.mark.parametrize(
    ("flag", "there"),
    [
        ("--import-groups", ("98830695-27a2-44f7-8c18-0c3ebc9698f6=Role", "df021288-bdef-4463-88db-98f22de89214=Role")),
        ("--import-bc-users", ("ID_OF_Automation.ReadWrite.All=Role",)),
    ],
)
def test_permissions_to_import_users_come_only_when_they_are_wanted(flag: str, there: tuple[str, ...]) -> None:
    plain, ended = (register(*NAMED, *GROUP, *more, "--dry-run") for more in ((), (flag,)))
    assert ended.returncode == 0, ended.stderr
    assert all(each in ended.stdout and each not in plain.stdout for each in there)
    assert "ID_OF_API.ReadWrite.All=Role" in plain.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*NAMED, *GROUP, "--all-mailboxes"], "exclude each other"),
        (NAMED, "choose --mailbox-group"),
        (["--tenant", TENANT, *GROUP], "--name is missing"),
        (["--name", "x", *GROUP], "--tenant is missing"),
        ([*NAMED, *GROUP, "--identity", "me"], "no object id"),
        ([*NAMED, *GROUP, "--identity"], "needs a value"),
        ([*NAMED, "--mailbox-group", "a'b"], "quotation"),
        ([*NAMED, *GROUP, "--secret"], "unknown"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_runs(arguments: list[str], words: str) -> None:
    ended = register(*arguments, "--dry-run")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr


@pytest.fixture
def azure(tmp_path: Path) -> Path:
    """A stand-in for the Azure CLI that writes down what it is asked; `consented` and `listed` are files with ids."""
    (tmp_path / "az").write_text(
        "#!/usr/bin/env bash\n"
        f'here={tmp_path}\necho "$*" >>"$here/asked"\n'
        'case "$*" in\n'
        f'  "account show"*) echo {TENANT} ;;\n'
        '  "ad app list"*) echo client-1 ;;\n'
        '  "ad sp list"*) echo principal-1 ;;\n'
        '  "cloud show"*) echo https://graph.microsoft.com/ ;;\n'
        '  "rest "*) cat "$here/consented" ;;\n'
        '  "ad app permission list"*) cat "$here/listed" ;;\n'
        f'  "ad app federated-credential list"*) echo {IDENTITY} ;;\n'
        '  "ad sp show"*) echo bc-role ;;\n'
        "esac\n"
    )
    (tmp_path / "az").chmod(0o755)
    (tmp_path / "consented").touch()
    (tmp_path / "listed").touch()
    return tmp_path


@pytest.mark.parametrize("where", ["consented", "listed"])
def test_a_limit_that_consent_would_undo_is_refused_before_anything_changes(azure: Path, where: str) -> None:
    (azure / where).write_text(f"{CONTACTS[0]}\n")
    ended = register(*NAMED, *GROUP, path=f"{azure}:{os.environ['PATH']}")
    assert ended.returncode == 2
    assert "would undo the limit" in ended.stderr
    assert "permission add" not in (azure / "asked").read_text()


def test_running_it_again_makes_nothing_twice(azure: Path) -> None:
    ended = register(*NAMED, *GROUP, "--identity", IDENTITY, path=f"{azure}:{os.environ['PATH']}")
    assert ended.returncode == 0, ended.stderr
    asked = (azure / "asked").read_text()
    assert "create" not in asked
    assert "permission admin-consent --id client-1" in asked


def test_the_wrong_tenant_is_refused(azure: Path) -> None:
    ended = register("--name", "x", "--tenant", IDENTITY, *GROUP, path=f"{azure}:{os.environ['PATH']}")
    assert ended.returncode == 2
    assert "az login" in ended.stderr
