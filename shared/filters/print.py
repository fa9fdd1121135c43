"""From the model back to text: canonical, and read again it gives the same model."""

import re

from shared.filters.model import (
    And,
    Compare,
    Equals,
    Expression,
    Filter,
    Interval,
    NotEquals,
    Or,
    Pattern,
    Term,
    all_of,
)

# Words with single harmless signs between them can stand without quotes; "_" and letters of all scripts are words.
_PLAIN = re.compile(r"\w+(?:[ .,+/:@-]\w+)*")


def print_filter(contact_filter: Filter) -> dict[str, str]:
    """One expression per field, as a profile holds it; several on one field (after a merge) are joined with &."""
    terms: dict[str, list[Term]] = {}
    for each in contact_filter.expressions:
        terms.setdefault(each.field, []).append(each.term)
    return {field: print_term(all_of(parts)) for field, parts in terms.items()}


def print_expression(expression: Expression) -> str:
    """The text of one field's expression."""
    return print_term(expression.term)


def print_term(term: Term) -> str:
    """The text of a term; an OR inside an AND is in parentheses."""
    match term:
        case Equals(value, ignore_case):
            return _sign(ignore_case) + _quote(value)
        case NotEquals(value, ignore_case):
            return "<>" + _sign(ignore_case) + _quote(value)
        case Compare(relation, value, ignore_case):
            return relation.value + _sign(ignore_case) + _quote(value)
        case Interval(low, high, ignore_case):
            ends = (("" if end is None else _quote(end)) for end in (low, high))
            return _sign(ignore_case) + "..".join(ends)
        case Pattern(parts, ignore_case, negated):
            text = "".join(_quote(part) if isinstance(part, str) else part.value for part in parts)
            return ("<>" if negated else "") + _sign(ignore_case) + text
        case And(terms):
            return "&".join(f"({print_term(each)})" if isinstance(each, Or) else print_term(each) for each in terms)
        case Or(terms):
            return "|".join(print_term(each) for each in terms)


def _sign(ignore_case: bool) -> str:
    return "@" if ignore_case else ""


def _quote(literal: str) -> str:
    if _PLAIN.fullmatch(literal):
        return literal
    return "'" + literal.replace("'", "''") + "'"
