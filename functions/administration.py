"""Admin door: profiles of all users, companies, runs for everybody."""

from typing import List  # noqa: UP035 - the worker refuses list[str] in func.Out
from urllib.parse import quote

import azure.functions as func

from functions.answers import answer, asked_body, company_body, profile_body, run_accepted
from functions.deadlines import QUICK, REMOVING, SAVING, within
from functions.incoming import caller, choice, etag_of, number, query, read_body, subject, token
from functions.problems import answering
from functions.profiles import save_profile
from functions.queues import COMPANY_JOBS, CONNECTION, SYNC_JOBS, waking
from shared.bootstrap import get_services
from shared.engine.jobs import company_job

bp = func.Blueprint()


@bp.function_name("admin_profile")
@bp.route(route="api/admin/profiles/{user}", methods=["PUT", "DELETE"])
@answering
def admin_profile(req: func.HttpRequest) -> func.HttpResponse:
    """Everything of a profile, or its end."""
    services = get_services()
    if req.method.upper() == "PUT":
        return save_profile(services, req, whole=True, admin=True)
    from functions.bodies import PlainBody
    from shared.engine.callers import find_profile
    from shared.engine.departures import remove_profile

    contacts = choice(req, "contacts", ("keep", "remove"))
    body = read_body(req, PlainBody)
    who = caller(req, body)
    profile = find_profile(services, subject(req, body), who, within(services, QUICK))
    pace = within(services, REMOVING)
    done = remove_profile(services, profile, contacts=contacts == "remove", actor=who.actor, pace=pace)
    return answer({"deleted": True, "contacts": contacts, "removed": done.removed, "left": done.left})


@bp.function_name("admin_profiles")
@bp.route(route="api/admin/profiles", methods=["GET"])
@answering
def admin_profiles(req: func.HttpRequest) -> func.HttpResponse:
    """All profiles, a page at a time."""
    from shared.engine.callers import check_origin, names_of
    from shared.engine.profiles import known_company, page

    services = get_services()
    check_origin(services, caller(req))
    top, after = number(req, "top", default=100, least=1, most=200), token(req, "after")
    wanted = query(req, "company")
    company = known_company(services, wanted) if wanted else ""
    profiles, following = page(services, company=company, top=top, after=after)
    names = names_of(services, {each.company_id for each in profiles})
    address = f"/api/admin/profiles?top={top}&after={quote(following)}"
    if company:
        address += f"&company={quote(company)}"
    body = {
        "profiles": [profile_body(each, names[each.company_id]) for each in profiles],
        "next": address if following else None,
    }
    return answer(body)


@bp.function_name("admin_sync")
@bp.route(route="api/admin/sync", methods=["POST"])
@bp.queue_output(arg_name="companies", queue_name=COMPANY_JOBS, connection=CONNECTION)
@bp.queue_output(arg_name="jobs", queue_name=SYNC_JOBS, connection=CONNECTION)
@answering
def admin_sync(
    req: func.HttpRequest,
    companies: func.Out[List[str]],  # noqa: UP006
    jobs: func.Out[List[str]],  # noqa: UP006
) -> func.HttpResponse:
    """Runs for everybody, or for a list of users."""
    from functions.bodies import SyncAllBody
    from shared.engine.callers import check_origin
    from shared.engine.profiles import known_company
    from shared.engine.requests import request_for_everybody, request_for_users

    services, body = get_services(), read_body(req, SyncAllBody)
    who = caller(req, body)
    check_origin(services, who)
    wanted = body.company or query(req, "company") or who.company_id
    company = known_company(services, wanted) if wanted else ""
    if body.users is None:
        asked = request_for_everybody(services, company, body.wanted)
        companies.set([company_job(each) for each in asked])
        return answer({"companies": [each.company_id for each in asked], "runs": []}, status=202)
    pace = within(services, SAVING)
    reports = request_for_users(services, body.users, company, body.wanted, who, pace)
    jobs.set(waking(reports))
    return answer({"companies": [], "runs": [asked_body(each) for each in reports]}, status=202)


@bp.function_name("admin_undo")
@bp.route(route="api/admin/runs/{id}/undo", methods=["POST"])
@bp.queue_output(arg_name="jobs", queue_name=SYNC_JOBS, connection=CONNECTION)
@answering
def admin_undo(req: func.HttpRequest, jobs: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
    """Undo a run, or one contact of it (R36)."""
    from functions.bodies import UndoBody
    from shared.engine.callers import check_origin
    from shared.engine.model import Undoes
    from shared.engine.pauses import pause_of_run
    from shared.engine.undo_requests import request_undo

    services, body = get_services(), read_body(req, UndoBody)
    who = caller(req, body)
    check_origin(services, who)
    undoes = Undoes(str(req.route_params.get("id", "")), body.contact.strip(), body.recreate)
    report = request_undo(services, undoes, who.actor, preview=body.preview)
    jobs.set(waking([report]))
    return run_accepted(report, pause_of_run(services, report))


@bp.function_name("admin_company")
@bp.route(route="api/admin/companies/{company}", methods=["GET", "PUT"])
@answering
def admin_company(req: func.HttpRequest) -> func.HttpResponse:
    """Base filter and excluded fields of a company."""
    from shared.engine import company_settings

    services = get_services()
    company, pace = str(req.route_params.get("company", "")), within(services, SAVING)
    if req.method.upper() == "GET":
        return answer(company_body(company_settings.read(services, company, caller(req), pace)))
    from functions.bodies import CompanyBody

    body = read_body(req, CompanyBody)
    who = caller(req, body)
    etag = etag_of(req, body.etag)
    saved = company_settings.save(services, company, body.base_filter, body.excluded_fields, etag, who, pace)
    return answer(company_body(saved))
