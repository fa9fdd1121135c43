"""Ports `Mailboxes`, `HeldMailbox` and `ProfileState` in memory."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from shared.engine.model import Positions, Retry, RunRequest, merged
from shared.engine.state import Busy, Changes
from shared.errors import LeaseLost
from shared.planning.model import Link, Parked
from tests.fakes.account import Account, Lease, Reading


@dataclass(slots=True)
class _ProfileRows:
    positions: Positions | None = None
    links: dict[str, Link] = field(default_factory=dict)
    by_outlook: dict[str, str] = field(default_factory=dict)
    parked: dict[str, Parked] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)
    retries: dict[tuple[str, str], Retry] = field(default_factory=dict)
    held: dict[str, frozenset[str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Line:
    """Requests of one mailbox: plain ones by profile, others by run id, and the current one."""

    plain: dict[tuple[str, str], tuple[datetime, RunRequest]] = field(default_factory=dict)
    own: dict[str, tuple[datetime, RunRequest]] = field(default_factory=dict)
    current: RunRequest | None = None
    used: datetime | None = None

    def in_order(self) -> list[RunRequest]:
        waiting = sorted((*self.plain.values(), *self.own.values()), key=lambda each: (each[0], each[1].run_id))
        return [request for _, request in waiting]


class MemoryMailboxes:
    """Port `Mailboxes`."""

    def __init__(self, state: Account) -> None:
        self._state = state
        self.leases: dict[str, Lease] = {}
        self.lines: dict[str, _Line] = {}
        self.rows: dict[tuple[str, str, str], _ProfileRows] = {}

    def hold(self, mailbox_id: str, owner: str) -> "MemoryHeldMailbox | Busy":
        with self._state.lock, self._state.faults.around("mailboxes.hold"):
            lease = self.leases.setdefault(mailbox_id, Lease())
            taken = lease.take(self._state.clock())
            if isinstance(taken, Busy):
                return taken
            return MemoryHeldMailbox(self._state, self, mailbox_id, lease, taken)

    def submit(self, request: RunRequest) -> RunRequest:
        with self._state.lock, self._state.faults.around("mailboxes.submit"):
            line = self.lines.setdefault(request.mailbox_id, _Line())
            if not request.is_plain:
                stored = replace(request, etag=self._state.next_etag())
                line.own.setdefault(request.run_id, (request.requested_at, stored))
                return line.own[request.run_id][1]
            key = (request.company_id, request.profile_id)
            if key in line.plain:
                since, waiting = line.plain[key]
                line.plain[key] = (since, replace(merged(waiting, request), etag=self._state.next_etag()))
            else:
                line.plain[key] = (request.requested_at, replace(request, etag=self._state.next_etag()))
            return line.plain[key][1]

    def waiting(self, mailbox_id: str) -> Sequence[RunRequest]:
        with self._state.lock, self._state.faults.around("mailboxes.waiting"):
            line = self.lines.get(mailbox_id, _Line())
            return [*([line.current] if line.current else []), *line.in_order()]

    def peek(self, mailbox_id: str, company_id: str, profile_id: str) -> "MemoryProfileState":
        return MemoryProfileState(self._state, self.of(mailbox_id, company_id, profile_id), _never)

    def unhide(self, mailbox_id: str, company_id: str, profile_id: str, bc_id: str) -> bool:
        with self._state.lock, self._state.faults.around("mailboxes.unhide"):
            hidden = self.of(mailbox_id, company_id, profile_id).hidden
            if bc_id not in hidden:
                return False
            del hidden[bc_id]
            return True

    def of(self, mailbox_id: str, company_id: str, profile_id: str) -> _ProfileRows:
        """A profile's rows."""
        return self.rows.setdefault((mailbox_id, company_id, profile_id), _ProfileRows())


def _never() -> None:
    raise LeaseLost("this state was only peeked at")


class MemoryHeldMailbox:
    """Port `HeldMailbox`."""

    def __init__(self, state: Account, mailboxes: MemoryMailboxes, mailbox_id: str, lease: Lease, epoch: int) -> None:
        self._state = state
        self._mailboxes = mailboxes
        self._mailbox_id = mailbox_id
        self._lease = lease
        self._epoch = epoch

    @property
    def rested(self) -> float:
        used = self._line.used
        return (self._state.clock() - used).total_seconds() if used is not None else math.inf

    def use(self) -> None:
        self._line.used = self._state.clock()

    def keep(self) -> None:
        with self._state.lock, self._state.faults.around("mailbox.keep"):
            self._fence()

    def profile(self, company_id: str, profile_id: str) -> "MemoryProfileState":
        rows = self._mailboxes.of(self._mailbox_id, company_id, profile_id)
        return MemoryProfileState(self._state, rows, self._fence)

    def take(
        self, *, urgent: bool = False, paused: Callable[[RunRequest], bool] = lambda _: False
    ) -> RunRequest | None:
        with self._state.lock, self._state.faults.around("mailbox.take"):
            self._fence()
            line = self._line
            waiting = [each for each in line.in_order() if (each.is_urgent or not urgent) and not paused(each)]
            current = line.current if line.current is not None and not paused(line.current) else None
            request = current or next(iter(waiting), None)
            if request is None:
                return None
            if current is None and line.current is not None:
                line.own[line.current.run_id] = (line.current.requested_at, line.current)
            line.own.pop(request.run_id, None)
            key = (request.company_id, request.profile_id)
            if key in line.plain and line.plain[key][1].run_id == request.run_id:
                del line.plain[key]
            line.current = replace(request, attempt=request.attempt + 1, etag=self._state.next_etag())
            return line.current

    def finish(self, request: RunRequest) -> None:
        with self._state.lock, self._state.faults.around("mailbox.finish"):
            self._fence()
            if self._line.current is not None and self._line.current.run_id == request.run_id:
                self._line.current = None

    def release(self) -> bool:
        with self._state.lock, self._state.faults.around("mailbox.release"):
            self._lease.give_back(self._epoch)
            return self._line.current is not None or bool(self._line.in_order())

    @property
    def _line(self) -> _Line:
        return self._mailboxes.lines.setdefault(self._mailbox_id, _Line())

    def _fence(self) -> None:
        self._lease.fence(self._epoch)


class MemoryProfileState:
    """Port `ProfileState`."""

    def __init__(self, state: Account, rows: _ProfileRows, fence: Callable[[], None]) -> None:
        self._state = state
        self._rows = rows
        self._fence = fence

    def positions(self) -> Positions:
        with self._reading("positions"):
            return replace(self._rows.positions or Positions(), link_count=len(self._rows.links))

    def links_by_bc(self, bc_ids: Iterable[str]) -> Mapping[str, Link]:
        with self._reading("links_by_bc"):
            return {each: self._rows.links[each] for each in bc_ids if each in self._rows.links}

    def links_by_outlook(self, outlook_ids: Iterable[str]) -> Mapping[str, Link]:
        with self._reading("links_by_outlook"):
            found = {}
            for outlook_id in outlook_ids:
                link = self._rows.links.get(self._rows.by_outlook.get(outlook_id, ""))
                if link is not None and link.outlook_id == outlook_id:
                    found[link.bc_id] = link
            return found

    def all_links(self) -> Iterator[Link]:
        with self._reading("all_links"):
            return iter([self._rows.links[each] for each in sorted(self._rows.links)])

    def parked_by_outlook(self, outlook_ids: Iterable[str]) -> Mapping[str, Parked]:
        with self._reading("parked_by_outlook"):
            return {each: self._rows.parked[each] for each in outlook_ids if each in self._rows.parked}

    def parked_by_keys(self, wanted: Iterable[str]) -> Mapping[str, Parked]:
        with self._reading("parked_by_keys"):
            keys = set(wanted)
            return {each.outlook_id: each for each in self._rows.parked.values() if keys & set(each.keys)}

    def all_parked(self) -> Iterator[Parked]:
        with self._reading("all_parked"):
            return iter(list(self._rows.parked.values()))

    def hidden(self) -> Mapping[str, str]:
        with self._reading("hidden"):
            return dict(self._rows.hidden)

    def retries(self) -> Sequence[Retry]:
        with self._reading("retries"):
            return sorted(self._rows.retries.values(), key=lambda each: (each.next_at, each.side, each.key))

    def held(self, kind: str) -> frozenset[str]:
        with self._reading("held"):
            return self._rows.held.get(kind, frozenset())

    def commit(self, changes: Changes) -> None:
        with self._state.lock:
            wrong = [
                each.bc_id for each in changes.links if (each.bc_id in changes.new) == (each.bc_id in self._rows.links)
            ]
            if wrong:
                self._fence()  # who lost the lease cannot know, and is refused
                raise AssertionError(f"`new` is wrong about {wrong}: the count would drift")
            steps = list(self._steps(changes))
            size = self._state.rows_per_transaction
            for start in range(0, len(steps), size):
                with self._state.faults.around("mailbox.commit"):
                    self._fence()
                    for step in steps[start : start + size]:
                        step()

    def forget(self) -> None:
        with self._state.lock, self._state.faults.around("mailbox.forget"):
            self._fence()
            empty = _ProfileRows()
            for name in _ProfileRows.__dataclass_fields__:
                setattr(self._rows, name, getattr(empty, name))

    def _reading(self, name: str) -> "Reading":
        return Reading(self._state, f"mailbox.{name}")

    def _steps(self, changes: Changes) -> Iterator[Callable[[], object]]:
        """One step per link or row, in the order in which the real store packs them; positions last."""
        linked = {link.outlook_id for link in changes.links}
        for link in changes.dropped:
            yield partial(self._drop, link, linked)
        for link in changes.links:
            yield partial(self._link, link, changes.replaced.get(link.bc_id), linked)
        yield from self._steps_without_link(changes)
        if changes.positions is not None:
            yield partial(setattr, self._rows, "positions", changes.positions)

    def _steps_without_link(self, changes: Changes) -> Iterator[Callable[[], object]]:
        rows = self._rows
        parked = {each.outlook_id for each in changes.parked}
        for gone in changes.unparked:
            if gone.outlook_id not in parked:
                yield partial(rows.parked.pop, gone.outlook_id, None)
        for each in changes.parked:
            yield partial(rows.parked.__setitem__, each.outlook_id, each)
        for bc_id in sorted(changes.unhidden - changes.hidden.keys()):
            yield partial(rows.hidden.pop, bc_id, None)
        for bc_id, was in sorted(changes.hidden.items()):
            yield partial(rows.hidden.__setitem__, bc_id, was)
        kept = {(each.side, each.key) for each in changes.retries}
        for over in changes.settled:
            if (over.side, over.key) not in kept:
                yield partial(rows.retries.pop, (over.side, over.key), None)
        for retry in changes.retries:
            yield partial(rows.retries.__setitem__, (retry.side, retry.key), retry)
        for kind, ids in changes.held.items():
            yield partial(rows.held.__setitem__, kind, frozenset(ids))

    def _drop(self, link: Link, linked: set[str]) -> None:
        self._rows.links.pop(link.bc_id, None)
        if link.outlook_id not in linked:
            self._rows.by_outlook.pop(link.outlook_id, None)

    def _link(self, link: Link, before: str | None, linked: set[str]) -> None:
        if before and before not in linked:
            self._rows.by_outlook.pop(before, None)
        self._rows.links[link.bc_id] = link
        self._rows.by_outlook[link.outlook_id] = link.bc_id
