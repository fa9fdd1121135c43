"""Poison queues: messages that failed too often. What waited for them ends as failed, with the reason."""

import logging

import azure.functions as func

from functions.queues import COMPANY_JOBS_POISON, CONNECTION, SYNC_JOBS_POISON
from shared.bootstrap import get_services
from shared.engine.jobs import mailbox_of, read_company_job
from shared.logs import log_event

bp = func.Blueprint()
logger = logging.getLogger(__name__)

REASON = "The run broke off several times in a row. Start it again; if it fails again, look into the app's log."


@bp.function_name("sync_jobs_poison")
@bp.queue_trigger(arg_name="message", queue_name=SYNC_JOBS_POISON, connection=CONNECTION)
def sync_jobs_poison(message: func.QueueMessage) -> None:
    """Close the mailbox's waiting runs as failed; an alert watches the event."""
    try:
        mailbox = mailbox_of(message.get_body().decode(errors="replace"))
    except ValueError:
        log_event(logger, "poison_message", level=logging.ERROR, queue="sync-jobs", id=message.id)
        return
    log_event(logger, "poison_message", level=logging.ERROR, queue="sync-jobs", mailbox=mailbox)
    from shared.engine.run import close_as_failed

    close_as_failed(get_services(), mailbox, "broke-off", REASON)


@bp.function_name("company_jobs_poison")
@bp.queue_trigger(arg_name="message", queue_name=COMPANY_JOBS_POISON, connection=CONNECTION)
def company_jobs_poison(message: func.QueueMessage) -> None:
    """The next tick reads the company again; an import's run ends as failed. An alert watches the event."""
    try:
        job = read_company_job(message.get_body().decode(errors="replace"))
    except ValueError:
        log_event(logger, "poison_message", level=logging.ERROR, queue="company-jobs", company="", id=message.id)
        return
    company = job.company_id
    log_event(logger, "poison_message", level=logging.ERROR, queue="company-jobs", company=company, id=message.id)
    if job.import_run:
        from shared.engine import import_run

        import_run.close_as_failed(get_services(), job.import_run, "broke-off", REASON)
