"""Ports on 127.0.0.1 for servers that may be stopped and started again at the same address."""

import random
import socket

#: Below the range from which systems take the ports of outgoing connections: there, a port of ours could be taken by
#: somebody's connection while our server is down.
_RANGE = range(20_000, 32_000)


def listen_anywhere() -> socket.socket:
    """A listening socket on a free port; raises OSError when there is none."""
    for _ in range(100):
        try:
            return socket.create_server(("127.0.0.1", random.choice(_RANGE)))
        except OSError:
            continue
    raise OSError("no free port found on 127.0.0.1")


def free_port() -> int:
    """A port that is free now. Somebody else may take it before it is used: be ready to try another."""
    with listen_anywhere() as server:
        port: int = server.getsockname()[1]
        return port
