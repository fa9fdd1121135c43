"""Where a request may go, and whether it went."""

from urllib.parse import urlsplit

import requests

from shared.errors import SyncError

_PORTS = {"https": 443, "http": 80}


def address(root: str, url: str, name: str) -> str:
    """The full address of a path below `root`, or a link that service `name` returned.

    Raises SyncError for a link to another scheme, host or port: the token must not go there.
    """
    if "://" not in url.split("?", 1)[0]:
        return f"{root}/{url.lstrip('/')}"
    origin = _origin(url)
    if origin is None or origin != _origin(root):
        raise SyncError(
            f"{name} returned a link to another host than the configured one; it is not followed. "
            "Check the root address in the settings.",
            code="foreign-link",
        )
    return url


def never_connected(error: requests.ConnectionError) -> bool:
    """Whether the connection was refused or the name unknown: then nothing was sent."""
    reason = error.args[0] if error.args else None
    cause = getattr(reason, "reason", None)
    return type(cause).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}


def is_untrusted(error: requests.RequestException) -> bool:
    """Whether the server's certificate was refused: no other attempt will better that."""
    return isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error)


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    """Scheme, host and port; None for addresses that carry a user or cannot be read."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.username is not None or "\\" in url:
        return None
    scheme = parts.scheme.lower()
    return scheme, parts.hostname, port or _PORTS.get(scheme)
