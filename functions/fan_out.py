"""Timer: one company-jobs message per company."""

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
    """Wake a worker for each company that has profiles."""
    from shared.engine.fan_out import companies_to_read

    services = get_services()
    companies = companies_to_read(services, services.now())
    jobs.set([company_job(each) for each in companies])
    log_event(logger, "fanned_out", companies=len(companies), late=tick.past_due)
