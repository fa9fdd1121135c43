"""Admin door: many users are taken on at once, from Business Central, from an Entra group, or from a list."""

from typing import List  # noqa: UP035 - the worker refuses list[str] in func.Out

import azure.functions as func

from functions.answers import answer
from functions.approving import each_once
from functions.deadlines import IMPORTING, QUICK, within
from functions.import_answers import import_body, import_run_body, run_address
from functions.incoming import caller, named, query, read_body
from functions.problems import answering
from functions.queues import COMPANY_JOBS, CONNECTION
from shared.bootstrap import get_services
from shared.engine.jobs import import_job

bp = func.Blueprint()


@bp.function_name("admin_import")
@bp.route(route="api/admin/profiles/import", methods=["POST"])
@bp.queue_output(arg_name="jobs", queue_name=COMPANY_JOBS, connection=CONNECTION)
@answering
def admin_import(req: func.HttpRequest, jobs: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
    """Preview, carry out, or save an import; what takes longer than the answer may goes on in the queue."""
    from functions.bodies import ImportBody
    from shared.engine.importing import ask, work_at

    services, body = get_services(), read_body(req, ImportBody)
    who = caller(req, body)
    company = (body.company or query(req, "company")).strip()
    run = ask(services, body.wish, company, who, within(services, QUICK))
    run = work_at(services, run, IMPORTING)
    if run.is_over:
        return answer(import_run_body(run))
    jobs.set([import_job(run.order.company_id, run.run_id)])
    return answer(import_run_body(run), status=202, headers={"Location": run_address(run.run_id)})


@bp.function_name("admin_imports")
@bp.route(route="api/admin/imports", methods=["GET"])
@answering
def admin_imports(req: func.HttpRequest) -> func.HttpResponse:
    """All saved imports, each with how its last run ended."""
    from shared.engine.callers import check_origin
    from shared.engine.importing import saved

    services = get_services()
    check_origin(services, caller(req))
    found = saved(services, query(req, "company"))
    names = {order.company_id: services.companies.settings(order.company_id).name for order, _ in found}
    return answer({"imports": [import_body(order, names[order.company_id], last) for order, last in found]})


@bp.function_name("admin_saved_import")
@bp.route(route="api/admin/imports/{name}", methods=["GET", "DELETE"])
@answering
def admin_saved_import(req: func.HttpRequest) -> func.HttpResponse:
    """A saved import, or its end; its profiles stay."""
    from shared.engine.callers import check_origin
    from shared.engine.importing import delete, the_saved

    services = get_services()
    name, company = str(req.route_params.get("name", "")), query(req, "company")
    if req.method.upper() == "DELETE":
        from functions.bodies import PlainBody

        check_origin(services, caller(req, read_body(req, PlainBody)))
        delete(services, name, company)
        return answer({"deleted": True})
    check_origin(services, caller(req))
    order, last = the_saved(services, name, company)
    return answer(import_body(order, services.companies.settings(order.company_id).name, last))


@bp.function_name("admin_import_run")
@bp.route(route="api/admin/import-runs/{id}", methods=["GET"])
@answering
def admin_import_run(req: func.HttpRequest) -> func.HttpResponse:
    """The report of an import's run."""
    from shared.engine.callers import check_origin
    from shared.engine.importing import the_run

    services = get_services()
    check_origin(services, caller(req))
    return answer(import_run_body(the_run(services, str(req.route_params.get("id", "")))))


@bp.function_name("admin_import_approve")
@bp.route(route="api/admin/import-runs/{id}/approve", methods=["POST"])
@bp.queue_output(arg_name="jobs", queue_name=COMPANY_JOBS, connection=CONNECTION)
@answering
def admin_import_approve(req: func.HttpRequest, jobs: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
    """Put a run in line that does what an earlier one held."""
    from functions.bodies import ApproveBody
    from shared.engine.callers import check_origin
    from shared.engine.importing import approve

    services, body = get_services(), read_body(req, ApproveBody)
    who = caller(req, body)
    check_origin(services, who)
    wanted = each_once(body.holds)
    run = approve(services, str(req.route_params.get("id", "")), wanted, named(who))
    jobs.set([import_job(run.order.company_id, run.run_id)])
    return answer(import_run_body(run), status=202, headers={"Location": run_address(run.run_id)})
