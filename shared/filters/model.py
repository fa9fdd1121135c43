"""What a parsed filter is: terms, their combination, one expression per field, and the error of a wrong one (R5).

Literals are kept as canonical text: codes in upper case, GUIDs in lower case, `true` and `false`, enum members as BC
writes them, dates as 2026-01-31 ("" for none), instants as 2026-01-31T08:30:00.000Z. No `%me` is left in them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from shared.errors import RequestError


class Wildcard(Enum):
    """A place in a pattern that is not literal text. Deliberately no str: a literal "*" must not equal it."""

    ANY = "*"  #: any number of characters, none included
    ONE = "?"  #: exactly one character


class Relation(Enum):
    """An order that a value is asked to have with a literal."""

    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Equals:
    """`X`, `=X`, `'X'`, `''`, `@X`."""

    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class NotEquals:
    """`<>X`, `<>''`, `<>@X`."""

    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Compare:
    """`<X`, `<=X`, `>X`, `>=X`."""

    relation: Relation
    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """`A..B`, `A..`, `..B`; both ends belong to it; None is an open end, and only one end may be open."""

    low: str | None
    high: str | None
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """`A*`, `*A?`, `<>A*`, `@a*`: literal texts and wildcards in turn, with at least one wildcard."""

    parts: tuple[str | Wildcard, ...]
    ignore_case: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class And:
    """All of at least two terms, none of them an `And` itself. Made by `all_of`."""

    terms: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of at least two terms, none of them an `Or` itself. Made by `any_of`."""

    terms: tuple["Term", ...]


type Term = Equals | NotEquals | Compare | Interval | Pattern | And | Or


@dataclass(frozen=True, slots=True)
class Expression:
    """What one field is asked to be; `field` is its name in BC's API."""

    field: str
    term: Term


@dataclass(frozen=True, slots=True)
class Filter:
    """Expressions that must all hold, in the order in which they were written. Empty: every contact matches."""

    expressions: tuple[Expression, ...] = ()


class FilterError(RequestError):
    """A filter that cannot be used: the field, the column (from 1) of the mistake, what was expected and found there.

    The message quotes a piece of what the caller wrote: it is an answer to that caller, not for logs.
    """

    code = "filter"
    field: str

    def __init__(self, field: str, column: int, expected: str, found: str) -> None:
        named = field[:100] if field.strip() else "a field without a name"  # as a caller wrote it: it may be anything
        super().__init__(
            f"Filter on {named}, column {column}: expected {expected}, found {found}.",
            field=field[:100],
            more={"column": column, "expected": expected, "found": found},
        )
        self.column = column
        self.expected = expected
        self.found = found


def all_of(terms: Iterable[Term]) -> Term:
    """The terms combined with AND; nested ANDs are taken apart, a single term stays as it is."""
    flat = tuple(part for term in terms for part in (term.terms if isinstance(term, And) else (term,)))
    return flat[0] if len(flat) == 1 else And(flat)


def any_of(terms: Iterable[Term]) -> Term:
    """The terms combined with OR; nested ORs are taken apart, a single term stays as it is."""
    flat = tuple(part for term in terms for part in (term.terms if isinstance(term, Or) else (term,)))
    return flat[0] if len(flat) == 1 else Or(flat)


def merge_filters(base: Filter, profile: Filter) -> Filter:
    """What matches both the company's base filter and the profile's (R5); the base comes first."""
    own = tuple(each for each in profile.expressions if each not in base.expressions)
    return Filter(base.expressions + own)
