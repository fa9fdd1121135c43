"""Lines about growth: the same work at several sizes, in a process of its own each time, limits and latency off.

Counts are judged: what is done for each contact may not cost more where there are many, and what has nothing or little
to do may not cost more at all, but for the pages in which Business Central answers all ids (R14). Seconds are shown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from uuid import uuid4

from dev.bench import apart
from dev.bench.apart import Spent
from dev.bench.figures import Figure, Start
from dev.bench.place import FOLDER, Company
from dev.bench.runs import BenchError

CONTACTS = (1_000, 5_000, 10_000, 25_000, 50_000)
CHANGED = (1, 10, 100, 1_000, 10_000)
AMONG = 10_000  #: contacts, where changes grow
MANY = 100  #: changes, from where on what a run does once hardly counts
FEW = 10  #: changes, half of them on each side, where contacts grow
LINEAR = 1.3  #: so many times as much may one contact or change cost where there are many
BC_PAGE = 20_000  #: contacts in a page of BC's answer
QUOTA = 1_000  #: requests a minute that Graph allows a mailbox, items of batches counted one by one

FIRST, FULL, IDLE, CHANGES = "first sync", "full run, no change", "idle run", f"run with {FEW} changes"
GRAPH, BC, REQUESTS, READ, WRITTEN = (
    "Graph requests",
    "BC requests",
    "table requests",
    "table rows read",
    "table rows written",
)
COUNTS = (GRAPH, BC, REQUESTS, READ, WRITTEN)
PROCESSOR, MEMORY = "processor time", "most memory"

type Curve = Mapping[int, Spent]


def contacts(start: Start) -> Sequence[Figure]:
    """Companies of several sizes with one mailbox: first sync, nothing to do, ten changes."""
    grounds = start()
    curves: dict[str, dict[int, Spent]] = {FIRST: {}, FULL: {}, IDLE: {}, CHANGES: {}}
    for size in CONTACTS:
        company, curves[FIRST][size] = grounds.synced_apart(size)
        company.tick()  # the echoes of the first sync
        curves[CHANGES][size] = _changed(company, FEW // 2, FEW - FEW // 2)
        company.tick()  # the echoes of these
        curves[IDLE][size] = apart.spent(company, "tick")
        curves[FULL][size] = apart.spent(company, "full")
    largest = CONTACTS[-1]
    return [
        *(each for work, curve in curves.items() for each in _shown(work, curve)),
        _per_one(FIRST, curves[FIRST]),
        _per_one(FULL, curves[FULL]),
        _no_growth(IDLE, curves[IDLE]),
        _no_growth(CHANGES, curves[CHANGES]),
        Figure(f"{IDLE}: BC requests", curves[IDLE][largest].cost.bc, 1 + -(-largest // BC_PAGE)),
        *_limits(curves),
    ]


def changes(start: Start) -> Sequence[Figure]:
    """So many contacts changed on one side among many."""
    company, _ = start().synced_apart(AMONG)
    company.tick()
    curves: dict[str, dict[int, Spent]] = {"changed in BC": {}, "changed in Outlook": {}}
    for size in CHANGED:
        for work, curve in curves.items():
            in_bc = size if work == "changed in BC" else 0
            curve[size] = _changed(company, in_bc, size - in_bc)
            company.tick()
    return [
        *(each for work, curve in curves.items() for each in _shown(work, curve)),
        *(
            _per_one(work, {size: each for size, each in curve.items() if size >= MANY})
            for work, curve in curves.items()
        ),
        *(
            Figure(
                f"{work}: processor time of a change, {size:,} of them",
                curve[size].told.worked / size * 1_000,
                unit="ms",
                decimals=1,
            )
            for work, curve in curves.items()
            for size in CHANGED[-2:]
        ),
    ]


# ---------------------------------------------------------------- the work


def _changed(company: Company, in_bc: int, in_outlook: int) -> Spent:
    """A tick after so many contacts were given a job in BC, and as many others a mobile number in Outlook."""
    bc, graph = company.grounds.simulators.bc, company.grounds.simulators.graph
    company_id, mailbox_id = company.profile.company_id, company.profile.mailbox_id
    word = f"{uuid4().int % 10**8:08d}"
    names = set()
    if in_bc:
        for row in islice(bc.contacts(company_id), in_bc):
            names.add(row["displayName"])
            bc.update_contact(row["id"], company=company_id, jobTitle=f"B {word}")
    others = (each for each in graph.contacts_of(mailbox_id, FOLDER) if each["displayName"] not in names)
    for row in islice(others, in_outlook):
        graph.edit_contact(mailbox_id, row["id"], {"mobilePhone": f"+44 {word}"})
    found = apart.spent(company, "tick")
    arrived = sum(each.get("jobTitle") == f"B {word}" for each in graph.contacts_of(mailbox_id, FOLDER))
    arrived += sum(each["mobilePhoneNumber"] == f"+44 {word}" for each in bc.contacts(company_id) if in_outlook)
    if arrived != in_bc + in_outlook:
        raise BenchError(f"{arrived} of {in_bc + in_outlook} changes arrived on the other side")
    return found


# ---------------------------------------------------------------- figures


def _shown(work: str, curve: Curve) -> Iterable[Figure]:
    """A row of the page's table for each size."""
    for size, spent in curve.items():
        of = f"{work}: {size:,}"
        for what, number in _counts(spent).items():
            yield Figure(what, number, of=of)
        yield Figure(PROCESSOR, spent.told.worked, unit="s", decimals=2, of=of)
        yield Figure(MEMORY, spent.told.most, unit="MiB", of=of)
        yield Figure("seconds here", spent.told.seconds, decimals=1, of=of)


def _counts(spent: Spent) -> dict[str, int]:
    told, cost = spent.told, spent.cost
    return dict(zip(COUNTS, (cost.graph, cost.bc, told.requests, told.read, told.written), strict=True))


def grown(curve: Mapping[int, Mapping[str, int]], per: Callable[[int], float]) -> dict[str, float]:
    """By what factor each count grew from the smallest size to the largest, each divided by `per` of its size. Where
    the smallest had none, any is too much."""
    least, most = min(curve), max(curve)
    at_least = {what: number / per(least) for what, number in curve[least].items()}
    at_most = {what: number / per(most) for what, number in curve[most].items()}
    return {
        what: at_most[what] / number if number else float("inf" if at_most[what] else 1.0)
        for what, number in at_least.items()
    }


def worst(what: str, factors: Mapping[str, float], most: float) -> Figure:
    """The count that grew most, judged."""
    detail = ", ".join(f"{each} {factor:.2f}" for each, factor in factors.items())
    return Figure(what, max(factors.values()), most, "×", 2, detail=detail)


def _per_one(work: str, curve: Curve) -> Figure:
    """A contact or change costs what it costs, however many there are."""
    counts = {size: _counts(spent) for size, spent in curve.items()}
    least, most = min(curve), max(curve)
    return worst(f"{work}: counts for each of {most:,}, of those of {least:,}", grown(counts, float), LINEAR)


def _no_growth(work: str, curve: Curve) -> Figure:
    """Who has nothing to do does not notice how many contacts there are; BC's pages are judged on their own."""
    counts = {size: {k: v for k, v in _counts(spent).items() if k != BC} for size, spent in curve.items()}
    least, most = min(curve), max(curve)
    return worst(f"{work}: counts at {most:,}, of those at {least:,}", grown(counts, lambda _: 1.0), 1.1)


def _limits(curves: Mapping[str, Curve]) -> list[Figure]:
    """What limits each: computed from what was counted, and from the services' limits."""
    size = CONTACTS[-1]
    worked = curves[FIRST][size].told.worked / 60
    return [
        Figure(f"{FIRST} of {size:,}: Graph's quota lets it take", size / QUOTA, unit="min"),
        Figure(f"{FIRST} of {size:,}: processor time", worked, unit="min", decimals=1),
        *(
            Figure(f"{work}: processor time of one more contact", _more(curves[work], _worked) * 1e6, unit="µs")
            for work in (FIRST, FULL, IDLE)
        ),
        *(
            Figure(f"{work}: memory of one more contact", _more(curves[work], _most) * 1_024, unit="KiB", decimals=1)
            for work in (FIRST, FULL, IDLE)
        ),
    ]


def _more(curve: Curve, of: Callable[[Spent], float]) -> float:
    """What one more takes, between the smallest size and the largest."""
    least, most = min(curve), max(curve)
    return (of(curve[most]) - of(curve[least])) / (most - least)


def _worked(spent: Spent) -> float:
    return spent.told.worked


def _most(spent: Spent) -> float:
    return spent.told.most
