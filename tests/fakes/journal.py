"""Port `Journal` in memory."""

from collections.abc import Iterator
from datetime import datetime

from shared.engine.journal import Batch
from shared.engine.run_ids import run_id
from tests.fakes.account import Account, Reading


class MemoryJournal:
    """Port `Journal`; every batch fits into one row."""

    def __init__(self, state: Account) -> None:
        self._state = state
        self.rows: dict[tuple[str, str, str], Batch] = {}  #: by mailbox, run, number

    def put(self, batch: Batch, *, rows: int = 0) -> int:
        with Reading(self._state, "journal.put"):
            key = (_mailbox(batch.run_id), batch.run_id, batch.number)
            if batch.entries:
                self.rows[key] = batch
            elif rows:
                self.rows.pop(key, None)
            return 1 if batch.entries else 0

    def of_run(self, run_id: str) -> Iterator[Batch]:
        with Reading(self._state, "journal.of_run"):
            return iter([self.rows[key] for key in sorted(self.rows) if key[1] == run_id])

    def of_mailbox(self, mailbox_id: str) -> Iterator[Batch]:
        with Reading(self._state, "journal.of_mailbox"):
            return iter([self.rows[key] for key in sorted(self.rows) if key[0] == mailbox_id])

    def remove_before(self, mailbox_id: str, before: datetime) -> int:
        with Reading(self._state, "journal.remove_before"):
            oldest = f"{run_id('', before, '')[:13]}~"
            old = [key for key in self.rows if key[0] == mailbox_id and key[1] >= oldest]
            for key in old:
                del self.rows[key]
            return len(old)


def _mailbox(run: str) -> str:
    return run.split(".")[1] if "." in run else ""
