"""What a run has read so far on both sides, and how it asks for more (R14, R25)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.cards.business_central import if_blocked
from shared.cards.model import OutlookContact
from shared.engine.company_state import Companies, FeedState
from shared.engine.early_news import EarlyNews
from shared.engine.folders import ChosenFolder
from shared.engine.model import Positions, Retry
from shared.engine.sides import BcSide, OutlookSide
from shared.engine.state import ProfileState
from shared.planning.model import (
    ABSENT,
    Absent,
    BcReading,
    Inputs,
    Link,
    OutlookReading,
    Parked,
    Present,
    Rules,
    Shown,
    SwingLimits,
)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much to read on each side."""

    outlook_full: bool
    bc_full: bool
    requested: bool  #: a person asked: every retry is due (R31)
    full_mode: bool  #: the run's mode, for R37's putting back
    feed_is_fresh: bool = True  #: False: the company feed was taken as it is, so what matters most is asked again


@dataclass(slots=True)
class Readings:
    """What is known of links, contacts and parked contacts; each asks once, and remembers who did not answer."""

    companies: Companies
    company: BcSide
    outlook: OutlookSide
    state: ProfileState
    feed: FeedState
    positions: Positions
    chosen: ChosenFolder
    rules: Rules
    extent: Extent
    now: datetime
    swing_limits: SwingLimits

    news: EarlyNews = field(default_factory=EarlyNews)
    inputs: Inputs | None = None
    delta_link: str = ""
    retries: dict[str, Retry] = field(default_factory=dict)  #: those due now, by key
    others: list[Retry] | None = None  #: those kept for later; None: not looked at
    links: dict[str, Link] = field(default_factory=dict)
    bc: dict[str, BcReading] = field(default_factory=dict)
    shown: dict[str, OutlookReading] = field(default_factory=dict)
    parked: dict[str, Parked] = field(default_factory=dict)
    editors: dict[str, str] = field(default_factory=dict)  #: BC id -> profile whose user made its latest change
    blocked: set[str] = field(default_factory=set)  #: BC ids of persons who are privacy blocked (R22, R39)
    unanswered: dict[str, str] = field(default_factory=dict)  #: id -> side: no answer came, to be tried again (R31)

    @property
    def folder_id(self) -> str:
        """The folder's id; blank in a preview whose folder does not exist yet."""
        return self.chosen.folder.id if self.chosen.folder else ""

    def read_again(self, outlook_ids: Sequence[str]) -> None:
        """Ask for each contact itself: the second look of R25, the marks of R2 and R9, the re-read of R14."""
        wanted = list(dict.fromkeys(outlook_ids))
        if not wanted or not self.folder_id:
            return
        answers = self.outlook.read(self.folder_id, wanted)
        for key, contact in answers.items():
            self.shown[key] = ABSENT if contact is None else Shown(contact)
        self.unanswered.update({key: "outlook" for key in wanted if key not in answers})

    def snapshot(self, bc_ids: Iterable[str]) -> None:
        """Contacts of pairs that BC's feed did not name."""
        wanted = [key for key in dict.fromkeys(bc_ids) if key not in self.bc]
        if not wanted:
            return
        found = self.companies.contacts(self.rules.company_id, wanted)
        self.bc.update({key: Present(contact) for key, contact in found.items()})
        self.blocked |= {key for key, contact in found.items() if contact.privacy_blocked}
        self.ask_bc([key for key in wanted if key not in found])

    def ask_bc(self, bc_ids: Sequence[str]) -> None:
        """Contacts that the snapshot lacks: deleted, or created by a run that could not tell the feed (R25, R30)."""
        if not bc_ids:
            return
        answers = self.company.read(bc_ids)
        for key, contact in answers.items():
            self.bc[key] = ABSENT if contact is None else Present(if_blocked(contact))
        self.blocked |= {key for key, contact in answers.items() if contact is not None and contact.privacy_blocked}
        self.unanswered.update({key: "bc" for key in bc_ids if key not in answers})

    def unlinked(self) -> list[OutlookContact]:
        """Contacts of the folder that have no link, as far as read."""
        linked = {link.outlook_id for link in self.links.values()}
        return [
            reading.contact for key, reading in self.shown.items() if isinstance(reading, Shown) and key not in linked
        ]

    def gone(self) -> set[str]:
        """BC ids of links whose Outlook contact is gone."""
        return {link.bc_id for link in self.links.values() if isinstance(self.shown.get(link.outlook_id), Absent)}
