"""R38: a field that somebody sets back again and again after our write is paused."""

from collections.abc import Callable

import pytest

from shared.engine.model import Report, Trigger
from shared.engine.paused import resume
from shared.errors import RequestError
from shared.planning.model import Link
from tests.fakes.world import World
from tests.rules.glances import anna, codes, links, note, outlook_card, twin, wrote_nothing

type Rounds = Callable[..., Report]


@pytest.fixture
def pair(world: World) -> tuple[str, str]:
    """Anna, a clerk, synced to Ada."""
    world.profile("ada")
    bc_id = anna(world, jobTitle="Clerk")
    world.sync()
    return bc_id, twin(world, bc_id)


def insist_in_bc(w: World, pair: tuple[str, str], *, minutes: float = 1, value: str = "Chief") -> Report:
    """The user's value reaches BC, where an extension sets it back; answers the run that notices it."""
    bc_id, key = pair
    w.clock.advance(minutes=15)  # so that the user's edit is no answer to our write in Outlook
    w.mailbox().edit(key, job_title=value)
    w.sync()
    assert w.bc.rows[bc_id].card.job_title == value
    w.clock.advance(minutes=minutes)
    w.bc.edit(bc_id, jobTitle="Clerk")
    return w.sync()


def insist_in_outlook(w: World, pair: tuple[str, str], *, minutes: float = 1, value: str = "Chief") -> Report:
    """BC's value reaches the folder, where an add-in sets it back; answers the run that notices it."""
    bc_id, key = pair
    w.clock.advance(minutes=15)  # so that BC's change is no answer to our write there
    w.bc.edit(bc_id, jobTitle=value)
    w.sync()
    assert outlook_card(w, bc_id).job_title == value
    w.clock.advance(minutes=minutes)
    w.mailbox().edit(key, job_title="Clerk")
    return w.sync()


def link(w: World, pair: tuple[str, str]) -> Link:
    return links(w)[pair[0]]


def values(w: World, pair: tuple[str, str]) -> tuple[str, str]:
    """What BC and Outlook hold."""
    return w.bc.rows[pair[0]].card.job_title, outlook_card(w, pair[0]).job_title


BOTH_SIDES = pytest.mark.parametrize("insist", [insist_in_bc, insist_in_outlook], ids=["in-bc", "in-outlook"])


@BOTH_SIDES
def test_r38_paused_when_set_back_for_the_third_time_and_the_note_holds_both_values(
    world: World, pair: tuple[str, str], insist: Rounds
) -> None:
    earlier = [insist(world, pair), insist(world, pair)]
    last = insist(world, pair)

    assert [code for report in earlier for code in codes(report)] == []
    told = note(last, "oscillation")
    assert told.field == "jobTitle"
    assert "Clerk" in told.value and "Chief" in told.value
    assert set(values(world, pair)) == {"Clerk", "Chief"}  # it stays as it is on both sides
    wrote_nothing(world)


@BOTH_SIDES
def test_r38_a_paused_field_travels_neither_way_and_is_noted_once(
    world: World, pair: tuple[str, str], insist: Rounds
) -> None:
    for _ in range(3):
        insist(world, pair)
    bc_id, key = pair
    before = world.written()

    world.bc.edit(bc_id, jobTitle="Chief")
    reports = [world.sync()]
    world.mailbox().edit(key, job_title="Clerk")
    reports += [world.sync(), world.full()]

    assert world.written() == before
    assert values(world, pair) == ("Chief", "Clerk")
    assert [code for report in reports for code in codes(report)] == []


@BOTH_SIDES
def test_r38_the_pairs_other_fields_and_other_pairs_go_on(world: World, pair: tuple[str, str], insist: Rounds) -> None:
    for _ in range(3):
        insist(world, pair)
    bc_id, key = pair
    other = world.bc.put(displayName="Bob", email="b@x.example", jobTitle="Clerk")

    world.bc.edit(bc_id, city="Ulm")
    world.mailbox().edit(key, mobile="0151")
    world.sync()
    world.bc.edit(other, jobTitle="Chief")
    world.sync()

    assert outlook_card(world, bc_id).city == "Ulm"
    assert world.bc.rows[bc_id].card.mobile == "0151"
    assert outlook_card(world, other).job_title == "Chief"
    assert set(values(world, pair)) == {"Clerk", "Chief"}


@BOTH_SIDES
@pytest.mark.parametrize("side", ["bc", "outlook"])
def test_r38_a_third_value_travels_and_ends_the_pause(
    world: World, pair: tuple[str, str], insist: Rounds, side: str
) -> None:
    for _ in range(3):
        insist(world, pair)

    if side == "bc":
        world.bc.edit(pair[0], jobTitle="Boss")
    else:
        world.mailbox().edit(pair[1], job_title="Boss")
    world.sync()

    assert values(world, pair) == ("Boss", "Boss")
    assert not link(world, pair).paused
    assert codes(insist(world, pair)) == []  # counted anew
    wrote_nothing(world)


@BOTH_SIDES
def test_r38_a_person_resumes_it(world: World, pair: tuple[str, str], insist: Rounds) -> None:
    for _ in range(3):
        insist(world, pair)
    profile = world.profile("ada")
    typed = values(world, pair)[1]

    resume(world.services, profile, pair[0].upper(), "boss")
    world.work()

    assert values(world, pair) == (typed, typed)  # what stands in Outlook never reached BC
    assert not link(world, pair).paused
    wrote_nothing(world)
    with pytest.raises(RequestError, match="No field") as refused:
        resume(world.services, profile, pair[0], "boss")
    assert refused.value.code == "not-paused"


@BOTH_SIDES
def test_r38_not_when_it_took_more_than_ten_minutes(world: World, pair: tuple[str, str], insist: Rounds) -> None:
    for minutes in (1, 1, 11, 11):
        insist(world, pair, minutes=minutes)

    assert values(world, pair) == ("Clerk", "Clerk")
    assert len(codes(insist(world, pair, minutes=9))) == 1


@BOTH_SIDES
def test_r38_not_when_the_three_times_lie_more_than_a_day_apart(
    world: World, pair: tuple[str, str], insist: Rounds
) -> None:
    for _ in range(4):
        insist(world, pair)
        world.clock.advance(hours=13)

    assert values(world, pair) == ("Clerk", "Clerk")


@BOTH_SIDES
def test_r38_whatever_value_is_set_back(world: World, pair: tuple[str, str], insist: Rounds) -> None:
    for value in ("Chief", "Boss"):
        insist(world, pair, value=value)

    assert note(insist(world, pair, value="Queen"), "oscillation").field == "jobTitle"


@BOTH_SIDES
def test_r38_runs_that_find_nothing_to_do_count_nothing_and_record_nothing(
    world: World, pair: tuple[str, str], insist: Rounds
) -> None:
    insist(world, pair)
    before = link(world, pair)

    for _ in range(3):
        world.full()

    assert link(world, pair) is before


def test_r38_what_bc_set_back_soon_counts_however_late_it_is_read(world: World, pair: tuple[str, str]) -> None:
    bc_id, key = pair
    for _ in range(3):
        world.mailbox().edit(key, job_title="Chief")
        world.sync()
        world.clock.advance(minutes=1)
        world.bc.edit(bc_id, jobTitle="Clerk")
        world.clock.advance(hours=1)
        report = world.sync()

    assert codes(report) == ["oscillation"]


def test_r38_a_user_who_changes_her_mind_is_followed(world: World, pair: tuple[str, str]) -> None:
    for value in ("Chief", "Clerk") * 5:
        world.mailbox().edit(pair[1], job_title=value)
        world.sync()
        assert values(world, pair) == (value, value)


def test_r38_the_pause_is_per_pair(world: World, pair: tuple[str, str]) -> None:
    world.profile("bob")
    world.sync("bob")
    for _ in range(3):
        insist_in_outlook(world, pair)
    world.sync("bob", trigger=Trigger.TIMER)

    assert outlook_card(world, pair[0], "bob").job_title == world.bc.rows[pair[0]].card.job_title
