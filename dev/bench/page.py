"""The figures as a page of the documentation."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from dev.bench import growth_page
from dev.bench.beside_page import beside, section
from dev.bench.figures import Figure, Line

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"

_HEAD = """\
# What runs cost

Written by `make bench`, which measures all of this anew and ends with an error when a number is over its limit;
`make bench ONLY={name}` measures one line, `ONLY={name},{other}` two, and leaves this page alone. Names: {names}.

| line | work | counted | at most | reached |
|---|---|---|---|---|
"""

_CONDITIONS = """
## Conditions

- Measured on {date} (UTC): Python {python} on {system}, {cores} cores.
- Requests are counted by the simulators' own logs: each HTTP request of the app counts once, whatever is in its batch;
  writes are counted inside batches. Getting a token (about one an hour) does not count.
- Table rows are counted at the table client: each row that an answer holds, each row of a transaction.
- *Where runs stand* are the rows of leases, the line of requests, positions, the feed's state, work marks and reports.
- The engine runs in one process with the adapters that Azure gets, against simulators and Azurite on the same machine.
- Lines of the *development host* run the whole app in it, in a process of its own, called back by the simulators over
  TLS; these notify without latency. *Arrival* is taken with a look every 20 ms.
  Azurite is made to begin a look-up by both keys with the row key (`dev/bench/by_row_key.cjs`): same answers, sooner.
- Lines that say *100 ms per Graph item, 80 ms per BC call*: single requests and items of batches take that long in the
  simulators, the request around a batch nothing; four items of a mailbox at a time, 10,000 in ten minutes. *At 4 at
  once* and *at the quota* is the time that these numbers leave at best. Rows are not counted there, since counting
  takes processor time; seconds of the simulators' and the emulator's own work are part of what is reached.
- Contacts are made up and were changed in Business Central a moment before, all at the same one, so that a list of what
  changed since then holds all of them: the worst case for what a refresh reads again.
- In all other lines the mailbox's limit of 10,000 requests in 10 minutes is lifted; everywhere the safety stop's limit
  on creations is.
- Lines of *throttled* answers run in one process, whose clock skips what the app waits; every run in them succeeds.
  An item of a batch and a row of a transaction are one operation, carried out or not.
- *One core* is processor time, the best of several rounds, which others on the same machine hardly change.
- *Time here* is what simulators, emulator and engine take together on this machine; it has no limit, and Graph,
  Business Central and Azure have another one.
"""


def write(measured: Sequence[tuple[Line, Sequence[Figure]]]) -> None:
    """Write the page."""
    names = ", ".join(f"`{line.name}`" for line, _ in measured)
    growing = [(line, figures) for line, figures in measured if line.name.startswith(growth_page.LINES)]
    peers = [(line, figures) for line, figures in measured if (line, figures) not in growing and beside(figures)]
    sections = "".join(section(line, beside(figures)) for line, figures in peers) + growth_page.section(growing)
    alone = [(line, [figure for figure in figures if not figure.of]) for line, figures in measured]
    rows = [_row(line, figure, first=figure is figures[0]) for line, figures in alone for figure in figures]
    details = [
        f"- `{line.name}`, {figure.what}: {figure.detail}"
        for line, figures in alone
        for figure in figures
        if figure.detail
    ]
    conditions = _CONDITIONS.format(
        date=datetime.now(UTC).date().isoformat(),
        python=platform.python_version(),
        system=platform.system(),
        cores=os.cpu_count(),
    )
    made_of = "\n## What the numbers are made of\n\n" + "\n".join(details) + "\n"
    text = (
        _HEAD.format(name=measured[0][0].name, other=measured[-1][0].name, names=names)
        + "\n".join(rows)
        + "\n"
        + sections
        + made_of
        + conditions
    )
    PAGE.write_text(text, encoding="utf-8")


def _row(line: Line, figure: Figure, *, first: bool) -> str:
    most = "" if figure.most is None else figure.text(figure.most)
    reached = figure.text(figure.reached) + ("" if figure.is_fine else " **over**")
    shown = (f"`{line.name}`", line.work) if first else ("", "")
    return f"| {' | '.join((*shown, figure.what, most, reached))} |"
