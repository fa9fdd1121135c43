"""One run of one profile: read, plan, hold back, apply, move the positions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from shared.cards.model import Origin
from shared.engine import company_feed
from shared.engine.apply_bc import BcStage
from shared.engine.apply_outlook import OutlookStage
from shared.engine.company_state import FeedState
from shared.engine.early_news import EarlyNews, ask_early
from shared.engine.folders import ChosenFolder, choose_folder
from shared.engine.holding import Holding, company_reported, reported
from shared.engine.holds import COMPANY_KINDS, Hold
from shared.engine.jobs import Reason
from shared.engine.journalled import JournalledBc, JournalledOutlook
from shared.engine.model import CompanySettings, Mode, Positions, Profile, Retry, RunRequest
from shared.engine.moving import moved_positions, next_retry
from shared.engine.pages import Pages, pages_of
from shared.engine.reading import Reading
from shared.engine.readings import Extent
from shared.engine.recording import Recorder
from shared.engine.rules_of import rules_of, text_of
from shared.engine.services import Services
from shared.engine.showing import shown
from shared.engine.sides import Folder, OutlookSide
from shared.engine.state import Changes, ProfileState
from shared.engine.tally import Tally
from shared.engine.traces import clean_journal, clean_reports, of_blocked
from shared.engine.upkeep import watched_as
from shared.engine.work import Work, touched_in_bc
from shared.errors import FolderMissing, PositionExpired
from shared.pace import Pace
from shared.planning.guards import hold_back
from shared.planning.model import (
    ABSENT,
    Create,
    Inputs,
    Note,
    NoteKind,
    Operation,
    Plan,
    Remove,
    Rules,
    Side,
    Unlink,
    Write,
)
from shared.planning.oscillation import resumed
from shared.planning.plan import make_plan

_ANY_TIME = datetime.min.replace(tzinfo=UTC)  #: the feed as it is will do
#: Of a message's time, what is left for writing however long reading took: a continuation would read again, for ever.
TO_WRITE = 0.25


@dataclass(slots=True)
class OneRun:
    """A run from its request to its end. `tally` holds what is to be reported, also after a failure."""

    services: Services
    state: ProfileState
    profile: Profile
    request: RunRequest
    pace: Pace
    tally: Tally
    save_notes: Callable[[Tally], None]
    described: list[dict[str, object]] = field(default_factory=list)  #: a preview's operations (R34)
    next_retry: datetime | None = None
    pages: Pages = field(init=False)  #: of the journal
    unwatched: bool = False  #: whether the folder is another than the one that a subscription was asked for

    def __post_init__(self) -> None:
        """Open the journal."""
        self.pages = pages_of(self.services, self.request)

    def go(self) -> None:
        """Do it. Raises ProfileError, CompanyError, RetryableError, LeaseLost; what was done by then is recorded."""
        services, request = self.services, self.request
        company = services.companies.settings(self.profile.company_id)
        limit_to = request.filter if request.filter is not None and not request.save_filter else None
        rules = rules_of(self.profile, company, services.environment, services.limits.category, limit_to)
        positions = self.state.positions()
        self._resume()
        feed = company_feed.bring_up_to_date(
            services,
            self.profile.company_id,
            self._since(positions),
            self.pace,
            full=request.mode is Mode.FULL,
            approves=None if request.preview else request.approves,
        )
        if request.approves is not None and request.approves.kinds.keys() & set(COMPANY_KINDS):
            services.messages.company_job(self.profile.company_id, Reason.NEWS)  # it concerns the others too
        positions = self._company_holds(feed, positions)
        if feed.stopped is not None:
            return
        outlook = JournalledOutlook(services.directory(self.pace).outlook(self.profile.mailbox_id), self.pages)
        reading = self._read_news_of_bc(outlook, rules, feed, positions, company)
        if reading is None:
            chosen, news = self._look_at_folder(outlook, positions)
            chosen = replace(chosen, unread=bool(positions.folder_id and not positions.delta_link))
            positions = self._folder_known(positions, chosen)
            reading = self._read(outlook, chosen, news, rules, feed, positions, company)
        self._plan_and_apply(reading, company)

    def _resume(self) -> None:
        """R38: a person lets paused fields travel again; the pairs are looked at although nothing changed."""
        if not self.request.resume:
            return
        paused = [link for link in self.state.links_by_bc(self.request.resume).values() if link.paused]
        if paused:
            now = self.services.now()
            retries = [Retry(link.bc_id, "bc", "resumed", 0, now) for link in paused]
            self.state.commit(Changes(links=[resumed(link) for link in paused], retries=retries))

    def _since(self, positions: Positions) -> datetime:
        """The feed must know what BC held at the request (R14), and what a run wrote that died before it told (R30)."""
        wanted = self.request.requested_at if self.request.fresh_feed else _ANY_TIME
        if positions.bc_written_at is None:
            return wanted
        return max(wanted, positions.bc_written_at + timedelta(microseconds=1))

    def _company_holds(self, feed: FeedState, positions: Positions) -> Positions:
        """What is held for the whole company is said to whoever asks for a run, and once by each profile's own runs
        (R26, R33): so there is a report by which it can be approved."""
        holds = [each for each in (feed.stopped, feed.held) if each is not None]
        said = {each.kind: each.since for each in holds}
        for each in holds:
            known = each.kind in positions.company_holds and positions.company_holds[each.kind] == each.since
            if self.request.trigger.is_requested or not known:
                said_so = company_reported(self.services.companies, self.profile.company_id, each)
                self.tally.held.append(said_so)
        if self.request.preview or said == positions.company_holds:
            return positions
        known_positions = replace(positions, company_holds=said)
        self._remember(known_positions)
        return known_positions

    def _remember(self, positions: Positions) -> None:
        recorder = Recorder(self.state, {}, {}, {}, self.services.limits, self.services.now())
        recorder.changes.positions = positions
        recorder.commit()

    def _look_at_folder(self, outlook: OutlookSide, positions: Positions) -> tuple[ChosenFolder, EarlyNews]:
        """The folder, and what changed in it if it is the one that is known."""
        environment, preview = self.services.environment, self.request.preview
        with self.services.ahead() as ahead:
            news = ask_early(ahead, outlook, positions)
            return choose_folder(outlook, self.profile, positions, environment, look_only=preview), news

    def _folder_known(self, positions: Positions, chosen: ChosenFolder) -> Positions:
        """Remember a folder as soon as it is there; a preview remembers nothing (R34)."""
        if chosen.folder is None or self.request.preview:
            return positions
        known = replace(
            positions,
            folder_id=chosen.folder.id,
            folder_parent_id=chosen.folder.parent_id,
            folder_name=self.profile.folder_name,
            folder_made=chosen.made,
        )
        if chosen.is_new:
            known = replace(known, delta_link="")
        if known != positions:
            self._remember(known)
        return known

    # ------------------------------------------------------------ read

    def _read_news_of_bc(
        self, outlook: OutlookSide, rules: Rules, feed: FeedState, positions: Positions, company: CompanySettings
    ) -> Reading | None:
        """A run for news of BC leaves the folder alone; None where its news cannot be decided without the folder."""
        if self.request.reads_folder or not positions.folder_id:
            return None
        extent = self._extent(positions, feed, company)
        if extent.outlook_full or extent.bc_full:
            return None
        folder = Folder(positions.folder_id, positions.folder_name, positions.folder_parent_id)
        known = ChosenFolder(folder, made=positions.folder_made, is_new=False)
        reading = self._reading(outlook, known, rules, feed, positions, extent)
        try:
            reading.inputs = reading.read_news_of_bc()
        except FolderMissing:
            return None
        return reading if reading.inputs is not None else None

    def _read(
        self,
        outlook: OutlookSide,
        chosen: ChosenFolder,
        news: EarlyNews,
        rules: Rules,
        feed: FeedState,
        positions: Positions,
        company: CompanySettings,
    ) -> Reading:
        extent = self._extent(positions, feed, company)
        reading = self._reading(outlook, chosen, rules, feed, positions, extent)
        reading.news = news
        try:
            reading.inputs = reading.read()
        except PositionExpired:
            extent = replace(extent, outlook_full=True, bc_full=True)  # R33: a full run by itself, under R26
            reading = self._reading(outlook, chosen, rules, feed, replace(positions, delta_link=""), extent)
            reading.inputs = reading.read()
        return reading

    def _extent(self, positions: Positions, feed: FeedState, company: CompanySettings) -> Extent:
        full = self.request.mode is Mode.FULL
        whole = full or self._looks_for_what_waits(positions)
        lag = feed.head - positions.log_position
        behind = (
            positions.feed_epoch != feed.epoch
            or positions.log_position < feed.floor
            or lag > self.services.limits.log_lag_most
            or positions.filter_text != text_of(self.profile, company)
            # the answer to an earlier run that held removals: nothing has changed since, and they are due (R26)
            or self.request.confirm_removals is not None
        )
        return Extent(
            outlook_full=whole or not positions.delta_link or positions.unclean,
            bc_full=whole or behind or not positions.delta_link or positions.unclean,
            requested=self.request.trigger.is_requested,
            full_mode=full,
            feed_is_fresh=self.request.fresh_feed,
        )

    def _looks_for_what_waits(self, positions: Positions) -> bool:
        """What is approved, or has waited for too long, is looked for on both sides: nothing names it (R26)."""
        now, days = self.services.now(), self.services.limits.hold_days
        return self.request.approves is not None or any(each.has_lapsed(now, days) for each in positions.holds.values())

    def _reading(
        self,
        outlook: OutlookSide,
        chosen: ChosenFolder,
        rules: Rules,
        feed: FeedState,
        positions: Positions,
        extent: Extent,
    ) -> Reading:
        companies, now = self.services.companies, self.services.now()
        bc = JournalledBc(self.services.business_central(self.pace).company(self.profile.company_id), self.pages)
        swings = self.services.limits.swings
        return Reading(companies, bc, outlook, self.state, feed, positions, chosen, rules, extent, now, swings)

    # ------------------------------------------------------------ plan and apply

    def _plan_and_apply(self, reading: Reading, company: CompanySettings) -> None:
        assert reading.inputs is not None  # noqa: S101 - read() was called
        plan = make_plan(reading.inputs)
        self.tally.remark(plan.notes)
        self.tally.unchanged(plan.unchanged)
        holding = Holding(self.services, self.request, reading)
        plan, held = hold_back(plan, self.services.limits.safety, holding.circumstances(plan))
        holds, waiting = holding.after(held, plan)
        self.tally.held += reported(held, holds, waiting)
        if self.request.preview:
            self.described = shown(plan, held, self.tally)
            return
        self._apply(reading, plan, holds, waiting, company)

    def _apply(
        self,
        reading: Reading,
        plan: Plan,
        holds: Mapping[str, Hold],
        waiting: Mapping[str, Sequence[str]],
        company: CompanySettings,
    ) -> None:
        services, inputs = self.services, reading.inputs
        assert inputs is not None  # noqa: S101
        at_least = services.monotonic() + services.limits.run_budget * TO_WRITE
        self.pace.deadline = max(self.pace.deadline, at_least)
        recorder = Recorder(
            self.state, dict(inputs.links), dict(inputs.parked), reading.retries, services.limits, services.now()
        )
        work = Work(
            services=services,
            request=self.request,
            bc=reading.company,
            outlook=reading.outlook,
            folder_id=reading.folder_id,
            feed=reading.feed,
            inputs=inputs,
            recorder=recorder,
            tally=self.tally,
            pace=self.pace,
            pages=self.pages,
            positions=replace(reading.positions, log_position=reading.feed.head),
            save_notes=lambda: self.save_notes(self.tally),
        )
        self.pages.editors.update(reading.editors)
        recorder.unhide(plan.unhide)
        for key, side in sorted(reading.unanswered.items()):  # the positions move on: kept for retry (R25, R30)
            recorder.fail(key, side, "no-answer")
            ids = {"bc_id" if side == "bc" else "outlook_id": key}
            self.tally.remark([Note(NoteKind.FAILED, "no-answer", NO_ANSWER, **ids)])
        in_bc = [each for each in plan.operations if _is_bc(each)]
        touched = touched_in_bc(in_bc)
        rest = [each for each in plan.operations if not _is_bc(each) and _pair_of(each) not in touched]
        stage = BcStage(work)
        stage.apply(in_bc)
        found = work.newly_linked(stage.follow_up)
        rest = [each for each in rest if not (isinstance(each, Create) and each.bc and each.bc.id in found)]
        OutlookStage(work).apply([*rest, *stage.follow_up])
        if reading.extent.bc_full:  # another filter may have put any of them outside
            recorder.recorded |= {key for key, link in recorder.links.items() if link.origin is Origin.OWN}
        self._index_outside(inputs, work)
        if work.unfinished:
            work.need_time()
        moved = moved_positions(work, reading, plan, text_of(self.profile, company))
        self.unwatched = watched_as(services, self.profile, moved) not in ("", moved.watched)
        recorder.hold(waiting)
        if inputs.folder_new and not inputs.rules.limit_to:
            _leave_old_folder(inputs, recorder)
        self._forget_blocked(reading)
        recorder.finish(replace(moved, holds=holds), settle=inputs.rules.limit_to is None)
        self.next_retry = next_retry(self.state, reading, recorder)

    def _forget_blocked(self, reading: Reading) -> None:
        """R39: the values of who is privacy blocked go with the run that meets it, before the positions move: who dies
        before meets it again."""
        if not reading.blocked:
            return
        about = reading.blocked, reading.links.values(), reading.parked.values()
        traces = of_blocked(self.services, self.profile, *about)
        clean_journal(self.services, self.profile, traces, self.pace)
        clean_reports(self.services, self.profile, traces, self.pace, but=self.request.run_id)
        self.tally.replace_notes(traces.clean_note)

    def _index_outside(self, inputs: Inputs, work: Work) -> None:
        """R4: who must hear of a contact although the filter excludes it."""
        outside = work.outside()
        for linked in (True, False):
            ids = [key for key, is_out in outside.items() if is_out is linked]
            if ids:
                company_id = inputs.rules.company_id
                self.services.companies.note_outside(company_id, self.profile.id, ids, linked=linked)


NO_ANSWER = "The service gave no answer about this contact; it was left as it is and is tried again."


def _is_bc(operation: Operation) -> bool:
    return isinstance(operation, Create | Write | Remove) and operation.side is Side.BC


def _pair_of(operation: Operation) -> str:
    match operation:
        case Write():
            return operation.bc.id
        case Remove() | Unlink():
            return operation.bc_id
    return ""


def _leave_old_folder(inputs: Inputs, recorder: Recorder) -> None:
    """Who could not be created in the new folder has no contact any more: a link left behind would look in the next
    run as if the user had deleted it (R25, R27). It comes as new, with its retry or when a person approves."""
    for key, link in inputs.links.items():
        if inputs.outlook.get(link.outlook_id) == ABSENT and recorder.links.get(key) == link:
            recorder.drop(key)
