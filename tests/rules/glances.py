"""Short ways to look at a world and at reports."""

from shared.cards.model import Card
from shared.engine.model import Report
from shared.planning.model import Link, Note
from tests.fakes.world import COMPANY, World


def anna(w: World, **more: str | bool) -> str:
    """Anna Berg, a person in scope; answers her BC id."""
    return w.bc.put(**{"displayName": "Anna Berg", "email": "anna@berg.example", **more})


def crowd(w: World, count: int, **more: str | bool) -> list[str]:
    """That many persons in scope."""
    return [
        w.bc.put(**{"displayName": f"Person {each:03d}", "email": f"p{each}@x.example", **more})
        for each in range(count)
    ]


def seen(w: World, user: str = "ada") -> list[Card]:
    """The cards that the user sees in the synced folder."""
    return [each.card for each in w.mailbox(user).in_folder(w.folder(user)).values()]


def names(w: World, user: str = "ada") -> list[str]:
    """The names that the user sees in the synced folder, in order."""
    return sorted(each.name for each in seen(w, user))


def links(w: World, user: str = "ada") -> dict[str, Link]:
    """The profile's links by BC id."""
    return w.state.mailboxes.of(user, COMPANY, user).links


def twin(w: World, bc_id: str, user: str = "ada") -> str:
    """Outlook id of the contact that is linked with a BC contact."""
    return links(w, user)[bc_id].outlook_id


def outlook_card(w: World, bc_id: str, user: str = "ada") -> Card:
    """What Outlook holds of a linked BC contact."""
    return w.mailbox(user).entries[twin(w, bc_id, user)].contact.card


def codes(report: Report | None) -> list[str]:
    """The codes of a report's notes, in order."""
    assert report is not None
    return sorted(each.code for each in report.notes)


def note(report: Report | None, code: str) -> Note:
    """The report's only note with this code."""
    assert report is not None
    found = [each for each in report.notes if each.code == code]
    assert len(found) == 1, f"{len(found)} notes {code}, all: {codes(report)}"
    return found[0]


def wrote_nothing(w: World) -> None:
    """Neither a further incremental run nor a full one writes to either side."""
    before = w.written()
    w.sync()
    w.full()
    assert w.written() == before
