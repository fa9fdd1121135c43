"""What the engine's port promises, kept by the Business Central adapter against the simulator: reading."""

from uuid import uuid4

import pytest

from dev.simulators.business_central.control import BusinessCentralControl
from shared.business_central.company import Company
from shared.business_central.environment import Environment
from shared.errors import CompanyUnavailable
from shared.pace import Pace
from shared.transport.client import Client
from tests.contract.business_central.office import draft

pytestmark = pytest.mark.integration

# ---------------------------------------------------------------- Companies and countries


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


# ---------------------------------------------------------------- Reading


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


# ---------------------------------------------------------------- Finding persons


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
