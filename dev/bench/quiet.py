"""Lines about runs that have little or nothing to do in a large folder, with the services' latency."""

import time
from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

from dev.bench.at_the_limit import conditions, took
from dev.bench.figures import Figure, Start
from dev.bench.place import FOLDER, Company, Grounds
from dev.bench.runs import BenchError
from shared.engine.model import Mode

MANY = 10_000  #: contacts
CHANGES = 5  #: on each side
ROUNDS = 3


def ten_changes(start: Start) -> Sequence[Figure]:
    """A tick after five people were changed in BC and five others in Outlook."""
    grounds = start()
    company = grounds.synced_company(MANY)
    company.tick()
    bc, graph = grounds.simulators.bc, grounds.simulators.graph
    company_id, mailbox = company.profile.company_id, company.profile.mailbox_id
    word = uuid4().hex[:8]
    people = sorted(bc.contacts(company_id), key=lambda each: str(each["number"]))
    names = {each["displayName"] for each in people[:CHANGES]}
    for row in people[:CHANGES]:
        bc.update_contact(row["id"], company=company_id, jobTitle=f"B {word}")
    in_outlook = [each for each in graph.contacts_of(mailbox, FOLDER) if each["displayName"] not in names]
    for row in in_outlook[:CHANGES]:
        graph.edit_contact(mailbox, row["id"], {"jobTitle": f"O {word}"})
    with conditions(grounds) as since:
        began = time.perf_counter()
        company.tick_once()
        elapsed = time.perf_counter() - began
        asked, kinds = _requests(grounds, since)
    arrived = sum(each["jobTitle"] == f"O {word}" for each in bc.contacts(company_id))
    arrived += sum(each.get("jobTitle") == f"B {word}" for each in graph.contacts_of(mailbox, FOLDER))
    if arrived != 2 * CHANGES:
        raise BenchError(f"{arrived} of {2 * CHANGES} changes arrived on the other side")
    return [
        Figure("time, of the time of the requests themselves", elapsed / asked, 1.5, "×", 2, detail=kinds),
        Figure("the requests themselves", asked, unit="s", decimals=2),
    ]


def full(start: Start) -> Sequence[Figure]:
    """A full run when nothing has changed."""
    grounds = start()
    company = grounds.synced_company(MANY)
    company.tick()
    with conditions(grounds) as since:
        began = time.perf_counter()
        used = [_processor_time(company)]
        elapsed = time.perf_counter() - began
        asked, kinds = _requests(grounds, since)
        used += [_processor_time(company) for _ in range(ROUNDS - 1)]
        counts = grounds.simulators.graph.counts(since)
    writes = sum(counts.get(service, {}).get("writes", 0) for service in ("graph", "bc"))
    return [
        Figure("writes to Graph and BC", writes, 0),
        Figure("time", elapsed, 12.0, "s", 1, detail=kinds),
        Figure(f"processor time, the best of {ROUNDS}", min(used), 2.0, "s", 2),
        Figure("the requests themselves", asked, unit="s", decimals=2),
    ]


def _processor_time(company: Company) -> float:
    """Seconds of a full run; what else the machine does only makes it more."""
    began = time.process_time()
    company.run(Mode.FULL)
    return time.process_time() - began


def _requests(grounds: Grounds, since: int) -> tuple[float, str]:
    """How long the requests to both services took, one after the other; and which they are."""
    entries = [each for each in grounds.simulators.graph.log(since=since) if each["service"] != "entra"]
    kinds = Counter(str(each["kind"]) for each in entries)
    seconds = sum(took(each) for each in entries if each["item"] is None)
    return seconds, ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
