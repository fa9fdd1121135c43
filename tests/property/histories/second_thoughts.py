"""What administrators do about runs that are over: approve what was held, undo what was done."""

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import rule

from shared.engine.approving import approve
from shared.engine.holds import COMPANY_KINDS
from shared.engine.model import Report, RunStatus, Undoes
from shared.engine.paused import resume
from shared.engine.undo_requests import request_undo
from shared.errors import RequestError
from shared.planning.journalled import Verb
from shared.planning.model import Link, Side
from tests.fakes.world import COMPANY
from tests.property.histories.runs import Runs
from tests.property.histories.stage import pick


class SecondThoughts(Runs):
    """Approvals (R26) and undo (R36)."""

    @rule(who=pick, kind=pick)
    def what_was_held_is_approved(self, who: int, kind: int) -> None:
        """The newest held run of a profile, one kind of it; an approval that comes too late is refused."""
        user = self.some_user(who)
        held = [each for each in self._reports(user) if each.status is RunStatus.HELD and each.held]
        if not held:
            return
        wanted = held[0].held[kind % len(held[0].held)]
        self.world.clock.advance(seconds=1)
        with self.world.faults.paused(), suppress(RequestError):
            approve(self.world.services, held[0].run_id, {wanted.kind: wanted.count}, "an admin")
            self.released |= set(self.seats) if wanted.kind in COMPANY_KINDS else {user}  # for all profiles (R26)
        self.play(self.world.mailbox_id(user))

    @rule(who=pick, which=st.integers(0, 5), contact=st.one_of(st.none(), pick), recreate=st.booleans())
    def a_run_is_undone(self, who: int, which: int, contact: int | None, recreate: bool) -> None:
        """One of the latest, or one contact of it."""
        user = self.some_user(who)
        reports = self._reports(user)
        if not reports:
            return
        run_id = reports[which % len(reports)].run_id
        journal = self.world.state.journal
        entries = [each for batch in journal.rows.values() if batch.run_id == run_id for each in batch.entries]
        if not entries:
            return
        one = entries[contact % len(entries)] if contact is not None else None
        chosen = (one.bc_id or one.outlook_id) if one is not None else ""
        self.world.clock.advance(seconds=1)
        with self.world.faults.paused(), suppress(RequestError):
            request_undo(self.world.services, Undoes(run_id, chosen, recreate), "an admin")
            for entry in entries:
                self.ledger.let_go(entry.after)  # a person took these values back
                self.causes.undone |= {entry.bc_id, entry.outlook_id} - {""}
                if recreate and entry.side is Side.BC and entry.verb is Verb.DELETED:
                    self.deleted_creations += 1
        self.play(self.world.mailbox_id(user))

    @rule(who=pick, contact=pick, times=st.integers(1, 5), in_bc=st.booleans())
    def an_add_in_insists(self, who: int, contact: int, times: int, in_bc: bool) -> None:
        """Whatever somebody types on one side, the add-in of the other sets it back after we wrote it (R38)."""
        user = self.some_user(who)
        links = list(self.rows(user).links.values())
        if not links:
            return
        link = links[contact % len(links)]
        for _ in range(times):
            if link.bc_id not in self.world.bc.rows or link.outlook_id not in self.box(user).entries:
                return
            typed = self.ledger.new(True)
            before = self.city(user, link, in_bc)
            self.ledger.let_go((self.city(user, link, not in_bc), before, typed))  # the add-in's word is the last
            self._put_city(user, link, not in_bc, typed)
            self.run(user)
            if self.city(user, link, in_bc) == typed:
                self._put_city(user, link, in_bc, before)
                self.run(user)

    @rule(who=pick, contact=pick)
    def a_paused_field_is_resumed(self, who: int, contact: int) -> None:
        """R38."""
        user = self.some_user(who)
        paused = [key for key, each in self.rows(user).links.items() if each.paused]
        if paused:
            profile = self.world.state.profiles.rows[COMPANY, user]
            with self.world.faults.paused(), suppress(RequestError):
                resume(self.world.services, profile, paused[contact % len(paused)], "an admin")
            self.play(self.world.mailbox_id(user))

    def city(self, user: str, link: Link, in_bc: bool) -> str:
        """What one side of a pair holds."""
        if in_bc:
            contact = self.world.bc.rows.get(link.bc_id)
            return contact.card.city if contact else ""
        entry = self.box(user).entries.get(link.outlook_id)
        return entry.contact.card.city if entry else ""

    def _put_city(self, user: str, link: Link, in_bc: bool, city: str) -> None:
        if in_bc and link.bc_id in self.world.bc.rows:
            self.world.bc.edit(link.bc_id, city=city)
            self.keep_books()
        elif not in_bc and link.outlook_id in self.box(user).entries:
            self.box(user).edit(link.outlook_id, city=city)

    def _reports(self, user: str) -> list[Report]:
        """The newest first."""
        rows = self.world.state.reports.rows
        return [rows[key] for key in sorted(rows) if rows[key].profile_id == user]
