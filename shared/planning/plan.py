"""Make a plan: one pure function from what was read to what is to be done. Preview and run call the same (R34)."""

from collections.abc import Iterable
from dataclasses import replace

from shared.planning.model import Absent, Inputs, Link, Note, Operation, Plan, Unpark
from shared.planning.newcomers import Newcomers
from shared.planning.pairs import decide


def make_plan(inputs: Inputs) -> Plan:
    """Everything to do, and everything to say, for what was read."""
    operations: list[Operation] = []
    remarks: list[Note] = []
    unchanged = 0
    replaceable = _replaceable(inputs)
    newcomers = Newcomers(inputs, set(inputs.links), replaceable)
    outlook_first = list(newcomers.from_outlook())
    for bc_id, link in inputs.links.items():
        if bc_id in newcomers.replaced:
            continue
        steps = list(decide(inputs, link, inputs.bc.get(bc_id), inputs.outlook.get(link.outlook_id)))
        unchanged += all(isinstance(step, Note) for step in steps)
        _sort_out(steps, operations, remarks)
    _sort_out(outlook_first, operations, remarks)
    _sort_out(newcomers.from_bc(), operations, remarks)
    operations.extend(_gone_while_parked(inputs))
    return Plan(tuple(operations), _each_once(remarks), unchanged, frozenset(newcomers.unhide))


def pair_after(inputs: Inputs, link: Link) -> Inputs:
    """Inputs for planning one pair again on what BC returned (R16, R22): only this link, no newcomers."""
    return replace(inputs, links={link.bc_id: link})


def _replaceable(inputs: Inputs) -> dict[str, Link]:
    return {
        bc_id: link for bc_id, link in inputs.links.items() if isinstance(inputs.outlook.get(link.outlook_id), Absent)
    }


def _gone_while_parked(inputs: Inputs) -> list[Operation]:
    return [Unpark(key) for key in inputs.parked if isinstance(inputs.outlook.get(key), Absent)]


def _sort_out(steps: Iterable[Operation | Note], operations: list[Operation], remarks: list[Note]) -> None:
    for step in steps:
        if isinstance(step, Note):
            remarks.append(step)
        else:
            operations.append(step)


def _each_once(remarks: list[Note]) -> tuple[Note, ...]:
    return tuple(dict.fromkeys(remarks))
