"""All storage ports in memory, with the rules of the real adapter; both pass `tests/contract/test_storage_*`.

    state = MemoryState(clock)
    state.mailboxes, state.companies, state.profiles, state.marks, state.reports, state.journal, state.messages

What the engine sees are the ports; what a test does to them:

    state.faults.fail(...) / .die(...) / .restart()     see faults.py; each transaction of a commit is one call
    state.rows_per_transaction = 2                      small transactions, so that commits can be cut in the middle
    state.stop_renewing()                               all holders of now are frozen: their leases end 60 seconds later
    state.steal(mailbox_id), state.steal_feed(company)  as if the lease had ended and somebody else had taken it
    state.messages.take_due()                           the messages that a worker would get now

A process that died (`faults.die`) renews no lease; after `restart()` and 60 seconds by the clock others can take them.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from tests.fakes.account import Account
from tests.fakes.companies import MemoryCompanies, MemoryHeldFeed
from tests.fakes.imports import MemoryImports
from tests.fakes.journal import MemoryJournal
from tests.fakes.mailboxes import MemoryHeldMailbox, MemoryMailboxes
from tests.fakes.profiles import MemoryMarks, MemoryMessages, MemoryPauses, MemoryProfiles, MemoryReports
from tests.fakes.retention import MemoryRetention
from tests.fakes.watching import MemorySubscriptions


class MemoryState(Account):
    """One storage account."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(clock)
        self.faults.on_death.append(self.stop_renewing)
        self.mailboxes = MemoryMailboxes(self)
        self.companies = MemoryCompanies(self)
        self.profiles = MemoryProfiles(self)
        self.marks = MemoryMarks(self)
        self.reports = MemoryReports(self)
        self.pauses = MemoryPauses(self)
        self.journal = MemoryJournal(self)
        self.retention = MemoryRetention(self, self.companies, self.reports, self.journal)
        self.imports = MemoryImports(self)
        self.messages = MemoryMessages(self)
        self.subscriptions = MemorySubscriptions(self.faults)

    # ------------------------------------------------------------ what a test does

    def stop_renewing(self) -> None:
        """Freeze all holders of now: nobody renews their leases any more."""
        for lease in (*self.mailboxes.leases.values(), *self.companies.leases.values(), *self.imports.leases.values()):
            lease.freeze(self.clock())

    def steal(self, mailbox_id: str, owner: str = "thief") -> MemoryHeldMailbox:
        """Take the mailbox's lease over whatever its holder says."""
        lease = self.mailboxes.leases[mailbox_id]
        lease.held = False
        held = self.mailboxes.hold(mailbox_id, owner)
        assert isinstance(held, MemoryHeldMailbox)
        return held

    def steal_feed(self, company_id: str, owner: str = "thief") -> MemoryHeldFeed:
        """Take the feed's lease over whatever its holder says."""
        lease = self.companies.leases[company_id]
        lease.held = False
        held = self.companies.hold_feed(company_id, owner)
        assert isinstance(held, MemoryHeldFeed)
        return held
