"""Timer: subscriptions to change notifications are made, renewed and ended."""

import logging

import azure.functions as func

from shared.bootstrap import get_services
from shared.logs import log_event

bp = func.Blueprint()
logger = logging.getLogger(__name__)


@bp.function_name("upkeep")
@bp.timer_trigger(arg_name="tick", schedule="%UPKEEP_SCHEDULE%", run_on_startup=False)
def upkeep(tick: func.TimerRequest) -> None:
    """One tick for everybody."""
    from shared.engine.upkeep_tick import keep_all

    keep_all(get_services())
    log_event(logger, "upkeep_done", late=tick.past_due)
