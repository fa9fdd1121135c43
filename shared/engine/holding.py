"""The safety stop's memory: what the counting knows of earlier runs, and what waits for a person (R26).

Of each kind a profile has one hold. A run that meets some of it again, or adds to it, takes it over; a look at
everything leaves of it what is still due. So the newest held run names all that waits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from shared.engine.company_state import APPROVED_GONE, Companies
from shared.engine.holds import SHOWN_MOST, Hold
from shared.engine.model import Counted, HeldKind, Positions, RunRequest
from shared.engine.reading import Reading
from shared.engine.services import Services
from shared.planning.guards import UPDATES, Circumstances, Held, id_of, kind_of
from shared.planning.model import Cause, Plan, Remove


@dataclass(slots=True)
class Holding:
    """What waits before one run, and after it."""

    services: Services
    request: RunRequest
    reading: Reading
    before: dict[str, frozenset[str]] = field(init=False)  #: contacts by kind
    approved: dict[str, frozenset[str]] = field(init=False)  #: those that this run may do

    def __post_init__(self) -> None:
        holds = self.reading.positions.holds
        self.before = {kind: self.reading.state.held(kind) for kind in holds}
        named = self.request.approves.kinds if self.request.approves is not None else {}
        self.approved = {
            kind: self.before[kind]
            for kind, hold in holds.items()
            # what joined after the approval is another hold; a torn one is never taken for what was approved
            if kind in named and named[kind] == hold.since and len(self.before[kind]) == hold.count
        }

    def circumstances(self, plan: Plan) -> Circumstances:
        """What the counting has to know about the run."""
        positions = self.reading.positions
        counted: dict[str, int] = {}
        if not self.request.trigger.is_requested:
            for each in counted_lately(self.services, positions):
                counted[each.kind] = counted.get(each.kind, 0) + each.count
        return Circumstances(
            links=positions.link_count,
            counted=counted,
            strange_folder=not self.reading.chosen.made and positions.last_run_at is None,
            confirmed_removals=self.request.confirm_removals,
            held_before=self.before,
            approved=self.approved,
            gone_approved=self._gone_approved(plan),
            parked=self.reading.parked,
        )

    def _gone_approved(self, plan: Plan) -> frozenset[str]:
        """Deletions that were approved for the whole company; read only where something of the kind is planned."""
        reading = self.reading
        is_due = any(isinstance(each, Remove) and each.cause is Cause.DELETED_IN_BC for each in plan.operations)
        if not is_due or not reading.feed.approved_gone:
            return frozenset()
        return reading.companies.held(reading.rules.company_id, APPROVED_GONE)

    def after(self, held: Sequence[Held], plan: Plan) -> tuple[dict[str, Hold], dict[str, tuple[str, ...]]]:
        """What waits when `plan` is done: the holds, and of each kind all contacts, none for a kind that is over."""
        holds: dict[str, Hold] = {}
        contacts: dict[str, tuple[str, ...]] = {}
        met = {each.kind: each for each in held}
        for kind in sorted(self.before.keys() | met.keys()):
            waiting = self._kept(kind, plan) | {id_of(each) for each in (met[kind].operations if kind in met else ())}
            contacts[kind] = tuple(sorted(waiting))
            if waiting:
                holds[kind] = self._hold(kind, met.get(kind), waiting)
        return holds, contacts

    def _kept(self, kind: str, plan: Plan) -> set[str]:
        """What stays of the hold that was there: a look at everything sees all that is still due."""
        extent = self.reading.extent
        if extent.outlook_full and extent.bc_full and self.reading.rules.limit_to is None:
            return set()
        done = {id_of(each) for each in plan.operations if kind_of(each) == kind}
        return set(self.before.get(kind, ())) - self.approved.get(kind, frozenset()) - done

    def _hold(self, kind: str, met: Held | None, waiting: set[str]) -> Hold:
        now, known = self.services.now(), self.reading.positions.holds.get(kind)
        days = self.services.limits.hold_days
        if known is None or not waiting <= self.before[kind] or (met is not None and known.has_lapsed(now, days)):
            return Hold(kind, len(waiting), met.limit if met else "", now, now, self.request.run_id)
        if met is None:
            return Hold(kind, len(waiting), known.limit, known.since, known.held_at, known.run_id)
        return Hold(kind, len(waiting), met.limit, known.since, now, self.request.run_id)


def reported(held: Sequence[Held], holds: Mapping[str, Hold], waiting: Mapping[str, Sequence[str]]) -> list[HeldKind]:
    """As a run's report shows it: of each kind that the run met, all that waits now."""
    return [
        HeldKind(each.kind, hold.count, each.limit, tuple(waiting[each.kind][:SHOWN_MOST]), hold.since)
        for each in held
        for hold in (holds[each.kind],)
    ]


def company_reported(companies: Companies, company_id: str, hold: Hold) -> HeldKind:
    """A company's hold as a run's report shows it."""
    ids = sorted(companies.held(company_id, hold.kind))[:SHOWN_MOST]
    return HeldKind(hold.kind, hold.count, hold.limit, tuple(ids), hold.since)


def counted_lately(services: Services, positions: Positions) -> list[Counted]:
    """What runs that nobody asked for did in the hours that count together."""
    since = services.now() - timedelta(hours=services.limits.safety.window_hours)
    return [each for each in positions.counted if each.at >= since]


def counted_now(services: Services, request: RunRequest, plan: Plan) -> tuple[Counted, ...]:
    """What this run adds to it; a requested one counts alone, and so do updates."""
    if request.trigger.is_requested:
        return ()
    kinds: dict[str, int] = {}
    for operation in plan.operations:
        if (kind := kind_of(operation)) and kind not in UPDATES:
            kinds[kind] = kinds.get(kind, 0) + 1
    return tuple(Counted(services.now(), kind, count) for kind, count in kinds.items())
