"""The world of a history: who takes part, who is meant, what is in scope, and the books that are kept about it."""

from collections import defaultdict
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from shared.cards.emails import first_valid, key_of, keys_of
from shared.cards.model import BcContact, Stamp
from shared.engine.limits import Limits
from shared.planning.guards import NO_LIMITS, SafetyLimits
from shared.planning.model import Direction, OnBcDelete, OnOutlookDelete, OnOutOfScope
from tests.fakes.mailboxes import _ProfileRows as ProfileRows
from tests.fakes.outlook import MemoryMailbox
from tests.fakes.world import COMPANY, World
from tests.property.histories.ledger import BLOCKED, FILTER, NO_EMAIL, NO_PERSON, Causes, Ledger

FILTERS: tuple[dict[str, str], ...] = ({}, {"city": "Berlin"}, {"city": "<>Berlin"}, {"jobTitle": "A*"})
TEXT_FIELDS = {"job_title": "jobTitle", "city": "city", "website": "website", "address_1": "addressLine1"}
NUMBER_FIELDS = {"mobile": "mobilePhoneNumber", "phone": "phoneNumber"}
ALL_FIELDS = {**TEXT_FIELDS, **NUMBER_FIELDS}
SMALL_LIMITS = SafetyLimits(
    removals_count=1, removals_share=0.2, removals_most=3, feed_count=1, feed_share=0.2, bc_creations=1, strangers=1
)
POLICIES = {
    "on_bc_delete": st.sampled_from(OnBcDelete),
    "on_out_of_scope": st.sampled_from(OnOutOfScope),
    "on_outlook_delete": st.sampled_from(OnOutlookDelete),
}
pick = st.integers(min_value=0, max_value=10_000)


@dataclass(frozen=True)
class Seat:
    """A profile that may take part."""

    user: str
    mailbox: str
    folder: str = "Business Central"
    main: bool = False


ADA, BOB = Seat("ada", "ada"), Seat("bob", "bob")
SECOND, MAIN_FOLDER = Seat("dan", "ada", folder="Second"), Seat("eve", "eve", main=True)


class Stage(RuleBasedStateMachine):
    """Everything that the rules and the checks share."""

    @initialize(
        **POLICIES,
        third=st.sampled_from((None, None, SECOND, MAIN_FOLDER)),
        held=st.sampled_from((False, False, False, True)),
        persons=st.integers(0, 4),
        synced=st.booleans(),
    )
    def start(self, third: Seat | None, held: bool, persons: int, synced: bool, **policies: object) -> None:
        """Two users with the same policies, often a third profile; sometimes the safety stop has small limits.
        Mostly somebody is there already, so that what happens has something to happen to."""
        self.limits = SMALL_LIMITS if held else NO_LIMITS
        self.world = World.new(Limits(safety=self.limits, retry_first=1.0, feed_singly_most=1))
        self.seats = {each.user: each for each in (ADA, BOB, third) if each is not None}
        for each in self.seats.values():
            self.world.profile(
                each.user, mailbox_id=each.mailbox, folder_name=each.folder, main_folder=each.main, policies=policies
            )
        self.ledger, self.causes = Ledger(), Causes()
        self.added: set[str] = set()  #: Outlook ids of those whom people entered there
        self.entered: set[str] = set()  #: BC ids of those who were entered there by people
        self.deleted_creations = 0  #: of those who were not
        self.copies: set[str] = set()
        self.kept: set[str] = set()  #: Outlook ids that were kept at some time (R2, R21, R22)
        self.marked: set[str] = set()  #: Outlook ids that were marked private at some time (R2)
        self.reset_state = False  #: whether the state of a profile was lost at some time
        self.seen_removals = dict.fromkeys([each.mailbox for each in self.seats.values()], 0)
        self.seen_in_bc = 0
        self.one_way: set[str] = set()  #: users whose changes did not travel to BC at some time (R37)
        self.released: set[str] = set()  #: users of whom a person let held removals go, until a run has done it
        self.asked: set[str] = set()  #: ids of requested runs
        self.addresses: dict[str, set[str]] = defaultdict(set)  #: BC id -> e-mail keys that it ever had
        self.must_go: set[str] = set()  #: what people typed about the erased (R39)
        self.unmistakable: set[str] = set()  #: e-mail keys that only erased persons had
        self.known_in_bc: set[str] = set()  #: BC ids that were looked at
        self.backups: list[dict[str, BcContact]] = []  #: of the company, oldest first
        self.owners: dict[str, str] = {}  #: whose the folders are that profiles ever had
        self.company_number = ""
        key = self.world.bc.put(type="Company", displayName="Acme", phoneNumber="555", city="Berlin")
        self.company_number = self.world.bc.rows[key].number
        for number in range(persons):
            values = {"displayName": f"Person {number}", "email": f"p{number}@x.example"}
            self.entered.add(self.world.bc.put(**values, mobilePhoneNumber=self.ledger.new(False)))
        for user in self.seats if synced else ():
            self.world.sync(user)
        self.keep_books()

    # ------------------------------------------------------------ who is meant

    def set_up(self, user: str, **changes: object) -> None:
        """An admin changes a profile."""
        with self.world.faults.paused():
            self.world.profile(user, **changes)
        self.keep_books()

    def some_user(self, who: int) -> str:
        """One of those who take part."""
        users = list(self.seats)
        return users[who % len(users)]

    def some_person(self, who: int) -> str | None:
        """BC id of a person."""
        persons = [key for key, each in self.world.bc.rows.items() if each.is_person]
        return persons[who % len(persons)] if persons else None

    def some_contact(self, user: str, who: int) -> str | None:
        """Outlook id of a contact in the user's folder; the main folder holds contacts of others, too."""
        keys = list(self.world.mailbox(user).in_folder(self.world.folder(user)))
        return keys[who % len(keys)] if keys else None

    def address(self, user: str, email: int) -> str:
        """The e-mail address of somebody new for a user, or in BC (blank): one of a few, so that people meet."""
        return f"p{email % 6}@x.example"

    def changed_address(self, email: int) -> str:
        """What an e-mail address becomes."""
        return self.address("", email)

    def box(self, user: str) -> MemoryMailbox:
        """The mailbox of the user's profile."""
        return self.world.mailbox(user)

    def rows(self, user: str) -> ProfileRows:
        """What is stored of the user's profile."""
        return self.world.state.mailboxes.of(self.world.mailbox_id(user), COMPANY, user)

    # ------------------------------------------------------------ what is in scope

    def why_out(self, user: str, key: str) -> str:
        """Why a BC contact is out of the user's scope by what BC holds now (R1); blank: it is in scope."""
        contact = self.world.bc.rows[key]
        if contact.values.get("privacyBlocked") is True:
            return BLOCKED
        if contact.values["type"] != "Person":
            return NO_PERSON
        if not first_valid(str(contact.values.get("email", ""))):
            return NO_EMAIL
        city, job = str(contact.values.get("city", "")), str(contact.values.get("jobTitle", ""))
        wanted = self.world.state.profiles.rows[COMPANY, user].filter
        inside = {"Berlin": city == "Berlin", "<>Berlin": city != "Berlin"}.get(wanted.get("city", ""), True)
        return "" if inside and job.startswith(wanted.get("jobTitle", "").rstrip("*")) else FILTER

    def keep_books(self) -> None:
        """After each act of a person and each run: who is out of whose scope, and who is gone."""
        there = self.world.bc.rows
        self._look_at_creations()
        if blocked := {key for key, each in there.items() if each.privacy_blocked}:
            self._let_go_of(blocked)
        for key, each in there.items():
            self.addresses[key] |= set(keys_of(each.text("email")))
        for user in self.seats:
            for key in there:
                if why := self.why_out(user, key):
                    self.causes.left[user, key].add(why)
            self.kept |= {each.outlook_id for each in self.rows(user).parked.values() if each.reason == "kept"}
            if folder := self.world.folder(user):
                self.owners[folder] = user

    def _let_go_of(self, blocked: set[str]) -> None:
        """R39: what stands in notes about them goes with the run that removes them."""
        theirs = set(blocked)
        for user in self.seats:
            theirs |= {link.outlook_id for key, link in self.rows(user).links.items() if key in blocked}
        for batch in self.world.state.journal.rows.values():
            theirs |= {each.outlook_id for each in batch.entries if each.bc_id in blocked} - {""}
        reports = self.world.state.reports.rows.values()
        self.ledger.let_go([note for each in reports for note in each.notes if {note.bc_id, note.outlook_id} & theirs])

    def _look_at_creations(self) -> None:
        """R7: whom the sync has created since the last look has an address that no other person had then."""
        there = self.world.bc.rows
        for key in there.keys() - self.addresses.keys() - self.entered:
            address = key_of(there[key].text("email"))
            others = [each for each in self.addresses if each in there and there[each].is_person]
            twins = [each for each in others if key_of(there[each].text("email")) == address in self.addresses[each]]
            assert not there[key].is_person or not twins, f"{key} was created beside {twins}"

    def stamp_of(self, user: str, key: str) -> Stamp | None:
        """What an Outlook contact carries."""
        return self.box(user).entries[key].stamp

    def direction(self, user: str) -> Direction:
        """Which way the user's changes travel (R37)."""
        return self.world.state.profiles.rows[COMPANY, user].direction
