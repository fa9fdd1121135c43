"""User door: start a run, and wait for its end if that is wanted.

The one place with `async def`: waiting must not hold a thread of the worker. What blocks goes into a thread.
"""

import asyncio
from typing import TYPE_CHECKING, List  # noqa: UP035 - the worker refuses list[str] in func.Out

import azure.functions as func

from functions.answers import answer, is_over, report_body, run_accepted
from functions.deadlines import QUICK, within
from functions.incoming import caller, number, query, read_body
from functions.problems import answering_later
from functions.queues import CONNECTION, SYNC_JOBS
from shared.bootstrap import get_services
from shared.engine.jobs import sync_job
from shared.engine.pauses import pause_of_run

if TYPE_CHECKING:
    from shared.engine.model import Report
    from shared.engine.services import Services

bp = func.Blueprint()

FIRST_LOOK, LOOK_EVERY = 0.1, 0.5  #: seconds between looks at the report: doubling from the one to the other


@bp.function_name("user_sync")
@bp.route(route="api/sync", methods=["POST"])
@bp.queue_output(arg_name="jobs", queue_name=SYNC_JOBS, connection=CONNECTION)
@answering_later
async def user_sync(req: func.HttpRequest, jobs: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
    """Put a run into its mailbox's line."""
    services = await asyncio.to_thread(get_services)
    wait = number(req, "wait", default=0, least=0, most=int(services.limits.wait_most))
    report = await asyncio.to_thread(_request, services, req)
    if paused := await asyncio.to_thread(pause_of_run, services, report):
        return run_accepted(report, paused)  # whoever resumes wakes it
    if not wait:
        jobs.set([sync_job(report.mailbox_id)])
        return run_accepted(report)
    # the binding sends when this function has ended: too late for a run that it waits for
    await asyncio.to_thread(services.messages.sync_job, report.mailbox_id)
    report = await _watch(services, report, wait)
    return answer(report_body(report)) if is_over(report) else run_accepted(report)


def _request(services: "Services", req: func.HttpRequest) -> "Report":
    from functions.bodies import SyncBody
    from shared.engine.callers import Subject, find_profile
    from shared.engine.model import Mode
    from shared.engine.requests import Wanted, request_run

    body = read_body(req, SyncBody)
    who = caller(req, body)
    subject = Subject(body.user, (body.company or query(req, "company")).strip())
    profile = find_profile(services, subject, who, within(services, QUICK))
    wanted = Wanted(
        mode=Mode(body.mode),
        filter=body.filter,
        save_filter=body.save_filter,
        confirm_removals=body.confirm_removals,
        preview=body.preview,
    )
    return request_run(services, profile, wanted, who.actor)


async def _watch(services: "Services", report: "Report", seconds: float) -> "Report":
    """The report when the run has ended, or as it is when the time is over."""
    until, pause = services.monotonic() + seconds, FIRST_LOOK
    while True:
        seen = await asyncio.to_thread(services.reports.get, report.run_id)
        report = seen or report
        left = until - services.monotonic()
        if is_over(report) or left <= 0:
            return report
        await asyncio.sleep(min(pause, left))
        pause = min(LOOK_EVERY, pause * 2)
