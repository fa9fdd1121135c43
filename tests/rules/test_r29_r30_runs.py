"""R29, R30: the line of a mailbox, and interrupted runs."""

from dataclasses import replace
from typing import Any

import pytest

from shared.engine.limits import Limits
from shared.engine.model import Mode, RunStatus, Trigger
from shared.engine.run import run_mailbox
from shared.errors import ContactError
from shared.planning.model import OnOutlookDelete
from tests.fakes.faults import Died
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, crowd, links, names, outlook_card, seen, twin
from tests.rules.scenes import picture, told

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


def test_r30_whom_a_dead_run_created_in_bc_leaves_the_folder_when_they_are_deleted_there_at_once(world: World) -> None:
    world.sync()
    world.mailbox().add(world.folder(), name="Carla", email="c@x.example")
    world.request()
    after_death(world, at=1, after=True, call="bc.create")
    (bc_id,) = links(world)

    world.bc.delete(bc_id)
    world.sync()

    assert names(world) == []
    assert links(world) == {}


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


def test_r30_a_run_that_another_worker_has_ended_stays_ended(world: World) -> None:
    bc_id = anna(world, jobTitle="Clerk")
    world.sync()
    world.bc.edit(bc_id, type="Company")
    world.mailbox().edit(twin(world, bc_id), job_title="Boss")  # its note is saved before anything is written
    run_id = world.request()

    def somebody_takes_over() -> None:
        world.state.steal("ada").release()
        run_mailbox(world.services, "ada", "another worker")

    world.faults.before("mailbox.links_by_bc", somebody_takes_over)
    run_mailbox(world.services, "ada", "late worker")

    assert world.state.reports.rows[run_id].status is RunStatus.WITH_NOTES
