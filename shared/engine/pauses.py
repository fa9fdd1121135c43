"""Pauses (R40): what is paused, and by whom. Nothing is lost meanwhile: requests wait in line, marks stay due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.engine.model import Report
    from shared.engine.services import Services


@dataclass(frozen=True, slots=True)
class Pause:
    """Everything, one company, or one profile is paused."""

    company_id: str = ""  #: blank: everything
    profile_id: str = ""  #: blank: the whole company
    actor: str = ""
    reason: str = ""
    since: datetime | None = None

    def covers(self, company_id: str, profile_id: str) -> bool:
        """Whether a profile is paused by it; with a blank profile, whether all of a company is."""
        return self.company_id in ("", company_id) and self.profile_id in ("", profile_id)


def pause_of(pauses: Sequence[Pause], company_id: str, profile_id: str = "") -> Pause | None:
    """The widest pause of a profile or, without one, of a company; None when it runs."""
    found = [each for each in pauses if each.covers(company_id, profile_id)]
    return min(found, key=lambda each: (each.company_id, each.profile_id), default=None)


def pause_of_run(services: "Services", report: "Report") -> Pause | None:
    """The pause for whose end a run waits in its line; None when it is run at once."""
    return pause_of(services.pauses.all(), report.company_id, report.profile_id)
