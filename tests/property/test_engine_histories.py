"""Random histories of the whole engine on the in-memory world: edits on both sides, changed profiles, faults, deaths.

At every moment: nobody is created twice, and every removal has a cause. After two undisturbed rounds of runs:

1. the next round writes nothing, nor does any after a full one and what follows from it;
2. both sides hold the same, contact by contact, and every link points at two living contacts;
3. nothing that a person typed is gone, unless a person replaced or deleted it, or a note holds it;
4. of the erased nothing is left anywhere, of the privacy blocked no value is stored, and every request for a run came
   to its end.

While something is paused, neither service hears of us; a company that went back in time is not written to before a
person approves.

`HISTORIES` in the environment sets how many histories are played, others each time; without it the same 300.
"""

import os
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant, precondition

from shared.cards.model import FIELDS, Field
from shared.cards.normalise import email_key, matching_key
from shared.cards.translate import Refusal, countries_from, for_bc, for_outlook
from shared.engine.model import Mode
from shared.planning.model import Link, NoteKind
from tests.fakes.business_central import COUNTRIES
from tests.fakes.world import COMPANY
from tests.property.histories.emergencies import Emergencies

HISTORIES = int(os.environ.get("HISTORIES", "300"))


class Histories(Emergencies):
    """People, runs and faults, in any order."""

    @precondition(lambda self: hasattr(self, "world"))
    @invariant()
    def nobody_is_created_twice(self) -> None:
        """R9, at every moment."""
        creations = sum(each == "create" for each in self.world.bc.writes)
        # one that was created by a run that died, and deleted before the next, looks as if it had never been created
        allowed = len(self.added) + self.deleted_creations
        assert creations <= allowed, "more persons were created in BC than users created in Outlook"
        for user in self.seats:
            stand_ins: dict[str, set[str]] = defaultdict(set)
            for key in self.box(user).in_folder(self.world.folder(user)):
                stamp = self.stamp_of(user, key)
                # beside one that is, or was, marked private stands one of the sync's own (R2)
                if stamp is not None and key not in self.copies | self.marked:
                    stand_ins[stamp.bc_id].add(key)
            for bc_id, contacts in stand_ins.items():
                made_anew = contacts - self.kept  # by the user, beside one that was kept or marked private (R7, R22)
                number = len(made_anew if made_anew <= self.added else contacts)
                assert number <= 1, f"{number} contacts of {user} stand for {bc_id}"

    def teardown(self) -> None:
        """All is well again; two undisturbed rounds, then look."""
        if not hasattr(self, "world"):
            return
        self.all_is_well()
        self.look_at_removals()
        self.world.clock.advance(hours=1)  # leases and claims of the dead end, BC has settled on lost creations
        for number, user in enumerate(self.seats):
            self.set_up(user, enabled=True, folder_name=f"Final {number}")
        self.everything_is_resumed()
        self.a_person_decides()
        for _ in range(2):
            self._round()
        written = self.world.written()
        self._round()
        assert self.world.written() == written, "a run after undisturbed runs wrote something"
        self._round(Mode.FULL)  # looks at marks and at duplicates whose partner is gone, too (R2, R9)
        self._round()  # the others follow
        written = self.world.written()
        for mode in (Mode.INCREMENTAL, Mode.FULL):
            self._round(mode)
        assert self.world.written() == written, "a run after a full run wrote something"
        for user in self.seats:
            self._both_sides_agree(user)
        self._nothing_is_lost()
        self.nothing_of_the_gone_is_left()
        self._no_request_is_lost()

    def _round(self, mode: Mode = Mode.INCREMENTAL) -> None:
        for user in self.seats:
            report = self.run(user, mode)
            wanted = ("succeeded", "succeeded with notes", *(("held",) if self.held_back else ()))
            assert report is not None
            assert report.status in wanted, (report.status, report.error)

    def _both_sides_agree(self, user: str) -> None:
        world, countries = self.world, countries_from(COUNTRIES)
        rows = self.rows(user)
        waiting = self._waiting(user)
        folder = self.box(user).in_folder(world.folder(user))
        for link in rows.links.values():
            if link.bc_id in waiting:
                continue
            assert link.outlook_id in folder, "a link points at a contact that is gone from the folder"
            assert link.bc_id in world.bc.rows, "a link points at a contact that is gone from BC"
            bc, outlook = world.bc.rows[link.bc_id].card, folder[link.outlook_id].card
            for which in FIELDS:
                if which in link.left:
                    assert self._may_be_left(user, link, which), (which, bc.get(which), outlook.get(which))
                    continue
                wanted, seen = for_outlook(which, bc.get(which), countries), outlook.get(which)
                same = matching_key(wanted) == matching_key(seen) if which is Field.COMPANY else wanted == seen
                if {link.bc_id, link.outlook_id} & self.causes.undone:  # R36: left different until one of them changes
                    same |= (bc.get(which), seen) == (link.base_bc.get(which), link.base_outlook.get(which))
                assert same, (which, wanted, seen)
        for key in world.bc.rows:
            if not (self.why_out(user, key) or self.is_erased(key) or key in rows.hidden or key in waiting):
                assert key in rows.links or self._stands_aside(user, key), f"{key} is not in the folder of {user}"

    def _may_be_left(self, user: str, link: Link, which: Field) -> bool:
        """Left different for one of the reasons there are: R17, R18, R37, R38."""
        if which is Field.COMPANY or user in self.one_way or which in {each.field for each in link.paused}:
            return True
        if self._was_refused(user, link, which):
            return True
        value = self.box(user).entries[link.outlook_id].contact.card.get(which)
        held = self.world.bc.rows[link.bc_id].card.get(which)
        return isinstance(for_bc(which, value, held, countries_from(COUNTRIES)), Refusal)

    def _was_refused(self, user: str, link: Link, which: Field) -> bool:
        """R17: BC refused the value once, and a note says so; it is not sent again until it changes."""
        notes = [
            note for each in self.world.state.reports.rows.values() if each.profile_id == user for note in each.notes
        ]
        value = self.box(user).entries[link.outlook_id].contact.card.get(which)
        return any(
            (each.kind, each.bc_id, each.field, each.value) == (NoteKind.FIELD, link.bc_id, which.value, value)
            for each in notes
        )

    def _waiting(self, user: str) -> set[str]:
        """BC ids whose removal waits for a person (R26)."""
        of_company = self.world.state.companies.of(COMPANY).held
        return {each for held in (self.rows(user).held, of_company) for ids in held.values() for each in ids}

    def _stands_aside(self, user: str, key: str) -> bool:
        """R27: an untagged contact of the main folder with that address is neither touched nor doubled."""
        address = email_key(self.world.bc.rows[key].card.email.split(";")[0])
        parked = self.rows(user).parked.values()
        return any(each.reason == "untagged" and address in each.email_keys for each in parked)

    def _no_request_is_lost(self) -> None:
        """R29, R40: each came to its end, under its id."""
        for run_id in self.asked:
            report = self.world.state.reports.rows.get(run_id)
            assert report is not None, f"{run_id} was asked for and never reported"
            assert report.status not in ("queued", "running"), f"{run_id} never ended"

    def _nothing_is_lost(self) -> None:
        world = self.world
        somewhere = [str(each.values) for each in world.bc.rows.values()]
        somewhere += [str(each.contact) for box in world.directory.mailboxes.values() for each in box.entries.values()]
        somewhere += [str(report.notes) for report in world.state.reports.rows.values()]
        text = "\n".join(somewhere)
        lost = [each.token for each in self.ledger.typed if not each.let_go and each.token not in text]
        assert not lost, f"typed and gone without a note: {lost}"


Histories.TestCase.settings = settings(
    max_examples=HISTORIES,
    derandomize="HISTORIES" not in os.environ,  # one run of the tests must not differ from the next
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    print_blob=True,
)
TestHistories = pytest.mark.slow(pytest.mark.timeout(max(300, HISTORIES))(Histories.TestCase))
