"""How long calls may take, in seconds: Business Central's callers wait for 100 (BC reference 10.1)."""

from typing import TYPE_CHECKING

from shared.pace import Pace

if TYPE_CHECKING:
    from shared.engine.services import Services

QUICK = 5.0  #: calls that only look something up
SAVING = 10.0  #: saving a profile, and validate
IMPORTING = 8.0  #: an import of users; what is left then goes on in the queue
REMOVING = 90.0  #: removing a profile with its contacts


def within(services: "Services", seconds: float) -> Pace:
    """So much time, from now."""
    return Pace(services.monotonic() + seconds)
