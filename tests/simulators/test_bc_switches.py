"""Each remaining switch of the Business Central simulator changes what it says."""

from dataclasses import replace

import pytest

from dev.simulators.business_central.environment import Environment
from dev.simulators.business_central.errors import BcError
from dev.simulators.business_central.fields import CONTACT
from dev.simulators.business_central.query import Walks, read_page, read_query
from dev.simulators.business_central.resources import Resources
from dev.simulators.business_central.switches import Switches
from dev.simulators.business_central.writes import change, create
from dev.simulators.clock import SimClock
from dev.simulators.exchange import Answer, Request


@pytest.fixture
def environment() -> Environment:
    return Environment(SimClock(speed=0))


def ask(environment: Environment, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
    company = next(iter(environment.companies))
    path, _, query = path.partition("?")
    url = f"/v2.0/t/Production/api/v2.0/companies({company})/{path}"
    known = {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
    request = Request("bc", method, url, query, known, body)
    return Resources(environment, lambda: "https://bc").answer(request, request.segments[5:])


def written(environment: Environment, **values: object):
    company = next(iter(environment.companies.values()))
    return create(company, environment.switches, {"type": "Person", "displayName": "Anna Berg", **values}, 1)


def rewritten(environment: Environment, contact, **values: object):
    company = next(iter(environment.companies.values()))
    return change(company, environment.switches, contact, values, 2)


def test_null_clears_or_is_ignored(environment):
    contact = written(environment, city="Bonn")
    environment.switches.null_text = "ignored"
    assert rewritten(environment, contact, city=None) == contact
    environment.switches.null_text = "cleared"
    assert rewritten(environment, contact, city=None).city == ""


def test_annotations_may_be_ignored(environment):
    environment.switches.annotations_in_body = "ignored"
    assert written(environment, **{"@odata.etag": "x", "picture@odata.type": "y"}).display_name == "Anna Berg"


def test_codes_of_refusals_vary(environment):
    environment.switches.set(
        unknown_property_code="BadRequest_NotFound", phone_letters_code="Application_DialogException"
    )
    for values, code in (({"x": 1}, "BadRequest_NotFound"), ({"phoneNumber": "x"}, "Application_DialogException")):
        with pytest.raises(BcError) as refused:
            written(environment, **values)
        assert refused.value.code == code


def test_home_pages_were_short_before_version_27(environment):
    environment.switches.website_length = 80
    with pytest.raises(BcError, match="less than or equal to 80"):
        written(environment, website="x" * 81)


def test_a_new_person_may_keep_the_inherited_town_in_another_country(environment):
    works = written(environment, type="Company", city="London", country="GB")
    assert written(environment, companyNumber=works.number, country="DE").city == ""
    environment.switches.country_clears_on_create = False
    assert written(environment, companyNumber=works.number, country="DE").city == "London"


def test_a_rename_may_need_no_manual_numbers(environment):
    contact = written(environment)
    with pytest.raises(BcError, match="enter numbers manually"):
        rewritten(environment, contact, number="X1")
    environment.switches.rename_needs_manual_numbers = False
    assert rewritten(environment, contact, number="X1").number == "X1"


def test_writes_may_answer_without_content(environment):
    body = b'{"displayName": "Anna"}'
    assert ask(environment, "POST", "contacts", body, prefer="return-no-content").status == 201
    environment.switches.return_no_content = True
    answer = ask(environment, "POST", "contacts", body, prefer="return-no-content")
    assert (answer.status, answer.payload) == (204, None)


def test_lists_may_come_by_number(environment):
    environment.switches.set(default_order="number", sandbox=True)
    for _ in range(20):
        written(environment)
    numbers = [row["number"] for row in ask(environment, "GET", "contacts").payload["value"]]
    assert numbers == sorted(numbers)


def test_a_walk_may_go_on_where_its_last_row_is_now(environment):
    company = next(iter(environment.companies.values()))
    rows = [written(environment) for _ in range(4)]
    by_stamp, walks, switches = [("$orderby", "lastModifiedDateTime")], Walks(), Switches()
    first = read_page(
        company.contacts, read_query(by_stamp, ["odata.maxpagesize=2"], CONTACT, switches), walks, switches
    )
    company.contacts.put(replace(first.rows[-1], modified=99))
    onwards = read_query([*by_stamp, ("$skiptoken", str(first.more))], [], CONTACT, switches)
    assert len(read_page(company.contacts, onwards, walks, switches).rows) == len(rows) - 1
    switches.skiptoken_position = "current"
    assert read_page(company.contacts, onwards, walks, switches).rows == []


def test_codes_in_literals_may_be_upper_cased(environment):
    environment.switches.sandbox = True
    written(environment, country="DE")
    assert ask(environment, "GET", "contacts?$filter=country eq 'de'").payload["value"] == []
    environment.switches.code_literals_upper = True
    assert len(ask(environment, "GET", "contacts?$filter=country eq 'de'").payload["value"]) == 1


def test_the_contacts_page_may_be_lost_for_a_while(environment):
    environment.switches.contacts_page_missing = True
    with pytest.raises(BcError) as refused:
        ask(environment, "GET", "contacts")
    assert (refused.value.status, refused.value.code) == (404, "BadRequest_NotFound")


def test_an_unknown_company_may_be_a_bad_request(environment):
    environment.switches.unknown_company_status = 400
    with pytest.raises(BcError) as refused:
        environment.company("00000000-0000-0000-0000-000000000001")
    assert (refused.value.status, refused.value.code) == (400, "Internal_CompanyNotFound")


def test_switches_refuse_what_they_do_not_know_and_then_change_nothing():
    switches = Switches()
    for mistake in ({"lag": 1}, {"replica_lag_ms": -1}, {"replica_lag_ms": True}, {"literals": "AL"}):
        with pytest.raises(ValueError, match=r"switch|cannot be"):
            switches.set(sandbox=True, **mistake)
    assert switches == Switches()
