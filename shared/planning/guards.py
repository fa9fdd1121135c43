"""The safety stop (R26): count what a plan would remove or create; hold a whole kind back when it is too much. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from shared.cards.emails import keys_of
from shared.planning.model import Cause, Create, Operation, Park, Parked, Plan, Record, Remove, Side, Write


@dataclass(frozen=True, slots=True)
class SafetyLimits:
    """When operations are held (R26)."""

    removals_count: int = 10  #: more than this many and ...
    removals_share: float = 0.20  #: ... more than this share of the links, or ...
    removals_most: int = 200  #: ... more than this many
    feed_count: int = 50  #: a company's persons found gone: more than this many and ...
    feed_share: float = 0.05  #: ... more than this share
    bc_creations: int = 100  #: out of one folder
    outlook_creations: int = 5_000  #: in one folder
    strangers: int = 10  #: on a first run in a folder that the sync did not make
    window_hours: int = 24  #: runs that nobody asked for count together
    mass_updates: bool = False  #: whether updates are counted too
    updates_count: int = 500  #: on one side in one run: more than this many contacts and ...
    updates_share: float = 0.5  #: ... more than this share of the links


NO_LIMITS = SafetyLimits(10**9, 1.0, 10**9, 10**9, 1.0, 10**9, 10**9, 10**9)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the counting has to know about the run."""

    links: int  #: at the run's start
    counted: Mapping[str, int]  #: by kind: what unasked-for runs did in the last 24 hours; empty for requested runs
    strange_folder: bool = False  #: a first run in a folder that the sync did not make
    confirmed_removals: int | None = None  #: removals by a filter change that the request confirms
    held_before: Mapping[str, frozenset[str]] = field(default_factory=dict)  #: by kind: what waits for approval
    approved: Mapping[str, frozenset[str]] = field(default_factory=dict)  #: by kind: what a person approved
    gone_approved: frozenset[str] = frozenset()  #: BC ids whose deletion was approved for the whole company
    parked: Mapping[str, Parked] = field(default_factory=dict)  #: a contact parked as held waits for approval too


@dataclass(frozen=True, slots=True)
class Held:
    """One kind of operations that is held back."""

    kind: str
    count: int
    limit: str
    operations: tuple[Operation, ...]


HELD = "held"  #: a parked contact's reason: its creation in BC waits for approval
WAITS = "held by an earlier run and not approved yet"
OUTLOOK_REMOVALS, BC_REMOVALS = "outlook-removals", "bc-removals"
OUTLOOK_CREATIONS, BC_CREATIONS = "outlook-creations", "bc-creations"
OUTLOOK_UPDATES, BC_UPDATES = "outlook-updates", "bc-updates"
UPDATES = (OUTLOOK_UPDATES, BC_UPDATES)


def kind_of(operation: Operation) -> str:
    """Which kind the safety stop counts an operation as; blank for those that it does not count."""
    match operation:
        case Remove(cause=Cause.PRIVACY_BLOCKED | Cause.ERASED) | Remove(take_off=True):
            return ""
        case Remove(side=Side.OUTLOOK):
            return OUTLOOK_REMOVALS
        case Remove(side=Side.BC):
            return BC_REMOVALS
        case Create(side=Side.OUTLOOK):
            return OUTLOOK_CREATIONS
        case Create(side=Side.BC):
            return BC_CREATIONS
        case Write(values=values, new_link=False) if values:
            return OUTLOOK_UPDATES if operation.side is Side.OUTLOOK else BC_UPDATES
    return ""


def hold_back(plan: Plan, limits: SafetyLimits, around: Circumstances) -> tuple[Plan, tuple[Held, ...]]:
    """The plan without what is held, and what is held. Everything of a kind is held when its limit is passed, but for
    the very contacts that a person approved; what was held before stays held until then, however few it is by now."""
    held: list[Held] = []
    for kind, concerned in _by_kind(plan, around).items():
        granted = around.approved.get(kind, frozenset())
        asked = [each for each in concerned if id_of(each) not in granted]
        confirmed = _is_confirmed(concerned, around)
        if asked and (limit := _passed(kind, concerned, limits, around, confirmed=confirmed)):
            held.append(Held(kind, len(asked), limit, tuple(asked)))
        elif waiting := [each for each in asked if _was_held(kind, each, around, confirmed=confirmed)]:
            held.append(Held(kind, len(waiting), WAITS, tuple(waiting)))
    if not held:
        return plan, ()
    stopped = {id(operation) for each in held for operation in each.operations}
    pairs = {id_of(operation) for each in held if each.kind in UPDATES for operation in each.operations}
    going = [each for each in plan.operations if id(each) not in stopped and _pair_of(each) not in pairs]
    going.extend(
        Park(Parked(operation.outlook.id, HELD, keys_of(operation.outlook.card.email)))
        for each in held
        for operation in each.operations
        if isinstance(operation, Create) and operation.side is Side.BC and operation.outlook
    )
    return replace(plan, operations=tuple(going)), tuple(held)


def id_of(operation: Operation) -> str:
    """The contact that a held operation is remembered by: its BC id, but the Outlook id of a creation in BC."""
    match operation:
        case Remove():
            return operation.bc_id
        case Create():
            source = operation.outlook or operation.bc
            return source.id if source else ""
        case Write():
            return operation.bc.id
    return ""


def _by_kind(plan: Plan, around: Circumstances) -> Mapping[str, list[Operation]]:
    """What is counted. Deletions that were approved for the whole company are not (R26: one approval serves all)."""
    kinds: dict[str, list[Operation]] = defaultdict(list)
    for operation in plan.operations:
        is_gone = isinstance(operation, Remove) and operation.cause is Cause.DELETED_IN_BC
        if (kind := kind_of(operation)) and not (is_gone and id_of(operation) in around.gone_approved):
            kinds[kind].append(operation)
    return kinds


def _pair_of(operation: Operation) -> str:
    """A pair is updated whole or not at all: half of a merge must not be taken for the agreement of both sides."""
    match operation:
        case Write():
            return operation.bc.id
        case Record():
            return operation.link.bc_id
    return ""


def _was_held(kind: str, operation: Operation, around: Circumstances, *, confirmed: bool) -> bool:
    if kind == BC_CREATIONS:
        known = around.parked.get(id_of(operation))
        if known is not None and known.reason == HELD:
            return True
    if confirmed and isinstance(operation, Remove) and operation.cause is Cause.LEFT_SCOPE:
        return False
    return id_of(operation) in around.held_before.get(kind, frozenset())


def _is_confirmed(concerned: list[Operation], around: Circumstances) -> bool:
    """Whether the request covers the removals by a filter change: they are no more than a preview showed."""
    return around.confirmed_removals is not None and _by_filter(concerned) <= around.confirmed_removals


def _by_filter(concerned: list[Operation]) -> int:
    return sum(isinstance(each, Remove) and each.cause is Cause.LEFT_SCOPE for each in concerned)


def _passed(
    kind: str, concerned: list[Operation], limits: SafetyLimits, around: Circumstances, *, confirmed: bool
) -> str:
    """Which limit is passed, in words; blank for none."""
    count = len(concerned) + around.counted.get(kind, 0)
    if kind in UPDATES:
        return _too_many_updates(len(concerned), limits, around.links)
    if kind in (OUTLOOK_REMOVALS, BC_REMOVALS):
        by_filter = _by_filter(concerned)
        if confirmed:
            count -= by_filter
            if len(concerned) == by_filter:
                return ""
        return too_many_removals(count, limits, around.links)
    if kind == OUTLOOK_CREATIONS:
        return _over(count, limits.outlook_creations, "creations in one folder")
    if around.strange_folder and len(concerned) > limits.strangers:
        return f"more than {limits.strangers} contacts of a folder that the sync did not make match nobody"
    return _over(count, limits.bc_creations, "creations in Business Central out of one folder")


def _too_many_updates(count: int, limits: SafetyLimits, links: int) -> str:
    if limits.mass_updates and count > limits.updates_count and count > limits.updates_share * links:
        return f"more than {limits.updates_count} and more than {limits.updates_share:.0%} of {links} linked contacts"
    return ""


def too_many_removals(count: int, limits: SafetyLimits, links: int) -> str:
    """Which limit so many removals out of so many links pass, in words; blank for none (R26)."""
    if count > limits.removals_most:
        return f"more than {limits.removals_most} removals"
    if count > limits.removals_count and count > limits.removals_share * links:
        return f"more than {limits.removals_count} and more than {limits.removals_share:.0%} of {links} linked contacts"
    return ""


def _over(count: int, most: int, what: str) -> str:
    return f"more than {most:,} {what}" if count > most else ""
