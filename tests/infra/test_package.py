"""The package holds the app and nothing else, is the same however often it is built, and starts as it does in Azure."""

import hashlib
import json
import os
import subprocess
import venv
import zipfile
from pathlib import Path

import pytest

from dev.infra.package import build, contents
from tests.functions.desk import FUNCTIONS
from tests.infra.conftest import ROOT

INDEX = """
import json, os, sys
sys.path[:] = [each for each in sys.path if each]  # not the working directory: a pre-warmed worker began elsewhere
app = sys.argv[1]
os.chdir(app)
sys.path.append(app)  # last, as in a pre-warmed start
import asyncio
from types import SimpleNamespace as Message
import azure_functions_runtime as runtime

class Protobuf:
    class StatusResult(Message):
        Failure, Success = 0, 1
    class BindingInfo(Message):
        undefined, out, inout = 0, 1, 2
    def __getattr__(self, name):
        return type(name, (Message,), {})

async def index():
    first = Message(capabilities={}, function_app_directory=app)
    answer = await runtime.worker_init_request(
        Message(properties={"host": "127.0.0.1", "protos": Protobuf()}, request=Message(worker_init_request=first))
    )
    assert answer.result.status == 1, answer.result.exception.message
    found = await runtime.functions_metadata_request(Message(properties={}, request=None))
    return [each.name for each in found.function_metadata_results]

names = asyncio.run(index())
import functions, shared
print(json.dumps({"names": names, "app": [functions.__file__, shared.__file__], "last": sys.path[-1]}))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("package") / "app.zip"
    build(target)
    return target


def test_it_holds_the_app_and_nothing_else(package: Path) -> None:
    names = zipfile.ZipFile(package).namelist()
    assert {name.split("/")[0] for name in names} == {
        "function_app.py", "host.json", "requirements.txt", "functions", "shared",
    }  # fmt: skip
    tracked = subprocess.run(
        ["git", "ls-files", "functions", "shared"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    ours = [name for name in names if "/" in name]
    assert set(tracked) <= set(ours), "a file of the app is no module: the package has to learn of it"


def test_it_is_the_same_byte_for_byte_whatever_the_files_times(package: Path, tmp_path: Path) -> None:
    for name in contents():
        target = tmp_path / "root" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
        os.utime(target, (1_000_000_000, 1_000_000_000))
        target.chmod(0o600)
    (tmp_path / "root" / "shared" / "__pycache__").mkdir()
    (tmp_path / "root" / "shared" / "__pycache__" / "logs.cpython-313.pyc").write_bytes(b"x")
    build(tmp_path / "again.zip", tmp_path / "root")
    digests = {hashlib.sha256(each.read_bytes()).hexdigest() for each in (package, tmp_path / "again.zip")}
    assert len(digests) == 1


@pytest.mark.slow
def test_the_real_worker_finds_all_functions_with_nothing_but_the_requirements(package: Path, tmp_path: Path) -> None:
    app = tmp_path / "wwwroot"
    zipfile.ZipFile(package).extractall(app)
    venv.create(tmp_path / "venv", with_pip=True, symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "-r", "requirements.txt"]
    subprocess.run([python, *install], cwd=app, stdin=subprocess.DEVNULL, check=True, timeout=240)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ended = subprocess.run(
        [python, "-c", INDEX, str(app)],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    assert sorted(found["names"]) == sorted(FUNCTIONS)
    assert found["last"] == str(app)
    assert all(str(each).startswith(str(app)) for each in found["app"])
