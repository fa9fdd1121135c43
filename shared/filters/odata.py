"""From a filter to OData's `$filter` for BC's API v2.0, schema version 2.0 (BC reference 3.4, 3.6; R5).

The text never excludes a contact that matches; it may let others through, and `complete` says whether it does not.
What is not sent, and left to `matches`:

- order of texts and codes (`A..B`, `>A`): the database compares by its collation, we by code point;
- `@` with wildcards (nested functions need schema 2.1), `<>` with `@` or wildcards (`not` is undocumented);
- the part of a literal that BC might read as its own filter language (`* ? | & < > ( ) = % ..`, a leading `@`, quotes
  and blanks at the ends), or that may be too long for the field. The rest of the literal is sent as a wider pattern;
- blank enum members and blank dates, whose form in a query is undocumented.

Instants are widened by 50 ms on both ends, as BC's own code does, since the database rounds them.
"""

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from shared.filters.fields import CONTACT_FIELDS, ContactField, Kind
from shared.filters.literals import literal_keys
from shared.filters.model import (
    And,
    Compare,
    Equals,
    Filter,
    Interval,
    NotEquals,
    Or,
    Pattern,
    Relation,
    Term,
    Wildcard,
)

MAX_TERMS = 200  #: comparisons in one query that are reported to work (reference 3.4, rule 1)
MAX_LENGTH = 4_000  #: percent-encoded; half of the 8 KB that a URL should stay under (reference 3.4, rule 13)

_ROUNDING = timedelta(milliseconds=50)
_OPERATORS = {Relation.LESS: "lt", Relation.AT_MOST: "le", Relation.MORE: "gt", Relation.AT_LEAST: "ge"}
_RISKY = re.compile(r"[*?|&<>()=%]|\.{2,}")
_RISKY_FIRST = "@' "
_RISKY_LAST = "' "


@dataclass(frozen=True, slots=True)
class ODataFilter:
    """A `$filter`, not yet percent-encoded; None selects everything. `complete`: it selects exactly what matches."""

    text: str | None
    complete: bool


@dataclass(frozen=True, slots=True)
class _Clause:
    """A translated term; no text: no condition. `comparisons` counts what BC has to join."""

    text: str | None
    exact: bool
    comparisons: int = 1


_ANYTHING = _Clause(None, exact=True, comparisons=0)
_UNTRANSLATED = _Clause(None, exact=False, comparisons=0)


def to_odata(contact_filter: Filter, *, max_terms: int = MAX_TERMS, max_length: int = MAX_LENGTH) -> ODataFilter:
    """The narrowest `$filter` that is sure to exclude no match, within the caps; `max_length` counts it encoded."""
    texts: list[str] = []
    complete = True
    terms_left, length_left = max_terms, max_length
    for field, term in _conjuncts(contact_filter):
        clause = _translate(field, term)
        complete = complete and clause.exact
        if clause.text is None:
            continue
        length = len(quote(clause.text, safe="")) + len("%20and%20")
        if clause.comparisons > terms_left or length > length_left:
            complete = False
            continue
        terms_left -= clause.comparisons
        length_left -= length
        texts.append(clause.text)
    return ODataFilter(" and ".join(texts) or None, complete)


def _conjuncts(contact_filter: Filter) -> Iterable[tuple[ContactField, Term]]:
    """Every part that must hold by itself, so that each can be left out alone."""
    for each in contact_filter.expressions:
        for part in each.term.terms if isinstance(each.term, And) else (each.term,):
            yield CONTACT_FIELDS[each.field], part


def _translate(field: ContactField, term: Term) -> _Clause:
    match term:
        case And(terms):
            return _join("and", [_translate(field, each) for each in terms])
        case Or(terms):
            clauses = [_translate(field, each) for each in terms]
            if any(each.text is None for each in clauses):
                return _ANYTHING if _ANYTHING in clauses else _UNTRANSLATED
            return _join("or", clauses)
        case _ if field.kind in (Kind.TEXT, Kind.CODE):
            return _text_clause(field, term)
        case _ if field.kind is Kind.DATETIME:
            return _instant_clause(field, term)
        case _:
            return _plain_clause(field, term)


def _join(word: str, clauses: list[_Clause]) -> _Clause:
    """Several conditions on one field; in an AND those without text are left out."""
    texts = [each.text for each in clauses if each.text is not None]
    exact = all(each.exact for each in clauses)
    if not texts:
        return _ANYTHING if exact else _UNTRANSLATED
    text = texts[0] if len(texts) == 1 else "(" + f" {word} ".join(texts) + ")"
    return _Clause(text, exact, sum(each.comparisons for each in clauses))


def _text_clause(field: ContactField, term: Term) -> _Clause:
    match term:
        case Equals(value, ignore_case):
            fragments, is_whole = _fragments((value,))
            if not is_whole:
                return _UNTRANSLATED if ignore_case else _wildcard_clause(field, fragments, exact=False)
            if not ignore_case or not value:
                return _literal_clause(field, "{} eq {}", value)
            # How BC's database folds letters beyond ASCII is not documented: those rows are looked at again.
            return _literal_clause(field, "tolower({}) eq {}", value.lower(), exact=value.isascii())
        case NotEquals(value, ignore_case):
            is_sendable = _fragments((value,))[1] and (not ignore_case or not value)
            return _literal_clause(field, "{} ne {}", value) if is_sendable else _UNTRANSLATED
        case Pattern(parts, ignore_case, negated):
            if parts == (Wildcard.ANY,) and not negated:
                return _ANYTHING
            if ignore_case or negated:
                return _UNTRANSLATED
            fragments, is_whole = _fragments(parts)
            gaps = [part for part in parts if isinstance(part, Wildcard)]
            is_simple = Wildcard.ONE not in gaps and sum(isinstance(part, str) for part in parts) == 1
            return _wildcard_clause(field, fragments, exact=is_whole and is_simple)
        case _:
            return _UNTRANSLATED


def _fragments(parts: tuple[str | Wildcard, ...]) -> tuple[list[str | None], bool]:
    """Literal pieces that are safe to send with gaps (None) between them, and whether no literal had to be cut."""
    pieces: list[str | None] = []
    is_whole = True
    for part in parts:
        if isinstance(part, Wildcard):
            pieces.append(None)
            continue
        safe = _safe_pieces(part)
        is_whole = is_whole and (safe == [part] or not part)
        pieces += safe
    return pieces, is_whole


def _safe_pieces(literal: str) -> list[str | None]:
    """One literal cut at what BC might interpret; characters that cannot be seen count as that too."""
    pieces: list[str | None] = []
    for fragment in _RISKY.split("".join(char if char.isprintable() else "*" for char in literal)):
        if pieces:
            pieces.append(None)  # what the fragments were split at
        tail = fragment.lstrip(_RISKY_FIRST)
        core = tail.rstrip(_RISKY_LAST)
        before = [None] if tail != fragment else []
        after = [None] if core != tail else []
        pieces += [*before, *([core] if core else [None]), *after]
    return pieces


def _wildcard_clause(field: ContactField, pieces: list[str | None], *, exact: bool) -> _Clause:
    """startswith, contains and endswith on the literal pieces, as far as they fit the field with their wildcards."""
    clauses: list[_Clause] = []
    for index, piece in enumerate(pieces):
        if piece is None:
            continue
        if index == 0:
            form = "startswith({},{})"
        elif index == len(pieces) - 1:
            form = "endswith({},{})"
        else:
            form = "contains({},{})"
        clauses.append(_literal_clause(field, form, piece, wildcards=1 if form[0] in "se" else 2, exact=exact))
    return _join("and", clauses) if clauses else _UNTRANSLATED


def _literal_clause(field: ContactField, form: str, literal: str, *, wildcards: int = 0, exact: bool = True) -> _Clause:
    """A condition with one text literal, or none when BC may find the literal too long."""
    if len(literal) + wildcards > field.sent_length:
        return _UNTRANSLATED
    return _Clause(form.format(field.name, "'" + literal.replace("'", "''") + "'"), exact)


def _instant_clause(field: ContactField, term: Term) -> _Clause:
    bounds = []
    first, last = _instant_bounds(field, term)
    if first is not None:
        bounds.append(_Clause(f"{field.name} ge {_widened(first, -_ROUNDING)}", exact=False))
    if last is not None:
        bounds.append(_Clause(f"{field.name} le {_widened(last, _ROUNDING)}", exact=False))
    return _join("and", bounds) if bounds else _UNTRANSLATED


def _instant_bounds(field: ContactField, term: Term) -> tuple[str | None, str | None]:
    """First and last instant that can match, as far as there are such."""
    match term:
        case Equals(value):
            return literal_keys(field, value)
        case Interval(low, high):
            first = None if low is None else literal_keys(field, low)[0]
            return first, None if high is None else literal_keys(field, high)[1]
        case Compare(Relation.LESS, value):
            return None, literal_keys(field, value)[0]
        case Compare(Relation.AT_MOST, value):
            return None, literal_keys(field, value)[1]
        case Compare(Relation.MORE, value):
            return literal_keys(field, value)[1], None
        case Compare(Relation.AT_LEAST, value):
            return literal_keys(field, value)[0], None
        case _:
            return None, None


def _widened(key: str, by: timedelta) -> str:
    """An instant moved by the rounding, as far as the calendar goes."""
    with contextlib.suppress(OverflowError):
        key = (datetime.fromisoformat(key) + by).isoformat(timespec="milliseconds")
    return key + "Z"


def _plain_clause(field: ContactField, term: Term) -> _Clause:
    """Enums, GUIDs, booleans and dates; blank ones are not sent."""
    match term:
        case Equals(value) if value:
            return _Clause(f"{field.name} eq {_plain(field, value)}", exact=True)
        case NotEquals(value) if value:
            return _Clause(f"{field.name} ne {_plain(field, value)}", exact=True)
        case Compare(relation, value) if value:
            return _Clause(f"{field.name} {_OPERATORS[relation]} {value}", exact=True)
        case Interval(low, high) if low != "" and high != "":
            bounds = [_Clause(f"{field.name} ge {low}", exact=True)] if low is not None else []
            bounds += [_Clause(f"{field.name} le {high}", exact=True)] if high is not None else []
            return _join("and", bounds)
        case _:
            return _UNTRANSLATED


def _plain(field: ContactField, value: str) -> str:
    return f"'{value}'" if field.kind is Kind.ENUM else value
