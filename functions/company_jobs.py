"""Queue: bring one company's feed up to date and wake the mailboxes that have work."""

import logging
from typing import List  # noqa: UP035 - the worker refuses list[str] in func.Out

import azure.functions as func

from functions.queues import COMPANY_JOBS, CONNECTION, SYNC_JOBS
from shared.bootstrap import get_services
from shared.engine.jobs import read_company_job, sync_job
from shared.logs import log_event

bp = func.Blueprint()
logger = logging.getLogger(__name__)


@bp.function_name("company_jobs")
@bp.queue_trigger(arg_name="message", queue_name=COMPANY_JOBS, connection=CONNECTION)
@bp.queue_output(arg_name="jobs", queue_name=SYNC_JOBS, connection=CONNECTION)
def company_jobs(message: func.QueueMessage, jobs: func.Out[List[str]]) -> None:  # noqa: UP006
    """Serve one message."""
    from shared.engine.fan_out import serve_company

    job = read_company_job(message.get_body().decode())
    mailboxes = serve_company(get_services(), job)
    jobs.set([sync_job(each) for each in mailboxes])
    log_event(logger, "company_served", company=job.company_id, reason=job.reason, mailboxes=len(mailboxes))
