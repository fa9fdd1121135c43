"""Subscriptions to the services' change notifications: what is known of one, and what it is to become. Pure.

One per profile at Graph, on its folder (or, where the service takes none on folders, on the whole mailbox, which
profiles of that mailbox then share), and one per company at Business Central. A notification is only ever a reason to
read the feed that it is about; without a healthy subscription the timer polls (architecture, point 5).
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Source(StrEnum):
    """Whose notifications."""

    GRAPH = "graph"
    BC = "bc"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is stored of a profile's (Graph) or a company's (BC) subscription, also while there is none to be had."""

    source: Source
    company_id: str
    profile_id: str = ""  #: blank at BC
    mailbox_id: str = ""  #: blank at BC
    id: str = ""  #: the service's; blank while there is none
    resource: str = ""  #: as the service confirmed it
    whole_mailbox: bool = False  #: Graph took it on the mailbox only: it speaks of all folders
    folder_id: str = ""  #: the folder that it was made for
    address: str = ""  #: root of the public address that it delivers to
    client_state: str = field(default="", repr=False)  #: the secret that every notification carries
    expires_at: datetime | None = None
    renewed_at: datetime | None = None
    problem: str = ""  #: code: why there is none, or why it could not be renewed
    detail: str = ""  #: the same in words, with what to do
    tries: int = 0  #: failed ones in a row
    try_again_at: datetime | None = None
    etag: str = ""  #: of the stored row; blank when not stored yet

    def is_healthy(self, now: datetime) -> bool:
        """Whether notifications can be expected."""
        return bool(self.id) and self.expires_at is not None and self.expires_at > now


@dataclass(frozen=True, slots=True)
class Draft:
    """A subscription to ask a service for."""

    company_id: str
    mailbox_id: str = ""  #: Graph only
    folder_id: str = ""  #: Graph only
    address: str = ""  #: public root of this app, without a trailing slash
    client_state: str = field(default="", repr=False)
    expires_at: datetime | None = None  #: Graph only: BC decides itself


@dataclass(frozen=True, slots=True)
class Granted:
    """What a service granted."""

    id: str
    resource: str
    expires_at: datetime
    whole_mailbox: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """One of the subscriptions that a service has of us."""

    id: str
    resource: str
    address: str  #: the whole notification URL
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What one item of a notification says, as far as it was text; blank where it said nothing."""

    subscription_id: str
    client_state: str = field(default="", repr=False)
    tenant_id: str = ""  #: Graph only
    expires: str = ""  #: of the subscription, as the service writes it
    event: str = ""  #: of a lifecycle notification
    change: str = ""  #: fingerprint of the contact in its new version; blank when the item did not say both


def fingerprint(outlook_id: str, version: str) -> str:
    """A contact in one of its versions (or `DELETED`), in short: to tell our own writes among the announced changes."""
    return hashlib.blake2b(f"{outlook_id} {version}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def new_secret(key: bytes) -> str:
    """A secret for a subscription's notifications, signed with the deployment's key; 87 characters, Graph takes 128."""
    nonce = secrets.token_urlsafe(32)
    return f"{nonce}.{_signature(nonce, key)}"


def is_signed(secret: str, key: bytes) -> bool:
    """Whether a secret is one of this deployment's, told without looking anything up: most forgeries end here."""
    nonce, _, signature = secret.partition(".")
    return hmac.compare_digest(signature.encode("utf-8", "replace"), _signature(nonce, key).encode())


def _signature(nonce: str, key: bytes) -> str:
    return hmac.digest(key, nonce.encode("utf-8", "replace"), "sha256").hex()[:43]


DELETED = "deleted"  #: the version of a contact that is gone

#: Paths of our webhooks below the public address, for whoever registers them.
GRAPH_PATH = "/api/webhooks/graph"
GRAPH_LIFECYCLE_PATH = "/api/webhooks/graph/lifecycle"
BC_PATH = "/api/webhooks/business-central"
