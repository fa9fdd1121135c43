"""An operation in words and figures, for previews (R34) and reports. Values are for the answer, never for a log."""

from collections.abc import Mapping

from shared.cards.model import Card, Field
from shared.planning.model import Create, Operation, Park, Record, Remove, Side, Unlink, Unpark, Write

type Described = dict[str, object]


def describe(operation: Operation) -> Described | None:
    """One operation as a plain mapping; None for what only concerns our own records."""
    match operation:
        case Create():
            card = operation.bc.card if operation.bc else operation.outlook.card if operation.outlook else Card()
            return _line("create", operation.side, operation.cause, card.name) | {
                "bcId": operation.bc.id if operation.bc else "",
                "outlookId": operation.outlook.id if operation.outlook else operation.replaces,
                "fields": _fields(operation.values, Card()),
            }
        case Write() if operation.values or operation.company_number is not None:
            before = operation.bc.card if operation.side is Side.BC else operation.outlook.card
            fields = _fields(operation.values, before)
            if operation.company_number is not None:
                was, now = operation.bc.company_number, operation.company_number
                fields.append({"field": "companyNumber", "from": was, "to": now})
            return _line("update", operation.side, operation.cause, operation.bc.card.name) | {
                "bcId": operation.bc.id,
                "outlookId": operation.outlook.id,
                "fields": fields,
            }
        case Write() | Record():
            return _linked(operation) if operation.new_link else None
        case Remove():
            verb = "take-marks-off" if operation.take_off else "remove"
            return _line(verb, operation.side, operation.cause, operation.name) | {
                "bcId": operation.bc_id,
                "outlookId": operation.outlook_id,
                "fields": [],
            }
        case Unlink() | Park() | Unpark():
            return None


def _line(verb: str, side: Side, cause: str, name: str) -> Described:
    return {"operation": verb, "side": side.value, "cause": str(cause), "name": name}


def _linked(operation: Write | Record) -> Described:
    link = operation.link
    return {
        "operation": "link",
        "side": "",
        "cause": str(operation.cause),
        "name": link.base_bc.name or (operation.bc.card.name if isinstance(operation, Write) else ""),
        "bcId": link.bc_id,
        "outlookId": link.outlook_id,
        "fields": [],
    }


def _fields(values: Mapping[Field, str], before: Card) -> list[dict[str, str]]:
    return [{"field": which.value, "from": before.get(which), "to": value} for which, value in values.items()]
