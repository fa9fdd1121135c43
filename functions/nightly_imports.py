"""Timer: saved imports of users are repeated."""

import logging
from typing import List  # noqa: UP035 - the worker refuses list[str] in func.Out

import azure.functions as func

from functions.queues import COMPANY_JOBS, CONNECTION
from shared.bootstrap import get_services
from shared.engine.jobs import company_job
from shared.logs import log_event

bp = func.Blueprint()
logger = logging.getLogger(__name__)


@bp.function_name("nightly_imports")
@bp.timer_trigger(arg_name="tick", schedule="%IMPORT_SCHEDULE%", run_on_startup=False)
@bp.queue_output(arg_name="jobs", queue_name=COMPANY_JOBS, connection=CONNECTION)
def nightly_imports(tick: func.TimerRequest, jobs: func.Out[List[str]]) -> None:  # noqa: UP006
    """Put a run of each in line."""
    from shared.engine.importing import begin_night

    services = get_services()
    begun = begin_night(services, services.now())
    jobs.set([company_job(each) for each in begun])
    log_event(logger, "imports_begun", queued=len(begun), late=tick.past_due)
