"""Imports of users: when nothing is changed, and what is held until a person approves it (R26)."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.engine.import_run import AT_ONCE
from shared.engine.import_state import ImportRun
from shared.engine.importing import approve, begin_night
from shared.engine.model import RunStatus
from shared.engine.pauses import Pause
from shared.errors import RequestError, SourceUnreadable
from shared.planning.importing import Person, Unfit
from tests.fakes.world import COMPANY
from tests.rules.importing import Office, users


def unknown() -> SourceUnreadable:
    return SourceUnreadable("Entra has no group with this object id.", code="unknown-group")


@pytest.mark.parametrize("what", ["empty", "all unfit", "unreadable", "gone"])
def test_a_group_that_is_empty_or_unreadable_changes_nothing_and_says_so(office: Office, what: str) -> None:
    office.members("ada", "ben")
    office.ask(name="sales")
    tenant, before = office.world.directory.tenant, dict(office.world.state.profiles.rows)
    match what:
        case "empty":
            office.members()
        case "all unfit":
            office.group[:] = [replace(each, unfit=Unfit.DISABLED) for each in office.group]
        case "unreadable":
            tenant.refusal = SourceUnreadable("Grant it GroupMember.Read.All.", code="no-permission")
        case "gone":
            tenant.groups.clear()
    run = office.night()
    assert run.status is RunStatus.FAILED
    assert run.error_code == {"unreadable": "no-permission", "gone": "unknown-group"}.get(what, "source-empty")
    assert run.error
    assert office.world.state.profiles.rows == before


def test_a_paused_company_imports_nobody(office: Office) -> None:
    office.members("ada")
    office.ask(name="sales")
    office.members("ada", "ben")
    office.world.state.pauses.save(Pause(COMPANY))
    assert begin_night(office.world.services, office.world.clock()) == []
    assert office.ask(name="sales").error_code == "paused"
    assert users(office.ask(name="sales", preview=True).added) == ["ben"]
    assert office.enabled() == {"ada"}


def many(office: Office, count: int, left: int) -> ImportRun:
    """`left` of `count` members leave over night."""
    names = [f"u{number:03d}" for number in range(count)]
    office.members(*names)
    office.ask(name="sales", seconds=10_000)
    office.members(*names[left:])
    return office.night()


@pytest.mark.parametrize(
    ("count", "left", "held"),
    [
        (40, 10, False),
        (40, 11, True),
        (55, 11, False),
        (54, 11, True),
        (100, 21, True),
        (12, 11, True),
        (100, 20, False),
    ],
)
def test_r26_disabling_more_than_ten_and_more_than_a_fifth_is_held(
    office: Office, count: int, left: int, held: bool
) -> None:
    run = many(office, count, left)
    assert (run.status is RunStatus.HELD, len(run.disabled)) == (held, 0 if held else left)
    assert len(office.enabled()) == (count if held else count - left)
    if held:
        assert [(each.kind, each.count) for each in run.held] == [("leavers", left)]
        assert f"{count} profiles" in run.held[0].limit


def test_r26_what_is_held_happens_when_a_person_approves_it_and_to_nobody_else(office: Office) -> None:
    run = many(office, 40, 15)
    back = office.world.state.imports.rows[run.run_id].held[0].users[0]
    office.group.append(Person(back, f"{back}@contoso.example"))
    office.group[:] = [each for each in office.group if each.id != "u039"]
    done = office.approve(run, leavers=15)
    assert (done.status, done.approves, done.actor) == (RunStatus.SUCCEEDED, run.run_id, "boss")
    assert {*users(done.disabled)} == ({*run.held[0].users} - {back}) | {"u039"}
    stored = office.world.state.imports.rows[run.run_id].held[0]
    assert (stored.approved_by, stored.approved_run) == ("boss", done.run_id)


def test_r26_what_is_held_stays_held_however_few_they_become_and_whatever_a_night_cannot_read(office: Office) -> None:
    run = many(office, 40, 15)
    waiting = run.held[0].users[:3]
    office.group.extend(Person(each, f"{each}@contoso.example") for each in run.held[0].users[3:])
    office.world.directory.tenant.refusal = unknown()
    failed = office.night()
    assert (failed.status, failed.held[0].users) == (RunStatus.FAILED, run.held[0].users)
    office.world.directory.tenant.refusal = None
    again = office.night()
    assert (again.status, again.held[0].users, again.disabled) == (RunStatus.HELD, waiting, ())
    assert users(office.approve(again, leavers=3).disabled) == list(waiting)


def test_r26_those_who_join_in_the_same_run_do_not_make_leavers_fewer(office: Office) -> None:
    names = [f"u{number:03d}" for number in range(100)]
    office.members(*names)
    office.ask(name="sales")
    office.members(*names[25:], *(f"new{number:03d}" for number in range(3 * AT_ONCE)))
    tenant = office.world.directory.tenant
    try_mailboxes = tenant.try_mailboxes

    def slowly(user_ids: Sequence[str]) -> Sequence[Unfit | None]:
        office.world.clock.advance(seconds=9)
        return try_mailboxes(user_ids)

    tenant.try_mailboxes = slowly  # type: ignore[method-assign]
    office.world.limits = replace(office.world.limits, run_budget=8)
    run = office.night()
    assert (run.pieces, len(run.added), run.held[0].count, run.disabled) == (3, 300, 25, ())


@pytest.mark.parametrize(
    ("wanted", "code"), [({"leavers": 14}, "count-differs"), ({"removals": 15}, "not-held"), ({}, "")]
)
def test_r26_an_approval_names_what_it_approves(office: Office, wanted: dict[str, int], code: str) -> None:
    run = many(office, 40, 15)
    if not code:
        later = office.night()
        wanted, code = {"leavers": 15}, "not-newest"
        assert later.run_id != run.run_id
    with pytest.raises(RequestError) as caught:
        approve(office.world.services, run.run_id, wanted, "boss")
    assert caught.value.code == code
