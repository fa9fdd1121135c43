"""User door: reports of runs (R35)."""

from urllib.parse import quote

import azure.functions as func

from functions.answers import answer, report_body
from functions.deadlines import QUICK, within
from functions.incoming import caller, number, subject, token
from functions.problems import answering
from shared.bootstrap import get_services
from shared.errors import RequestError

bp = func.Blueprint()


@bp.function_name("user_run")
@bp.route(route="api/runs/{id}", methods=["GET"])
@answering
def user_run(req: func.HttpRequest) -> func.HttpResponse:
    """One run's report, with notes and, for a preview, the plan."""
    from shared.engine.callers import check_origin

    services = get_services()
    check_origin(services, caller(req))
    report = services.reports.get(str(req.route_params.get("id", "")))
    if report is None:
        raise RequestError(
            f"There is no such run. Reports are kept for {services.limits.retention_days} days; a timer's run without "
            "anything to say leaves none.",
            code="unknown-run",
            status=404,
            field="id",
        )
    return answer(report_body(report))


@bp.function_name("user_runs")
@bp.route(route="api/profiles/{user}/runs", methods=["GET"])
@answering
def user_runs(req: func.HttpRequest) -> func.HttpResponse:
    """A profile's runs, newest first, a page at a time."""
    from shared.engine.callers import find_profile

    services = get_services()
    top = number(req, "top", default=20, least=1, most=100)
    after = token(req, "after")
    profile = find_profile(services, subject(req), caller(req), within(services, QUICK))
    reports, following = services.reports.of_profile(
        profile.mailbox_id, profile.company_id, profile.id, top=top, after=after
    )
    address = f"/api/profiles/{profile.id}/runs?company={quote(profile.company_id)}&top={top}&after={quote(following)}"
    body = {"runs": [report_body(each, whole=False) for each in reports], "next": address if following else None}
    return answer(body)
