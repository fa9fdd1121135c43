"""Subscriptions: what they are, what a body may say about one, and who has which (reference 9.1, 9.2, 9.5)."""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from dev.simulators.clock import SimClock
from dev.simulators.graph.refusals import Refused
from dev.simulators.graph.switches import Switches

_FLOOR = timedelta(minutes=45)
_CEILING = timedelta(minutes=10_080)
_CHANGES = ("created", "updated", "deleted")
_TLS = ("v1_0", "v1_1", "v1_2", "v1_3")
_LONGEST_CLIENT_STATE = 128
_RESOURCE = re.compile(r"/?users/(?P<user>[^/]+)(?:/contactFolders/(?P<folder>[^/]+))?/contacts")
_CREATABLE = {
    "changeType", "clientState", "expirationDateTime", "latestSupportedTlsVersion", "lifecycleNotificationUrl",
    "notificationUrl", "resource",
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Wish:
    """What the body of a POST asks for, apart from the rights to it."""

    user: str  #: as it was asked for
    folder: str | None  #: None: the whole mailbox
    resource: str  #: as it was asked for
    changes: tuple[str, ...]
    notification_url: str
    lifecycle_url: str | None
    client_state: str | None
    tls: str
    expires: datetime


@dataclass(slots=True, kw_only=True)
class Subscription(Wish):
    """One subscription of one app to contacts of one mailbox."""

    id: str
    client_id: str
    user_id: str
    immutable: bool  #: notifications carry immutable ids
    authorized: bool = True  #: False: reauthorization is due
    held: list[tuple[float, dict[str, Any]]] = field(default_factory=list)  #: items since then, with their times

    @property
    def expires_text(self) -> str:
        """The expiry as answers carry it."""
        return self.expires.isoformat().replace("+00:00", "Z")


class Subscriptions:
    """All subscriptions that have not expired."""

    def __init__(self, clock: SimClock) -> None:
        """Expiry goes by `clock`."""
        self._clock = clock
        self._by_id: dict[str, Subscription] = {}
        self._by_user: defaultdict[str, dict[str, Subscription]] = defaultdict(dict)

    def __iter__(self) -> Iterator[Subscription]:
        """Yield them in order of creation."""
        yield from self._living(self._by_id)

    def of(self, user_id: str) -> Iterator[Subscription]:
        """Yield those to a user's mailbox."""
        if user_id in self._by_user:
            yield from self._living(self._by_user[user_id])

    def get(self, id: str) -> Subscription | None:  # noqa: A002 - the contract's word
        """Return the subscription with this id."""
        found = self._by_id.get(id)
        return None if found is None else next(self._living({id: found}), None)

    def _living(self, some: Mapping[str, Subscription]) -> Iterator[Subscription]:
        now = self._clock.now()
        for one in list(some.values()):
            if one.expires > now:
                yield one
            else:
                self.remove(one.id)

    def add(self, wish: Wish, client_id: str, user_id: str, immutable: bool) -> Subscription:
        """Make what was wished for."""
        made = Subscription(
            **asdict(wish), id=str(uuid.uuid4()), client_id=client_id, user_id=user_id, immutable=immutable
        )
        self._by_id[made.id] = self._by_user[user_id][made.id] = made
        return made

    def remove(self, id: str) -> None:  # noqa: A002 - the contract's word
        """Remove one; it may be gone already."""
        gone = self._by_id.pop(id, None)
        if gone is not None:
            del self._by_user[gone.user_id][id]

    def clear(self) -> None:
        """Remove all."""
        self._by_id.clear()
        self._by_user.clear()

    def refuse_taken(self, wish: Wish, client_id: str, user_id: str, quota: int) -> None:
        """Raise 409 for the app's second subscription to the same, 403 for one too many in the mailbox."""
        in_mailbox = list(self.of(user_id))
        for one in in_mailbox:
            if (one.client_id, one.folder, set(one.changes)) == (client_id, wish.folder, set(wish.changes)):
                message = f"Subscription Id {one.id} already exists for the requested combination"
                raise Refused(409, "Conflict", message)
        if len(in_mailbox) >= quota:
            raise Refused(403, "ExtensionError", f"The mailbox has reached its quota of {quota} subscriptions.")


def read_wish(body: dict[str, Any], switches: Switches, now: datetime) -> Wish:
    """Return what the body of a POST asks for; raises 400."""
    if unknown := set(body) - _CREATABLE:
        raise _invalid(f"The properties {sorted(unknown)} cannot be set on a subscription of this kind.")
    resource = _text(body, "resource")
    named = _RESOURCE.fullmatch(resource)
    if named is None:
        raise extension_error(400, "BadRequest", f"Resource '{resource}' is not supported.")
    state = body.get("clientState")
    if state is not None and (not isinstance(state, str) or len(state) > _LONGEST_CLIENT_STATE):
        raise _invalid(f"clientState must be a string of at most {_LONGEST_CLIENT_STATE} characters.")
    tls = body.get("latestSupportedTlsVersion", "v1_2")
    if tls not in _TLS:
        raise _invalid(f"latestSupportedTlsVersion must be one of {list(_TLS)}.")
    lifecycle = body.get("lifecycleNotificationUrl")
    return Wish(
        user=named["user"],
        folder=named["folder"],
        resource=resource,
        changes=_changes(_text(body, "changeType")),
        notification_url=https_url(_text(body, "notificationUrl"), "notificationUrl"),
        lifecycle_url=None if lifecycle is None else https_url(lifecycle, "lifecycleNotificationUrl"),
        client_state=state,
        tls=tls,
        expires=read_expiry(_text(body, "expirationDateTime"), switches, now),
    )


def read_expiry(text: Any, switches: Switches, now: datetime) -> datetime:
    """Return the expiry that a body asks for, at least 45 minutes and at most 7 days ahead; raises 400."""
    try:
        asked = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise _invalid("expirationDateTime is not a date and time.") from None
    if asked.tzinfo is None:
        raise _invalid("expirationDateTime must be in UTC.")
    asked = asked.astimezone(UTC)
    if asked <= now and switches.subscription_in_past == "refuse":
        raise _invalid("Subscription expiration can only be in the future.")
    if asked > now + _CEILING:
        if switches.subscription_over_maximum == "refuse":
            raise _invalid("Subscription expiration can only be 10080 minutes in the future.")
        asked = now + _CEILING
    return max(asked, (now + _FLOOR).replace(microsecond=0))


def https_url(text: Any, name: str) -> str:
    """Return an https address; raises 400."""
    try:
        parts = urlsplit(text) if isinstance(text, str) else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme != "https" or not parts.hostname or parts.fragment:
        raise _invalid(f"{name} must be an https address.")
    return str(text)


def extension_error(status: int, inner: str, reason: str) -> Refused:
    """What Outlook refuses behind the subscription service: its own status stands in the message (9.2)."""
    text = f"Operation: Create; Exception: [Status Code: {inner}; Reason: {reason}]"
    return Refused(status, "ExtensionError", text)


def _invalid(message: str) -> Refused:
    return Refused(400, "InvalidRequest", message)


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise _invalid(f"{name} is required.")
    return value


def _changes(text: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(","))
    if len(set(found)) != len(found) or not set(found) <= set(_CHANGES):
        raise _invalid(f"changeType must be a list of {', '.join(_CHANGES)}.")
    return found
