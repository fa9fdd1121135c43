"""The Entra simulator: discovery documents and POST /{tenant}/oauth2/v2.0/token.

Sources: Graph reference 10.1, BC reference 9.1. Choices where they are silent: one tenant; federated assertions are
accepted by issuer, subject and audience, their signature is not checked (there is no issuer to ask).
"""

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from dev.simulators.control import Action
from dev.simulators.entra.directory import Directory, GrantRefused, Registration, thumbprints
from dev.simulators.exchange import Answer, Request
from dev.simulators.world import CLIENT_ID, TENANT, World


class Entra:
    """One tenant's token endpoint."""

    name = "entra"

    def __init__(self, world: World) -> None:
        """Start with the registration of `world`."""
        self._world = world
        self._directory = Directory(world)
        self.actions: Mapping[str, Action] = {
            "add_registration": self._add_registration,
            "set_roles": self._set_roles,
            "add_secret": self._add_secret,
            "expire_secret": self._expire_secret,
            "add_certificate": self._add_certificate,
            "add_federated_credential": self._add_federated_credential,
            "set_token_lifetime": self._set_token_lifetime,
        }

    async def answer(self, request: Request) -> Answer:
        """Answer discovery and token requests; everything else is 404."""
        await self._world.wait(request)
        match request.segments:
            case (tenant, "v2.0", ".well-known", "openid-configuration") if request.method == "GET":
                request.kind = "metadata"
                return self._metadata(tenant)
            case ("common", "discovery", "instance") if request.method == "GET":
                request.kind = "instance discovery"
                return Answer(200, self._instances())
            case (tenant, "oauth2", "v2.0", "token") if request.method == "POST":
                request.kind = "token"
                return self._token(tenant, request)
            case _:
                return Answer(404, raw=b"Not found", headers={"Content-Type": "text/plain"})

    def _metadata(self, tenant: str) -> Answer:
        if tenant != TENANT:
            return self._refusal(GrantRefused(400, "invalid_tenant", 90002, f"Tenant '{tenant}' not found."))
        base = f"{self._world.roots['entra']}/{tenant}"
        return Answer(
            200,
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "tenant_region_scope": "EU",
            },
        )

    def _instances(self) -> dict[str, Any]:
        root = self._world.roots["entra"]
        host = root.removeprefix("https://")
        return {
            "tenant_discovery_endpoint": f"{root}/{TENANT}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }

    def _token(self, tenant: str, request: Request) -> Answer:
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        try:
            if "application/x-www-form-urlencoded" not in request.headers.get("content-type", ""):
                raise GrantRefused(400, "invalid_request", 900144, "The request body must be form-encoded.")
            token = self._directory.grant(tenant, form)
        except GrantRefused as refused:
            return self._refusal(refused)
        # The client counts in real time, the token lives in simulated time; one second less, as Entra says 3599
        lifetime = math.floor(self._world.clock.real_seconds(self._world.tokens.lifetime))
        seconds = max(1, lifetime - 1)
        return Answer(
            200, {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
        )

    def _refusal(self, refused: GrantRefused) -> Answer:
        now = self._world.clock.now()
        return Answer(
            refused.status,
            {
                "error": refused.error,
                "error_description": f"{refused} Trace ID: 0 Correlation ID: 0 Timestamp: {now:%Y-%m-%d %H:%M:%SZ}",
                "error_codes": [refused.number],
                "timestamp": f"{now:%Y-%m-%d %H:%M:%SZ}",
                "trace_id": "00000000-0000-0000-0000-000000000000",
                "correlation_id": "00000000-0000-0000-0000-000000000000",
                "error_uri": f"{self._world.roots['entra']}/error?code={refused.number}",
            },
        )

    # What a tenant's administrator does

    def _registration(self, client_id: str | None) -> Registration:
        return self._directory.registrations[client_id or CLIENT_ID]

    def _add_registration(self, client_id: str, secret: str, roles: dict[str, list[str]]) -> None:
        granted = {service: frozenset(roles.get(service, ())) for service in ("graph", "bc")}
        self._directory.registrations[client_id] = Registration(granted, {secret})

    def _set_roles(self, service: str, roles: list[str], client_id: str | None = None) -> None:
        self._registration(client_id).roles[service] = frozenset(roles)

    def _add_secret(self, secret: str, client_id: str | None = None) -> None:
        self._registration(client_id).secrets.add(secret)

    def _expire_secret(self, secret: str, client_id: str | None = None) -> None:
        registration = self._registration(client_id)
        registration.secrets.discard(secret)
        registration.expired_secrets.add(secret)

    def _add_certificate(self, pem: str, client_id: str | None = None) -> None:
        for thumbprint in thumbprints(pem):
            self._registration(client_id).certificates[thumbprint] = pem

    def _add_federated_credential(self, issuer: str, subject: str, client_id: str | None = None) -> None:
        self._registration(client_id).federated.add((issuer, subject))

    def _set_token_lifetime(self, seconds: float) -> None:
        self._world.tokens.lifetime = seconds
