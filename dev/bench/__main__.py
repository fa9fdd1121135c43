"""python -m dev.bench [ONLY,...]: measure, print the table, write docs/benchmarks.md.

Exit 1: a number is over; 2: something could not be measured, the page stays as it was.
"""

import argparse
import functools
import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dev.azurite import AzuriteError
from dev.bench import page
from dev.bench.beside_page import beside, table_of
from dev.bench.figures import Figure, Line
from dev.bench.lines import LINES
from dev.bench.place import grounds
from dev.bench.runs import BenchError
from dev.system.simulator_process import SimulatorError


def main() -> int:
    """Read the command line and measure; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dev.bench", description="Measure what runs cost.")
    names = [line.name for line in LINES]
    parser.add_argument("only", nargs="?", default="", help=f"lines of the table, by commas (default: all): {names}")
    only = [each for each in parser.parse_args().only.split(",") if each]
    if unknown := set(only) - set(names):
        parser.error(f"no such line: {', '.join(sorted(unknown))}")
    # thirty in a hundred answers of some lines are refusals, which the app reports as such
    logging.disable(logging.WARNING)
    # the end by a signal is an orderly one, too: nothing is left running
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    console = Console()
    lines = [line for line in LINES if not only or line.name in only]
    try:
        measured = _measure(lines, console)
    except (AzuriteError, SimulatorError) as error:
        print(error, file=sys.stderr)
        return 2
    console.print(*_tables(measured), sep="\n")
    if len(measured) < len(lines):
        return 2
    if not only:
        page.write(measured)
        console.print(f"Written: docs/{page.PAGE.name}")
    return 0 if all(figure.is_fine for _, figures in measured for figure in figures) else 1


def _measure(lines: Sequence[Line], console: Console) -> list[tuple[Line, Sequence[Figure]]]:
    """All lines, on the same servers, which are started for those that need them; a line that cannot be measured says
    why and is left out."""
    measured = []
    with ExitStack() as stack:
        start = functools.cache(lambda: stack.enter_context(grounds()))
        for line in lines:
            began = time.monotonic()
            try:
                with console.status(f"{line.name}: {line.work} …"):
                    figures = line.measure(start)
            except BenchError as error:
                console.print(f"{line.name}: [bold red]not measured[/]: {escape(str(error))}", highlight=False)
                continue
            over = sum(not figure.is_fine for figure in figures)
            verdict = f"[bold red]{over} over[/]" if over else "[green]ok[/]"
            console.print(f"{line.name}: {verdict} [dim]({time.monotonic() - began:.0f} s)[/]", highlight=False)
            measured.append((line, figures))
    return measured


def _tables(measured: Sequence[tuple[Line, Sequence[Figure]]]) -> Iterator[Table]:
    """Lines that measure several side by side have a table each; all others are in the last one."""
    for line, figures in measured:
        if side_by_side := beside(figures):
            head, *rows = table_of(side_by_side)
            table = Table(title=f"{line.name}: {line.work}")
            for name in head:
                table.add_column(name, justify="right" if name else "left")
            for row in rows:
                table.add_row(*row)
            yield table
    yield _table([(line, [each for each in figures if not each.of]) for line, figures in measured])


def _table(measured: Sequence[tuple[Line, Sequence[Figure]]]) -> Table:
    table = Table(title="What runs cost")
    for name in ("line", "work", "counted"):
        table.add_column(name)
    for name in ("at most", "reached", ""):
        table.add_column(name, justify="right")
    for line, figures in measured:
        for figure in figures:
            shown = (line.name, line.work) if figure is figures[0] else ("", "")
            table.add_row(*shown, figure.name, *_verdict(figure), end_section=figure is figures[-1])
    return table


def _verdict(figure: Figure) -> tuple[str, str, str]:
    if figure.most is None:
        return "", f"[dim]{figure.text(figure.reached)}[/]", ""
    verdict = "[green]ok[/]" if figure.is_fine else "[bold red]over[/]"
    return figure.text(figure.most), figure.text(figure.reached), verdict


if __name__ == "__main__":
    sys.exit(main())
