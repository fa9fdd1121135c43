"""R5 on random input: parsing fails only in its own way, printing loses nothing, patterns mean what they say."""

import string

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.filters import FilterError, Kind, first_failing_term, matches, parse_expression, parse_filter, print_filter
from shared.filters.fields import CONTACT_FIELDS
from shared.filters.literals import canonical_literal
from shared.filters.model import (
    Compare,
    Equals,
    Expression,
    Filter,
    Interval,
    NotEquals,
    Pattern,
    Relation,
    Term,
    Wildcard,
    all_of,
    any_of,
)
from shared.filters.print import print_expression

# Few characters, so that values and literals meet, and every sign of both languages among them.
SIGNS = "aAbB ß*?@'.|&<>()=%,-"
FIELDS = sorted(CONTACT_FIELDS)
GUIDS = ["88bbb6a9-16c6-f011-8542-7c1e520ee21f", "00000000-0000-0000-0000-000000000000"]
DATES = ["", "0001-01-02", "2026-01-30", "2026-01-31", "2026-02-01", "9999-12-31"]
INSTANTS = [*DATES[1:], "2026-01-31T00:00:00.000Z", "2026-01-31T08:30:00.180Z", "2026-01-31T23:59:59.999Z"]


def literals(name: str) -> st.SearchStrategy[str]:
    """Canonical literals of a field."""
    field = CONTACT_FIELDS[name]
    match field.kind:
        case Kind.TEXT | Kind.CODE:
            texts = st.text(SIGNS, max_size=4) | st.text(max_size=8)
            return texts.filter(lambda text: len(text) <= 8).map(lambda text: canonical_literal(field, text))
        case Kind.GUID:
            return st.sampled_from(GUIDS)
        case Kind.BOOLEAN:
            return st.sampled_from(["true", "false"])
        case Kind.DATE:
            return st.sampled_from(DATES)
        case Kind.DATETIME:
            return st.sampled_from(INSTANTS)
        case Kind.ENUM:
            return st.sampled_from(field.members)


@st.composite
def patterns(draw: st.DrawFn, name: str, ignore_case: st.SearchStrategy[bool]) -> Pattern:
    """Patterns in canonical form: no two literals and no two * in a row."""
    drawn = draw(st.lists(st.sampled_from(Wildcard) | literals(name).filter(bool), min_size=1, max_size=5))
    parts: list[str | Wildcard] = []
    for part in drawn:
        both_literal = bool(parts) and isinstance(part, str) and isinstance(parts[-1], str)
        if not both_literal and not (part is Wildcard.ANY and parts[-1:] == [Wildcard.ANY]):
            parts.append(part)
    length = sum(len(part) for part in parts if isinstance(part, str))
    assume(length <= CONTACT_FIELDS[name].length and any(isinstance(part, Wildcard) for part in parts))
    return Pattern(tuple(parts), draw(ignore_case), draw(st.booleans()))


def terms(name: str, max_leaves: int = 6) -> st.SearchStrategy[Term]:
    """Every model that parsing can give for a field."""
    kind = CONTACT_FIELDS[name].kind
    values = literals(name)
    ignore_case = st.booleans() if kind is Kind.TEXT else st.just(False)
    leaves: list[st.SearchStrategy[Term]] = [
        st.builds(Equals, values, ignore_case),
        st.builds(NotEquals, values, ignore_case),
    ]
    if kind in (Kind.TEXT, Kind.CODE, Kind.DATE, Kind.DATETIME):
        ends = st.tuples(st.none() | values, st.none() | values).filter(lambda both: both != (None, None))
        leaves.append(st.builds(Compare, st.sampled_from(Relation), values, ignore_case))
        leaves.append(st.builds(lambda both, ignore: Interval(both[0], both[1], ignore), ends, ignore_case))
    if kind in (Kind.TEXT, Kind.CODE):
        leaves.append(patterns(name, ignore_case))
    if max_leaves == 1:
        return st.one_of(leaves)
    return st.recursive(
        st.one_of(leaves),
        lambda inner: (
            st.lists(inner, min_size=2, max_size=3).map(all_of) | st.lists(inner, min_size=2, max_size=3).map(any_of)
        ),
        max_leaves=max_leaves,
    )


def expressions(names: list[str] = FIELDS) -> st.SearchStrategy[Expression]:
    return st.sampled_from(names).flatmap(lambda name: st.builds(Expression, st.just(name), terms(name)))


def values(name: str) -> st.SearchStrategy[str | bool]:
    """Values of a field as BC's API shows them."""
    field = CONTACT_FIELDS[name]
    match field.kind:
        case Kind.BOOLEAN:
            return st.booleans()
        case Kind.ENUM:
            return st.sampled_from(field.members).map(lambda member: (member or " ").replace(" ", "_x0020_"))
        case Kind.DATE:
            return st.sampled_from(DATES).map(lambda day: day or "0001-01-01")
        case Kind.DATETIME:
            fractions = st.sampled_from(["", ".18", ".999", ".5"])
            return st.builds(
                lambda day, time, fraction: f"{day}T{time}{fraction}Z",
                st.sampled_from(DATES[1:]),
                st.sampled_from(["00:00:00", "08:30:00", "23:59:59"]),
                fractions,
            )
        case _:
            return literals(name)


@given(st.sampled_from(FIELDS) | st.text(max_size=12), st.text(SIGNS + string.digits, max_size=30) | st.text())
def test_parsing_raises_nothing_but_a_filter_error_and_prints_what_it_read(field: str, text: str) -> None:
    try:
        parsed = parse_expression(field, text, me="ANNA", company="CRONUS & Co.")
    except FilterError as error:
        assert error.field == field
        assert 1 <= error.column <= len(text) + 1
        assert error.expected
        assert error.found
    else:
        assert parse_expression(field, print_expression(parsed)) == parsed


@given(expressions())
def test_a_printed_expression_reads_back_as_the_same(expression: Expression) -> None:
    assert parse_expression(expression.field, print_expression(expression)) == expression


@given(st.data(), st.lists(expressions(), max_size=4))
def test_a_printed_filter_selects_the_same_and_a_contact_is_excluded_by_a_term_or_not_at_all(
    data: st.DataObject, parts: list[Expression]
) -> None:
    contact_filter = Filter(tuple(parts))
    contact = {each.field: data.draw(values(each.field)) for each in parts}
    selected = matches(contact_filter, contact)
    assert matches(parse_filter(print_filter(contact_filter)), contact) is selected
    failing = first_failing_term(contact_filter, contact)
    assert (failing is None) is selected
    if failing is not None:
        assert not matches(parse_filter({failing[0]: failing[1]}), contact)


def _matches_slowly(parts: list[str | Wildcard], text: str) -> bool:
    """A pattern tried at every place: slow and plain."""
    if not parts:
        return not text
    head, *rest = parts
    if head is Wildcard.ANY:
        return any(_matches_slowly(rest, text[start:]) for start in range(len(text) + 1))
    if head is Wildcard.ONE:
        return bool(text) and _matches_slowly(rest, text[1:])
    assert isinstance(head, str)
    return text.startswith(head) and _matches_slowly(rest, text.removeprefix(head))


@given(
    st.lists(st.sampled_from(Wildcard) | st.sampled_from(["a", "b", "ab", "aa", "*"]), min_size=1, max_size=7),
    st.text("ab*", max_size=9),
)
def test_a_pattern_matches_exactly_what_trying_every_place_finds(parts: list[str | Wildcard], text: str) -> None:
    contact_filter = Filter((Expression("displayName", Pattern(tuple(parts))),))
    assert matches(contact_filter, {"displayName": text}) is _matches_slowly(parts, text)


@given(st.data(), st.sampled_from(FIELDS))
def test_a_term_and_its_opposite_never_agree(data: st.DataObject, name: str) -> None:
    literal, value = data.draw(literals(name)), {name: data.draw(values(name))}
    equal = matches(Filter((Expression(name, Equals(literal)),)), value)
    assert equal is not matches(Filter((Expression(name, NotEquals(literal)),)), value)
