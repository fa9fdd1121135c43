"""What the safety stop holds until a person approves it (R26): the values, and when a hold is over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

COMPANY_KINDS = ("company-restored", "company-deletions")  #: held for all profiles of a company
SHOWN_MOST = 1_000  #: contacts of a hold that a report names; all of them are stored


@dataclass(frozen=True, slots=True)
class Hold:
    """Operations of one kind that wait: of one profile, or of a whole company. Its contacts are stored beside it."""

    kind: str  #: as in `HeldKind`
    count: int
    limit: str = ""  #: in words: which limit was passed
    since: datetime | None = None  #: when the latest of its contacts came: tells an approval what it means
    held_at: datetime | None = None  #: when a run last met it
    run_id: str = ""  #: of that run; blank for a company's hold, which many runs' reports carry

    def has_lapsed(self, now: datetime, days: float) -> bool:
        """Whether it is too old to be approved."""
        return self.held_at is not None and now - self.held_at > timedelta(days=days)


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's word that held operations may go."""

    run_id: str  #: of the held run
    kinds: Mapping[str, datetime | None] = field(default_factory=dict)  #: kind -> `since` of the hold that was meant
