"""Timer, queues and poison queues."""

import json

import azure.functions as func
import pytest

from functions.company_jobs import company_jobs
from functions.fan_out import fan_out
from functions.poison import company_jobs_poison, sync_jobs_poison
from functions.sync_jobs import sync_jobs
from shared.engine import fan_out as engine
from shared.engine import jobs
from shared.engine.fan_out import concerned
from shared.engine.model import Mode, RunStatus, Trigger
from shared.errors import RetryableError
from tests.fakes.world import COMPANY
from tests.functions.desk import ADA, BEN, OTHER_COMPANY, SALES, Desk, Sent


class Tick:
    """A timer's call."""

    past_due = False


class Invocation:
    """What the platform tells of a call."""

    invocation_id = "11111111-2222-3333-4444-555555555555"


def message(text: str) -> func.QueueMessage:
    return func.QueueMessage(id="m1", body=text.encode())


def serve(text: str) -> None:
    """A company-jobs message."""
    company_jobs(message(text))


def woken(desk: Desk) -> list[str]:
    """The mailboxes whose workers were sent a message, once for each message."""
    return [each.id for each in desk.world.state.messages.take_due() if each.queue == "sync"]


def tick(desk: Desk) -> list[str]:
    """A timer tick; the mailboxes that it wakes."""
    woken(desk)
    left = Sent()
    fan_out(Tick(), left)  # type: ignore[arg-type]
    for each in left.messages:
        serve(json.dumps(each))
    return woken(desk)


def test_a_tick_reads_every_company_that_has_profiles_and_needs_no_message_for_a_few(desk: Desk) -> None:
    assert tick(desk) == []
    desk.world.environment.add(OTHER_COMPANY)
    desk.save(ADA, company=COMPANY)
    desk.save(BEN, company=OTHER_COMPANY)
    sent = Sent()
    fan_out(Tick(), sent)  # type: ignore[arg-type]
    assert sent.messages == []
    assert sorted(woken(desk)) == [ADA, BEN]


def test_a_tick_of_many_companies_leaves_them_to_the_queue(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.world.environment.add(OTHER_COMPANY)
    desk.save(ADA, company=COMPANY)
    desk.save(BEN, company=OTHER_COMPANY)
    monkeypatch.setattr("shared.engine.fan_out.INLINE_MOST", 1)
    sent = Sent()
    fan_out(Tick(), sent)  # type: ignore[arg-type]
    now = desk.services.now().isoformat()
    assert sent.messages == [
        {"company": COMPANY, "reason": "timer", "requestedAt": now},
        {"company": OTHER_COMPANY, "reason": "timer", "requestedAt": now},
    ]
    assert woken(desk) == []
    for each in sent.messages:
        serve(json.dumps(each))
    assert sorted(woken(desk)) == [ADA, BEN]


def test_a_company_that_does_not_answer_in_time_is_left_to_the_queue_and_stops_no_other(desk: Desk) -> None:
    desk.world.environment.add(OTHER_COMPANY)
    desk.save(ADA, company=COMPANY)
    desk.save(BEN, company=OTHER_COMPANY)
    desk.world.faults.fail(1, RetryableError("away"), call="bc.contacts")
    sent = Sent()
    fan_out(Tick(), sent)  # type: ignore[arg-type]
    assert [each["company"] for each in sent.messages] == [COMPANY]
    assert woken(desk) == [BEN]


def test_a_tick_runs_profiles_that_are_enabled_and_automatic(desk: Desk) -> None:
    desk.save(ADA)
    desk.save(BEN, automatic=False)
    desk.call("PUT", f"/api/admin/profiles/{SALES}", {"enabled": False})
    assert tick(desk) == [ADA]
    (waiting,) = desk.services.mailboxes.waiting(ADA)
    assert (waiting.trigger, waiting.mode) == (Trigger.TIMER, Mode.INCREMENTAL)
    assert not desk.services.mailboxes.waiting(BEN)


def test_a_mailbox_with_two_profiles_is_woken_once(desk: Desk) -> None:
    desk.save(ADA)
    desk.call("PUT", f"/api/admin/profiles/{BEN}", {"mailbox": "ada@contoso.example"})
    assert tick(desk) == [ADA]
    assert {each.profile_id for each in desk.services.mailboxes.waiting(ADA)} == {ADA, BEN}


def test_r29_ticks_that_meet_a_waiting_run_add_none(desk: Desk) -> None:
    desk.save(ADA)
    for _ in range(3):
        tick(desk)
    assert len(desk.services.mailboxes.waiting(ADA)) == 1


def test_the_whole_way_from_tick_to_folder(desk: Desk) -> None:
    desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example")
    desk.save(ADA)
    for each in tick(desk):
        sync_jobs(message(jobs.sync_job(each)), Invocation())  # type: ignore[arg-type]
    assert [each.contact.card.name for each in desk.world.mailbox(ADA).entries.values()] == ["Ann Ash"]


def test_r35_a_tick_that_found_nothing_leaves_no_report(desk: Desk) -> None:
    desk.save(ADA)
    tick(desk)
    desk.work()
    desk.world.clock.advance(minutes=5)
    tick(desk)
    desk.work()
    assert desk.call("GET", f"/api/profiles/{ADA}/runs").body["runs"] == []
    assert desk.call("GET", f"/api/profiles/{ADA}").body["state"]["lastCheckedAt"] is not None


def test_a_mark_stays_due_while_nothing_announces_changes_in_the_folder(desk: Desk) -> None:
    desk.save(ADA)
    desk.save(BEN, automatic=False)
    for _ in range(3):
        assert tick(desk) == [ADA]
        desk.work()
        desk.world.clock.advance(minutes=5)
    assert [each.profile_id for each in desk.services.marks.due(COMPANY, desk.services.now())] == [ADA]


def test_a_job_reads_the_feed_once_for_all(desk: Desk) -> None:
    desk.save(ADA)
    desk.save(BEN)
    tick(desk)
    desk.world.faults.calls.clear()
    desk.work(ADA)
    desk.work(BEN)
    assert not [each for each in desk.world.faults.calls if each.startswith("bc.")]


def test_runs_for_everybody_include_those_without_automatic_runs(desk: Desk) -> None:
    desk.save(ADA)
    desk.save(BEN, automatic=False)
    desk.call("PUT", f"/api/admin/profiles/{SALES}", {"enabled": False})
    asked = desk.call("POST", "/api/admin/sync", {"mode": "full"}).sent["companies"]
    serve(json.dumps(asked[0]))
    assert woken(desk) == [ADA, BEN]
    (waiting,) = desk.services.mailboxes.waiting(BEN)
    assert (waiting.mode, waiting.trigger) == (Mode.FULL, Trigger.HTTP)
    assert desk.call("GET", f"/api/profiles/{BEN}/runs").body["runs"][0]["status"] == "queued"


def test_a_company_that_cannot_be_read_is_told_to_each_profile_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "AT_A_TIME", 1)  # as with more profiles than are told at a time
    desk.save(ADA)
    desk.save(BEN)
    del desk.world.environment.all[COMPANY]
    for _ in range(3):
        desk.world.clock.advance(minutes=5)
        for each in tick(desk):
            sync_jobs(message(jobs.sync_job(each)), Invocation())  # type: ignore[arg-type]
    for user in (ADA, BEN):
        runs = desk.call("GET", f"/api/profiles/{user}/runs").body["runs"]
        assert [(each["status"], each["error"]["code"]) for each in runs] == [("failed", "company-unavailable")]


def test_a_change_in_bc_concerns_whom_it_selects_and_who_holds_it(desk: Desk) -> None:
    desk.save(ADA, filter={"city": "Basel"})
    desk.save(BEN, filter={"city": "Bern"})
    key = desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example", city="Basel")
    tick(desk)
    desk.work(ADA)
    desk.work(BEN)
    head = desk.services.companies.feed(COMPANY).head

    desk.world.clock.advance(minutes=5)
    desk.world.bc.edit(key, city="Genf")
    tick(desk)
    feed = desk.services.companies.feed(COMPANY)
    news = desk.services.companies.log(COMPANY, head, feed.head)
    profiles = list(desk.services.profiles.in_company(COMPANY))
    assert [each.id for each in concerned(desk.services, COMPANY, profiles, news)] == [ADA]

    desk.work(ADA)
    desk.work(BEN)
    desk.world.clock.advance(minutes=5)
    desk.world.bc.edit(key, city="Bern")
    woken(desk)
    serve(jobs.company_job(jobs.CompanyJob(COMPANY, jobs.Reason.BC, desk.services.now())))
    assert woken(desk) == [BEN]
    assert [each.trigger for each in desk.services.mailboxes.waiting(BEN)] == [Trigger.BC]


def test_poison_closes_waiting_runs_as_failed_with_the_reason(desk: Desk) -> None:
    desk.save(ADA)
    run = desk.call("POST", "/api/sync", {"user": ADA, "mode": "full"}).body["run"]
    sync_jobs_poison(message(jobs.sync_job(ADA)))
    report = desk.call("GET", run).body
    assert report["status"] == RunStatus.FAILED
    assert report["error"]["code"] == "broke-off"
    assert "Start it again" in report["error"]["detail"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"mailbox": 7}', '{"company": ""}', "null"])
def test_a_message_that_nobody_can_read_ends_in_the_log(
    desk: Desk, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError):
        sync_jobs(message(text), Invocation())  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        serve(text)
    sync_jobs_poison(message(text))
    company_jobs_poison(message(text))
    assert caplog.text.count("poison_message") == 2


def test_messages_carry_ids_and_times_only() -> None:
    job = jobs.CompanyJob("c1", jobs.Reason.TIMER, None)
    assert json.loads(jobs.company_job(job)) == {"company": "c1", "reason": "timer"}
    assert jobs.read_company_job(jobs.company_job(job)) == jobs.CompanyJob("c1", "timer")
    assert jobs.mailbox_of(jobs.sync_job("m1")) == "m1"
