"""R5 and BC reference 3.4, 3.6: what of a filter is sent to BC, and what is left to our own evaluation."""

import pytest

from shared.filters import Filter, ODataFilter, merge_filters, parse_filter, to_odata


@pytest.mark.parametrize(
    ("field", "text", "odata"),
    [
        ("displayName", "Adatum", "displayName eq 'Adatum'"),
        ("displayName", "O'Brien", "displayName eq 'O''Brien'"),
        ("email", "''", "email eq ''"),
        ("email", "<>''", "email ne ''"),
        ("email", "a@b.example", "email eq 'a@b.example'"),
        ("displayName", "A*", "startswith(displayName,'A')"),
        ("displayName", "*A", "endswith(displayName,'A')"),
        ("displayName", "*A*", "contains(displayName,'A')"),
        ("displayName", "*", None),
        ("displayName", "A|*", None),
        ("displayName", "@Adatum", "tolower(displayName) eq 'adatum'"),
        ("number", "ct1|ct2", "(number eq 'CT1' or number eq 'CT2')"),
        ("number", "<>ct1&<>ct2", "number ne 'CT1' and number ne 'CT2'"),
        ("type", "person", "type eq 'Person'"),
        ("contactBusinessRelation", "bank account", "contactBusinessRelation eq 'Bank Account'"),
        ("id", "{88BBB6A9-16C6-F011-8542-7C1E520EE21F}", "id eq 88bbb6a9-16c6-f011-8542-7c1e520ee21f"),
        ("privacyBlocked", "no", "privacyBlocked eq false"),
        ("lastInteractionDate", ">=2026-01-01", "lastInteractionDate ge 2026-01-01"),
        (
            "lastInteractionDate",
            "2026-01-01..2026-01-31",
            "(lastInteractionDate ge 2026-01-01 and lastInteractionDate le 2026-01-31)",
        ),
    ],
)
def test_what_odata_can_say_exactly_is_sent_whole(field: str, text: str, odata: str | None) -> None:
    assert to_odata(parse_filter({field: text})) == ODataFilter(odata, complete=True)


@pytest.mark.parametrize(
    ("field", "text", "odata"),
    [
        ("displayName", "A*B", "(startswith(displayName,'A') and endswith(displayName,'B'))"),
        ("displayName", "A?", "startswith(displayName,'A')"),
        (
            "displayName",
            "'Smith (UK) Ltd.'",
            "(startswith(displayName,'Smith') and contains(displayName,'UK') and endswith(displayName,'Ltd.'))",
        ),
        ("displayName", "'A*'", "startswith(displayName,'A')"),
        ("displayName", "' A'", "endswith(displayName,'A')"),
        ("displayName", "'''t Hart'", "endswith(displayName,'t Hart')"),
        ("displayName", "'a..b'", "(startswith(displayName,'a') and endswith(displayName,'b'))"),
        ("email", "*@b.example", "endswith(email,'b.example')"),
        ("displayName", "'('", None),
        ("displayName", "@a*", None),
        ("displayName", "@MÜLLER", "tolower(displayName) eq 'müller'"),
        ("displayName", "<>A*", None),
        ("displayName", "<>@a", None),
        ("displayName", "<>'A&B'", None),
        ("displayName", "A..B", None),
        ("number", ">A", None),
        ("displayName", "A|@b*", None),
        ("displayName", "A&@*b", "displayName eq 'A'"),
        ("contactBusinessRelation", "''", None),
        ("contactBusinessRelation", "Customer|''", None),
        ("lastInteractionDate", "''", None),
        ("website", "w" * 81, None),
        ("number", "A" * 20 + "*", None),
        ("lastModifiedDateTime", "<>2026-01-31", None),
        ("lastModifiedDateTime", "<=2026-01-31", "lastModifiedDateTime le 2026-02-01T00:00:00.049Z"),
        ("lastModifiedDateTime", "<2026-01-31", "lastModifiedDateTime le 2026-01-31T00:00:00.050Z"),
        ("lastModifiedDateTime", ">=2026-01-31", "lastModifiedDateTime ge 2026-01-30T23:59:59.950Z"),
        ("lastModifiedDateTime", ">2026-01-31", "lastModifiedDateTime ge 2026-01-31T23:59:59.949Z"),
        (
            "lastModifiedDateTime",
            "2026-01-31",
            "(lastModifiedDateTime ge 2026-01-30T23:59:59.950Z and lastModifiedDateTime le 2026-02-01T00:00:00.049Z)",
        ),
        (
            "lastModifiedDateTime",
            "0001-01-01..9999-12-31",
            "(lastModifiedDateTime ge 0001-01-01T00:00:00.000Z and lastModifiedDateTime le 9999-12-31T23:59:59.999Z)",
        ),
    ],
)
def test_what_odata_cannot_say_is_widened_or_left_out(field: str, text: str, odata: str | None) -> None:
    assert to_odata(parse_filter({field: text})) == ODataFilter(odata, complete=False)


def test_fields_are_joined_with_and_and_one_that_cannot_be_sent_does_not_keep_the_others_back() -> None:
    base = parse_filter({"type": "Person"})
    profile = parse_filter({"number": "A..B", "country": "DE|AT"})
    assert to_odata(merge_filters(base, profile)) == ODataFilter(
        "type eq 'Person' and (country eq 'DE' or country eq 'AT')", complete=False
    )
    assert to_odata(Filter()) == ODataFilter(None, complete=True)


def test_what_exceeds_the_caps_is_left_out() -> None:
    numbers = parse_filter({"number": "|".join(f"CT{each:06}" for each in range(201)), "country": "DE"})
    assert to_odata(numbers, max_length=20_000) == ODataFilter("country eq 'DE'", complete=False)
    assert to_odata(numbers, max_terms=500) == ODataFilter("country eq 'DE'", complete=False)
    assert to_odata(numbers, max_terms=500, max_length=20_000).complete
    assert to_odata(parse_filter({"city": "München"}), max_length=20) == ODataFilter(None, complete=False)
