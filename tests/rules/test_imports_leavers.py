"""Imports of users: what becomes of leavers' contacts."""

import pytest

from shared.engine.import_state import OnLeave
from shared.engine.model import RunStatus
from tests.fakes.world import COMPANY
from tests.rules.importing import Office, users


@pytest.mark.parametrize("on_leave", [None, OnLeave.KEEP, OnLeave.REMOVE])
def test_leavers_keep_their_contacts_unless_the_import_says_otherwise(office: Office, on_leave: OnLeave | None) -> None:
    office.members("ada", "ben")
    office.ask(name="sales", on_leave=on_leave)
    office.linked("ada", 5)
    folder = office.world.folder("ada")
    office.members("ben")
    run = office.night()
    left = len(office.world.mailbox("ada").in_folder(folder))
    if on_leave is OnLeave.REMOVE:
        assert (left, users(run.removed), run.contacts_removed) == (0, ["ada"], 5)
        assert office.world.state.profiles.get(COMPANY, "ada") is None
    else:
        assert (left, run.removed) == (5, ())


def test_whom_an_administrator_switches_on_at_that_moment_keeps_everything(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="sales", on_leave=OnLeave.REMOVE)
    office.linked("ada", 5)
    office.members("ben")
    office.world.faults.before(
        "profiles.get", lambda: office.world.profile("ada", enabled=True, left=False, imported="")
    )
    run = office.night()
    assert (users(run.disabled), run.removed) == (["ada"], ())
    assert len(office.world.mailbox("ada").in_folder(office.world.folder("ada"))) == 5


def test_r26_many_contacts_of_a_leaver_wait_for_a_person(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="sales", on_leave=OnLeave.REMOVE)
    office.linked("ada", 12)
    folder = office.world.folder("ada")
    office.members("ben")
    run = office.night()
    assert (users(run.disabled), run.removed) == (["ada"], ())
    assert [(each.kind, each.count, each.users) for each in run.held] == [("removals", 12, ("ada",))]
    again = office.night()
    assert [(each.kind, each.count) for each in again.held] == [("removals", 12)]
    assert len(office.world.mailbox("ada").in_folder(folder)) == 12
    done = office.approve(again, removals=12)
    assert (done.status, users(done.removed), done.contacts_removed) == (RunStatus.SUCCEEDED, ["ada"], 12)
    assert office.world.mailbox("ada").in_folder(folder) == {}
