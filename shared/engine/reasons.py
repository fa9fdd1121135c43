"""What keeps contacts as they are although the next run would change them: pauses, holds, and what people decided."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from shared.cards.model import BcContact
from shared.engine.company_holds import DELETIONS, RESTORED
from shared.engine.holds import Hold
from shared.engine.model import Profile
from shared.engine.pauses import Pause
from shared.engine.services import Services
from shared.engine.state import ProfileState
from shared.planning.guards import (
    BC_CREATIONS,
    BC_REMOVALS,
    BC_UPDATES,
    OUTLOOK_CREATIONS,
    OUTLOOK_REMOVALS,
    OUTLOOK_UPDATES,
)
from shared.planning.journalled import Entry, Verb
from shared.planning.model import Link, Parked, Side
from shared.planning.undo import UNDO
from shared.planning.undone import UNDONE, looks


@dataclass(frozen=True, slots=True)
class Why:
    """One thing that keeps something as it is."""

    code: str
    detail: str  #: with what to do about it
    run_id: str = ""  #: the run that is to be approved, or that undid


@dataclass(frozen=True, slots=True)
class Waiting:
    """A hold of a profile or of its company (R26), with all its contacts."""

    hold: Hold
    contacts: frozenset[str]  #: BC ids, or Outlook ids for creations in BC
    lapsed: bool  #: it is held anew before it can be approved

    @property
    def kind(self) -> str:
        """As in `HeldKind`."""
        return self.hold.kind

    @property
    def why(self) -> str:
        """How much waits, which limit was passed, and who lets it go."""
        approval = "Its time to be approved is over: the next run holds anew what is due." if self.lapsed else (
            "An administrator approves the run that is named." if self.hold.run_id else
            "An administrator approves it with any run that shows it."
        )  # fmt: skip
        return f"waits for approval, {self.hold.count} in all: {self.hold.limit}. {approval}"


_WHAT_WAITS = {
    OUTLOOK_REMOVALS: "Its removal from the folder",
    OUTLOOK_CREATIONS: "Its creation in the folder",
    OUTLOOK_UPDATES: "Its change in the folder",
    BC_REMOVALS: "Its deletion in Business Central",
    BC_CREATIONS: "Its creation in Business Central",
    BC_UPDATES: "Its change in Business Central",
}


def waiting(services: Services, profile: Profile, state: ProfileState) -> list[Waiting]:
    """Everything that waits for approval in a profile and in its company."""
    company_id, feed = profile.company_id, services.companies.feed(profile.company_id)
    now, days = services.now(), services.limits.hold_days
    own = [(hold, state.held(hold.kind)) for hold in state.positions().holds.values()]
    companys = [(hold, services.companies.held(company_id, hold.kind)) for hold in (feed.stopped, feed.held) if hold]
    return [Waiting(hold, contacts, hold.has_lapsed(now, days)) for hold, contacts in (*own, *companys)]


def why_not_run(services: Services, profile: Profile, waits: Iterable[Waiting]) -> list[Why]:
    """What keeps the whole profile from being synced: it is switched off, something is paused (R40), or its company
    went back in time (R33)."""
    found = []
    if not profile.enabled:
        found.append(Why("profile-disabled", "The profile is switched off. Save it with `enabled` true."))
    pauses = [each for each in services.pauses.all() if each.covers(profile.company_id, profile.id)]
    found += [Why("paused", _paused(each)) for each in pauses]
    found += [
        Why(each.kind, f"Nothing is written in this company: what it shows {each.why}")
        for each in waits
        if each.kind == RESTORED
    ]
    return found


def why_held(waits: Iterable[Waiting], bc_id: str, outlook_ids: Iterable[str]) -> list[Why]:
    """Which holds a contact waits in, given by BC id and by the Outlook ids that may be it."""
    whose: Set[str] = {bc_id, *outlook_ids}
    found = []
    for each in waits:
        if each.kind == RESTORED or not whose & each.contacts:
            continue
        is_gone = each.kind == DELETIONS
        what = "Business Central does not show it any more; its removal" if is_gone else _WHAT_WAITS[each.kind]
        found.append(Why(each.kind, f"{what} {each.why}", each.hold.run_id))
    return found


def why_left(contact: BcContact | None, link: Link | None, hidden: str | None, parked: Iterable[Parked]) -> list[Why]:
    """What people decided about a contact; `hidden` as `ProfileState.hidden` has it, None for not hidden."""
    found = []
    if hidden == "":
        found.append(Why("hidden", "The user deleted it in Outlook; it stays away until it is un-hidden."))
    elif stays_away(contact, hidden):
        found.append(Why("undone", f"An administrator undid its creation in the folder. {_UNTIL_CHANGED}"))
    if any(each.reason == UNDONE for each in parked):
        words = (
            "An administrator undid its creation in Business Central. It stays in Outlook only until it changes there."
        )
        found.append(Why("undone", words))
    if link is not None and link.paused:
        fields = ", ".join(sorted(each.field.value for each in link.paused))
        found.append(Why("oscillation", f"{fields}: set back again and again after our write. {_RESUME}"))
    return found


_UNTIL_CHANGED = "It stays away until it changes in Business Central or is un-hidden."
_RESUME = "It travels neither way until it has a third value or somebody resumes it; find first what insists on it."
ERASED = Why("erased", "This person was erased: nothing of it is known here, and nobody lets it in again.")


def why_undone(writes: Sequence[tuple[str, Entry]]) -> list[Why]:
    """Fields of a linked contact that an undo put back and no run has written since (R36); `writes` are what the
    journal has of the contact, with the run, the newest first."""
    seen: set[tuple[Side, str]] = set()
    by_run: dict[str, set[str]] = {}
    for run_id, entry in writes:
        names = {(entry.side, each) for each in entry.after} - seen
        seen |= names
        if entry.cause == UNDO and entry.verb is Verb.UPDATED and names:
            by_run.setdefault(run_id, set()).update(name for _, name in names)
    return [
        Why("undone", f"An administrator undid what a run did to: {', '.join(sorted(names))}. {_MAY_DIFFER}", run_id)
        for run_id, names in by_run.items()
    ]


_MAY_DIFFER = "The two sides may differ there until it changes on either."


def stays_away(contact: BcContact | None, hidden: str | None) -> bool:
    """Whether a run leaves it away: hidden by the user (R23), or undone and as it was then (R36)."""
    return hidden is not None and (hidden == "" or contact is None or hidden == looks(contact.card))


def _paused(pause: Pause) -> str:
    what = "The profile" if pause.profile_id else "The company" if pause.company_id else "Everything"
    who = f" by {pause.actor}" if pause.actor else ""
    why = f", for this reason: {pause.reason}" if pause.reason else ""
    return f"{what} is paused since {_minute(pause.since)}{who}{why}. An administrator resumes it; nothing is lost."


def _minute(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC" if when else "some time"
