"""What the doctor says, on the screen."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shared.engine.checks import NOT_TRIED, Check

_WIDTH = 110
_NAME = 30
_SIGNS = {"good": ("✓", "green"), "look": ("!", "yellow"), "bad": ("✗", "red"), "not tried": ("–", "dim")}


def verdict(check: Check) -> str:
    """ "good", "look" (fine, and there is something to do), "bad" or "not tried"."""
    if check.ok is None:
        return "not tried"
    if not check.ok:
        return "bad"
    return "look" if check.what_to_do else "good"


class Page:
    """Writes checks as they come, and counts them by verdict."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=False)
        self.console.width = min(_WIDTH, self.console.width) if self.console.is_terminal else _WIDTH
        self.counts = dict.fromkeys(_SIGNS, 0)

    def tell(self, check: Check) -> None:
        """One line, and below it what to do."""
        kind = verdict(check)
        self.counts[kind] += 1
        sign, colour = _SIGNS[kind]
        row = Table.grid(padding=(0, 1))
        row.add_column(width=1)
        row.add_column(width=_NAME)
        row.add_column()
        row.add_row(Text(sign, colour), Text(check.check, "bold"), Text(check.detail))
        self.console.print(row)
        if check.what_to_do and check.detail != NOT_TRIED:  # that one is told by the part that is in the way
            self.console.print(Padding(Text(f"→ {check.what_to_do}", colour), (0, 0, 0, _NAME + 3)))

    def say(self, text: str) -> None:
        """A sentence."""
        self.console.print(Text(text))

    def sum_up(self) -> None:
        """How many of each, and the answer in one line."""
        counts = ", ".join(f"{number} {kind}" for kind, number in self.counts.items() if number)
        self.console.print()
        self.console.print(Text(f"{counts}.", "red" if self.counts["bad"] else "green"))

    def markdown(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table in markdown, one line a row whatever its length: to be copied."""
        self.rows([columns, ["---"] * len(columns), *rows])

    def rows(self, rows: Iterable[Sequence[str]]) -> None:
        """Further rows of it."""
        for cells in rows:
            self.console.file.write(f"| {' | '.join(cell.replace('|', '\\|') for cell in cells)} |\n")
        self.console.file.flush()
