"""What `Mailboxes`, `HeldMailbox` and `ProfileState` promise."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.cards.model import Card, Field, Origin
from shared.engine.model import Counted, Mode, Positions, Retry, RunRequest, Trigger
from shared.engine.state import Busy, Changes, ProfileState
from shared.errors import LeaseLost
from shared.planning.model import Link, Parked, Pause, Side, Swing
from tests.contract.storage_kinds import START, World


def link(number: int, outlook_id: str = "") -> Link:
    card = Card(name=f"Name {number}", email=f"p{number}@example.com", city="Zürich 🏔", surname="Name")
    return Link(f"bc-{number}", outlook_id or f"AAMk/{number}=+", card, replace_name(card), Origin.USER)


def replace_name(card: Card) -> Card:
    return card.with_values({Field.NAME: card.name + "!"})


def linked(state: ProfileState, *numbers: int) -> None:
    state.commit(Changes(links=[link(each) for each in numbers], new={f"bc-{each}" for each in numbers}))


# ---------------------------------------------------------------- the lease


def test_r29_one_holder_at_a_time(world: World) -> None:
    held = world.hold()
    busy = world.mailboxes.hold(world.mailbox, "other")
    assert isinstance(busy, Busy)
    assert 0 < busy.seconds <= 60
    held.release()
    world.hold("other")


def test_r30_a_dead_holder_s_lease_ends_after_60_seconds(world: World) -> None:
    first = world.hold()
    world.die(first)
    world.wait(59)
    assert isinstance(world.mailboxes.hold(world.mailbox, "other"), Busy)
    world.wait(2)
    second = world.hold("other")
    second.keep()
    with pytest.raises(LeaseLost):
        first.profile(world.company, world.user).commit(Changes(hidden={"bc-1": ""}))
    with pytest.raises(LeaseLost):
        first.keep()
    assert second.profile(world.company, world.user).hidden() == {}


def test_a_late_release_does_not_free_the_next_holder_s_lease(world: World) -> None:
    first = world.hold()
    world.die(first)
    world.wait(61)
    second = world.hold("other")
    first.release()
    second.keep()
    assert isinstance(world.mailboxes.hold(world.mailbox, "third"), Busy)


def test_everything_of_a_lost_lease_is_refused(world: World) -> None:
    first = world.hold()
    state = first.profile(world.company, world.user)
    linked(state, 1)
    world.mailboxes.submit(world.request())
    taken = first.take()
    assert taken is not None
    world.die(first)
    world.wait(61)
    world.hold("other")
    for late in (first.take, lambda: first.finish(taken), state.forget, first.keep):
        with pytest.raises(LeaseLost):
            late()
    assert len(list(world.mailboxes.peek(world.mailbox, world.company, world.user).all_links())) == 1


# ---------------------------------------------------------------- the line


def test_r29_plain_requests_of_a_profile_become_one(world: World) -> None:
    first = world.mailboxes.submit(world.request("run-1"))
    world.wait(5)
    second = world.mailboxes.submit(
        world.request("run-2", mode=Mode.FULL, trigger=Trigger.HTTP, actor="anna", profile_id=world.user)
    )
    third = world.mailboxes.submit(world.request("run-3"))
    assert {first.run_id, second.run_id, third.run_id} == {"run-1"}
    (waiting,) = world.mailboxes.waiting(world.mailbox)
    assert (waiting.mode, waiting.trigger, waiting.actor) == (Mode.FULL, Trigger.HTTP, "anna")
    assert waiting.requested_at == START + timedelta(seconds=5)


def test_r29_other_requests_wait_one_by_one_and_none_is_lost(world: World) -> None:
    own = [
        world.request("run-1", filter={"city": "Z*"}, save_filter=False),
        world.request("run-2", preview=True),
        world.request("run-3", confirm_removals=4),
        world.request("run-4"),
        world.request("run-5", profile_id="somebody-else"),
    ]
    for each in own:
        world.mailboxes.submit(each)
        world.wait(1)
    world.mailboxes.submit(own[1])  # sent twice
    held = world.hold()
    seen: list[RunRequest] = []
    while (taken := held.take()) is not None:
        seen.append(taken)
        held.finish(taken)
    assert [replace(each, attempt=0, etag="") for each in seen] == own
    assert held.release() is False


def test_r29_a_request_that_arrives_during_a_run_makes_another(world: World) -> None:
    world.mailboxes.submit(world.request("run-1"))
    held = world.hold()
    taken = held.take()
    assert taken is not None
    world.wait(1)
    assert world.mailboxes.submit(world.request("run-2")).run_id == "run-2"
    assert [each.run_id for each in world.mailboxes.waiting(world.mailbox)] == ["run-1", "run-2"]
    held.finish(taken)
    assert held.release() is True


def test_a_burst_of_equal_requests_writes_once(world: World) -> None:
    first = world.mailboxes.submit(world.request("run-1", trigger=Trigger.GRAPH, fresh_feed=False))
    world.wait(1)
    again = world.mailboxes.submit(world.request("run-2", trigger=Trigger.GRAPH, fresh_feed=False))
    if world.tables is not None:  # in memory each submit makes a version
        assert again == first
    assert again.run_id == "run-1"


def test_a_worker_may_leave_a_burst_alone_and_serve_who_does_not_wait(world: World) -> None:
    world.mailboxes.submit(world.request("run-1", trigger=Trigger.GRAPH))
    world.wait(1)
    world.mailboxes.submit(world.request("run-2", trigger=Trigger.HTTP, profile_id="somebody-else"))
    held = world.hold()
    urgent = held.take(urgent=True)
    assert urgent is not None
    assert urgent.run_id == "run-2"
    held.finish(urgent)
    assert held.take(urgent=True) is None
    assert held.release() is True


def test_what_a_dead_holder_left_is_taken_however_short_ago(world: World) -> None:
    world.mailboxes.submit(world.request("run-1", trigger=Trigger.GRAPH))
    first = world.hold()
    first.take()
    world.die(first)
    world.wait(61)
    again = world.hold().take(urgent=True)
    assert again is not None
    assert (again.run_id, again.attempt) == ("run-1", 2)


def test_it_is_known_how_long_ago_a_run_of_the_mailbox_began(world: World) -> None:
    world.mailboxes.submit(world.request("run-1"))
    held = world.hold()
    assert held.rested == math.inf
    taken = held.take()
    assert taken is not None
    held.use()
    assert held.rested == 0
    held.finish(taken)
    held.release()
    world.wait(2)
    idle = world.hold()
    assert idle.rested == 2
    idle.release()
    world.wait(1)
    assert world.hold().rested == 3  # holding alone is no run


def test_r30_what_a_dead_holder_left_comes_first(world: World) -> None:
    world.mailboxes.submit(world.request("run-1", preview=True))
    world.wait(1)
    world.mailboxes.submit(world.request("run-2"))
    first = world.hold()
    taken = first.take()
    assert taken is not None and (taken.run_id, taken.attempt) == ("run-1", 1)
    world.die(first)
    world.wait(61)
    second = world.hold("other")
    again = second.take()
    assert again is not None and (again.run_id, again.attempt) == ("run-1", 2)
    second.finish(again)
    following = second.take()
    assert following is not None and following.run_id == "run-2"


def test_r32_a_run_that_is_not_finished_waits_for_its_continuation(world: World) -> None:
    world.mailboxes.submit(world.request())
    held = world.hold()
    held.take()
    assert held.release() is True
    again = world.hold("other").take()
    assert again is not None and again.attempt == 2


def test_nothing_waits_in_a_new_mailbox(world: World) -> None:
    assert world.mailboxes.waiting(world.mailbox) == []
    held = world.hold()
    assert held.take() is None
    assert held.release() is False


# ---------------------------------------------------------------- a profile's state


def test_links_are_found_by_either_id(world: World) -> None:
    state = world.hold().profile(world.company, world.user)
    linked(state, *range(230))
    assert state.links_by_bc(["bc-3", "bc-999"]) == {"bc-3": link(3)}
    assert state.links_by_outlook(["AAMk/4=+", "AAMk/5=+", "none"]) == {"bc-4": link(4), "bc-5": link(5)}
    assert len(state.links_by_bc(f"bc-{each}" for each in range(100, 400))) == 130
    assert len(state.links_by_outlook(f"AAMk/{each}=+" for each in range(100, 400))) == 130
    assert [each.bc_id for each in state.all_links()] == sorted(f"bc-{each}" for each in range(230))
    assert state.positions().link_count == 230


def test_a_link_is_kept_as_it_is(world: World) -> None:
    state = world.hold().profile(world.company, world.user)
    kept = Link(
        "bc-1", "x" * 400, Card(name='quote " and \\', address_2="two\nlines"), Card(), Origin.OWN,
        frozenset({Field.COUNTRY, Field.NAME}), stamped=False,
    )  # fmt: skip
    large = replace(
        kept, bc_id="bc-2", outlook_id="y", base_bc=Card(website="ß" * 70_000), base_outlook=Card("😀" * 9_000)
    )
    at = datetime(2026, 3, 2, 8, 0, 0, 123, tzinfo=UTC)
    swinging = replace(
        kept,
        bc_id="bc-3",
        outlook_id="z",
        swings=(Swing(Field.CITY, Side.BC, 'a "b"', at), Swing(Field.CITY, Side.OUTLOOK, "", None, (at, at))),
        paused=(Pause(Field.COUNTRY, ("Germany", "")),),
    )
    state.commit(Changes(links=[kept, large, swinging], new={"bc-1", "bc-2", "bc-3"}))
    assert state.links_by_bc(["bc-1", "bc-2", "bc-3"]) == {"bc-1": kept, "bc-2": large, "bc-3": swinging}


def test_profiles_in_one_mailbox_do_not_meet(world: World) -> None:
    held = world.hold()
    mine, other = held.profile(world.company, world.user), held.profile(world.company, world.user + "-2")
    linked(mine, 1, 2)
    linked(other, 2)
    mine.forget()
    assert list(mine.all_links()) == [] and mine.positions() == Positions()
    assert other.links_by_outlook(["AAMk/2=+"]) == {"bc-2": link(2)}


def test_a_replaced_outlook_contact_is_found_by_its_new_id_only(world: World) -> None:
    state = world.hold().profile(world.company, world.user)
    linked(state, 1)
    state.commit(Changes(links=[link(1, "new")], replaced={"bc-1": "AAMk/1=+"}))
    assert state.links_by_outlook(["new", "AAMk/1=+"]) == {"bc-1": link(1, "new")}
    assert state.positions().link_count == 1


def test_an_outlook_contact_can_pass_from_one_link_to_another_in_one_commit(world: World) -> None:
    state = world.hold().profile(world.company, world.user)
    linked(state, 1)
    state.commit(Changes(dropped=[link(1)], links=[link(2, "AAMk/1=+")], new={"bc-2"}))
    assert state.links_by_outlook(["AAMk/1=+"]) == {"bc-2": link(2, "AAMk/1=+")}
    assert state.positions().link_count == 1


def test_r30_a_commit_can_be_repeated(world: World) -> None:
    state = world.hold().profile(world.company, world.user)
    linked(state, 1, 2, 3)
    parked = Parked("p-1", "duplicate", ("a@b.c",))
    state.commit(Changes(parked=[parked], hidden={"bc-9": ""}))
    again = Changes(
        dropped=[link(1), link(2)], unparked=[parked], unhidden={"bc-9"}, positions=Positions(log_position=3),
        settled=[Retry("bc-1", "bc", "failed", 1, START)],
    )  # fmt: skip
    state.commit(again)
    state.commit(again)
    assert [each.bc_id for each in state.all_links()] == ["bc-3"]
    assert state.positions() == Positions(log_position=3, link_count=1)
    assert (state.hidden(), list(state.all_parked()), state.retries()) == ({}, [], [])


def test_positions_come_back_with_the_count_of_links(world: World) -> None:
    state = world.hold().profile(world.company, world.user)
    assert state.positions() == Positions()
    stored = Positions(
        folder_id="f", delta_link="https://graph.example/" + "x" * 40_000, feed_epoch="e", log_position=7, unclean=True,
        last_run_at=START, counted=(Counted(START, "outlook-removals", 3),), link_count=99,
    )  # fmt: skip
    state.commit(Changes(links=[link(1)], new={"bc-1"}, positions=stored))
    assert state.positions() == replace(stored, link_count=1)
    state.commit(Changes(dropped=[link(1)]))
    assert state.positions() == replace(stored, link_count=0)
    assert world.mailboxes.peek(world.mailbox, world.company, world.user).positions() == replace(stored, link_count=0)


def test_parked_contacts_are_found_by_id_by_any_of_their_addresses_and_by_their_bc_contact(world: World) -> None:
    state = world.hold().profile(world.company, world.user)
    assert state.parked_by_keys(["a@b.c"]) == {}
    first = Parked("o/1", "duplicate", ("a@b.c", "d@e.f"), bc_id="bc-1")
    second = Parked("o/2", "kept", ("a@b.c",))
    silent = Parked("o/3", "private", was="as it was")
    state.commit(Changes(parked=[first, second, silent]))
    assert state.parked_by_keys(["a@b.c", "x@y.z"]) == {"o/1": first, "o/2": second}
    assert state.parked_by_keys(["d@e.f"]) == {"o/1": first}
    assert state.parked_by_keys(["bc-1", "bc-2"]) == {"o/1": first}
    assert state.parked_by_keys(f"{each}@b.c" for each in "abcdefghij" * 10) == {"o/1": first, "o/2": second}
    assert state.parked_by_outlook(["o/3", "o/4"]) == {"o/3": silent}
    state.commit(Changes(parked=[replace(first, email_keys=("d@e.f",))], unparked=[second]))
    assert state.parked_by_keys(["a@b.c"]) == {}
    assert {each.outlook_id for each in state.all_parked()} == {"o/1", "o/3"}


def test_r31_retries_and_r23_hidden_contacts_are_kept(world: World) -> None:
    state = world.hold().profile(world.company, world.user)
    later = Retry("bc-1", "bc", "refused", 2, START + timedelta(hours=2))
    sooner = Retry("AAMk/=", "outlook", "failed", 1, START)
    state.commit(Changes(retries=[later, sooner], hidden={"bc-7": "", "bc-8": "as it was"}))
    assert state.retries() == [sooner, later]
    assert state.hidden() == {"bc-7": "", "bc-8": "as it was"}
    state.commit(Changes(retries=[replace(later, attempts=3)], settled=[sooner, later]))
    assert state.retries() == [replace(later, attempts=3)]
    assert world.mailboxes.unhide(world.mailbox, world.company, world.user, "bc-7") is True
    assert world.mailboxes.unhide(world.mailbox, world.company, world.user, "bc-7") is False
    assert state.hidden() == {"bc-8": "as it was"}


def test_a_look_without_the_lease_cannot_write(world: World) -> None:
    held = world.hold()
    linked(held.profile(world.company, world.user), 1)
    peeked = world.mailboxes.peek(world.mailbox, world.company, world.user)
    assert peeked.links_by_bc(["bc-1"]) == {"bc-1": link(1)}
    with pytest.raises(LeaseLost):
        peeked.commit(Changes(hidden={"bc-1": ""}))
    with pytest.raises(LeaseLost):
        peeked.forget()


def test_an_empty_commit_changes_nothing(world: World) -> None:
    state = world.hold().profile(world.company, world.user)
    state.commit(Changes())
    assert state.positions() == Positions()
