"""The development host as a child process, for tests, the demo and `make serve`."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from dev.host.errors import HostStartError
from dev.ports import listen_anywhere

_PROJECT = Path(__file__).resolve().parents[2]


class DevelopmentHost:
    """Starts, stops and kills a host. As a context manager it is ready on entry and stopped on exit.

    `settings` are added to the environment, and so win over local.settings.json. With a `certificate` (a PEM file, key
    and chain) the app is served over https as well. The ports belong to the object: a host that was killed can be
    started again at the same addresses.
    """

    def __init__(
        self,
        app_dir: Path = _PROJECT,
        *,
        port: int = 0,
        tls_port: int = 0,
        certificate: Path | None = None,
        settings: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        self.app_dir = app_dir
        self.settings = dict(settings or {})
        self.port = port
        self.tls_port = tls_port
        self.certificate = certificate
        self._log_path = log
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the host listens, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def https_url(self) -> str:
        """Where the host listens for https, without a slash at the end. Needs a certificate, and to have a port."""
        if self.certificate is None or not self.tls_port:
            raise RuntimeError("the host does not serve https")
        return f"https://127.0.0.1:{self.tls_port}"

    @property
    def pid(self) -> int:
        """Process id of the running host."""
        return self._running().pid

    def start(self) -> Self:
        """Start the process; requests wait until it is ready."""
        # The sockets are opened here and inherited: ports are known at once and nobody else can take them meanwhile.
        with ExitStack() as opened:
            listening = opened.enter_context(_listen(self.port))
            self.port = listening.getsockname()[1]
            arguments, inherited = [f"--listener={listening.fileno()}"], [listening.fileno()]
            if self.certificate is not None:
                tls = opened.enter_context(_listen(self.tls_port))
                self.tls_port = tls.getsockname()[1]
                arguments += [f"--certificate={self.certificate}", f"--tls-listener={tls.fileno()}"]
                inherited.append(tls.fileno())
            self._log = self._log or self._open_log()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dev.host", "--app", str(self.app_dir), *arguments],
                cwd=_PROJECT,
                env={**os.environ, **self.settings},
                pass_fds=inherited,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
            )
        return self

    def wait_ready(self, timeout: float = 60) -> Self:
        """Wait until the app is indexed and served; raises HostStartError with the host's words when it is refused."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", "/admin/host/status")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            code = self._end(signal.SIGKILL) if isinstance(error, TimeoutError) else self._running().wait(timeout)
            raise HostStartError(f"The development host ended with code {code}:\n{self.log_text()}") from None
        finally:
            connection.close()
        return self

    def terminate(self) -> None:
        """Ask the process to end, without waiting for it."""
        self._running().terminate()

    def stop(self, timeout: float = 40) -> int:
        """Let running invocations end, then the process; returns its exit code. Does nothing when it is not running."""
        return self._end(signal.SIGTERM, timeout)

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Stop, and let go of the log."""
        self.stop()
        if self._log is not None:
            self._log.close()
            self._log = None

    def log_text(self) -> str:
        """What the host has logged so far."""
        if self._log is None:
            return ""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def __enter__(self) -> Self:
        """Start and wait until ready."""
        try:
            return self.start().wait_ready()
        except BaseException:
            self.kill()
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the development host has not been started")
        return self._process

    def _open_log(self) -> IO[bytes]:
        if self._log_path:
            return self._log_path.open("ab+")
        return tempfile.TemporaryFile("ab+")

    def _end(self, number: signal.Signals, timeout: float = 10) -> int:
        process = self._process
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
        return process.wait()


def _listen(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port)) if port else listen_anywhere()
