"""The adapter where the simulator behaves too well: broken pages, links that lead astray, batches with too little."""

from typing import Any
from urllib.parse import unquote

import pytest
import requests

from shared.business_central.persons import safe_part
from shared.errors import (
    CompanyUnavailable,
    RetryableError,
    SyncError,
)
from tests.fakes.bc_service import COMPANY, LINK, ROOT, Batch, Setup, key, missing, row, rows
from tests.fakes.http_service import script


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
