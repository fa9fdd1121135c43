"""Rows, transactions and questions in the form of Table Storage's HTTP interface (platform reference 3)."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.storage import odata, wire
from shared.storage.odata import StoredRow, Unwilling, Written

MOMENT = datetime(2026, 11, 24, 8, 0, 0, 123456, tzinfo=UTC)

VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(max_size=50),
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(timezones=st.just(UTC), min_value=datetime(1900, 1, 1)),  # noqa: DTZ001 - hypothesis wants it naive
)


@given(st.dictionaries(st.from_regex(r"[a-z]\w{0,20}", fullmatch=True, alphabet=st.characters(codec="ascii")), VALUES))
def test_a_row_comes_back_as_it_was_written(properties: wire.Row) -> None:
    row = {"PartitionKey": "p", "RowKey": "r", **properties}
    assert odata.stored(json.loads(json.dumps(odata.entity(row)))) == row


def test_other_time_zones_are_stored_as_utc() -> None:
    row = odata.entity({"at": MOMENT.astimezone(timezone(timedelta(hours=2)))})
    assert row == {"at": "2026-11-24T08:00:00.123456Z", "at@odata.type": "Edm.DateTime"}


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, None, ["a"]])
def test_what_no_column_holds_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        odata.entity({"a": value})


def test_what_the_service_adds_is_no_property() -> None:
    row = odata.stored(
        {
            "odata.metadata": "https://x/$metadata#t",
            "odata.etag": 'W/"1"',
            "PartitionKey": "p",
            "RowKey": "r",
            "Timestamp@odata.type": "Edm.DateTime",
            "Timestamp": "2026-11-24T08:00:00.1234567Z",
            "seven@odata.type": "Edm.DateTime",
            "seven": "2026-11-24T08:00:00.1234567Z",
            "many@odata.type": "Edm.Int64",
            "many": "9007199254740993",
        }
    )
    assert row == {"PartitionKey": "p", "RowKey": "r", "seven": MOMENT, "many": 9007199254740993}
    assert isinstance(row, StoredRow) and row.etag == 'W/"1"'


def test_a_transaction_names_its_rows_and_conditions() -> None:
    rows = [
        Written("PATCH", wire.row("p'1", "lease") | {"beat": 1}, 'W/"7"'),
        Written("PUT", wire.row("p'1", "c|ä") | {"c0": "ä"}),
        Written("POST", wire.row("p'1", "new")),
        Written("DELETE", wire.row("p'1", "old"), "*"),
    ]
    text = odata.body("https://x.example", "box", rows, "abc").decode("ascii")
    assert text.startswith("--batch_abc\r\nContent-Type: multipart/mixed; boundary=changeset_abc\r\n\r\n")
    assert text.endswith("--changeset_abc--\r\n\r\n--batch_abc--\r\n")
    assert re.findall(r"^(?:PATCH|PUT|POST|DELETE) .*", text, re.MULTILINE) == [
        "PATCH https://x.example/box(PartitionKey='p%27%271',RowKey='lease') HTTP/1.1\r",
        "PUT https://x.example/box(PartitionKey='p%27%271',RowKey='c%7C%C3%A4') HTTP/1.1\r",
        "POST https://x.example/box HTTP/1.1\r",
        "DELETE https://x.example/box(PartitionKey='p%27%271',RowKey='old') HTTP/1.1\r",
    ]
    assert re.findall(r"If-Match: (.*)\r", text) == ['W/"7"', "*"]
    lengths = [int(each) for each in re.findall(r"Content-Length: (\d+)", text)]
    assert lengths == [len(each) for each in re.findall(r"\r\n\r\n(\{.*\})\r\n", text)]


def part(status: str, *head: str, content: str = "") -> str:
    lines = [
        "--changesetresponse_1",
        "Content-Type: application/http",
        "",
        f"HTTP/1.1 {status}",
        *head,
        "",
        content,
        "",
    ]
    return "\r\n".join(lines)


def test_each_row_of_a_transaction_has_its_tag() -> None:
    text = part("204 No Content", "ETag: W/\"datetime'1'\"") + part("204 No Content") + part("204 x", 'etag: W/"3"')
    assert odata.outcome(202, text) == ["W/\"datetime'1'\"", "", 'W/"3"']


def error(code: str, message: str) -> str:
    return json.dumps({"odata.error": {"code": code, "message": {"lang": "en-US", "value": message}}})


def test_a_transaction_that_was_refused_says_which_row_was_the_cause() -> None:
    text = part("412 Precondition Failed", content=error("UpdateConditionNotSatisfied", "7:The condition {x} is not"))
    assert odata.outcome(202, text) == Unwilling(412, "UpdateConditionNotSatisfied", 7)
    text = part("404 Not Found", content=error("ResourceNotFound", "The resource is not there."))
    assert odata.outcome(202, text) == Unwilling(404, "ResourceNotFound")


@pytest.mark.parametrize(
    "text", ["", "<html>busy</html>", "{}", "[]", '{"odata.error": 1}', '{"odata.error": {"code": 1}}']
)
def test_a_refusal_without_the_usual_body_keeps_its_status(text: str) -> None:
    assert odata.outcome(503, text) == Unwilling(503, "")
    assert odata.refusal(503, text, "ServerBusy") == Unwilling(503, "ServerBusy")


def test_a_filter_s_values_cannot_become_part_of_it() -> None:
    where = odata.filled("company eq @company and due le @due", {"company": "a' or RowKey ge '", "due": MOMENT})
    assert where == "company eq 'a'' or RowKey ge ''' and due le datetime'2026-11-24T08:00:00.123456Z'"
    assert odata.question("https://x", "t", {"$filter": "a eq 'b&c'", "$select": ""}) == (
        "https://x/t()?$filter=a%20eq%20%27b%26c%27"
    )


def test_the_next_page_is_asked_for_by_what_the_answer_says() -> None:
    headers = {"x-ms-continuation-NextPartitionKey": "1!8!cA--", "x-ms-continuation-NextRowKey": "1!8!cg--"}
    assert odata.continuation(headers) == {"NextPartitionKey": "1!8!cA--", "NextRowKey": "1!8!cg--"}
    assert odata.continuation({"Date": "now"}) == {}
