"""The adapter where the simulator behaves too well: broken pages, links that lead astray, time that ends half-way."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from shared.business_central.environment import Environment, service
from shared.business_central.mapping import read_contact
from shared.business_central.persons import safe_part
from shared.cards.model import BcContact, Field
from shared.engine.sides import BcDraft, BcWrite
from shared.errors import (
    CompanyUnavailable,
    ContactError,
    InvalidValue,
    NotDone,
    OutcomeUnknown,
    RetryableError,
    SetupRefused,
    SyncError,
    Throttled,
)
from shared.pace import Pace
from shared.transport.client import Client
from tests.fakes.http_service import FakeService, FakeTime, Play, Tokens, script

COMPANY = "824820a2-508c-ed11-aada-000d3a298ab3"
ROOT = "https://bc.example/v2.0/t/My%20Sandbox/api/v2.0"
LINK = f"{ROOT}/companies({COMPANY})/contacts?$skiptoken=1"
Reply = tuple[int, Mapping[str, str], Any]


def key(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012d}"


def row(number: int, tag: str = "1", **values: Any) -> dict[str, Any]:
    return {
        "@odata.etag": f'W/"{tag}"',
        "id": key(number),
        "type": "Person",
        "lastModifiedDateTime": "2026-01-01T00:00:00Z",
        **values,
    }


def rows(*found: dict[str, Any], link: Any = None) -> Reply:
    body: dict[str, Any] = {"value": list(found)}
    if link is not None:
        body["@odata.nextLink"] = link
    return 200, {}, body


class Setup:
    """A company of a service that is played."""

    def __init__(self, play: Play, *, seconds: float = 600, page_size: int | None = None) -> None:
        self.fake, self.time = FakeService(play), FakeTime()
        bc = service(root="https://bc.example/", tenant="t", environment="My Sandbox", scope="s")
        client = Client(
            bc, Tokens(), adapter=self.fake, clock=self.time.clock, sleep=self.time.sleep, jitter=lambda: 0.0
        )
        self.environment = Environment(client, Pace(deadline=self.time.now + seconds), page_size=page_size)
        self.company = self.environment.company(COMPANY.upper())

    def urls(self) -> list[str]:
        return [unquote(str(request.url)) for request in self.fake.seen]

    def ids(self) -> list[str]:
        return [each for each, _ in self.company.stamps()]


# Lists


def test_reads_ask_the_primary_in_english_for_exactly_what_is_needed() -> None:
    run = Setup(script(rows(row(1), link=LINK), rows()), page_size=500)
    assert run.ids() == [key(1)]
    assert run.urls() == [
        f"{unquote(ROOT)}/companies({COMPANY})/contacts?$select=id,lastModifiedDateTime",
        unquote(LINK),
    ]
    for request in run.fake.seen:
        assert request.headers["Data-Access-Intent"] == "ReadWrite"
        assert request.headers["Accept-Language"] == "en-US"
        assert request.headers["Prefer"] == "odata.maxpagesize=500"


def test_changes_are_filtered_and_ordered_by_bc() -> None:
    run = Setup(script(rows()))
    run.company.changed_since("2026-01-15T10:00:00.000Z")
    assert (
        "$filter=lastModifiedDateTime ge 2026-01-15T10:00:00.000Z&$orderby=lastModifiedDateTime&$select=id,"
        in run.urls()[0]
    )
    with pytest.raises(SyncError):
        run.company.changed_since("2026-01-15' or 1 eq 1")


def test_a_contact_that_changed_while_its_list_was_read_comes_once_as_it_is_now() -> None:
    newer = row(1, tag="2", lastModifiedDateTime="2026-01-01T00:00:09Z")
    run = Setup(script(rows(row(1), row(2, lastModifiedDateTime="2026-01-01T00:00:00.5Z"), link=LINK), rows(newer)))
    assert [(each.id, each.etag) for each in run.company.changed_since("2026-01-01T00:00:00Z")] == [
        (key(2), 'W/"1"'),
        (key(1), 'W/"2"'),
    ]


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_page_that_is_refused_starts_the_walk_anew(status: int) -> None:
    """R25"""
    run = Setup(script(rows(row(1), link=LINK), (status, {}, b""), rows(row(1), row(2), link=LINK), rows(row(3))))
    assert run.ids() == [key(1), key(2), key(3)]


@pytest.mark.parametrize(
    "answers",
    [
        # refused again and again
        [rows(row(1), link=LINK), (400, {}, b"")] * 3,
        # a link that leads in a circle
        [rows(row(1), link=LINK), rows(row(2), link=LINK)] * 3,
        # no list at all
        [(200, {}, {"value": None})],
        [(200, {}, {})],
        [(200, {}, [])],
        [rows(row(1), link=7)],
        [(200, {}, {"value": ["x"]})],
        # a row that is nobody, or of no time
        [rows({"id": "x"})],
        [rows({**row(1), "lastModifiedDateTime": None})],
        # the service goes away in the middle
        [rows(row(1), link=LINK), *[(502, {}, b"")] * 5],
        [rows(row(1), link=LINK), *[(200, {}, b"<html>")] * 5],
        [rows(row(1), link=LINK), *[requests.ConnectionError("reset")] * 5],
    ],
)
def test_a_part_is_never_taken_for_the_whole(answers: list[Any]) -> None:
    """R25"""
    with pytest.raises(RetryableError):
        Setup(script(*answers)).ids()


@pytest.mark.parametrize("status", [401, 403])
def test_a_right_that_goes_away_in_the_middle_is_not_the_end_of_the_list(status: int) -> None:
    """R25"""
    with pytest.raises(CompanyUnavailable):
        Setup(script(rows(row(1), link=LINK), *[(status, {}, b"")] * 2)).ids()


def test_a_link_to_another_host_is_not_followed() -> None:
    run = Setup(script(rows(row(1), link="https://evil.example/contacts")))
    with pytest.raises(SyncError, match="another host"):
        run.ids()
    assert len(run.fake.seen) == 1


def test_a_company_that_bc_cannot_have_named_is_not_asked_for() -> None:
    run = Setup(script())
    for odd in ("", "CRONUS", f"{COMPANY})/contacts({key(1)}"):
        with pytest.raises(CompanyUnavailable):
            run.environment.company(odd)


# Batches


class Batch:
    """Plays `$batch`: `react(method, url, body)` -> (status, body); other requests get `listed`."""

    def __init__(self, react: Any, listed: Reply = (200, {}, {"value": []})) -> None:
        self.react = react
        self.listed = listed
        self.parts: list[list[dict[str, Any]]] = []

    def __call__(self, request: requests.PreparedRequest) -> Reply:
        if not str(request.url).endswith("$batch"):
            return self.listed
        assert request.headers["Prefer"] == "odata.continue-on-error"
        parts = json.loads(request.body or b"")["requests"]
        self.parts.append(parts)
        responses = []
        for part in parts:
            status, body = self.react(part["method"], unquote(part["url"]), part.get("body"))
            responses.append({"id": part["id"], "status": status, "headers": {}, "body": body})
        return 200, {}, {"responses": responses}


def missing(code: str = "BadRequest_ResourceNotFound") -> tuple[int, Any]:
    return 404, {"error": {"code": code, "message": "x"}}


def test_every_part_of_a_reading_asks_the_primary() -> None:
    play = Batch(lambda method, url, body: (200, row(1)))
    Setup(play).company.read([key(1)])
    assert play.parts[0][0]["headers"] == {"Accept-Language": "en-US", "Data-Access-Intent": "ReadWrite"}


def looks(listed: tuple[int, Any], shown: tuple[int, Any]) -> Any:
    """The first look says 404; the second look answers `shown` for the id and `listed` for anybody."""

    def react(method: str, url: str, body: Any) -> tuple[int, Any]:
        if "$top=1" in url:
            return listed
        return shown if "$filter=" in url else missing()

    return react


@pytest.mark.parametrize(
    ("listed", "shown", "gone"),
    [
        ((200, {"value": [row(9)]}), (200, {"value": []}), True),
        ((200, {"value": [row(9)]}), (200, {"value": [row(1)]}), False),  # it is there after all
        ((200, {"value": []}), (200, {"value": []}), False),  # nobody is there
        ((200, {"value": [row(9)]}), (500, None), False),
        ((200, {"value": [row(9)]}), (404, None), False),
        ((200, {"value": [row(9)]}), (200, {"value": [{"id": None}]}), False),
        ((200, {"value": [row(9)]}), (200, {"value": [], "@odata.nextLink": LINK}), False),
    ],
)
def test_r25_gone_is_only_who_is_missing_in_two_ways(listed: Any, shown: Any, gone: bool) -> None:
    """R25"""
    assert Setup(Batch(looks(listed, shown))).company.read([key(1)]) == ({key(1): None} if gone else {})


@pytest.mark.parametrize("listed", [(404, None), (403, None), (401, None), missing("Internal_CompanyNotFound")])
def test_a_company_that_cannot_be_read_denies_nobody(listed: Any) -> None:
    """R25"""
    with pytest.raises(CompanyUnavailable):
        Setup(Batch(looks(listed, (200, {"value": []})))).company.read([key(1)])


def test_an_answer_about_somebody_else_is_no_answer() -> None:
    assert Setup(Batch(lambda method, url, body: (200, row(2)))).company.read([key(1)]) == {}


def test_a_refused_batch_denies_nobody() -> None:
    """R25"""
    with pytest.raises(CompanyUnavailable):
        Setup(lambda request: (404, {}, b"")).company.read([key(1)])


# Finding


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("ada@x.example", "ada@x.example"),
        ("o'neil@x.example", "neil@x.example"),
        ("a*b&c|d@x.example", "d@x.example"),
        ("müller@x.example", "ller@x.example"),
        ("a..b@x.example", "b@x.example"),
        ("*@**.*", None),
        ("x" * 70 + "@x.example", "x" * 60),
        ("@", None),
    ],
)
def test_a_literal_means_itself(address: str, part: str | None) -> None:
    assert safe_part(address) == part


@pytest.mark.parametrize("status", [400, 501])
def test_where_bc_does_not_take_the_query_all_persons_are_read(status: int) -> None:
    """R7"""
    everybody = rows(row(1, email="Ada@X.example"), row(2, email="bob@x.example"), row(3, email=None))
    play = Batch(lambda method, url, body: (status, None), everybody)
    found = Setup(play).company.find_persons(["ada@x.example", "odd"])
    assert {each: [person.id for person in persons] for each, persons in found.items()} == {"ada@x.example": [key(1)]}


def test_an_address_without_a_safe_part_makes_all_persons_be_read() -> None:
    run = Setup(Batch(lambda method, url, body: (500, None), rows(row(1, email="ä@ü.é"))))
    assert run.company.find_persons(["ä@ü.é"]) == {}  # BC would not call it valid, and neither do we
    assert "$filter=type eq 'Person'" in run.urls()[0]


def test_further_pages_of_a_search_are_read() -> None:
    play = Batch(
        lambda method, url, body: (200, {"value": [row(1, email="ada@x.example")], "@odata.nextLink": LINK}),
        rows(row(2, email="ada@x.example")),
    )
    found = Setup(play).company.find_persons(["ada@x.example"])
    assert [each.id for each in found["ada@x.example"]] == [key(1), key(2)]


def test_a_search_without_rights_finds_not_nobody_but_fails() -> None:
    """R25"""
    for status in (401, 403, 404):
        with pytest.raises(CompanyUnavailable):
            Setup(Batch(lambda method, url, body, status=status: (status, None))).company.find_persons(
                ["ada@x.example"]
            )


# Writing

SETUP = (400, {"error": {"code": "Application_FieldValidationException", "message": "Contact Nos. must have a value"}})
DRAFT = BcDraft({Field.NAME: "Ada", Field.EMAIL: "ada@x.example"})


def contact(number: int = 1, **values: str) -> BcContact:
    read = read_contact(row(number, **values))
    assert read is not None
    return read


def test_writes_carry_the_tag_and_creates_none() -> None:
    play = Batch(lambda method, url, body: (200, row(1, jobTitle="x", displayName="Ada", email="ada@x.example")))
    run = Setup(play)
    run.company.create([DRAFT])
    run.company.write([BcWrite(contact(), {Field.JOB_TITLE: "x"})])
    run.company.remove([contact()])
    create, write, remove = (batch[0] for batch in play.parts)
    assert (create["method"], create["url"]) == ("POST", f"companies({COMPANY})/contacts")
    assert "If-Match" not in create["headers"]
    assert (write["method"], write["url"]) == ("PATCH", f"companies({COMPANY})/contacts({key(1)})")
    assert write["headers"]["If-Match"] == remove["headers"]["If-Match"] == 'W/"1"'
    assert remove["method"] == "DELETE"


def test_when_the_set_up_refuses_everything_it_is_raised_and_nothing_more_is_tried() -> None:
    """R31"""
    play = Batch(lambda method, url, body: SETUP)
    with pytest.raises(SetupRefused):
        Setup(play).company.create([DRAFT] * 250)
    assert [len(batch) for batch in play.parts] == [100]


def test_when_the_set_up_refuses_half_way_what_was_done_is_kept() -> None:
    """R31"""
    number = 0

    def react(method: str, url: str, body: Any) -> tuple[int, Any]:
        nonlocal number
        number += 1
        return (201, row(number, displayName="Ada", email="ada@x.example")) if number <= 3 else SETUP

    results = Setup(Batch(react)).company.create([DRAFT] * 250)
    assert [isinstance(each, BcContact) for each in results] == [True] * 3 + [False] * 247
    assert {each.code for each in results[3:] if isinstance(each, ContactError)} == {"bc-number-series"}
    assert number == 100


def test_when_the_time_ends_half_way_what_was_done_is_kept_and_the_rest_is_not_done() -> None:
    """R32"""
    batch = Batch(lambda method, url, body: (201, row(1, displayName="Ada", email="ada@x.example")))

    def play(request: requests.PreparedRequest) -> Reply:
        return (429, {"Retry-After": "9999"}, b"") if batch.parts else batch(request)

    results = Setup(play).company.create([DRAFT] * 150)
    assert [type(each) for each in results] == [BcContact] * 100 + [NotDone] * 50


def test_when_nothing_was_done_the_pause_is_raised() -> None:
    """R32"""
    with pytest.raises(Throttled):
        Setup(lambda request: (429, {"Retry-After": "9999"}, b"")).company.create([DRAFT])


def test_a_create_whose_answer_cannot_be_read_is_unknown() -> None:
    """R9"""
    results = Setup(Batch(lambda method, url, body: (201, None))).company.create([DRAFT])
    assert [type(each) for each in results] == [OutcomeUnknown]


@pytest.mark.parametrize("status", [409, 404, 400, 500, 401])
def test_when_the_second_sending_fails_the_first_answer_stands(status: int) -> None:
    """R16"""
    answers = iter([(200, row(1, tag="2", jobTitle="CEO", city=""))])
    run = Setup(Batch(lambda method, url, body: next(answers, (status, None))))
    current = contact(city="Kiel")
    (written,) = run.company.write([BcWrite(current, {Field.JOB_TITLE: "CEO"})])
    assert isinstance(written, BcContact)
    assert (written.etag, written.card.city) == ('W/"2"', "")


def test_what_bc_insists_on_is_sent_once_more_only() -> None:
    """R16"""
    play = Batch(lambda method, url, body: (200, row(1, city="HAMBURG", country="DE")))
    (written,) = Setup(play).company.write([BcWrite(contact(city="Kiel", country="US"), {Field.POSTAL_CODE: "1"})])
    assert isinstance(written, BcContact)
    assert (written.card.city, written.card.country) == ("HAMBURG", "DE")
    assert [[part["body"] for part in batch] for batch in play.parts] == [
        [{"postalCode": "1"}],
        [{"country": "US"}],
        [{"city": "Kiel", "postalCode": "1"}],
    ]


def test_what_bc_fills_in_is_its_own_change() -> None:
    """R16"""
    play = Batch(lambda method, url, body: (200, row(1, jobTitle="CEO", phoneNumber="99", country="DE")))
    (written,) = Setup(play).company.write([BcWrite(contact(), {Field.JOB_TITLE: "CEO"})])
    assert isinstance(written, BcContact)
    assert written.card.phone == "99"
    assert len(play.parts) == 1


def test_a_refused_removal_is_said() -> None:
    refused = (400, {"error": {"code": "Application_DialogException", "message": "tasks open"}})
    answers = iter([(204, None), missing(), refused])
    results = Setup(Batch(lambda method, url, body: next(answers))).company.remove([contact(1), contact(2), contact(3)])
    assert results[:2] == [None, None]
    assert isinstance(results[2], InvalidValue)


def test_a_create_without_an_answer_is_not_sent_again() -> None:
    """R9"""
    sent: list[Any] = []

    def play(request: requests.PreparedRequest) -> Reply:
        sent.append(request)
        raise requests.ConnectionError("reset")

    assert [type(each) for each in Setup(play).company.create([DRAFT])] == [OutcomeUnknown]
    assert len(sent) == 1


def test_a_company_with_the_address_of_a_person_is_not_found() -> None:
    """R7"""
    firm, person = row(1, email="ada@x.example", type="Company"), row(2, email="ada@x.example")
    found = Setup(Batch(lambda method, url, body: (200, {"value": [firm, person]}))).company.find_persons(
        ["ada@x.example"]
    )
    assert [each.id for each in found["ada@x.example"]] == [key(2)]


# Limits


def test_a_process_asks_fifteen_times_a_second_at_most_after_a_burst() -> None:
    """BC 8.3: one user may ask 6,000 times in five minutes, and is not the only one"""
    run = Setup(script(*[rows()] * 450))
    for _ in range(450):
        run.ids()
    assert sum(run.time.slept) == pytest.approx((449 - 300) / 15)
