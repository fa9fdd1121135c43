"""Admin door: everything, a company or a profile is paused and goes on again (R40)."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions.answers import answer, pause_body
from functions.deadlines import SAVING, within
from functions.incoming import caller, named, query, read_body
from functions.problems import answering
from shared.bootstrap import get_services

if TYPE_CHECKING:
    from functions.bodies import ResumeBody
    from shared.engine.callers import Caller

bp = func.Blueprint()


@bp.function_name("admin_pause")
@bp.route(route="api/admin/pause", methods=["POST"])
@answering
def admin_pause(req: func.HttpRequest) -> func.HttpResponse:
    """No run starts any more, a running one stops at its next batch."""
    from functions.bodies import PauseBody
    from shared.engine.pausing import pause

    services, body = get_services(), read_body(req, PauseBody)
    who = caller(req, body)
    named(who)
    new = pause(services, body.user.strip(), _company(req, body, who), body.reason, who, within(services, SAVING))
    return answer({"paused": pause_body(new)})


@bp.function_name("admin_resume")
@bp.route(route="api/admin/resume", methods=["POST"])
@answering
def admin_resume(req: func.HttpRequest) -> func.HttpResponse:
    """Go on, and catch up at once."""
    from functions.bodies import ResumeBody
    from shared.engine.pausing import resume

    services, body = get_services(), read_body(req, ResumeBody)
    who = caller(req, body)
    named(who)
    ended = resume(services, body.user.strip(), _company(req, body, who), who, within(services, SAVING))
    left = [pause_body(each) for each in services.pauses.all()]
    return answer({"resumed": ended, "paused": left})


def _company(req: func.HttpRequest, body: "ResumeBody", who: "Caller") -> str:
    """The company that is meant; who says from which one the request comes does not mean all of them."""
    return (body.company or query(req, "company") or who.company_id).strip()
