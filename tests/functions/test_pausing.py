"""The admin door: pause and resume (R40)."""

from tests.fakes.world import COMPANY
from tests.functions.desk import ADA, Desk
from tests.functions.test_approving import HOLDS, held_run

WHO = {"actor": "the admin"}


def test_r40_a_request_while_everything_is_paused_waits_and_is_woken_by_resuming(desk: Desk) -> None:
    desk.world.bc.put(displayName="Ann Ash", email="ann@contoso.example")
    desk.save()
    assert desk.call("POST", "/api/admin/pause", {**WHO, "reason": "upgrade"}).body["paused"]["reason"] == "upgrade"

    asked = desk.call("POST", "/api/sync?wait=5", {"user": ADA, "mode": "incremental"})

    assert (asked.status, asked.body["paused"]["actor"]) == (202, "the admin")
    assert desk.call("GET", "/api/admin/health").body["paused"][0]["company"] is None
    assert desk.call("GET", f"/api/profiles/{ADA}").body["state"]["paused"]["reason"] == "upgrade"

    assert desk.call("POST", "/api/admin/resume", WHO).body == {"resumed": True, "paused": []}
    assert ADA in {each.mailbox_id for each in desk.services.mailboxes.waiting(ADA)}
    desk.work()
    assert desk.call("GET", asked.body["run"]).body["status"] == "succeeded"


def test_r40_a_profile_or_a_company_is_paused_and_only_that_pause_is_ended(desk: Desk) -> None:
    desk.save()
    desk.call("POST", "/api/admin/pause", {**WHO, "user": ADA})
    desk.call("POST", "/api/admin/pause", {**WHO, "company": COMPANY})
    answer = desk.call("POST", "/api/admin/resume", {**WHO, "user": ADA}).body
    assert answer["resumed"]
    assert [(each["company"], each["user"]) for each in answer["paused"]] == [(COMPANY, None)]
    assert not desk.call("POST", "/api/admin/resume", {**WHO, "user": ADA}).body["resumed"]


def test_r40_who_comes_from_a_company_does_not_pause_all_of_them(desk: Desk) -> None:
    desk.save()
    wanted = {**WHO, "companyId": COMPANY}
    assert desk.call("POST", "/api/admin/pause", wanted).body["paused"]["company"] == COMPANY
    assert desk.call("POST", "/api/admin/resume", wanted).body == {"resumed": True, "paused": []}


def test_r40_a_company_that_is_not_known_is_refused_with_those_that_are(desk: Desk) -> None:
    desk.save()
    refused = desk.call("POST", "/api/admin/pause", {**WHO, "company": "Nowhere"})
    assert refused.problem == (404, "unknown-company", "company")
    assert "companies with profiles: CRONUS AG" in refused.body["detail"]


def test_r40_an_approval_and_an_undo_say_that_they_wait(desk: Desk) -> None:
    run_id = held_run(desk)
    for act, body in (("approve", {**WHO, "holds": HOLDS}), ("undo", WHO)):
        desk.call("POST", "/api/admin/pause", {**WHO, "company": COMPANY, "reason": "upgrade"})
        answer = desk.call("POST", f"/api/admin/runs/{run_id}/{act}", body)
        assert answer.status == 202 and answer.body["paused"]["reason"] == "upgrade"
        assert desk.call("GET", answer.body["run"]).body["status"] == "queued"
        desk.call("POST", "/api/admin/resume", {**WHO, "company": COMPANY})
        desk.work()
        run_id = answer.body["runId"]
        assert desk.call("GET", answer.body["run"]).body["status"].startswith("succeeded")


def test_r40_who_pauses_says_who(desk: Desk) -> None:
    assert desk.call("POST", "/api/admin/pause", {}).problem == (400, "missing-member", "actor")
    assert desk.call("POST", "/api/admin/resume", {}).problem == (400, "missing-member", "actor")
