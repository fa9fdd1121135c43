"""One run of one profile: read, plan, hold back, apply, move the positions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from shared.cards.model import Origin
from shared.engine import company_feed
from shared.engine.apply_bc import BcStage
from shared.engine.apply_outlook import OutlookStage
from shared.engine.folders import ChosenFolder, choose_folder
from shared.engine.model import CompanySettings, Counted, HeldKind, Mode, Positions, Profile, RunRequest
from shared.engine.reading import Extent, Reading
from shared.engine.recording import Recorder
from shared.engine.rules_of import rules_of, text_of
from shared.engine.services import Services
from shared.engine.sides import Folder, OutlookSide
from shared.engine.state import FeedState, ProfileState
from shared.engine.tally import Tally
from shared.engine.upkeep import watched_as
from shared.engine.watching import DELETED, fingerprint
from shared.engine.work import Work, touched_in_bc
from shared.errors import FolderMissing, PositionExpired
from shared.pace import Pace
from shared.planning.describe import describe
from shared.planning.guards import (
    ALL,
    BC_REMOVALS,
    OUTLOOK_REMOVALS,
    Circumstances,
    Held,
    hold_back,
    id_of,
    kind_of,
)
from shared.planning.model import (
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
from shared.planning.plan import make_plan

_ANY_TIME = datetime.min.replace(tzinfo=UTC)  #: the feed as it is will do
ECHOES_MOST = 200  #: own writes in Outlook that are recognised when they are announced
HELD_MOST = 2_000  #: removals that are remembered one by one while they wait for approval


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
    unwatched: bool = False  #: whether the folder is another than the one that a subscription was asked for

    def go(self) -> None:
        """Do it. Raises ProfileError, CompanyError, RetryableError, LeaseLost; what was done by then is recorded."""
        services, request = self.services, self.request
        company = services.companies.settings(self.profile.company_id)
        limit_to = request.filter if request.filter is not None and not request.save_filter else None
        rules = rules_of(self.profile, company, services.environment, services.limits.category, limit_to)
        positions = self.state.positions()
        feed = company_feed.bring_up_to_date(
            services, self.profile.company_id, self._since(positions), self.pace, full=request.mode is Mode.FULL
        )
        self._company_holds(feed)
        if feed.stopped is not None:
            return
        outlook = services.directory(self.pace).outlook(self.profile.mailbox_id)
        reading = self._read_news_of_bc(outlook, rules, feed, positions, company)
        if reading is None:
            chosen = choose_folder(outlook, self.profile, positions, services.environment, look_only=request.preview)
            positions = self._folder_known(positions, chosen)
            reading = self._read(outlook, chosen, rules, feed, positions, company)
        self._plan_and_apply(reading, company)

    def _since(self, positions: Positions) -> datetime:
        """The feed must know what BC held at the request (R14), and what a run wrote that died before it told (R30)."""
        wanted = self.request.requested_at if self.request.fresh_feed else _ANY_TIME
        if positions.bc_written_at is None:
            return wanted
        return max(wanted, positions.bc_written_at + timedelta(microseconds=1))

    def _company_holds(self, feed: FeedState) -> None:
        """What is held for the whole company is said to whoever asks for a run (R26, R33)."""
        if self.request.trigger.is_requested:
            self.tally.held += [each for each in (feed.stopped, feed.held) if each is not None]

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
            recorder = Recorder(self.state, {}, {}, {}, self.services.limits, self.services.now())
            recorder.changes.positions = known
            recorder.commit()
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
        rules: Rules,
        feed: FeedState,
        positions: Positions,
        company: CompanySettings,
    ) -> Reading:
        extent = self._extent(positions, feed, company)
        reading = self._reading(outlook, chosen, rules, feed, positions, extent)
        try:
            reading.inputs = reading.read()
        except PositionExpired:
            extent = replace(extent, outlook_full=True, bc_full=True)  # R33: a full run by itself, under R26
            reading = self._reading(outlook, chosen, rules, feed, replace(positions, delta_link=""), extent)
            reading.inputs = reading.read()
        return reading

    def _extent(self, positions: Positions, feed: FeedState, company: CompanySettings) -> Extent:
        full = self.request.mode is Mode.FULL
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
            outlook_full=full or not positions.delta_link or positions.unclean,
            bc_full=full or behind or not positions.delta_link or positions.unclean,
            requested=self.request.trigger.is_requested,
            full_mode=full,
            feed_is_fresh=self.request.fresh_feed,
        )

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
        bc = self.services.business_central(self.pace).company(self.profile.company_id)
        return Reading(companies, bc, outlook, self.state, feed, positions, chosen, rules, extent, now)

    # ------------------------------------------------------------ plan and apply

    def _plan_and_apply(self, reading: Reading, company: CompanySettings) -> None:
        assert reading.inputs is not None  # noqa: S101 - read() was called
        plan = make_plan(reading.inputs)
        self.tally.remark(plan.notes)
        self.tally.unchanged(plan.unchanged)
        plan, held = hold_back(plan, self.services.limits.safety, self._circumstances(reading))
        self.tally.held += [_held_kind(each) for each in held]
        if self.request.preview:
            self._show(plan, held)
            return
        self._apply(reading, plan, held, company)

    def _circumstances(self, reading: Reading) -> Circumstances:
        positions = reading.positions
        counted: dict[str, int] = {}
        if not self.request.trigger.is_requested:
            for each in self._counted_lately(positions):
                counted[each.kind] = counted.get(each.kind, 0) + each.count
        return Circumstances(
            links=positions.link_count,
            counted=counted,
            strange_folder=not reading.chosen.made and positions.last_run_at is None,
            confirmed_removals=self.request.confirm_removals,
            held_before={kind: frozenset(ids) for kind, ids in positions.held.items()},
            parked=reading.parked,
        )

    def _counted_lately(self, positions: Positions) -> list[Counted]:
        since = self.services.now() - timedelta(hours=self.services.limits.safety.window_hours)
        return [each for each in positions.counted if each.at >= since]

    def _show(self, plan: Plan, held: Sequence[Held]) -> None:
        """R34: every operation, field by field, and what would be held; the counts are those of the plan."""
        for operation in plan.operations:
            self._show_one(operation, held=False)
        for each in held:
            for operation in each.operations:
                self._show_one(operation, held=True)

    def _show_one(self, operation: Operation, *, held: bool) -> None:
        line = describe(operation)
        if line is None:
            return
        self.described.append({**line, "held": held})
        if not held and isinstance(operation, Create | Write | Remove):
            verbs = {Create: "created", Write: "updated", Remove: "deleted"}
            self.tally.add(operation.side, verbs[type(operation)])

    def _apply(self, reading: Reading, plan: Plan, held: Sequence[Held], company: CompanySettings) -> None:
        services, inputs = self.services, reading.inputs
        assert inputs is not None  # noqa: S101
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
            positions=replace(reading.positions, log_position=reading.feed.head),
            save_notes=lambda: self.save_notes(self.tally),
        )
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
        moved = self._moved(work, reading, plan, company)
        self.unwatched = watched_as(services, self.profile, moved) not in ("", moved.watched)
        recorder.finish(replace(moved, held=self._waiting(reading, held)))
        self.next_retry = self._next_retry(reading, recorder)

    def _next_retry(self, reading: Reading, recorder: Recorder) -> datetime | None:
        """When the next of all retries is due (R31): a mark that was served, or put for sooner, has forgotten them."""
        if reading.others is None and not recorder.failed:
            return None
        kept = self.state.retries() if reading.others is None else [*reading.others, *recorder.failed.values()]
        return min((each.next_at for each in kept), default=None)

    def _index_outside(self, inputs: Inputs, work: Work) -> None:
        """R4: who must hear of a contact although the filter excludes it."""
        outside = work.outside()
        for linked in (True, False):
            ids = [key for key, is_out in outside.items() if is_out is linked]
            if ids:
                company_id = inputs.rules.company_id
                self.services.companies.note_outside(company_id, self.profile.id, ids, linked=linked)

    def _moved(self, work: Work, reading: Reading, plan: Plan, company: CompanySettings) -> Positions:
        """Positions move last (R30); a run limited by a filter of its own moves none."""
        now = self.services.now()
        limited = reading.rules.limit_to is not None
        positions = reading.positions if limited else work.positions
        unknown_outcome = any(retry.code == "outcome-unknown" for retry in work.recorder.failed.values())
        moved = replace(
            positions,
            unclean=unknown_outcome,
            echoes=_echoes(positions, work),
            last_checked_at=now,
            last_run_at=positions.last_run_at if limited else now,
            counted=tuple(self._counted_lately(positions)) + self._counted_now(plan),
        )
        if limited:
            return moved
        return replace(
            moved,
            delta_link=reading.delta_link or positions.delta_link,
            feed_epoch=reading.feed.epoch,
            filter_text=text_of(self.profile, company),
            last_full_at=now if self.request.mode is Mode.FULL else positions.last_full_at,
        )

    def _waiting(self, reading: Reading, held: Sequence[Held]) -> dict[str, tuple[str, ...]]:
        """Removals that wait for approval (R26): a full look forgets what is no longer due."""
        whole = reading.extent.outlook_full and reading.extent.bc_full
        waiting: dict[str, tuple[str, ...]] = {} if whole else dict(reading.positions.held)
        for each in held:
            if each.kind in (OUTLOOK_REMOVALS, BC_REMOVALS):
                ids = dict.fromkeys([*waiting.get(each.kind, ()), *(id_of(one) for one in each.operations)])
                waiting[each.kind] = tuple(ids) if len(ids) <= HELD_MOST else (ALL,)
        return waiting

    def _counted_now(self, plan: Plan) -> tuple[Counted, ...]:
        if self.request.trigger.is_requested:
            return ()
        kinds: dict[str, int] = {}
        for operation in plan.operations:
            if kind := kind_of(operation):
                kinds[kind] = kinds.get(kind, 0) + 1
        return tuple(Counted(self.services.now(), kind, count) for kind, count in kinds.items())


NO_ANSWER = "The service gave no answer about this contact; it was left as it is and is tried again."


def _echoes(positions: Positions, work: Work) -> tuple[str, ...]:
    """The latest own writes in Outlook; that one was removed is news again when it has come back."""
    linked = work.recorder.links.keys() - work.inputs.links.keys()
    back = {fingerprint(work.recorder.links[key].outlook_id, DELETED) for key in linked}
    return tuple(each for each in (*positions.echoes, *work.echoes) if each not in back)[-ECHOES_MOST:]


def _held_kind(held: Held) -> HeldKind:
    return HeldKind(held.kind, held.count, held.limit, tuple(id_of(each) for each in held.operations))


def _is_bc(operation: Operation) -> bool:
    return isinstance(operation, Create | Write | Remove) and operation.side is Side.BC


def _pair_of(operation: Operation) -> str:
    match operation:
        case Write():
            return operation.bc.id
        case Remove() | Unlink():
            return operation.bc_id
    return ""
