"""What the engine's port promises, kept by the Business Central adapter against the simulator: writing."""

from dataclasses import replace

import pytest

from dev.simulators.business_central.control import BusinessCentralControl
from shared.business_central.company import Company
from shared.cards.model import BcContact, Card, Field
from shared.engine.sides import BcDraft, BcWrite
from shared.errors import ChangedMeanwhile, ContactError, ContactGone, InvalidValue, OutcomeUnknown, SetupRefused
from shared.pace import Pace
from tests.contract.business_central.office import created, draft, only

pytestmark = pytest.mark.integration

# ---------------------------------------------------------------- Creating


def test_a_created_contact_is_a_numbered_person_with_the_values_given(company: Company) -> None:
    """R2"""
    contact = only(created(company, draft(job_title="Buyer", phone="+1 312 555 0100", postal_code="60632")))
    assert contact.is_person
    assert contact.number
    assert contact.card == Card(
        name="Ada King",
        email="ada@x.example",
        job_title="Buyer",
        phone="+1 312 555 0100",
        postal_code="60632",
        country=contact.card.country,
    )
    assert company.read([contact.id]) == {contact.id: contact}


def test_what_bc_refuses_is_said_per_contact_and_the_others_are_created(company: Company) -> None:
    """R31"""
    results = company.create(
        [
            draft(),
            draft(email="not an address"),
            draft(name="x" * 101),
            draft(country="XX"),
            draft(phone="ext 12"),
            draft(email="last@x.example"),
        ]
    )
    assert [each.code if isinstance(each, ContactError) else "ok" for each in results] == [
        "ok",
        "invalid-email",
        "too-long",
        "country-unknown",
        "letters-in-phone",
        "ok",
    ]
    too_long = results[2]
    assert isinstance(too_long, InvalidValue)
    assert too_long.field == "displayName"
    refused = results[1]
    assert isinstance(refused, InvalidValue)
    assert (refused.field, "not an address" in str(refused), "not an address" in refused.detail) == (
        "email",
        False,
        True,
    )
    assert "CorrelationId" not in refused.detail


@pytest.mark.parametrize("order", ["page", "payload"])
def test_r16_what_bc_overwrites_on_create_is_sent_once_more(
    order: str, company: Company, bc: BusinessCentralControl
) -> None:
    """R16"""
    bc.switch(property_order=order)
    bc.set_countries({"US": "United States", "DE": "Germany"})
    firm = bc.create_contact(type="Company", displayName="Boston Tools", country="DE")
    bc.set_post_codes([{"code": "60632", "city": "CHICAGO", "state": "ILL", "country": "US"}])
    values = {
        Field.NAME: "Ada King",
        Field.EMAIL: "ada@x.example",
        Field.COUNTRY: "US",
        Field.CITY: "Cicero",
        Field.STATE: "IL",
        Field.POSTAL_CODE: "60632",
    }
    contact = only(company.create([BcDraft(values, company_number=firm["number"])]))
    assert (contact.card.country, contact.card.city, contact.card.state) == ("US", "Cicero", "IL")
    assert contact.card.company == "Boston Tools"
    assert company.read([contact.id])[contact.id] == contact


@pytest.mark.parametrize("act", ["lost-drop", "lost-answer"])
def test_a_create_whose_answer_was_lost_is_unknown_and_happened_once(
    act: str, company: Company, bc: BusinessCentralControl
) -> None:
    """R9"""
    bc.add_fault(act, service="bc", item=False, path="batch")
    assert isinstance(only(company.create([draft()])), OutcomeUnknown)
    assert len(bc.contacts()) == 1
    assert [each.card.name for each in company.find_persons(["ada@x.example"])["ada@x.example"]] == ["Ada King"]


def test_a_company_that_cannot_number_contacts_refuses_writes(company: Company, bc: BusinessCentralControl) -> None:
    """R31"""
    bc.set_up(number_series="")
    with pytest.raises(SetupRefused, match="Marketing Setup"):
        company.create([draft()] * 150)
    assert len([each for each in bc.log(items=True) if each["method"] == "POST"]) == 100


@pytest.mark.parametrize("status", [500, 403, 400])
def test_a_missing_right_to_write_refuses_writes(status: int, company: Company, bc: BusinessCentralControl) -> None:
    """R31"""
    contact = only(created(company))
    bc.switch(permissions="read-only", permission_status=status)
    with pytest.raises(SetupRefused, match="Microsoft Entra Applications"):
        company.create([draft()])
    with pytest.raises(SetupRefused):
        company.write([BcWrite(contact, {Field.JOB_TITLE: "Buyer"})])


# ---------------------------------------------------------------- Changing


def test_a_write_changes_the_named_fields_only(company: Company, bc: BusinessCentralControl, pace: Pace) -> None:
    """R12"""
    contact = only(created(company, draft(job_title="Buyer", mobile="1")))
    before = pace.requests["bc"]
    written = only(company.write([BcWrite(contact, {Field.JOB_TITLE: "", Field.MOBILE: "2"})]))
    assert written.card == contact.card._replace(job_title="", mobile="2")
    assert written.etag != contact.etag
    assert pace.requests["bc"] == before + 1
    unchanged = only(company.write([BcWrite(written, {})]))
    assert unchanged == written
    assert pace.requests["bc"] == before + 1


def test_a_stale_tag_is_changed_meanwhile_and_a_missing_contact_is_gone(
    company: Company, bc: BusinessCentralControl
) -> None:
    stale, gone, fresh = created(company, *(draft(email=f"{each}@x.example") for each in "abc"))
    bc.update_contact(stale.id, jobTitle="Buyer")
    bc.delete_contact(gone.id)
    blank = replace(fresh, etag="")
    results = company.write([BcWrite(each, {Field.JOB_TITLE: "CEO"}) for each in (stale, gone, fresh, blank)])
    assert [type(each) for each in results] == [ChangedMeanwhile, ContactGone, BcContact, ChangedMeanwhile]
    assert bc.contact(stale.id)["jobTitle"] == "Buyer"


@pytest.mark.parametrize("order", ["page", "payload"])
def test_r16_a_new_country_costs_no_address(order: str, company: Company, bc: BusinessCentralControl) -> None:
    """R16"""
    bc.switch(property_order=order)
    bc.set_countries({"US": "United States", "DE": "Germany"})
    contact = only(created(company, draft(country="US", city="Chicago", state="IL", postal_code="60632")))
    written = only(company.write([BcWrite(contact, {Field.COUNTRY: "DE", Field.CITY: "Kiel"})]))
    assert (written.card.country, written.card.city, written.card.state, written.card.postal_code) == (
        "DE",
        "Kiel",
        "IL",
        "60632",
    )
    assert company.read([contact.id])[contact.id] == written


def test_r16_a_company_link_that_overwrites_the_country_is_put_right_country_first(
    company: Company, bc: BusinessCentralControl
) -> None:
    """R16, R18"""
    bc.set_countries({"US": "United States", "DE": "Germany"})
    firm = bc.create_contact(type="Company", displayName="Tools", country="DE", phoneNumber="99")
    contact = only(created(company, draft(country="US", city="Chicago", state="IL")))
    bc.reset_log()
    written = only(company.write([BcWrite(contact, {Field.JOB_TITLE: "Buyer"}, company_number=firm["number"])]))
    assert written.card == contact.card._replace(job_title="Buyer", company="Tools", phone="99")
    patches = [each for each in bc.log(items=True) if each["method"] == "PATCH"]
    assert len(patches) == 3


def test_r16_upper_casing_and_trimming_is_not_sent_again(company: Company, pace: Pace) -> None:
    """R16"""
    contact = only(created(company))
    before = pace.requests["bc"]
    written = only(company.write([BcWrite(contact, {Field.POSTAL_CODE: "ab1 2cd", Field.CITY: " Kiel "})]))
    assert written.card.postal_code == "AB1 2CD"
    assert pace.requests["bc"] == before + 1


def test_a_write_that_is_lost_on_the_way_is_repeated(company: Company, bc: BusinessCentralControl) -> None:
    contact = only(created(company))
    bc.add_fault("drop", service="bc", item=False, path="batch")
    assert only(company.write([BcWrite(contact, {Field.JOB_TITLE: "Buyer"})])).card.job_title == "Buyer"


def test_a_write_whose_answer_was_lost_has_to_be_read_again(company: Company, bc: BusinessCentralControl) -> None:
    contact = only(created(company))
    bc.add_fault("lost-drop", service="bc", item=False, path="batch")
    assert isinstance(only(company.write([BcWrite(contact, {Field.JOB_TITLE: "Buyer"})])), ChangedMeanwhile)
    read = company.read([contact.id])[contact.id]
    assert read is not None
    assert read.card.job_title == "Buyer"


# ---------------------------------------------------------------- Deleting


def test_removing_deletes_and_what_is_gone_counts_as_removed(company: Company, bc: BusinessCentralControl) -> None:
    first, gone, stale, busy = created(company, *(draft(email=f"{each}@x.example") for each in "abcd"))
    bc.delete_contact(gone.id)
    bc.update_contact(stale.id, jobTitle="x")
    bc.set_facts(busy.id, busy=["tasks"])
    busy = only([company.read([busy.id])[busy.id]])
    results = company.remove([first, gone, stale, busy])
    assert results[:2] == [None, None]
    assert isinstance(results[2], ChangedMeanwhile)
    assert isinstance(results[3], InvalidValue)
    assert {each["id"] for each in bc.contacts()} == {stale.id, busy.id}
