"""What callers get: the engine's values as JSON, as `docs/openapi.yaml` describes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import azure.functions as func

from shared.engine.versions import version_of
from shared.json_text import json_text

if TYPE_CHECKING:
    from shared.cards.model import Card
    from shared.engine.checks import Check
    from shared.engine.explain import Explained, Explanation, Written
    from shared.engine.finding import Found
    from shared.engine.health import Part
    from shared.engine.holds import Hold
    from shared.engine.import_state import HeldBack, ImportRun
    from shared.engine.model import CompanySettings, HeldKind, Positions, Profile, Report
    from shared.engine.pauses import Pause
    from shared.engine.watching import Subscription
    from shared.planning.model import Link, Note, Policies

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a profile stands at a moment."""

    positions: Positions
    subscription: Subscription | None
    at: datetime
    paused: Pause | None = None
    holds: Sequence[Hold] = ()  #: what waits for approval, of the profile and of its company


POLL_AFTER = 2  #: seconds after which a caller may ask for a run again


def answer(body: Json, *, status: int = 200, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """A JSON answer."""
    return func.HttpResponse(
        json_text(body), status_code=status, mimetype="application/json", headers=dict(headers or {})
    )


def run_accepted(report: Report, paused: Pause | None = None) -> func.HttpResponse:
    """202: the run is in line, and where to ask for it; while it is paused it waits there."""
    body: Json = {"runId": report.run_id, "status": report.status.value, "run": run_address(report.run_id)}
    if paused is not None:
        body["paused"] = pause_body(paused)
    headers = {"Location": run_address(report.run_id), "Retry-After": str(POLL_AFTER)}
    return answer(body, status=202, headers=headers)


def asked_body(report: Report) -> Json:
    """One of several runs that were asked for."""
    return {
        "user": report.profile_id,
        "runId": report.run_id,
        "status": report.status.value,
        "run": run_address(report.run_id),
    }


def run_address(run_id: str) -> str:
    """Where a run's report is."""
    return f"/api/runs/{run_id}"


def is_over(report: Report) -> bool:
    """Whether a run has come to its end."""
    from shared.engine.model import RunStatus

    return report.status not in (RunStatus.QUEUED, RunStatus.RUNNING)


def profile_body(profile: Profile, company_name: str, standing: Standing | None = None) -> Json:
    """A profile; with `standing`, also when it was last run and whether its changes are announced."""
    from shared.engine.folder_choice import MAIN_FOLDER
    from shared.engine.import_state import name_in
    from shared.engine.wishes import effective

    by_company = f"?company={quote(profile.company_id)}"
    body: Json = {
        "user": profile.id,
        "address": profile.user_address,
        "company": {"id": profile.company_id, "name": company_name},
        "mailbox": {"id": profile.mailbox_id, "address": profile.mailbox_address},
        "folder": MAIN_FOLDER if profile.main_folder else profile.folder_name,
        "filter": dict(profile.filter),
        "bcUserName": profile.bc_user_name,
        "enabled": profile.enabled,
        "automatic": profile.automatic,
        "direction": profile.direction.value,
        "policies": policies_body(profile.policies),
        "effectivePolicies": policies_body(effective(profile)),
        "import": ({"name": name_in(profile.imported), "left": profile.left} if profile.imported else None),
        "actor": profile.actor,
        "changedAt": time_text(profile.changed_at),
        "etag": version_of(profile.etag),
        "links": {
            "self": f"/api/profiles/{profile.id}{by_company}",
            "runs": f"/api/profiles/{profile.id}/runs{by_company}",
        },
    }
    if standing is not None:
        body["state"] = {
            "lastRunAt": time_text(standing.positions.last_run_at),
            "lastFullAt": time_text(standing.positions.last_full_at),
            "lastCheckedAt": time_text(standing.positions.last_checked_at),
            "linked": standing.positions.link_count,
            "notifications": _notifications(standing.subscription, standing.at),
            "paused": pause_body(standing.paused) if standing.paused else None,
            "holds": [
                {
                    "kind": each.kind,
                    "count": each.count,
                    "limit": each.limit,
                    "heldAt": time_text(each.held_at),
                    "run": run_address(each.run_id) if each.run_id else None,
                }
                for each in standing.holds
            ],
        }
    return body


def _notifications(subscription: Subscription | None, at: datetime) -> Json:
    if subscription is None:
        return {"active": False, "until": None, "code": "", "detail": ""}
    return {
        "active": subscription.is_healthy(at),
        "until": time_text(subscription.expires_at) if subscription.is_healthy(at) else None,
        "code": subscription.problem,
        "detail": subscription.detail,
    }


def report_body(report: Report, *, whole: bool = True) -> Json:
    """A run's report (R35). Without `whole` notes and plan are only counted."""
    undoes = report.undoes
    body: Json = {
        "runId": report.run_id,
        "run": run_address(report.run_id),
        "user": report.profile_id,
        "companyId": report.company_id,
        "mailboxId": report.mailbox_id,
        "status": report.status.value,
        "trigger": report.trigger.value,
        "mode": report.mode.value,
        "preview": report.preview,
        "filter": dict(report.filter),
        "requestedAt": time_text(report.requested_at),
        "startedAt": time_text(report.started_at),
        "endedAt": time_text(report.ended_at),
        "toOutlook": asdict(report.to_outlook),
        "toBusinessCentral": asdict(report.to_bc),
        "noteCount": len(report.notes),
        "held": [
            {
                "kind": each.kind,
                "count": each.count,
                "limit": each.limit,
                "contacts": list(each.contacts),
                "approved": approval_body(each, run_address),
            }
            for each in report.held
        ],
        "approves": run_address(report.approves.run_id) if report.approves else None,
        "requests": dict(report.requests),
        "continued": report.continued,
        "actor": report.actor,
        "undoes": (
            {"runId": undoes.run_id, "contact": undoes.contact, "recreate": undoes.recreate} if undoes else None
        ),
        "erases": {"contact": report.erases.contact} if report.erases else None,
        "error": error_body(report),
    }
    if whole:
        body["notes"] = [_note(each) for each in report.notes]
        if report.preview:
            body["plan"] = [dict(each) for each in report.plan]
    return body


def approval_body(held: HeldKind | HeldBack, address: Callable[[str], str]) -> Json | None:
    """Who approved what a run held; `null` for nobody yet. `address`: where a run of that kind is."""
    if not held.approved_run:
        return None
    return {"actor": held.approved_by, "at": time_text(held.approved_at), "run": address(held.approved_run)}


def error_body(run: Report | ImportRun) -> Json | None:
    """Why a run ended without doing its work; `null` when it did."""
    return {"code": run.error_code, "detail": run.error} if run.error_code else None


def pause_body(pause: Pause) -> Json:
    """What is paused; `null` for all companies, or all of a company."""
    return {
        "company": pause.company_id or None,
        "user": pause.profile_id or None,
        "actor": pause.actor,
        "reason": pause.reason,
        "since": time_text(pause.since),
    }


def check_body(check: Check) -> Json:
    """One part of “validate connection”."""
    return {"check": check.check, "ok": check.ok, "detail": check.detail, "whatToDo": check.what_to_do}


def part_body(part: Part) -> Json:
    """One thing that the app depends on."""
    return {"part": part.part, "ok": part.ok, "detail": part.detail}


def company_body(company: CompanySettings) -> Json:
    """What an administrator set for a company."""
    return {
        "id": company.company_id,
        "name": company.name,
        "baseFilter": dict(company.base_filter),
        "excludedFields": list(company.excluded_fields),
        "etag": version_of(company.etag),
    }


def explanation_body(explanation: Explanation) -> Json:
    """Why contacts are, or are not, synced."""
    return {"asOf": time_text(explanation.as_of), "contacts": [_explained(each) for each in explanation.contacts]}


def found_body(found: Found) -> Json:
    """Who was meant, and which mailboxes hold them."""
    return {
        "contacts": [
            {"bcId": each.id, "number": each.number, "name": each.card.name, "email": each.text("email")}
            for each in found.contacts
        ],
        "mailboxes": [
            {
                "user": each.profile.id,
                "mailbox": {"id": each.profile.mailbox_id, "address": each.profile.mailbox_address},
                "folder": each.folder_name,
                "linked": list(each.linked),
                "unlinked": list(each.parked),
                "hidden": list(each.hidden),
            }
            for each in found.places
        ],
    }


def _explained(each: Explained) -> Json:
    contact = each.contact
    return {
        "bcId": each.bc_id,
        "number": contact.number if contact else "",
        "name": contact.card.name if contact else "",
        "email": contact.text("email") if contact else "",
        "type": contact.text("type") if contact else "",
        "summary": each.summary,
        "scope": each.scope.value if each.scope else "gone" if each.bc_id else "not-in-bc",
        "reasons": [
            {"code": why.code, "detail": why.detail, "run": run_address(why.run_id) if why.run_id else None}
            for why in each.reasons
        ],
        "failingTerm": asdict(each.term) if each.term else None,
        "link": _link(each.link) if each.link else None,
        "hidden": each.hidden,
        "unlinked": [{"outlookId": parked.outlook_id, "reason": parked.reason} for parked in each.parked],
        "retry": (
            {"code": each.retry.code, "attempts": each.retry.attempts, "nextAt": time_text(each.retry.next_at)}
            if each.retry
            else None
        ),
        "lastWrites": [_written(one) for one in each.writes],
    }


def _written(written: Written) -> Json:
    entry = written.entry
    return {
        "runId": written.run_id,
        "at": time_text(written.at),
        "side": entry.side.value,
        "what": entry.verb.value,
        "cause": entry.cause,
        "by": entry.by,
        "before": dict(entry.before),
        "after": dict(entry.after),
    }


def _link(link: Link) -> Json:
    return {
        "outlookId": link.outlook_id,
        "origin": link.origin.value,
        "lastAgreed": {"businessCentral": _card(link.base_bc), "outlook": _card(link.base_outlook)},
        "leftDifferent": sorted(each.value for each in link.left),
        "paused": sorted(each.field.value for each in link.paused),
    }


def _card(card: Card) -> Json:
    from shared.cards.model import Field

    return {each.value: card.get(each) for each in Field if card.get(each)}


def _note(note: Note) -> Json:
    return {
        "kind": note.kind.value,
        "code": note.code,
        "reason": note.reason,
        "bcId": note.bc_id,
        "outlookId": note.outlook_id,
        "name": note.name,
        "email": note.email,
        "field": note.field,
        "value": note.value,
    }


def policies_body(policies: Policies) -> Json:
    """A profile's choices."""
    return {
        "onBcDelete": policies.on_bc_delete.value,
        "onOutOfScope": policies.on_out_of_scope.value,
        "onOutlookDelete": policies.on_outlook_delete.value,
        "companyFromOutlook": policies.company_from_outlook.value,
    }


def time_text(when: datetime | None) -> str | None:
    """A time as callers get it: UTC, milliseconds."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if when else None
