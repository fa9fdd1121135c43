"""Doors for the services: handshakes and change notifications, trusted by their own secrets only.

Whatever is sent, the answer is quick and the same: a stranger learns nothing, and no service ends a subscription over
an answer (Graph reference 9.4, BC reference 6.5). Only what could not be stored is refused, so that it comes again.
"""

import json
import logging
from typing import Any, List  # noqa: UP035 - the worker refuses list[str] in func.Out

import azure.functions as func

from functions.problems import answering, problem
from functions.queues import COMPANY_JOBS, CONNECTION, SYNC_JOBS
from shared.bootstrap import get_services
from shared.engine.jobs import company_job, sync_job
from shared.engine.watching import DELETED, Notice, fingerprint
from shared.logs import log_event

bp = func.Blueprint()
logger = logging.getLogger(__name__)

MOST_BYTES = 8 * 1024 * 1024  #: of a body; both services stay far below
MOST_TOKEN = 4096  #: characters of a validation token
MOST_TEXT = 2048  #: characters of a secret; longer ones are nobody's


@bp.function_name("webhook_graph")
@bp.route(route="api/webhooks/graph", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@bp.queue_output(arg_name="jobs", queue_name=SYNC_JOBS, connection=CONNECTION)
@answering
def webhook_graph(req: func.HttpRequest, jobs: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
    """Changes in folders."""
    if (handshake := _handshake(req)) is not None:
        return handshake
    if found := _notices(req):
        from shared.engine.notices import from_graph

        heard = from_graph(get_services(), found)
        jobs.set([sync_job(each) for each in sorted(heard.mailboxes)])
        if heard.error is not None:
            raise heard.error
    return _accepted()


@bp.function_name("webhook_graph_lifecycle")
@bp.route(route="api/webhooks/graph/lifecycle", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@bp.queue_output(arg_name="companies", queue_name=COMPANY_JOBS, connection=CONNECTION)
@bp.queue_output(arg_name="jobs", queue_name=SYNC_JOBS, connection=CONNECTION)
@answering
def webhook_graph_lifecycle(
    req: func.HttpRequest,
    companies: func.Out[List[str]],  # noqa: UP006
    jobs: func.Out[List[str]],  # noqa: UP006
) -> func.HttpResponse:
    """What becomes of the subscriptions themselves (Graph reference 9.6)."""
    if (handshake := _handshake(req)) is not None:
        return handshake
    if found := _notices(req):
        from shared.engine.notices import from_graph

        heard = from_graph(get_services(), found, lifecycle=True)
        companies.set([company_job(each) for each in heard.jobs])
        jobs.set([sync_job(each) for each in sorted(heard.mailboxes)])
        if heard.error is not None:
            raise heard.error
    return _accepted()


@bp.function_name("webhook_business_central")
@bp.route(route="api/webhooks/business-central", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
@bp.queue_output(arg_name="companies", queue_name=COMPANY_JOBS, connection=CONNECTION)
@answering
def webhook_business_central(
    req: func.HttpRequest,
    companies: func.Out[List[str]],  # noqa: UP006
) -> func.HttpResponse:
    """Changes in companies. The method of the handshake is not documented: both are taken (BC reference 6.3)."""
    if (handshake := _handshake(req)) is not None:
        return handshake
    if found := _notices(req):
        from shared.engine.notices import from_business_central

        heard = from_business_central(get_services(), found)
        companies.set([company_job(each) for each in heard.jobs])
    return _accepted()


def _handshake(req: func.HttpRequest) -> func.HttpResponse | None:
    """The token back, as plain text that no browser takes for anything else; None when this is no handshake."""
    token = req.params.get("validationToken")
    if token is None:
        return None
    if len(token) > MOST_TOKEN:
        return problem(400, "bad-token", "This is no validation token of Microsoft Graph or Business Central.")
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return func.HttpResponse(token, status_code=200, mimetype="text/plain", charset="utf-8", headers=headers)


def _notices(req: func.HttpRequest) -> list[Notice]:
    """What a body says, as far as it can be read; what cannot is left out and counted."""
    body = req.get_body()
    try:
        content = json.loads(body) if len(body) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        content = None
    items = content.get("value") if isinstance(content, dict) else None
    found = [each for each in map(_notice, items if isinstance(items, list) else []) if each is not None]
    strange = len(items) - len(found) if isinstance(items, list) else 1
    if strange:
        log_event(logger, "notification_unreadable", level=logging.WARNING, items=strange, bytes=len(body))
    return found


def _notice(item: Any) -> Notice | None:
    if not isinstance(item, dict) or not (subscription_id := _text(item, "subscriptionId")):
        return None
    return Notice(
        subscription_id=subscription_id,
        client_state=_text(item, "clientState"),
        tenant_id=_text(item, "tenantId"),
        expires=_text(item, "subscriptionExpirationDateTime"),
        event=_text(item, "lifecycleEvent"),
        change=_change(item),
    )


def _change(item: dict[str, Any]) -> str:
    """Which contact changed into which version, where Graph says it."""
    data = item.get("resourceData")
    if not isinstance(data, dict) or not (contact := _text(data, "id")):
        return ""
    version = DELETED if item.get("changeType") == "deleted" else _text(data, "@odata.etag")
    return fingerprint(contact, version) if version else ""


def _text(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) and len(value) <= MOST_TEXT else ""


def _accepted() -> func.HttpResponse:
    return func.HttpResponse(status_code=202)
