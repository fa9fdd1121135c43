"""R29 to R33: the line, interrupted runs, failures, throttling, lost positions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.cards.business_central import contact_from_values
from shared.engine.limits import Limits
from shared.engine.model import Mode, Retry, RunStatus, Trigger
from shared.engine.run import close_as_failed, run_mailbox
from shared.engine.state import Busy, FeedChanges
from shared.errors import ContactError, NotDone, RetryableError, Throttled
from shared.planning.model import OnOutlookDelete
from tests.fakes.faults import Died
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, codes, crowd, links, names, note, outlook_card, seen, twin, wrote_nothing

# ---------------------------------------------------------------- R29


def take_mailbox(w: World) -> Any:
    """Another instance works on Ada's mailbox."""
    return w.state.mailboxes.hold("ada", "another instance")


def test_r29_at_most_one_run_per_mailbox_at_a_time(world: World) -> None:
    anna(world)
    holder = take_mailbox(world)
    run_id = world.request()

    run_mailbox(world.services, "ada", "worker")
    meanwhile = world.state.reports.get(run_id), world.written()
    holder.release()
    world.work()

    assert meanwhile == (None, 0)
    assert names(world) == ["Anna Berg"]


def test_r29_also_of_profiles_in_several_companies(world: World) -> None:
    """Two profiles of one mailbox share its lease and its line."""
    world.environment.add("second")
    world.state.profiles.save(replace(world.profile("ada"), company_id="second", folder_name="Second", etag=""))
    request = world.request()
    other = world.state.mailboxes.waiting("ada")[0]
    world.services.mailboxes.submit(replace(other, run_id="second-run", company_id="second"))

    line = [each.run_id for each in world.state.mailboxes.waiting("ada")]
    world.work()

    assert line == [request, "second-run"]
    assert all(world.state.reports.rows[each].status is RunStatus.SUCCEEDED for each in line)
    assert sorted(each.name for each in world.mailbox().folders.values()) == ["Business Central", "Second"]


def test_r29_requests_that_arrive_meanwhile_become_one_following_run_and_get_its_id(world: World) -> None:
    holder = take_mailbox(world)
    current = world.request()
    assert holder.take() is not None

    following = [world.request(), world.request(trigger=Trigger.TIMER), world.request()]

    assert len(set(following)) == 1
    assert following[0] != current
    assert [each.run_id for each in world.state.mailboxes.waiting("ada")] == [current, following[0]]


@pytest.mark.parametrize("modes", [[Mode.INCREMENTAL, Mode.FULL], [Mode.FULL, Mode.INCREMENTAL]])
def test_r29_the_merged_run_is_full_if_any_asked_for_full(world: World, modes: list[Mode]) -> None:
    ids = {world.request(mode=each) for each in modes}

    (request,) = world.state.mailboxes.waiting("ada")
    world.work()

    assert request.mode is Mode.FULL
    assert world.state.reports.rows[ids.pop()].mode is Mode.FULL


def test_r29_a_merged_run_counts_as_requested_when_a_person_asked(world: World) -> None:
    world.request(trigger=Trigger.TIMER)
    world.request(trigger=Trigger.HTTP)

    (request,) = world.state.mailboxes.waiting("ada")

    assert request.trigger.is_requested


def test_r29_requests_with_a_filter_of_their_own_and_previews_wait_in_line_and_none_is_lost(world: World) -> None:
    anna(world, city="Berlin")
    world.bc.put(displayName="Bob", email="b@x.example", city="Ulm")
    ids = [
        world.request(),
        world.request(filter={"city": "Berlin"}),
        world.request(preview=True),
        world.request(filter={"city": "Ulm"}),
        world.request(),
    ]

    line = [each.run_id for each in world.state.mailboxes.waiting("ada")]
    world.work()

    assert line == ids[:4]
    assert ids[4] == ids[0]
    assert {world.state.reports.rows[each].status for each in line} == {RunStatus.SUCCEEDED}
    assert dict(world.state.reports.rows[ids[3]].filter) == {"city": "Ulm"}
    assert names(world) == ["Bob"]


def test_r29_a_request_that_meets_a_busy_mailbox_sends_its_message_again(world: World) -> None:
    take_mailbox(world)
    world.request()

    run_mailbox(world.services, "ada", "worker")

    (message,) = [each for each in world.state.messages.sent if each.queue == "sync"]
    assert (message.queue, message.id) == ("sync", "ada")
    assert 0 < (message.due - world.clock()).total_seconds() <= 62


def test_r29_a_worker_whose_time_is_over_leaves_a_message_for_what_waits() -> None:
    w = World.new(Limits(run_budget=0.0))
    w.profile("ada")
    w.request()

    run_mailbox(w.services, "ada", "worker")

    (message,) = w.state.messages.sent
    assert (message.queue, message.id) == ("sync", "ada")
    assert len(w.state.mailboxes.waiting("ada")) == 1


# ---------------------------------------------------------------- R30


def story(w: World) -> None:
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


def picture(w: World) -> tuple[Any, Any, Any]:
    """What a person sees on both sides, and who is linked with whom."""
    bc = sorted(each.card for each in w.bc.rows.values())
    outlook = sorted(seen(w))
    pairs = sorted((w.bc.rows[key].card.name, outlook_card(w, key).name) for key in links(w))
    return bc, outlook, pairs


def told(policy: OnOutlookDelete) -> World:
    w = World.new(Limits(apply_batch=2))
    w.state.rows_per_transaction = 2
    w.profile("ada", policies={"on_outlook_delete": policy})
    story(w)
    return w


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("policy", [OnOutlookDelete.RESTORE, OnOutlookDelete.DELETE])
def test_r30_a_run_that_dies_anywhere_and_is_repeated_ends_as_an_undisturbed_one(
    policy: OnOutlookDelete, mode: Mode
) -> None:
    """It dies at each of its calls in turn, before and after the call's effect."""
    undisturbed = told(policy)
    calls_before = len(undisturbed.faults.calls)
    undisturbed.sync(mode=mode)
    calls = len(undisturbed.faults.calls) - calls_before
    expected = picture(undisturbed)
    assert calls > 40

    for at in range(2, calls):  # the first call is the request itself, the last one the look at its report
        for after in (False, True):
            w = told(policy)
            run_id = w.request(mode=mode)
            w.faults.die(at - 1, after=after)
            with pytest.raises(Died):
                w.work()
            w.faults.restart()
            w.clock.advance(seconds=61)
            w.work()

            where = (
                f"died {'after' if after else 'before'} call {at}: {undisturbed.faults.calls[calls_before + at - 1]}"
            )
            assert picture(w) == expected, where
            assert w.state.reports.rows[run_id].status in (RunStatus.SUCCEEDED, RunStatus.WITH_NOTES), where
            before = w.written()
            w.sync()
            w.full()
            assert (w.written(), picture(w)) == (before, expected), where


def test_r30_what_was_created_just_before_the_death_is_found_although_outlooks_feed_does_not_show_it_yet(
    world: World,
) -> None:
    world.sync()
    anna(world)
    world.faults.die(1, after=True, call="graph.create")
    with pytest.raises(Died):
        world.sync()
    world.faults.restart()
    world.clock.advance(seconds=61)
    changes = type(world.mailbox()).changes

    def late(mailbox: Any, folder_id: str, link: str | None) -> Any:
        return replace(changes(mailbox, folder_id, link), changed=())

    with pytest.MonkeyPatch.context() as lag:
        lag.setattr(type(world.mailbox()), "changes", late)
        world.work()

    assert names(world) == ["Anna Berg"]


def after_death(w: World, **planned: Any) -> None:
    """The run dies, and is taken up again by a new process."""
    w.faults.die(**planned)
    with pytest.raises(Died):
        w.work()
    w.faults.restart()
    w.clock.advance(seconds=61)
    w.work()


def test_r30_a_value_that_is_overwritten_stands_in_the_notes_although_the_run_dies_right_after(world: World) -> None:
    bc_id = anna(world, jobTitle="Clerk")
    world.sync()
    world.bc.edit(bc_id, jobTitle="Chief")
    world.mailbox().edit(twin(world, bc_id), job_title="Boss")

    run_id = world.request()
    after_death(world, at=1, after=True, call="graph.write")

    assert outlook_card(world, bc_id).job_title == "Chief"
    assert [each.value for each in world.state.reports.rows[run_id].notes] == ["Boss"]


def test_r30_a_person_created_just_before_the_death_counts_as_the_users_own_creation(world: World) -> None:
    world.profile("ada", filter={"city": "Berlin"})
    world.sync()
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example", city="Berlin")
    world.request()
    after_death(world, at=1, after=True, call="bc.create")

    (person,) = world.bc.rows
    world.bc.edit(person, city="Ulm")
    world.sync()

    assert [each.city for each in seen(world)] == ["Ulm"]


def test_r30_positions_do_not_move_before_everything_read_is_applied(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    before = world.state.mailboxes.of("ada", COMPANY, "ada").positions
    world.bc.edit(bc_id, city="Ulm")
    world.faults.die(1, call="graph.write")

    with pytest.raises(Died):
        world.sync()

    assert world.state.mailboxes.of("ada", COMPANY, "ada").positions == before


def test_r30_a_contact_that_failed_is_kept_for_retry_when_the_positions_move(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    world.bc.edit(bc_id, city="Ulm")
    world.faults.fail(1, ContactError("no"), call="graph.write")

    world.sync()
    rows = world.state.mailboxes.of("ada", COMPANY, "ada")

    assert [key for _, key in rows.retries] == [bc_id]
    assert rows.positions is not None
    assert rows.positions.log_position == world.state.companies.feed(COMPANY).head


def test_r30_a_dead_holders_lease_ends_after_60_seconds_and_requests_that_met_it_run_then(world: World) -> None:
    anna(world)
    run_id = world.request()
    world.faults.die(5)
    with pytest.raises(Died):
        world.work()
    world.faults.restart()

    run_mailbox(world.services, "ada", "worker")  # meets the dead holder's lease
    met = world.state.reports.rows.get(run_id)
    (message,) = [each for each in world.state.messages.sent if each.queue == "sync"]
    waited = (message.due - world.clock()).total_seconds()
    world.clock.advance(seconds=waited)
    run_mailbox(world.services, message.id, "worker")

    assert met is None or met.status is not RunStatus.SUCCEEDED
    assert waited <= 62
    assert world.state.reports.rows[run_id].status is RunStatus.SUCCEEDED


def test_r30_a_holder_whose_lease_was_taken_over_writes_nothing_more(world: World) -> None:
    crowd(world, 3)
    world.limits = replace(world.limits, apply_batch=1)
    world.request()
    world.faults.before("graph.create", lambda: world.state.steal("ada").release())

    run_mailbox(world.services, "ada", "late worker")
    late = world.mailbox().writes.count("create")
    world.work()

    assert late == 1
    assert len(seen(world)) == 3


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


@pytest.mark.parametrize("call", ["graph.changes", "graph.write", "graph.create", "bc.changed_since", "bc.write"])
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


# ---------------------------------------------------------------- R33


def test_r33_an_expired_delta_link_leads_to_a_full_run_by_itself(world: World) -> None:
    ids = crowd(world, 3)
    world.sync()
    gone, edited = twin(world, ids[0]), twin(world, ids[1])

    world.mailbox().delete(gone)
    world.mailbox().edit(edited, job_title="Chief")
    world.mailbox().forget_positions()
    report = world.tick()

    assert report is not None
    assert report.status is RunStatus.SUCCEEDED
    assert world.bc.rows[ids[1]].card.job_title == "Chief"
    assert len(seen(world)) == 3
    assert world.tick() is None


def test_r33_under_the_safety_stop(world: World) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.DELETE})
    ids = crowd(world, 30)
    world.sync()
    for bc_id in ids[:15]:
        world.mailbox().delete(twin(world, bc_id))
    world.mailbox().forget_positions()

    report = world.sync()

    assert report.status is RunStatus.HELD
    assert len(world.bc.rows) == 30


def test_r33_a_profile_that_lags_behind_the_log_compares_with_the_snapshot(world: World) -> None:
    world.limits = replace(world.limits, log_lag_most=2)
    world.profile("ben")
    ids = crowd(world, 6)
    world.sync("ada")
    world.sync("ben")
    for bc_id in ids[:5]:
        world.bc.edit(bc_id, city="Ulm")
    world.bc.delete(ids[5])
    world.sync("ben")

    start = len(world.faults.calls)
    world.sync("ada")

    assert [each.city for each in seen(world)] == ["Ulm"] * 5
    assert "companies.log" not in world.faults.calls[start:]


def test_r33_a_profile_whose_part_of_the_log_was_cleaned_away_compares_with_the_snapshot(world: World) -> None:
    world.profile("ben")
    bc_id = anna(world)
    world.sync("ada")
    world.sync("ben")
    world.bc.edit(bc_id, city="Ulm")
    world.sync("ben")
    feed = world.state.companies.hold_feed(COMPANY, "cleaner")
    assert not isinstance(feed, Busy)
    feed.commit(FeedChanges(state=replace(feed.state(), floor=feed.state().head)))
    feed.release()

    start = len(world.faults.calls)
    world.sync("ada")

    assert [each.city for each in seen(world)] == ["Ulm"]
    assert "companies.log" not in world.faults.calls[start:]


def test_r33_a_company_feed_that_was_lost_is_built_anew_and_nothing_is_written(world: World) -> None:
    ids = crowd(world, 3)
    world.sync()
    world.bc.delete(ids[0])
    world.state.companies.rows.pop(COMPANY)
    before = world.written()

    world.sync()

    assert len(seen(world)) == 2
    assert world.written() == before + 1


def go_back_in_time(w: World, bc_id: str, **values: str) -> None:
    """The environment was restored: the contact is as it was before, with its old stamp."""
    now = w.bc.rows[bc_id]
    w.bc.rows[bc_id] = contact_from_values(bc_id, "W/old", "2026-01-01T00:00:00Z", {**now.values, **values})


@pytest.mark.parametrize("mode", list(Mode))
def test_r33_when_a_company_went_back_in_time_nothing_is_written(world: World, mode: Mode) -> None:
    bc_id = anna(world, city="Berlin")
    other = world.bc.put(displayName="Bob", email="b@x.example")
    world.sync()
    world.bc.edit(bc_id, city="Ulm")
    world.sync()
    world.mailbox().edit(twin(world, other), job_title="Chief")
    before = world.written()

    go_back_in_time(world, bc_id, city="Berlin")
    first, second = world.sync(mode=mode), world.full()

    assert [each.kind for each in first.held] == ["company-restored"]
    assert (first.status, second.status) == (RunStatus.HELD, RunStatus.HELD)
    assert world.written() == before
    assert outlook_card(world, bc_id).city == "Ulm"


def test_r33_what_is_known_of_a_company_that_went_back_in_time_is_kept_as_it_was(world: World) -> None:
    bc_id = anna(world, city="Berlin")
    world.sync()
    world.bc.edit(bc_id, city="Ulm")
    world.sync()
    known = world.state.companies.contacts(COMPANY, [bc_id])
    feed = world.state.companies.feed(COMPANY)

    go_back_in_time(world, bc_id, city="Berlin")
    world.bc.put(displayName="Bob", email="b@x.example")
    world.sync()
    world.full()

    after = world.state.companies.feed(COMPANY)
    assert world.state.companies.contacts(COMPANY, [bc_id]) == known
    assert (after.head, after.watermark, after.contacts) == (feed.head, feed.watermark, feed.contacts)


def test_r33_it_is_read_once_more_before_it_counts(world: World) -> None:
    """A change that was seen before its commit and rolled back looks the same at first."""
    bc_id = anna(world, city="Berlin")
    world.sync()
    now = world.bc.rows[bc_id]
    go_back_in_time(world, bc_id)

    def rolled_back() -> None:
        world.faults.before("bc.read", lambda: world.bc.rows.__setitem__(bc_id, now))

    world.faults.before("bc.read", rolled_back)  # the first look shows it, the second does not
    report = world.sync()

    assert report.held == ()
    assert world.faults.calls.count("bc.read") == 2


def test_r33_contacts_that_are_merely_missing_are_deletions(world: World) -> None:
    bc_id = anna(world)
    world.sync()

    world.bc.delete(bc_id)
    report = world.sync()

    assert report.held == ()
    assert codes(report) == []
    assert names(world) == []


def test_r33_an_id_that_we_held_as_deleted_may_live_again(world: World) -> None:
    bc_id = anna(world)
    world.sync()
    deleted = world.bc.rows[bc_id]
    world.bc.delete(bc_id)
    world.sync()

    world.bc.rows[bc_id] = deleted
    world.sync()

    assert names(world) == ["Anna Berg"]
    assert list(links(world)) == [bc_id]
