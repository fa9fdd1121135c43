"""The lines of the table: what runs cost in requests, rows and seconds, and what they may cost at most."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from dev.bench.figures import Figure, Line
from dev.bench.place import FOLDER, Grounds
from shared.cards.business_central import contact_from_values
from shared.cards.model import BcContact, OutlookContact
from shared.engine.model import Mode
from shared.filters import Filter
from shared.planning.model import Inputs, Link, Present, Rules, Shown
from shared.planning.plan import make_plan

ROOT = Path(__file__).resolve().parents[2]
EDITS = 10


def first_sync(grounds: Grounds) -> Sequence[Figure]:
    """1,000 contacts into an empty mailbox."""
    cost = grounds.new_company(1_000).first_sync()
    return [
        Figure("Graph requests per contact", cost.graph / 1_000, 0.06, decimals=3, detail=cost.kinds),
        Figure("BC requests", cost.bc, 3),
        Figure("seconds", cost.seconds, decimals=1),
    ]


def nothing_changed(grounds: Grounds) -> Sequence[Figure]:
    """A tick when nothing changed and the echoes were read."""
    cost = grounds.cost(grounds.synced_company(1_000).tick)
    return [
        Figure("Graph requests", cost.graph, 2, detail=cost.kinds),
        Figure("BC requests", cost.bc, 2),
        Figure("writes to Graph and BC", cost.graph_writes + cost.bc_writes, 0),
        Figure("rows written besides positions, marks, report", cost.rows.written_besides_bookkeeping, 0),
    ]


def full_run(grounds: Grounds) -> Sequence[Figure]:
    """A full run when nothing changed."""
    company = grounds.synced_company(1_000)
    cost = grounds.cost(lambda: company.run(Mode.FULL))
    return [
        Figure("writes to Graph", cost.graph_writes, 0, detail=cost.kinds),
        Figure("writes to BC", cost.bc_writes, 0),
        Figure("seconds", cost.seconds, decimals=1),
    ]


def edits(grounds: Grounds) -> Sequence[Figure]:
    """Ten edits of linked contacts on each side, among 10,000."""
    company = grounds.synced_company(10_000)
    bc, graph = grounds.simulators.bc, grounds.simulators.graph
    in_bc = bc.contacts(company=company.profile.company_id)
    for contact in in_bc[:EDITS]:
        bc.update_contact(contact["id"], company=company.profile.company_id, jobTitle="Head of tests")
    names = {each["displayName"] for each in in_bc[:EDITS]}
    others = [
        each for each in graph.contacts_of(company.profile.mailbox_id, FOLDER) if each["displayName"] not in names
    ]
    for contact in others[:EDITS]:
        graph.edit_contact(company.profile.mailbox_id, contact["id"], {"mobilePhone": "+44 20 7946 0999"})
    cost = grounds.cost(company.tick)
    return [
        Figure("Graph requests", cost.graph, 5, detail=cost.kinds),
        Figure("BC requests", cost.bc, 4),
        Figure("table rows read", cost.rows.read.total(), 200, detail=str(dict(cost.rows.read))),
    ]


def planning(_grounds: Grounds) -> Sequence[Figure]:
    """50,000 linked pairs, one in a hundred changed, planned on one core."""
    inputs = _pairs(50_000)
    began = time.perf_counter()
    plan = make_plan(inputs)
    seconds = time.perf_counter() - began
    return [Figure("seconds", seconds, 3, decimals=2, detail=f"{len(plan.operations)} operations")]


def importing(_grounds: Grounds) -> Sequence[Figure]:
    """Import of function_app in fresh processes, the median of seven."""
    code = "import time; t = time.perf_counter(); import function_app; print(time.perf_counter() - t)"
    with tempfile.TemporaryDirectory(prefix="bytecode-") as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-c", code]
        times = [
            float(subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True, text=True).stdout)
            for _ in range(8)
        ][1:]  # the first one compiles
    return [Figure("milliseconds", statistics.median(times) * 1_000, 600)]


def _pairs(count: int) -> Inputs:
    links: dict[str, Link] = {}
    bc: dict[str, Present] = {}
    outlook: dict[str, Shown] = {}
    for number in range(count):
        contact = _person(number, "")
        seen = OutlookContact(f"o{number}", "e", contact.card, marks_known=True)
        links[contact.id] = Link(contact.id, seen.id, contact.card, seen.card)
        bc[contact.id] = Present(_person(number, "Chief" if number % 100 == 0 else ""))
        outlook[seen.id] = Shown(seen)
    return Inputs(Rules("company", "Production", Filter(), Filter()), False, links, dict(bc), dict(outlook))


def _person(number: int, job: str) -> BcContact:
    values: dict[str, str | bool] = {
        "type": "Person",
        "number": f"CT{number:06d}",
        "displayName": f"Person {number}",
        "email": f"p{number}@bench.example",
        "phoneNumber": f"{number:08d}",
        "city": "London",
        "jobTitle": job,
    }
    return contact_from_values(f"b{number}", "e", "2026-01-01T00:00:00Z", values)


LINES: tuple[Line, ...] = (
    Line("import", "import of function_app", importing),
    Line("planning", "planning 50,000 linked pairs, 1 % changed", planning),
    Line("first-sync", "first sync of 1,000 contacts into one mailbox", first_sync),
    Line("idle", "incremental run, nothing changed, echoes read", nothing_changed),
    Line("full", "full run of 1,000, nothing changed", full_run),
    Line("edits", "10 edits on each side among 10,000", edits),
)
