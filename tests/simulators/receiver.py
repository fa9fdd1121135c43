"""A small https server that writes down what is sent to it, and answers as it is told."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str

    @property
    def token(self) -> str | None:
        return self.query.get("validationToken")

    @property
    def items(self) -> list[dict[str, Any]]:
        return list(json.loads(self.body)["value"])


@dataclass
class Reply:
    status: int = 202
    text: str = ""
    content_type: str = "text/plain"
    after: float = 0.0  #: real seconds
    headers: dict[str, str] = field(default_factory=dict)


def shake(received: Received) -> Reply:
    """What a good endpoint answers to a handshake."""
    return Reply(200, received.token or "", "text/plain; charset=utf-8")


class Receiver:
    """`handshake` and `accept` may be replaced: what handshakes and notifications are answered with."""

    def __init__(self, port: int) -> None:
        self.root = f"https://127.0.0.1:{port}"
        self.url = f"{self.root}/notify"
        self.received: list[Received] = []
        self.handshake: Callable[[Received], Reply] = shake
        self.accept: Callable[[Received], Reply] = lambda _: Reply()
        self.closing = threading.Event()

    @property
    def handshakes(self) -> list[Received]:
        return [one for one in self.received if one.token is not None]

    @property
    def posts(self) -> list[Received]:
        return [one for one in self.received if one.token is None]

    @property
    def items(self) -> list[dict[str, Any]]:
        return [item for one in self.posts for item in one.items]

    def reset(self) -> None:
        self.received.clear()
        self.handshake, self.accept = shake, lambda _: Reply()

    def answers(self, *statuses: int) -> None:
        """Answer notifications with these in turn, then with 202."""
        left = list(statuses)
        self.accept = lambda _: Reply(left.pop(0) if left else 202)


@contextmanager
def running_receiver(server_file: Path) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.command, parts.path, query, headers, body)
            receiver.received.append(received)
            reply = receiver.handshake(received) if received.token is not None else receiver.accept(received)
            if reply.after:
                receiver.closing.wait(reply.after)
            try:
                self._answer(reply)
            except OSError:
                self.close_connection = True  # nobody waits any more

        def _answer(self, reply: Reply) -> None:
            self.send_response(reply.status)
            sent = reply.text.encode()
            for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = _serve

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def get_request(self):
            sock, address = super().get_request()
            return context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), address

        def handle_error(self, *_: object) -> None:
            pass  # a client that went away

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_file)
    server = Server(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def slow(reply: Reply, seconds: float) -> Reply:
    reply.after = seconds
    return reply


def elapsed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
