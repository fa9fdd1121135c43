"""What Business Central does with a contact that is written: defaults, checks, side effects (reference 2)."""

from dataclasses import replace
from typing import Any

import pytest

from dev.simulators.business_central.company import Company, PostCode
from dev.simulators.business_central.contact import Contact, contact_json, etag
from dev.simulators.business_central.errors import BcError
from dev.simulators.business_central.rules import invalid_address, name_parts
from dev.simulators.business_central.stamps import parse_stamp, stamp_text
from dev.simulators.business_central.switches import Switches
from dev.simulators.business_central.writes import change, create, delete


class Desk:
    """One company, and somebody who writes to it: each write a second after the one before."""

    def __init__(self) -> None:
        self.now = parse_stamp("2026-03-01T08:00:00Z")
        self.switches = Switches()
        self.company = Company("CRONUS", "CRONUS", lambda: self.now)

    def create(self, **values: Any) -> Contact:
        self.now += 1000
        return create(self.company, self.switches, values, self.now)

    def change(self, contact: Contact, **values: Any) -> Contact:
        self.now += 1000
        return change(self.company, self.switches, self.again(contact), values, self.now)

    def again(self, contact: Contact) -> Contact:
        found = self.company.contacts.get(contact.id)
        assert found is not None
        return found

    def works(self, **values: Any) -> Contact:
        given = {"displayName": "Works Ltd", "country": "GB", "city": "London", "addressLine1": "1 Dock Rd",
                 "phoneNumber": "+44 1", "email": "office@works.example"}  # fmt: skip
        return self.create(type="Company", **{**given, **values})

    def person(self, **values: Any) -> Contact:
        return self.create(**{"type": "Person", "displayName": "Anna Berg", **values})

    def refused(self, status: int, code: str, **values: Any) -> str:
        with pytest.raises(BcError) as refusal:
            self.person(**values)
        assert (refusal.value.status, refusal.value.code) == (status, code)
        return refusal.value.message


@pytest.fixture
def desk() -> Desk:
    return Desk()


# Defaults and read-only fields


def test_a_contact_without_type_becomes_a_company(desk):
    contact = desk.create(displayName="Forgot the type", jobTitle="Buyer")
    assert (contact.type, contact.number, contact.job_title) == ("Company", "CT000001", "")
    assert (contact.company_number, contact.company_name) == ("CT000001", "Forgot the type")
    assert contact_json(contact)["contactBusinessRelation"] == "None"


def test_a_companys_job_title_survives_a_later_change(desk):
    assert desk.change(desk.works(), jobTitle="Head office").job_title == "Head office"


@pytest.mark.parametrize(
    ("values", "code", "message"),
    [
        ({"displayName": ""}, "Application_DialogException", 'The blank "displayName" is not allowed.'),
        ({"id": "88bbb6a9-16c6-f011-8542-7c1e520ee21f"}, "BadRequest_InvalidOperation", "Control 'id' is read-only"),
        ({"lastModifiedDateTime": "2026-01-01T00:00:00Z"}, "BadRequest_InvalidOperation", "read-only"),
        ({"contactBusinessRelation": "None"}, "BadRequest_InvalidOperation", "read-only"),
        ({"@odata.etag": "x"}, "BadRequest", "annotation"),
        ({"givenName": "Anna"}, "BadRequest", "does not exist"),
        ({"displayName": 5}, "BadRequest", "Edm.String"),
        ({"city": None}, "BadRequest", "Edm.String"),
        ({"privacyBlocked": "yes"}, "BadRequest", "Edm.Boolean"),
        ({"type": "Robot"}, "Unknown", "'Robot' is not an option. The existing options are: Company,Person"),
        ({"number": "X1"}, "Application_DialogException", "You may not enter numbers manually."),
        ({"jobTitle": "x" * 31}, "Application_StringExceededLength", "length of the string is 31"),
        ({"email": "a" * 75 + "@b.example"}, "Application_StringExceededLength", "less than or equal to 80"),
        ({"phoneNumber": "12 ext 3"}, "Application_FieldValidationException", "Phone No. must not contain letters"),
        ({"mobilePhoneNumber": "ß"}, "Application_FieldValidationException", "Mobile Phone No."),
        ({"email": "foo"}, "Application_DialogException", 'The email address "foo" is not valid.'),
        ({"country": "XX"}, "Internal_InvalidTableRelation", "(Country/Region)"),
        ({"companyNumber": "CT9"}, "Internal_InvalidTableRelation", "(Contact)"),
    ],
)
def test_what_bc_refuses_says_why(desk, values, code, message):
    assert message in desk.refused(400, code, **values)
    assert len(desk.company.contacts) == 0


def test_a_name_must_be_provided(desk):
    with pytest.raises(BcError, match='A "displayName" must be provided'):
        desk.create(type="Person", email="a@b.example")


def test_codes_are_stored_trimmed_in_upper_case_and_the_search_name_follows(desk):
    contact = desk.person(country=" de ", postalCode="ab 1")
    assert (contact.country, contact.postal_code, contact.search_name) == ("DE", "AB 1", "ANNA BERG")
    assert desk.change(contact, displayName="Anna Holm").search_name == "ANNA HOLM"
    own = desk.change(contact, searchName="queen")
    assert own.search_name == "QUEEN"
    assert desk.change(own, displayName="Anna Lind").search_name == "QUEEN"


def test_an_unlucky_number_series_is_refused(desk):
    desk.company.setup.number_series = ""
    assert "Marketing Setup" in desk.refused(400, "Application_FieldValidationException")
    desk.company.setup.number_series, desk.company.setup.number_limit = "CONT", 0
    assert "from the number series CONT" in desk.refused(400, "Application_DialogException")


def test_manual_numbers_must_be_free_and_the_series_skips_them(desk):
    desk.switches.manual_numbers = True
    assert desk.person(number="ct000001").number == "CT000001"
    assert desk.person().number == "CT000002"
    desk.refused(400, "Internal_EntityWithSameKeyExists", number="CT000001")
    desk.switches.duplicate_key_status = 409
    desk.refused(409, "Internal_EntityWithSameKeyExists", number="CT000001")


# Names and addresses


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Anna", ("Anna", "", "")),
        ("Anna  Berg", ("Anna", "", "Berg")),
        ("Anna Maria van Dijk", ("Anna Maria", "van", "Dijk")),
        ("Dijk, Anna", ("Dijk,", "", "Anna")),
        ("A\u00a0B C", ("A\u00a0B", "", "C")),
        ("x" * 40, ("x" * 30, "", "")),
    ],
)
def test_a_name_is_split_by_blanks(name, parts):
    assert name_parts(name) == parts


def test_the_split_looks_at_the_type_of_the_moment(desk):
    desk.switches.property_order = "payload"
    late = desk.create(displayName="Anna Berg", type="Person")
    assert (late.display_name, late.first_name, late.surname) == ("Anna Berg", "", "")
    desk.switches.property_order = "page"
    assert desk.create(displayName="Anna Berg", type="Person").surname == "Berg"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", None),
        ("a@b.example", None),
        (";a@b.example; c@d.example;", None),
        ("jörg@müller.example", None),
        ("a@b", "a@b"),
        ("a@@b.example", "a@@b.example"),
        ("a@b.example;;c@d.example", ""),
        ("a@b.example.", "a@b.example."),
        ("a@b.e.x", "a@b.e.x"),
        ("a b@c.example", "a b@c.example"),
        ("a@.example", "a@.example"),
        ("@b.example", "@b.example"),
        ("A <a@b.example>", "A <a@b.example>"),
        ("@", "@"),
    ],
)
def test_every_part_of_an_email_field_is_an_address(text, wrong):
    assert invalid_address(text) == wrong


def test_another_country_clears_the_town_that_was_there(desk):
    contact = desk.person(country="GB", city="London", state="Greater London", postalCode="W1")
    moved = desk.change(contact, city="Berlin", country="DE", postalCode="10115")
    assert (moved.city, moved.state, moved.postal_code, moved.country) == ("", "", "10115", "DE")
    assert desk.change(contact, city="Berlin").city == "Berlin"


def test_no_town_is_cleared_where_addresses_require_a_country(desk):
    desk.company.setup.country_required_in_address = True
    contact = desk.person(country="GB", city="London")
    assert desk.change(contact, country="DE").city == "London"


def test_a_known_post_code_overwrites_town_state_and_country(desk):
    desk.company.post_codes = [PostCode("W1 3AL", "London", "", "GB"), PostCode("10115", "Berlin", "BE", "DE"),
                               PostCode("10115", "New York", "NY", "US")]  # fmt: skip
    contact = desk.person(city="Paris", country="FR", postalCode="w1 3al")
    assert (contact.city, contact.country) == ("London", "GB")
    assert desk.person(city="x", country="US", postalCode="10115").city == "New York"
    assert desk.person(city="Paris", postalCode="75001").city == "Paris"


def test_a_minor_without_consent_stays_blocked(desk):
    contact = desk.person(privacyBlocked=True)
    assert desk.change(contact, privacyBlocked=False).privacy_blocked is False


# Companies and their persons


def test_a_linked_person_inherits_what_it_lacks(desk):
    works = desk.works()
    person = desk.person(companyNumber=works.number, phoneNumber="5")
    assert (person.company_name, person.email, person.phone_number) == ("Works Ltd", "office@works.example", "5")
    assert (person.address_line1, person.city, person.country) == ("1 Dock Rd", "London", "GB")


def test_nothing_is_inherited_where_marketing_setup_says_so(desk):
    desk.company.setup.set(inherit_address=False, inherit_country=False, inherit_communication=False)
    person = desk.person(companyNumber=desk.works().number)
    assert (person.company_name, person.email, person.city, person.country) == ("Works Ltd", "", "", "")


def test_a_new_link_replaces_only_what_came_from_the_old_company(desk):
    first, second = desk.works(), desk.works(displayName="Mill", email="office@mill.example", phoneNumber="+44 2")
    person = desk.person(companyNumber=first.number, phoneNumber="5")
    moved = desk.change(person, companyNumber=second.number)
    assert (moved.company_name, moved.email, moved.phone_number) == ("Mill", "office@mill.example", "5")
    assert desk.change(moved, companyNumber="").company_name == ""


def test_an_edited_company_takes_along_what_still_had_its_values(desk):
    works = desk.works()
    follows, own = desk.person(companyNumber=works.number), desk.person(companyNumber=works.number)
    desk.change(own, email="anna@own.example", city="Bath")
    before = desk.again(follows), desk.again(own)
    desk.change(works, displayName="New Works", email="new@works.example", city="Leeds", country="DE")
    after = desk.again(follows), desk.again(own)
    assert (after[0].company_name, after[0].email, after[0].country) == ("New Works", "new@works.example", "DE")
    assert (after[1].company_name, after[1].email, after[1].city) == ("New Works", "anna@own.example", "Bath")
    assert all(new.modified > old.modified and etag(new) != etag(old) for new, old in zip(after, before, strict=True))


def test_a_change_of_the_company_that_concerns_nobody_leaves_the_persons_alone(desk):
    works = desk.works()
    person = desk.person(companyNumber=works.number)
    desk.change(works, jobTitle="x")
    assert desk.again(person) == person


def test_only_persons_have_a_company(desk):
    works, other = desk.works(), desk.works(displayName="Other")
    with pytest.raises(BcError, match="Type must be equal to 'Person'"):
        desk.change(works, companyNumber=other.number)
    with pytest.raises(BcError, match="Type must be equal to 'Person'"):
        desk.change(works, companyName="Other")
    assert desk.change(works, companyNumber=works.number) == works
    person = desk.person()
    desk.refused(400, "Internal_InvalidTableRelation", companyNumber=person.number)


@pytest.mark.parametrize(
    ("text", "found"),
    [("works ltd", "Works Ltd"), ("ct000002", "Mill"), ("Wo", "Works Ltd"), ("ill", "Mill"), ("Leeds", "Mill")],
)
def test_a_company_name_is_a_lookup(desk, text, found):
    desk.works()
    desk.works(displayName="Mill", city="Leeds")
    assert desk.person(companyName=text).company_name == found


def test_a_company_name_that_leads_nowhere_or_to_several_is_refused(desk):
    desk.works()
    desk.works(displayName="Quarry Works Ltd 2")
    assert "select an existing" in desk.refused(400, "Application_DialogException", companyName="Atlantis")
    assert "select an existing" in desk.refused(400, "Application_DialogException", companyName="td")


def test_a_renamed_company_keeps_its_persons(desk):
    desk.switches.manual_numbers = True
    works = desk.works()
    person = desk.person(companyNumber=works.number)
    renamed = desk.change(works, number="W1")
    assert (renamed.id, renamed.company_number, desk.again(person).company_number) == (works.id, "W1", "W1")
    assert desk.company.contacts.by_number(works.number) is None


def test_a_company_takes_its_persons_along_when_deleted_or_nobody(desk):
    works = desk.works()
    person, stranger = desk.person(companyNumber=works.number), desk.person()
    desk.company.contacts.put(busy := replace(person, busy=frozenset({"tasks"})))
    with pytest.raises(BcError, match=r"You cannot delete contact CT000002 because there are one or more tasks open\."):
        delete(desk.company, works)
    assert len(desk.company.contacts) == 3
    desk.company.contacts.put(replace(busy, busy=frozenset()))
    delete(desk.company, works)
    assert [contact.id for contact in desk.company.contacts] == [stranger.id]


# Stamps and tags


def test_a_change_that_changes_nothing_moves_neither_stamp_nor_tag(desk):
    contact = desk.person(city="Bonn")
    same = desk.change(contact, city="Bonn", displayName="Anna Berg")
    assert (same.modified, etag(same)) == (contact.modified, etag(contact))
    other = desk.change(contact, city="Kiel")
    assert other.modified > contact.modified
    assert etag(other) != etag(contact)


@pytest.mark.parametrize(
    "text", ["2025-11-25T12:22:02.18Z", "2025-11-25T12:22:02Z", "2025-11-25T12:22:02.007Z", "2025-11-25T12:22:02.1Z"]
)
def test_stamps_have_milliseconds_without_trailing_zeros(text):
    assert stamp_text(parse_stamp(text)) == text


def test_the_escaped_relation_is_what_the_api_shows():
    assert contact_json(Contact("1", relation="Bank Account"))["contactBusinessRelation"] == "Bank_x0020_Account"
    assert contact_json(Contact("1", relation=" "))["contactBusinessRelation"] == "_x0020_"
    assert contact_json(Contact("1"))["lastInteractionDate"] == "0001-01-01"


def test_a_failed_write_leaves_no_trace(desk):
    person = desk.person()
    with pytest.raises(BcError):
        desk.change(person, city="Bonn", email="wrong")
    assert desk.again(person) == person
