"""Whether the app can work: storage, and both services with their tokens."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.engine.services import Services
from shared.errors import MailboxUnavailable, SyncError
from shared.pace import Pace

_NOBODY = "00000000-0000-0000-0000-000000000000"  #: a user that no directory knows


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that the app depends on."""

    part: str
    ok: bool
    detail: str


def look(services: Services, pace: Pace) -> list[Part]:
    """Try each part by itself."""
    return [
        _tried("storage", lambda: _many(len(services.profiles.companies()), "have profiles")),
        _tried("microsoft-graph", lambda: _graph(services, pace)),
        _tried("business-central", lambda: _many(len(services.business_central(pace).companies()), "can be read")),
    ]


def _many(number: int, what: str) -> str:
    return f"Companies that {what}: {number}."


def _graph(services: Services, pace: Pace) -> str:
    try:
        services.directory(pace).mailbox(_NOBODY)
    except MailboxUnavailable as error:
        if error.code not in ("unknown-user", "no-mailbox"):
            raise
    return "The directory can be read."


def _tried(part: str, attempt: Callable[[], str]) -> Part:
    try:
        return Part(part, True, attempt())
    except SyncError as error:
        return Part(part, False, str(error))
