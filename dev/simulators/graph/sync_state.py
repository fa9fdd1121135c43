"""Delta rounds of one folder: the change log, generations of links, and what each page reports (reference 4).

Every page served makes a new *generation*; links of the newest few work, older ones are dead. A link names the state
from which its page is made, so that using it again replays the same round over live data.
"""

import bisect
import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from dev.simulators.graph.switches import Switches


@dataclass(frozen=True, slots=True)
class Change:
    """A contact that came to be in a folder or was saved there (present), or left it."""

    sequence: int
    uid: int
    present: bool
    time: float  #: simulated seconds since 1970
    reason: str = ""  #: of a removal
    ids: tuple[str, str] = ("", "")  #: of a removal: default and immutable id


@dataclass(frozen=True, slots=True)
class Round:
    """Where a consumer stands: before a round (`pending` None) or within one."""

    select: tuple[str, ...]  #: empty: everything
    expand: str  #: raw $expand, where that is switched to work
    since: int  #: sequence up to which changes were reported; -1 before the first round
    until: int = 0  #: sequence up to which this round reports
    pending: tuple[Change, ...] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What one page reports, and the generation of the link it carries."""

    round: Round
    changes: tuple[Change, ...]
    generation: int
    is_last: bool  #: the link is a deltaLink


class GenerationLost(Exception):
    """A link whose generation is no longer kept; the message is the service's."""


@dataclass
class SyncState:
    """The change log of a folder and the links that still work."""

    changes: list[Change] = field(default_factory=list)
    generations: dict[int, Round] = field(default_factory=dict)
    highest: int = 149
    forced_reset: str = ""  #: "location" or "": what the next use of a link meets

    def record(self, change: Change) -> None:
        """Append a change."""
        self.changes.append(change)

    def resume(self, generation: int) -> Round:
        """Return the state that a link names; raises `GenerationLost`."""
        found = self.generations.get(generation)
        if found is None:
            kept = "".join(f"[{number}]" for number in sorted(self.generations))
            raise GenerationLost(
                f"The sync state generation is not found; generation={generation};[highest={self.highest}]{kept}."
            )
        return found

    def forget_links(self) -> None:
        """Let every link die, as eviction from the service's cache does."""
        self.generations.clear()
        self.highest += 8

    def page(self, state: Round, size: int, now: float, switches: Switches, chance: random.Random) -> Page:
        """Make the page that follows `state`."""
        if state.pending is None:
            state = self._begin(state, now, switches, chance)
        pending = state.pending or ()
        if chance.random() < switches.delta_empty_pages:
            size = 0
        elif chance.random() < switches.delta_short_pages:
            size = max(1, size // 2)
        here, rest = pending[:size], pending[size:]
        is_last = not rest
        after = Round(state.select, state.expand, since=state.until) if is_last else replace(state, pending=rest)
        return Page(state, here, self._remember(after, switches), is_last)

    def _begin(self, state: Round, now: float, switches: Switches, chance: random.Random) -> Round:
        visible = self._visible(now, switches)
        until = visible[-1].sequence if visible else max(state.since, 0)
        first = bisect.bisect_right(visible, state.since, key=lambda change: change.sequence)
        latest = {change.uid: change for change in visible[first:]}
        if state.since < 0:  # a first round reports what is there
            chosen = [change for change in latest.values() if change.present]
        else:
            chosen = list(latest.values())
            if chance.random() < switches.delta_replays:
                older = {change.uid: change for change in visible[:first]}
                chosen += [change for uid, change in list(older.items())[-3:] if uid not in latest]
        if switches.delta_shuffle:
            chance.shuffle(chosen)
        pending = tuple(self._with_duplicates(chosen, switches, chance))
        return replace(state, until=max(until, state.since, 0), pending=pending)

    def _visible(self, now: float, switches: Switches) -> list[Change]:
        """Return the changes up to the first that is not visible yet: a late one holds back those behind it."""
        if not switches.delta_delay:
            return self.changes
        for index, change in enumerate(self.changes):
            part = random.Random(change.sequence).random()  # the same for each look at this change
            if change.time + part * switches.delta_delay > now:
                return self.changes[:index]
        return self.changes

    def _with_duplicates(self, chosen: Iterable[Change], switches: Switches, chance: random.Random) -> Iterable[Change]:
        for change in chosen:
            yield change
            if chance.random() < switches.delta_duplicates:
                yield change

    def _remember(self, after: Round, switches: Switches) -> int:
        self.highest += 1
        self.generations[self.highest] = after
        for old in sorted(self.generations)[: -switches.delta_generations]:
            del self.generations[old]
        return self.highest
