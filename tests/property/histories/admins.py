"""What administrators do, and what happens to our own state."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from shared.engine.company_state import FeedState
from shared.planning.model import Direction, OnBcDelete, OnOutlookDelete, OnOutOfScope
from tests.fakes.world import COMPANY
from tests.property.histories.stage import FILTERS, Stage, pick


class Admins(Stage):
    """Profiles change, positions and state get lost."""

    @rule(user=pick, which=st.sampled_from(FILTERS))
    def another_filter(self, user: int, which: dict[str, str]) -> None:
        """The profile's filter changes."""
        self.set_up(self.some_user(user), filter=which)

    @rule(user=pick, policy=st.sampled_from((*OnBcDelete, *OnOutOfScope, *OnOutlookDelete)))
    def another_policy(self, user: int, policy: OnBcDelete | OnOutOfScope | OnOutlookDelete) -> None:
        """One of the policies of R21 to R23."""
        names = {OnBcDelete: "on_bc_delete", OnOutOfScope: "on_out_of_scope", OnOutlookDelete: "on_outlook_delete"}
        self.set_up(self.some_user(user), policies={names[type(policy)]: policy})

    @rule(user=pick, direction=st.sampled_from(Direction))
    def another_direction(self, user: int, direction: Direction) -> None:
        """R37."""
        name = self.some_user(user)
        if direction is Direction.TO_OUTLOOK:
            self.one_way.add(name)
        self.set_up(name, direction=direction)

    @rule(user=pick, enabled=st.booleans())
    def a_switch(self, user: int, enabled: bool) -> None:
        """Off and on again."""
        self.set_up(self.some_user(user), enabled=enabled)

    @rule(user=pick)
    def another_folder_name(self, user: int) -> None:
        """The folder is renamed, not replaced (R27)."""
        name = self.some_user(user)
        if not self.seats[name].main:
            self.set_up(name, folder_name=f"Named {len(self.box(name).feed)}")

    @rule(user=pick)
    def positions_expire(self, user: int) -> None:
        """The service forgets where we were (R33)."""
        self.box(self.some_user(user)).forget_positions()

    @rule(user=pick, whole=st.booleans())
    def the_state_is_lost(self, user: int, whole: bool) -> None:
        """The row of the positions, or everything that is stored of a profile (R9, R33)."""
        name = self.some_user(user)
        if whole:
            self.world.state.mailboxes.rows.pop((self.world.mailbox_id(name), COMPANY, name), None)
        else:
            self.rows(name).positions = None
        self.reset_state = True

    @rule(whole=st.booleans())
    def the_watermark_is_lost(self, whole: bool) -> None:
        """The state of the company feed, with or without its snapshot (R33)."""
        rows = self.world.state.companies.of(COMPANY)
        rows.state = FeedState(head=rows.state.head)
        if whole:
            rows.contacts.clear()
