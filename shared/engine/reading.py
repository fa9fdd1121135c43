"""What a run reads: both feeds, the pairs that they name, and what must be read again before it is written to (R14).

An incremental run reads in proportion to the changes (architecture, point 6); a full run reads the whole folder and the
whole snapshot. Both end in the same `Inputs` for the planner.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.cards.model import BcContact
from shared.cards.sharing import bc_like, outlook_like
from shared.engine.completing import ask_bc_before_deciding, complete_newcomers, complete_pairs, look_for_our_own
from shared.engine.model import Retry
from shared.engine.planner_inputs import inputs_of
from shared.engine.readings import Readings
from shared.engine.recording import is_undecided
from shared.planning.erased import ERASING
from shared.planning.model import ABSENT, Absent, Inputs, Present, Shown
from shared.planning.scope import belongs


@dataclass(slots=True)
class Reading(Readings):
    """Reads for one run. After `read`, `inputs` is complete and `delta_link` and `log_position` say how far it goes."""

    def read(self) -> Inputs:
        """Read everything that the planner needs. Raises PositionExpired, FolderMissing, MailboxUnavailable."""
        if self.extent.outlook_full or self.extent.bc_full:
            self.links = {link.bc_id: link for link in self.state.all_links()}
        self._read_outlook()
        self._read_bc()
        self._read_retries()
        complete_pairs(self)
        complete_newcomers(self)
        look_for_our_own(self)
        if not self.extent.feed_is_fresh:
            ask_bc_before_deciding(self)
        return inputs_of(self)

    def read_news_of_bc(self) -> Inputs | None:
        """Only the pairs that BC's log names, each read again in Outlook (R14); the folder's own news wait.

        None when they cannot wait: somebody came into scope whom the user may have added in the meantime (R7), or a
        contact is not where it was, which only the folder can explain (R25, R27). Raises FolderMissing.
        """
        self._log_entries()
        if any(key not in self.links for key in self.bc):
            return None
        complete_pairs(self)
        if self.unanswered or any(isinstance(each, Absent) for each in self.shown.values()):
            return None
        return inputs_of(self)

    # ------------------------------------------------------------ the Outlook side

    def _read_outlook(self) -> None:
        if not self.folder_id:
            self.shown = {link.outlook_id: ABSENT for link in self.links.values()}
        elif self.extent.outlook_full:
            self._whole_folder()
        else:
            self._folder_changes()

    def _whole_folder(self) -> None:
        """The position first, then the folder: what happens between is reported again."""
        position = "" if self.chosen.is_new else self.positions.delta_link
        changes = self.news.changes(self.outlook, self.folder_id, position or None)
        self.delta_link = changes.delta_link
        self.parked = {each.outlook_id: each for each in self.state.all_parked()}
        by_outlook = {link.outlook_id: link for link in self.links.values()}
        for contact in self.outlook.contacts(self.folder_id):
            link = by_outlook.get(contact.id)
            if link is not None:
                contact = outlook_like(contact, link.outlook_id, link.bc_id, link.base_outlook)
            self.shown[contact.id] = Shown(contact)
        missing = [link.outlook_id for link in self.links.values() if link.outlook_id not in self.shown]
        named = [each.id for each in changes.changed if each.id not in self.shown]  # the list lacks them (R9, R25)
        if self.chosen.is_new and not self.shown and not named:
            self.shown.update(dict.fromkeys(missing, ABSENT))
            self.shown.update(dict.fromkeys(self.parked, ABSENT))
            return
        self.read_again([*missing, *named, *(key for key in self.parked if key not in self.shown)])

    def _folder_changes(self) -> None:
        """Only what the delta names; our own writes are recognised by their content and drop out here (R15)."""
        changes = self.news.changes(self.outlook, self.folder_id, self.positions.delta_link)
        self.delta_link = changes.delta_link
        named = [contact.id for contact in changes.changed] + list(changes.removed)
        if not named:
            return
        links = self.state.links_by_outlook(named)
        by_outlook = {link.outlook_id: link for link in links.values()}
        self.parked.update(self.state.parked_by_outlook([key for key in named if key not in by_outlook]))
        unknown: list[str] = []
        for contact in changes.changed:
            link = by_outlook.get(contact.id)
            if link is None:
                unknown.append(contact.id)  # its marks decide what becomes of it (R2, R9)
            elif contact.card != link.base_outlook or link.left or not link.stamped:
                self.shown[contact.id] = Shown(contact)
                self.links[link.bc_id] = link
        gone = [key for key in changes.removed if key in by_outlook or key in self.parked]
        self.links.update({link.bc_id: link for link in links.values() if link.outlook_id in gone})
        self.read_again([*unknown, *gone])

    # ------------------------------------------------------------ the BC side

    def _read_bc(self) -> None:
        if self.extent.bc_full:
            self._whole_snapshot()
        else:
            self._log_entries()

    def _whole_snapshot(self) -> None:
        blocked: dict[str, BcContact] = {}
        for contact in self.companies.all_contacts(self.rules.company_id):
            link = self.links.get(contact.id)
            if link is not None or belongs(contact, self.rules, None):
                known = contact if link is None else bc_like(contact, link.bc_id, link.base_bc)
                self.bc[known.id] = Present(known)
            if contact.privacy_blocked:
                blocked[contact.id] = contact
        self.ask_bc([key for key in self.links if key not in self.bc])
        self._blocked(blocked)

    def _log_entries(self) -> None:
        """The newest entry of each contact since the position."""
        newest: dict[str, BcContact | None] = {}
        for entry in self.companies.log(self.rules.company_id, self.positions.log_position, self.feed.head):
            newest[entry.bc_id] = entry.after
            self.editors[entry.bc_id] = entry.by
        self.links.update(self.state.links_by_bc(newest))
        for key, contact in newest.items():
            if key in self.links or (contact is not None and belongs(contact, self.rules, None)):
                self.bc[key] = ABSENT if contact is None else Present(contact)
        self._blocked({key: each for key, each in newest.items() if each is not None and each.privacy_blocked})

    def _blocked(self, contacts: Mapping[str, BcContact]) -> None:
        """Of who is privacy blocked, the folder may hold more than the linked contact: those kept, and copies (R22)."""
        self.blocked |= contacts.keys()
        if not contacts or self.extent.outlook_full:
            return
        found = self.state.parked_by_keys(sorted(contacts))
        theirs = {key: each for key, each in found.items() if each.bc_id in contacts}
        self.parked.update(theirs)
        self.bc.update({each.bc_id: Present(contacts[each.bc_id]) for each in theirs.values()})
        self.read_again([key for key in theirs if key not in self.shown])

    # ------------------------------------------------------------ retries

    def _read_retries(self) -> None:
        """R31: tried again even if nothing changed."""
        kept = self.state.retries()
        due = [each for each in kept if each.next_at <= self.now or self._asked_for(each)]
        self.retries = {each.key: each for each in due}
        self.others = [each for each in kept if each.key not in self.retries]
        outlook_ids = [each.key for each in due if each.side == "outlook"]
        bc_ids = [each.key for each in due if each.side == "bc"]
        self.links.update(self.state.links_by_bc([key for key in bc_ids if key not in self.links]))
        self.links.update(self.state.links_by_outlook(outlook_ids))
        erasing = [each.key for each in due if each.side == "outlook" and each.code == ERASING]
        self.parked.update(self.state.parked_by_outlook(erasing) if erasing else {})
        self.snapshot(bc_ids)
        concerned = [link.outlook_id for link in self.links.values() if link.bc_id in self.retries]
        self.read_again([key for key in (*outlook_ids, *concerned) if key not in self.shown])

    def _asked_for(self, retry: Retry) -> bool:
        return self.extent.requested and not is_undecided(retry.code, retry.side)
