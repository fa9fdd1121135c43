"""The adapter where the simulator behaves too well: writes that are refused, half done, or never answered."""

from typing import Any

import pytest
import requests

from shared.business_central.mapping import read_contact
from shared.cards.model import BcContact, Field
from shared.engine.sides import BcDraft, BcWrite
from shared.errors import (
    ContactError,
    InvalidValue,
    NotDone,
    OutcomeUnknown,
    SetupRefused,
    Throttled,
)
from tests.fakes.bc_service import COMPANY, Batch, Reply, Setup, key, missing, row, rows
from tests.fakes.http_service import script

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
