"""docs/scale.md: each line is computed again; what goes in is what code, templates and benchmarks say."""

import ast
import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields

import pytest

from dev.infra import bicep, hcl
from shared.business_central import environment
from shared.engine import company_feed, parallel, run, upkeep_tick
from shared.settings import Settings
from shared.storage import feed, roster
from tests.docs.test_pages import ROOT, text_of

TEXT = text_of("scale.md")
CLOSE = 2  #: so many times more or less may a benchmark say by now than when the page was written
ROUNDED = 0.03  #: a result may differ by so much from what its line computes
OPERATIONS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


def tables(text: str) -> list[list[list[str]]]:
    """Each table as rows of cells, its head first."""
    found = re.findall(r"(?:^\|.*\n)+", text + "\n", re.MULTILINE)
    split = [[[cell.strip() for cell in row[1:-1].split("|")] for row in each.splitlines()] for each in found]
    return [[rows[0], *rows[2:]] for rows in split]


def table(begins: str) -> list[list[str]]:
    """The rows of the table whose head begins with these words."""
    (found,) = [rows[1:] for rows in tables(TEXT) if rows[0][0].startswith(begins)]
    return found


def numbers(text: str) -> list[float]:
    return [float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def value(arithmetic: str) -> float:
    """What a line computes. Raises ValueError for anything but numbers, + − × / and parentheses."""

    def of(node: ast.expr) -> float:
        match node:
            case ast.BinOp(left, op, right) if type(op) in OPERATIONS:
                return OPERATIONS[type(op)](of(left), of(right))
            case ast.Constant(int() | float() as number):
                return float(number)
        raise ValueError(arithmetic)

    plain = arithmetic.replace(",", "").replace("×", "*").replace("−", "-")
    return of(ast.parse(plain, mode="eval").body)


def computed() -> list[tuple[str, str, str]]:
    """What, numbers and result of all lines that compute something."""
    lines = []
    for head, *rows in tables(TEXT):
        place = next((head.index(each) for each in ("numbers", "arithmetic") if each in head), None)
        if place is not None:
            lines += [(row[0], row[place], row[place + 1]) for row in rows if not row[0].startswith("**together")]
    return lines


def test_every_line_computes_its_result() -> None:
    wrong = [
        f"{what}: {arithmetic} = {value(arithmetic):,.3f}, not {result}"
        for what, arithmetic, result in computed()
        if value(arithmetic) != pytest.approx(numbers(result)[0], rel=ROUNDED)
    ]
    assert wrong == []
    assert len(computed()) > 40


def test_the_cost_adds_up_and_agrees_with_operations() -> None:
    *parts, together = table("cost of a month")
    assert sum(numbers(each[2])[0] for each in parts) == numbers(together[2])[0]
    assert f"100 × ${_cost_of(1)} = ${100 * _cost_of(1):,}" in TEXT
    for price in ("0.000026", "0.000016", "0.045", "0.06", "0.40", "2.76"):
        assert f"${price}" in text_of("operations.md")


def _cost_of(column: int) -> int:
    (last,) = re.findall(r"^\| \*\*together\*\* \|  ?\|(.*)\|$", text_of("operations.md"), re.MULTILINE)
    return int(numbers(last)[column])


def test_what_comes_from_code_and_templates_is_what_they_say() -> None:
    host = json.loads((ROOT / "host.json").read_text())
    queues = host["extensions"]["queues"]
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    params = bicep.read(ROOT / "infra" / "bicep" / "main.bicep").params
    variables = hcl.read(ROOT / "infra" / "terraform").variables
    assert (variables["maximum_instances"], variables["instance_memory_mb"]) == (40, 2048)
    expected = [
        [queues["batchSize"] + queues["newBatchThreshold"], variables["instance_memory_mb"]],
        [variables["maximum_instances"], 1_000],
        [setting("RUN_BUDGET_SECONDS"), hours * 3600 + minutes * 60 + seconds],
        [setting("SWEEP_MINUTES"), 5],
        [parallel.MOST, upkeep_tick.PARALLEL],
        [setting("BC_PAGE_SIZE"), company_feed.CHUNK],
        [roster._ENTRY.size, roster.BUCKETS, feed._ROWS],
        [setting("SUBSCRIPTION_MINUTES"), setting("RENEW_HOURS")],
        [environment.RATE.per_second, environment.PARALLEL],
        [setting("HOLD_OUTLOOK_CREATIONS"), run.HAND_OVERS_MOST],
    ]
    assert [numbers(row[1]) for row in table("from the code")] == expected
    assert "'0 */5 * * * *'" in (ROOT / "infra" / "bicep" / "main.bicep").read_text()
    assert params.keys() >= {"maximumInstances", "instanceMemoryMB"}


def setting(name: str) -> float:
    (default,) = [each.default for each in fields(Settings) if each.metadata["name"] == name]
    assert default is not MISSING
    return float(default)


def measured(page: str) -> dict[tuple[str, str], float]:
    """The benchmarks' figures by line and name."""
    found, line = {}, ""
    for cells in next(rows for rows in tables(page) if rows[0][0] == "line")[1:]:
        line = cells[0].strip("`") or line
        found[line, cells[2]] = numbers(cells[4])[0]
    return found


def test_what_was_measured_is_what_the_benchmarks_say() -> None:
    """A figure that the last whole `make bench` did not have yet is not compared."""
    benchmarks = measured((ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8"))
    compared, wrong = 0, []
    for what, figure, source in table("measured"):
        line, names = re.fullmatch(r"`([\w-]+)`, (.*)", source).groups()  # type: ignore[union-attr]
        said = numbers(figure)
        assert len(said) == len(names.split("; ")), what
        for name, number in zip(names.split("; "), said, strict=True):
            now = benchmarks.get((line, name))
            if now is None:
                continue
            compared += 1
            if not number / CLOSE <= now <= number * CLOSE:
                wrong.append(f"{what}: {number}, by now {now}")
    assert wrong == []
    assert compared > 1
