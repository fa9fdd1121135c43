"""A preview (R34): every operation, field by field, and what would be held. Nothing is changed."""

from collections.abc import Sequence

from shared.engine.tally import Tally
from shared.planning.describe import describe
from shared.planning.guards import Held
from shared.planning.model import Create, Operation, Plan, Remove, Write


def shown(plan: Plan, held: Sequence[Held], tally: Tally) -> list[dict[str, object]]:
    """The operations, described; the counts of `tally` become those of the plan."""
    lines = [_shown(operation, tally, held=False) for operation in plan.operations]
    lines += [_shown(operation, tally, held=True) for each in held for operation in each.operations]
    return [line for line in lines if line is not None]


def _shown(operation: Operation, tally: Tally, *, held: bool) -> dict[str, object] | None:
    line = describe(operation)
    if line is None:
        return None
    if not held and isinstance(operation, Create | Write | Remove):
        verbs = {Create: "created", Write: "updated", Remove: "deleted"}
        tally.add(operation.side, verbs[type(operation)])
    return {**line, "held": held}
