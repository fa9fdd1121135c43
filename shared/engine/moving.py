"""Where a profile stands after a run: positions move last (R30)."""

from dataclasses import replace
from datetime import datetime

from shared.engine.holding import counted_lately, counted_now
from shared.engine.model import Mode, Positions
from shared.engine.reading import Reading
from shared.engine.recording import Recorder
from shared.engine.state import ProfileState
from shared.engine.watching import DELETED, fingerprint
from shared.engine.work import Work
from shared.planning.model import Plan

ECHOES_MOST = 200  #: own writes in Outlook that are recognised when they are announced


def moved_positions(work: Work, reading: Reading, plan: Plan, filter_text: str) -> Positions:
    """The positions after a run with the profile's `filter_text`; a run limited by a filter of its own moves none."""
    services, request = work.services, work.request
    now = services.now()
    limited = reading.rules.limit_to is not None
    positions = reading.positions if limited else work.positions
    unknown_outcome = any(retry.code == "outcome-unknown" for retry in work.recorder.failed.values())
    moved = replace(
        positions,
        unclean=unknown_outcome,
        echoes=_echoes(positions, work),
        last_checked_at=now,
        last_run_at=positions.last_run_at if limited else now,
        counted=(*counted_lately(services, positions), *counted_now(services, request, plan)),
    )
    if limited:
        return moved
    return replace(
        moved,
        delta_link=reading.delta_link or positions.delta_link,
        feed_epoch=reading.feed.epoch,
        filter_text=filter_text,
        last_full_at=now if request.mode is Mode.FULL else positions.last_full_at,
    )


def next_retry(state: ProfileState, reading: Reading, recorder: Recorder) -> datetime | None:
    """When the next of all retries is due (R31): a mark that was served, or put for sooner, has forgotten them."""
    if reading.others is None and not recorder.failed:
        return None
    kept = state.retries() if reading.others is None else [*reading.others, *recorder.failed.values()]
    return min((each.next_at for each in kept), default=None)


def _echoes(positions: Positions, work: Work) -> tuple[str, ...]:
    """The latest own writes in Outlook; that one was removed is news again when it has come back."""
    linked = work.recorder.links.keys() - work.inputs.links.keys()
    back = {fingerprint(work.recorder.links[key].outlook_id, DELETED) for key in linked}
    return tuple(each for each in (*positions.echoes, *work.echoes) if each not in back)[-ECHOES_MOST:]
