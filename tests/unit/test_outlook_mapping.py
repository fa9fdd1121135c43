"""A contact's JSON to a card and back (R41)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cards.model import EMPTY_CARD, Card, Field, Origin, OutlookContact, Stamp
from shared.cards.normalise import clean
from shared.engine.sides import OutlookDraft, OutlookWrite
from shared.outlook.mapping import body_of_draft, body_of_write, contact_of, is_complete
from shared.outlook.wire import CONTACT_PROPERTIES
from tests.fakes.cards import FULL_CARD

OURS = "Business Central"
STAMP = Stamp("b1d2", Origin.SYNC, "Production", "c0-1")


def read(**row: Any) -> OutlookContact:
    contact = contact_of({"id": "c1", **row}, marks_known=True)
    assert contact is not None
    return contact


def written(current: OutlookContact, values: dict[Field, str] | None = None, **options: Any) -> dict[str, Any]:
    return dict(body_of_write(OutlookWrite(current, values or {}, **options), OURS))


def echoed(card: Card) -> Card:
    """What comes back of a contact that was created."""
    return read(**body_of_draft(OutlookDraft(card, STAMP), OURS)).card


def test_every_field_comes_back_as_it_was_sent() -> None:
    """R41"""
    assert echoed(FULL_CARD) == FULL_CARD


@pytest.mark.parametrize("empty", [None, "", "   ", {}, [], [None], [""], 7, True, {"x": 1}])
def test_empty_foreign_and_missing_values_are_the_same(empty: Any) -> None:
    """R41"""
    names = (*CONTACT_PROPERTIES, "parentFolderId", "createdDateTime", "changeKey", "singleValueExtendedProperties")
    contact = read(**dict.fromkeys(names, empty))
    assert contact.card == EMPTY_CARD
    assert (contact.categories, contact.more_lines, contact.more_phones, contact.email_names) == ((), (), (), ())
    assert (contact.stamp, contact.private) == (None, False)


def test_something_without_an_id_is_no_contact() -> None:
    assert contact_of({"displayName": "x"}, marks_known=True) is None
    assert contact_of({"id": 7}, marks_known=True) is None


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("address", "name", "street", "id", "value", "city")), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from((*CONTACT_PROPERTIES, "id", "@odata.etag", "changeKey", "singleValueExtendedProperties")), JUNK
    )
)
def test_no_json_makes_reading_fail(row: dict[str, Any]) -> None:
    contact = contact_of(row, marks_known=True)
    if contact is not None:
        body_of_write(OutlookWrite(contact, dict.fromkeys(Field, "x")), OURS)


LINE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=12).map(clean)
ADDRESS = st.from_regex(r"[a-z]{1,5}@[a-z]{1,5}\.example", fullmatch=True)
CARDS = st.builds(
    Card,
    **{name: LINE for name in Card._fields if name != "email"},
    email=st.lists(ADDRESS, max_size=3).map(";".join),
)


@given(CARDS)
def test_a_created_card_comes_back(card: Card) -> None:
    """R41; three addresses at most, lines without breaks"""
    assert echoed(card) == card


@given(CARDS, CARDS, st.lists(LINE.filter(bool), max_size=2), st.sets(st.sampled_from(Field)))
def test_a_write_changes_what_it_names_and_nothing_else(
    old: Card, new: Card, more: list[str], which: set[Field]
) -> None:
    """R12"""
    row: dict[str, Any] = {"id": "c1", **body_of_draft(OutlookDraft(old, STAMP), OURS)}
    if more:
        row["businessAddress"] = {"street": "\r\n".join((old.address_1, old.address_2, *more)), "city": old.city}
        row["businessAddress"] |= {"state": old.state, "postalCode": old.postal_code, "countryOrRegion": old.country}
    current = contact_of(row, marks_known=True)
    assert current is not None
    body = written(current, {each: new.get(each) for each in which})
    after = contact_of({**row, **body}, marks_known=True)
    assert after is not None
    assert after.card == old.with_values({each: new.get(each) for each in which})
    assert after.more_lines == tuple(more)


@pytest.mark.parametrize(
    ("street", "first", "second", "more"),
    [
        ("One", "One", "", ()),
        ("One\r\nTwo\r\nThree\r\n\r\n", "One", "Two", ("Three",)),
        ("One\rTwo", "One", "Two", ()),
        ("\nTwo", "", "Two", ()),
        ("\n\nThree", "", "", ("Three",)),
        ("One\n\nThree", "One", "", ("Three",)),
        (" One \n Two ", "One", "Two", ()),
        (" \n ", "", "", ()),
    ],
)
def test_a_street_has_two_lines_and_more(street: str, first: str, second: str, more: tuple[str, ...]) -> None:
    """R17, R41"""
    contact = read(businessAddress={"street": street})
    assert (contact.card.address_1, contact.card.address_2, contact.more_lines) == (first, second, more)


def test_a_third_line_survives_a_write_of_the_address() -> None:
    """R12, R17"""
    current = read(businessAddress={"street": "One\r\nTwo\r\nThree", "city": "Rome", "countryOrRegion": "Italy"})
    assert written(current, {Field.CITY: "Milan"})["businessAddress"] == {
        "street": "One\nTwo\nThree",
        "city": "Milan",
        "state": None,
        "postalCode": None,
        "countryOrRegion": "Italy",
    }


def test_an_address_is_cleared_as_a_whole_object_of_nulls() -> None:
    current = read(businessAddress={"city": "Rome"})
    assert set(written(current, {Field.CITY: ""})["businessAddress"].values()) == {None}
    assert len(written(current, {Field.CITY: ""})["businessAddress"]) == 5


def test_the_second_phone_stays() -> None:
    """R12"""
    current = read(businessPhones=["1", "2"])
    assert (current.card.phone, current.more_phones) == ("1", ("2",))
    assert written(current, {Field.PHONE: "9"})["businessPhones"] == ["9", "2"]
    assert written(read(businessPhones=["1"]), {Field.PHONE: ""})["businessPhones"] == []


def test_no_more_than_two_phones_are_sent() -> None:
    current = read(businessPhones=["1", "2", "3"])
    assert written(current, {Field.PHONE: "9"})["businessPhones"] == ["9", "2"]


def test_addresses_that_stay_keep_their_names() -> None:
    """R3, R12"""
    current = read(
        displayName="Ada",
        emailAddresses=[{"name": "Work", "address": "Ada@x.example"}, {"name": None, "address": "b@x.example"}],
    )
    body = written(current, {Field.EMAIL: "new@x.example;ada@x.example;b@x.example"})
    assert body["emailAddresses"] == [
        {"name": "Ada", "address": "new@x.example"},
        {"name": "Work", "address": "ada@x.example"},
        {"name": "Ada", "address": "b@x.example"},
    ]
    assert written(current, {Field.EMAIL: ""})["emailAddresses"] == []


def test_only_three_addresses_count_and_blank_ones_do_not() -> None:
    """R3"""
    mails = [{"address": each} for each in (" a@x.example ", "", "b@x.example", "c@x.example", "d@x.example")]
    contact = read(emailAddresses=[*mails, None, "x"])
    assert contact.card.email == "a@x.example;b@x.example;c@x.example"
    assert len(contact.email_names) == 3


def test_the_display_name_goes_along_with_every_write() -> None:
    """R16, R20: otherwise the service makes it anew"""
    current = read(displayName="Ada B. Lovelace", givenName="Ada", surname="Lovelace")
    assert written(current, {Field.JOB_TITLE: "CTO"}) == {
        "displayName": "Ada B. Lovelace",
        "jobTitle": "CTO",
        "categories": [OURS],
    }


def test_a_written_name_takes_its_parts_along() -> None:
    """R20"""
    current = read(displayName="Ada B. Lovelace", givenName="Ada", middleName="B.", surname="Lovelace")
    body = written(current, {Field.NAME: "Ada King"}, name_parts=("Ada", "", "King"))
    assert body["displayName"] == "Ada King"
    assert (body["givenName"], body["middleName"], body["surname"]) == ("Ada", None, "King")
    assert "givenName" not in written(current, {Field.NAME: "Ada King"})


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (Field.JOB_TITLE, "jobTitle"),
        (Field.COMPANY, "companyName"),
        (Field.MOBILE, "mobilePhone"),
        (Field.WEBSITE, "businessHomePage"),
    ],
)
def test_a_cleared_field_is_sent_as_null(field: Field, name: str) -> None:
    body = written(read(**{name: "old"}), {field: ""})
    assert name in body
    assert body[name] is None


def test_the_users_categories_stay() -> None:
    """R28"""
    assert written(read(categories=["Red"]))["categories"] == ["Red", OURS]
    assert "categories" not in written(read(categories=["business central", "Red"]))
    assert body_of_draft(OutlookDraft(FULL_CARD, STAMP), OURS)["categories"] == [OURS]


def test_marks_are_taken_off_and_the_users_categories_stay() -> None:
    """R27"""
    body = written(read(categories=["Red", OURS]), remove_marks=True)
    assert body["categories"] == ["Red"]
    assert {each["value"] for each in body["singleValueExtendedProperties"]} == {"-"}
    assert read(**body).stamp is None
    assert "categories" not in written(read(categories=["Red"]), remove_marks=True)


def test_the_stamp_is_written_and_read() -> None:
    """R9"""
    body = written(read(), stamp=STAMP)
    assert read(**body).stamp == STAMP
    assert "singleValueExtendedProperties" not in written(read())


def test_marks_that_were_not_asked_for_are_not_known() -> None:
    row = {"id": "c1", **body_of_draft(OutlookDraft(FULL_CARD, STAMP), OURS)}
    contact = contact_of(row, marks_known=False)
    assert contact is not None
    assert (contact.marks_known, contact.stamp, contact.private) == (False, None, False)


def test_the_tag_is_made_of_the_change_key_where_the_tag_is_missing() -> None:
    assert read(changeKey="EQ1").etag == 'W/"EQ1"'
    assert read(**{"@odata.etag": 'W/"x"'}, changeKey="EQ1").etag == 'W/"x"'


def test_a_feed_entry_is_complete_only_with_all_properties() -> None:
    row = dict.fromkeys(CONTACT_PROPERTIES)
    assert is_complete(row, CONTACT_PROPERTIES)
    del row["mobilePhone"]
    assert not is_complete(row, CONTACT_PROPERTIES)


def test_blank_fields_are_left_out_of_a_create() -> None:
    assert set(body_of_draft(OutlookDraft(Card(name="Ada"), STAMP), OURS)) == {
        "displayName",
        "categories",
        "singleValueExtendedProperties",
    }
