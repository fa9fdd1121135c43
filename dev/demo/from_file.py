"""The demo with contacts of one's own: all of them into one mailbox, and a second run that has nothing to do."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dev.demo.facts import country, email, town
from dev.demo.telling import Teller
from dev.system import System

USER = "ada@cronus.example"
FOLDER = "Business Central"
SHOWN = 8


def tell(system: System, teller: Teller, path: Path, contacts: Sequence[Mapping[str, Any]]) -> None:
    """Seed, sync, look, sync again."""
    persons = [contact for contact in contacts if contact["type"] == "Person"]
    companies = [contact for contact in contacts if contact["type"] == "Company"]
    teller.heading(f"{path.name}: {len(persons)} persons, {len(companies)} companies")
    bc, graph, app = system.simulators.bc, system.simulators.graph, system.app
    bc.seed(contacts)
    graph.create_user(USER, displayName="Ada")
    app.save_profile(USER)
    teller.say(f"{USER} has no filter: every person with an e-mail address is synced.")
    mark = system.mark()
    system.tick()
    counts = system.counts(mark)
    report = app.newest_run(USER) or {}
    teller.reports([("Ada", report)])
    found = {contact["displayName"]: contact for contact in graph.contacts_of(USER, FOLDER)}
    rows = [
        (name, each.get("companyName") or "", email(each), town(each), country(each))
        for name, each in sorted(found.items())[:SHOWN]
    ]
    columns = ("name", "company", "e-mail", "town", "country")
    teller.table(columns, [*rows, (f"… {len(found)} in all", *[""] * 4)], f"Ada's folder “{FOLDER}”")
    teller.notes({"Ada": report["notes"]})
    _check_first(system, teller, persons, companies)
    teller.counts(counts, f"{len(persons)} contacts")

    teller.heading("A second run has nothing to do")
    for mode in ("incremental", "full"):
        mark = system.mark()
        app.sync(USER, mode)
        counts = system.counts(mark)
        written = sum(each.writes for each in counts.values())
        teller.claim(f"{mode}: nothing was written, neither to the mailbox nor to Business Central", written == 0)
        teller.counts(counts, mode)


def _check_first(
    system: System, teller: Teller, persons: Sequence[Mapping[str, Any]], companies: Sequence[Mapping[str, Any]]
) -> None:
    found = system.simulators.graph.contacts_of(USER, FOLDER)
    addresses = sorted(email(contact) for contact in found)
    wanted = sorted(person["email"].split(";")[0].strip().lower() for person in persons)
    teller.claim(f"all {len(persons)} persons are in the mailbox, each once", addresses == wanted)
    theirs = {company["email"].split(";")[0].strip().lower() for company in companies}
    teller.claim(f"none of the {len(companies)} companies is", not theirs & set(addresses))
