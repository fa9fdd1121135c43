"""Record what was done, behind the writes and under the fence (architecture, point 4)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.cards.model import Origin
from shared.engine.limits import Limits
from shared.engine.model import Positions, Retry
from shared.engine.state import Changes, ProfileState
from shared.errors import OutcomeUnknown
from shared.planning.model import Link, Parked


def is_undecided(code: str, side: str) -> bool:
    """Whether BC may still be working on a create whose answer was lost: until it has settled, nobody repeats it."""
    return code == OutcomeUnknown.code and side == "outlook"


@dataclass(slots=True)
class Recorder:
    """Collects changes and commits them. Knows which links and parked contacts exist, to tell new from changed."""

    state: ProfileState
    links: dict[str, Link]
    parked: dict[str, Parked]
    due: dict[str, Retry]  #: retries that this run takes up, by key
    limits: Limits
    now: datetime
    changes: Changes = field(default_factory=Changes)
    failed: dict[str, Retry] = field(default_factory=dict)
    recorded: set[str] = field(default_factory=set)  #: BC ids of own creations that changed in this run (R4)

    def link(self, link: Link) -> None:
        """A pair, new or changed."""
        before = self.links.get(link.bc_id)
        if before == link:
            return
        if before is None:
            self.changes.new.add(link.bc_id)
        elif before.outlook_id != link.outlook_id:
            self.changes.replaced[link.bc_id] = before.outlook_id
        if link.origin is Origin.OWN:
            self.recorded.add(link.bc_id)
        self.changes.links.append(link)
        self.links[link.bc_id] = link
        if link.outlook_id in self.parked:
            self.changes.unparked.append(self.parked.pop(link.outlook_id))

    def drop(self, bc_id: str) -> None:
        """The pair is no more."""
        link = self.links.pop(bc_id, None)
        if link is not None:
            self.changes.dropped.append(link)
            if link.origin is Origin.OWN:
                self.recorded.add(bc_id)

    def park(self, parked: Parked) -> None:
        """Remember an unlinked Outlook contact."""
        before = self.parked.get(parked.outlook_id)
        if before == parked:
            return
        if before is not None:
            self.changes.unparked.append(before)
            self.commit()  # the old rows go before the new ones come: they may share a key
        self.changes.parked.append(parked)
        self.parked[parked.outlook_id] = parked

    def unpark(self, outlook_id: str) -> None:
        """An unlinked Outlook contact is gone."""
        before = self.parked.pop(outlook_id, None)
        if before is not None:
            self.changes.unparked.append(before)

    def hide(self, bc_id: str, was: str = "") -> None:
        """It stays away (R23); with `was` until it looks otherwise (R36)."""
        self.changes.hidden[bc_id] = was

    def unhide(self, bc_ids: Iterable[str]) -> None:
        """R23: the user brought it back."""
        self.changes.unhidden.update(bc_ids)

    def hold(self, waiting: Mapping[str, Sequence[str]]) -> None:
        """What waits for approval, all contacts by kind (R26)."""
        self.changes.held.update(waiting)

    def fail(self, key: str, side: str, code: str, *, wait: float | None = None) -> None:
        """Keep a contact for retry, at doubling intervals up to a day (R31), or in `wait` seconds."""
        attempts = self.due[key].attempts + 1 if key in self.due else 1
        if wait is None:
            wait = min(self.limits.retry_most, self.limits.retry_first * 2 ** min(attempts - 1, 20))
        if is_undecided(code, side):
            wait = max(wait, self.limits.create_settles)
        self.failed[key] = Retry(key, side, code, attempts, self.now + timedelta(seconds=wait))

    def commit(self) -> None:
        """Record what has been collected."""
        if self.changes:
            self.state.commit(self.changes)
            self.changes = Changes()

    def finish(self, positions: Positions | None, *, settle: bool = True) -> None:
        """The end of a run: retries that are over, those that remain, and the positions last (R30). A run that was
        limited by a filter of its own may have passed over some, and settles none (R31)."""
        self.changes.retries.extend(self.failed.values())
        if settle:
            self.changes.settled.extend(retry for key, retry in self.due.items() if key not in self.failed)
        self.changes.positions = positions
        self.commit()
