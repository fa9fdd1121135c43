"""Queue: do what waits for one mailbox."""

import secrets

import azure.functions as func

from functions.queues import CONNECTION, SYNC_JOBS
from shared.bootstrap import get_services
from shared.engine.jobs import mailbox_of

bp = func.Blueprint()


@bp.function_name("sync_jobs")
@bp.queue_trigger(arg_name="message", queue_name=SYNC_JOBS, connection=CONNECTION)
def sync_jobs(message: func.QueueMessage, context: func.Context) -> None:
    """Serve one message; the owner of the lease is this very invocation."""
    from shared.engine.run import run_mailbox  # the whole engine: only a worker that runs needs it

    owner = f"{context.invocation_id}.{secrets.token_hex(4)}"
    run_mailbox(get_services(), mailbox_of(message.get_body().decode()), owner)
