"""Random histories of the whole engine on the in-memory world: edits on both sides, filter changes, deaths, repeats.

After two undisturbed rounds of runs four things must hold:

1. the next round writes nothing;
2. both sides hold the same, contact by contact, and every link points at two living contacts;
3. nobody exists twice on either side;
4. nothing that a person typed is gone, unless a person replaced or deleted it, or a note holds it.

`HISTORIES` in the environment sets how many histories are played (default 300; CI and the bench play more).
"""

import os
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.cards.emails import first_valid
from shared.cards.model import FIELDS, Field
from shared.cards.normalise import matching_key
from shared.cards.translate import countries_from, for_outlook
from shared.engine.fan_out import serve_company
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.limits import Limits
from shared.engine.model import Mode, Trigger
from shared.planning.guards import NO_LIMITS
from shared.planning.model import OnBcDelete, OnOutlookDelete, OnOutOfScope
from tests.fakes.business_central import COUNTRIES
from tests.fakes.faults import Died
from tests.fakes.world import COMPANY, World

HISTORIES = int(os.environ.get("HISTORIES", "300"))
USERS = ("ada", "bob")
FILTERS: tuple[dict[str, str], ...] = ({}, {"city": "Berlin"}, {"city": "<>Berlin"}, {"jobTitle": "A*"})
TEXT_FIELDS = {"job_title": "jobTitle", "city": "city", "website": "website", "address_1": "addressLine1"}
NUMBER_FIELDS = {"mobile": "mobilePhoneNumber", "phone": "phoneNumber"}
ALL_FIELDS = {**TEXT_FIELDS, **NUMBER_FIELDS}
pick = st.integers(min_value=0, max_value=10_000)


@dataclass
class Typed:
    """Something a person typed, recognisable wherever it turns up."""

    token: str
    let_go: bool = False  #: a person replaced or deleted it


@dataclass
class Ledger:
    """What people typed."""

    typed: list[Typed] = field(default_factory=list)

    def new(self, text: bool) -> str:
        """A value that nobody typed before."""
        number = len(self.typed) + 1
        token = f"A{number:05d}" if text else f"{number:09d}"
        self.typed.append(Typed(token))
        return token

    def let_go(self, values: object) -> None:
        """A person saw these values and replaced or deleted them."""
        text = str(values)
        for each in self.typed:
            if each.token in text:
                each.let_go = True


class Histories(RuleBasedStateMachine):
    """People and runs, in any order."""

    @initialize(
        on_bc_delete=st.sampled_from(OnBcDelete),
        on_out_of_scope=st.sampled_from(OnOutOfScope),
        on_outlook_delete=st.sampled_from(OnOutlookDelete),
    )
    def start(self, **policies: object) -> None:
        """Two users with the same policies."""
        self.world = World.new(Limits(safety=NO_LIMITS, retry_first=1.0))
        for user in USERS:
            self.world.profile(user, policies=policies)
        self.ledger = Ledger()
        self.added: set[str] = set()
        self.entered: set[str] = set()  #: BC ids of those who were entered there by people
        self.deleted_creations = 0  #: of those who were not
        self.copies: set[str] = set()
        self.kept: set[str] = set()  #: Outlook ids that were kept at some time (R21, R22)
        self.filters = dict.fromkeys(USERS, FILTERS[0])
        self.company_number = ""
        key = self.world.bc.put(type="Company", displayName="Acme", phoneNumber="555", city="Berlin")
        self.company_number = self.world.bc.rows[key].number

    # ------------------------------------------------------------ BC users

    @rule(email=pick, name=pick)
    def somebody_new_in_bc(self, email: int, name: int) -> None:
        """A person from a small circle of addresses and names."""
        key = self.world.bc.put(
            displayName=f"Person {name % 4}", email=f"p{email % 6}@x.example", mobilePhoneNumber=self.ledger.new(False)
        )
        self.entered.add(key)

    @rule(who=pick, which=st.sampled_from(sorted(ALL_FIELDS)), blank=st.booleans())
    def an_edit_in_bc(self, who: int, which: str, blank: bool) -> None:
        """One field of one person."""
        key = self._bc(who)
        if key is None:
            return
        name = ALL_FIELDS[which]
        self.ledger.let_go(self.world.bc.rows[key].values.get(name, ""))
        self.world.bc.edit(key, **{name: "" if blank else self.ledger.new(which in TEXT_FIELDS)})

    @rule(who=pick, city=st.sampled_from(["Berlin", "Paris"]))
    def a_move_across_the_filter(self, who: int, city: str) -> None:
        """BC decides who is in scope."""
        key = self._bc(who)
        if key is not None:
            self.ledger.let_go(self.world.bc.rows[key].values.get("city", ""))
            self.world.bc.edit(key, city=city)

    @rule(who=pick, name=pick)
    def a_new_name_in_bc(self, who: int, name: int) -> None:
        """Three words, so that the parts matter."""
        key = self._bc(who)
        if key is not None:
            self.ledger.let_go(self.world.bc.rows[key].card.name)
            self.world.bc.edit(key, displayName=f"Person {self.ledger.new(True)} Name")

    @rule(who=pick, email=pick)
    def another_address_in_bc(self, who: int, email: int) -> None:
        """Sometimes none at all."""
        key = self._bc(who)
        if key is not None:
            self.world.bc.edit(key, email="" if email % 5 == 0 else f"p{email % 6}@x.example")

    @rule(who=pick)
    def a_deletion_in_bc(self, who: int) -> None:
        """Gone for all."""
        key = self._bc(who)
        if key is not None:
            self.ledger.let_go(self.world.bc.rows[key].values)
            self.deleted_creations += key not in self.entered
            self.world.bc.delete(key)

    # ------------------------------------------------------------ Outlook users

    @rule(user=st.sampled_from(USERS), email=pick, name=pick, complete=st.integers(0, 5), company=st.booleans())
    def somebody_new_in_outlook(self, user: str, email: int, name: int, complete: int, company: bool) -> None:
        """Perhaps known in BC, perhaps not, perhaps without an address."""
        folder = self.world.folder(user)
        if folder:
            key = self.world.mailbox(user).add(
                folder,
                name=f"Person {name % 4}",
                email=f"p{email % 6}@x.example" if complete else "",
                job_title=self.ledger.new(True),
                company="acme" if company else "",
            )
            self.added.add(key)

    @rule(user=st.sampled_from(USERS), who=pick, which=st.sampled_from(sorted(ALL_FIELDS)), blank=st.booleans())
    def an_edit_in_outlook(self, user: str, who: int, which: str, blank: bool) -> None:
        """One field of one contact."""
        key = self._outlook(user, who)
        if key is None:
            return
        box = self.world.mailbox(user)
        self.ledger.let_go(getattr(box.entries[key].contact.card, which))
        box.edit(key, **{which: "" if blank else self.ledger.new(which in TEXT_FIELDS)})

    @rule(user=st.sampled_from(USERS), who=pick)
    def a_new_given_name_in_outlook(self, user: str, who: int) -> None:
        """The service makes the display name anew and drops the middle name."""
        key = self._outlook(user, who)
        if key is not None:
            box = self.world.mailbox(user)
            self.ledger.let_go(box.entries[key].contact.card.given_name)
            box.edit(key, given_name=self.ledger.new(True))

    @rule(user=st.sampled_from(USERS), who=pick, value=st.sampled_from(["too long " * 20, "x" * 31]))
    def something_that_bc_cannot_hold(self, user: str, who: int, value: str) -> None:
        """It stays in Outlook."""
        key = self._outlook(user, who)
        if key is not None:
            box = self.world.mailbox(user)
            self.ledger.let_go(box.entries[key].contact.card.job_title)
            box.edit(key, job_title=value + self.ledger.new(True))

    @rule(user=st.sampled_from(USERS), who=pick)
    def a_deletion_in_outlook(self, user: str, who: int) -> None:
        """By the profile's policy."""
        key = self._outlook(user, who)
        if key is not None:
            box = self.world.mailbox(user)
            self.ledger.let_go(box.entries[key].contact)
            box.delete(key)

    @rule(user=st.sampled_from(USERS), who=pick)
    def a_copy_in_outlook(self, user: str, who: int) -> None:
        """The copy carries the same stamp."""
        key = self._outlook(user, who)
        if key is not None and self.world.mailbox(user).entries[key].stamp is not None:
            self.copies.add(self.world.mailbox(user).copy(key))

    @rule(user=st.sampled_from(USERS), which=st.sampled_from(FILTERS))
    def another_filter(self, user: str, which: dict[str, str]) -> None:
        """The profile's filter changes."""
        self.filters[user] = which
        self.world.profile(user, filter=which)

    @rule(user=st.sampled_from(USERS))
    def positions_expire(self, user: str) -> None:
        """The service forgets where we were (R33)."""
        self.world.mailbox(user).forget_positions()

    # ------------------------------------------------------------ runs

    @rule(
        user=st.sampled_from(USERS), mode=st.sampled_from(Mode), trigger=st.sampled_from([Trigger.HTTP, Trigger.TIMER])
    )
    def a_run(self, user: str, mode: Mode, trigger: Trigger) -> None:
        """Nobody disturbs it."""
        self.world.request(user, mode, trigger)
        self.world.work(user)

    @rule(user=st.sampled_from(USERS), mode=st.sampled_from(Mode), at=st.integers(1, 60), after=st.booleans())
    def a_run_that_dies(self, user: str, mode: Mode, at: int, after: bool) -> None:
        """The process dies at any call, before or after its effect."""
        self.world.request(user, mode)
        self.world.faults.die(at, after=after)
        with suppress(Died):
            self.world.work(user)
        self.world.faults.restart()
        self.world.clock.advance(seconds=61)

    @rule(user=st.sampled_from(USERS))
    def outlook_announces_a_change(self, user: str) -> None:
        """Or announces nothing new: a notification is only a reason to look (R14)."""
        self.world.request(user, trigger=Trigger.GRAPH, fresh_feed=False)
        self.world.work(user)

    @rule(reason=st.sampled_from([Reason.BC, Reason.NEWS]))
    def bc_announces_a_change(self, reason: Reason) -> None:
        """Those whom it concerns are run, without their folders being read."""
        self.world.clock.advance(seconds=1)
        serve_company(self.world.services, CompanyJob(COMPANY, reason, self.world.clock()))
        for user in USERS:
            self.world.work(user)

    @rule(user=st.sampled_from(USERS), at=st.integers(1, 40), after=st.booleans(), bc=st.booleans())
    def a_run_for_news_that_dies(self, user: str, at: int, after: bool, bc: bool) -> None:
        """The process dies at any call of a run that reads one side only."""
        if bc:
            self.world.clock.advance(seconds=1)
            serve_company(self.world.services, CompanyJob(COMPANY, Reason.BC, self.world.clock()))
        else:
            self.world.request(user, trigger=Trigger.GRAPH, fresh_feed=False)
        self.world.faults.die(at, after=after)
        with suppress(Died):
            self.world.work(user)
        self.world.faults.restart()
        self.world.clock.advance(seconds=61)

    @rule(minutes=st.integers(1, 60))
    def time_passes(self, minutes: int) -> None:
        """Retries become due, overlaps end."""
        self.world.clock.advance(minutes=minutes)

    # ------------------------------------------------------------ what must hold

    @precondition(lambda self: hasattr(self, "world"))
    @invariant()
    def nobody_is_created_twice(self) -> None:
        """R9, at every moment."""
        creations = sum(each == "create" for each in self.world.bc.writes)
        # one that was created by a run that died, and deleted before the next, looks as if it had never been created
        allowed = len(self.added) + self.deleted_creations
        assert creations <= allowed, "more persons were created in BC than users created in Outlook"
        for user in USERS:
            stand_ins: dict[str, set[str]] = defaultdict(set)
            for key, entry in self.world.mailbox(user).entries.items():
                if entry.stamp is not None and key not in self.copies:
                    stand_ins[entry.stamp.bc_id].add(key)
            parked = self.world.state.mailboxes.of(user, COMPANY, user).parked.values()
            self.kept |= {each.outlook_id for each in parked if each.reason == "kept"}
            for bc_id, contacts in stand_ins.items():
                made_anew = contacts - self.kept  # by the user, beside one that was kept (R7, R22)
                number = len(made_anew if made_anew <= self.added else contacts)
                assert number <= 1, f"{number} contacts of {user} stand for {bc_id}"

    def teardown(self) -> None:
        """Two undisturbed rounds, then look."""
        if not hasattr(self, "world"):
            return
        for _ in range(2):
            self._round()
        written = self.world.written()
        self._round()
        assert self.world.written() == written, "a run after undisturbed runs wrote something"
        for user in USERS:
            self._both_sides_agree(user)
        self._nothing_is_lost()

    def _round(self) -> None:
        for user in USERS:
            report = self.world.sync(user)
            assert report.status in ("succeeded", "succeeded with notes"), (report.status, report.error)

    def _both_sides_agree(self, user: str) -> None:
        world, countries = self.world, countries_from(COUNTRIES)
        rows = world.state.mailboxes.of(user, COMPANY, user)
        folder = world.mailbox(user).in_folder(world.folder(user))
        for link in rows.links.values():
            assert link.bc_id in world.bc.rows, "a link points at a contact that is gone from BC"
            assert link.outlook_id in folder, "a link points at a contact that is gone from the folder"
            bc, outlook = world.bc.rows[link.bc_id].card, folder[link.outlook_id].card
            for which in FIELDS:
                if which in link.left:
                    continue
                wanted, seen = for_outlook(which, bc.get(which), countries), outlook.get(which)
                same = matching_key(wanted) == matching_key(seen) if which is Field.COMPANY else wanted == seen
                assert same, (which, wanted, seen)
        for key, contact in world.bc.rows.items():
            if self._in_scope(contact.values, user) and key not in rows.hidden:
                assert key in rows.links, f"a contact in scope is not in the folder of {user}"

    def _in_scope(self, values: dict[str, str], user: str) -> bool:
        if values["type"] != "Person" or not first_valid(str(values.get("email", ""))):
            return False
        city, job = values.get("city", ""), values.get("jobTitle", "")
        wanted = self.filters[user]
        if wanted.get("city") == "Berlin":
            return city == "Berlin"
        if wanted.get("city") == "<>Berlin":
            return city != "Berlin"
        return not wanted.get("jobTitle") or job.startswith("A")

    def _nothing_is_lost(self) -> None:
        world = self.world
        somewhere = [str(each.values) for each in world.bc.rows.values()]
        somewhere += [str(entry.contact) for user in USERS for entry in world.mailbox(user).entries.values()]
        somewhere += [str(report.notes) for report in world.state.reports.rows.values()]
        text = "\n".join(somewhere)
        lost = [each.token for each in self.ledger.typed if not each.let_go and each.token not in text]
        assert not lost, f"typed and gone without a note: {lost}"

    # ------------------------------------------------------------ who is meant

    def _bc(self, who: int) -> str | None:
        persons = [key for key, each in self.world.bc.rows.items() if each.is_person]
        return persons[who % len(persons)] if persons else None

    def _outlook(self, user: str, who: int) -> str | None:
        keys = list(self.world.mailbox(user).in_folder(self.world.folder(user)))
        return keys[who % len(keys)] if keys else None


Histories.TestCase.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    print_blob=True,
)
TestHistories = pytest.mark.slow(Histories.TestCase)
