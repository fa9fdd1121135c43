"""The chapters in which something goes wrong: a run is held and approved (R26), and a run is undone (R36)."""

from dev.demo.cast import ADA, BEN, VISITORS, visitors
from dev.demo.facts import Facts, writes
from dev.demo.telling import SHOWN, Teller
from dev.system import System
from dev.system.app import Refused

ADMIN = "admin@contoso.example"


def held(system: System, teller: Teller, facts: Facts) -> None:
    """Many persons are deleted in Business Central; an administrator looks and approves."""
    teller.heading("Many are deleted in Business Central: the run is held until an administrator approves")
    system.simulators.bc.seed(visitors())
    system.tick()
    before, in_bc = facts.in_folder(BEN), facts.in_bc()
    ids = {name: in_bc[name]["id"] for name in VISITORS}
    teller.say(f"{len(ids)} visitors of a fair were imported, and are in Ben's folder. Somebody deletes them all.")
    for name in VISITORS:
        system.simulators.bc.delete_contact(in_bc[name]["number"])
    run = system.app.sync(BEN.address)
    teller.reports([("Ben", run)])
    for each in run["held"]:
        teller.say(f"  held ({each['kind']}): {each['count']}, since this is {each['limit']}")
    (waiting,) = run["held"]
    teller.claim(
        f"the report names exactly the {len(ids)} who are gone from Business Central",
        set(waiting["contacts"]) == set(ids.values()) and not ids.keys() & facts.in_bc().keys(),
    )
    teller.claim("all of them are still in Ben's folder", facts.in_folder(BEN) == before)
    mark = system.mark()
    refusal = _refusal(system, run["runId"], waiting["kind"], len(ids) - 1)
    teller.say(f"The administrator approves {len(ids) - 1}, and is told:")
    teller.say(f"  {refusal}")
    teller.claim("nothing was written for it", bool(refusal) and not writes(system, mark))
    done = system.app.approve(run["runId"], {waiting["kind"]: waiting["count"]}, ADMIN)
    teller.reports([("Ben", done)])
    teller.claim(
        f"with the right number exactly these {len(ids)} leave Ben's folder, the other {len(before) - len(ids)} are as "
        "they were",
        facts.in_folder(BEN) == {name: each for name, each in before.items() if name not in ids},
    )
    deleted = {each["displayName"] for each in system.simulators.graph.contacts_of(BEN.address, "deleted")}
    teller.claim("they are in Ben's Deleted Items, if anybody wants them back", ids.keys() <= deleted)
    (approved,) = system.app.run(run["runId"])["held"]
    teller.claim(
        f"both reports say who it was: {done['actor']}", approved["approved"]["actor"] == done["actor"] == ADMIN
    )


def undone(system: System, teller: Teller, facts: Facts) -> None:
    """A run brought what nobody wanted; an administrator puts it back."""
    teller.heading("An import in Business Central went wrong: an administrator undoes Ada's run")
    before = facts.in_folder(ADA)
    for name in before:
        system.simulators.bc.update_contact(facts.in_bc()[name]["number"], jobTitle="IMPORT TEST")
    run = system.app.sync(ADA.address)
    preview = system.app.undo(run["runId"], preview=True, actor=ADMIN)
    rows = [
        (step["name"], field["field"], field["from"], field["to"] or "(blank)")
        for step in preview["plan"]
        for field in step["fields"]
    ]
    more = [(f"… and {len(rows) - SHOWN} more", *[""] * 3)] if len(rows) > SHOWN else []
    teller.table(("contact", "field", "now", "will be again"), [*rows[:SHOWN], *more], "A preview of the undo")
    undo = system.app.undo(run["runId"], actor=ADMIN)
    teller.reports([("Ada", undo)])
    titles = {name: each.get("jobTitle") or "" for name, each in facts.in_folder(ADA).items()}
    teller.claim(
        f"the run's {run['toOutlook']['updated']} changes in Ada's folder are gone",
        titles == {name: each.get("jobTitle") or "" for name, each in before.items()},
    )
    mark = system.mark()
    for mode in ("incremental", "full"):
        system.app.sync(ADA.address, mode)
    teller.claim("no later run does it again: an incremental and a full one wrote nothing", not writes(system, mark))


def _refusal(system: System, run_id: str, kind: str, count: int) -> str:
    """What the app says to an approval; blank when it takes it."""
    try:
        system.app.approve(run_id, {kind: count}, ADMIN)
    except Refused as refused:
        return str(refused.problem["detail"])
    return ""
