"""Lines that are measured by syncing: counted in the simulators' request log and at the table client."""

from collections.abc import Iterator, Sequence
from uuid import uuid4

from dev.bench.figures import Figure, Start
from dev.bench.place import FOLDER, Company, Cost
from dev.bench.runs import BenchError
from shared.engine.model import Mode

FEW, MANY = 1_000, 10_000  #: contacts
EDITS = 10


def first(start: Start) -> Sequence[Figure]:
    """A first sync into an empty mailbox, the folder's creation included."""
    cost = start().new_company(FEW).first_sync()
    return [
        Figure("Graph requests per contact", cost.graph / FEW, 0.06, decimals=3, detail=cost.kinds),
        Figure("BC requests", cost.bc, 3),
        *_more(cost),
    ]


def idle(start: Start) -> Sequence[Figure]:
    """A tick of the timer when nothing has changed, after the one that read the echoes of the first sync."""
    company = start().synced_company(FEW)
    cost = company.grounds.cost(company.tick)
    return [
        Figure("Graph requests", cost.graph, 2, detail=cost.kinds),
        Figure("BC requests, whole company", cost.bc, 2),
        *_nothing_written(cost),
        Figure("rows written, but for where runs stand", cost.rows.written_besides_bookkeeping, 0),
        Figure("table rows written", cost.rows.written.total(), detail=_kinds(cost.rows.written)),
        *_more(cost),
    ]


def full(start: Start) -> Sequence[Figure]:
    """A full run when nothing has changed."""
    company = start().synced_company(MANY)
    company.tick()  # whatever another line has left to be read
    cost = company.grounds.cost(lambda: company.run(Mode.FULL))
    return [
        *_nothing_written(cost),
        Figure("Graph requests", cost.graph, detail=cost.kinds),
        Figure("BC requests", cost.bc),
        *_more(cost),
    ]


def edits(start: Start) -> Sequence[Figure]:
    """A tick after ten edits on each side, of twenty different people."""
    company = start().synced_company(MANY)
    company.tick()
    word = uuid4().hex[:8]
    _edit(company, word)
    cost = company.grounds.cost(company.tick)
    arrived = sum(_arrived(company, word))
    if arrived != 2 * EDITS:
        raise BenchError(f"{arrived} of {2 * EDITS} edits arrived on the other side")
    return [
        Figure("Graph requests", cost.graph, 5, detail=cost.kinds),
        Figure("BC requests", cost.bc, 4),
        Figure("table rows read", cost.rows.read.total(), 200, detail=_kinds(cost.rows.read)),
        Figure("table rows written", cost.rows.written.total(), detail=_kinds(cost.rows.written)),
        *_more(cost, rows_read=False),
    ]


def _edit(company: Company, word: str) -> None:
    """Give ten people a job in BC and ten others one in Outlook."""
    bc, graph = company.grounds.simulators.bc, company.grounds.simulators.graph
    company_id, mailbox_id = company.profile.company_id, company.profile.mailbox_id
    in_bc = sorted(bc.contacts(company_id), key=lambda each: str(each["number"]))[:EDITS]
    names = {each["displayName"] for each in in_bc}
    in_outlook = [each for each in graph.contacts_of(mailbox_id, FOLDER) if each["displayName"] not in names]
    for row in in_bc:
        bc.update_contact(row["id"], company=company_id, jobTitle=f"B {word}")
    for row in in_outlook[:EDITS]:
        graph.edit_contact(mailbox_id, row["id"], {"jobTitle": f"O {word}"})


def _arrived(company: Company, word: str) -> Iterator[bool]:
    """Which contacts show the other side's edit."""
    bc, graph = company.grounds.simulators.bc, company.grounds.simulators.graph
    for row in bc.contacts(company.profile.company_id):
        yield row["jobTitle"] == f"O {word}"
    for row in graph.contacts_of(company.profile.mailbox_id, FOLDER):
        yield row.get("jobTitle") == f"B {word}"


def _nothing_written(cost: Cost) -> list[Figure]:
    return [Figure("writes to Graph", cost.graph_writes, 0), Figure("writes to BC", cost.bc_writes, 0)]


def _more(cost: Cost, *, rows_read: bool = True) -> list[Figure]:
    """What has no limit."""
    rows = [Figure("table rows read", cost.rows.read.total(), detail=_kinds(cost.rows.read))] if rows_read else []
    return [
        *rows,
        Figure("table requests", cost.rows.requests),
        Figure("time here", cost.seconds, unit="s", decimals=1),
    ]


def _kinds(rows: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {kind}" for kind, number in sorted(rows.items(), key=lambda each: -each[1]))
