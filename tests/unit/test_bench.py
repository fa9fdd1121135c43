"""What the benchmark counts, and how it judges."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.pipeline.transport import RequestsTransport

from dev.bench import __main__ as command
from dev.bench import growth, growth_page, page
from dev.bench.figures import Figure, Line
from dev.bench.lines import LINES
from dev.bench.rows import CountRows

ROOT = "http://127.0.0.1:1/account"
BATCH = b"""--batch_1\r
Content-Type: multipart/mixed; boundary=changeset_1\r
\r
--changeset_1\r
Content-Type: application/http\r
\r
PATCH http://127.0.0.1:1/account/xmailboxes(PartitionKey='m',RowKey='lease') HTTP/1.1\r
If-Match: *\r
\r
{"PartitionKey": "m", "RowKey": "lease", "until": 1}\r
--changeset_1\r
Content-Type: application/http\r
\r
PUT http://127.0.0.1:1/account/xmailboxes(PartitionKey='m',RowKey='c%7Cp%7Clink%7Cb1') HTTP/1.1\r
\r
{"PartitionKey": "m", "RowKey": "c|p|link|b1"}\r
--changeset_1\r
Content-Type: application/http\r
\r
POST http://127.0.0.1:1/account/xmailboxes HTTP/1.1\r
\r
{"PartitionKey": "m", "RowKey": "c|p|outlook|h1"}\r
--changeset_1--\r
--batch_1--\r
"""


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> CountRows:
    def answer(self: object, request: Any, **options: Any) -> Any:
        return request.answer

    monkeypatch.setattr(RequestsTransport, "send", answer)
    return CountRows("x")


def ask(
    counter: CountRows,
    method: str,
    path: str,
    body: object = None,
    answer: object = None,
    status: int = 200,
    content: bytes = b"",
) -> None:
    response = SimpleNamespace(status_code=status, json=lambda: answer, read=lambda: content)
    counter.send(SimpleNamespace(method=method, url=f"{ROOT}/{path}", body=body, answer=response))


def test_rows_of_a_transaction_are_counted_by_kind(counter: CountRows) -> None:
    ask(counter, "POST", "$batch", BATCH, status=202)
    assert counter.rows.written == {"lease": 1, "link": 1, "outlook": 1}
    assert counter.rows.written_besides_bookkeeping == 2
    assert counter.rows.requests == 1


def test_each_row_of_an_answer_counts_as_read(counter: CountRows) -> None:
    rows = [{"RowKey": "roster|00"}, {"RowKey": "roster|01"}, {"RowKey": "state"}]
    ask(counter, "GET", "xcompanies()?$filter=x", answer={"value": rows})
    ask(counter, "GET", "xmailboxes(PartitionKey='m',RowKey='c%7Cp%7Cpositions')", answer={"RowKey": "c|p|positions"})
    assert counter.rows.read == {"roster": 2, "state": 1, "positions": 1}


def test_a_row_that_is_not_there_counts_as_a_request_only(counter: CountRows) -> None:
    ask(counter, "GET", "xmailboxes(PartitionKey='m',RowKey='lease')", status=404)
    assert (counter.rows.requests, counter.rows.read) == (1, {})


def test_single_writes_are_counted_by_their_table_or_key(counter: CountRows) -> None:
    ask(counter, "PUT", "xreports(PartitionKey='m',RowKey='1')", b"{}")
    ask(counter, "PUT", "xjournal(PartitionKey='m',RowKey='1234567890123.m.00000000%7C0')", b"{}")
    ask(counter, "POST", "xcompanies", '{"PartitionKey": "c", "RowKey": "contact|b1"}')
    ask(counter, "POST", "Tables", b'{"TableName": "xcompanies"}')
    assert counter.rows.written == {"report": 1, "journal": 1, "contact": 1}


def test_rows_are_counted_without_their_kinds_where_processor_time_is_measured(counter: CountRows) -> None:
    counter.kinds = False
    ask(counter, "POST", "$batch", BATCH, status=202)
    ask(counter, "PUT", "xreports(PartitionKey='m',RowKey='1')", b"{}")
    ask(counter, "POST", "Tables", b'{"TableName": "xcompanies"}')
    assert (counter.rows.requests, counter.rows.written.total()) == (3, 4)
    ask(counter, "GET", "xcompanies()?$filter=x", content=b'{"value": [{"RowKey": "a"}, {"RowKey": "b"}]}')
    ask(counter, "GET", "xjournal()?$select=PartitionKey", content=b'{"value": [{"PartitionKey": "a"}]}')
    ask(counter, "GET", "xmailboxes(PartitionKey='m',RowKey='lease')", status=404)
    assert (counter.rows.requests, counter.rows.read.total()) == (6, 3)


def test_a_number_at_its_limit_is_fine_and_one_above_is_not() -> None:
    assert Figure("requests", 2, 2).is_fine
    assert not Figure("requests", 3, 2).is_fine
    assert Figure("seconds", 1e9).is_fine


IDLE = Line("idle", "a run with nothing to do", lambda start: [Figure("requests", 3, 2, detail="3 looks")])
FAST = Line("fast", "something fast", lambda start: [Figure("time", 0.5, 1, "s", 2), Figure("rows", 14)])


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """`python -m dev.bench` with two lines of its own."""
    monkeypatch.setattr(page, "PAGE", tmp_path / "benchmarks.md")
    monkeypatch.setattr(command, "LINES", (IDLE, FAST))
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["bench", *arguments])
        return command.main()

    return run


def test_a_number_over_its_limit_is_an_error_and_stands_on_the_page(bench: Callable[..., int]) -> None:
    assert bench() == 1
    text = page.PAGE.read_text(encoding="utf-8")
    assert "| `idle` | a run with nothing to do | requests | 2 | 3 **over** |" in text
    assert "| `fast` | something fast | time | 1.00 s | 0.50 s |" in text
    assert "|  |  | rows |  | 14 |" in text
    assert "- `idle`, requests: 3 looks" in text


def test_one_line_is_judged_alone_and_leaves_the_page_alone(bench: Callable[..., int]) -> None:
    assert bench("fast") == 0
    assert not page.PAGE.exists()


def test_counts_are_compared_by_what_one_costs_among_few_and_among_many() -> None:
    counts = {10: {"requests": 20, "rows": 10, "writes": 0}, 1_000: {"requests": 2_000, "rows": 1_500, "writes": 0}}
    factors = growth.grown(counts, float)
    assert factors == {"requests": 1.0, "rows": 1.5, "writes": 1.0}
    figure = growth.worst("counts", factors, growth.LINEAR)
    assert (figure.reached, figure.is_fine) == (1.5, False)
    assert figure.detail == "requests 1.00, rows 1.50, writes 1.00"


def test_what_should_not_happen_at_all_among_many_is_over_any_limit() -> None:
    counts = {10: {"writes": 0}, 1_000: {"writes": 1}}
    assert not growth.worst("counts", growth.grown(counts, float), growth.LINEAR).is_fine


def test_a_curve_is_a_table_with_what_limits_it_below(
    bench: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = [
        Figure("requests", 4, of="idle: 10"),
        Figure("requests", 5, of="idle: 1,000"),
        Figure("requests at 1,000, of those at 10", 1.25, 1.1, "×", 2),
    ]
    line = Line("growth-users", "users of one company", lambda start: figures)
    monkeypatch.setattr(command, "LINES", (IDLE, line))
    assert bench() == 1
    text = page.PAGE.read_text(encoding="utf-8")
    assert "## Growth" in text and "| idle: 10 | 4 |\n| idle: 1,000 | 5 |\n" in text
    assert "- requests at 1,000, of those at 10: 1.25 ×, at most 1.10 × **over**\n" in text
    assert "| `growth-users` | users of one company | requests at 1,000" in text


def test_every_curve_says_what_limits_it() -> None:
    assert {each.name for each in LINES if each.name.startswith(growth_page.LINES)} == growth_page.WHY.keys()
