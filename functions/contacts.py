"""User door: single contacts of a profile."""

from typing import List  # noqa: UP035 - the worker refuses list[str] in func.Out

import azure.functions as func

from functions.answers import answer, explanation_body, run_address
from functions.deadlines import QUICK, within
from functions.incoming import caller, read_body, subject
from functions.problems import answering
from functions.queues import CONNECTION, SYNC_JOBS, waking
from shared.bootstrap import get_services

bp = func.Blueprint()


@bp.function_name("user_explain")
@bp.route(route="api/profiles/{user}/contacts/explain", methods=["POST"])
@answering
def user_explain(req: func.HttpRequest) -> func.HttpResponse:
    """Why a contact is, or is not, synced."""
    from functions.bodies import ContactBody
    from shared.engine.callers import find_profile
    from shared.engine.explain import explain

    services, body = get_services(), read_body(req, ContactBody)
    profile = find_profile(services, subject(req, body), caller(req, body), within(services, QUICK))
    return answer(explanation_body(explain(services, profile, body.contact)))


@bp.function_name("user_unhide")
@bp.route(route="api/profiles/{user}/contacts/{id}/unhide", methods=["POST"])
@bp.queue_output(arg_name="jobs", queue_name=SYNC_JOBS, connection=CONNECTION)
@answering
def user_unhide(req: func.HttpRequest, jobs: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
    """Let a contact come back that the user deleted (R23)."""
    from functions.bodies import PlainBody
    from shared.engine.callers import find_profile
    from shared.engine.hidden import unhide

    services, body = get_services(), read_body(req, PlainBody)
    who = caller(req, body)
    profile = find_profile(services, subject(req, body), who, within(services, QUICK))
    report = unhide(services, profile, str(req.route_params.get("id", "")), who.actor)
    if report is None:
        return answer({"unhidden": True, "runId": None, "run": None})
    jobs.set(waking([report]))
    return answer({"unhidden": True, "runId": report.run_id, "run": run_address(report.run_id)})


@bp.function_name("user_resume_contact")
@bp.route(route="api/profiles/{user}/contacts/{id}/resume", methods=["POST"])
@bp.queue_output(arg_name="jobs", queue_name=SYNC_JOBS, connection=CONNECTION)
@answering
def user_resume_contact(req: func.HttpRequest, jobs: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
    """Let fields travel again that were paused since they went to and fro (R38)."""
    from functions.bodies import PlainBody
    from shared.engine.callers import find_profile
    from shared.engine.paused import resume

    services, body = get_services(), read_body(req, PlainBody)
    who = caller(req, body)
    profile = find_profile(services, subject(req, body), who, within(services, QUICK))
    report = resume(services, profile, str(req.route_params.get("id", "")), who.actor)
    jobs.set(waking([report]))
    return answer({"resumed": True, "runId": report.run_id, "run": run_address(report.run_id)}, status=202)
