"""What `Pauses` promises (R40), and what a mailbox's line does with requests that are paused."""

import pytest

from shared.engine.model import RunRequest
from shared.engine.pauses import Pause
from tests.contract.storage_kinds import World


def test_r40_pauses_are_saved_replaced_and_ended(world: World) -> None:
    mine = Pause(world.company, world.user, "ada", "moving house", world.clock.now)
    whole = Pause(world.company, "", "ben", "", world.clock.now)
    world.pauses.save(Pause(world.company, world.user, "nobody"))
    world.pauses.save(mine)
    world.pauses.save(whole)
    assert {each for each in world.pauses.all() if each.company_id == world.company} == {mine, whole}

    assert world.pauses.remove(world.company, world.user)
    assert not world.pauses.remove(world.company, world.user)
    assert [each for each in world.pauses.all() if each.company_id == world.company] == [whole]
    assert world.pauses.remove(world.company, "")


def test_r40_a_pause_is_seen_by_others_within_seconds_and_its_end_at_once(world: World) -> None:
    world.pauses.all()
    world.pauses.save(Pause(world.company))
    world.wait(4)
    assert Pause(world.company) in world.pauses.all()
    world.pauses.remove(world.company, "")
    assert Pause(world.company) not in world.pauses.all()


def test_r40_a_paused_current_run_lets_others_pass_and_goes_on_under_its_id(world: World) -> None:
    first = world.request("run-1")
    other = world.request("run-2", profile_id="another", **{"requested_at": world.clock.now})
    held = world.hold()
    world.mailboxes.submit(first)
    taken = held.take()
    assert taken is not None
    assert taken.run_id == "run-1"
    world.mailboxes.submit(other)

    def paused(request: RunRequest) -> bool:
        return request.run_id == "run-1"

    passing = held.take(paused=paused)
    assert passing is not None
    assert passing.run_id == "run-2"
    held.finish(passing)
    assert held.take(paused=paused) is None
    again = held.take()

    assert again is not None
    assert (again.run_id, again.attempt) == ("run-1", 2)
    held.finish(again)
    assert not held.release()


@pytest.mark.parametrize("number", [1, 3])
def test_r40_those_who_are_paused_stay_in_line(world: World, number: int) -> None:
    held = world.hold()
    for each in range(number):
        world.mailboxes.submit(world.request(f"run-{each}", profile_id=f"user-{each}"))
    assert held.take(paused=lambda _: True) is None
    assert len(world.mailboxes.waiting(world.mailbox)) == number
    assert held.release()
