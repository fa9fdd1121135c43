"""App registrations and their credentials; decides whether a token request is granted."""

import base64
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from dev.simulators.world import BC_AUDIENCE, CLIENT_ID, CLIENT_SECRET, TENANT, World

FEDERATED_AUDIENCE = "api://AzureADTokenExchange"


class GrantRefused(Exception):
    """A token request that Entra refuses; carries the HTTP status, the OAuth error and the AADSTS number."""

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        """`text` is the sentence after the AADSTS number."""
        super().__init__(f"AADSTS{number}: {text}")
        self.status = status
        self.error = error
        self.number = number


@dataclass
class Registration:
    """An app registration: what it may do and how it proves who it is."""

    roles: dict[str, frozenset[str]]  #: app roles by audience
    secrets: set[str] = field(default_factory=set)
    expired_secrets: set[str] = field(default_factory=set)
    certificates: dict[str, str] = field(default_factory=dict)  #: PEM by SHA-256 thumbprint (base64url)
    federated: set[tuple[str, str]] = field(default_factory=set)  #: issuer and subject


class Directory:
    """All registrations of the one tenant."""

    def __init__(self, world: World) -> None:
        """Start with one registration that may use Graph and Business Central."""
        self._world = world
        self.registrations = {
            CLIENT_ID: Registration(
                roles={
                    "graph": frozenset({"Contacts.Read", "Contacts.ReadWrite", "User.Read.All"}),
                    "bc": frozenset({"API.ReadWrite.All"}),
                },
                secrets={CLIENT_SECRET},
            )
        }

    def grant(self, tenant: str, form: dict[str, str]) -> str:
        """Return an access token for a client_credentials request; raises `GrantRefused`."""
        if tenant != TENANT:
            raise GrantRefused(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")
        if form.get("grant_type") != "client_credentials":
            raise GrantRefused(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        client_id = form.get("client_id", "")
        registration = self.registrations.get(client_id)
        if registration is None:
            raise GrantRefused(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id}' was not found in the directory '{tenant}'.",
            )
        self._check_proof(registration, client_id, form)
        service, audience = self._audience(form.get("scope", ""))
        return self._world.tokens.issue(tenant, client_id, audience, registration.roles[service])

    def _audience(self, scope: str) -> tuple[str, str]:
        resources = {"graph": self._world.roots.get("graph", "https://graph.microsoft.com"), "bc": BC_AUDIENCE}
        wanted = [part for part in scope.split() if part not in ("openid", "profile", "offline_access")]
        if len(wanted) != 1 or not wanted[0].endswith("/.default"):
            raise GrantRefused(
                400,
                "invalid_scope",
                1002012,
                f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value "
                "with /.default suffixed to the resource identifier (application ID URI).",
            )
        audience = wanted[0].removesuffix("/.default").rstrip("/")
        for service, resource in resources.items():
            if audience == resource:
                return service, audience
        raise GrantRefused(
            400, "invalid_resource", 500011, f"The resource principal named {audience} was not found in the tenant."
        )

    def _check_proof(self, registration: Registration, client_id: str, form: dict[str, str]) -> None:
        if assertion := form.get("client_assertion"):
            if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
                raise GrantRefused(400, "invalid_request", 900144, "The client_assertion_type is missing or unknown.")
            self._check_assertion(registration, client_id, assertion)
        elif secret := form.get("client_secret"):
            if secret in registration.expired_secrets:
                raise GrantRefused(401, "invalid_client", 7000222, "The provided client secret keys are expired.")
            if secret not in registration.secrets:
                raise GrantRefused(
                    401,
                    "invalid_client",
                    7000215,
                    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                    "value, not the client secret ID.",
                )
        else:
            raise GrantRefused(
                401,
                "invalid_client",
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            )

    def _check_assertion(self, registration: Registration, client_id: str, assertion: str) -> None:
        try:
            header = jwt.get_unverified_header(assertion)
            claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.PyJWTError:
            raise GrantRefused(401, "invalid_client", 50027, "JWT token is invalid or malformed.") from None
        if claims.get("iss") == client_id == claims.get("sub"):
            self._check_certificate(registration, header, assertion)
        elif (claims.get("iss"), claims.get("sub")) not in registration.federated:
            raise GrantRefused(
                401,
                "invalid_client",
                700213,
                f"No matching federated identity record found for presented assertion subject '{claims.get('sub')}'.",
            )
        elif claims.get("aud") != FEDERATED_AUDIENCE:
            raise GrantRefused(401, "invalid_client", 700212, "No matching federated identity record found (audience).")

    def _check_certificate(self, registration: Registration, header: dict[str, Any], assertion: str) -> None:
        thumbprint = str(header.get("x5t#S256") or header.get("x5t") or "").rstrip("=")
        pem = registration.certificates.get(thumbprint)
        if pem is None:
            raise GrantRefused(
                401,
                "invalid_client",
                700027,
                "The certificate with identifier used to sign the client assertion is not registered on application.",
            )
        key: Any = x509.load_pem_x509_certificate(pem.encode()).public_key()
        audience = f"{self._world.roots['entra']}/{TENANT}/oauth2/v2.0/token"
        try:
            jwt.decode(assertion, key, algorithms=["RS256", "PS256"], audience=audience)
        except jwt.PyJWTError as wrong:
            raise GrantRefused(
                401,
                "invalid_client",
                700024,
                f"Client assertion is not within its valid time range or not valid ({wrong}).",
            ) from None


def thumbprints(pem: str) -> tuple[str, str]:
    """Return a certificate's SHA-256 and SHA-1 thumbprints as JWT headers carry them (x5t#S256, x5t)."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    sha256 = certificate.fingerprint(hashes.SHA256())
    sha1 = certificate.fingerprint(hashes.SHA1())  # noqa: S303 - what x5t is
    return _base64url(sha256), _base64url(sha1)


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
