"""What the set-up scripts say on a machine that lacks something."""

import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / "dev" / "setup"
NEEDED = ["bash", "dirname", "cat", "cp", "mkdir", "rm", "touch"]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout with the scripts, beside a folder `bin` that holds little more than bash."""
    shutil.copytree(SETUP, tmp_path / "checkout" / "dev" / "setup")
    (tmp_path / "bin").mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found
        (tmp_path / "bin" / name).symlink_to(found)
    return tmp_path


def install(machine: Path, name: str, script: str) -> None:
    path = machine / "bin" / name
    path.write_text(f"#!{shutil.which('bash')}\n{script}\n")
    path.chmod(0o755)


def run(machine: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [machine / "checkout" / "dev" / "setup" / script],
        env={"PATH": str(machine / "bin"), "HOME": str(machine), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_python_3_13_it_says_where_it_looked(machine: Path) -> None:
    install(machine, "python3", "exit 1")
    install(machine, "python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    ended = run(machine, "python.sh")
    assert ended.returncode == 1
    assert "Python 3.13 is needed and was not found" in ended.stderr
    assert "pyenv" in ended.stderr


@pytest.mark.parametrize("variable", ["PYENV_ROOT", "HOME"])
def test_python_3_13_is_found_below_pyenvs_versions(machine: Path, variable: str) -> None:
    root = machine / ("pyenv" if variable == "PYENV_ROOT" else ".pyenv")
    folder = root / "versions" / "3.13.7" / "bin"
    folder.mkdir(parents=True)
    # a shim that is on the path, but has no Python behind it
    install(machine, "python3.13", "exit 127")
    python = folder / "python3.13"
    python.write_text(
        f"#!{shutil.which('bash')}\n"
        'case "$*" in\n'
        '  --version) echo "Python 3.13.7" ;;\n'
        '  *venv*.venv) mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;\n'
        "esac\n"
    )
    python.chmod(0o755)
    ended = run(machine, "python.sh", **({"PYENV_ROOT": str(root)} if variable == "PYENV_ROOT" else {}))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Python 3.13.7" in ended.stdout
    assert (machine / "checkout" / ".venv" / ".installed").exists()


def test_without_node_it_says_so(machine: Path) -> None:
    ended = run(machine, "azurite.sh")
    assert ended.returncode == 1
    assert "Node 18 or later with npm is needed" in ended.stderr


@pytest.mark.parametrize("version", ["echo v16.20.2", "exit 127"])
def test_a_node_that_is_too_old_or_does_not_run_is_refused(machine: Path, version: str) -> None:
    install(machine, "node", version)
    install(machine, "npm", "echo 'npm must not be called' >&2; exit 9")
    ended = run(machine, "azurite.sh")
    assert ended.returncode == 1
    assert "Node 18 or later is needed" in ended.stderr
    assert "npm must not be called" not in ended.stderr


def test_azurite_is_installed_from_the_lock_file(machine: Path) -> None:
    install(machine, "node", "echo v18.0.0")
    install(machine, "npm", 'echo "npm $*"')
    ended = run(machine, "azurite.sh")
    assert ended.returncode == 0
    assert "npm ci --prefix .tools/azurite" in ended.stdout
    assert (machine / "checkout" / ".tools" / "azurite" / ".installed").exists()
    assert '"azurite": "3.35.0"' in (machine / "checkout" / ".tools" / "azurite" / "package.json").read_text()
