"""Port: the journal of all writes (R36). The storage adapter implements it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.planning.journalled import Entry


@dataclass(frozen=True, slots=True)
class Batch:
    """The entries of one batch of writes, or the part of them that fits into one row."""

    run_id: str  #: tells the mailbox
    number: str  #: grows within the run
    company_id: str
    profile_id: str
    at: datetime
    entries: tuple[Entry, ...]


class Journal(Protocol):
    """One partition a mailbox, the newest run first."""

    def put(self, batch: Batch, *, rows: int = 0) -> int:
        """Create or replace; when it returns, it is durable. Answers in how many rows it lies. `rows`: what the answer
        was for the batch that it replaces. A batch without entries leaves none."""

    def of_run(self, run_id: str) -> Iterator[Batch]:
        """What a run wrote, in the order in which it did."""

    def of_mailbox(self, mailbox_id: str) -> Iterator[Batch]:
        """Everything that is kept, the newest run first; each batch as it lies, so that it can be replaced."""

    def remove_before(self, mailbox_id: str, before: datetime) -> int:
        """Remove runs that were asked for before that time, some hundred rows at a time; answers how many."""
