"""Admin door: what the safety stop holds is approved (R26)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, List  # noqa: UP035 - the worker refuses list[str] in func.Out

import azure.functions as func

from functions.answers import run_accepted
from functions.incoming import caller, named, read_body
from functions.problems import answering
from functions.queues import CONNECTION, SYNC_JOBS, waking
from shared.bootstrap import get_services
from shared.errors import RequestError

if TYPE_CHECKING:
    from functions.bodies import HoldBody

bp = func.Blueprint()


@bp.function_name("admin_approve")
@bp.route(route="api/admin/runs/{id}/approve", methods=["POST"])
@bp.queue_output(arg_name="jobs", queue_name=SYNC_JOBS, connection=CONNECTION)
@answering
def admin_approve(req: func.HttpRequest, jobs: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
    """Put a run in line that carries out what a held run names."""
    from functions.bodies import ApproveBody
    from shared.engine.approving import approve
    from shared.engine.callers import check_origin
    from shared.engine.pauses import pause_of_run

    services, body = get_services(), read_body(req, ApproveBody)
    who = caller(req, body)
    check_origin(services, who)
    wanted = each_once(body.holds)
    report = approve(services, str(req.route_params.get("id", "")), wanted, named(who))
    jobs.set(waking([report]))
    return run_accepted(report, pause_of_run(services, report))


def each_once(holds: "Sequence[HoldBody]") -> dict[str, int]:
    """kind -> count. Raises RequestError `bad-member` when a kind stands twice: which number is meant?"""
    wanted = {each.kind: each.count for each in holds}
    if len(wanted) < len(holds):
        raise RequestError("`holds` names a kind twice; name each once.", code="bad-member", field="holds")
    return wanted
