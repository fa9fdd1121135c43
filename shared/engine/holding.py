"""The safety stop's memory: what the counting knows of earlier runs, and what waits for a person (R26)."""

from collections.abc import Sequence
from datetime import timedelta

from shared.engine.model import Counted, HeldKind, Positions, RunRequest
from shared.engine.reading import Reading
from shared.engine.services import Services
from shared.planning.guards import ALL, BC_REMOVALS, OUTLOOK_REMOVALS, Circumstances, Held, id_of, kind_of
from shared.planning.model import Plan

HELD_MOST = 2_000  #: removals that are remembered one by one while they wait for approval


def circumstances(services: Services, request: RunRequest, reading: Reading) -> Circumstances:
    """What the counting has to know about a run."""
    positions = reading.positions
    counted: dict[str, int] = {}
    if not request.trigger.is_requested:
        for each in counted_lately(services, positions):
            counted[each.kind] = counted.get(each.kind, 0) + each.count
    return Circumstances(
        links=positions.link_count,
        counted=counted,
        strange_folder=not reading.chosen.made and positions.last_run_at is None,
        confirmed_removals=request.confirm_removals,
        held_before={kind: frozenset(ids) for kind, ids in positions.held.items()},
        parked=reading.parked,
    )


def counted_lately(services: Services, positions: Positions) -> list[Counted]:
    """What runs that nobody asked for did in the hours that count together."""
    since = services.now() - timedelta(hours=services.limits.safety.window_hours)
    return [each for each in positions.counted if each.at >= since]


def counted_now(services: Services, request: RunRequest, plan: Plan) -> tuple[Counted, ...]:
    """What this run adds to it; a requested one counts alone."""
    if request.trigger.is_requested:
        return ()
    kinds: dict[str, int] = {}
    for operation in plan.operations:
        if kind := kind_of(operation):
            kinds[kind] = kinds.get(kind, 0) + 1
    return tuple(Counted(services.now(), kind, count) for kind, count in kinds.items())


def waiting(reading: Reading, held: Sequence[Held]) -> dict[str, tuple[str, ...]]:
    """Removals that wait for approval: a full look forgets what is no longer due."""
    whole = reading.extent.outlook_full and reading.extent.bc_full
    left: dict[str, tuple[str, ...]] = {} if whole else dict(reading.positions.held)
    for each in held:
        if each.kind in (OUTLOOK_REMOVALS, BC_REMOVALS):
            ids = dict.fromkeys([*left.get(each.kind, ()), *(id_of(one) for one in each.operations)])
            left[each.kind] = tuple(ids) if len(ids) <= HELD_MOST else (ALL,)
    return left


def held_kind(held: Held) -> HeldKind:
    """As a report shows it."""
    return HeldKind(held.kind, held.count, held.limit, tuple(id_of(each) for each in held.operations))
