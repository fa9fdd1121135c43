"""What the engine's port promises, kept by the Business Central adapter against the simulator."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from dev.simulators.business_central.control import BusinessCentralControl
from dev.simulators.launch import Simulators, start_simulators
from shared.business_central.company import Company
from shared.business_central.environment import Environment, service
from shared.cards.model import BcContact, Card, Field
from shared.engine.sides import BcDraft, BcWrite
from shared.errors import (
    ChangedMeanwhile,
    CompanyUnavailable,
    ContactError,
    ContactGone,
    InvalidValue,
    OutcomeUnknown,
    RetryableError,
    SetupRefused,
)
from shared.pace import Pace
from shared.transport.auth import MsalTokens, Secret
from shared.transport.client import Client

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    with start_simulators(("entra", "bc"), folder=tmp_path_factory.mktemp("simulators")) as running:
        yield running
        assert running.bc.defects() == []


@pytest.fixture(scope="module")
def client(simulators: Simulators) -> Iterator[Client]:
    at = simulators.addresses
    tokens = MsalTokens(
        authority_host=at.authority_host, tenant=at.tenant, client_id=at.client_id, credential=Secret(at.client_secret)
    )
    environment = service(root=at.bc_root, tenant=at.tenant, environment="Production", scope=at.bc_scope)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", at.ca_file)
        yield Client(environment, tokens, sleep=lambda seconds: None, jitter=lambda: 0.0)


@pytest.fixture
def bc(simulators: Simulators) -> Iterator[BusinessCentralControl]:
    before = simulators.bc.switch()
    simulators.bc.reset()
    simulators.bc.reset_log()
    yield simulators.bc
    simulators.bc.clear_faults()
    simulators.bc.switch(**before)


@pytest.fixture
def pace() -> Pace:
    return Pace(deadline=time.monotonic() + 120)


@pytest.fixture
def environment(client: Client, pace: Pace) -> Environment:
    return Environment(client, pace)


@pytest.fixture
def company(environment: Environment, bc: BusinessCentralControl) -> Company:
    return environment.company(bc.companies()[0]["id"])


def draft(name: str = "Ada King", email: str = "ada@x.example", **more: str) -> BcDraft:
    values = {Field.NAME: name, Field.EMAIL: email}
    return BcDraft({**values, **{Field[each.upper()]: value for each, value in more.items()}})


def created(company: Company, *drafts: BcDraft) -> list[BcContact]:
    results = company.create(drafts or [draft()])
    assert all(isinstance(each, BcContact) for each in results), results
    return [each for each in results if isinstance(each, BcContact)]


def only(results: Any) -> Any:
    assert len(results) == 1
    return results[0]


# Companies and countries


def test_companies_are_listed_with_their_names(environment: Environment, bc: BusinessCentralControl) -> None:
    bc.add_company("SECOND", "The second")
    assert {(each.name, each.display_name) for each in environment.companies()} >= {("SECOND", "The second")}


def test_countries_are_names_by_code(company: Company, bc: BusinessCentralControl) -> None:
    """R19"""
    bc.set_countries({"DE": "Germany", "GB": "Great Britain"})
    assert company.countries() == {"DE": "Germany", "GB": "Great Britain"}


def test_a_company_that_is_not_there_is_unavailable(environment: Environment, bc: BusinessCentralControl) -> None:
    missing = environment.company(str(uuid4()))
    for call in (lambda: list(missing.stamps()), lambda: missing.read([str(uuid4())]), lambda: missing.countries()):
        with pytest.raises(CompanyUnavailable):
            call()
    for status in (404, 400):
        bc.switch(unknown_company_status=status)
        with pytest.raises(CompanyUnavailable):
            missing.create([draft()])


# Reading


def test_every_contact_is_read_over_all_pages(client: Client, pace: Pace, bc: BusinessCentralControl) -> None:
    bc.seed(count=25, companies=3)
    company = Environment(client, pace, page_size=10).company(bc.companies()[0]["id"])
    contacts = list(company.contacts())
    assert {each.id for each in contacts} == {each["id"] for each in bc.contacts()}
    assert {each.id for each in contacts} == {key for key, _ in company.stamps()}
    by_id = {each["id"]: each for each in bc.contacts()}
    for each in contacts:
        assert each.modified == by_id[each.id]["lastModifiedDateTime"]
        assert each.etag == by_id[each.id]["@odata.etag"]
        assert each.card.name == by_id[each.id]["displayName"]


@pytest.mark.parametrize("behaviour", ["error", "continue"])
def test_a_deletion_between_two_pages_loses_nobody(
    behaviour: str, client: Client, pace: Pace, bc: BusinessCentralControl
) -> None:
    """R25"""
    bc.switch(skiptoken_of_deleted=behaviour)
    bc.seed(count=20)
    company = Environment(client, pace, page_size=5).company(bc.companies()[0]["id"])
    walk = company.stamps()
    read = [next(walk)[0] for _ in range(5)]
    bc.delete_contact(read[-1])
    read.extend(key for key, _ in walk)
    assert set(read) >= {each["id"] for each in bc.contacts()}
    assert len(read) == len(set(read))


def test_changes_come_from_the_primary_oldest_first(company: Company, bc: BusinessCentralControl) -> None:
    bc.switch(replica_lag_ms=3_600_000)
    bc.seed(count=3)
    old = max((each["lastModifiedDateTime"] for each in bc.contacts()), default="")
    bc.advance_clock(60)
    first, second = (bc.create_contact(displayName=name, email=f"{name}@x.example") for name in ("B", "A"))
    bc.advance_clock(60)
    bc.update_contact(first["id"], jobTitle="Buyer")
    changes = company.changed_since(second["lastModifiedDateTime"])
    assert [each.id for each in changes] == [second["id"], first["id"]]
    assert changes[1].card.job_title == "Buyer"
    assert {each.id for each in company.changed_since(old)} == {each["id"] for each in bc.contacts()}


def test_reading_by_id_tells_the_deleted_from_the_living(company: Company, bc: BusinessCentralControl) -> None:
    """R25"""
    bc.seed(count=3)
    alive = [each["id"] for each in bc.contacts()]
    gone = bc.create_contact(displayName="Gone", email="gone@x.example")["id"]
    bc.delete_contact(gone)
    found = company.read([*alive, gone, gone.upper(), "not an id", "') or (1 eq 1"])
    assert {key for key, value in found.items() if value is None} == {gone, gone.upper()}
    assert {key for key, value in found.items() if value is not None} == set(alive)


@pytest.mark.parametrize("form", ["not-found", "endpoint", "empty"])
def test_r25_an_unclear_404_is_no_deletion(form: str, company: Company, bc: BusinessCentralControl) -> None:
    """R25"""
    bc.seed(count=2)
    bc.switch(unknown_contact=form)
    assert company.read([str(uuid4())]) == {}


def test_a_missing_endpoint_or_right_is_no_deletion(company: Company, bc: BusinessCentralControl) -> None:
    """R25"""
    bc.seed(count=2)
    known = [each["id"] for each in bc.contacts()]
    for switched in ({"contacts_page_missing": True}, {"permissions": "none"}, {"app_enabled": False}):
        before = bc.switch()
        bc.switch(**switched)
        with pytest.raises(CompanyUnavailable):
            company.read([*known, str(uuid4())])
        with pytest.raises(CompanyUnavailable):
            list(company.stamps())
        bc.switch(**before)


def test_in_a_company_that_shows_nobody_nothing_counts_as_deleted(company: Company) -> None:
    """R25"""
    assert company.read([str(uuid4())]) == {}


def test_a_hundred_and_more_are_read_in_batches(company: Company, bc: BusinessCentralControl, pace: Pace) -> None:
    bc.seed(count=150)
    ids = [each["id"] for each in bc.contacts()]
    assert set(company.read(ids)) == set(ids)
    assert pace.requests == {"bc": 2}


# Finding persons


@pytest.mark.parametrize("literals", ["al", "wildcards", "exact"])
def test_r07_persons_are_found_by_their_first_valid_address(
    literals: str, company: Company, bc: BusinessCentralControl
) -> None:
    """R7"""
    bc.switch(literals=literals)
    bc.seed(
        [
            {"displayName": "First", "type": "Person", "email": "Ada@X.example"},
            {"displayName": "Several", "type": "Person", "email": "bob@x.example; other@x.example"},
            {"displayName": "Broken first", "type": "Person", "email": "nobody;carl@x.example"},
            {"displayName": "Second only", "type": "Person", "email": "main@x.example;ada@x.example"},
            {"displayName": "Longer", "type": "Person", "email": "xada@x.example"},
            {"displayName": "Company", "type": "Company", "email": "ada@x.example"},
            {"displayName": "Quote", "type": "Person", "email": "o'neil@x.example"},
            {"displayName": "Odd", "type": "Person", "email": "a*b&c@x.example"},
            {"displayName": "Twin", "type": "Person", "email": "ada@x.example"},
        ]
    )
    asked = [
        "ada@x.example",
        "bob@x.example",
        "carl@x.example",
        "o'neil@x.example",
        "a*b&c@x.example",
        "no@x.example",
        "",
    ]
    found = company.find_persons(asked)
    assert {key: sorted(each.card.name for each in persons) for key, persons in found.items()} == {
        "ada@x.example": ["First", "Twin"],
        "bob@x.example": ["Several"],
        "carl@x.example": ["Broken first"],
        "o'neil@x.example": ["Quote"],
        "a*b&c@x.example": ["Odd"],
    }


def test_many_persons_are_found_with_one_request(company: Company, bc: BusinessCentralControl, pace: Pace) -> None:
    bc.seed(count=120)
    emails = [each["email"].lower() for each in bc.contacts() if each["type"] == "Person" and each["email"]]
    assert set(company.find_persons(emails)) == set(emails)
    assert pace.requests == {"bc": 1}


# Creating


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


# Changing


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


# Deleting


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


# Throttling and faults


def test_throttled_parts_and_batches_are_repeated(company: Company, bc: BusinessCentralControl) -> None:
    """R32"""
    bc.add_fault("answer", service="bc", item=True, status=429, times=3)
    bc.add_fault("answer", service="bc", item=False, path="batch", status=503, times=2, headers={"Retry-After": "0"})
    assert len(created(company, *(draft(email=f"{each}@x.example") for each in "abcdef"))) == 6
    assert len(bc.contacts()) == 6


def test_an_expired_token_is_replaced(company: Company, bc: BusinessCentralControl) -> None:
    bc.seed(count=1)
    assert len(list(company.stamps())) == 1
    bc.revoke_tokens()
    assert len(list(company.stamps())) == 1


def test_a_service_that_stays_away_is_retryable(company: Company, bc: BusinessCentralControl) -> None:
    bc.add_fault("answer", service="bc", status=502, times=None, body="<html>")
    with pytest.raises(RetryableError):
        list(company.contacts())
    with pytest.raises(RetryableError):
        company.write([BcWrite(BcContact(str(uuid4()), 'W/"eA=="', "", {}), {Field.JOB_TITLE: "x"})])
