"""JSON to contacts and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.business_central.mapping import (
    create_body,
    lost,
    moment,
    read_company,
    read_contact,
    read_country,
    write_body,
)
from shared.business_central.wire import is_stamp, query
from shared.cards.business_central import contact_from_values
from shared.cards.model import BcContact, Card, Field
from shared.engine.sides import BcDraft, BcWrite
from shared.filters.fields import CONTACT_FIELDS

ID = "88bbb6a9-16c6-f011-8542-7c1e520ee21f"
ROW: dict[str, Any] = {
    "@odata.etag": 'W/"JzE5"',
    "id": ID.upper(),
    "number": "CT000012",
    "type": "Person",
    "displayName": " Chase  Whitman ",
    "jobTitle": "Buyer",
    "companyNumber": "CT000049",
    "companyName": "Boston Tools",
    "contactBusinessRelation": "Bank_x0020_Account",
    "addressLine1": "233 Harbor Ave",
    "addressLine2": "",
    "city": "Chicago",
    "state": "IL",
    "country": "US",
    "postalCode": "60632",
    "phoneNumber": "+1 312 555 0100",
    "mobilePhoneNumber": "",
    "email": "; chase@x.example ;; second@x.example;",
    "website": "",
    "searchName": "CHASE WHITMAN",
    "privacyBlocked": False,
    "taxRegistrationNumber": "",
    "lastInteractionDate": "0001-01-01",
    "lastModifiedDateTime": "2025-11-25T12:22:02.18Z",
    "somethingNew": {"a": 1},
}


def read(**changes: Any) -> BcContact:
    contact = read_contact({**ROW, **changes})
    assert contact is not None
    return contact


def test_a_row_becomes_a_contact_with_all_fields_and_a_card() -> None:
    """R41"""
    contact = read()
    assert (contact.id, contact.etag, contact.modified) == (ID, 'W/"JzE5"', "2025-11-25T12:22:02.18Z")
    assert contact.card == Card(
        name="Chase  Whitman",
        job_title="Buyer",
        company="Boston Tools",
        email="chase@x.example;second@x.example",
        phone="+1 312 555 0100",
        address_1="233 Harbor Ave",
        city="Chicago",
        state="IL",
        postal_code="60632",
        country="US",
    )
    assert set(contact.values) == set(CONTACT_FIELDS)
    assert (contact.number, contact.company_number, contact.is_person, contact.is_company) == (
        "CT000012",
        "CT000049",
        True,
        False,
    )
    assert contact.values["contactBusinessRelation"] == "Bank Account"
    assert contact.has_business_relation
    assert contact.values["lastInteractionDate"] == ""


@pytest.mark.parametrize(
    ("sent", "name", "has"),
    [
        ("_x0020_", "", False),
        (" ", "", False),
        ("None", "None", False),
        ("Customer", "Customer", True),
        (None, "", False),
    ],
)
def test_a_blank_relation_is_none(sent: Any, name: str, has: bool) -> None:
    contact = read(contactBusinessRelation=sent)
    assert (contact.values["contactBusinessRelation"], contact.has_business_relation) == (name, has)


@pytest.mark.parametrize("type_name", ["Person", "Company", "Something_x0020_New", None, 7, {}])
def test_unknown_types_are_neither_person_nor_company(type_name: Any) -> None:
    contact = read(type=type_name)
    assert (contact.is_person, contact.is_company) == (type_name == "Person", type_name == "Company")


@pytest.mark.parametrize(("sent", "blocked"), [(True, True), ("true", True), (False, False), (None, False), (1, False)])
def test_privacy_blocked_is_read_in_every_form(sent: Any, blocked: bool) -> None:
    """R1"""
    assert read(privacyBlocked=sent).privacy_blocked is blocked


def test_line_breaks_and_normal_form_make_no_difference() -> None:
    """R41"""
    assert read(displayName="Jose\u0301\r\n").card.name == "Jos\u00e9"


def test_a_stored_contact_is_the_same_as_a_read_one() -> None:
    contact = read()
    assert contact_from_values(contact.id, contact.etag, contact.modified, contact.values) == contact


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*ROW, "odd"]), JSON))
def test_any_fields_may_be_missing_or_odd(changes: dict[str, Any]) -> None:
    row = {name: value for name, value in {**ROW, **changes}.items() if value != "" or name == "id"}
    row["id"] = ID
    contact = read_contact(row)
    assert contact is not None
    assert all(isinstance(value, str) for value in contact.card)
    assert all(isinstance(value, str | bool) for value in contact.values.values())
    hash(contact)
    contact.has_business_relation, contact.privacy_blocked, contact.is_person  # noqa: B018 - must not fail


@given(JSON)
def test_anything_may_come_instead_of_a_row(row: Any) -> None:
    assert read_contact(row) is None
    assert read_company(row) is None
    read_country(row)


@pytest.mark.parametrize("key", [None, "", "x", 7, "88bbb6a9-16c6-f011-8542-7c1e520ee21f)/x"])
def test_a_row_without_a_proper_id_is_no_contact(key: Any) -> None:
    assert read_contact({**ROW, "id": key}) is None


def test_countries_and_companies_fall_back_to_what_they_have() -> None:
    assert read_country({"code": "DE", "displayName": None}) == ("DE", "DE")
    assert read_country({"code": ""}) is None
    company = read_company({"id": ID, "name": "CRONUS", "displayName": ""})
    assert company is not None
    assert company.display_name == "CRONUS"


def test_stamps_sort_by_time_although_zeros_are_dropped() -> None:
    stamps = ["2026-01-01T00:00:02.2Z", "2026-01-01T00:00:02Z", "2026-01-01T00:00:02.18Z", "rubbish"]
    assert sorted(stamps, key=moment) == [stamps[3], stamps[1], stamps[2], stamps[0]]
    assert [is_stamp(each) for each in stamps] == [True, True, True, False]


def test_a_draft_is_sent_type_first_without_blanks_number_or_company_name() -> None:
    """R2, R18"""
    values = {Field.CITY: "Kiel", Field.COUNTRY: "DE", Field.NAME: "Ada", Field.COMPANY: "Tools", Field.PHONE: ""}
    body = create_body(BcDraft(values, company_number="CT1"))
    assert list(body.items()) == [
        ("type", "Person"),
        ("displayName", "Ada"),
        ("companyNumber", "CT1"),
        ("country", "DE"),
        ("city", "Kiel"),
    ]


def test_a_write_holds_changes_only_and_blanks_clear() -> None:
    """R12, R18"""
    assert write_body(BcWrite(read(), {Field.PHONE: "", Field.COMPANY: "x"})) == {"phoneNumber": ""}
    assert write_body(BcWrite(read(), {Field.PHONE: "1"}, company_number="")) == {
        "companyNumber": "",
        "phoneNumber": "1",
    }


def test_only_what_bc_lost_is_lost() -> None:
    """R16"""
    held = read(city="", state="il ", country="DE", phoneNumber="+1312 555 0100")
    expected = {
        Field.CITY: "Chicago",
        Field.STATE: "IL",
        Field.COUNTRY: "US",
        Field.PHONE: "+1 312 555 0100",
        Field.MOBILE: "",
        Field.WEBSITE: "",
        Field.COMPANY: "Another",
        Field.EMAIL: "CHASE@x.example;second@x.example",
    }
    assert lost(expected, held) == {Field.CITY: "Chicago", Field.COUNTRY: "US"}


def test_queries_are_encoded() -> None:
    assert query("a", filter="email eq 'o''x+y&z#%@w'") == "a?$filter=email%20eq%20%27o%27%27x%2By%26z%23%25%40w%27"
