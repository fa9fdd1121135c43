"""R5: which contacts a filter selects, and which part of it excludes one."""

import pytest

from shared.filters import Filter, first_failing_term, matches, merge_filters, parse_filter


def holds(field: str, text: str, value: str | bool) -> bool:
    return matches(parse_filter({field: text}), {field: value})


@pytest.mark.parametrize(
    ("text", "matching", "others"),
    [
        ("Anna", ["Anna"], ["anna", "Anna ", "Annabel", ""]),
        ("@anna", ["Anna", "ANNA", "anna"], ["Annabel"]),
        ("<>Anna", ["anna", ""], ["Anna"]),
        ("<>@anna", ["Annabel"], ["ANNA"]),
        ("''", [""], ["A", " "]),
        ("<>''", ["A"], [""]),
        ("A*", ["A", "Anna"], ["anna", "BA"]),
        ("*a", ["a", "Anna"], ["Annas"]),
        ("*n*", ["Anna", "n"], ["ANNA", ""]),
        ("A?a", ["Ana", "A*a"], ["Aa", "Anna"]),
        ("A*n*a", ["Anna", "Ana", "Anza"], ["Aa", "Ann"]),
        ("ab*bc", ["abbc", "ab-bc"], ["abc"]),
        ("<>A*", ["anna", ""], ["A", "Anna"]),
        ("@a*", ["Anna", "anna"], ["Hanna"]),
        ("<>@a*", ["Hanna"], ["Anna"]),
        ("*", ["", "A", "line\nbreak"], []),
        ("<>*", [], ["", "A"]),
        ("'A*'", ["A*"], ["Anna"]),
        ("A..C", ["A", "B", "C", "Az"], ["Ca", "a", ""]),
        ("..B", ["", "B", "AZ"], ["Ba", "a"]),
        ("B..", ["B", "a"], ["A"]),
        ("@b..c", ["B", "b", "C"], ["a", "D"]),
        ("10000..10042", ["10000", "100000"], ["10043", "9999"]),
        (">B", ["C", "Ba", "a"], ["B", "A"]),
        (">=B&<C", ["B", "Bz"], ["C"]),
        ("A|B&<>B", ["A"], ["B"]),
        ("(A|B)&<>B", ["A"], ["B", "C"]),
    ],
)
def test_r5_text_compares_by_case_unless_told_otherwise(text: str, matching: list[str], others: list[str]) -> None:
    assert [each for each in matching + others if holds("displayName", text, each)] == matching


@pytest.mark.parametrize(
    ("field", "text", "matching", "others"),
    [
        ("number", "ct10..ct20", ["CT10", "CT15", "CT20"], ["CT21"]),
        ("country", "de|at", ["DE", "AT"], ["CH", ""]),
        ("type", "Person", ["Person"], ["Company", "Robot_x0020_Arm"]),
        ("contactBusinessRelation", "Bank Account", ["Bank_x0020_Account", "Bank Account"], ["Customer"]),
        ("contactBusinessRelation", "''", ["_x0020_", " ", ""], ["None"]),
        ("contactBusinessRelation", "<>Customer", ["None", "_x0020_"], ["Customer"]),
        ("id", "88BBB6A9-16C6-F011-8542-7C1E520EE21F", ["88bbb6a9-16c6-f011-8542-7c1e520ee21f"], [""]),
        ("lastInteractionDate", "2026-01-01..2026-01-31", ["2026-01-01", "2026-01-31"], ["2026-02-01", "0001-01-01"]),
        ("lastInteractionDate", "<2026-01-01", ["2025-12-31", "0001-01-01"], ["2026-01-01"]),
        ("lastInteractionDate", "''", ["0001-01-01", ""], ["2026-01-01"]),
        ("lastInteractionDate", "<>''&<2026-01-01", ["2025-12-31"], ["0001-01-01"]),
    ],
)
def test_r5_other_kinds_compare_as_bc_writes_them(
    field: str, text: str, matching: list[str], others: list[str]
) -> None:
    assert [each for each in matching + others if holds(field, text, each)] == matching


@pytest.mark.parametrize(
    ("text", "matching", "others"),
    [
        ("2026-01-31", ["2026-01-31T00:00:00Z", "2026-01-31T23:59:59.999Z"], ["2026-02-01T00:00:00Z"]),
        ("<>2026-01-31", ["2026-02-01T00:00:00Z"], ["2026-01-31T12:00:00Z"]),
        (">2026-01-31", ["2026-02-01T00:00:00Z"], ["2026-01-31T23:59:59.99Z"]),
        ("<=2026-01-31", ["2026-01-31T23:59:59.99Z"], ["2026-02-01T00:00:00Z"]),
        ("2026-01-30..2026-01-31", ["2026-01-30T00:00:00Z", "2026-01-31T23:59:59Z"], ["2026-01-29T23:59:59.9Z"]),
        (
            "2026-01-31T08:30:00.18Z",
            ["2026-01-31T08:30:00.18Z", "2026-01-31T08:30:00.1800000Z"],
            ["2026-01-31T08:30:00.2Z"],
        ),
        (">=2026-01-31T08:30+01:00", ["2026-01-31T07:30:00Z"], ["2026-01-31T07:29:59.999Z", ""]),
    ],
)
def test_r5_a_date_on_an_instant_is_the_whole_day_in_utc(text: str, matching: list[str], others: list[str]) -> None:
    assert [each for each in matching + others if holds("lastModifiedDateTime", text, each)] == matching


@pytest.mark.parametrize("text", ["true", "yes", "<>no"])
def test_r5_booleans_compare_with_both_spellings(text: str) -> None:
    assert holds("privacyBlocked", text, True)
    assert not holds("privacyBlocked", text, False)
    assert not matches(parse_filter({"privacyBlocked": text}), {})


def test_r5_fields_combine_with_and_and_no_filter_selects_all() -> None:
    both = parse_filter({"city": "Wien", "country": "AT"})
    assert matches(both, {"city": "Wien", "country": "AT"})
    assert not matches(both, {"city": "Wien", "country": "DE"})
    assert matches(Filter(), {})


def test_the_first_term_that_excludes_a_contact_is_named() -> None:
    merged = merge_filters(parse_filter({"type": "Person"}), parse_filter({"city": "W* & <>Wels & (Wien|Worms)"}))
    assert first_failing_term(merged, {"type": "Company", "city": "Wien"}) == ("type", "Person")
    assert first_failing_term(merged, {"type": "Person", "city": "Wels"}) == ("city", "<>Wels")
    assert first_failing_term(merged, {"type": "Person", "city": "Wesel"}) == ("city", "Wien|Worms")
    assert first_failing_term(merged, {"type": "Person", "city": "Wien"}) is None


def test_a_pattern_of_many_wildcards_is_not_slow() -> None:
    assert not holds("website", "*" + "a*" * 60 + "b", "a" * 255)
