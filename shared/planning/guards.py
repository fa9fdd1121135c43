"""The safety stop (R26): count what a plan would remove or create; hold a whole kind back when it is too much. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from shared.cards.emails import keys_of
from shared.planning.model import Cause, Create, Operation, Park, Parked, Plan, Remove, Side


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


NO_LIMITS = SafetyLimits(10**9, 1.0, 10**9, 10**9, 1.0, 10**9, 10**9, 10**9)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the counting has to know about the run."""

    links: int  #: at the run's start
    counted: Mapping[str, int]  #: by kind: what unasked-for runs did in the last 24 hours; empty for requested runs
    strange_folder: bool = False  #: a first run in a folder that the sync did not make
    confirmed_removals: int | None = None  #: removals by a filter change that the request confirms
    held_before: Mapping[str, frozenset[str]] = field(default_factory=dict)  #: by kind: what waits for approval
    parked: Mapping[str, Parked] = field(default_factory=dict)  #: a contact parked as held waits for approval too


@dataclass(frozen=True, slots=True)
class Held:
    """One kind of operations that is held back."""

    kind: str
    count: int
    limit: str
    operations: tuple[Operation, ...]


HELD = "held"  #: a parked contact's reason: its creation in BC waits for approval
ALL = "*"  #: too many to remember one by one: every removal of that kind waits
WAITS = "held by an earlier run and not approved yet"
OUTLOOK_REMOVALS, BC_REMOVALS = "outlook-removals", "bc-removals"
OUTLOOK_CREATIONS, BC_CREATIONS = "outlook-creations", "bc-creations"


def kind_of(operation: Operation) -> str:
    """Which kind the safety stop counts an operation as; blank for those that it does not count."""
    match operation:
        case Remove(cause=Cause.PRIVACY_BLOCKED) | Remove(take_off=True):
            return ""
        case Remove(side=Side.OUTLOOK):
            return OUTLOOK_REMOVALS
        case Remove(side=Side.BC):
            return BC_REMOVALS
        case Create(side=Side.OUTLOOK):
            return OUTLOOK_CREATIONS
        case Create(side=Side.BC):
            return BC_CREATIONS
    return ""


def hold_back(plan: Plan, limits: SafetyLimits, around: Circumstances) -> tuple[Plan, tuple[Held, ...]]:
    """The plan without what is held, and what is held. Everything of a kind is held when its limit is passed; what was
    held before stays held until a person approves it, however few it is by now."""
    kinds: dict[str, list[Operation]] = defaultdict(list)
    for operation in plan.operations:
        if kind := kind_of(operation):
            kinds[kind].append(operation)
    held: list[Held] = []
    for kind, concerned in kinds.items():
        if limit := _passed(kind, concerned, limits, around):
            held.append(Held(kind, len(concerned), limit, tuple(concerned)))
        elif waiting := [each for each in concerned if _was_held(kind, each, around)]:
            held.append(Held(kind, len(waiting), WAITS, tuple(waiting)))
    if not held:
        return plan, ()
    stopped = {id(operation) for each in held for operation in each.operations}
    going = [operation for operation in plan.operations if id(operation) not in stopped]
    going.extend(
        Park(Parked(operation.outlook.id, HELD, keys_of(operation.outlook.card.email)))
        for each in held
        for operation in each.operations
        if isinstance(operation, Create) and operation.side is Side.BC and operation.outlook
    )
    return replace(plan, operations=tuple(going)), tuple(held)


def id_of(operation: Operation) -> str:
    """The contact that a held operation is remembered by: BC id of a removal, Outlook id of a creation in BC."""
    match operation:
        case Remove():
            return operation.bc_id
        case Create():
            source = operation.outlook or operation.bc
            return source.id if source else ""
    return ""


def _was_held(kind: str, operation: Operation, around: Circumstances) -> bool:
    if kind == BC_CREATIONS:
        known = around.parked.get(id_of(operation))
        return known is not None and known.reason == HELD
    if isinstance(operation, Remove) and _is_confirmed(operation, around):
        return False
    waiting = around.held_before.get(kind, frozenset())
    return ALL in waiting or id_of(operation) in waiting


def _is_confirmed(operation: Remove, around: Circumstances) -> bool:
    return around.confirmed_removals is not None and operation.cause is Cause.LEFT_SCOPE


def _passed(kind: str, concerned: list[Operation], limits: SafetyLimits, around: Circumstances) -> str:
    count = len(concerned) + around.counted.get(kind, 0)
    if kind in (OUTLOOK_REMOVALS, BC_REMOVALS):
        by_filter = sum(isinstance(each, Remove) and each.cause is Cause.LEFT_SCOPE for each in concerned)
        if around.confirmed_removals is not None and by_filter <= around.confirmed_removals:
            count -= by_filter
            if len(concerned) == by_filter:
                return ""
        return _too_many_removals(count, limits, around.links)
    if kind == OUTLOOK_CREATIONS:
        return _over(count, limits.outlook_creations, "creations in one folder")
    if around.strange_folder and len(concerned) > limits.strangers:
        return f"more than {limits.strangers} contacts of a folder that the sync did not make match nobody"
    return _over(count, limits.bc_creations, "creations in Business Central out of one folder")


def _too_many_removals(count: int, limits: SafetyLimits, links: int) -> str:
    if count > limits.removals_most:
        return f"more than {limits.removals_most} removals"
    if count > limits.removals_count and count > limits.removals_share * links:
        return f"more than {limits.removals_count} and more than {limits.removals_share:.0%} of {links} linked contacts"
    return ""


def _over(count: int, most: int, what: str) -> str:
    return f"more than {most:,} {what}" if count > most else ""
