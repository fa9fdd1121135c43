"""Port `Mailboxes`: each mailbox's lease, line of requests and profiles' states, all in the mailbox's partition."""

import weakref
from collections.abc import Callable, Sequence
from datetime import datetime

from shared.engine.model import RunRequest
from shared.engine.state import Busy
from shared.storage import keys
from shared.storage.lease import SECONDS, Lease, acquire
from shared.storage.line import Line
from shared.storage.links import Place
from shared.storage.profile_state import TableProfileState
from shared.storage.tables import Operation, RowMissing, Table, Tables


class TableMailboxes:
    """All mailboxes' state. `now` is the clock of the leases: the storage service's unless a test says otherwise."""

    def __init__(
        self, tables: Tables, *, now: Callable[[], datetime] | None = None, lease_seconds: float = SECONDS
    ) -> None:
        self._table = tables["mailboxes"]
        self._now = now or tables.clock.now
        self._seconds = lease_seconds

    def hold(self, mailbox_id: str, owner: str) -> "TableHeldMailbox | Busy":
        """See Mailboxes."""
        lease = acquire(self._table, keys.part(mailbox_id), owner, now=self._now, seconds=self._seconds)
        return lease if isinstance(lease, Busy) else TableHeldMailbox(self._table, mailbox_id, lease)

    def submit(self, request: RunRequest) -> RunRequest:
        """See Mailboxes."""
        return Line(self._table, request.mailbox_id).submit(request)

    def waiting(self, mailbox_id: str) -> Sequence[RunRequest]:
        """See Mailboxes."""
        return Line(self._table, mailbox_id).waiting()

    def peek(self, mailbox_id: str, company_id: str, profile_id: str) -> TableProfileState:
        """See Mailboxes."""
        return TableProfileState(self._table, _place(mailbox_id, company_id, profile_id), None)

    def unhide(self, mailbox_id: str, company_id: str, profile_id: str, bc_id: str) -> bool:
        """See Mailboxes. Not fenced: one row, which the mailbox's holder at most writes again."""
        row = _place(mailbox_id, company_id, profile_id).row("hidden", bc_id)
        try:
            self._table.apply(Operation("delete", row, etag="*"))
        except RowMissing:
            return False
        return True


class TableHeldMailbox:
    """Port `HeldMailbox`. When nobody refers to it any more, its lease is no longer renewed."""

    def __init__(self, table: Table, mailbox_id: str, lease: Lease) -> None:
        self._table = table
        self._mailbox_id = mailbox_id
        self._lease = lease
        self._line = Line(table, mailbox_id)
        self._profiles: weakref.WeakValueDictionary[str, TableProfileState] = weakref.WeakValueDictionary()
        weakref.finalize(self, lease.stop)

    def keep(self) -> None:
        """See HeldMailbox."""
        self._lease.keep()

    def profile(self, company_id: str, profile_id: str) -> TableProfileState:
        """See HeldMailbox. The same object for the same profile, since it remembers the number of links."""
        place = _place(self._mailbox_id, company_id, profile_id)
        state = self._profiles.get(place.prefix)
        if state is None:
            state = self._profiles[place.prefix] = TableProfileState(self._table, place, self._lease, owner=self)
        return state

    @property
    def rested(self) -> float:
        """See HeldMailbox."""
        return self._lease.rested

    def use(self) -> None:
        """See HeldMailbox. Stored by the next write under the lease."""
        self._lease.use()

    def take(
        self, *, urgent: bool = False, paused: Callable[[RunRequest], bool] = lambda _: False
    ) -> RunRequest | None:
        """See HeldMailbox."""
        return self._line.take(self._lease, urgent=urgent, paused=paused)

    def finish(self, request: RunRequest) -> None:
        """See HeldMailbox."""
        self._line.finish(request, self._lease)

    def release(self) -> bool:
        """See HeldMailbox. The line is read after the lease is free: whoever submitted before and met it is seen."""
        self._lease.release()
        return bool(self._line.waiting())

    def stop_renewing(self) -> None:
        """As if this worker had died: the lease ends by itself."""
        self._lease.stop()


def _place(mailbox_id: str, company_id: str, profile_id: str) -> Place:
    return Place(keys.part(mailbox_id), keys.path(company_id, profile_id))
