"""The simulators as a process of their own, so that they do not share a core with their clients."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.simulators.launch import ALL, Addresses, Simulators

_PROJECT = Path(__file__).resolve().parents[2]


class SimulatorError(Exception):
    """The simulators did not start."""


class SimulatorProcess:
    """Starts and stops `python -m dev.simulators`. `folder` takes the certificates and addresses, and must exist."""

    def __init__(self, folder: Path, *, speed: float = 1.0, ports: Mapping[str, int] | None = None) -> None:
        self._folder = folder
        self._speed = speed
        self._ports = dict(ports or {})
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        """Start the process, without waiting for it."""
        arguments = [sys.executable, "-u", "-m", "dev.simulators", f"--state-dir={self._folder}"]
        arguments += [f"--speed={self._speed}", *(f"--{name}-port={port}" for name, port in self._ports.items())]
        self._process = subprocess.Popen(
            arguments,
            cwd=_PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self

    def connect(self) -> Simulators:
        """Wait until they can be called. Raises SimulatorError with what they said when they ended instead."""
        if self._process is None:
            raise RuntimeError("the simulators have not been started")
        said: list[str] = []
        for line in self._process.stdout or ():
            said.append(line)
            if line.startswith("ca_file "):  # the last of the addresses; the file with all of them is there by now
                addresses = json.loads((self._folder / "simulators.json").read_text(encoding="utf-8"))
                return Simulators(Addresses(**addresses))
        raise SimulatorError(f"The simulators ({', '.join(ALL)}) did not start:\n{''.join(said)}")

    def stop(self) -> None:
        """End the process. Does nothing when it is not running."""
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
