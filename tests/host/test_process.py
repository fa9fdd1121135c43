"""Starting, refusing to start, and ending."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from dev.azurite import Azurite
from dev.host import DevelopmentHost, HostStartError

pytestmark = pytest.mark.integration

HEAD = """
from typing import List, Optional
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
"""
QUEUE_TRIGGER = "@app.queue_trigger(arg_name='m', queue_name='jobs', connection='AzureWebJobsStorage')\n"
TIMER = "def f(t: func.TimerRequest) -> None: ..."
GOOD = """
@app.route("ping")
def ping(req: func.HttpRequest) -> str:
    return "pong"
"""


def write_app(folder: Path, code: str, host: object = None) -> Path:
    (folder / "function_app.py").write_text(HEAD + code)
    (folder / "host.json").write_text(json.dumps(host or {"version": "2.0"}))
    return folder


def refusal(folder: Path, **settings: str) -> str:
    """What the host says when it refuses to start."""
    with (
        pytest.raises(HostStartError, match="ended with code 1") as caught,
        DevelopmentHost(folder, settings={"AzureWebJobsStorage": "", **settings}),
    ):
        pass
    return str(caught.value)


def test_the_app_is_served_on_127_0_0_1_only(tmp_path: Path) -> None:
    with DevelopmentHost(write_app(tmp_path, GOOD)) as host:
        assert requests.get(f"{host.url}/api/ping", timeout=20).text == "pong"
        listening = Path(f"/proc/{host.pid}/net/tcp")
        if listening.exists():
            port = f":{host.port:04X}"
            addresses = {
                line.split()[1] for line in listening.read_text().splitlines() if f"{port} 00000000:0000" in line
            }
            assert addresses == {f"0100007F{port}"}


def test_a_host_can_be_started_again_at_its_address(tmp_path: Path) -> None:
    host = DevelopmentHost(write_app(tmp_path, GOOD)).start().wait_ready()
    first = host.url, host.pid
    host.kill()
    host.start().wait_ready()
    assert host.url == first[0]
    assert host.pid != first[1]
    assert host.stop() == 0
    assert host.stop() == 0, "stopping twice does no harm"
    host.close()


def test_local_settings_are_read_and_the_environment_wins(tmp_path: Path) -> None:
    code = """
import os
@app.route("{name}")
def get(req: func.HttpRequest) -> str:
    return os.environ[req.route_params["name"]]
"""
    write_app(tmp_path, code)
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": {"FROM_FILE": "file", "FROM_BOTH": "file"}}))
    with DevelopmentHost(tmp_path, settings={"FROM_BOTH": "environment"}) as host:
        assert requests.get(f"{host.url}/api/FROM_FILE", timeout=20).text == "file"
        assert requests.get(f"{host.url}/api/FROM_BOTH", timeout=20).text == "environment"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("", "no functions"),
        ("raise RuntimeError('broken import')", "broken import"),
        ("import no_such_module", "no_such_module"),
        ("other = func.FunctionApp()", "More than one FunctionApp"),
        (GOOD + "@app.route('x')\ndef ping(req: func.HttpRequest) -> str: ...", "unique function name"),
        ("@app.route('x')\ndef f(req: func.HttpRequest) -> Optional[func.HttpResponse]: ...", "f function"),
        ("@app.route('x')\ndef f(req: func.HttpRequest, extra=None) -> str: ...", "extra"),
        ("@app.route('x')\ndef f(request: func.HttpRequest) -> str: ...", "request"),
        (
            "@app.route('x')\n@app.queue_output(arg_name='o', queue_name='q', connection='C')\n"
            "def f(req: func.HttpRequest, o: func.Out[list[str]]) -> str: ...",
            "invalid non-type annotation",
        ),
        ("@app.route('admin/x')\ndef f(req: func.HttpRequest) -> str: ...", "built in routes"),
        (
            "@app.schedule(schedule='%MISSING%', arg_name='t')\n" + TIMER,
            "MISSING, which is missing",
        ),
        ("@app.schedule(schedule='0 * * * *', arg_name='t')\n" + TIMER, "six fields"),
        (
            QUEUE_TRIGGER + "def f(m: str) -> None: ...",
            "AzureWebJobsStorage",
        ),
    ],
)
def test_the_host_refuses_what_the_real_one_refuses(tmp_path: Path, code: str, message: str) -> None:
    said = refusal(write_app(tmp_path, code))
    assert message in said
    assert "The host cannot start." in said


def test_a_folder_without_an_app_is_refused(tmp_path: Path) -> None:
    assert "no host.json" in refusal(tmp_path)
    (tmp_path / "host.json").write_text("{}")
    assert "no functions" in refusal(tmp_path)


def test_storage_that_is_not_there_is_reported(tmp_path: Path, azurite: Azurite) -> None:
    code = QUEUE_TRIGGER + "def f(m: func.QueueMessage) -> None: ..."
    said = refusal(write_app(tmp_path, code), AzureWebJobsStorage="nonsense")
    assert "queue 'jobs' cannot be opened" in said


def test_keys_for_functions_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    assert "pnig" in refusal(write_app(tmp_path, GOOD), DEVHOST_KEYS='{"pnig": "x"}')


def test_with_a_master_key_administration_asks_for_it(tmp_path: Path) -> None:
    with DevelopmentHost(write_app(tmp_path, GOOD), settings={"DEVHOST_KEYS": '{"_master": "m"}'}) as host:
        assert requests.get(f"{host.url}/admin/functions", timeout=20).status_code == 401
        assert requests.get(f"{host.url}/admin/functions?code=m", timeout=20).status_code == 200


def test_a_taken_port_is_reported(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "dev.host", "--app", str(write_app(tmp_path, GOOD)), "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert f"Port {port} cannot be used" in ended.stderr
