"""Admin door: a person is found in all mailboxes, and erased from them (R39)."""

from typing import List  # noqa: UP035 - the worker refuses list[str] in func.Out

import azure.functions as func

from functions.answers import answer, found_body, run_address
from functions.deadlines import SAVING, within
from functions.incoming import caller, named, query, read_body
from functions.problems import answering
from functions.queues import CONNECTION, SYNC_JOBS
from shared.bootstrap import get_services
from shared.engine.jobs import sync_job

bp = func.Blueprint()


@bp.function_name("admin_find")
@bp.route(route="api/admin/contacts/find", methods=["POST"])
@answering
def admin_find(req: func.HttpRequest) -> func.HttpResponse:
    """Which mailboxes hold a person."""
    from functions.bodies import ContactBody
    from shared.engine.callers import check_origin
    from shared.engine.finding import find
    from shared.engine.profiles import the_company

    services, body = get_services(), read_body(req, ContactBody)
    who = caller(req, body)
    check_origin(services, who)
    company = the_company(services, body.company or query(req, "company") or who.company_id)
    return answer(found_body(find(services, company, body.contact)))


@bp.function_name("admin_erase")
@bp.route(route="api/admin/contacts/erase", methods=["POST"])
@bp.queue_output(arg_name="jobs", queue_name=SYNC_JOBS, connection=CONNECTION)
@answering
def admin_erase(req: func.HttpRequest, jobs: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
    """Erase a person for good; with `preview`, only say where they are."""
    from functions.bodies import EraseBody
    from shared.engine.callers import check_origin
    from shared.engine.erasing import erase
    from shared.engine.finding import find
    from shared.engine.profiles import the_company

    services, body = get_services(), read_body(req, EraseBody)
    who = caller(req, body)
    check_origin(services, who)
    company = the_company(services, body.company or query(req, "company") or who.company_id)
    if body.preview:
        return answer(found_body(find(services, company, body.contact)))
    reports = erase(services, company, body.contact, named(who), within(services, SAVING))
    jobs.set([sync_job(each) for each in dict.fromkeys(report.mailbox_id for report in reports)])
    runs = [
        {"user": each.profile_id, "runId": each.run_id, "status": each.status.value, "run": run_address(each.run_id)}
        for each in reports
    ]
    return answer({"runs": runs}, status=202)
