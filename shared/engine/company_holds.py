"""What is held for a whole company, judged once in its feed for all profiles (R26, R33)."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

from shared.engine.company_state import APPROVED_GONE, FeedState
from shared.engine.holds import COMPANY_KINDS, Hold
from shared.engine.services import Services

RESTORED, DELETIONS = COMPANY_KINDS


@dataclass(slots=True)
class CompanyHolds:
    """The holds of one refresh of the feed. `waiting` is what they come to: contacts by kind, as they change."""

    services: Services
    company_id: str
    approved: frozenset[str]  #: kinds
    began: datetime  #: of the refresh
    waiting: dict[str, Sequence[str]] = field(default_factory=dict)

    def back_in_time(self, known: Hold | None, older: Set[str]) -> Hold | None:
        """Why nothing may be written (R33): `older` are contacts that BC shows with an older stamp than we know. None
        when all is well, or a person approved what is found."""
        if known is None and not older:
            return None
        before = self._waits(RESTORED) if known is not None else frozenset()
        if RESTORED in self.approved and older <= before:
            return None
        if known is not None and older <= before and not self._has_lapsed(known):
            return known
        waiting = sorted(older | before)
        self.waiting[RESTORED] = waiting
        return Hold("company-restored", len(waiting), _RESTORED_WORDS, self.began, self.began)

    def too_many_gone(self, state: FeedState, gone: list[str], persons: Set[str]) -> tuple[Hold | None, list[str]]:
        """R26: the hold, if too many are gone, and who may go now. `persons`: those of the `gone` who count."""
        known = state.held
        before = self._waits(DELETIONS) if known is not None else frozenset()
        granted = before.intersection(gone) if DELETIONS in self.approved else frozenset()
        left = [key for key in gone if key not in granted]
        if granted:
            self.waiting[APPROVED_GONE] = sorted(granted)
        count = len(persons & set(left))
        words = self._passed(count, state.persons)
        if not words:
            if known is not None:
                self.waiting[DELETIONS] = ()
            return None, gone
        may_go = sorted(granted)
        if known is not None and before.issuperset(left) and count == known.count and not self._has_lapsed(known):
            return known, may_go
        self.waiting[DELETIONS] = sorted(left)
        return Hold("company-deletions", count, words, self.began, self.began), may_go

    def _waits(self, kind: str) -> frozenset[str]:
        return self.services.companies.held(self.company_id, kind)

    def _has_lapsed(self, hold: Hold) -> bool:
        return hold.has_lapsed(self.began, self.services.limits.hold_days)

    def _passed(self, count: int, persons: int) -> str:
        limits = self.services.limits.safety
        if count > limits.feed_count and count > limits.feed_share * persons:
            return f"more than {limits.feed_count} and more than {limits.feed_share:.0%} of {persons} persons are gone"
        return ""


_RESTORED_WORDS = "the company shows contacts as they were before: its environment was restored; nothing is written"
