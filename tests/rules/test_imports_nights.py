"""Imports of users: what a night finds: who joins, leaves, comes back, and who is left alone."""

from dataclasses import replace

import pytest

from shared.engine.importing import the_run
from shared.engine.model import RunStatus
from shared.errors import RequestError
from tests.fakes.world import COMPANY
from tests.rules.importing import Office, users


def test_joiners_are_added_and_leavers_switched_off(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="sales", filter={"city": "Ulm"})
    office.members("ben", "cleo")
    run = office.night()
    assert (users(run.added), users(run.disabled), run.kept, run.by_timer) == (["cleo"], ["ada"], 1, True)
    assert office.enabled() == {"ben", "cleo"}
    ada, cleo = (office.world.state.profiles.get(COMPANY, each) for each in ("ada", "cleo"))
    assert ada is not None and ada.left
    assert cleo is not None and dict(cleo.filter) == {"city": "Ulm"}


def test_a_night_without_changes_writes_nothing(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="sales")
    before = dict(office.world.state.profiles.rows)
    office.world.directory.tenant.tried.clear()
    run = office.night()
    assert (run.status, run.kept, run.added, run.disabled) == (RunStatus.SUCCEEDED, 2, (), ())
    assert office.world.state.profiles.rows == before
    assert office.world.directory.tenant.tried == []


def test_a_leaver_who_returns_is_switched_on_again_as_before(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="sales")
    before = office.world.profile("ada", filter={"city": "Bern"})
    office.members("ben")
    office.night()
    office.members("ada", "ben")
    run = office.night()
    assert users(run.enabled) == ["ada"]
    ada = office.world.state.profiles.get(COMPANY, "ada")
    assert ada is not None
    assert (ada.enabled, ada.left, ada.filter, ada.imported) == (True, False, before.filter, before.imported)


def test_whoever_switched_the_own_profile_off_is_left_alone(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="sales")
    before = office.world.profile("ada", enabled=False)
    office.members("ben")
    office.night()
    office.members("ada", "ben")
    office.night()
    assert office.world.state.profiles.get(COMPANY, "ada") == before


def test_profiles_made_by_hand_or_by_another_import_do_not_leave(office: Office) -> None:
    office.world.profile("hand")
    office.members("once")
    office.ask()
    office.members("ada")
    office.ask(name="branch")
    office.members("ben")
    office.world.state.imports.saved.clear()
    office.ask(name="sales")
    office.members("cleo")
    run = office.night()
    assert users(run.disabled) == ["ben"]
    assert office.enabled() == {"hand", "once", "ada", "cleo"}


def test_an_import_of_the_same_name_made_anew_is_another_one(office: Office) -> None:
    office.members("ada")
    office.ask(name="sales")
    office.world.state.imports.saved.clear()
    office.members("ben")
    assert office.ask(name="sales").disabled == ()
    assert office.enabled() == {"ada", "ben"}


def test_who_moves_to_another_group_goes_on(office: Office) -> None:
    office.members("ada", "ben")
    office.ask(name="branch")
    office.members("ben")
    office.night()
    office.members("ada")
    run = office.ask(name="sales")
    assert users(run.enabled) == ["ada"]
    ada = office.world.state.profiles.get(COMPANY, "ada")
    assert ada is not None and ada.imported.startswith("sales.")


def test_reports_go_with_their_age(office: Office) -> None:
    office.members("ada")
    first = office.ask(name="sales")
    second = office.night()
    office.world.clock.advance(days=28)
    third = office.night()
    office.world.clock.advance(days=1)
    fourth = office.night()
    assert set(office.world.state.imports.rows) == {third.run_id, fourth.run_id}
    assert {first.run_id, second.run_id}.isdisjoint(office.world.state.imports.rows)


def test_who_asks_for_a_report_that_is_gone_hears_the_days_that_are_set(office: Office) -> None:
    office.world.limits = replace(office.world.limits, retention_days=7)
    with pytest.raises(RequestError, match="kept for 7 days"):
        the_run(office.world.services, "gone")
