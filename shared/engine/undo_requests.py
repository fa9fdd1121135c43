"""Asking for the undo of a run (R36)."""

from shared.engine.model import Report, RunStatus, Undoes
from shared.engine.requests import Wanted, request_run
from shared.engine.services import Services
from shared.errors import RequestError
from shared.planning.net import of_contact


def request_undo(services: Services, undoes: Undoes, actor: str, *, preview: bool = False) -> Report:
    """Put the undo into its mailbox's line; answers its report. The caller sends the mailbox's sync-jobs message.

    Raises RequestError `unknown-run`, `unknown-contact` (404), `run-not-over`, `nothing-to-undo`, `profile-disabled`,
    `no-profile` (409).
    """
    report = services.reports.get(undoes.run_id)
    if report is None:
        raise RequestError(
            f"There is no such run. Reports and the journal are kept for {services.limits.retention_days} days; older "
            "runs cannot be undone.",
            code="unknown-run",
            status=404,
            field="id",
        )
    if report.status in (RunStatus.QUEUED, RunStatus.RUNNING):
        raise RequestError(
            "The run is still under way. Wait for its end, then undo it.", code="run-not-over", status=409, field="id"
        )
    entries = [entry for batch in services.journal.of_run(undoes.run_id) for entry in batch.entries]
    if not entries:
        raise RequestError(
            "The run wrote nothing, or its journal is gone: there is nothing to undo.",
            code="nothing-to-undo",
            status=409,
            field="id",
        )
    if undoes.contact and not of_contact(entries, undoes.contact):
        raise RequestError(
            "The run wrote to no contact of this id. Take the BC id or Outlook id from a preview without `contact`.",
            code="unknown-contact",
            status=404,
            field="contact",
        )
    profile = services.profiles.get(report.company_id, report.profile_id)
    if profile is None:
        raise RequestError(
            "The profile of the run does not exist any more. Create it anew to undo its runs.",
            code="no-profile",
            status=409,
            field="id",
        )
    return request_run(services, profile, Wanted(undoes=undoes, preview=preview), actor)
