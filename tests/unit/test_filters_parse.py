"""R5: what BC's filter language means to us, how a wrong filter is refused, and the canonical text."""

import pytest

from shared.filters import Filter, FilterError, merge_filters, parse_expression, parse_filter, print_filter
from shared.filters.fields import CONTACT_FIELDS
from shared.filters.model import (
    And,
    Compare,
    Equals,
    Interval,
    NotEquals,
    Or,
    Pattern,
    Relation,
    Term,
    Wildcard,
)
from shared.filters.print import print_term

ANY, ONE = Wildcard.ANY, Wildcard.ONE


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("Adatum", Equals("Adatum")),
        ("  Adatum AG  ", Equals("Adatum AG")),
        ("=Adatum", Equals("Adatum")),
        ("''", Equals("")),
        ("' a '", Equals(" a ")),
        ("'O''Brien'", Equals("O'Brien")),
        ("O'Brien", Equals("O'Brien")),
        ("O''Brien", Equals("O'Brien")),
        ("'A|B & (C) = *'", Equals("A|B & (C) = *")),
        ("@adatum", Equals("adatum", ignore_case=True)),
        ("a@b.example", Equals("a@b.example")),
        ("Dr. Who", Equals("Dr. Who")),
        ("50%", Equals("50%")),
        ("<>A", NotEquals("A")),
        ("<> ''", NotEquals("")),
        ("<>@a", NotEquals("a", ignore_case=True)),
        (">A", Compare(Relation.MORE, "A")),
        (">=A", Compare(Relation.AT_LEAST, "A")),
        ("<A", Compare(Relation.LESS, "A")),
        ("<=A", Compare(Relation.AT_MOST, "A")),
        ("A..B", Interval("A", "B")),
        ("A .. B", Interval("A", "B")),
        ("..B", Interval(None, "B")),
        ("A..", Interval("A", None)),
        ("@a..b", Interval("a", "b", ignore_case=True)),
        ("A*", Pattern(("A", ANY))),
        ("*A**", Pattern((ANY, "A", ANY))),
        ("A?C", Pattern(("A", ONE, "C"))),
        ("<>A*", Pattern(("A", ANY), negated=True)),
        ("@a*", Pattern(("a", ANY), ignore_case=True)),
        ("<>@a*", Pattern(("a", ANY), ignore_case=True, negated=True)),
        ("'A*'*", Pattern(("A*", ANY))),
        ("*@b.example", Pattern((ANY, "@b.example"))),
        ("A|B|C", Or((Equals("A"), Equals("B"), Equals("C")))),
        ("A&<>B", And((Equals("A"), NotEquals("B")))),
        ("A|B&C", Or((Equals("A"), And((Equals("B"), Equals("C")))))),
        ("(A|B)&C", And((Or((Equals("A"), Equals("B"))), Equals("C")))),
        ("((A))", Equals("A")),
    ],
)
def test_r5_an_expression_on_text_means(text: str, term: Term) -> None:
    assert parse_expression("displayName", text).term == term


@pytest.mark.parametrize(
    ("field", "text", "term"),
    [
        ("number", "ct1*", Pattern(("CT1", ANY))),
        ("number", "@ct1", Equals("CT1")),
        ("postalCode", "'sw1 1aa'", Equals("SW1 1AA")),
        ("country", "straße", Equals("STRAßE")),
        ("type", "person", Equals("Person")),
        ("contactBusinessRelation", "'bank account'", Equals("Bank Account")),
        ("contactBusinessRelation", "''|None", Or((Equals(""), Equals("None")))),
        ("privacyBlocked", "YES", Equals("true")),
        ("privacyBlocked", "<>false", NotEquals("false")),
        ("id", "{88BBB6A9-16C6-F011-8542-7C1E520EE21F}", Equals("88bbb6a9-16c6-f011-8542-7c1e520ee21f")),
        ("lastInteractionDate", "''", Equals("")),
        ("lastInteractionDate", "2026-01-01..2026-01-31", Interval("2026-01-01", "2026-01-31")),
        ("lastModifiedDateTime", ">=2026-01-31", Compare(Relation.AT_LEAST, "2026-01-31")),
        ("lastModifiedDateTime", "2026-01-31T08:30:00.5+01:00..", Interval("2026-01-31T07:30:00.500Z", None)),
    ],
)
def test_r5_an_expression_on_other_kinds_means(field: str, text: str, term: Term) -> None:
    assert parse_expression(field, text).term == term


@pytest.mark.parametrize(
    ("field", "text", "column", "expected"),
    [
        ("displayName", "", 1, "a value"),
        ("displayName", "A|", 3, "a value"),
        ("displayName", "A & ", 5, "a value"),
        ("displayName", "|A", 1, "a value"),
        ("displayName", "(A", 3, "closing parenthesis"),
        ("displayName", "A)", 2, "end of the expression"),
        ("displayName", "A(B)", 2, "goes in quotes"),
        ("displayName", "A=B", 2, "goes in quotes"),
        ("displayName", "Sons'", 5, "goes in quotes"),
        ("displayName", "A|'B", 5, "close the one in column 3"),
        ("displayName", "'A'B", 4, "an operator"),
        ("displayName", "A..B..C", 5, "end of the expression"),
        ("displayName", "<>A..B", 4, "a single value after <>"),
        ("displayName", ">A*", 2, "without wildcards"),
        ("displayName", "A*..B", 1, "without wildcards"),
        ("displayName", "..", 3, "a value"),
        ("displayName", "(" * 60 + "A" + ")" * 60, 51, "at most 50 parentheses"),
        ("displayName", "A" * 8_001, 8_001, "at most 8000"),
        ("displayName", "%you", 1, "%me or %company"),
        ("displayName", "A|%me", 3, "bcUserName"),
        ("displayName", "%company", 1, "a company"),
        ("country", "DE|GERMANY2026", 4, "at most 10 characters"),
        ("number", "A" * 21 + "*", 1, "at most 20 characters"),
        ("type", "Persn", 1, "one of Company, Person"),
        ("type", "P*", 1, "wildcards are for text"),
        ("type", "Company..Person", 1, "one of Company, Person"),
        ("contactBusinessRelation", ">Customer", 1, "Bank Account"),
        ("id", "88bbb6a9", 1, "an id like"),
        ("id", ">88bbb6a9-16c6-f011-8542-7c1e520ee21f", 1, "an id like"),
        ("privacyBlocked", "maybe", 1, "true or false"),
        ("privacyBlocked", "@yes", 1, "true or false"),
        ("lastInteractionDate", "31.01.2026", 1, "2026-01-31"),
        ("lastInteractionDate", "2026-02-30", 1, "2026-01-31"),
        ("lastInteractionDate", "2026-01-*", 1, "wildcards are for text"),
        ("lastModifiedDateTime", "''", 1, "2026-01-31T08:30:00Z"),
        ("lastModifiedDateTime", ">2026-01-31T25:00", 2, "2026-01-31T08:30:00Z"),
        ("lastModifiedDateTime", "0001-01-01T00:00+01:00", 1, "2026-01-31T08:30:00Z"),
        ("displayname", "A", 1, "did you mean displayName?"),
        ("salespersonCode", "A", 1, "the name of a contact field"),
    ],
)
def test_r5_a_wrong_filter_is_refused_with_field_column_and_what_was_expected(
    field: str, text: str, column: int, expected: str
) -> None:
    with pytest.raises(FilterError) as refused:
        parse_expression(field, text)
    assert (refused.value.field, refused.value.column) == (field, column)
    assert expected in refused.value.expected
    assert str(refused.value).startswith(f"Filter on {field}, column {column}: expected ")


def test_r5_me_and_company_stand_for_text_that_is_not_read_as_language() -> None:
    parsed = parse_filter(
        {"searchName": "%ME", "companyName": "<>%company&*%company", "email": "@%me*"},
        me="a*|b",
        company="CRONUS & Co.",
    )
    assert [each.term for each in parsed.expressions] == [
        Equals("A*|B"),
        And((NotEquals("CRONUS & Co."), Pattern((ANY, "CRONUS & Co.")))),
        Pattern(("a*|b", ANY), ignore_case=True),
    ]


def test_r5_a_blank_bc_user_name_counts_as_not_set() -> None:
    with pytest.raises(FilterError, match="bcUserName"):
        parse_filter({"searchName": "%me"}, me="")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (" ( A | B ) & <> C ", "(A|B)&<>C"),
        ("(A&B)|C", "A&B|C"),
        ("'Adatum'", "Adatum"),
        ("'a  b'", "'a  b'"),
        ("O'Brien", "'O''Brien'"),
        ("' x'*", "' x'*"),
        ("<>@'a&b'?", "<>@'a&b'?"),
        ("'%me'", "'%me'"),
        (" .. 'B'", "..B"),
    ],
)
def test_an_expression_prints_in_canonical_form(text: str, printed: str) -> None:
    term = parse_expression("displayName", text).term
    assert print_term(term) == printed
    assert parse_expression("displayName", printed).term == term


def test_r5_a_base_filter_is_anded_with_the_profiles() -> None:
    base = parse_filter({"country": "DE|AT", "type": "Person"})
    profile = parse_filter({"country": "<>AT", "type": "Person", "city": "W*"})
    merged = merge_filters(base, profile)
    assert print_filter(merged) == {"country": "(DE|AT)&<>AT", "type": "Person", "city": "W*"}
    assert merge_filters(Filter(), profile) == profile
    assert merge_filters(base, Filter()) == base


def test_every_field_of_the_api_can_be_filtered() -> None:
    assert len(CONTACT_FIELDS) == 23
    assert all(name == field.name for name, field in CONTACT_FIELDS.items())
