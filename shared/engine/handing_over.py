"""When a run does not start, or stops between two batches, to go on later under its id."""

from shared.engine.model import RunRequest
from shared.engine.pauses import pause_of
from shared.engine.services import Services
from shared.errors import OutOfTime, Paused
from shared.pace import Pace


def is_paused(services: Services, request: RunRequest) -> bool:
    """Whether the run may not start, or go on, before it is resumed (R40)."""
    return pause_of(services.pauses.all(), request.company_id, request.profile_id) is not None


def may_go_on(services: Services, request: RunRequest, pace: Pace, *, unfinished: bool) -> None:
    """Raises RetryableError when the run is paused (R40), its time is used up, or a batch stopped half-way (R32)."""
    if is_paused(services, request):
        raise Paused("The run is paused; it goes on when it is resumed.")
    if unfinished or services.monotonic() >= pace.deadline:
        raise OutOfTime("The run's time is used up; it goes on where it stopped.")
