"""The story: a company and three mailboxes, from the first sync to the one that has nothing to do."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from dev.demo import safeguards
from dev.demo.cast import ADA, BEN, BLOCKED, CLEO, CLEOS_OWN, NO_EMAIL, USERS, company_contacts
from dev.demo.edits import edits
from dev.demo.facts import Facts, phone, town, writes
from dev.demo.telling import SHOWN, Teller
from dev.system import System

type Report = Mapping[str, Any]

HER_NUMBER = "+49 30 5550777"
SOON = 20.0  #: seconds within which an announced change must have arrived; a slow machine may need some
NARROWER = {"country": "GB", "city": "London"}


def tell(system: System, teller: Teller) -> None:
    """All chapters."""
    facts = Facts(system)
    set_up(system, teller)
    _first_sync(system, teller, facts)
    _edits_on_both_sides(system, teller, facts)
    _another_filter(system, teller, facts)
    safeguards.held(system, teller, facts)
    safeguards.undone(system, teller, facts)
    _announced(system, teller, facts)
    _nothing_to_do(system, teller)


def set_up(system: System, teller: Teller) -> None:
    """The company, the users and their profiles."""
    teller.heading("A company and three users")
    contacts = company_contacts()
    system.simulators.bc.seed(contacts)
    for user in USERS:
        system.simulators.graph.create_user(user.address, displayName=user.name)
    system.simulators.graph.seed_contacts(CLEO.address, CLEOS_OWN)
    persons = sum(contact["type"] == "Person" for contact in contacts)
    teller.say(
        f"Business Central: {len(contacts) - persons} companies and {persons} persons. {NO_EMAIL} has no e-mail "
        f"address, {BLOCKED} is privacy blocked: they are never synced."
    )
    rows = []
    for user in USERS:
        folder = {"folder": user.folder} if user.folder else {}
        saved = system.app.save_profile(user.address, filter=dict(user.filter), policies=dict(user.policies), **folder)
        shown = "the main Contacts folder" if saved["folder"] == "default" else saved["folder"]
        policy = saved["policies"]["onOutlookDelete"]
        rows.append((user.name, _text(saved["filter"]), shown, policy))
    teller.table(("user", "filter (Business Central's own language)", "folder", "on deletion in Outlook"), rows)


def _first_sync(system: System, teller: Teller, facts: Facts) -> None:
    teller.heading("First sync: the timer fires")
    mark = system.mark()
    system.tick()
    counts = system.counts(mark)
    reports = _newest(system)
    teller.reports(reports.items())
    for user in USERS:
        found = facts.in_folder(user)
        rows = [
            (name, each.get("jobTitle") or "", each.get("companyName") or "", phone(each), town(each))
            for name, each in sorted(found.items())
        ]
        place = "her main folder" if user.place == "contacts" else f"“{user.place}”"
        teller.table(
            ("name", "job title", "company", "phone", "town"),
            [*rows[:SHOWN], (f"… and {len(rows) - SHOWN} more", *[""] * 4)],
            f"{user.name}'s mailbox, {place}: {len(rows)} contacts",
        )
    teller.notes({name: report["notes"] for name, report in reports.items()})
    for user in USERS:
        wanted = facts.selected_by(user) - ({"Lucy Barker"} if user is CLEO else set())
        teller.claim(
            f"{user.name} has exactly the {len(wanted)} persons of the filter", set(facts.in_folder(user)) == wanted
        )
    untouched = {contact["displayName"] for contact in system.simulators.graph.contacts_of(CLEO.address)}
    own = {contact["displayName"] for contact in CLEOS_OWN}
    teller.claim("Cleo's own contacts are as they were, and nobody is there twice", own <= untouched)
    teller.counts(counts, "All three")


def _edits_on_both_sides(system: System, teller: Teller, facts: Facts) -> None:
    teller.heading("People work on both sides, and the timer fires again")
    done = edits()
    for edit in done:
        edit.act(system, facts)
    mark, seen = system.mark(), _newest(system)
    system.tick()
    counts, runs = system.counts(mark), _runs_since(system, seen)
    rows, broken = [], []
    for edit in done:
        text, holds = edit.came(facts)
        rows.append((edit.who, edit.does, ("✓ " if holds else "✗ ") + text, edit.why))
        if not holds:
            broken.append(edit.does)
    teller.table(("who", "did what", "what came of it", "why"), rows)
    teller.say("One tick. What a user's run brings to Business Central reaches the others by runs of their own:")
    teller.reports(runs)
    notes = {name: [note for who, run in runs if who == name for note in run["notes"]] for name, _ in runs}
    teller.notes(notes)
    teller.claim("every edit arrived as the rules say", not broken)
    lost = [note for note in notes["Ada"] if note["name"] == "David Hodgson" and note["kind"] == "conflict"]
    teller.claim(
        "the number that lost is not lost: it stands in Ada's notes",
        [note["value"] for note in lost] == ["+44 20 7946 2222"],
    )
    teller.counts(counts, "All three")


def _another_filter(system: System, teller: Teller, facts: Facts) -> None:
    teller.heading("Ada wants fewer contacts: first a preview, then the sync")
    before = facts.in_folder(ADA)
    mark = system.mark()
    preview = system.app.sync(ADA.address, filter=NARROWER, preview=True)
    removals = [step for step in preview["plan"] if step["operation"] == "remove"]
    teller.say(f"The filter would be {_text(NARROWER)}. The preview shows {len(removals)} removals, and says:")
    for held in preview["held"]:
        teller.say(f"  held ({held['kind']}): {held['count']}, since this is {held['limit']}")
    teller.claim("the preview wrote nothing", not writes(system, mark) and facts.in_folder(ADA).keys() == before.keys())
    report = system.app.sync(ADA.address, filter=NARROWER)
    teller.claim(
        f"without a confirmation the run holds them back (status “{report['status']}”), and nobody is removed",
        report["status"] == "held" and facts.in_folder(ADA).keys() == before.keys(),
    )
    report = system.app.sync(ADA.address, filter=NARROWER, confirmRemovals=len(removals))
    teller.reports([("Ada", report)])
    left = facts.in_folder(ADA)
    wanted = {name for name in facts.selected_by(ADA) if facts.in_bc()[name]["city"] == "London"}
    teller.claim(
        f"with confirmRemovals {len(removals)} she keeps the {len(left)} in London: {', '.join(sorted(left))}",
        set(left) == wanted,
    )
    teller.claim("nobody was deleted in Business Central", before.keys() <= facts.in_bc().keys())


def _announced(system: System, teller: Teller, facts: Facts) -> None:
    teller.heading("The app gets a public address: changes are announced, no timer fires")
    system.announce()
    system.tick()  # reads once what went by before
    system.wait_until_quiet()
    folders = {each["user"] for each in system.simulators.graph.subscriptions()}
    companies = system.simulators.bc.subscriptions()
    teller.claim(
        f"subscribed: {len(folders)} folders at Microsoft Graph, {len(companies)} company at Business Central",
        (len(folders), len(companies)) == (len(USERS), 1),
    )
    mark, seen = system.mark(), _newest(system)
    cleos = facts.in_folder(CLEO)["Elif Yilmaz"]
    began = time.monotonic()
    system.simulators.graph.edit_contact(CLEO.address, str(cleos["id"]), {"businessPhones": [HER_NUMBER]})
    in_bc = _seconds_until(lambda: facts.in_bc()["Elif Yilmaz"]["phoneNumber"] == HER_NUMBER, began)
    at_bens = _seconds_until(lambda: phone(facts.in_folder(BEN)["Elif Yilmaz"]) == HER_NUMBER, began)
    teller.claim(
        f"Cleo types a new number for Elif Yilmaz in Outlook: in Business Central after {in_bc:.1f} s, in Ben's folder "
        f"after {at_bens:.1f} s",
        max(in_bc, at_bens) < SOON,
    )
    system.wait_until_quiet()
    teller.reports(_runs_since(system, seen))
    teller.counts(system.counts(mark), "All of it, Graph's notification of our write in Ben's folder included")


def _seconds_until(holds: Callable[[], bool], began: float) -> float:
    """When it held, in seconds since `began`; infinite if it does not in time."""
    while not holds():
        if time.monotonic() - began > SOON:
            return math.inf
        time.sleep(0.02)
    return time.monotonic() - began


def _nothing_to_do(system: System, teller: Teller) -> None:
    teller.heading("A further run has nothing to do")
    system.tick()  # reads the echo of the last writes
    for what in ("timer", "incremental", "full"):
        mark = system.mark()
        if what == "timer":
            system.tick()
        else:
            for user in USERS:
                system.app.sync(user.address, what)
        counts = system.counts(mark)
        teller.claim(
            f"{what}: nothing was written, to no mailbox and not to Business Central", not writes(system, mark)
        )
        teller.counts(counts, "All three")


def _runs_since(system: System, seen: Mapping[str, Report]) -> list[tuple[str, Report]]:
    """The runs after those seen, by user, oldest first."""
    found: list[tuple[str, Report]] = []
    for user in USERS:
        listed = system.app.user("GET", f"/api/profiles/{user.address}/runs?top=20")["runs"]
        ids = [str(run["runId"]) for run in listed]
        new = ids[: ids.index(seen[user.name]["runId"])]
        found += [(user.name, system.app.run(run_id)) for run_id in reversed(new)]
    return found


def _newest(system: System) -> dict[str, Report]:
    found = {user.name: system.app.newest_run(user.address) for user in USERS}
    return {name: report for name, report in found.items() if report is not None}


def _text(filter_: Mapping[str, str]) -> str:
    return ", ".join(f"{field}: {expression}" for field, expression in filter_.items()) or "none"
