"""When a run under way stops between two batches, to go on later under its id."""

from shared.engine.model import RunRequest
from shared.engine.pauses import pause_of
from shared.engine.services import Services
from shared.errors import RetryableError
from shared.pace import Pace


def may_go_on(services: Services, request: RunRequest, pace: Pace, *, unfinished: bool) -> None:
    """Raises RetryableError when the run is paused (R40), its time is used up, or a batch stopped half-way (R32)."""
    if pause_of(services.pauses.all(), request.company_id, request.profile_id) is not None:
        raise RetryableError("The run is paused; it goes on when it is resumed.", code="paused")
    if unfinished or services.monotonic() >= pace.deadline:
        raise RetryableError("The run's time is used up; it goes on where it stopped.", code="out-of-time")
