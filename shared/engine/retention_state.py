"""Port: what the cleaning by age needs of storage, and how far it has come."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the cleaning has come in its present round, or that this one is over."""

    began_at: datetime | None = None  #: None: there never was a round
    companies: bool = False  #: whether all companies were looked at
    mailbox: str = ""  #: the last one that was looked at
    over: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry of a change log at some time: older than this time are all entries up to it."""

    at: datetime
    sequence: int


@dataclass(frozen=True, slots=True)
class LogAges:
    """What is known of the age of a change log's entries, which carry no time themselves."""

    heads: tuple[Head, ...] = ()  #: one of each round, the oldest first
    floor: int = 0  #: the feed's floor as the last round left it ...
    floor_at: datetime | None = None  #: ... and when


class Retention(Protocol):
    """What is removed by age. Everything can be repeated, and each call removes some hundred rows at most."""

    def progress(self) -> Progress:
        """One request: an idle tick asks nothing else."""

    def save_progress(self, progress: Progress) -> None:
        """Remember it."""

    def companies(self) -> Sequence[str]:
        """Ids of all companies of which anything is stored, those without profiles too."""

    def log_ages(self, company_id: str) -> LogAges:
        """The defaults when nothing is known."""

    def save_log_ages(self, company_id: str, ages: LogAges) -> None:
        """Remember it."""

    def remove_log(self, company_id: str, up_to: int) -> int:
        """Remove entries of the change log up to and including `up_to`; answers how many, 0 when none are left."""

    def remove_claims(self, company_id: str, ended_before: datetime) -> int:
        """Remove claims of e-mail keys (R9) that ended before that time; one that is taken anew meanwhile stays."""

    def remove_outside(self, company_id: str, known: Collection[str]) -> int:
        """Remove the index (R4) of profiles that are not among the `known`; what is written meanwhile stays."""

    def mailboxes(self, after: str, most: int) -> Sequence[str]:
        """Ids of mailboxes that have reports or a journal, in their order, those of deleted profiles too."""
