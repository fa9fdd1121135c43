"""R26, R33: what is held for a whole company is approved once, and then everybody concerned is run."""

from dataclasses import replace

import pytest

from shared.cards.business_central import contact_from_values
from shared.engine.approving import approve
from shared.engine.fan_out import serve_company
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import Report, RunStatus
from shared.errors import RequestError
from shared.planning.guards import SafetyLimits
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, codes, crowd, names, outlook_card, seen
from tests.rules.scenes import undo


def held(report: Report | None) -> dict[str, int]:
    assert report is not None
    return {each.kind: each.count for each in report.held}


def everybody(w: World, reason: Reason = Reason.TIMER) -> None:
    """What a timer tick, or a message for the company, sets going."""
    w.clock.advance(seconds=1)
    serve_company(w.services, CompanyJob(COMPANY, reason))
    for user in ("ada", "ben"):
        w.work(user)


def approved(w: World, report: Report) -> Report | None:
    w.clock.advance(seconds=1)
    asked = approve(w.services, report.run_id, held(report), "the admin")
    w.work(report.profile_id)
    everybody(w, Reason.NEWS)
    return w.state.reports.get(asked.run_id)


def newest(w: World, user: str) -> Report:
    page, _ = w.state.reports.of_profile(user, COMPANY, user, top=1)
    return page[0]


@pytest.fixture
def two(world: World) -> World:
    """Two users with the same contacts."""
    world.limits = replace(world.limits, safety=SafetyLimits(feed_count=5))
    world.profile("ben")
    return world


def lost(w: World, gone: int = 12) -> list[str]:
    """Persons of the company that are gone, more than the limit: a fifth of each folder would go too."""
    ids = crowd(w, 40)
    w.sync("ada")
    w.sync("ben")
    for bc_id in ids[:gone]:
        w.bc.delete(bc_id)
    return ids


def test_r26_who_is_edited_in_outlook_is_not_removed_past_the_companys_hold(two: World) -> None:
    gone = lost(two)[:12]
    for bc_id in gone:
        two.mailbox("ben").edit(two.state.mailboxes.of("ben", COMPANY, "ben").links[bc_id].outlook_id, city="Ulm")

    report = two.sync("ben")

    assert held(report) == {"company-deletions": 12}
    assert codes(report) == ["gone"] * 12 and len(seen(two, "ben")) == 40
    done = approved(two, report)
    assert done is not None
    assert codes(done) == ["lost-by-deletion"] * 12 and len(seen(two, "ben")) == 28


def test_r26_one_approval_of_a_companys_deletions_serves_all_profiles(two: World) -> None:
    lost(two)
    report = two.sync("ada")
    assert held(report) == {"company-deletions": 12}

    done = approved(two, report)

    assert done is not None
    assert done.status is RunStatus.SUCCEEDED, done.held
    assert (len(seen(two, "ada")), len(seen(two, "ben"))) == (28, 28)
    assert two.state.companies.feed(COMPANY).held is None
    assert two.sync("ben").held == ()


def test_r26_a_full_run_after_it_holds_nothing_either(two: World) -> None:
    lost(two)
    report = two.sync("ada")
    two.clock.advance(seconds=1)
    approve(two.services, report.run_id, held(report), "the admin")
    two.work("ada")
    assert two.full("ben").held == ()
    assert len(seen(two, "ben")) == 28


def test_r26_runs_that_nobody_asked_for_tell_of_it_once(two: World) -> None:
    lost(two)
    everybody(two)
    first = newest(two, "ben")
    two.clock.advance(minutes=5)
    everybody(two)

    assert held(first) == {"company-deletions": 12}
    assert newest(two, "ben") == first
    approved(two, first)
    assert (len(seen(two, "ada")), len(seen(two, "ben"))) == (28, 28)


def test_r26_what_is_gone_since_is_not_approved(two: World) -> None:
    ids = lost(two)
    report = two.sync("ada")
    for bc_id in ids[12:20]:
        two.bc.delete(bc_id)

    done = approved(two, report)

    assert held(done) == {"company-deletions": 8}
    assert len(seen(two, "ben")) == 28


def test_r36_what_an_undo_took_back_does_not_return_while_its_deletion_is_held(two: World) -> None:
    ids = crowd(two, 40)
    run = two.sync("ada")
    for bc_id in ids[:12]:
        two.bc.delete(bc_id)
    assert held(two.sync("ada")) == {"company-deletions": 12}

    undo(two, run)

    assert seen(two, "ada") == []
    two.full("ada")
    assert seen(two, "ada") == []


def test_r26_an_approval_of_another_hold_than_the_companys_newest_is_refused(two: World) -> None:
    ids = lost(two)
    first = two.sync("ada")
    two.bc.delete(ids[20])
    second = two.sync("ada")
    with pytest.raises(RequestError) as caught:
        approve(two.services, first.run_id, held(first), "the admin")
    assert caught.value.code == "not-newest"
    assert held(second) == {"company-deletions": 13}
    approved(two, second)
    assert len(seen(two, "ben")) == 27


def test_r26_persons_that_came_back_end_the_hold(two: World) -> None:
    ids = crowd(two, 40)
    two.sync("ada")
    kept = {bc_id: two.bc.rows[bc_id] for bc_id in ids[:12]}
    for bc_id in kept:
        two.bc.delete(bc_id)
    assert held(two.sync("ada")) == {"company-deletions": 12}
    two.bc.rows.update(kept)
    assert two.sync("ada").held == ()
    assert two.state.companies.feed(COMPANY).held is None


# ---------------------------------------------------------------- a company that went back in time


def restored(w: World, bc_id: str, **values: str) -> None:
    now = w.bc.rows[bc_id]
    w.bc.rows[bc_id] = contact_from_values(bc_id, "W/old", "2026-01-01T00:00:00Z", {**now.values, **values})


def test_r33_after_an_approval_everybody_gets_what_the_company_shows(two: World) -> None:
    bc_id = anna(two, city="Berlin")
    two.sync("ada")
    two.sync("ben")
    alive = two.bc.rows[bc_id]
    gone = two.bc.put(displayName="Bob", email="b@x.example")
    dead = two.bc.rows[gone]
    two.sync("ada")
    two.bc.delete(gone)
    two.sync("ada")
    two.bc.edit(bc_id, city="Ulm")
    two.sync("ada")
    two.sync("ben")
    restored(two, bc_id, city=alive.card.city)
    two.bc.rows[gone] = dead
    report = two.sync("ada")
    assert held(report) == {"company-restored": 1}
    assert names(two) == ["Anna Berg"]

    done = approved(two, report)

    assert done is not None
    assert done.status is RunStatus.SUCCEEDED
    assert two.state.companies.feed(COMPANY).stopped is None
    for user in ("ada", "ben"):
        assert outlook_card(two, bc_id, user).city == "Berlin"
        assert names(two, user) == ["Anna Berg", "Bob"], "an id that was deleted may live again"
    before = two.written()
    two.sync("ada")
    two.full("ben")
    assert two.written() == before


def test_r33_a_company_that_is_restored_again_before_the_approved_run_stays_stopped(two: World) -> None:
    ids = crowd(two, 3)
    two.sync("ada")
    for bc_id in ids:
        two.bc.edit(bc_id, city="Ulm")
    two.sync("ada")
    restored(two, ids[0], city="")
    report = two.sync("ada")
    restored(two, ids[1], city="")

    done = approved(two, report)

    assert held(done) == {"company-restored": 2}
    assert {each.city for each in seen(two, "ada")} == {"Ulm"}


def test_r33_runs_that_nobody_asked_for_tell_of_it_once_and_can_be_approved(two: World) -> None:
    ids = crowd(two, 3)
    two.sync("ada")
    two.sync("ben")
    two.bc.edit(ids[0], city="Ulm")
    everybody(two)
    restored(two, ids[0], city="Bern")
    everybody(two)
    first = newest(two, "ben")
    everybody(two)

    assert held(first) == {"company-restored": 1}
    assert newest(two, "ben") == first
    approved(two, first)
    assert outlook_card(two, ids[0], "ada").city == "Bern"


def test_r33_the_removals_that_follow_stand_under_the_safety_stop_of_each_profile(two: World) -> None:
    ids = crowd(two, 40)
    two.sync("ada")
    two.bc.edit(ids[39], city="Ulm")
    two.sync("ada")
    restored(two, ids[39], city="")
    for bc_id in ids[:15]:  # they were made after the backup
        two.bc.delete(bc_id)

    done = approved(two, two.sync("ada"))

    assert held(done) == {"outlook-removals": 15}
    assert len(seen(two, "ada")) == 40
