"""What a company's feed keeps of whom (R39): of the erased the id and stamp, of who is privacy blocked little more."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace

from shared.cards.business_central import as_blocked, if_blocked, without_personal, without_values
from shared.cards.model import BcContact
from shared.engine.company_state import HeldFeed, LogEntry, RosterEntry
from shared.engine.services import Services
from shared.planning.erased import NOBODY, Erased


@dataclass(slots=True)
class KeptValues:
    """Between what Business Central shows and what is stored of it."""

    services: Services
    company_id: str
    erased: Erased = NOBODY

    def of(self, contact: BcContact, *, new: bool = True) -> BcContact:
        """One contact as it is kept. Somebody `new` with the address of an erased person counts as erased from then."""
        if contact.id not in self.erased:
            if not (new and contact.is_person and self.erased.has_first(contact.text("email"))):
                return if_blocked(contact)
            self.erased = self.services.companies.mark_erased(self.company_id, [contact.id])
        return without_values(contact)

    def of_all(self, contacts: Iterable[BcContact], roster: Mapping[str, RosterEntry]) -> Iterator[BcContact]:
        """The same of many; `roster`: who is known."""
        return (self.of(each, new=each.id not in roster) for each in contacts)

    def newly_blocked(self, changed: Iterable[BcContact], roster: Mapping[str, RosterEntry]) -> set[str]:
        """BC ids of whom values may be stored although they are blocked now. Roster and snapshot are both asked: a
        commit that was cut may have reached the one and not the other."""
        blocked = {each.id for each in changed if each.privacy_blocked}
        known = self.services.companies.contacts(self.company_id, blocked) if blocked else {}
        full = {key for key, each in known.items() if each != if_blocked(each) or not each.privacy_blocked}
        return full | {key for key in blocked if key not in roster or not roster[key].privacy_blocked}


def log_without(held: HeldFeed, blocked: Set[str]) -> list[LogEntry]:
    """The entries of the change log that hold values of these contacts, without them. To be written no later than what
    says that the contacts are blocked: who dies in between does it again."""
    entries = (each for each in held.all_log() if each.bc_id in blocked) if blocked else ()
    return [less for each in entries if (less := _emptied(each)) != each]


def _emptied(entry: LogEntry) -> LogEntry:
    """Whoever reads it late takes the contact for what it is by now."""
    after = None if entry.after is None else as_blocked(entry.after)
    return replace(entry, after=after, before=None if entry.before is None else without_personal(entry.before))
