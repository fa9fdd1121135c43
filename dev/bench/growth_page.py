"""The section of the page that shows how costs grow."""

from collections.abc import Mapping, Sequence

from dev.bench.beside_page import as_text, beside, table_of
from dev.bench.figures import Figure, Line

LINES = "growth-"  #: how their names begin

_HEAD = """
## Growth

The same work at several sizes, each in a process of its own with latency and limits off, except for users. What is done
for each contact, change or user may not cost more where there are many, in counts; what has nothing to do may not cost
more at all, but for pages of rows and of Business Central's ids. Seconds and memory are shown, and judged by nobody.
Contacts were last changed an hour before. *Changes* are half in Business
Central, half in Outlook, where nothing else is said; a run after each has read its echoes before anything else begins.
"""

#: What limits a curve, in words; the figures below each table say how much.
WHY: Mapping[str, str] = {
    "growth-contacts": """\
What limits it: a *first sync* Graph's quota of 1,000 items a minute, long before processor time; its memory grows with
the folder, since a run plans over all of it at once. A *full run* reads each contact on both sides and its link: pages
of rows and of folders, and processor time. An *idle run* asks Business Central for the ids of all, 20,000 in a page,
and compares them with the roster (64 rows): its requests and rows stay, its processor time grows with the company.""",
    "growth-users": """\
What limits it: an *idle tick* nothing, since it asks for the marks that are due. A change in Business Central is held
against each profile's filter: pages of 1,000 rows; whom it concerns gets a request in the line of the mailbox, two
table requests each, eight at a time. *Upkeep* reads profiles, marks and subscriptions of all in pages; the
*cleaning* looks into each mailbox once a day.""",
    "growth-changes": """\
What limits it: a change costs one item of a batch at the service that is written, and the rows of contact, link, log
and journal, packed into transactions of 100. What a run does once (leases, positions, the roster) is shared by all of
its changes, so that the first one is the dearest. When a tenth of the contacts has changed, snapshot and links are read
whole instead of row by row: fewer requests and more rows. Outlook's changes come with their values, the contacts that
Business Central's changes meet are read first.""",
}


def section(measured: Sequence[tuple[Line, Sequence[Figure]]]) -> str:
    """The section: a table for each curve, and below it what limits it. Blank when nothing of it was measured."""
    return _HEAD + "".join(_curve(line, figures) for line, figures in measured) if measured else ""


def _curve(line: Line, figures: Sequence[Figure]) -> str:
    said = [_said(figure) for figure in figures if not figure.of]
    table = as_text(table_of(beside(figures)))
    return f"\n`{line.name}`: {line.work}.\n\n{table}\n\n{WHY[line.name]}\n\n" + "\n".join(said) + "\n"


def _said(figure: Figure) -> str:
    most = "" if figure.most is None else f", at most {figure.text(figure.most)}"
    return f"- {figure.what}: {figure.text(figure.reached)}{most}{'' if figure.is_fine else ' **over**'}"
