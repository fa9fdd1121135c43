"""Port `Reports`: run reports in their mailbox's partition, newest first; a run's id says where its report lies."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from shared.engine.model import Report
from shared.storage import keys, wire
from shared.storage.records import decoded, encoded
from shared.storage.retention import remove_range
from shared.storage.tables import Operation, Tables
from shared.storage.wire import Row, RowTooLarge


class TableReports:
    """Run reports (R35)."""

    def __init__(self, tables: Tables, *, notes_most: int = 1_000) -> None:
        self._table = tables["reports"]
        self._notes_most = notes_most

    def save(self, report: Report) -> None:
        """See Reports."""
        try:
            self._table.apply(Operation("put", _row(report)))
        except RowTooLarge:
            # A report that is cut short is worth more than none
            cut = replace(report, notes=report.notes[: self._notes_most], plan=report.plan[: self._notes_most])
            self._table.apply(Operation("put", _row(cut)))

    def get(self, run_id: str) -> Report | None:
        """See Reports."""
        mailbox_id = keys.mailbox_of(run_id)
        row = self._table.get(mailbox_id, run_id) if mailbox_id is not None else None
        return None if row is None else decoded(Report, row)

    def discard(self, report: Report) -> None:
        """See Reports."""
        self._table.apply(Operation("delete", _empty(report)))

    def of_profile(
        self, mailbox_id: str, company_id: str, profile_id: str, *, top: int, after: str = ""
    ) -> tuple[Sequence[Report], str]:
        """See Reports."""
        rows = self._table.range(
            keys.part(mailbox_id),
            f"{after}!" if after else "",  # the first key above
            where="company eq @company and profile eq @profile",
            company=company_id,
            profile=profile_id,
            page=top + 1,
        )
        found = list(islice(rows, top + 1))
        reports = [decoded(Report, row) for row in found[:top]]
        return reports, str(found[top - 1]["RowKey"]) if len(found) > top else ""

    def remove_before(self, mailbox_id: str, before: datetime) -> int:
        """See Reports."""
        return remove_range(self._table, keys.part(mailbox_id), keys.before(before))


def _row(report: Report) -> Row:
    facts = {
        "company": report.company_id,
        "profile": report.profile_id,
        "status": report.status.value,
        "trigger": report.trigger.value,
        "requested_at": report.requested_at,
    }
    return _empty(report) | facts | encoded(report)


def _empty(report: Report) -> Row:
    if keys.mailbox_of(report.run_id) != report.mailbox_id:
        raise ValueError("a run id must name the mailbox of its report")
    return wire.row(keys.part(report.mailbox_id), report.run_id)
