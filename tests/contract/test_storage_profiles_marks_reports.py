"""What `Profiles`, `Marks` and `Reports` promise."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.engine.model import Counts, HeldKind, Mode, Profile, Report, RunStatus, Trigger
from shared.engine.run_ids import run_id
from shared.engine.state import Changes, Mark
from shared.errors import RequestError
from shared.planning.model import Note, NoteKind, OnOutlookDelete, Policies
from shared.storage import odata
from shared.storage.odata import StoredRow
from tests.contract.storage_kinds import START, World


def profile(world: World, **changes: object) -> Profile:
    return replace(
        Profile(world.company, world.user, f"{world.user}@example.com", world.mailbox, "box@example.com"),
        filter={"city": "Z*"},
        policies=Policies(on_outlook_delete=OnOutlookDelete.HIDE),
        changed_at=START,
        **changes,  # type: ignore[arg-type]
    )


# ---------------------------------------------------------------- profiles


def test_a_profile_is_found_by_user_mailbox_address_and_company(world: World) -> None:
    saved = world.profiles.save(profile(world))
    assert saved == replace(profile(world), etag=saved.etag) and saved.etag
    assert world.profiles.get(world.company, world.user) == saved
    assert world.profiles.of_user(world.user) == [saved]
    assert world.profiles.of_mailbox(world.mailbox) == [saved]
    assert world.profiles.user_id(f" {world.user.upper()}@Example.com") == world.user
    assert list(world.profiles.in_company(world.company)) == [saved]
    assert world.company in world.profiles.companies()


def test_several_profiles_are_read_at_once(world: World) -> None:
    users = [f"user-{number:02d}" for number in range(40)]
    saved = {each: world.profiles.save(profile(world, id=each, user_address="")) for each in users}
    assert world.profiles.get_many(world.company, [*users[:3], "nobody"]) == {each: saved[each] for each in users[:3]}
    assert world.profiles.get_many(world.company, users) == saved
    assert world.profiles.get_many(world.company, []) == {}


def test_all_profiles_are_listed_by_pages_that_do_not_read_the_former_ones_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a list of ten thousand users in pages of a hundred would read half a million rows."""
    saved = [world.profiles.save(profile(world, id=f"user-{number:02d}", user_address="")) for number in range(12)]
    read = []
    rows_of = odata.rows_of

    def counted(body: str | bytes) -> Iterator[StoredRow]:
        rows = list(rows_of(body))
        read.append(len(rows))
        return iter(rows)

    monkeypatch.setattr(odata, "rows_of", counted)
    listed: list[Profile] = []
    while page := list(world.profiles.in_company(world.company, listed[-1].id if listed else "", 4)):
        listed += page
    assert listed == saved
    assert sum(read) <= len(saved) + 4  # each page begins with the last one of the page before
    assert max(read, default=0) <= 5
    assert list(world.profiles.in_company(world.company, "user-12", 4)) == []


def test_nothing_is_found_of_a_profile_that_is_not_there(world: World) -> None:
    assert world.profiles.get(world.company, world.user) is None
    assert world.profiles.of_user(world.user) == []
    assert world.profiles.of_mailbox(world.mailbox) == []
    assert world.profiles.user_id("nobody@example.com") is None
    assert world.profiles.user_id("") is None


def test_a_profile_moves_to_another_mailbox_and_address(world: World) -> None:
    saved = world.profiles.save(profile(world))
    moved = world.profiles.save(replace(saved, mailbox_id="other-box", user_address=f"new-{world.user}@example.com"))
    assert world.profiles.of_mailbox(world.mailbox) == []
    assert moved in world.profiles.of_mailbox("other-box")
    assert world.profiles.user_id(f"{world.user}@example.com") is None
    world.profiles.delete(moved)


def test_a_profile_is_saved_only_as_it_was_read(world: World) -> None:
    saved = world.profiles.save(profile(world))
    with pytest.raises(RequestError) as error:
        world.profiles.save(profile(world, enabled=False))
    assert error.value.code == "changed-meanwhile"
    world.profiles.save(replace(saved, enabled=False))
    with pytest.raises(RequestError):
        world.profiles.save(replace(saved, enabled=True))


def test_a_deleted_profile_is_gone_everywhere(world: World) -> None:
    saved = world.profiles.save(profile(world))
    world.profiles.delete(saved)
    world.profiles.delete(saved)
    assert world.profiles.of_user(world.user) == []
    assert world.profiles.of_mailbox(world.mailbox) == []
    assert world.company not in world.profiles.companies()
    assert world.profiles.save(profile(world)).etag


# ---------------------------------------------------------------- marks


def mark(world: World, seconds: float, reason: str = "bc") -> Mark:
    return Mark(world.company, world.user, world.mailbox, START + timedelta(seconds=seconds), reason)


def due(world: World, seconds: float) -> list[Mark]:
    return list(world.marks.due(world.company, START + timedelta(seconds=seconds)))


def test_a_mark_is_due_when_its_time_has_come(world: World) -> None:
    world.marks.put(mark(world, 10))
    assert due(world, 9) == []
    (found,) = due(world, 10)
    assert replace(found, version=0) == mark(world, 10)


def test_marks_are_known_before_they_are_due(world: World) -> None:
    assert list(world.marks.marked(world.company)) == []
    world.marks.put(mark(world, 10))
    assert list(world.marks.marked(world.company)) == [world.user]


def test_a_profile_has_one_mark_and_the_earliest_counts(world: World) -> None:
    for seconds, reason in ((30, "sweep"), (10, "bc"), (20, "outlook")):
        world.marks.put(mark(world, seconds, reason))
    (found,) = due(world, 60)
    assert (found.due, found.reason) == (mark(world, 10).due, "bc")


def test_a_settled_mark_comes_back_at_its_next_time(world: World) -> None:
    world.marks.put(mark(world, 0))
    (found,) = due(world, 0)
    world.marks.settle(found, START + timedelta(hours=1))
    assert due(world, 3599) == []
    (later,) = due(world, 3600)
    world.marks.settle(later, None)
    assert due(world, 99_999) == []
    world.marks.settle(later, None)


def test_a_mark_put_while_the_profile_is_served_stays(world: World) -> None:
    world.marks.put(mark(world, 0))
    (found,) = due(world, 5)
    world.marks.put(mark(world, 0, "outlook"))  # the same time, and all the same new
    world.marks.settle(found, START + timedelta(hours=1))
    (left,) = due(world, 5)
    assert left.reason == "outlook"
    world.marks.settle(left, None)
    assert due(world, 99_999) == []


def test_a_retry_put_while_the_profile_is_served_does_not_run_before_its_time(world: World) -> None:
    world.marks.put(mark(world, 0))
    (found,) = due(world, 5)
    world.marks.put(mark(world, 600, "retry"))
    world.marks.settle(found, START + timedelta(hours=1))
    assert due(world, 599) == []
    assert [each.reason for each in due(world, 600)] == ["retry"]


def test_puts_seen_together_are_settled_together(world: World) -> None:
    world.marks.put(mark(world, 0))
    world.marks.put(mark(world, 3))
    (found,) = due(world, 5)
    world.marks.settle(found, None)
    assert due(world, 99_999) == []


def test_a_mark_made_by_hand_settles_what_was_due_by_then(world: World) -> None:
    world.marks.put(mark(world, 0))
    world.marks.put(mark(world, 100))
    world.marks.settle(mark(world, 50), None)
    assert due(world, 99) == [] and len(due(world, 100)) == 1


# ---------------------------------------------------------------- reports


def report(world: World, seconds: float, **changes: object) -> Report:
    at = START + timedelta(seconds=seconds)
    made_id = run_id(world.mailbox, at, f"{int(seconds):08x}")
    made = Report(
        made_id, world.company, world.user, world.mailbox, Mode.FULL, Trigger.HTTP, RunStatus.QUEUED, requested_at=at
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_r35_a_report_is_found_by_its_id_as_it_was_saved(world: World) -> None:
    full = report(
        world, 1, status=RunStatus.HELD, started_at=START, to_bc=Counts(created=3), requests={"graph": 2},
        notes=(Note(NoteKind.CONFLICT, "lost", "BC wins", name="Zoë 😀", value="x" * 50_000),) * 3,
        held=(HeldKind("bc-removals", 11, "more than 10", ("a", "b")),), filter={"city": "Z*"},
        plan=({"side": "bc", "fields": {"city": ["a", "b"]}, "n": 1},),
    )  # fmt: skip
    world.reports.save(report(world, 1))
    world.reports.save(full)
    assert world.reports.get(full.run_id) == full
    assert world.reports.get("no-such-run") is None
    assert world.reports.get(report(world, 2).run_id) is None


def test_r35_reports_of_a_profile_come_newest_first_in_pages(world: World) -> None:
    for seconds in range(5):
        world.reports.save(report(world, seconds))
    world.reports.save(report(world, 9, profile_id="other"))
    first, token = world.reports.of_profile(world.mailbox, world.company, world.user, top=3)
    assert [each.requested_at for each in first] == [START + timedelta(seconds=each) for each in (4, 3, 2)]
    rest, end = world.reports.of_profile(world.mailbox, world.company, world.user, top=3, after=token)
    assert [each.requested_at for each in rest] == [START + timedelta(seconds=each) for each in (1, 0)]
    assert end == ""
    exact, end = world.reports.of_profile(world.mailbox, world.company, world.user, top=5)
    assert (len(exact), end) == (5, "")


def test_r35_a_discarded_report_is_gone(world: World) -> None:
    world.reports.save(report(world, 1))
    world.reports.discard(report(world, 1))
    world.reports.discard(report(world, 1))
    assert world.reports.get(report(world, 1).run_id) is None


def test_r26_what_waits_is_stored_whole_and_replaced_whole(world: World) -> None:
    ids = [f"AAkAL{each:0140d}" for each in range(1_200)]
    held = world.hold()
    state = held.profile(world.company, world.user)

    state.commit(Changes(held={"bc-creations": ids, "outlook-removals": ["one"]}))
    assert state.held("bc-creations") == frozenset(ids)
    state.commit(Changes(held={"bc-creations": ids[:3]}))
    assert state.held("bc-creations") == frozenset(ids[:3])
    state.commit(Changes(held={"bc-creations": []}))

    assert state.held("bc-creations") == frozenset()
    assert world.mailboxes.peek(world.mailbox, world.company, world.user).held("outlook-removals") == {"one"}
    state.forget()
    assert state.held("outlook-removals") == frozenset()
