"""Names of the queues in bindings: the platform puts the prefix setting in; storage makes the same names."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from shared.engine.jobs import sync_job

if TYPE_CHECKING:
    from shared.engine.model import Report

CONNECTION = "AzureWebJobsStorage"
SYNC_JOBS = "%STORAGE_PREFIX%-sync-jobs"
COMPANY_JOBS = "%STORAGE_PREFIX%-company-jobs"
SYNC_JOBS_POISON = f"{SYNC_JOBS}-poison"
COMPANY_JOBS_POISON = f"{COMPANY_JOBS}-poison"


def waking(reports: Iterable["Report"]) -> list[str]:
    """The messages that wake the workers of the mailboxes in which these runs wait, one each."""
    return [sync_job(each) for each in dict.fromkeys(report.mailbox_id for report in reports)]
