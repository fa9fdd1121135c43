"""What goes wrong: planned here, met by whatever runs next."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import rule

from shared.engine.run import run_mailbox
from shared.errors import (
    ChangedMeanwhile,
    CompanyUnavailable,
    ContactError,
    InvalidValue,
    MailboxUnavailable,
    NotDone,
    OutcomeUnknown,
    RetryableError,
    SyncError,
    Throttled,
)
from tests.property.histories.bc_users import BcUsers
from tests.property.histories.outlook_users import OutlookUsers
from tests.property.histories.stage import pick

ITEMS = ("graph.create", "graph.write", "graph.remove", "bc.create", "bc.write", "bc.remove")
MOMENTS = ("graph.folder", "graph.changes", "graph.contacts", "graph.read", "bc.read", *ITEMS)
LISTS = ("contacts", "changed_since", "stamps")
UNDER_THE_LEASE = ("mailbox.commit", "mailbox.keep", "mailbox.positions", "mailbox.links_by_bc", "mailbox.finish")


def per_contact(kind: str) -> ContactError:
    """One contact's failure."""
    return {
        "refused": InvalidValue("The service refuses this."),
        "failed": ContactError("The service failed at this contact.", code="service-error"),
        "changed": ChangedMeanwhile("Somebody changed it."),
        "not-done": NotDone("The service was busy."),
        "unknown": OutcomeUnknown("No answer came."),
    }[kind]


class Faults(BcUsers, OutlookUsers):
    """Services, storage and people that come in between."""

    @rule(
        at=st.integers(1, 40),
        where=st.sampled_from(("graph.", "bc.", None)),
        throttled=st.booleans(),
        late=st.booleans(),
    )
    def a_call_fails(self, at: int, where: str | None, throttled: bool, late: bool) -> None:
        """Throttled or broken; before its effect, or after it with the answer lost."""
        error = Throttled("The service asks for a pause.", retry_after=20.0) if throttled else RetryableError("broken")
        self.world.faults.fail(at, error, after=late, call=where)

    @rule(
        at=st.integers(1, 3),
        where=st.sampled_from(ITEMS),
        kind=st.sampled_from(("refused", "failed", "changed", "not-done")),
    )
    def one_contact_fails(self, at: int, where: str, kind: str) -> None:
        """An item of a batch is refused, throttled, or answered with a server error; the others are done (R31)."""
        self.world.faults.fail(at, per_contact(kind), call=where)

    @rule(at=st.integers(1, 3), where=st.sampled_from(("graph.create", "bc.create")), happened=st.booleans())
    def the_answer_of_a_creation_is_lost(self, at: int, where: str, happened: bool) -> None:
        """It took effect, or it did not (R9)."""
        self.world.faults.fail(at, per_contact("unknown"), after=happened, call=where)

    @rule(at=st.integers(1, 20), bc=st.booleans())
    def a_service_is_away(self, at: int, bc: bool) -> None:
        """The mailbox or the company for one call: nothing is deleted for it (R25)."""
        error: SyncError = CompanyUnavailable("updating") if bc else MailboxUnavailable("no such mailbox")
        self.world.faults.fail(at, error, call="bc." if bc else "graph.")

    @rule(refuses=st.booleans())
    def the_set_up_refuses(self, refuses: bool) -> None:
        """Number series or permission; mended later (R31)."""
        self.world.bc.setup_refusal = "The number series is used up." if refuses else ""

    @rule(user=pick, when=st.sampled_from(UNDER_THE_LEASE))
    def somebody_takes_over(self, user: int, when: str) -> None:
        """The lease ends while its holder does not look; another worker goes on in the middle of the run (R29, R30)."""
        mailbox = self.world.mailbox_id(self.some_user(user))

        def take_over() -> None:
            if mailbox in self.world.state.mailboxes.leases:
                self.world.state.steal(mailbox).release()
                run_mailbox(self.world.services, mailbox, "thief")

        self.world.faults.before(when, take_over)

    @rule(user=pick, when=st.sampled_from(MOMENTS))
    def the_message_comes_twice(self, user: int, when: str) -> None:
        """While a run is under way a second worker gets the same message (R29)."""
        mailbox = self.world.mailbox_id(self.some_user(user))
        self.world.faults.before(when, lambda: run_mailbox(self.world.services, mailbox, "second"))

    @rule(who=pick, when=st.sampled_from(MOMENTS), what=st.sampled_from(("edit", "delete", "block", "type", "folder")))
    def somebody_acts_in_between(self, who: int, when: str, what: str) -> None:
        """Between a run's reading and its writing (R14)."""
        user = self.some_user(who)
        acts: dict[str, Callable[[], object]] = {
            "edit": lambda: self.an_edit_in_bc(who, "city", blank=False),
            "delete": lambda: self.a_deletion_in_bc(who),
            "block": lambda: self.privacy(who, blocked=True),
            "type": lambda: self.an_edit_in_outlook(who, who, "job_title", blank=False),
            "folder": lambda: self.the_folder_is_deleted(list(self.seats).index(user)),
        }
        self.world.faults.before(when, acts[what])

    # ------------------------------------------------------------ lists that are not what they seem

    @rule(call=st.sampled_from(LISTS), share=st.integers(0, 3))
    def a_short_list_of_bc(self, call: str, share: int) -> None:
        """Partial or empty, with status 200 (R25)."""
        rows = self.world.bc.rows
        self.world.bc.lists[call] = {key: rows[key] for at, key in enumerate(rows) if share and at % 4 >= share}

    @rule(call=st.sampled_from(LISTS))
    def an_old_list_of_bc(self, call: str) -> None:
        """What the replica held now is what the next list shows, whenever that is."""
        self.world.bc.lists[call] = dict(self.world.bc.rows)

    @rule(user=pick, share=st.integers(0, 3), lag=st.integers(0, 3))
    def a_short_list_of_outlook(self, user: int, share: int, lag: int) -> None:
        """The folder's list leaves contacts out; its change feed shows the latest changes a round later (R25)."""
        box = self.box(self.some_user(user))
        box.lacks = {key for at, key in enumerate(box.entries) if not share or at % 4 < share}
        box.lag = lag

    # ------------------------------------------------------------ afterwards

    def all_is_well(self) -> None:
        """Nothing that was planned happens any more, and everything answers."""
        self.world.faults.restart()
        self.world.faults.forget_actions()
        self.world.state.stop_renewing()
        self.world.bc.setup_refusal = ""
        self.world.bc.lists.clear()
        for box in self.world.directory.mailboxes.values():
            box.lacks, box.lag = set(), 0
