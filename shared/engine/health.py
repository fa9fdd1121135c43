"""Whether the app can work: storage, and both services with their tokens."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.engine.connection import missing_permissions, try_directory
from shared.engine.services import Services
from shared.errors import SyncError
from shared.pace import Pace


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
        _tried("microsoft-graph", lambda: try_directory(services, pace)),
        _tried("business-central", lambda: _many(len(services.business_central(pace).companies()), "can be read")),
        _permissions(services),
        _imports(services),
    ]


def _many(number: int, what: str) -> str:
    return f"Companies that {what}: {number}."


def _permissions(services: Services) -> Part:
    """What the tokens carry; only what is wrong is named."""
    try:
        wrong = missing_permissions(services)
    except SyncError as error:
        return Part("permissions", False, str(error))
    if wrong:
        return Part("permissions", False, " ".join(f"{each.check}: {each.detail} {each.what_to_do}" for each in wrong))
    return Part("permissions", True, "The tokens carry what they must.")


def _imports(services: Services) -> Part:
    """Saved imports that could not read their users: nobody comes or goes by them."""
    from shared.engine.importing import troubles

    try:
        failed = troubles(services)
    except SyncError as error:
        return Part("imports", False, str(error))
    words = " ".join(f"{order.name}: {last.error}" for order, last in failed)
    return Part("imports", not failed, words or "No saved import has failed.")


def _tried(part: str, attempt: Callable[[], str]) -> Part:
    try:
        return Part(part, True, attempt())
    except SyncError as error:
        return Part(part, False, str(error))
