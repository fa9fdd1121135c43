"""What an import's decision never does, whatever source and profiles look like."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.planning.guards import SafetyLimits
from shared.planning.importing import Decision, Known, LeaverLimits, Person, Unfit, decide, removal_limit, size_of

IDS = st.sampled_from([f"user-{number:02d}" for number in range(30)])
PEOPLE = st.lists(
    st.builds(
        Person,
        st.one_of(IDS, st.just("")),
        st.sampled_from(["a@x", "b@x", ""]),
        st.sampled_from([None, None, Unfit.GUEST]),
    ),
    max_size=40,
).map(lambda people: [replace(each, unfit=each.unfit or Unfit.UNKNOWN) if not each.id else each for each in people])
KNOWN = st.lists(
    st.builds(Known, IDS, st.booleans(), st.booleans(), st.booleans()), unique_by=lambda each: each.id, max_size=30
).map(lambda known: [replace(each, enabled=each.enabled and not each.left) for each in known])
LIMITS = st.builds(LeaverLimits, st.integers(0, 12), st.sampled_from([0.0, 0.2, 0.5, 1.0]))
SOME = st.frozensets(IDS)


def places(decision: Decision) -> list[str]:
    """The user of every thing that is decided."""
    return [
        *(each.id for each in decision.join), *decision.back, *decision.kept, *decision.leave, *decision.held,
        *decision.gone, *(each.id for each in decision.left_out if each.id),
    ]  # fmt: skip


def done(decision: Decision, known: list[Known]) -> list[Known]:
    """The profiles after it."""
    after = {each.id: each for each in known}
    for person in decision.join:
        after[person.id] = Known(person.id, mine=True)
    for each in decision.back:
        after[each] = Known(each, mine=True)
    for each in decision.leave:
        after[each] = replace(after[each], enabled=False, left=True)
    return list(after.values())


@given(PEOPLE, KNOWN, LIMITS, SOME, SOME)
def test_everybody_is_in_one_place_and_only_its_own_leave(
    people: list[Person], known: list[Known], limits: LeaverLimits, before: frozenset[str], approved: frozenset[str]
) -> None:
    decision = decide(people, known, limits, size=size_of(known), held_before=before, approved=approved)
    here = {each.id for each in people if not each.unfit}
    told = [each for each in places(decision) if each not in {one.id for one in decision.left_out}]
    assert len(told) == len(set(told))
    profiles = {each.id: each for each in known}
    for each in (*decision.leave, *decision.held):
        assert profiles[each].mine and profiles[each].enabled and each not in here
    assert not {each.id for each in decision.join} & profiles.keys()
    assert not {each.id for each in decision.left_out} & here
    if not here:
        assert decision.is_empty and not told
    else:
        wanted = {each.id for each in known if each.mine and each.enabled and each.id not in here}
        assert {*decision.leave, *decision.held} == wanted
        assert {*decision.kept, *decision.back, *(each.id for each in decision.join)} == here


@given(PEOPLE, KNOWN, LIMITS, SOME, SOME)
def test_too_many_leavers_wait_whole_and_whom_a_person_approved_does_not(
    people: list[Person], known: list[Known], limits: LeaverLimits, before: frozenset[str], approved: frozenset[str]
) -> None:
    size = size_of(known)
    decision = decide(people, known, limits, size=size, held_before=before, approved=approved)
    asked = {*decision.leave, *decision.held} - approved
    if len(asked) > limits.leavers_count and len(asked) > limits.leavers_share * size:
        assert set(decision.held) == asked
    else:
        assert set(decision.held) == asked & before
    assert bool(decision.limit) == bool(decision.held)


@given(PEOPLE, KNOWN, LIMITS, SOME)
def test_a_second_look_finds_nothing_more_to_do(
    people: list[Person], known: list[Known], limits: LeaverLimits, before: frozenset[str]
) -> None:
    size = size_of(known)
    first = decide(people, known, limits, size=size, held_before=before)
    again = decide(people, done(first, known), limits, size=size, held_before=before)
    assert not (again.join or again.back or again.leave)
    assert set(again.held) == set(first.held)


@given(st.integers(0, 500), st.booleans())
def test_a_leavers_contacts_go_unasked_only_while_they_are_few(count: int, waited: bool) -> None:
    assert bool(removal_limit(count, SafetyLimits(), waited=waited)) == (count > 10 or waited)
