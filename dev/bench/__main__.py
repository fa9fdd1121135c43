"""python -m dev.bench [ONLY,...]: measure, print the table, write docs/benchmarks.md; exit 1 when a number is over."""

import argparse
import functools
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from rich.console import Console
from rich.table import Table

from dev.azurite import AzuriteError
from dev.bench import page
from dev.bench.figures import Figure, Line
from dev.bench.lines import LINES
from dev.bench.place import BenchError, grounds
from dev.system.simulator_process import SimulatorError


def main() -> int:
    """Read the command line and measure; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dev.bench", description="Measure what runs cost.")
    names = [line.name for line in LINES]
    parser.add_argument("only", nargs="?", default="", help=f"lines of the table, by commas (default: all): {names}")
    only = [each for each in parser.parse_args().only.split(",") if each]
    if unknown := set(only) - set(names):
        parser.error(f"no such line: {', '.join(sorted(unknown))}")
    # the end by a signal is an orderly one, too: nothing is left running
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    console = Console()
    try:
        measured = _measure([line for line in LINES if not only or line.name in only], console)
    except (AzuriteError, SimulatorError, BenchError) as error:
        print(error, file=sys.stderr)
        return 2
    console.print(_table(measured))
    if not only:
        page.write(measured)
        console.print(f"Written: docs/{page.PAGE.name}")
    return 0 if all(figure.is_fine for _, figures in measured for figure in figures) else 1


def _measure(lines: Sequence[Line], console: Console) -> list[tuple[Line, Sequence[Figure]]]:
    """All lines, on the same servers, which are started for those that need them."""
    measured = []
    with ExitStack() as stack:
        start = functools.cache(lambda: stack.enter_context(grounds()))
        for line in lines:
            with console.status(f"{line.name}: {line.work} …"):
                measured.append((line, line.measure(start)))
    return measured


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
