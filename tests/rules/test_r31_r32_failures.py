"""R31, R32: failures of one contact, user or company, and throttling."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.engine.limits import Limits
from shared.engine.model import Retry, RunStatus
from shared.engine.run import close_as_failed, run_mailbox
from shared.errors import ContactError, InvalidValue, NotDone, RetryableError, Throttled
from shared.planning.model import OnOutlookDelete
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, crowd, names, note, outlook_card, seen, twin, wrote_nothing
from tests.rules.scenes import picture, told

# ---------------------------------------------------------------- R31


def retries(w: World) -> list[Retry]:
    return list(w.state.mailboxes.of("ada", COMPANY, "ada").retries.values())


@pytest.mark.parametrize("call", ["graph.create", "graph.write", "graph.remove", "bc.create", "bc.write", "bc.remove"])
def test_r31_one_contacts_failure_stops_no_other_is_noted_and_tried_again(call: str) -> None:
    policy = OnOutlookDelete.RESTORE if call == "graph.create" else OnOutlookDelete.DELETE
    undisturbed = told(policy)
    undisturbed.sync()
    w = told(policy)
    w.faults.fail(1, ContactError("It did not work."), call=call)

    report = w.sync()
    kept = retries(w)
    w.sync()

    assert note(report, "failed").reason == "It did not work."
    assert report.status is RunStatus.WITH_NOTES
    assert len(kept) == 1
    assert retries(w) == []
    assert picture(w) == picture(undisturbed)


def failing(w: World) -> str:
    """Anna's city cannot be written to Outlook, again and again."""
    bc_id = anna(w)
    w.sync()
    w.bc.edit(bc_id, city="Ulm")
    w.faults.fail(1, ContactError("no"), call="graph.write")
    w.sync()
    return bc_id


def test_r31_by_itself_it_is_tried_at_doubling_intervals_up_to_a_day(world: World) -> None:
    bc_id = failing(world)
    waits = []
    for _ in range(12):
        (retry,) = retries(world)
        waits.append((retry.next_at - world.clock()).total_seconds())
        world.clock.advance(seconds=waits[-1] - 5)
        tries = world.faults.calls.count("graph.write")
        world.tick()
        assert world.faults.calls.count("graph.write") == tries, "tried before its time"
        world.clock.advance(seconds=10)
        world.faults.fail(1, ContactError("no"), call="graph.write")
        world.tick()

    assert [round(each / 10) * 10 for each in waits[:4]] == [300, 600, 1200, 2400]
    assert round(max(waits)) == 86_400
    world.clock.advance(days=1)
    world.tick()
    assert outlook_card(world, bc_id).city == "Ulm"


def test_r31_a_mark_brings_the_profile_back_when_a_retry_is_due(world: World) -> None:
    failing(world)

    (retry,) = retries(world)
    assert [each.reason for each in world.state.marks.due(COMPANY, retry.next_at)] == ["retry"]
    assert not list(world.state.marks.due(COMPANY, world.clock()))


def test_r31_a_requested_run_tries_it_at_once(world: World) -> None:
    bc_id = failing(world)

    world.sync()

    assert outlook_card(world, bc_id).city == "Ulm"


def test_r31_a_refusal_of_the_companys_set_up_stops_writes_and_is_noted_once(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    world.bc.setup_refusal = "Contact Nos. must have a value."
    for each in range(3):
        world.mailbox().add(world.folder(), name=f"New {each}", email=f"new{each}@x.example")
    world.mailbox().edit(twin(world, bc_id), job_title="Chief")
    world.bc.edit(bc_id, city="Ulm")

    report = world.sync()

    assert note(report, "company-setup").reason == "Contact Nos. must have a value."
    assert world.bc.writes == []
    assert len(world.bc.rows) == 1


def test_r31_it_is_probed_every_15_minutes_and_by_each_requested_run(world: World) -> None:
    world.sync()
    world.bc.setup_refusal = "no"
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example")

    def probes(run: Callable[[], object]) -> int:
        before = world.faults.calls.count("bc.create")
        run()
        return world.faults.calls.count("bc.create") - before

    first = probes(world.sync)
    world.clock.advance(minutes=10)
    too_early = probes(world.tick)
    requested = probes(world.sync)
    world.clock.advance(minutes=16)
    late = probes(world.tick)
    world.bc.setup_refusal = ""
    world.clock.advance(minutes=31)
    world.tick()

    assert (first, too_early, requested, late) == (1, 0, 1, 1)
    assert [each.card.name for each in world.bc.rows.values()] == ["Carla"]
    assert world.state.companies.feed(COMPANY).writes_stopped_until is None


def test_r31_the_stop_counts_for_all_profiles_of_the_company(world: World) -> None:
    world.profile("ben")
    for user in ("ada", "ben"):
        world.sync(user)
        world.mailbox(user).add(world.folder(user), name=f"New {user}", email=f"{user}@x.example")
    world.bc.setup_refusal = "no"
    world.sync("ada")
    probes = world.faults.calls.count("bc.create")

    report = world.tick("ben")

    assert world.faults.calls.count("bc.create") == probes
    assert note(report, "company-setup")


def test_r31_one_users_failure_never_stops_other_users(world: World) -> None:
    world.profile("ben")
    anna(world)
    world.directory.unavailable.add("ada")

    failed, fine = world.sync("ada"), world.sync("ben")

    assert (failed.status, fine.status) == (RunStatus.FAILED, RunStatus.SUCCEEDED)
    assert failed.error_code == "no-mailbox"
    assert names(world, "ben") == ["Anna Berg"]


def test_r31_a_message_that_fails_too_often_closes_its_runs_with_the_reason(world: World) -> None:
    run_id = world.request()

    close_as_failed(world.services, "ada", "gave-up", "It broke.")

    report = world.state.reports.rows[run_id]
    assert (report.status, report.error) == (RunStatus.FAILED, "It broke.")
    assert not world.state.mailboxes.waiting("ada")


# ---------------------------------------------------------------- R32


@pytest.mark.parametrize("call", ["graph.changes", "graph.write", "graph.create", "bc.stamps", "bc.read", "bc.write"])
def test_r32_a_throttled_run_is_handed_over_and_finished_under_the_same_id(call: str) -> None:
    undisturbed = told(OnOutlookDelete.RESTORE)
    undisturbed.sync()
    w = told(OnOutlookDelete.RESTORE)
    run_id = w.request()
    w.faults.fail(1, Throttled("later", retry_after=400.0), call=call)

    run_mailbox(w.services, "ada", "worker")
    between = w.state.reports.rows[run_id]
    (message,) = [each for each in w.state.messages.sent if each.queue == "sync"]
    w.work()

    assert (between.status, between.continued) == (RunStatus.RUNNING, 1)
    assert (message.due - w.clock()).total_seconds() <= 400
    assert message.id == "ada"
    report = w.state.reports.rows[run_id]
    assert report.status in (RunStatus.SUCCEEDED, RunStatus.WITH_NOTES)
    assert report.error == ""
    assert picture(w) == picture(undisturbed)


def test_r32_the_continuation_waits_as_long_as_the_service_asks(world: World) -> None:
    world.request()
    world.faults.fail(1, Throttled("later", retry_after=400.0), call="graph.changes")

    run_mailbox(world.services, "ada", "worker")

    (message,) = [each for each in world.state.messages.sent if each.queue == "sync"]
    assert (message.due - world.clock()).total_seconds() == 400.0


def test_r32_a_run_out_of_time_goes_on_where_it_stopped() -> None:
    """Each creation takes two seconds, a message may last ten."""
    w = World.new(Limits(run_budget=10.0, apply_batch=2))
    w.profile("ada")
    crowd(w, 20)
    create = type(w.mailbox())._create

    def slowly(mailbox: Any, folder_id: str, draft: Any) -> Any:
        w.clock.advance(seconds=2)
        return create(mailbox, folder_id, draft)

    with pytest.MonkeyPatch.context() as slow:
        slow.setattr(type(w.mailbox()), "_create", slowly)
        report = w.sync()

    assert report.status is RunStatus.SUCCEEDED
    assert report.continued >= 3
    assert report.to_outlook.created == 20
    assert w.mailbox().writes.count("create") == 20
    wrote_nothing(w)


def test_r32_a_run_that_reads_for_longer_than_it_has_time_still_gets_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading takes all of a message's ten seconds, each creation two; its continuation reads everything again."""
    w = World.new(Limits(run_budget=10.0, apply_batch=1))
    w.profile("ada")
    crowd(w, 6)
    everybody, create = type(w.state.companies).all_contacts, type(w.mailbox())._create

    def long(companies: Any, company_id: str) -> Any:
        w.clock.advance(seconds=11)
        return everybody(companies, company_id)

    def slowly(mailbox: Any, folder_id: str, draft: Any) -> Any:
        w.clock.advance(seconds=2)
        return create(mailbox, folder_id, draft)

    monkeypatch.setattr(type(w.state.companies), "all_contacts", long)
    monkeypatch.setattr(type(w.mailbox()), "_create", slowly)
    report = w.sync()

    assert (report.status, report.error) == (RunStatus.SUCCEEDED, "")
    assert 1 <= report.continued <= 5
    assert w.mailbox().writes.count("create") == 6


def test_r32_what_a_bulk_call_left_undone_is_done_by_the_continuation(world: World) -> None:
    anna(world)
    world.faults.fail(1, NotDone("throttled in the middle of a batch"), call="graph.create")

    report = world.sync()

    assert names(world) == ["Anna Berg"]
    assert (report.status, report.continued, report.notes) == (RunStatus.SUCCEEDED, 1, ())


def test_r32_continuing_is_no_dying_and_never_gives_up_too_early(world: World) -> None:
    """More hand-overs than a dying run would be taken up again."""
    anna(world)
    for _ in range(world.limits.attempts_most + 3):
        world.faults.fail(1, RetryableError("busy"), call="graph.create")

    run_id = world.request()
    for _ in range(world.limits.attempts_most + 3):
        world.faults.restart()
        world.faults.fail(1, RetryableError("busy"), call="graph.create")
        run_mailbox(world.services, "ada", "worker")
    world.faults.restart()
    world.work()

    assert world.state.reports.rows[run_id].status is RunStatus.SUCCEEDED
    assert names(world) == ["Anna Berg"]


def test_r31_a_run_with_a_filter_of_its_own_forgets_no_retry(world: World) -> None:
    anna(world, city="Bonn")
    world.faults.fail(1, InvalidValue("The service refuses this."), call="graph.create")
    world.sync()

    world.sync(filter={"city": "Berlin"}, save_filter=False)
    world.sync()

    assert len(seen(world)) == 1
