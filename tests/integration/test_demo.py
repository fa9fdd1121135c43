"""`make demo` and `make serve` do what they say, and leave nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dev.system import System

pytestmark = pytest.mark.integration

PROJECT = Path(__file__).parents[2]
CRONUS = PROJECT.parent / "shared" / "data" / "cronus-contacts.csv"


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=PROJECT, capture_output=True, text=True, timeout=200
    )


def test_the_story_holds_and_fits_a_page_of_100_columns() -> None:
    told = run("dev.demo")
    assert (told.returncode, told.stderr) == (0, ""), told.stdout[-3000:] + told.stderr
    assert "NOT SO" not in told.stdout
    assert "Everything held" in told.stdout
    assert told.stdout.count("✓") >= 20, "claims and edits"
    assert "\x1b" not in told.stdout, "plain text where there is no terminal"
    assert max(map(len, told.stdout.splitlines())) <= 100


def test_contacts_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text(
        "number,type,name,address,territory,country,postal_code,company_number,job_title\n"
        "C1,Company,Fabrikam,Main Street 1,N,DE,10115,,\n"
        'P1,Person,"Großmann, Jürgen",Main Street 1,N,DE,10115,C1,Buyer\n'
        "P2,Person,Helen Ray,High Street 2,S,GB,W1 3AL,,\n"
        "P3,Person,Helen Ray,Low Street 9,S,GB,W1 3AL,,\n"
    )
    told = run("dev.demo", str(file))
    assert (told.returncode, told.stderr) == (0, ""), told.stdout[-3000:] + told.stderr
    assert "all 3 persons are in the mailbox, each once" in told.stdout


@pytest.mark.skipif(not CRONUS.exists(), reason="needs the contacts of CRONUS, which are not part of the project")
def test_the_256_persons_of_cronus_are_synced_and_a_second_run_writes_nothing() -> None:
    told = run("dev.demo", str(CRONUS))
    assert (told.returncode, told.stderr) == (0, ""), told.stdout[-3000:] + told.stderr
    for claim in (
        "all 256 persons are in the mailbox, each once",
        "none of the 25 companies is",
        "incremental: nothing was written",
        "full: nothing was written",
    ):
        assert f"✓ {claim}" in told.stdout


def test_a_bad_file_is_refused_with_line_and_column_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("number,type,name,address,country,postal_code,company_number,job_title\nP1,Man,Helen Ray,,,,,\n")
    told = run("dev.demo", str(file))
    assert (told.returncode, told.stdout) == (2, "")
    assert "line 2, column 2 (type): 'Man' is no type; write Company or Person" in told.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_runs_until_it_is_told_to_end(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "dev.serve"], cwd=PROJECT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as serving:
        assert serving.stdout is not None
        said: list[str] = []
        for line in serving.stdout:
            said.append(line)
            if "Ctrl-C stops everything" in line:
                break
        # as a terminal does it: everything in the foreground gets the signal
        os.killpg(serving.pid, number)
        said.append(serving.stdout.read())
        assert serving.wait(60) == 0, "".join(said)
    ports = {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", "".join(said))}
    assert len(ports) >= 6
    assert not any(map(is_open, ports)), "something was left running"


def test_an_error_inside_leaves_nothing_running() -> None:
    with pytest.raises(ZeroDivisionError), System() as system:
        ports = [system.host.port, *system.azurite.ports.values()]
        folder = Path(system.simulators.addresses.ca_file).parent
        assert all(map(is_open, ports))
        _ = 1 / 0
    assert not any(map(is_open, ports))
    assert not folder.exists()


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
