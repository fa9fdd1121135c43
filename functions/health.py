"""Liveness for anybody, and the details for administrators."""

import azure.functions as func

from functions.answers import answer, part_body, pause_body
from functions.deadlines import SAVING, within
from functions.problems import answering
from shared.bootstrap import get_services
from shared.errors import SettingsError

bp = func.Blueprint()


@bp.function_name("health")
@bp.route(route="api/health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
def health(req: func.HttpRequest) -> func.HttpResponse:
    """The app runs; nothing is said about its set-up."""
    return answer({"status": "ok"})


@bp.function_name("admin_health")
@bp.route(route="api/admin/health", methods=["GET"])
@answering
def admin_health(req: func.HttpRequest) -> func.HttpResponse:
    """Settings, storage, and both services with their tokens; 503 when something is wrong."""
    from shared.engine.health import Part, look

    try:
        services = get_services()
    except SettingsError as error:
        parts = [Part("settings", False, str(error))]
    else:
        parts = [Part("settings", True, "The settings are complete."), *look(services, within(services, SAVING))]
    fine = all(part.ok for part in parts)
    paused = [pause_body(each) for each in services.pauses.all()] if fine else []
    body = {"status": "ok" if fine else "failing", "parts": [part_body(part) for part in parts], "paused": paused}
    return answer(body, status=200 if fine else 503)
