"""Port `Retention` in memory."""

from collections.abc import Collection, Sequence
from datetime import datetime

from shared.engine.retention_state import LogAges, Progress
from tests.fakes.account import Account, Reading
from tests.fakes.companies import MemoryCompanies
from tests.fakes.journal import MemoryJournal
from tests.fakes.profiles import MemoryReports


class MemoryRetention:
    """Port `Retention`."""

    def __init__(
        self, state: Account, companies: MemoryCompanies, reports: MemoryReports, journal: MemoryJournal
    ) -> None:
        self._state = state
        self._companies = companies
        self._reports = reports
        self._journal = journal
        self._progress = Progress()
        self._ages: dict[str, LogAges] = {}
        self.most_removed = 400  #: rows in one call

    def progress(self) -> Progress:
        with self._reading("progress"):
            return self._progress

    def save_progress(self, progress: Progress) -> None:
        with self._reading("save_progress"):
            self._progress = progress

    def companies(self) -> Sequence[str]:
        with self._reading("companies"):
            return sorted(self._companies.rows)

    def log_ages(self, company_id: str) -> LogAges:
        with self._reading("log_ages"):
            return self._ages.get(company_id, LogAges())

    def save_log_ages(self, company_id: str, ages: LogAges) -> None:
        with self._reading("save_log_ages"):
            self._ages[company_id] = ages

    def remove_log(self, company_id: str, up_to: int) -> int:
        with self._reading("remove_log"):
            log = self._companies.of(company_id).log
            old = sorted(each for each in log if each <= up_to)[: self.most_removed]
            for each in old:
                del log[each]
            return len(old)

    def remove_claims(self, company_id: str, ended_before: datetime) -> int:
        with self._reading("remove_claims"):
            claims = self._companies.of(company_id).claims
            over = [key for key, (_, until) in claims.items() if until < ended_before][: self.most_removed]
            for each in over:
                del claims[each]
            return len(over)

    def remove_outside(self, company_id: str, known: Collection[str]) -> int:
        with self._reading("remove_outside"):
            outside = self._companies.of(company_id).outside
            over = sorted(each for each in outside if each[1] not in known)[: self.most_removed]
            outside.difference_update(over)
            return len(over)

    def mailboxes(self, after: str, most: int) -> Sequence[str]:
        with self._reading("mailboxes"):
            there = {each.mailbox_id for each in self._reports.rows.values()} | {key[0] for key in self._journal.rows}
            return sorted(each for each in there if each > after)[:most]

    def _reading(self, name: str) -> Reading:
        return Reading(self._state, f"retention.{name}")
