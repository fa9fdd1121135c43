"""What seldom happens and must go well all the same: pauses (R40), restored companies (R33), erasures (R39)."""

import re
from collections.abc import Iterator
from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from shared.cards.emails import keys_of
from shared.cards.model import Card
from shared.cards.normalise import email_key
from shared.engine.approving import approve
from shared.engine.callers import Caller
from shared.engine.company_holds import RESTORED
from shared.engine.erasing import erase
from shared.engine.pauses import Pause
from shared.engine.pausing import resume
from shared.errors import SyncError
from shared.pace import Pace
from shared.planning.journalled import Entry, card_of
from tests.fakes.faults import Died
from tests.fakes.world import COMPANY
from tests.property.histories.faults import MOMENTS
from tests.property.histories.second_thoughts import SecondThoughts
from tests.property.histories.stage import pick

SCOPES = ("everything", "company", "profile")


class Emergencies(SecondThoughts):
    """Administrators of the sync and of BC's environment."""

    # ------------------------------------------------------------ pause and resume

    @rule(who=pick, scope=st.sampled_from(SCOPES), when=st.one_of(st.none(), st.sampled_from(MOMENTS)))
    def something_is_paused(self, who: int, scope: str, when: str | None) -> None:
        """At once, or while a run is under way: it stops at its next batch."""
        pause = self._pause(who, scope)
        if when is not None:
            self.world.faults.before(when, lambda: self.world.state.pauses.save(pause))
            return
        with self.world.faults.paused():
            self.world.state.pauses.save(pause)

    @rule(who=pick, scope=st.sampled_from(SCOPES))
    def something_is_resumed(self, who: int, scope: str) -> None:
        """What waited goes on, if nothing wider is paused."""
        self._resume(self._pause(who, scope))

    def everything_is_resumed(self) -> None:
        """Nothing is paused any more."""
        for pause in list(self.world.state.pauses.rows.values()):
            self._resume(pause)

    def _pause(self, who: int, scope: str) -> Pause:
        company, user = COMPANY if scope != "everything" else "", self.some_user(who) if scope == "profile" else ""
        return Pause(company, user, "an admin", since=self.world.clock())

    def _resume(self, pause: Pause) -> None:
        with self.world.faults.paused():
            if self.world.state.pauses.remove(pause.company_id, pause.profile_id):
                resume(self.world.services, "", pause.company_id, Caller("an admin"), Pace(1e12))
        for mailbox in self.mailboxes():
            self.play(mailbox)

    # ------------------------------------------------------------ a restored company

    @rule()
    def a_backup(self) -> None:
        """Of the company, as it is now."""
        self.backups.append(dict(self.world.bc.rows))

    @rule(which=pick)
    def the_company_is_restored(self, which: int) -> None:
        """As of a backup: what came since is gone, who was deleted lives again (R33)."""
        if not self.backups:
            return
        before, self.world.bc.rows = self.world.bc.rows, dict(self.backups[which % len(self.backups)])
        after = self.world.bc.rows
        self.ledger.let_go([each.values for key, each in before.items() if after.get(key) != each])
        self.deleted_creations += sum(key not in self.entered for key in before.keys() - after.keys())
        self.keep_books()

    def a_person_decides(self) -> None:
        """Somebody looks at a company that went back in time, and approves it."""
        user = next(iter(self.seats))
        report = self.run(user)
        held = [each for each in report.held if each.kind == RESTORED] if report is not None else []
        if report is None or not held:
            return
        with self.world.faults.paused():
            approve(self.world.services, report.run_id, {RESTORED: held[0].count}, "an admin")
        self.released |= set(self.seats)
        self.play(self.world.mailbox_id(user))

    # ------------------------------------------------------------ erasures

    @rule(who=pick, linked=st.booleans(), cut=st.one_of(st.none(), st.integers(1, 8)))
    def somebody_is_erased(self, who: int, linked: bool, cut: int | None) -> None:
        """Out of every folder for good, and out of all that is stored; whoever is interrupted asks again (R39)."""
        ids = sorted({key for user in self.seats for key in self.rows(user).links} if linked else self.addresses)
        if not ids:
            return
        key = ids[who % len(ids)]
        self._remember(key)
        if cut is not None and not self.world.faults.are_planned:
            self.world.faults.die(cut, call="companies.")
            with suppress(SyncError, Died):
                self._erase(key)
            self.world.faults.restart()
            self.world.state.stop_renewing()
            self.world.clock.advance(seconds=61)
        with self.world.faults.paused():
            self._erase(key)
        for mailbox in self.mailboxes():
            self.play(mailbox)

    def _erase(self, key: str) -> None:
        self.world.clock.advance(seconds=1)
        erase(self.world.services, COMPANY, key, "an admin", Pace(self.world.clock.monotonic() + 100))

    def _remember(self, key: str) -> None:
        """What is known of somebody who is about to be erased: ids, addresses, and what people typed."""
        theirs, about = {key}, list[Card]()
        if key in self.world.bc.rows:
            about.append(self.world.bc.rows[key].card)
        in_bc = len(about)  # what follows is what the sync knows
        for user in self.seats:
            if link := self.rows(user).links.get(key):
                theirs.add(link.outlook_id)
                about += [link.base_bc, link.base_outlook]
        for entry in self._journal():
            if entry.bc_id == key:
                theirs |= {entry.outlook_id} - {""}
                about += [card_of(entry.before), card_of(entry.after)]
        snapshot = self.world.state.companies.of(COMPANY).contacts
        known = [snapshot[key].card] if key in snapshot else []
        addresses = self.addresses[key] | {one for each in about for one in keys_of(each.email)}
        others = [each for each in (*self.world.bc.rows.values(), *snapshot.values()) if each.id != key]
        known_addresses = {one for each in (*about[in_bc:], *known) for one in keys_of(each.email)}
        self.unmistakable |= known_addresses - {one for each in others for one in keys_of(each.text("email"))}
        self.causes.erased |= theirs
        self.causes.erased_addresses |= addresses
        contacts = [each for box in self.world.directory.mailboxes.values() for each in box.entries.values()]
        of_others = [each.contact for each in contacts if each.contact.id not in theirs]
        reports = self.world.state.reports.rows.values()
        notes = [note for each in reports for note in each.notes if {note.bc_id, note.outlook_id} & theirs]
        self.must_go |= self.ledger.tokens_in(*about, *(each for each in notes if each.bc_id == key)) - (
            self.ledger.tokens_in(*of_others, *(each.values for each in others))
        )
        self.ledger.let_go([*about, *(each.contact for each in contacts if each.contact.id in theirs), *notes])

    def _journal(self) -> Iterator[Entry]:
        for batch in self.world.state.journal.rows.values():
            yield from batch.entries

    # ------------------------------------------------------------ what must hold of the erased

    @precondition(lambda self: hasattr(self, "world"))
    @invariant()
    def nobody_lets_the_erased_in(self) -> None:
        """R39: the sync creates nobody in BC with an address that only an erased person had."""
        new = self.world.bc.rows.keys() - self.known_in_bc
        self.known_in_bc |= new
        for key in new - self.entered:
            contact = self.world.bc.rows[key]
            assert email_key(contact.card.email.split(";")[0]) not in self.unmistakable, f"{key} was let in again"

    def is_erased(self, key: str) -> bool:
        """Whether the person is not to come back: erased, or made anew with an address that an erased one had."""
        erased = key in self.world.state.companies.erased(COMPANY)
        assert not erased or key in self.causes.erased or self.addresses[key] & self.causes.erased_addresses, (
            f"{key} counts as erased without a cause"
        )
        return erased

    def nothing_of_the_gone_is_left(self) -> None:
        """R39: in no folder, and in nothing that is stored; nor of the values of who is privacy blocked."""
        erased = self.causes.erased
        for user in self.seats:
            rows, folder = self.rows(user), self.world.folder(user)
            assert not erased & {*rows.links, *rows.hidden, *(each.bc_id for each in rows.parked.values())}
            assert not erased & {key for _, key in rows.retries}
            for key in self.box(user).in_folder(folder):
                stamp = self.stamp_of(user, key)
                private = self.box(user).entries[key].private  # R2: never touched
                assert private or stamp is None or stamp.bc_id not in erased, f"{key} of {user} is still there"
        text, rows = self._stored(), self.world.bc.rows.items()
        gone = {key for key, each in rows if key in erased or each.privacy_blocked}
        living = [each.values for key, each in rows if key in gone]
        others = [each.values for key, each in rows if key not in gone]
        boxes = [each.contact for box in self.world.directory.mailboxes.values() for each in box.entries.values()]
        left = self.must_go | (self.ledger.tokens_in(*living) - self.ledger.tokens_in(*others, *boxes))
        found = [each for each in sorted(left) if re.search(rf"(?<!\w){each}(?!\w)", text)]  # ids hold digits, too
        assert not found, f"values of somebody who is erased or blocked are still stored: {found}"

    def _stored(self) -> str:
        state = self.world.state
        of_companies = [[each.contacts, each.log, each.claims] for each in state.companies.rows.values()]
        of_mailboxes = [*state.mailboxes.rows.values(), *state.mailboxes.lines.values()]
        rest = [state.reports.rows, state.journal.rows, state.messages.sent, state.marks.rows]
        return repr([of_companies, of_mailboxes, rest])
