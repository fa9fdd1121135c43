"""Port `Reports`: run reports in their mailbox's partition, newest first; a run's id says where its report lies."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from shared.engine.model import Report
from shared.storage import keys, wire
from shared.storage.records import decoded, encoded
from shared.storage.tables import Operation, RowMissing, Tables, chunks
from shared.storage.wire import Row, RowTooLarge

_CLEAN_EVERY = timedelta(hours=6)
_MOST_REMOVED = 400  #: at one time, so that no run waits long for it


class TableReports:
    """Run reports (R35). The end of a run is also when the mailbox's reports of more than `kept_days` are removed."""

    def __init__(self, tables: Tables, *, notes_most: int = 1_000, kept_days: int = 30) -> None:
        self._table = tables["reports"]
        self._notes_most = notes_most
        self._kept = timedelta(days=kept_days)
        self._cleaned: dict[str, datetime] = {}  # by mailbox, in this process

    def save(self, report: Report) -> None:
        """See Reports."""
        try:
            self._table.apply(Operation("put", _row(report)))
        except RowTooLarge:
            # A report that is cut short is worth more than none
            cut = replace(report, notes=report.notes[: self._notes_most], plan=report.plan[: self._notes_most])
            self._table.apply(Operation("put", _row(cut)))
        if report.ended_at is not None:
            self._remove_old(report.mailbox_id, report.ended_at)

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

    def _remove_old(self, mailbox_id: str, now: datetime) -> None:
        if now < self._cleaned.get(mailbox_id, now - _CLEAN_EVERY) + _CLEAN_EVERY:
            return
        self._cleaned[mailbox_id] = now
        old = self._table.range(mailbox_id, keys.before(now - self._kept), select=["PartitionKey", "RowKey"])
        units = [[Operation("delete", row)] for row in islice(old, _MOST_REMOVED)]
        for batch in chunks(units):
            try:
                self._table.transact(batch)
            except RowMissing:
                return  # another worker removes them at this moment


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
