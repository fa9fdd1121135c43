"""Tokens of the Azure CLI, signed in as the app itself: for whoever has no other credential at hand."""

import re
import time

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import AzureCliCredential, CredentialUnavailableError

from shared.errors import SettingsError
from shared.transport.auth import RENEW_BEFORE, claims_of, refusal

_NUMBER = re.compile(r"AADSTS(\d+)")


class AzureCliTokens:
    """A `TokenSource`. What the CLI hands out for a person is refused: a person may other things than the app."""

    def __init__(self, *, tenant: str, client_id: str) -> None:
        """Nothing is called before the first token is asked for."""
        self._credential = AzureCliCredential(tenant_id=tenant, process_timeout=60)
        self._sign_in = (
            f"az login --service-principal --username {client_id} --tenant {tenant} "
            "--certificate PATH (or --password SECRET) --allow-no-subscriptions"
        )
        self._client_id = client_id
        self._held: dict[str, tuple[str, float]] = {}

    def token(self, scope: str, *, fresh: bool = False) -> str:
        """See `TokenSource`."""
        held = self._held.get(scope)
        if held is None or fresh or held[1] < time.time():
            held = self._held[scope] = self._fetch(scope)
        return held[0]

    def _fetch(self, scope: str) -> tuple[str, float]:
        try:
            found = self._credential.get_token(scope)
        except CredentialUnavailableError:
            raise SettingsError(
                "There is no credential: set ENTRA_CLIENT_SECRET or ENTRA_CLIENT_CERTIFICATE, or install the Azure CLI "
                f"and sign in as the app: {self._sign_in}",
                code="token-refused",
            ) from None
        except ClientAuthenticationError as error:
            raise refusal({"error_codes": [int(each) for each in _NUMBER.findall(str(error))]}) from None
        claims = claims_of(found.token)
        app = claims.get("appid") or claims.get("azp")
        if app != self._client_id or claims.get("idtyp", "app") != "app":
            raise SettingsError(
                "The Azure CLI is signed in as somebody else, whose rights are not the app's. Sign in as the app: "
                f"{self._sign_in}",
                code="token-refused",
            )
        return found.token, found.expires_on - RENEW_BEFORE
