"""`python -m dev.host --app DIR --port N`: run a function app on this machine."""

import argparse
import asyncio
import logging
import os
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from dev.host.app import Host, Listener
from dev.host.errors import HostStartError


def main() -> None:
    """Read the command line, run the host, exit 1 with a sentence when it refuses to start."""
    parser = argparse.ArgumentParser(prog="python -m dev.host", description="Run a function app on this machine.")
    parser.add_argument("--app", type=Path, default=Path(), help="folder of the app (default: the working directory)")
    parser.add_argument("--port", type=int, default=7071, help="port on 127.0.0.1 (default 7071, 0 for a free one)")
    parser.add_argument(
        "--certificate", type=Path, help="PEM file, key and chain: the app is served over https as well"
    )
    parser.add_argument("--tls-port", type=int, default=0, help="port for https (default 0 for a free one)")
    parser.add_argument("--listener", type=int, help=argparse.SUPPRESS)  # a listening socket, inherited from the caller
    parser.add_argument("--tls-listener", type=int, help=argparse.SUPPRESS)  # another one
    arguments = parser.parse_args()
    _set_up_logging()
    try:
        listeners = [Listener(_listening_socket(arguments.port, arguments.listener, "--port"))]
        if certificate := arguments.certificate:
            inherited = _listening_socket(arguments.tls_port, arguments.tls_listener, "--tls-port")
            listeners.append(Listener(inherited, _readable(certificate)))
        in_order = asyncio.run(_run(arguments.app.resolve(), listeners))
    except HostStartError as error:
        sys.exit(f"The host cannot start. {error}")
    if not in_order:
        # threads of plain functions cannot be interrupted, and would keep the process alive
        logging.shutdown()
        os._exit(1)


async def _run(app_dir: Path, listeners: Sequence[Listener]) -> bool:
    return await Host(app_dir).run(listeners)


def _readable(certificate: Path) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate)
    except OSError as error:  # an SSLError is one
        reason = error.strerror or type(error).__name__
        raise HostStartError(f"The certificate {certificate} cannot be used: {reason}.") from None
    return certificate


def _listening_socket(port: int, inherited: int | None, option: str) -> socket.socket:
    if inherited is not None:
        return socket.socket(fileno=inherited)
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise HostStartError(f"Port {port} cannot be used: {error.strerror}. Choose another with {option}.") from None


def _set_up_logging() -> None:
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s  %(message)s", "%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in ("azure.core", "azure.functions", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)


if __name__ == "__main__":
    main()
