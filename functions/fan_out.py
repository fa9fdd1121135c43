"""Timer: reads the companies and wakes the mailboxes that have work."""

import logging
from typing import List  # noqa: UP035 - the worker refuses list[str] in func.Out

import azure.functions as func

from functions.queues import COMPANY_JOBS, CONNECTION
from shared.bootstrap import get_services
from shared.engine.jobs import company_job
from shared.logs import log_event

bp = func.Blueprint()
logger = logging.getLogger(__name__)


@bp.function_name("fan_out")
@bp.timer_trigger(arg_name="tick", schedule="%SYNC_SCHEDULE%", run_on_startup=False)
@bp.queue_output(arg_name="jobs", queue_name=COMPANY_JOBS, connection=CONNECTION)
def fan_out(tick: func.TimerRequest, jobs: func.Out[List[str]]) -> None:  # noqa: UP006
    """Serve a tick; what it leaves goes into the queue."""
    from shared.engine.fan_out import serve_tick

    services = get_services()
    left = serve_tick(services, services.now())
    jobs.set([company_job(each) for each in left])
    log_event(logger, "fanned_out", queued=len(left), late=tick.past_due)
