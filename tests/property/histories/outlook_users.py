"""What users do in Outlook."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.fakes.outlook import CATEGORY, MAIN
from tests.property.histories.stage import ALL_FIELDS, TEXT_FIELDS, Stage, pick


class OutlookUsers(Stage):
    """They type, copy, move, mark and delete; contacts and folders."""

    @rule(user=pick, email=pick, name=pick, complete=st.integers(0, 5), company=st.booleans(), tagged=st.booleans())
    def somebody_new_in_outlook(
        self, user: int, email: int, name: int, complete: int, company: bool, tagged: bool
    ) -> None:
        """Perhaps known in BC, perhaps not, perhaps without an address."""
        who = self.some_user(user)
        folder = MAIN if self.seats[who].main else self.world.folder(who)
        if not folder:
            return
        key = self.box(who).add(
            folder,
            name=f"Person {name % 4}",
            email=self.address(who, email) if complete else "",
            job_title=self.ledger.new(True),
            company="acme" if company else "",
            categories=(CATEGORY,) if tagged else (),
        )
        self.added.add(key)

    @rule(user=pick, who=pick, which=st.sampled_from(sorted(ALL_FIELDS)), blank=st.booleans())
    def an_edit_in_outlook(self, user: int, who: int, which: str, blank: bool) -> None:
        """One field of one contact."""
        self._type(user, who, which, lambda: "" if blank else self.ledger.new(which in TEXT_FIELDS))

    @rule(user=pick, who=pick)
    def a_new_given_name_in_outlook(self, user: int, who: int) -> None:
        """The service makes the display name anew and drops the middle name."""
        self._type(user, who, "given_name", lambda: self.ledger.new(True))

    @rule(user=pick, who=pick, email=pick)
    def another_address_in_outlook(self, user: int, who: int, email: int) -> None:
        """Sometimes none: BC keeps its own then (R17)."""
        self._type(user, who, "email", lambda: "" if email % 4 == 0 else self.changed_address(email))

    @rule(user=pick, who=pick, value=st.sampled_from(["too long " * 20, "x" * 31]))
    def something_that_bc_cannot_hold(self, user: int, who: int, value: str) -> None:
        """It stays in Outlook (R17)."""
        self._type(user, who, "job_title", lambda: value + self.ledger.new(True))

    @rule(user=pick, who=pick, own=st.booleans(), ours=st.booleans())
    def other_categories(self, user: int, who: int, own: bool, ours: bool) -> None:
        """Ours is theirs to take off (R27, R28)."""
        name = self.some_user(user)
        if key := self.some_contact(name, who):
            categories = (*(("Mine",) if own else ()), *((CATEGORY,) if ours else ()))
            self.box(name).edit(key, categories=categories)

    @rule(user=pick, who=pick, private=st.booleans())
    def privately(self, user: int, who: int, private: bool) -> None:
        """Marked private, or not any more (R2)."""
        name = self.some_user(user)
        if key := self.some_contact(name, who):
            self.box(name).entries[key].private = private
            self.box(name).edit(key)
            self.kept.add(key)
            self.marked.add(key)

    @rule(user=pick, who=pick)
    def a_deletion_in_outlook(self, user: int, who: int) -> None:
        """By the profile's policy (R23)."""
        name = self.some_user(user)
        if key := self.some_contact(name, who):
            self.ledger.let_go(self.box(name).entries[key].contact)
            self._throws_away(name, key)
            self.box(name).delete(key)

    @rule(user=pick, who=pick)
    def out_of_the_folder(self, user: int, who: int) -> None:
        """The moved contact is left alone (R23)."""
        name = self.some_user(user)
        if key := self.some_contact(name, who):
            self._throws_away(name, key)
            self.box(name).move(key, "somewhere-else")

    @rule(user=pick, who=pick)
    def a_copy_in_outlook(self, user: int, who: int) -> None:
        """The copy carries the same stamp."""
        name = self.some_user(user)
        key = self.some_contact(name, who)
        if key is not None and self.stamp_of(name, key) is not None:
            copied = self.box(name).copy(key)
            self.copies.add(copied)
            if key in self.added:
                self.added.add(copied)

    @rule(user=pick)
    def the_folder_is_deleted(self, user: int) -> None:
        """Made anew and filled again; nothing is deleted in BC for it (R27)."""
        name = self.some_user(user)
        folder = self.world.folder(name)
        if folder in self.box(name).folders:
            self.ledger.let_go(list(self.box(name).in_folder(folder).values()))
            self.box(name).delete_folder(folder)

    @rule(user=pick)
    def the_folder_is_renamed(self, user: int) -> None:
        """It is still ours (R27)."""
        name = self.some_user(user)
        box, folder = self.box(name), self.world.folder(name)
        if folder in box.folders:
            box.folders[folder] = replace(box.folders[folder], name=f"Renamed {len(box.feed)}")

    def _type(self, user: int, who: int, which: str, value: Callable[[], str]) -> None:
        name = self.some_user(user)
        if key := self.some_contact(name, who):
            self.ledger.let_go(getattr(self.box(name).entries[key].contact.card, which))
            self.box(name).edit(key, **{which: value()})

    def _throws_away(self, user: str, key: str) -> None:
        for each in self.seats:
            rows = self.rows(each)
            bc_id = rows.by_outlook.get(key, "")
            if bc_id and self.world.mailbox_id(each) == self.world.mailbox_id(user):
                self.causes.thrown_away.add((each, bc_id))
