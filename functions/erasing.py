"""Admin door: a person is found in all mailboxes, and erased from them (R39)."""

from typing import TYPE_CHECKING, List  # noqa: UP035 - the worker refuses list[str] in func.Out

import azure.functions as func

from functions.answers import answer, asked_body, found_body
from functions.deadlines import SAVING, within
from functions.incoming import caller, named, query, read_body
from functions.problems import answering
from functions.queues import CONNECTION, SYNC_JOBS, waking
from shared.bootstrap import get_services

if TYPE_CHECKING:
    from functions.bodies import ContactBody
    from shared.engine.callers import Caller
    from shared.engine.services import Services

bp = func.Blueprint()


@bp.function_name("admin_find")
@bp.route(route="api/admin/contacts/find", methods=["POST"])
@answering
def admin_find(req: func.HttpRequest) -> func.HttpResponse:
    """Which mailboxes hold a person."""
    from functions.bodies import ContactBody
    from shared.engine.finding import find

    services, body = get_services(), read_body(req, ContactBody)
    company = _company(services, req, body, caller(req, body))
    return answer(found_body(find(services, company, body.contact)))


@bp.function_name("admin_erase")
@bp.route(route="api/admin/contacts/erase", methods=["POST"])
@bp.queue_output(arg_name="jobs", queue_name=SYNC_JOBS, connection=CONNECTION)
@answering
def admin_erase(req: func.HttpRequest, jobs: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
    """Erase a person for good; with `preview`, only say where they are."""
    from functions.bodies import EraseBody
    from shared.engine.erasing import erase
    from shared.engine.finding import find

    services, body = get_services(), read_body(req, EraseBody)
    who = caller(req, body)
    company = _company(services, req, body, who)
    if body.preview:
        return answer(found_body(find(services, company, body.contact)))
    reports = erase(services, company, body.contact, named(who), within(services, SAVING))
    jobs.set(waking(reports))
    return answer({"runs": [asked_body(each) for each in reports]}, status=202)


def _company(services: "Services", req: func.HttpRequest, body: "ContactBody", who: "Caller") -> str:
    """The company that is meant, once it is known that the caller comes from here."""
    from shared.engine.callers import check_origin
    from shared.engine.profiles import the_company

    check_origin(services, who)
    return the_company(services, body.company or query(req, "company") or who.company_id)
