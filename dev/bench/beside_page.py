"""The section of the page that shows the app beside the others."""

from collections.abc import Sequence

from dev.bench.figures import Figure, Line

_HEAD = """
## Beside the others

`{name}`: {work}. Each begins with an empty mailbox, makes a folder, and brings the same made-up persons into it.

"""

_WHAT = """
What the table is made of:

- *Contacts a minute* counts from the beginning of the first write to the end of the last; *the limit* is 2,400, four
  items at a time of 100 ms each. *Graph requests* are all of the mailbox, the folder's included; a batch is one.
- *Processor time* is that of the peer's own process from the first contact to the last: imports, the token and the
  first connection do not count. For the app it holds everything: reading Business Central, planning, the journal,
  recording.
- Simulators, latency and limits are the same for all, and everybody's contacts are there afterwards, once. Libraries
  get their token by their own means (azure-identity, MSAL), the sequences from the token endpoint; only addresses are
  set.
- msgraph-sdk's batches: one at a time. A batch's requests carry `depends_on`, which Graph's documentation does not
  know; the simulator refuses such members, and is told to ignore them here, as Graph has to. Their addresses are
  absolute once the client has sent anything else, which Graph does not allow: they are made relative first.
- python-o365 waits until 200 ms have passed since its last request, its default. Its contacts come into the mailbox's
  main folder whichever folder they were made for (2.1.10).
- Who sends one request after the other has 400 contacts instead of 1,000, and shares the time with the other three of
  that kind, each in a mailbox of its own; together they keep less than one of the two cores busy.
- Whoever sends batches of 20, one after the other, comes near the limit. The app does so while it reads, plans, keeps a
  journal of every write and records it, and marks each contact so that its own work is found again; its few requests
  more find the folder before it is made, and read the change feed's position.
- *A further run* has nothing to do; whoever reads a change feed (the app, the wizard) has read its own writes before.
  Libraries leave it to their users.
- *Look up each, then POST it* and *list, then POST each* stand for tools that cannot run here, as the requests that
  such tools are known to send: a connector's "find or create", and published scripts. The requests are sent by one
  session of `requests`, with nothing in between, so they are as fast as they can be.
- *Business Central's wizard* (version 28, "Microsoft 365 Contact Sync") is a sequence, too, made after the source
  that Microsoft publishes (BCApps, BaseApp, CRM/Outlook): the folder's delta, then batches of 20 for those whose
  e-mail address is not in the folder. It only adds: nothing is changed or removed, a contact of which the address was
  changed comes a second time, and an item that Graph throttles is an error. An earlier form of it sent one POST for
  each contact, as in *list, then POST each*; how it read the folder is not known. Which of the two a given update of
  version 28 has cannot be told from the source.

"""


def beside(figures: Sequence[Figure]) -> list[Figure]:
    """Those of a line's figures that belong to one of several who are shown side by side."""
    return [figure for figure in figures if figure.of]


def table_of(figures: Sequence[Figure]) -> list[list[str]]:
    """A row for each who was measured, a column for each of what was counted; the first row names the columns."""
    names = list(dict.fromkeys(figure.of for figure in figures))
    columns = list(dict.fromkeys(figure.what for figure in figures))
    cells = {(figure.of, figure.what): figure.text(figure.reached) for figure in figures}
    return [["", *columns], *([name, *(cells.get((name, what), "–") for what in columns)] for name in names)]


def as_text(table: Sequence[Sequence[str]]) -> str:
    """Such a table on the page."""
    head, *rows = table
    lines = [f"| | {' | '.join(head[1:])} |", f"|---|{'---:|' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def section(line: Line, figures: Sequence[Figure]) -> str:
    """The section of a line that measures others beside the app."""
    details = [f"- {figure.of}: {figure.detail}" for figure in figures if figure.detail]
    head = _HEAD.format(name=line.name, work=line.work)
    return head + as_text(table_of(figures)) + "\n" + _WHAT + "\n".join(details) + "\n"
