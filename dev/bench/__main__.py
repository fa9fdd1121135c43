"""`make bench`: measure, print the table, write docs/benchmarks.md; `make bench ONLY=name` measures one line."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dev.bench.figures import Figure, Line
from dev.bench.lines import LINES
from dev.bench.place import grounds

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def main(arguments: list[str]) -> int:
    """Exit code 0 when every figure stays within what is allowed."""
    only = next((each.removeprefix("ONLY=") for each in arguments if each), "")
    lines = [line for line in LINES if not only or line.name == only]
    console = Console(width=110)
    if not lines:
        console.print(f"There is no line “{only}”. Lines: {', '.join(line.name for line in LINES)}.")
        return 2
    measured: list[tuple[Line, Figure]] = []
    with grounds() as place:
        for line in lines:
            console.print(f"… {line.work}")
            measured += [(line, figure) for figure in line.measure(place)]
    console.print(_table(measured))
    if not only:
        PAGE.write_text(_page(measured), encoding="utf-8")
    return 0 if all(figure.is_fine for _, figure in measured) else 1


def _rows(measured: list[tuple[Line, Figure]]) -> list[tuple[str, str, str, str, str]]:
    return [
        (
            line.work,
            figure.what,
            "" if figure.most is None else figure.text(figure.most),
            figure.text(figure.reached),
            "" if figure.most is None else "yes" if figure.is_fine else "NO",
        )
        for line, figure in measured
    ]


def _table(measured: list[tuple[Line, Figure]]) -> Table:
    table = Table("work", "figure", "at most", "reached", "ok")
    for row in _rows(measured):
        table.add_row(*row)
    return table


def _page(measured: list[tuple[Line, Figure]]) -> str:
    head = "| work | figure | at most | reached | ok |\n|---|---|---|---|---|\n"
    body = "".join(f"| {' | '.join(row)} |\n" for row in _rows(measured))
    made_of = "".join(f"- {line.work}, {figure.what}: {figure.detail}\n" for line, figure in measured if figure.detail)
    return (
        "# Benchmarks\n\nWritten by `make bench`; single lines with `make bench ONLY=name`. The app's own adapters run "
        "against the simulators and the storage emulator on one machine; requests are counted by the simulators' logs, "
        f"rows at the table client. Measured {datetime.now(UTC):%Y-%m-%d}.\n\n{head}{body}\n"
        f"## What the figures are made of\n\n{made_of}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
