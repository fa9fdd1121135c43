"""A step of an undo in words and figures, as `describe` does for a sync. Values are for the answer, never for a log."""

from shared.cards.model import Card
from shared.planning.describe import Described
from shared.planning.journalled import COMPANY_NUMBER, values_of
from shared.planning.model import Side
from shared.planning.undo import UNDO
from shared.planning.undo_model import PutBack, Restore, TakeBack


def describe(step: PutBack | TakeBack | Restore) -> Described:
    """One step, field by field."""
    match step:
        case PutBack():
            now = step.bc if step.side is Side.BC else step.outlook
            card = now.card if now else Card()
            fields = [{"field": which.value, "from": card.get(which), "to": to} for which, to in step.values.items()]
            if step.company_number is not None:
                was = step.bc.company_number if step.bc else ""
                fields.append({"field": COMPANY_NUMBER, "from": was, "to": step.company_number})
            return _line("update", step.side, card.name, step.bc_id, step.outlook_id, fields)
        case TakeBack():
            named = (step.bc if step.side is Side.BC else step.outlook) or step.bc or step.outlook
            name = named.card.name if named else ""
            return _line("remove", step.side, name, step.bc_id, step.outlook_id, [])
        case Restore():
            fields = [{"field": name, "from": "", "to": to} for name, to in values_of(step.card).items()]
            entry = step.entry
            return _line("create", step.side, step.card.name, entry.bc_id, entry.outlook_id, fields)


def _line(
    verb: str, side: Side, name: str, bc_id: str, outlook_id: str, fields: list[dict[str, str]]
) -> dict[str, object]:
    line: Described = {"operation": verb, "side": side.value, "cause": UNDO, "name": name, "held": False}
    return line | {"bcId": bc_id, "outlookId": outlook_id, "fields": fields}
