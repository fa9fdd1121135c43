"""What a run reads: both feeds, the pairs that they name, and what must be read again before it is written to (R14).

An incremental run reads in proportion to the changes (architecture, point 6); a full run reads the whole folder and the
whole snapshot. Both end in the same `Inputs` for the planner.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.cards import emails
from shared.cards.business_central import if_blocked
from shared.cards.model import BcContact, OutlookContact
from shared.cards.normalise import matching_key
from shared.cards.translate import countries_from
from shared.engine.company_state import Companies, FeedState
from shared.engine.folders import ChosenFolder
from shared.engine.model import Positions, Retry
from shared.engine.recording import is_undecided
from shared.engine.sides import BcSide, OutlookSide
from shared.engine.state import ProfileState
from shared.planning.erased import ERASING, NOBODY
from shared.planning.model import (
    ABSENT,
    Absent,
    BcReading,
    Direction,
    Inputs,
    Link,
    OutlookReading,
    Parked,
    Present,
    Rules,
    Shown,
    SwingLimits,
)
from shared.planning.scope import belongs


@dataclass(frozen=True, slots=True)
class Extent:
    """How much to read on each side."""

    outlook_full: bool
    bc_full: bool
    requested: bool  #: a person asked: every retry is due (R31)
    full_mode: bool  #: the run's mode, for R37's putting back
    feed_is_fresh: bool = True  #: False: the company feed was taken as it is, so what matters most is asked again


@dataclass(slots=True)
class Reading:
    """Reads for one run. After `read`, `inputs` is complete and `delta_link` and `log_position` say how far it goes."""

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

    def read(self) -> Inputs:
        """Read everything that the planner needs. Raises PositionExpired, FolderMissing, MailboxUnavailable."""
        if self.extent.outlook_full or self.extent.bc_full:
            self.links = {link.bc_id: link for link in self.state.all_links()}
        self._read_outlook()
        self._read_bc()
        self._read_retries()
        self._complete_pairs()
        self._complete_newcomers()
        self._look_for_our_own()
        if not self.extent.feed_is_fresh:
            self._ask_bc_before_deciding()
        return self._inputs()

    def read_news_of_bc(self) -> Inputs | None:
        """Only the pairs that BC's log names, each read again in Outlook (R14); the folder's own news wait.

        None when they cannot wait: somebody came into scope whom the user may have added in the meantime (R7), or a
        contact is not where it was, which only the folder can explain (R25, R27). Raises FolderMissing.
        """
        self._log_entries()
        if any(key not in self.links for key in self.bc):
            return None
        self._complete_pairs()
        if self.unanswered or any(isinstance(each, Absent) for each in self.shown.values()):
            return None
        return self._inputs()

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
        link = "" if self.chosen.is_new else self.positions.delta_link
        changes = self.outlook.changes(self.folder_id, link or None)
        self.delta_link = changes.delta_link
        self.parked = {each.outlook_id: each for each in self.state.all_parked()}
        for contact in self.outlook.contacts(self.folder_id):
            self.shown[contact.id] = Shown(contact)
        missing = [link.outlook_id for link in self.links.values() if link.outlook_id not in self.shown]
        named = [each.id for each in changes.changed if each.id not in self.shown]  # the list lacks them (R9, R25)
        if self.chosen.is_new and not self.shown and not named:
            self.shown.update(dict.fromkeys(missing, ABSENT))
            self.shown.update(dict.fromkeys(self.parked, ABSENT))
            return
        self._read_again([*missing, *named, *(key for key in self.parked if key not in self.shown)])

    def _folder_changes(self) -> None:
        """Only what the delta names; our own writes are recognised by their content and drop out here (R15)."""
        changes = self.outlook.changes(self.folder_id, self.positions.delta_link)
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
        self._read_again([*unknown, *gone])

    def _read_again(self, outlook_ids: Sequence[str]) -> None:
        """Ask for each contact itself: the second look of R25, the marks of R2 and R9, the re-read of R14."""
        wanted = list(dict.fromkeys(outlook_ids))
        if not wanted or not self.folder_id:
            return
        answers = self.outlook.read(self.folder_id, wanted)
        for key, contact in answers.items():
            self.shown[key] = ABSENT if contact is None else Shown(contact)
        self.unanswered.update({key: "outlook" for key in wanted if key not in answers})

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
                self.bc[contact.id] = Present(contact)
            if contact.privacy_blocked:
                blocked[contact.id] = contact
        self._ask_bc([key for key in self.links if key not in self.bc])
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
        self._read_again([key for key in theirs if key not in self.shown])

    def _snapshot(self, bc_ids: Iterable[str]) -> None:
        """Contacts of pairs that BC's feed did not name."""
        wanted = [key for key in dict.fromkeys(bc_ids) if key not in self.bc]
        if not wanted:
            return
        found = self.companies.contacts(self.rules.company_id, wanted)
        self.bc.update({key: Present(contact) for key, contact in found.items()})
        self.blocked |= {key for key, contact in found.items() if contact.privacy_blocked}
        self._ask_bc([key for key in wanted if key not in found])

    def _ask_bc(self, bc_ids: Sequence[str]) -> None:
        """Contacts that the snapshot lacks: deleted, or created by a run that could not tell the feed (R25, R30)."""
        if not bc_ids:
            return
        answers = self.company.read(bc_ids)
        for key, contact in answers.items():
            self.bc[key] = ABSENT if contact is None else Present(if_blocked(contact))
        self.blocked |= {key for key, contact in answers.items() if contact is not None and contact.privacy_blocked}
        self.unanswered.update({key: "bc" for key in bc_ids if key not in answers})

    # ------------------------------------------------------------ retries, pairs, newcomers

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
        self._snapshot(bc_ids)
        concerned = [link.outlook_id for link in self.links.values() if link.bc_id in self.retries]
        self._read_again([key for key in (*outlook_ids, *concerned) if key not in self.shown])

    def _asked_for(self, retry: Retry) -> bool:
        return self.extent.requested and not is_undecided(retry.code, retry.side)

    def _complete_pairs(self) -> None:
        """Each pair with one reading gets the other, where the plan can come to a write."""
        self._copies()
        self._stamped()
        self._snapshot([link.bc_id for link in self.links.values() if link.outlook_id in self.shown])
        needed = [
            link.outlook_id
            for link in self.links.values()
            if link.outlook_id not in self.shown and _may_write(link, self.bc.get(link.bc_id), self.rules)
        ]
        self._read_again(needed)

    def _copies(self) -> None:
        """Copies of a linked contact that is gone, and those kept of an earlier link: the oldest is to take its place,
        so that none is made beside it (R9). Copies of one that goes because of its BC contact go with it (R14)."""
        gone = {link.bc_id for link in self.links.values() if isinstance(self.shown.get(link.outlook_id), Absent)}
        leaving = {key for key, link in self.links.items() if _goes(link, self.bc.get(key), self.rules)}
        if not gone | leaving or self.extent.outlook_full:
            return
        found = self.state.parked_by_keys(sorted(gone | leaving))
        of = {"copy": gone | leaving, "kept": gone}
        copies = {key: each for key, each in found.items() if each.bc_id in of.get(each.reason, ())}
        self.parked.update(copies)
        self._read_again([key for key in copies if key not in self.shown])

    def _stamped(self) -> None:
        """Unlinked contacts that carry our stamp: their BC contact, and the link that it may have (R9)."""
        bc_ids = [
            contact.stamp.bc_id for contact in self._unlinked() if contact.stamp is not None and contact.stamp.bc_id
        ]
        if bc_ids:
            self.links.update(self.state.links_by_bc([key for key in bc_ids if key not in self.links]))
            self._snapshot(bc_ids)

    def _ask_bc_before_deciding(self) -> None:
        """Who is about to be created in Outlook, or created again, may have been blocked or deleted since the feed was
        read (R21, R22), and who is about to be removed may have come into scope, as of a new filter; a write to BC
        would notice, these would not."""
        gone = {link.bc_id for link in self.links.values() if isinstance(self.shown.get(link.outlook_id), Absent)}
        creating = [key for key, each in self.bc.items() if isinstance(each, Present) and key not in self.links]
        leaving = [
            key for key, link in self.links.items() if key not in gone and _leaves(link, self.bc.get(key), self.rules)
        ]
        asked = [*creating, *(key for key in gone if isinstance(self.bc.get(key), Present)), *leaving]
        self._ask_bc(asked)
        for key in asked:
            if key in self.unanswered:  # kept for retry (R31); until then nothing is decided about it
                del self.bc[key]
                self.shown.pop(self.links[key].outlook_id if key in self.links else "", None)

    def _complete_newcomers(self) -> None:
        """Parked Outlook contacts that a BC newcomer may be (R7), or was, whatever its address is now (R22)."""
        keys = [
            each
            for key, reading in self.bc.items()
            if key not in self.links and isinstance(reading, Present)
            for each in (key, emails.key_of(reading.contact.card.email))
        ]
        if not keys or self.extent.outlook_full:
            return
        found = self.state.parked_by_keys([key for key in keys if key])
        self.parked.update(found)
        self._read_again([key for key in found if key not in self.shown])

    def _look_for_our_own(self) -> None:
        """Where no record is left, contacts of ours may lie that neither the folder's list nor its feed shows: they are
        looked for by their stamps before others are made beside them (R9)."""
        if not self.chosen.forgotten:
            return
        shown = {
            each.contact.stamp.bc_id for each in self.shown.values() if isinstance(each, Shown) and each.contact.stamp
        }
        new = [
            key
            for key, each in self.bc.items()
            if isinstance(each, Present) and key not in self.links and key not in shown
        ]
        for copies in self.outlook.find_stamped(self.folder_id, new).values() if new else ():
            self.shown.update({each.id: Shown(each) for each in copies})

    def _unlinked(self) -> list[OutlookContact]:
        linked = {link.outlook_id for link in self.links.values()}
        return [
            reading.contact for key, reading in self.shown.items() if isinstance(reading, Shown) and key not in linked
        ]

    def _inputs(self) -> Inputs:
        unlinked = self._unlinked()
        keys = {key for contact in unlinked for key in emails.keys_of(contact.card.email)}
        company_id = self.rules.company_id
        persons = self._persons(sorted(keys)) if keys else {}
        person_ids = [each.id for group in persons.values() for each in group if each.id not in self.links]
        elsewhere = self.state.links_by_bc(person_ids) if person_ids and not self.extent.outlook_full else {}
        names = self._company_names()
        newcomers = bool(unlinked) or any(key not in self.links for key in self.bc)
        return Inputs(
            self.rules,
            self.extent.full_mode,
            self.links,
            self.bc,
            self.shown,
            self.parked,
            hidden=self.state.hidden() if newcomers else {},
            persons=persons,
            companies=self.companies.companies_named(company_id, names) if names else {},
            countries=countries_from(self.companies.countries(company_id)) if self.shown or self.bc else _NONE,
            linked_elsewhere=frozenset(elsewhere),
            folder_new=self.chosen.is_new or self.chosen.unread,
            now=self.now,
            swing_limits=self.swing_limits,
            erased=self.companies.erased(company_id) if self.feed.erased else NOBODY,
        )

    def _persons(self, keys: Sequence[str]) -> Mapping[str, tuple[BcContact, ...]]:
        """Who has these e-mail addresses (R7), by the snapshot; by BC itself where that may be too old to link by it,
        and where it cannot know, since the addresses of who is privacy blocked are not in it (R39)."""
        found = dict(self.companies.persons_with(self.rules.company_id, keys))
        if found and not self.extent.feed_is_fresh:
            found = self._still_theirs(found)
        unknown = [key for key in keys if key not in found] if self.feed.blocked and self._creates_in_bc else []
        for key, group in self.company.find_persons(unknown).items() if unknown else ():
            if blocked := tuple(if_blocked(each) for each in group if each.privacy_blocked):
                found[key] = blocked
        return found

    def _still_theirs(self, found: Mapping[str, tuple[BcContact, ...]]) -> dict[str, tuple[BcContact, ...]]:
        now = self.company.read(sorted({each.id for group in found.values() for each in group}))
        fresh: dict[str, tuple[BcContact, ...]] = {}
        for key, group in found.items():
            read = (now.get(each.id, each) for each in group)
            still = [each for each in read if each is not None and emails.key_of(each.text("email")) == key]
            fresh.update({key: tuple(still)} if still else {})
        return fresh

    @property
    def _creates_in_bc(self) -> bool:
        return self.rules.direction is Direction.BOTH and self.rules.limit_to is None

    def _company_names(self) -> list[str]:
        """Companies that Outlook contacts name and that may have to be looked up (R18)."""
        bases: Mapping[str, Link] = {link.outlook_id: link for link in self.links.values()}
        names: set[str] = set()
        for key, reading in self.shown.items():
            if isinstance(reading, Absent) or not reading.contact.card.company:
                continue
            link = bases.get(key)
            if link is None or link.left or link.base_outlook.company != reading.contact.card.company:
                names.add(matching_key(reading.contact.card.company))
        return sorted(names)


_NONE = countries_from({})


def _leaves(link: Link, reading: BcReading | None, rules: Rules) -> bool:
    return isinstance(reading, Present) and not belongs(reading.contact, rules, link.origin)


def _goes(link: Link, reading: BcReading | None, rules: Rules) -> bool:
    return isinstance(reading, Absent) or _leaves(link, reading, rules)


def _may_write(link: Link, reading: BcReading | None, rules: Rules) -> bool:
    match reading:
        case None:
            return False
        case Absent():
            return True
        case Present(contact):
            return contact.card != link.base_bc or not link.stamped or _leaves(link, reading, rules)
