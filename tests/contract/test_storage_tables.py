"""What only the real tables can show: fences, races, lost answers, commits cut in the middle (R9, R29, R30)."""

import base64
import gc
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from dev.azurite import Azurite, AzuriteError
from shared.cards.model import BcContact
from shared.engine import jobs
from shared.engine.company_state import FeedChanges, FeedState
from shared.engine.state import Busy, Changes, HeldMailbox
from shared.errors import LeaseLost, RetryableError
from shared.planning.model import Link, Note, NoteKind
from shared.storage import wire
from shared.storage.connect import queue, table_service
from shared.storage.queues import QueueMessages
from shared.storage.runs import TableReports
from shared.storage.tables import Operation, RowConflict, RowMissing, Tables
from tests.contract.storage_kinds import World, in_tables
from tests.contract.test_storage_companies import contact
from tests.contract.test_storage_mailboxes import link, linked
from tests.contract.test_storage_profiles_marks_reports import report

pytestmark = pytest.mark.integration


class Died(BaseException):
    """The process dies here."""


@pytest.fixture
def stored(tables: Tables) -> World:
    return in_tables(tables)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch, stored: World) -> Callable[..., None]:
    """Let the n-th transaction of a table fail, before or after it took effect."""

    def plan(table: str, at: int, error: BaseException, *, after: bool) -> None:
        assert stored.tables is not None
        real, left = stored.tables[table].transact, [at]

        def transact(operations: Any) -> list[str]:
            left[0] -= 1
            if left[0] == 0 and not after:
                raise error
            answer = real(operations)
            if left[0] == 0:
                raise error
            return answer

        monkeypatch.setattr(stored.tables[table], "transact", transact)

    return plan


# ---------------------------------------------------------------- fences and races


def test_r29_of_many_workers_one_gets_the_mailbox(stored: World) -> None:
    start = threading.Barrier(8)

    def hold(number: int) -> HeldMailbox | Busy:
        start.wait()
        return stored.mailboxes.hold(stored.mailbox, f"worker-{number}")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(hold, range(8)))
    assert sum(not isinstance(each, Busy) for each in answers) == 1


def test_r30_no_row_of_a_late_batch_is_written(stored: World) -> None:
    first = stored.hold()
    state = first.profile(stored.company, stored.user)
    linked(state, 1)
    stored.die(first)
    stored.wait(61)
    second = stored.hold("other").profile(stored.company, stored.user)
    with pytest.raises(LeaseLost):
        state.commit(Changes(links=[link(each) for each in range(2, 30)], new={f"bc-{each}" for each in range(2, 30)}))
    assert [each.bc_id for each in second.all_links()] == ["bc-1"]


@pytest.mark.parametrize("after", [False, True])
def test_r30_a_lost_answer_is_found_out(stored: World, cut: Callable[..., None], after: bool) -> None:
    held = stored.hold()
    state = held.profile(stored.company, stored.user)
    cut("mailboxes", 2, RetryableError("no answer"), after=after)
    linked(state, *range(150))
    assert state.positions().link_count == len(list(state.all_links())) == 150
    held.keep()
    linked(state, 200)
    assert state.positions().link_count == 151


def test_r29_requests_merged_while_others_are_taken_are_not_lost(stored: World) -> None:
    """Every request's time is covered by a run that was taken after it was put in line."""
    submitted: list[float] = []
    done = threading.Event()

    def submit(worker: int) -> None:
        for number in range(12):
            at = stored.clock.now + timedelta(seconds=worker * 100 + number)
            stored.mailboxes.submit(stored.request(f"run-{worker}-{number}", requested_at=at))
            submitted.append(at.timestamp())

    def serve() -> set[float]:
        held = stored.hold()
        seen = set()
        while True:
            last = done.is_set()
            taken = held.take()
            if taken is not None:
                seen.add(taken.requested_at.timestamp())
                held.finish(taken)
            elif last:
                return seen

    with ThreadPoolExecutor(4) as pool:
        server = pool.submit(serve)
        list(pool.map(submit, range(3)))
        done.set()
        assert max(submitted) in server.result()
    assert stored.mailboxes.waiting(stored.mailbox) == []


def test_a_lease_that_nobody_holds_any_more_is_not_renewed(stored: World) -> None:
    before = {each for each in threading.enumerate() if each.name == "lease"}
    held = stored.hold()
    (renewal,) = {each for each in threading.enumerate() if each.name == "lease"} - before
    del held
    gc.collect()  # frames of exceptions caught on the way may still refer to it
    renewal.join(5)
    assert not renewal.is_alive()


def test_a_lease_is_renewed_in_the_background_while_rows_are_written(tables: Tables) -> None:
    """With a lease of under a second and the real clock: renewals and commits do not fence each other off."""
    stored = in_tables(tables)
    stored.mailboxes._seconds = 0.3  # type: ignore[attr-defined]
    stored.mailboxes._now = tables.clock.now  # type: ignore[attr-defined]
    held = stored.hold()
    state = held.profile(stored.company, stored.user)
    end = time.monotonic() + 1.2
    number = 0
    while time.monotonic() < end:
        number += 1
        state.commit(Changes(hidden={f"bc-{number}": ""}))
        assert isinstance(stored.mailboxes.hold(stored.mailbox, "other"), Busy)
    held.release()
    assert len(state.hidden()) == number


# ---------------------------------------------------------------- cut in the middle


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 6, 7, 8])
def test_r30_a_refresh_that_dies_anywhere_is_mended_by_repeating_it(
    stored: World, cut: Callable[..., None], at: int, after: bool
) -> None:
    old = [contact(each) for each in range(120)]
    feed = stored.hold_feed()
    feed.commit(FeedChanges(changed=old, log=False, state=FeedState(epoch="e")))
    changes = FeedChanges(changed=[contact(each, city="new") for each in range(1, 120)], gone=[old[0].id])
    cut("companies", at, Died(), after=after)
    try:
        feed.commit(replace(changes, state=replace(feed.state(), watermark="w2")))
    except Died:
        stored.die(feed)
        stored.wait(61)
    else:
        feed.release()
    again = stored.hold_feed("other")
    assert _changed_unseen(stored, old) == set()
    if again.state().watermark != "w2":
        again.commit(replace(changes, state=replace(again.state(), watermark="w2")))
    state = stored.companies.feed(stored.company)
    snapshot = {each.id: each for each in stored.companies.all_contacts(stored.company)}
    assert snapshot == {each.id: each for each in changes.changed}
    assert again.roster().keys() == snapshot.keys()
    assert (state.persons, state.contacts, state.watermark) == (119, 119, "w2")
    assert {each.bc_id for each in stored.companies.log(stored.company, 0, state.head)} == {each.id for each in old}


def _changed_unseen(stored: World, old: list[BcContact]) -> set[str]:
    """Contacts of the snapshot that changed without a word in the log."""
    snapshot = {each.id: each for each in stored.companies.all_contacts(stored.company)}
    head = stored.companies.feed(stored.company).head
    logged = {each.bc_id for each in stored.companies.log(stored.company, 0, head)}
    return {each.id for each in old if snapshot.get(each.id) != each} - logged


def test_r30_a_first_build_that_dies_is_mended_by_repeating_it(stored: World, cut: Callable[..., None]) -> None:
    contacts = [contact(each) for each in range(250)]
    feed = stored.hold_feed()
    cut("companies", 3, Died(), after=True)
    with pytest.raises(Died):
        feed.commit(FeedChanges(changed=contacts, log=False, state=FeedState(epoch="e1")))
    stored.die(feed)
    stored.wait(61)
    again = stored.hold_feed("other")
    assert again.state().epoch == ""
    gone = [each for each in again.roster() if each not in {one.id for one in contacts[10:]}]
    state = again.commit(FeedChanges(changed=contacts[10:], gone=gone, log=False, state=FeedState(epoch="e2")))
    assert (state.contacts, state.persons) == (240, 240)
    assert {each.id for each in stored.companies.all_contacts(stored.company)} == {each.id for each in contacts[10:]}


@pytest.mark.parametrize("at", [1, 2, 3])
def test_r30_links_of_a_commit_that_died_are_whole(stored: World, cut: Callable[..., None], at: int) -> None:
    held = stored.hold()
    state = held.profile(stored.company, stored.user)
    links = [link(each) for each in range(120)]
    cut("mailboxes", at, Died(), after=False)
    with pytest.raises(Died):
        state.commit(Changes(links=links, new={each.bc_id for each in links}))
    stored.die(held)
    stored.wait(61)
    again = stored.hold("other").profile(stored.company, stored.user)
    there: list[Link] = list(again.all_links())
    assert again.positions().link_count == len(there) == (at - 1) * 49
    assert again.links_by_outlook([each.outlook_id for each in there]) == {each.bc_id: each for each in there}


# ---------------------------------------------------------------- single rows


def test_operations_demand_what_they_say(tables: Tables) -> None:
    table, partition = tables["marks"], uuid.uuid4().hex
    row = wire.row(partition, "a", n=1)
    etag = table.apply(Operation("create", row))
    with pytest.raises(RowConflict):
        table.apply(Operation("create", row))
    changed = table.apply(Operation("put", row | {"n": 2}, etag))
    assert changed != etag
    for kind in ("put", "merge", "delete"):
        with pytest.raises(RowConflict):
            table.apply(Operation(kind, row, etag))
        with pytest.raises(RowMissing):
            table.apply(Operation(kind, wire.row(partition, "b"), etag))
    table.apply(Operation("delete", wire.row(partition, "b")))
    with pytest.raises(RowConflict) as error:
        table.transact([Operation("put", wire.row(partition, "c")), Operation("put", row, etag)])
    assert error.value.index == 1
    assert table.get(partition, "c") is None


def test_a_range_takes_all_pages(tables: Tables) -> None:
    table, partition = tables["marks"], uuid.uuid4().hex
    for start in range(0, 1_100, 100):
        table.transact([Operation("put", wire.row(partition, f"k|{start + each:04d}")) for each in range(100)])
    assert len(list(table.range(partition, "k|", "k}"))) == 1_100
    assert len(list(table.range(partition, "k|0500", "k|0600", page=7))) == 100


# ---------------------------------------------------------------- reports


def test_a_report_too_large_to_store_loses_notes_and_not_more(stored: World) -> None:
    assert stored.tables is not None
    notes = tuple(Note(NoteKind.FIELD, "long", secrets.token_hex(400)) for _ in range(4_000))
    TableReports(stored.tables).save(report(stored, 1, notes=notes))
    kept = stored.reports.get(report(stored, 1).run_id)
    assert kept is not None and kept.notes == notes[:1_000]


# ---------------------------------------------------------------- messages


@pytest.fixture(scope="module")
def account() -> Iterator[Any]:
    try:
        with Azurite() as azurite:
            yield SimpleNamespace(storage_connection=azurite.connection_string)
    except AzuriteError as error:
        pytest.skip(str(error))


def test_messages_are_sent_at_once_or_later_as_the_platform_encodes_them(account: Any) -> None:
    messages = QueueMessages(account, "contacttest")
    messages.sync_job("box-1")
    messages.sync_job("box-2", delay=3600)
    messages.company_job("company-1", "timer", delay=0.2)
    sync = queue(account, "contacttest-sync-jobs")
    (visible,) = sync.peek_messages(max_messages=5)
    assert sync.get_queue_properties().approximate_message_count == 2
    assert jobs.mailbox_of(base64.b64decode(visible.content).decode()) == "box-1"
    company = queue(account, "contacttest-company-jobs")
    assert company.get_queue_properties().approximate_message_count == 1


def test_what_waits_is_counted_from_when_it_was_sent_and_only_when_a_worker_could_take_it(account: Any) -> None:
    messages = QueueMessages(account, "waitingtest")
    assert messages.waiting() == 0  # there are no queues yet
    messages.sync_job("box-1", delay=3600)
    assert messages.waiting() == 0
    messages.company_job("company-1", "timer")
    company = queue(account, "waitingtest-company-jobs")
    (sent,) = company.peek_messages()
    assert sent.inserted_on is not None
    before = (datetime.now(UTC) - sent.inserted_on).total_seconds()
    assert before <= messages.waiting() < before + 60
    (taken,) = company.receive_messages(visibility_timeout=600)
    assert taken.id == sent.id
    assert messages.waiting() == 0


def test_an_account_that_does_not_answer_is_tried_again_later() -> None:
    text = (
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=c2VjcmV0;"
        "TableEndpoint=http://127.0.0.1:9/devstoreaccount1;"
    )
    account = SimpleNamespace(storage_connection=text)
    unreachable = Tables(table_service(account, retry_total=0), "test")  # type: ignore[arg-type]
    with pytest.raises(RetryableError):
        unreachable["marks"].get("p", "k")
