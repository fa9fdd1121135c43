"""Whether the app answers at its public address, seen from here; the services look from outside, with less time."""

import secrets
import time
from collections.abc import Callable

import requests

from shared.engine.checks import Check
from shared.engine.watching import GRAPH_PATH
from shared.errors import SyncError

CHECK = "public address"
TIMEOUT = 10.0  #: seconds that Graph waits for a handshake; Business Central waits 5
SLOW = 3.0  #: seconds after which Graph counts a notification as not delivered
_READY = (
    "Keep one instance for HTTP always ready (the templates' parameter alwaysReadyInstances): Business Central waits 5 "
    "seconds for a handshake, Microsoft Graph 3 for a notification. A second try shows whether it was a cold start."
)
_PATHS = "/api/health and /api/webhooks/*"


def look(address: str, clock: Callable[[], float] = time.monotonic) -> Check:
    """Ask the app whether it is alive, and for the answer to a handshake. Raises SyncError with what to do."""
    started = clock()
    alive = _ask("GET", f"{address}/api/health")
    _expect(alive, _body(alive) == {"status": "ok"})
    token = f"doctor {secrets.token_hex(8)} +&"
    echo = _ask("POST", f"{address}{GRAPH_PATH}", {"validationToken": token})
    _expect(echo, echo.text == token and echo.headers.get("Content-Type", "").startswith("text/plain"))
    seconds = clock() - started
    if seconds > SLOW:
        return Check(CHECK, True, f"The app answers there, after {seconds:.0f} s.", _READY)
    return Check(CHECK, True, "The app answers there, also to a handshake.")


def _ask(method: str, url: str, query: dict[str, str] | None = None) -> requests.Response:
    try:
        return requests.request(method, url, params=query, timeout=TIMEOUT, allow_redirects=False)
    except requests.exceptions.SSLError:
        raise SyncError(
            "The certificate there is not trusted. The services take no private authority and no other host's name: "
            "use the function app's own address, or a certificate that everybody trusts."
        ) from None
    except requests.ReadTimeout:
        raise SyncError(f"No answer within {TIMEOUT:.0f} seconds. {_READY}") from None
    except requests.RequestException:
        raise SyncError(
            "Nothing answers there: check PUBLIC_ADDRESS, that the name is known to public DNS, and that neither "
            f"firewall nor access restriction keeps the internet away from {_PATHS}."
        ) from None


def _expect(answer: requests.Response, right: bool) -> None:
    if answer.status_code in {401, 403}:
        raise SyncError(
            f"Something before the app refuses strangers ({answer.status_code}): sign-in of App Service, an access "
            f"restriction, or a gateway. The services sign in nowhere: let {_PATHS} through."
        )
    if 300 <= answer.status_code < 400:
        raise SyncError(
            "The address redirects, which the services do not follow. Set PUBLIC_ADDRESS to where it leads."
        )
    if answer.status_code >= 500:
        raise SyncError(f"The app fails there ({answer.status_code}). Look into its log, and whether it is deployed.")
    if answer.status_code != requests.codes.ok or not right:
        raise SyncError(
            f"Something else answers there ({answer.status_code}). Check PUBLIC_ADDRESS, and that the app is deployed "
            "there with its paths beginning at /api."
        )


def _body(answer: requests.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None
