"""Take what is known of somebody out of a mailbox's journal and a profile's reports (R39)."""

from collections.abc import Iterable
from dataclasses import replace

from shared.engine.model import Profile, Report
from shared.engine.services import Services
from shared.pace import Pace
from shared.planning.erasing import Traces, holds_none
from shared.planning.model import Link, Parked

_PAGE = 100  #: reports read at a time


def of_blocked(
    services: Services, profile: Profile, blocked: Iterable[str], links: Iterable[Link], parked: Iterable[Parked]
) -> Traces:
    """By what persons who are privacy blocked are recognised in a mailbox. Only by their ids: they may come back, and
    an address may be somebody else's, as may a contact in Outlook that was theirs once."""
    traces = Traces(bc_ids=set(blocked), words=BLOCKED, by_bc_id_first=True)
    traces.outlook_ids |= {each.outlook_id for each in links if each.bc_id in traces.bc_ids}
    traces.outlook_ids |= {each.outlook_id for each in parked if each.bc_id in traces.bc_ids}
    for batch in services.journal.of_mailbox(profile.mailbox_id):
        if batch.company_id == profile.company_id:
            traces.learn_entries(batch.entries)
    return traces


def clean_journal(services: Services, profile: Profile, traces: Traces, pace: Pace) -> None:
    """That a contact was written stays, not what."""
    for batch in services.journal.of_mailbox(profile.mailbox_id):
        left = traces.without(batch.entries)
        if batch.company_id == profile.company_id and left != batch.entries:
            pace.keep_going()
            services.journal.put(replace(batch, entries=left), rows=1)


def clean_reports(services: Services, profile: Profile, traces: Traces, pace: Pace, *, but: str) -> None:
    """All reports of the profile `but` that of the run that does it."""
    whose, after = (profile.mailbox_id, profile.company_id, profile.id), ""
    while True:
        reports, after = services.reports.of_profile(*whose, top=_PAGE, after=after)
        for report in reports:
            clean = _clean(report, traces)
            if clean != report and report.run_id != but:
                pace.keep_going()
                services.reports.save(clean)
        if not after:
            return


def _clean(report: Report, traces: Traces) -> Report:
    return replace(
        report,
        notes=tuple(traces.clean_note(each) for each in report.notes),
        plan=traces.clean_plan(report.plan),
        held=tuple(
            replace(each, contacts=holds_none(each.contacts, traces.outlook_ids, traces.erased)) for each in report.held
        ),
    )


BLOCKED = "The person is privacy blocked in Business Central; what was known of the contact is gone."
