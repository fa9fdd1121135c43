"""Azurite, the storage emulator, as a child process on 127.0.0.1."""

import os
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.ports import free_port

_PROJECT = Path(__file__).resolve().parents[1]
_EXECUTABLE = _PROJECT / ".tools" / "azurite" / "node_modules" / ".bin" / "azurite"
_SERVICES = ("blob", "queue", "table")
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening")

#: The emulator's account and key, the same everywhere and published by Microsoft.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class AzuriteError(Exception):
    """Azurite is not installed or did not start; the message says what to do."""


class Azurite:
    """Starts and stops one Azurite. As a context manager it is ready on entry and stopped on exit.

    Without a folder everything is kept in memory. Ports left at 0 are chosen freely, so that several can run at the
    same time; they stay the same over a restart of the same object.
    """

    def __init__(self, folder: Path | None = None, *, blob: int = 0, queue: int = 0, table: int = 0) -> None:
        self.folder = folder
        self.ports = dict(zip(_SERVICES, (blob, queue, table), strict=True))
        self._process: subprocess.Popen[str] | None = None

    @property
    def connection_string(self) -> str:
        """For `AzureWebJobsStorage` and the storage libraries."""
        endpoints = "".join(
            f"{service.title()}Endpoint=http://127.0.0.1:{port}/{ACCOUNT};" for service, port in self.ports.items()
        )
        return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{endpoints}"

    def start(self) -> Self:
        """Start the process and wait until it listens; raises AzuriteError when it does not."""
        attempts = 1 if all(self.ports.values()) else 5
        said: str | None = None
        for _ in range(attempts):
            ports = {service: port or free_port() for service, port in self.ports.items()}
            self._process = self._launch(ports)
            said = _read_until_ready(self._process)
            if said is None:
                self.ports = ports
                return self
            self.stop()
            if "EADDRINUSE" not in said:
                break
            # somebody took a port between our choice and Azurite's start: choose again
        raise AzuriteError(f"Azurite did not start:\n{said}")

    def stop(self) -> None:
        """End the process in order, so that a folder holds everything. Does nothing when it is not running."""
        if self._process is None:
            return
        with self._process as process:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
        self._process = None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _launch(self, ports: Mapping[str, int]) -> subprocess.Popen[str]:
        arguments = [find_executable(), "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        for service, port in ports.items():
            arguments += [f"--{service}Host", "127.0.0.1", f"--{service}Port", str(port)]
        if self.folder is None:
            arguments.append("--inMemoryPersistence")
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            arguments += ["--location", str(self.folder)]
        return subprocess.Popen(
            arguments,
            cwd=self.folder or _PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def _read_until_ready(process: subprocess.Popen[str]) -> str | None:
    """Wait until each service says that it listens; what Azurite said instead, when it ended."""
    waiting = set(_SERVICES)
    said: list[str] = []
    for line in process.stdout or ():
        said.append(line)
        if match := _LISTENING.search(line):
            waiting.discard(match[1].lower())
            if not waiting:
                # whatever it says from now on must not fill the pipe
                threading.Thread(target=lambda: deque(process.stdout or (), maxlen=0), daemon=True).start()
                return None
    return "".join(said)


def find_executable() -> str:
    """Where Azurite is: the one that `make` installed, else one on the path; raises AzuriteError without any."""
    if os.access(_EXECUTABLE, os.X_OK):
        return str(_EXECUTABLE)
    if found := shutil.which("azurite"):
        return found
    raise AzuriteError("Azurite is not installed: run `make setup` (it needs Node 18 or later).")
