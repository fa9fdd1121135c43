"""Whether a contact matches a filter, judged in our own code: the meaning that the OData text must agree with (R5).

Text compares code point by code point, for order too (BC's database sorts by its collation, which the API does not
tell): "Z" comes before "a". Ignoring case compares in lower case. A field that is missing counts as blank, and a
blank date is before every other.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from shared.filters.fields import CONTACT_FIELDS, ContactField
from shared.filters.literals import literal_keys, value_key
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
    Relation,
    Term,
    Wildcard,
)
from shared.filters.print import print_term


def matches(contact_filter: Filter, values: Mapping[str, str | bool]) -> bool:
    """Whether all expressions hold for these values: BC's API's own, by its names (dates ISO, enums by JSON member)."""
    return all(_holds_for(each, values) for each in contact_filter.expressions)


def first_failing_term(contact_filter: Filter, values: Mapping[str, str | bool]) -> tuple[str, str] | None:
    """The field and the printed part of the filter that excludes this contact; None when it matches.

    Of parts joined with & it is the first that fails, of parts joined with | all of them.
    """
    for each in contact_filter.expressions:
        parts = each.term.terms if isinstance(each.term, And) else (each.term,)
        for part in parts:
            if not _holds_for(Expression(each.field, part), values):
                return each.field, print_term(part)
    return None


def _holds_for(expression: Expression, values: Mapping[str, str | bool]) -> bool:
    field = CONTACT_FIELDS[expression.field]
    return _holds(field, expression.term, value_key(field, values.get(field.name, "")))


def _holds(field: ContactField, term: Term, key: str) -> bool:
    match term:
        case And(terms):
            return all(_holds(field, each, key) for each in terms)
        case Or(terms):
            return any(_holds(field, each, key) for each in terms)
        case Pattern(parts, ignore_case, negated):
            found = _pattern(parts, ignore_case).fullmatch(_fold(key, ignore_case))
            return (found is None) is negated
        case Equals(value, ignore_case):
            return _position(field, value, key, ignore_case) == 0
        case NotEquals(value, ignore_case):
            return _position(field, value, key, ignore_case) != 0
        case Compare(relation, value, ignore_case):
            return _is_in_relation(relation, _position(field, value, key, ignore_case))
        case Interval(low, high, ignore_case):
            is_after_low = low is None or _position(field, low, key, ignore_case) >= 0
            return is_after_low and (high is None or _position(field, high, key, ignore_case) <= 0)


def _position(field: ContactField, literal: str, key: str, ignore_case: bool) -> int:
    """Where a value lies: before (-1), within (0) or after (1) what the literal stands for."""
    first, last = (_fold(each, ignore_case) for each in literal_keys(field, literal))
    folded = _fold(key, ignore_case)
    if folded < first:
        return -1
    return 1 if folded > last else 0


def _is_in_relation(relation: Relation, position: int) -> bool:
    match relation:
        case Relation.LESS:
            return position < 0
        case Relation.AT_MOST:
            return position <= 0
        case Relation.MORE:
            return position > 0
        case Relation.AT_LEAST:
            return position >= 0


def _fold(text: str, ignore_case: bool) -> str:
    return text.lower() if ignore_case else text


@lru_cache(maxsize=1_000)
def _pattern(parts: tuple[str | Wildcard, ...], ignore_case: bool) -> re.Pattern[str]:
    """A pattern as a regular expression.

    Every stretch between two * is matched at its first place and never tried again (atomic groups), which finds the
    same texts as trying all places and cannot be made slow by a pattern of many *.
    """
    stretches = [""]
    for part in parts:
        if part is Wildcard.ANY:
            stretches.append("")
        else:
            stretches[-1] += "." if part is Wildcard.ONE else re.escape(_fold(part, ignore_case))
    first, *others = stretches
    if not others:
        return re.compile(first, re.DOTALL)
    *inner, last = others
    return re.compile(first + "".join(f"(?>.*?{each})" for each in inner if each) + f".*{last}", re.DOTALL)
