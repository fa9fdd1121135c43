"""What Business Central makes of `$filter` (reference 3.4), and of its own filter language in literals (3.6)."""

from typing import Any

import pytest

from dev.simulators.business_central.al_filter import FilterRefused, compile_filter
from dev.simulators.business_central.conditions import compile_condition
from dev.simulators.business_central.contact import Contact
from dev.simulators.business_central.errors import BcError
from dev.simulators.business_central.fields import CONTACT
from dev.simulators.business_central.odata_filter import Dialect, parse_filter
from dev.simulators.business_central.stamps import parse_stamp

ID = "88bbb6a9-16c6-f011-8542-7c1e520ee21f"
ANNA = Contact(
    ID, "CT000001", "Person", "Anna O'Brien", email="anna@works.example", country="GB", relation="Bank Account",
    modified=parse_stamp("2026-01-15T10:00:00.123Z"), last_interaction_date="2026-01-10",
)  # fmt: skip


def passes(text: str, row: Contact = ANNA, literals: str = "al", **dialect: Any) -> bool:
    return compile_condition(parse_filter(text, CONTACT, Dialect(**dialect)), literals)(row)


def refusal(text: str, **dialect: Any) -> tuple[int, str]:
    with pytest.raises(BcError) as refused:
        passes(text, **dialect)
    return refused.value.status, refused.value.code


@pytest.mark.parametrize(
    "text",
    [
        "displayName eq 'Anna O''Brien'",
        "displayName ne 'Bela'",
        "type eq 'Person' and country eq 'GB'",
        "(country eq 'DE' or country eq 'GB') and (type eq 'Person')",
        "email ne ''",
        "jobTitle eq ''",
        f"id eq {ID.upper()}",
        f"id eq 00000000-0000-0000-0000-000000000000 or id eq {ID}",
        "lastModifiedDateTime ge 2026-01-15T10:00:00.123Z",
        "lastModifiedDateTime gt 2026-01-15T10:00:00.122Z",
        "lastModifiedDateTime lt 2026-01-15T10:00:00.1231Z",
        "lastModifiedDateTime eq 2026-01-15T11:00:00.123+01:00",
        "lastInteractionDate ge 2026-01-10",
        "privacyBlocked eq false",
        "contactBusinessRelation eq 'Bank Account'",
        "startswith(displayName,'Anna')",
        "endswith(email,'example')",
        "contains(displayName,'O''B')",
        "tolower(displayName) eq 'ANNA o''brien'",
        "substring(number, 2) eq '000001'",
        "number ge 'CT' and number lt 'CU'",
        "jobTitle eq null",
    ],
)
def test_what_a_filter_lets_through(text):
    assert passes(text)


@pytest.mark.parametrize(
    "text",
    [
        "displayName eq 'anna o''brien'",
        "startswith(displayName,'anna')",
        "country eq 'gb'",
        "lastModifiedDateTime gt 2026-01-15T10:00:00.123Z",
        "contactBusinessRelation eq 'None'",
        "privacyBlocked ne false",
    ],
)
def test_what_a_filter_keeps_out(text):
    assert not passes(text)


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("country eq 'GB' or city eq 'Bath'", 501, "BadRequest_MethodNotImplemented"),
        ("(country eq 'GB' and city eq 'x') or (country eq 'DE')", 501, "BadRequest_MethodNotImplemented"),
        ("country in ('GB','DE')", 501, "BadRequest_MethodNotImplemented"),
        ("contains(tolower(displayName),'x')", 501, "BadRequest_MethodNotImplemented"),
        ("length(city) eq 3", 501, "BadRequest_MethodNotImplemented"),
        ("not (city eq 'x')", 501, "BadRequest_MethodNotImplemented"),
        ("surname eq 'Berg'", 400, "BadRequest"),
        ("DisplayName eq 'Berg'", 400, "BadRequest"),
        ("city eq", 400, "BadRequest"),
        ("city eq 'x' and", 400, "BadRequest"),
        ("city eq 'x", 400, "BadRequest"),
        ("(city eq 'x'", 400, "BadRequest"),
        ("city eq 5", 400, "BadRequest"),
        ("id eq 'x'", 400, "BadRequest"),
        ("lastModifiedDateTime ge 2026-01-15", 400, "BadRequest"),
        ("lastModifiedDateTime ge 2026-02-30T10:00:00Z", 400, "BadRequest"),
        ("privacyBlocked eq 'true'", 400, "BadRequest"),
        ("type gt 'Person'", 400, "BadRequest"),
        ("contacts/any(c: c/city eq 'x')", 400, "BadRequest"),
        ("type eq 'Robot'", 400, "Unknown"),
        ("contactBusinessRelation eq 'Bank_x0020_Account'", 400, "Unknown"),
        ("number eq 'CT0000000000000000001'", 400, "Application_FilterErrorException"),
        ("startswith(number,'CT0000000000000000001')", 400, "Application_FilterErrorException"),
        ("displayName eq 'Anna (Works'", 400, "Application_FilterErrorException"),
        ("displayName eq 'Anna |'", 400, "Application_FilterErrorException"),
        ("(" * 200 + "city eq 'x'" + ")" * 200, 400, "BadRequest"),
    ],
)
def test_what_bc_refuses_to_filter(text, status, code):
    assert refusal(text) == (status, code)


def test_schema_21_brings_in_and_nested_functions():
    assert passes("country in ('DE','GB')", schema_21=True)
    assert passes("contains(tolower(displayName),'ANNA')", schema_21=True)
    assert not passes("country in ('DE')", schema_21=True)


def test_early_servers_ignored_in_and_returned_everything():
    assert passes("country in ('DE')", in_without_21="ignored")


def test_null_comparisons_and_lambdas_have_switches():
    assert refusal("city eq null", null_comparison="refused") == (400, "BadRequest")
    assert passes("contacts/any(c: c/city eq 'x')", lambda_filter="ignored")


def test_hundreds_of_terms_on_one_field_work():
    assert passes(" or ".join(f"number eq 'CT{number:06d}'" for number in range(400)))


@pytest.mark.parametrize(
    ("literals", "text", "through"),
    [
        ("al", "Anna*", True), ("al", "@anna*", True), ("al", "A..B", True), ("al", "X|Anna*", True),
        ("al", "<>X", True), ("al", "Anna*&X*", False), ("al", "A??? O'Brien", True),
        ("wildcards", "Anna*", True), ("wildcards", "A..B", False), ("wildcards", "X|Anna*", False),
        ("exact", "Anna*", False), ("exact", "Anna O'Brien", True),
    ],
)  # fmt: skip
def test_literals_are_filters_to_the_degree_switched_on(literals, text, through):
    assert passes(f"displayName eq '{text.replace("'", "''")}'", literals=literals) is through


@pytest.mark.parametrize(
    ("text", "through", "out"),
    [
        ("", [""], ["a"]),
        ("''", [""], ["a", "''"]),
        ("<>''", ["a"], [""]),
        ("a", ["a"], ["A", "", "ab"]),
        ("@A", ["a", "A"], ["b"]),
        ("'a|b'", ["a|b"], ["a", "b"]),
        ("a|b&c*", ["a"], ["b", "c"]),
        ("(a|b*)&*c", ["bc"], ["a", "b"]),
        ("a..c", ["a", "b", "c"], ["d", "ca"]),
        ("..b", ["", "b"], ["c"]),
        ("b..", ["b", "c"], ["a"]),
        (">=b", ["b", "c"], ["a"]),
        (">b", ["c"], ["b"]),
        ("<b", ["a"], ["b"]),
        ("<=b", ["b"], ["c"]),
        ("<>a*", ["b"], ["a", "ab"]),
        ("a?c", ["abc"], ["ac", "abcd"]),
        ("*b*", ["abc", "b"], ["ac"]),
        ("10000..10042", ["100000"], ["10043"]),
        ("a.b", ["a.b"], ["axb"]),
        ("<>'a|b'", ["a"], ["a|b"]),
        ("@'A|B'", ["a|b"], ["a"]),
        ("'a'..'b'", ["a", "b"], ["c"]),
        (">='b'", ["b"], ["a"]),
        ("O'Brien|'it''s'", ["O'Brien", "it's"], ["O"]),
        ("x & y", [], ["x & y"]),
    ],
)
def test_bcs_own_filter_language(text, through, out):
    test = compile_filter(text, 100)
    assert [value for value in through if not test(value)] == []
    assert [value for value in out if test(value)] == []


@pytest.mark.parametrize("text", ["(a", "a)", "|", "a|", "&a", "..", "x" * 101, "()"])
def test_what_is_no_filter(text):
    with pytest.raises(FilterRefused):
        compile_filter(text, 100)
