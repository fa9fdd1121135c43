"""Acts as the administrator of the simulated tenant."""

from collections.abc import Mapping, Sequence

from dev.simulators.control_client import ControlClient


class EntraControl(ControlClient):
    """Control client of the Entra simulator; `client_id` None means the app registration that exists from the start."""

    def add_registration(self, client_id: str, secret: str, roles: Mapping[str, Sequence[str]]) -> None:
        """Register an app; `roles` by service ("graph", "bc")."""
        self.call("add_registration", client_id=client_id, secret=secret, roles=roles)

    def set_roles(self, service: str, roles: Sequence[str], client_id: str | None = None) -> None:
        """Consent to exactly these app roles for "graph" or "bc"; tokens issued from now on carry them."""
        self.call("set_roles", service=service, roles=list(roles), client_id=client_id)

    def add_secret(self, secret: str, client_id: str | None = None) -> None:
        """Add a client secret."""
        self.call("add_secret", secret=secret, client_id=client_id)

    def expire_secret(self, secret: str, client_id: str | None = None) -> None:
        """Let a client secret expire (AADSTS7000222)."""
        self.call("expire_secret", secret=secret, client_id=client_id)

    def add_certificate(self, pem: str, client_id: str | None = None) -> None:
        """Register the certificate of a client assertion."""
        self.call("add_certificate", pem=pem, client_id=client_id)

    def add_federated_credential(self, issuer: str, subject: str, client_id: str | None = None) -> None:
        """Accept assertions of another issuer, such as a managed identity's token."""
        self.call("add_federated_credential", issuer=issuer, subject=subject, client_id=client_id)

    def set_token_lifetime(self, seconds: float) -> None:
        """Let tokens issued from now on live this long (simulated seconds)."""
        self.call("set_token_lifetime", seconds=seconds)
