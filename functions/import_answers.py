"""Imports of users as JSON, as `docs/openapi.yaml` describes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from functions.answers import approval_body, error_body, policies_body, time_text

if TYPE_CHECKING:
    from shared.engine.import_state import ImportOrder, ImportRun, Source, Who

type Json = dict[str, Any]

SHOWN_MOST = 1_000  #: people in each list of a report; the numbers count all


def run_address(run_id: str) -> str:
    """Where the report of an import's run is."""
    return f"/api/admin/import-runs/{run_id}"


def import_run_body(run: ImportRun) -> Json:
    """The report of a run, or what a preview shows."""
    return {
        "runId": run.run_id,
        "run": run_address(run.run_id),
        "import": run.order.name if run.order.is_saved else None,
        "companyId": run.order.company_id,
        "status": run.status.value,
        "preview": run.preview,
        "byTimer": run.by_timer,
        "actor": run.actor,
        "requestedAt": time_text(run.requested_at),
        "startedAt": time_text(run.started_at),
        "endedAt": time_text(run.ended_at),
        "found": run.found,
        "kept": run.kept,
        "added": _people(run.added),
        "enabled": _people(run.enabled),
        "leftOut": _people(run.left_out),
        "disabled": _people(run.disabled),
        "removed": {**_people(run.removed), "contacts": run.contacts_removed},
        "notRemoved": _people(run.failed),
        "held": [
            {
                "kind": each.kind,
                "count": each.count,
                "limit": each.limit,
                "users": list(each.users[:SHOWN_MOST]),
                "approved": approval_body(each, run_address),
            }
            for each in run.held
        ],
        "approves": run_address(run.approves) if run.approves else None,
        "error": error_body(run),
    }


def import_body(order: ImportOrder, company_name: str, last: ImportRun | None) -> Json:
    """A saved import, and how its last run ended."""
    return {
        "name": order.name,
        "company": {"id": order.company_id, "name": company_name},
        "source": _source(order.source),
        "direction": order.direction.value,
        "filter": dict(order.filter),
        "policies": policies_body(order.policies),
        "onLeave": order.on_leave.value,
        "actor": order.actor,
        "changedAt": time_text(order.changed_at),
        "lastRun": (
            {
                "run": run_address(last.run_id),
                "status": last.status.value,
                "endedAt": time_text(last.ended_at),
                "held": [{"kind": each.kind, "count": each.count} for each in last.held],
                "error": error_body(last),
            }
            if last is not None
            else None
        ),
    }


def _source(source: Source) -> Json:
    from shared.engine.import_state import SourceKind

    match source.kind:
        case SourceKind.GROUP:
            return {"group": source.group}
        case SourceKind.USERS:
            return {"users": list(source.users)}
        case SourceKind.BC:
            return {"businessCentral": True}


def _people(people: Sequence[Who]) -> Json:
    return {"count": len(people), "users": [_who(each) for each in people[:SHOWN_MOST]]}


def _who(who: Who) -> Json:
    shown = {"user": who.user or None, "address": who.address}
    return {**shown, "reason": who.code} if who.code else shown
