"""Starting runs over HTTP, waiting for them, and reading their reports."""

import threading

import pytest

from shared.engine.model import Mode, Trigger
from shared.engine.requests import request_automatic_run
from tests.fakes.world import COMPANY
from tests.functions.desk import ADA, OTHER_COMPANY, Desk


def test_a_run_is_put_in_line_and_its_mailbox_is_woken(desk: Desk) -> None:
    desk.save()
    response = desk.call("POST", "/api/sync", {"user": "ada@contoso.example", "mode": "incremental", "actor": "ADA"})

    assert response.status == 202
    assert response.body["status"] == "queued"
    assert response.headers["Location"] == response.body["run"] == f"/api/runs/{response.body['runId']}"
    assert int(response.headers["Retry-After"]) > 0
    assert response.sent == {"jobs": [{"mailbox": ADA}]}
    report = desk.call("GET", response.body["run"]).body
    assert (report["status"], report["trigger"], report["actor"]) == ("queued", "http", "ADA")


def test_the_report_of_a_finished_run_says_what_was_done(desk: Desk) -> None:
    desk.save()
    desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example")
    run = desk.call("POST", "/api/sync", {"user": ADA, "mode": "full"}).body["run"]
    desk.work()

    report = desk.call("GET", run).body
    assert report["status"] == "succeeded", report
    assert report["mode"] == "full"
    assert report["toOutlook"]["created"] == 1
    assert report["endedAt"] is not None
    assert desk.call("GET", f"/api/profiles/{ADA}").body["state"]["linked"] == 1


def test_r29_plain_requests_of_one_profile_become_one_run(desk: Desk) -> None:
    desk.save()
    first = desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"}).body
    second = desk.call("POST", "/api/sync", {"user": ADA, "mode": "full"}).body
    assert first["runId"] == second["runId"]
    assert [each.mode for each in desk.services.mailboxes.waiting(ADA)] == [Mode.FULL]
    assert len(desk.world.state.reports.rows) == 1


def test_r29_a_request_that_joins_the_timers_run_has_a_report_too(desk: Desk) -> None:
    desk.save()
    profile = desk.services.profiles.get(COMPANY, ADA)
    assert profile is not None
    request_automatic_run(desk.services, profile, Trigger.TIMER, desk.services.now())
    run = desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"}).body["run"]
    assert desk.call("GET", run).body["trigger"] == "http"
    desk.work()
    assert desk.call("GET", run).body["status"] == "succeeded"


def test_r29_previews_and_filters_of_their_own_wait_in_line(desk: Desk) -> None:
    desk.save()
    wanted = [
        {"mode": "incremental"},
        {"mode": "incremental", "preview": True},
        {"mode": "incremental", "filter": {"city": "Basel"}, "saveFilter": False},
    ]
    runs = {desk.call("POST", "/api/sync", each | {"user": ADA}).body["runId"] for each in wanted}
    assert len(runs) == 3


def test_r34_a_preview_shows_its_plan_and_changes_nothing(desk: Desk) -> None:
    desk.save()
    desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example")
    run = desk.call("POST", "/api/sync", {"user": ADA, "mode": "full", "preview": True}).body["run"]
    desk.work()

    report = desk.call("GET", run).body
    assert report["preview"] is True
    assert [(each["operation"], each["name"]) for each in report["plan"]] == [("create", "Ann Ash")]
    assert desk.world.mailbox(ADA).writes == []


def test_a_filter_with_the_run_is_saved_unless_it_is_for_this_run_only(desk: Desk) -> None:
    desk.save(filter={"city": "Basel"})
    desk.call("POST", "/api/sync", {"user": ADA, "mode": "full", "filter": {"city": "Bern"}, "saveFilter": False})
    desk.work()
    assert desk.call("GET", f"/api/profiles/{ADA}").body["filter"] == {"city": "Basel"}
    desk.call("POST", "/api/sync", {"user": ADA, "mode": "full", "filter": {"city": "Bern"}})
    desk.work()
    assert desk.call("GET", f"/api/profiles/{ADA}").body["filter"] == {"city": "Bern"}


def test_r26_a_confirmed_number_of_removals_reaches_the_run(desk: Desk) -> None:
    desk.save()
    desk.call("POST", "/api/sync", {"user": ADA, "mode": "full", "confirmRemovals": 12})
    assert [each.confirm_removals for each in desk.services.mailboxes.waiting(ADA)] == [12]


def test_a_disabled_profile_is_not_run(desk: Desk) -> None:
    desk.save(enabled=False)
    assert desk.call("POST", "/api/sync", {"user": ADA, "mode": "full"}).problem == (409, "profile-disabled", "")
    assert not desk.services.mailboxes.waiting(ADA)


def test_which_profile_is_meant_may_be_said_in_query_or_body(desk: Desk) -> None:
    desk.world.environment.add(OTHER_COMPANY)
    desk.save(company=COMPANY)
    desk.save(company=OTHER_COMPANY)
    body = {"user": ADA, "mode": "full"}
    assert desk.call("POST", "/api/sync", body).problem == (409, "several-companies", "company")
    assert desk.call("POST", "/api/sync?company=Fabrikam", body).status == 202
    assert desk.call("POST", "/api/sync", body | {"companyId": COMPANY}).status == 202
    assert {each.company_id for each in desk.services.mailboxes.waiting(ADA)} == {COMPANY, OTHER_COMPANY}


# ---------------------------------------------------------------- waiting


def test_wait_answers_with_the_finished_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.save()
    desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example")
    workers: list[threading.Thread] = []

    def wake(mailbox: str, *, delay: float = 0) -> None:
        workers.append(threading.Thread(target=desk.work, args=(mailbox,)))
        workers[-1].start()

    # the message must not wait for the function's end, as a binding's would
    monkeypatch.setattr(desk.services.messages, "sync_job", wake)
    response = desk.call("POST", "/api/sync?wait=60", {"user": ADA, "mode": "full"})
    for worker in workers:
        worker.join()

    assert len(workers) == 1
    assert response.status == 200
    assert response.body["status"] == "succeeded"
    assert response.sent == {"jobs": []}


def test_wait_that_is_too_short_answers_where_the_run_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.save()
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        desk.world.clock.advance(seconds=seconds)

    monkeypatch.setattr("functions.sync.asyncio.sleep", nap)
    response = desk.call("POST", "/api/sync?Wait=3", {"user": ADA, "mode": "full"})
    assert response.status == 202
    assert [each.id for each in desk.world.state.messages.sent] == [ADA]
    assert sum(naps) == pytest.approx(3)


@pytest.mark.parametrize("wait", ["61", "-1", "1.5", "soon"])
def test_wait_is_a_number_up_to_60(desk: Desk, wait: str) -> None:
    desk.save()
    assert desk.call("POST", f"/api/sync?wait={wait}", {"user": ADA, "mode": "full"}).problem == (
        400,
        "bad-query",
        "wait",
    )
    assert not desk.services.mailboxes.waiting(ADA)


# ---------------------------------------------------------------- reports


def test_reports_of_a_profile_come_newest_first_a_page_at_a_time(desk: Desk) -> None:
    desk.save()
    made = []
    for _ in range(5):
        desk.world.clock.advance(seconds=10)
        made.append(desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"}).body["runId"])
        desk.work()

    seen, address = [], f"/api/profiles/{ADA}/runs?top=2"
    while address:
        page = desk.call("GET", address).body
        assert len(page["runs"]) <= 2
        seen += [each["runId"] for each in page["runs"]]
        address = page["next"]
    assert seen == list(reversed(made))


@pytest.mark.parametrize(
    ("query", "field"), [("top=0", "top"), ("top=101", "top"), ("top=x", "top"), ("after=a'b", "after")]
)
def test_pages_take_numbers_and_tokens_of_ours(desk: Desk, query: str, field: str) -> None:
    desk.save()
    assert desk.call("GET", f"/api/profiles/{ADA}/runs?{query}").problem == (400, "bad-query", field)


@pytest.mark.parametrize("run", ["nonsense", "9999999999999.x.00000000", "..", "a'b"])
def test_an_unknown_run_is_not_found(desk: Desk, run: str) -> None:
    assert desk.call("GET", f"/api/runs/{run}").problem == (404, "unknown-run", "id")
