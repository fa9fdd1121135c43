"""A small server inside the test: the sample app reports events to it and waits at its gates."""

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Witness:
    """What happened in the app, in order; gates are closed until opened (the gate `open` always is)."""

    def __init__(self) -> None:
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._gates: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._is_over = False
        self.open("open")
        self.url = ""

    def next(self, event: str, timeout: float = 20) -> dict[str, Any]:
        """The next event of that name; others before it are dropped. Fails when there is none in time."""
        while True:
            found = self.events.get(timeout=timeout)
            if found["event"] == event:
                return found

    def has_nothing(self, event: str) -> bool:
        """Whether no event of that name has been reported and not been taken yet."""
        with self.events.mutex:
            return all(found["event"] != event for found in self.events.queue)

    def gate(self, name: str) -> threading.Event:
        with self._lock:
            gate = self._gates.setdefault(name, threading.Event())
            if self._is_over:
                gate.set()
            return gate

    def open(self, name: str) -> None:
        self.gate(name).set()

    def open_all(self) -> None:
        """Let everybody pass, now and later: the test is over."""
        with self._lock:
            self._is_over = True
            for gate in self._gates.values():
                gate.set()


@contextmanager
def running_witness() -> Iterator[Witness]:
    witness = Witness()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            witness.events.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self._done()

        def do_GET(self) -> None:
            witness.gate(self.path.rsplit("/", 1)[-1]).wait(60)
            self._done()

        def _done(self) -> None:
            try:
                self.send_response(204)
                self.end_headers()
            except OSError:
                pass  # the app was killed meanwhile

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        witness.url = f"http://127.0.0.1:{server.server_port}"
        yield witness
        witness.open_all()
        server.shutdown()
