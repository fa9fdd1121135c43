"""Runs, disturbed by what was planned or not."""

from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import strategies as st
from hypothesis.stateful import rule

from shared.engine.company_feed import moment
from shared.engine.fan_out import serve_company
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import Mode, Report, RunRequest, Trigger
from shared.engine.pauses import pause_of
from shared.engine.run import run_mailbox
from shared.engine.state import Busy
from shared.errors import SyncError
from shared.planning.model import NoteKind
from tests.fakes.faults import Died
from tests.fakes.world import COMPANY
from tests.property.histories.checks import Checks
from tests.property.histories.stage import FILTERS, pick

FINISHED = ("succeeded", "succeeded with notes", "held")


class Runs(Checks):
    """What the queues, the timer and people start."""

    @rule(user=pick, mode=st.sampled_from(Mode), trigger=st.sampled_from([Trigger.HTTP, Trigger.TIMER]))
    def a_run(self, user: int, mode: Mode, trigger: Trigger) -> None:
        """For one profile."""
        self.run(self.some_user(user), mode, trigger)

    @rule(user=pick, mode=st.sampled_from(Mode), at=st.integers(1, 60), after=st.booleans())
    def a_run_that_dies(self, user: int, mode: Mode, at: int, after: bool) -> None:
        """The process dies at any call, before or after its effect."""
        name = self.some_user(user)
        self.world.faults.die(at, after=after)
        self.run(name, mode, Trigger.HTTP)

    @rule(user=pick, wanted=st.sampled_from(FILTERS))
    def a_run_with_a_filter_of_its_own(self, user: int, wanted: dict[str, str]) -> None:
        """Nothing is removed for not matching it."""
        self.run(self.some_user(user), filter=wanted, save_filter=False)

    @rule(user=pick, number=st.integers(0, 3))
    def a_run_with_confirmed_removals(self, user: int, number: int) -> None:
        """A preview showed that number (R26)."""
        self.released.add(self.some_user(user))
        self.run(self.some_user(user), confirm_removals=number)

    @rule(user=pick, wanted=st.sampled_from((None, *FILTERS)))
    def a_preview(self, user: int, wanted: dict[str, str] | None) -> None:
        """Changes nothing (R34)."""
        name = self.some_user(user)
        if self.waits(self.world.mailbox_id(name)):
            return
        before = (self.world.written(), dict(self.rows(name).links), self.rows(name).positions)
        acted = len(self.world.bc.rows)
        self.run(name, filter=wanted, preview=True, acts=False)
        assert (self.world.written(), dict(self.rows(name).links), self.rows(name).positions) == before
        assert len(self.world.bc.rows) == acted

    @rule(user=pick)
    def outlook_announces_a_change(self, user: int) -> None:
        """Or announces nothing new: a notification is only a reason to look (R14)."""
        self.run(self.some_user(user), trigger=Trigger.GRAPH, fresh_feed=False)

    @rule(reason=st.sampled_from([Reason.BC, Reason.NEWS, Reason.TIMER]))
    def the_company_is_served(self, reason: Reason) -> None:
        """Those whom it concerns are run, without their folders being read."""
        self.world.clock.advance(seconds=1)
        self._serve(reason)
        for mailbox in self.mailboxes():
            self.play(mailbox)

    @rule(user=pick, reason=st.sampled_from([Reason.BC, None]), at=st.integers(1, 40), after=st.booleans())
    def a_run_for_news_that_dies(self, user: int, reason: Reason | None, at: int, after: bool) -> None:
        """The process dies at any call of a run that reads one side only."""
        name = self.some_user(user)
        if reason is not None:
            self.world.clock.advance(seconds=1)
            self._serve(reason)
        self.world.faults.die(at, after=after)
        if reason is not None:
            self.play(self.world.mailbox_id(name))
        else:
            self.run(name, trigger=Trigger.GRAPH, fresh_feed=False)

    @rule(twice=st.booleans(), late=st.booleans())
    def messages_come(self, twice: bool, late: bool) -> None:
        """In any order, late, and each at least once."""
        self.world.clock.advance(minutes=30 if late else 0)
        due = self.world.state.messages.take_due()[-6:]
        for message in [*reversed(due), *(due if twice else ())]:
            if message.queue == "company":
                self._serve(Reason(message.reason))
            else:
                self.play(message.id)

    @rule(user=pick)
    def somebody_reads_the_company(self, user: int) -> None:
        """The feed's lease is held by a worker that takes its time: the run goes on later."""
        with self.world.faults.paused():
            held = self.world.state.companies.hold_feed(COMPANY, "another")
        if isinstance(held, Busy):
            return
        mailbox = self.world.mailbox_id(self.some_user(user))
        self.submit(self.some_user(user))
        self._once(mailbox)
        with self.world.faults.paused():
            held.release()
        self.play(mailbox)

    @rule(minutes=st.integers(1, 60))
    def time_passes(self, minutes: int) -> None:
        """Retries become due, overlaps end, leases of the dead run out."""
        self.world.clock.advance(minutes=minutes)

    # ------------------------------------------------------------ how

    def mailboxes(self) -> list[str]:
        """Of those who take part."""
        return sorted({each.mailbox for each in self.seats.values()})

    def run(
        self,
        user: str,
        mode: Mode = Mode.INCREMENTAL,
        trigger: Trigger = Trigger.HTTP,
        *,
        acts: bool = True,
        **more: object,
    ) -> Report | None:
        """A run from its request to its report; undisturbed it must finish. `acts`: whether people may come between."""
        if not acts:
            self.world.faults.forget_actions()
        mailbox = self.world.mailbox_id(user)
        clean = not self.world.faults.are_planned and not self.waits(mailbox) and not self.has_odd_lists()
        clean = clean and not self.is_paused(user)
        restored, seen = self.went_back(), self.world.written()
        links = len(self.rows(user).links)
        written = len(self.world.bc.writes)
        run_id = self.submit(user, mode, trigger, **more)
        removed = self.play(mailbox)
        report = self.world.state.reports.rows.get(run_id)
        if not clean:
            return report
        assert not self.waits(mailbox), "an undisturbed run did not end"
        if not self.is_enabled(user):
            assert not removed, "a run of a profile that is switched off removed somebody"
        elif report is not None and trigger is Trigger.HTTP:
            self._check_finished(user, report)
            if restored and report.error_code != "folder-exists":
                nothing = (report.status, self.world.written()) == ("held", seen)
                assert nothing, "a restored company was written to (R33)"
            if user not in self.released and self.held_back:
                self.within_the_limits(user, links, removed, self.world.bc.writes[written:].count("create"))
            if report.status != "held" and not more and not any(each.kind is NoteKind.FAILED for each in report.notes):
                self.has_seen_everything(user)
        return report

    def _check_finished(self, user: str, report: Report) -> None:
        if report.status == "failed" and report.error_code == "folder-exists":
            return  # a user gave another folder the name that an admin wants for this one: said, and mended by a person
        assert report.status in FINISHED, (user, report.status, report.error)

    def submit(self, user: str, mode: Mode = Mode.INCREMENTAL, trigger: Trigger = Trigger.HTTP, **more: object) -> str:
        """Put a request into the line; answers the run's id."""
        with self.world.faults.paused():
            run_id = self.world.request(user, mode, trigger, **more)  # type: ignore[arg-type]
        if trigger is Trigger.HTTP:
            self.asked.add(run_id)
        return run_id

    def play(self, mailbox: str) -> list[tuple[str, str]]:
        """Messages until the line is empty or the process dies; then what was removed is looked at."""
        held = {user: self.rows(user).held.get("outlook-removals", frozenset()) for user in self.seats}
        stopped, written = self._stays_stopped(), self.world.written()
        for _ in range(30):
            self._once(mailbox)
            if not self.waits(mailbox):
                break
            self.world.state.stop_renewing()  # a lease whose release failed is renewed by nobody
            self.world.clock.advance(seconds=61)
        assert not stopped or self.world.written() == written, "written before a person approved (R33)"
        removed = self.look_at_removals()
        for user, key in removed:
            assert user in self.released or key not in held[user], "removed before a person approved it (R26)"
        return removed

    def waits(self, mailbox: str) -> bool:
        """Whether a request is in the line that is not paused."""
        return any(not self.is_paused(each.profile_id) for each in self.in_line(mailbox))

    def in_line(self, mailbox: str) -> list[RunRequest]:
        """What waits for a mailbox, paused or not."""
        line = self.world.state.mailboxes.lines.get(mailbox)
        return [] if line is None else [*([line.current] if line.current else []), *line.in_order()]

    def is_paused(self, user: str = "") -> bool:
        """Whether a profile, or without one the company, is paused (R40)."""
        return pause_of(list(self.world.state.pauses.rows.values()), COMPANY, user) is not None

    def went_back(self) -> bool:
        """Whether BC shows somebody as of an earlier time than the feed knows, and nobody has agreed to it (R33)."""
        known, there = self.world.state.companies.of(COMPANY), self.world.bc.rows
        if not known.state.epoch or any(each.approves for box in self.mailboxes() for each in self.in_line(box)):
            return False
        return any(
            key in there and moment(there[key].modified) < moment(each.modified) for key, each in known.contacts.items()
        )

    def _stays_stopped(self) -> bool:
        """The company went back in time, and nobody is about to approve it; an erasure is carried out all the same."""
        waiting = [each for box in self.mailboxes() for each in self.in_line(box)]
        stopped = self.world.state.companies.of(COMPANY).state.stopped is not None
        return stopped and not any(each.approves or each.erases for each in waiting)

    def _once(self, mailbox: str) -> None:
        users = [each.user for each in self.seats.values() if each.mailbox == mailbox]
        paused = all(self.is_paused(each) for each in users)
        with self._nobody_is_asked(paused):
            try:
                run_mailbox(self.world.services, mailbox, "worker")
            except (SyncError, Died):
                self._pick_up()

    def _serve(self, reason: Reason) -> None:
        with self._nobody_is_asked(self.is_paused()):
            try:
                serve_company(self.world.services, CompanyJob(COMPANY, reason, self.world.clock()))
            except (SyncError, Died):
                self._pick_up()

    @contextmanager
    def _nobody_is_asked(self, paused: bool) -> Iterator[None]:
        """R40: no run starts and no company is read, so neither service hears of us, and the positions stay."""
        calls, feed = len(self.world.faults.calls), self.world.state.companies.of(COMPANY).state
        acts = self.world.faults.are_planned
        yield
        if paused and not acts:
            asked = [each for each in self.world.faults.calls[calls:] if each.startswith(("graph.", "bc."))]
            assert not asked, f"asked while it was paused: {asked}"
            assert self.world.state.companies.of(COMPANY).state == feed, "the feed moved while it was paused"

    def _pick_up(self) -> None:
        """The message comes back when the lease of whoever had it has ended."""
        if self.world.faults.is_dead:
            self.world.faults.restart()
            self.world.faults.forget_actions()
        self.world.state.stop_renewing()
        self.world.clock.advance(seconds=61)
