"""Access tokens: issued by the Entra simulator, checked by the other two."""

import secrets
from dataclasses import dataclass
from typing import Any

import jwt

from dev.simulators.clock import SimClock

_LIFETIME = 3600.0  #: seconds, what Entra usually grants


class TokenRefused(Exception):
    """A token that a service does not accept; `reason` is empty, malformed, audience, expired or tenant."""

    def __init__(self, reason: str) -> None:
        """Keep the reason, from which each service makes its own answer."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claims:
    """What an accepted token says."""

    tenant: str
    client_id: str
    audience: str
    roles: frozenset[str]
    expires: float  #: seconds since 1970, simulated time


class Tokens:
    """Issues tokens and checks them. Signed with a key that lives as long as the simulators."""

    def __init__(self, clock: SimClock) -> None:
        """Tokens live by `clock`."""
        self._clock = clock
        self._key = secrets.token_hex(32)
        self._known: dict[str, Claims] = {}
        self._valid_from = 0.0
        self.lifetime = _LIFETIME

    def issue(self, tenant: str, client_id: str, audience: str, roles: frozenset[str]) -> str:
        """Return a bearer token for `audience` (a service's root, without /.default)."""
        now = self._clock.timestamp()
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant}/",
            "tid": tenant,
            "appid": client_id,
            "roles": sorted(roles),
            "iat": now,
            "nbf": now,
            "exp": now + self.lifetime,
            "uti": secrets.token_hex(8),
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    def revoke_all(self) -> None:
        """Make every token issued so far count as expired."""
        self._known.clear()
        self._valid_from = self._clock.timestamp()

    def check(self, authorization: str | None, audiences: frozenset[str], tenant: str) -> Claims:
        """Return what the token in an Authorization header says.

        `audiences`: names by which the service knows itself. Raises `TokenRefused`.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise TokenRefused("empty")
        claims = self._known.get(token) or self._read(token)
        if claims.audience.rstrip("/") not in audiences:
            raise TokenRefused("audience")
        if claims.tenant != tenant:
            raise TokenRefused("tenant")
        if claims.expires <= self._clock.timestamp():
            raise TokenRefused("expired")
        return claims

    def _read(self, token: str) -> Claims:
        try:
            read = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            raise TokenRefused("malformed") from None
        expires = read["exp"] if read["iat"] >= self._valid_from else 0.0
        claims = Claims(read["tid"], read["appid"], read["aud"], frozenset(read["roles"]), expires)
        self._known[token] = claims
        return claims
