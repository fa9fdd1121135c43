"""Worlds in which the stories of several rules begin."""

from typing import Any

from shared.engine.limits import Limits
from shared.engine.model import Report, Undoes
from shared.engine.undo_requests import request_undo
from shared.filters import parse_filter
from shared.planning.model import OnOutlookDelete
from tests.fakes.world import World
from tests.rules.glances import anna, crowd, links, outlook_card, seen, twin

PERSON = {"type": "Person", "displayName": "Anna Berg", "email": "anna@berg.example", "city": "Berlin"}
NO_FILTER = parse_filter({})


def with_folder(w: World, user: str = "ada") -> str:
    """The user has made the folder before the first run."""
    return w.mailbox(user).create_folder("Business Central", None).id


def linked(w: World, **policies: object) -> tuple[str, str]:
    """Anna, synced to Ada who wants only Berlin: her BC id and her Outlook id."""
    w.profile("ada", filter={"city": "Berlin"}, policies=policies)
    bc_id = anna(w, city="Berlin")
    w.sync()
    return bc_id, twin(w, bc_id)


def told(policy: OnOutlookDelete) -> World:
    """A world of its own in which the story has happened; it is worked on in small steps, so that they can be cut."""
    w = World.new(Limits(apply_batch=2))
    w.state.rows_per_transaction = 2
    w.profile("ada", policies={"on_outlook_delete": policy})
    _story(w)
    return w


def undo(w: World, run: Report, contact: str = "", user: str = "ada", **more: Any) -> Report:
    """Undo a run; answers the report of that."""
    w.clock.advance(seconds=1)
    preview = more.pop("preview", False)
    report = request_undo(w.services, Undoes(run.run_id, contact, **more), "boss", preview=preview)
    w.work(user)
    done = w.state.reports.get(report.run_id)
    assert done is not None
    assert done.undoes == Undoes(run.run_id, contact, **more) and done.actor == "boss"
    return done


def picture(w: World) -> tuple[Any, Any, Any]:
    """What a person sees on both sides, and who is linked with whom."""
    bc = sorted(each.card for each in w.bc.rows.values())
    outlook = sorted(seen(w))
    pairs = sorted((w.bc.rows[key].card.name, outlook_card(w, key).name) for key in links(w))
    return bc, outlook, pairs


def _story(w: World) -> None:
    """A bit of everything, to be done by the next run."""
    ids = crowd(w, 3)
    w.bc.put(displayName="Acme", type="Company", phoneNumber="555")
    w.sync()
    w.bc.edit(ids[0], city="Ulm")
    w.mailbox().edit(twin(w, ids[0]), job_title="Chief", company="Acme")
    w.bc.delete(ids[1])
    w.mailbox().delete(twin(w, ids[2]))
    anna(w)
    w.mailbox().add(w.folder(), name="Carla", email="c@x.example", company="Acme")
    w.mailbox().add(w.folder(), name="Anna Berg", email="anna@berg.example", mobile="0151")
    w.mailbox().add(w.folder(), name="No Address")
