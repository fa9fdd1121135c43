"""From conditions to tests on rows."""

from collections.abc import Callable
from operator import attrgetter, eq, ge, gt, le, lt, ne
from typing import Any

from dev.simulators.business_central import errors
from dev.simulators.business_central.al_filter import FilterRefused, Test, compile_filter, compile_pattern
from dev.simulators.business_central.fields import Kind
from dev.simulators.business_central.odata_filter import Comparison, Condition, Either, Every

type RowTest = Callable[[Any], bool]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"eq": eq, "ne": ne, "gt": gt, "ge": ge, "lt": lt, "le": le}
_PATTERNS = {"startswith": "{}*", "endswith": "*{}", "contains": "*{}*"}


def compile_condition(condition: Condition, literals: str = "al", code_upper: bool = False) -> RowTest:
    """Return the test for rows. `literals` and `code_upper`: see Switches. Raises BcError for bad literals."""
    match condition:
        case Comparison():
            return _compile_comparison(condition, literals, code_upper)
        case Every(parts):
            tests = [compile_condition(part, literals, code_upper) for part in parts]
            return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)
        case Either(parts):
            ids = wanted_ids(condition)
            if ids is not None:
                return lambda row: row.id in ids
            tests = [compile_condition(part, literals, code_upper) for part in parts]
            return lambda row: any(test(row) for test in tests)


def wanted_ids(condition: Condition | None) -> frozenset[str] | None:
    """Return the only ids that a condition can let through, or None when it does not name them."""
    match condition:
        case Comparison(field, "eq", value) if field.attribute == "id":
            return frozenset({value})
        case Either(parts):
            found = [wanted_ids(part) for part in parts]
            named = [ids for ids in found if ids is not None]
            return frozenset().union(*named) if len(named) == len(found) else None
        case Every(parts):
            return next((ids for ids in map(wanted_ids, parts) if ids is not None), None)
    return None


def lower_bound(condition: Condition | None, attribute: str) -> Any:
    """Return a value below which the condition lets no row through, or None when it states none."""
    match condition:
        case Comparison(field, "ge" | "gt" | "eq", value) if field.attribute == attribute:
            return value
        case Every(parts):
            found = [bound for bound in (lower_bound(part, attribute) for part in parts) if bound is not None]
            return max(found, default=None)
    return None


def _compile_comparison(comparison: Comparison, literals: str, code_upper: bool) -> RowTest:
    field, operator, value = comparison.field, comparison.operator, comparison.value
    get = attrgetter(field.attribute)
    if field.kind not in (Kind.TEXT, Kind.CODE):
        compare = _COMPARE[operator]
        return lambda row: compare(get(row), value)
    if field.kind is Kind.CODE and code_upper:
        value = value.upper()
    test = _text_test(operator, value, field.length, comparison.fold, literals)
    return lambda row: test(get(row))


def _text_test(operator: str, value: str, length: int, fold: bool, literals: str) -> Test:
    if operator in _PATTERNS:
        _check_length(value, length)
        return _search(operator, value, fold, literals)
    if operator not in ("eq", "ne"):
        _check_length(value, length)
        compare = _COMPARE[operator]
        if fold:
            return lambda text: compare(text.casefold(), value.casefold())
        return lambda text: compare(text, value)
    test = _equality(value, length, fold, literals)
    return test if operator == "eq" else lambda text: not test(text)


def _equality(value: str, length: int, fold: bool, literals: str) -> Test:
    if literals == "al":
        try:
            return compile_filter(value, length, fold)
        except FilterRefused as refused:
            raise errors.filter_refused(str(refused)) from None
    _check_length(value, length)
    if literals == "wildcards":
        return compile_pattern(value.removeprefix("@"), fold or value.startswith("@"))
    folded = value.casefold()
    return (lambda text: text.casefold() == folded) if fold else (lambda text: text == value)


def _search(operator: str, value: str, fold: bool, literals: str) -> Test:
    if literals != "exact":
        return compile_pattern(_PATTERNS[operator].format(value), fold)
    wanted = value.casefold() if fold else value
    tests: dict[str, Test] = {
        "startswith": lambda text: text.startswith(wanted),
        "endswith": lambda text: text.endswith(wanted),
        "contains": lambda text: wanted in text,
    }
    test = tests[operator]
    return (lambda text: test(text.casefold())) if fold else test


def _check_length(value: str, length: int) -> None:
    if len(value) > length:
        raise errors.filter_refused(
            f"The length of the string is {len(value)}, but it must be less than or equal to {length} characters. "
            f"Value: {value}"
        )
