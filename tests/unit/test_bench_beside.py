"""What the bench says of the others, without running them."""

import re
from pathlib import Path
from typing import Any

import pytest

from dev.bench import beside, beside_page, page
from dev.bench.figures import Figure, Line
from dev.bench.lines import LINES
from dev.bench.peers import job
from dev.bench.runs import BenchError

PROJECT = Path(__file__).parents[2]


def entry(kind: str, ended: float, status: int = 201, **facts: Any) -> dict[str, Any]:
    return {
        "service": "graph",
        "kind": kind,
        "mailbox": "ada",
        "time": f"2026-01-31T12:00:{ended:09.6f}+00:00",
        "milliseconds": 100.0,
        "status": status,
        "batch": None,
        "item": None,
        **facts,
    }


def test_a_mailbox_is_seen_by_itself_and_a_batch_is_one_request() -> None:
    entries = [
        entry("folders.create", 1.0),
        entry("contacts.create", 2.1, batch=1, item="1"),
        entry("contacts.create", 2.1, status=429, batch=1, item="2"),
        entry("batch", 2.2, status=200, mailbox=None),
        entry("contacts.create", 3.0, batch=2, item="1"),
        entry("batch", 3.1, status=200, mailbox=None),
        entry("contacts.create", 9.0, mailbox="ben"),
        entry("token", 9.0, service="entra", mailbox=None),
    ]
    found = beside.seen(entries, "ada")
    assert found.span == pytest.approx(1.0)
    assert (found.requests, found.throttled, found.statuses) == (3, 1, "3 × 201, 1 × 429")


def test_who_only_reads_has_no_span() -> None:
    assert beside.seen([entry("contacts.list", 1.0, status=200)], "ada") == beside.Seen(0.0, 1, 0, "1 × 200")


def test_a_job_arrives_as_it_was_sent_in_one_line() -> None:
    sent = job.Job("https://a", "https://b", "t", "c", "s", "u", "Business Central", beside.people(3))
    assert "\n" not in sent.line()
    assert job.Job.of_line(sent.line()) == sent


def test_without_the_libraries_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"make bench ONLY=peers.*install.*ONLY="):
        beside.check_installed(tmp_path / "python")


def test_make_installs_the_libraries_for_the_lines_that_need_them_only() -> None:
    needing = [line.name for line in LINES if line.measure in (beside.first_syncs, beside.engines)]
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    (condition,) = re.findall(r"findstring (\w+),\$\(ONLY\)\),\$\(if \$\(ONLY\),,all\)\),\$\(PEERS\)", makefile)
    assert needing == [line.name for line in LINES if condition in line.name] != []


def test_peers_import_nothing_of_the_app() -> None:
    for path in Path(job.__file__).parent.glob("*.py"):
        ours = re.findall(r"^\s*(?:from|import) ((?:dev|shared|functions)\S*)", path.read_text("utf-8"), re.MULTILINE)
        assert set(ours) <= {"dev.bench.peers.job"}, path.name


def test_those_beside_each_other_make_a_table_of_their_own() -> None:
    line = Line("peers", "a first sync", lambda start: [])
    figures = [
        Figure("contacts a minute", 2_300, of="this app", detail="all of it"),
        Figure("throttled items", 0, of="this app"),
        Figure("contacts a minute", 540.4, of="another"),
    ]
    assert beside_page.beside([*figures, Figure("rows", 1)]) == figures
    text = beside_page.section(line, figures)
    assert "| | contacts a minute | throttled items |\n|---|---:|---:|\n" in text
    assert "| this app | 2,300 | 0 |\n| another | 540 | – |\n" in text
    assert "- this app: all of it\n" in text


def test_the_table_of_all_lines_leaves_them_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "benchmarks.md")
    line = Line("peers", "a first sync", lambda start: [])
    page.write([(line, [Figure("contacts a minute", 540, of="another"), Figure("the best", 0.9, 1.0, "×", 2)])])
    text = page.PAGE.read_text(encoding="utf-8")
    assert "| `peers` | a first sync | the best | 1.00 × | 0.90 × |" in text
    assert "## Beside the others" in text and text.count("540") == 1


def test_the_app_is_measured_against_the_best_of_the_libraries() -> None:
    ours = [Figure(beside.RATE, 2_000), Figure(beside.WORK, 1.0)]
    libraries = [Figure(beside.RATE, 500), Figure(beside.WORK, 0.5), Figure(beside.RATE, 1_000), Figure(beside.WORK, 4)]
    rate, work = beside.compared(ours, libraries)
    assert (rate.reached, rate.is_fine) == (0.5, True)
    assert (work.reached, work.is_fine) == (2.0, False)
