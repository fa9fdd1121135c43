"""How the story is told: headings, tables and claims, each claim checked."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dev.system.running import Counts

WIDTH = 100
SHOWN = 4  #: rows of a long table


class Teller:
    """Writes to the terminal, plainly where there is none, and counts the claims that did not hold."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or _console()
        self.broken: list[str] = []

    def heading(self, text: str) -> None:
        """Begin a chapter."""
        self.console.print()
        self.console.rule(f"[bold]{escape(text)}", align="left", style="blue")

    def say(self, text: str) -> None:
        """A sentence; it is not marked up."""
        self.console.print(escape(text))

    def claim(self, text: str, holds: bool) -> None:
        """A sentence with a tick, or with a cross when it is not so: the demo then ends with an error."""
        self.console.print(f"[green]✓[/] {escape(text)}" if holds else f"[red]✗ NOT SO:[/] {escape(text)}")
        if not holds:
            self.broken.append(text)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
        """A table of plain texts; columns whose title ends with "#" hold numbers."""
        table = Table(
            title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
        )
        for column in columns:
            table.add_column(column.rstrip("#"), justify="right" if column.endswith("#") else "left", overflow="fold")
        for row in rows:
            table.add_row(*(escape(str(cell)) for cell in row))
        self.console.print(table)

    # What the app says

    def reports(self, runs: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Runs, one line each, with the user's name: +new ~changed -gone on each side."""
        self.table(
            ("user", "run", "status", "in the folder", "in Business Central", "notes#"),
            (
                (
                    user,
                    f"{report['trigger']}, {report['mode']}",
                    report["status"],
                    _verbs(report["toOutlook"]),
                    _verbs(report["toBusinessCentral"]),
                    report["noteCount"] or "",
                )
                for user, report in runs
            ),
        )

    def notes(self, by_user: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Notes of runs: whose folder, which contact, and why."""
        rows = []
        for user, notes in by_user.items():
            for note in notes:
                value = f" ({note['field']}: {note['value']})" if note["value"] else ""
                rows.append((user, note["name"], note["code"], f"{note['reason']}{value}"))
        if rows:
            self.table(("folder of", "contact", "note", "why"), rows, "What the reports remark")

    def counts(self, counts: Mapping[str, Counts], what: str) -> None:
        """How many requests something took."""
        graph, bc = counts["graph"], counts["bc"]
        self.console.print(
            f"[dim]{escape(what)}: {graph.requests} requests to Graph with {graph.writes} writes in them, "
            f"{bc.requests} to Business Central with {bc.writes}.[/]"
        )


def _console() -> Console:
    console = Console(highlight=False)
    console.width = min(WIDTH, console.width) if console.is_terminal else WIDTH
    return console


def _verbs(counts: Mapping[str, int]) -> str:
    signs = {"created": "+{} new", "updated": "~{} changed", "deleted": "-{} gone"}
    return "  ".join(sign.format(counts[verb]) for verb, sign in signs.items() if counts[verb]) or "nothing"
