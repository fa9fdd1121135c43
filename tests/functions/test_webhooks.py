"""What the services' doors do with handshakes, notifications, and everything that strangers send."""

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest

from functions.company_jobs import company_jobs
from functions.upkeep import upkeep
from shared.engine import jobs
from shared.engine.model import Trigger
from shared.errors import RetryableError
from tests.fakes.world import COMPANY
from tests.functions.announced import BC, GRAPH, LIFECYCLE, item, subscription, waiting
from tests.functions.desk import ADA, BEN, Desk
from tests.functions.test_jobs import Tick, message, woken

# ---------------------------------------------------------------- handshakes

TOKENS = ["abc", "Validation: Testing client application reachability for subscription Request-Id: 1", "ä+b %41&=?"]


@pytest.mark.parametrize("address", [GRAPH, LIFECYCLE, BC])
@pytest.mark.parametrize("token", [*TOKENS, "<script>alert(1)</script>"])
def test_a_handshake_gets_its_token_as_plain_text_that_no_browser_runs(desk: Desk, address: str, token: str) -> None:
    response = desk.call("POST", f"{address}?validationToken={quote(token)}")
    assert (response.status, response.body) == (200, {"text": token})
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_business_central_may_greet_by_get(desk: Desk) -> None:
    assert desk.call("GET", f"{BC}?validationToken=abc").body == {"text": "abc"}


@pytest.mark.parametrize("address", [GRAPH, LIFECYCLE, BC])
def test_a_token_of_64_kib_is_nobodys(desk: Desk, address: str) -> None:
    assert desk.call("POST", f"{address}?validationToken={'x' * 65_536}").problem == (400, "bad-token", "")


# ---------------------------------------------------------------- notifications of Graph


def test_a_notification_leads_to_one_run_that_reads_the_folder_and_not_the_company(watched: Desk) -> None:
    response = watched.call("POST", GRAPH, {"value": [item(watched)]})
    assert (response.status, response.sent) == (202, {"jobs": [{"mailbox": ADA}]})
    (request,) = watched.services.mailboxes.waiting(ADA)
    assert (request.trigger, request.reads_folder, request.fresh_feed) == (Trigger.GRAPH, True, False)
    assert waiting(watched, BEN) == []

    key = next(iter(watched.world.mailbox(ADA).entries))
    watched.world.mailbox(ADA).edit(key, job_title="Buyer")
    watched.world.faults.calls.clear()
    watched.work(ADA)
    asked = {each for each in watched.world.faults.calls if each.startswith("bc.")}
    assert asked == {"bc.write"}
    (contact,) = watched.world.bc.contacts()
    assert contact.values["jobTitle"] == "Buyer"


def test_a_burst_in_one_body_or_in_many_is_one_run_and_one_message(watched: Desk) -> None:
    sent = [watched.call("POST", GRAPH, {"value": [item(watched)] * 1000}).sent["jobs"]]
    sent += [watched.call("POST", GRAPH, {"value": [item(watched, id=str(n))]}).sent["jobs"] for n in range(50)]
    assert [each for each in sent if each] == [[{"mailbox": ADA}]]
    assert waiting(watched) == [Trigger.GRAPH]


def test_one_body_may_speak_of_several_mailboxes(watched: Desk) -> None:
    response = watched.call("POST", GRAPH, {"value": [item(watched), item(watched, BEN)]})
    assert response.sent["jobs"] == [{"mailbox": ADA}, {"mailbox": BEN}]


def test_what_arrives_while_a_run_is_under_way_is_done_by_the_next(watched: Desk) -> None:
    watched.call("POST", GRAPH, {"value": [item(watched)]})
    box = watched.world.mailbox(ADA)
    key = next(iter(box.entries))

    def meanwhile() -> None:
        box.edit(key, job_title="Seller")
        watched.call("POST", GRAPH, {"value": [item(watched)]})

    watched.world.faults.before("mailbox.finish", meanwhile)
    watched.work(ADA)
    (contact,) = watched.world.bc.contacts()
    assert contact.values["jobTitle"] == "Seller"


def test_the_next_run_of_a_burst_waits_and_a_persons_does_not(watched: Desk) -> None:
    watched.call("POST", GRAPH, {"value": [item(watched)]})
    watched.world.clock.advance(seconds=0.5)
    run_once(watched)
    assert waiting(watched) == []
    watched.call("POST", GRAPH, {"value": [item(watched)]})
    woken(watched)
    run_once(watched)
    assert waiting(watched) == [Trigger.GRAPH]
    (later,) = watched.world.state.messages.sent
    assert timedelta() < later.due - watched.services.now() <= timedelta(seconds=2.5)

    watched.world.clock.advance(seconds=1)
    watched.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"})
    run_once(watched)
    assert waiting(watched) == []  # merged into the person's, which does not wait


def run_once(desk: Desk) -> None:
    from shared.engine.run import run_mailbox

    run_mailbox(desk.services, ADA, "worker")


@pytest.mark.parametrize(
    "change",
    [
        {"clientState": "wrong"},
        {"clientState": None},
        {"clientState": ""},
        {"clientState": "ä" * 10},
        {"clientState": 7},
        {"clientState": "x" * 100_000},
        {"subscriptionId": "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"},
        {"subscriptionId": ""},
        {"subscriptionId": None},
        {"subscriptionId": "a/b?c#d\\e\u0000"},
        {"subscriptionId": ["x"]},
        {"tenantId": "77777777-0000-0000-0000-000000000007"},
        {"subscriptionExpirationDateTime": "2020-01-31T12:00:00.0000000Z"},
    ],
)
def test_what_is_forged_unknown_or_long_past_is_answered_alike_and_does_nothing(
    watched: Desk, change: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    response = watched.call("POST", GRAPH, {"value": [item(watched, **change)]})
    assert (response.status, response.body) == (202, {"text": ""})
    assert not any(response.sent.values())
    assert waiting(watched) == []
    assert subscription(watched).client_state not in caplog.text


@pytest.mark.parametrize("state", ["wrong", "", "a.b", "." + "0" * 43, f"{'x' * 43}.{'0' * 43}"])
def test_a_body_full_of_forged_secrets_costs_no_look_up(watched: Desk, state: str) -> None:
    strange = [item(watched, clientState=state, subscriptionId=f"guess-{number}") for number in range(2_000)]
    watched.call("POST", GRAPH, {"value": [item(watched)]})  # the key of the signatures is read once per process
    for address in (GRAPH, LIFECYCLE, BC):
        watched.world.faults.calls.clear()
        assert watched.call("POST", address, {"value": strange}).status == 202
        assert set(watched.world.faults.calls) <= {"subscriptions.signing_key"}


def test_a_subscription_with_a_secret_of_an_older_version_is_made_anew(watched: Desk) -> None:
    old = {user: subscription(watched, user) for user in (ADA, "")}
    for each in old.values():
        watched.services.subscriptions.save(replace(each, client_state="as it was before"))
    upkeep(Tick())  # type: ignore[arg-type]
    for user, before in old.items():
        now = subscription(watched, user)
        assert now.id and now.id != before.id and now.client_state not in ("as it was before", before.client_state)
        assert any(watched.call("POST", GRAPH if user else BC, {"value": [item(watched, user)]}).sent.values())


def test_forged_and_unknown_notices_are_counted(watched: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    strange = [item(watched, clientState="wrong"), item(watched, subscriptionId="x"), item(watched)]
    watched.call("POST", GRAPH, {"value": strange})
    assert 'notified {"source":"graph","accepted":1,"unknown":1,"forged":1}' in caplog.text


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b'{"value": null}',
        b'{"value": {}}',
        b'{"value": [null, 7, "x", [], {}]}',
        b"[" * 200_000,
        b'{"value": [' + b"{}," * 300_000 + b"{}]}",
        b'{"value": "' + b"x" * (9 * 1024 * 1024) + b'"}',
    ],
    ids=range(13),
)
@pytest.mark.parametrize("address", [GRAPH, LIFECYCLE, BC])
def test_a_body_that_nobody_can_read_is_answered_alike_and_does_nothing(desk: Desk, address: str, raw: bytes) -> None:
    response = desk.call("POST", address, raw=raw)
    assert response.status == 202
    assert not any(response.sent.values())


def test_a_notice_of_a_removed_profile_does_nothing(watched: Desk) -> None:
    old = item(watched)
    assert watched.call("DELETE", f"/api/admin/profiles/{ADA}").status == 200
    assert watched.world.directory.watch.live.keys() == {subscription(watched, BEN).id}
    assert not any(watched.call("POST", GRAPH, {"value": [old]}).sent.values())


def test_a_notice_of_a_profile_switched_off_runs_nothing(watched: Desk) -> None:
    old = item(watched)
    watched.call("POST", GRAPH, {"value": [old]})
    watched.call("PATCH", f"/api/profiles/{ADA}", {"automatic": False})
    before = watched.call("GET", f"/api/profiles/{ADA}/runs").body
    watched.world.faults.calls.clear()
    watched.work(ADA)
    assert not [each for each in watched.world.faults.calls if each.startswith(("bc.", "graph.changes"))]
    assert watched.call("GET", f"/api/profiles/{ADA}/runs").body == before
    assert not any(watched.call("POST", GRAPH, {"value": [old]}).sent.values())


def test_what_cannot_be_stored_is_refused_so_that_it_comes_again(watched: Desk) -> None:
    watched.world.faults.fail(1, RetryableError("storage is away"), call="mailboxes.submit")
    assert watched.call("POST", GRAPH, {"value": [item(watched)]}).status == 503
    assert watched.call("POST", GRAPH, {"value": [item(watched)]}).sent["jobs"] == [{"mailbox": ADA}]


# ---------------------------------------------------------------- lifecycle


def test_missed_notifications_are_made_up_for_by_reading_the_folder(watched: Desk) -> None:
    response = watched.call("POST", LIFECYCLE, {"value": [item(watched, lifecycleEvent="missed")]})
    assert (response.status, response.sent) == (202, {"companies": [], "jobs": [{"mailbox": ADA}]})


def test_a_lost_subscription_is_made_anew_and_the_folder_read(watched: Desk) -> None:
    before = subscription(watched)
    watched.world.directory.watch.live.clear()
    response = watched.call("POST", LIFECYCLE, {"value": [item(watched, lifecycleEvent="subscriptionRemoved")]})
    assert response.sent["jobs"] == [{"mailbox": ADA}]
    (job,) = response.sent["companies"]
    company_jobs(message(json.dumps(job)))
    after = subscription(watched)
    assert after.id in watched.world.directory.watch.live
    assert after.id != before.id
    assert after.client_state != before.client_state
    marks = watched.services.marks.due(COMPANY, watched.services.now())
    assert [each.profile_id for each in marks] == [ADA]


def test_a_subscription_that_must_be_authorized_again_is_renewed(watched: Desk) -> None:
    before = subscription(watched)
    watched.world.clock.advance(hours=1)
    response = watched.call("POST", LIFECYCLE, {"value": [item(watched, lifecycleEvent="reauthorizationRequired")]})
    assert response.sent["jobs"] == []
    (job,) = response.sent["companies"]
    company_jobs(message(json.dumps(job)))
    after = subscription(watched)
    assert after.id == before.id
    assert after.expires_at is not None
    assert before.expires_at is not None
    assert after.expires_at >= before.expires_at + timedelta(hours=1)


@pytest.mark.parametrize("event", ["", "somethingNew", 7, None])
def test_an_event_that_nobody_knows_does_nothing(watched: Desk, event: object) -> None:
    response = watched.call("POST", LIFECYCLE, {"value": [item(watched, lifecycleEvent=event)]})
    assert response.status == 202
    assert not any(response.sent.values())


# ---------------------------------------------------------------- notifications of Business Central


def test_a_company_is_read_once_however_many_notices_arrive(watched: Desk) -> None:
    sent = [watched.call("POST", BC, {"value": [item(watched, "")] * 20}).sent["companies"] for _ in range(20)]
    ((job,),) = [each for each in sent if each]
    assert (job["company"], job["reason"]) == (COMPANY, jobs.Reason.BC)

    (ann,) = watched.world.bc.contacts()
    watched.world.bc.edit(ann.id, city="Bern")
    watched.world.faults.calls.clear()
    company_jobs(message(json.dumps(job)))
    assert sorted(woken(watched)) == [ADA, BEN]
    assert watched.world.faults.calls.count("bc.stamps") == 1
    assert waiting(watched) == [Trigger.BC]

    assert watched.call("POST", BC, {"value": [item(watched, "")]}).sent["companies"]  # a new reason to read


def test_a_message_that_woke_nobody_is_sent_again(watched: Desk) -> None:
    assert watched.call("POST", BC, {"value": [item(watched, "")]}).sent["companies"]
    assert not watched.call("POST", BC, {"value": [item(watched, "")]}).sent["companies"]
    watched.world.clock.advance(seconds=61)
    assert watched.call("POST", BC, {"value": [item(watched, "")]}).sent["companies"]


def test_a_forged_notice_of_business_central_does_nothing(watched: Desk) -> None:
    response = watched.call("POST", BC, {"value": [item(watched, "", clientState="wrong")]})
    assert (response.status, response.sent) == (202, {"companies": []})


def test_one_services_secret_opens_no_other_services_door(watched: Desk) -> None:
    assert not any(watched.call("POST", BC, {"value": [item(watched)]}).sent.values())
    assert not any(watched.call("POST", GRAPH, {"value": [item(watched, "")]}).sent.values())
