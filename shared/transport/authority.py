"""The identity platform's HTTP as MSAL asks it: one attempt, and nothing remembered.

MSAL on its own repeats some requests at once and answers others from its memory of failures, on a clock of its own.
What is repeated, and when, is `retry.py`'s business: a failure that may pass leaves MSAL as `TokenUnavailable` instead.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

import requests

from shared.errors import RetryableError, SettingsError
from shared.logs import log_event
from shared.transport.links import is_untrusted
from shared.transport.retry import Lost

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0


class TokenUnavailable(RetryableError):
    """There is no token at the moment; `outcome` is the status of who should give it, or that there was no answer."""

    def __init__(
        self,
        outcome: int | Lost = Lost.NO_ANSWER,
        headers: Mapping[str, str] | None = None,
        *,
        giver: str = "identity platform",
    ) -> None:
        """`headers` may hold a Retry-After."""
        super().__init__(f"The {giver} gives no token at the moment; it is tried again later.")
        self.outcome = outcome
        self.headers = headers or {}


class AuthorityHttp:
    """What MSAL wants of an HTTP client. Raises TokenUnavailable for every answer that another attempt may better."""

    def __init__(self, read_timeout: float) -> None:
        """Seconds of silence after which there is no answer."""
        self._session = requests.Session()
        self._timeouts = (CONNECT_TIMEOUT, read_timeout)

    def get(self, url: str, **options: Any) -> requests.Response:
        """Ask for one of the authority's documents."""
        return self._ask("GET", url, options)

    def post(self, url: str, **options: Any) -> requests.Response:
        """Ask for a token."""
        return self._ask("POST", url, options)

    def close(self) -> None:
        """Close the connections; it stays usable."""
        self._session.close()

    def _ask(self, method: str, url: str, options: Mapping[str, Any]) -> requests.Response:
        sent = {name: options.get(name) for name in ("params", "data", "headers")}
        try:
            # a redirect could carry the credential away
            answer = self._session.request(method, url, timeout=self._timeouts, allow_redirects=False, **sent)
        except requests.RequestException as error:
            if is_untrusted(error):
                raise SettingsError(
                    "The certificate of the identity platform is not trusted. Check the authority host in the "
                    "settings, and for a private authority the environment variable REQUESTS_CA_BUNDLE."
                ) from None
            raise unavailable(type(error).__name__) from error
        if answer.status_code in {408, 429} or answer.status_code >= 500:
            raise unavailable("status", answer.status_code, answer.headers)
        if answer.status_code < 400 and not _is_readable(answer):
            raise unavailable("page")
        return answer


def unavailable(
    what: str, outcome: int | Lost = Lost.NO_ANSWER, headers: Mapping[str, str] | None = None
) -> TokenUnavailable:
    """The error, logged with `what` was wrong."""
    log_event(logger, "token_unavailable", level=logging.WARNING, what=what, outcome=str(outcome))
    return TokenUnavailable(outcome, headers)


def _is_readable(answer: requests.Response) -> bool:
    """Whether it is a JSON object; MSAL would log one that cannot be read, with the token that may be in it."""
    try:
        return answer.status_code == requests.codes.ok and isinstance(json.loads(answer.content), dict)
    except (ValueError, RecursionError):
        return False
