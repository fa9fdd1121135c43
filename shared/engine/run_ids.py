"""Ids of runs: they tell the mailbox, so that a report is found by its id alone, and sort newest first."""

from datetime import datetime

_NEWEST_FIRST = 10**13 - 1


def run_id(mailbox_id: str, requested_at: datetime, chance: str) -> str:
    """The id of a run that is asked for now; `chance` is 8 random hex digits. `shared/storage/keys.py` reads it."""
    return f"{_NEWEST_FIRST - int(requested_at.timestamp() * 1000):013d}.{mailbox_id}.{chance}"


def import_run_id(company_id: str, name: str, requested_at: datetime, chance: str) -> str:
    """The same for the run of an import."""
    return run_id(f"{company_id}_{name}", requested_at, chance)
