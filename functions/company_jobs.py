"""Queue: what is to be done for one company: its feed brought up to date, a subscription, an import of users."""

import logging

import azure.functions as func

from functions.queues import COMPANY_JOBS, CONNECTION
from shared.bootstrap import get_services
from shared.engine.jobs import read_company_job
from shared.logs import log_event

bp = func.Blueprint()
logger = logging.getLogger(__name__)


@bp.function_name("company_jobs")
@bp.queue_trigger(arg_name="message", queue_name=COMPANY_JOBS, connection=CONNECTION)
def company_jobs(message: func.QueueMessage) -> None:
    """Serve one message."""
    job = read_company_job(message.get_body().decode())
    if job.is_upkeep:
        from shared.engine.upkeep import serve

        serve(get_services(), job)
    elif job.import_run:
        from shared.engine import importing

        importing.serve(get_services(), job)
    else:
        from shared.engine.fan_out import serve_company

        serve_company(get_services(), job)
    log_event(logger, "company_served", company=job.company_id, reason=job.reason)
