"""What upkeep finds: orphans, lost ones, companies, Graph's list, and what its log tells."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.engine.watching import BC_PATH, GRAPH_PATH, Draft, Source
from shared.errors import RetryableError, SubscriptionRefused
from tests.fakes.world import COMPANY
from tests.functions.announced import (
    ADDRESS,
    asked_at_all,
    graph,
    keep_up,
    share_a_mailbox,
    subscription,
    tick,
)
from tests.functions.desk import ADA, BEN, SALES, Desk


def test_orphans_at_our_address_are_ended_and_nobody_elses(watched: Desk) -> None:
    clock = watched.world.clock
    clock.advance(days=1)
    for number, address in enumerate((ADDRESS, "https://other.contoso.example")):
        graph(watched).live[f"orphan-{number}"] = Draft(COMPANY, f"m{number}", "f", address)
        graph(watched).ends[f"orphan-{number}"] = clock() + timedelta(days=3)
        watched.world.environment.watch.live[f"orphan-{number}"] = Draft(f"c{number}", address=address)
        watched.world.environment.watch.ends[f"orphan-{number}"] = clock() + timedelta(days=1)
    graph(watched).live["fresh"] = Draft(COMPANY, "m7", "f", ADDRESS)
    graph(watched).ends["fresh"] = clock() + timedelta(minutes=10_000)
    keep_up(watched)
    assert {each for each in graph(watched).live if not each.startswith("graph")} == {"orphan-1", "fresh"}
    assert {each for each in watched.world.environment.watch.live if not each.startswith("bc")} == {"orphan-1"}


def test_a_profile_that_lost_its_mark_gets_one(watched: Desk) -> None:
    watched.world.state.marks.rows.clear()
    assert tick(watched) == []
    keep_up(watched)
    assert sorted(tick(watched)) == [ADA, BEN]


def test_companies_are_watched_renewed_daily_and_made_anew_when_bc_dropped_them(watched: Desk) -> None:
    bc = watched.world.environment.watch
    ours = subscription(watched, "")
    assert (list(bc.live), ours.id) == ([ours.id], ours.id)
    watched.world.clock.advance(hours=25)
    bc.asked.clear()
    keep_up(watched)
    assert bc.asked == ["listed", "renew"]
    bc.live.clear()
    keep_up(watched)
    assert list(bc.live) == [subscription(watched, "").id]
    assert subscription(watched, "").id != ours.id


def test_a_company_that_cannot_be_watched_is_polled_as_ever(watched: Desk) -> None:
    watched.world.environment.watch.refusal = SubscriptionRefused("Not offered.", code="not-supported")
    watched.world.clock.advance(days=4)
    keep_up(watched)
    known = watched.services.subscriptions.get(Source.BC, COMPANY)
    assert known is not None
    assert known.problem == "not-supported"
    (ann,) = watched.world.bc.contacts()
    watched.world.bc.edit(ann.id, city="Bern")
    assert sorted(tick(watched)) == [ADA, BEN]


def test_a_shared_mailbox_is_watched_like_any_other(desk: Desk) -> None:
    desk.announce_at(ADDRESS)
    desk.call("PUT", f"/api/admin/profiles/{SALES}", {})
    desk.call("POST", "/api/sync", {"user": SALES, "mode": "incremental"})
    desk.work(SALES)
    assert [each.mailbox_id for each in graph(desk).live.values()] == [SALES]


def test_the_paths_that_services_are_given_are_our_doors() -> None:
    from tests.functions.test_registration import OPEN

    routes = {f"/{route}" for route, _ in OPEN.values()}
    assert {GRAPH_PATH, BC_PATH, f"{GRAPH_PATH}/lifecycle"} <= routes


def test_what_graph_lost_without_a_word_is_made_anew_within_a_day(watched: Desk) -> None:
    clock = watched.world.clock
    clock.advance(days=1)
    lost = subscription(watched).id
    del graph(watched).live[lost]
    keep_up(watched)
    assert set(graph(watched).live) == {subscription(watched).id, subscription(watched, BEN).id}
    assert subscription(watched).id != lost
    assert ADA in tick(watched)


def test_graph_is_asked_for_its_list_once_a_day_whenever_the_timer_ticks(watched: Desk) -> None:
    watched.world.clock.advance(days=1)
    listed = []
    for _ in range(4 * 3):  # a timer that ticks every six hours, for three days
        listed.append("listed" in asked_at_all(watched, lambda: keep_up(watched)))
        watched.world.clock.advance(hours=6)
    assert listed == [True, False, False, False] * 3


def test_a_list_that_graph_does_not_give_is_asked_for_again_at_the_next_tick(watched: Desk) -> None:
    watched.world.clock.advance(days=1)
    watched.world.faults.fail(1, RetryableError("throttled"), call="graph.listed")
    assert [asked_at_all(watched, lambda: keep_up(watched)).count("listed") for _ in range(3)] == [0, 1, 0]


def test_one_that_could_not_be_renewed_is_named_while_it_still_announces(watched: Desk) -> None:
    graph(watched).refusal = SubscriptionRefused("Say yes in the portal.", code="no-permission")
    watched.world.clock.advance(days=5)
    keep_up(watched)
    assert subscription(watched).is_healthy(watched.world.clock())
    checks = watched.call("POST", f"/api/profiles/{ADA}/validate").body
    (webhook,) = [each for each in checks["checks"] if each["check"] == "webhook"]
    assert (webhook["ok"], webhook["whatToDo"], checks["ok"]) == (False, "Say yes in the portal.", True)
    assert webhook["detail"].startswith("Outlook announces changes")


def test_one_that_was_ended_for_a_better_one_that_is_refused_counts_as_none(watched: Desk) -> None:
    watched.announce_at("https://new.contoso.example")
    graph(watched).refusal = SubscriptionRefused("No.", code="webhook-unreachable")
    keep_up(watched)
    assert graph(watched).live == {}
    assert not watched.call("GET", f"/api/profiles/{ADA}").body["state"]["notifications"]["active"]
    assert sorted(tick(watched)) == [ADA, BEN]


def test_a_profile_whose_new_subscription_is_not_answered_is_polled(watched: Desk) -> None:
    watched.announce_at("https://new.contoso.example")
    for _ in range(2):
        watched.world.faults.fail(1, RetryableError("away"), call="graph.subscribe")
    keep_up(watched)
    assert sorted(tick(watched)) == [ADA, BEN]


def test_two_profiles_of_one_mailbox_do_not_end_each_others_subscription(desk: Desk) -> None:
    graph(desk).refusal = SubscriptionRefused("Not now.", code="webhook-unreachable")
    share_a_mailbox(desk)
    graph(desk).refusal, graph(desk).folders = None, False
    desk.world.clock.advance(hours=1)
    desk.world.faults.before("subscriptions.save", lambda: None)
    # Ada's worker has subscribed and not stored it yet when Ben's comes
    desk.world.faults.fail(2, RetryableError("storage is away"), call="subscriptions.save")
    for _ in range(4):
        keep_up(desk)
        desk.world.clock.advance(minutes=15)
    (key,) = graph(desk).live
    assert {subscription(desk, ADA).id, subscription(desk, BEN).id} == {key}


def test_who_shared_one_that_is_gone_learns_of_it_at_once(desk: Desk) -> None:
    graph(desk).folders = False
    share_a_mailbox(desk)
    graph(desk).live.clear()
    desk.world.clock.advance(days=4, hours=23)
    for _ in range(3):
        keep_up(desk)
        desk.world.clock.advance(minutes=15)
    assert {subscription(desk, ADA).id, subscription(desk, BEN).id} == set(graph(desk).live)


def test_a_companys_subscription_ends_with_its_last_profile(watched: Desk) -> None:
    for user in (ADA, BEN):
        watched.call("DELETE", f"/api/admin/profiles/{user}")
    keep_up(watched)
    assert watched.world.environment.watch.live == {}


def test_a_new_base_filter_reaches_profiles_at_once(watched: Desk) -> None:
    assert tick(watched) == []
    saved = watched.call("PUT", f"/api/admin/companies/{COMPANY}", {"baseFilter": {"city": "Nowhere"}})
    assert saved.status == 200
    assert sorted(tick(watched)) == [ADA, BEN]
    watched.work(ADA)
    assert watched.world.mailbox(ADA).entries == {}


def test_a_renewal_that_meets_another_stops_no_other_upkeep(watched: Desk) -> None:
    watched.world.clock.advance(days=4, hours=23)
    watched.world.environment.watch.asked.clear()

    def meanwhile() -> None:
        known = subscription(watched)
        watched.services.subscriptions.save(known)

    watched.world.faults.before("graph.renew", meanwhile)
    keep_up(watched)
    assert watched.world.environment.watch.asked[0] == "listed"  # the companies' turn came


def events(caplog: pytest.LogCaptureFixture, name: str) -> list[dict[str, Any]]:
    """The facts of each event of that name in the log, as the alerts' queries read them."""
    lines = (each.getMessage().partition(" ") for each in caplog.records)
    return [json.loads(facts) for event, _, facts in lines if event == name]


def test_the_log_tells_of_subscriptions_that_could_not_be_renewed_until_near_their_end(
    watched: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    keep_up(watched)
    assert events(caplog, "upkeep")[-1]["expiring"] == 0
    graph(watched).refusal = SubscriptionRefused("Say yes in the portal.", code="no-permission")
    expires_at = subscription(watched).expires_at
    assert expires_at
    left = expires_at - watched.world.clock()
    watched.world.clock.advance(seconds=left.total_seconds() - 3 * 3600)
    keep_up(watched)
    assert events(caplog, "upkeep")[-1]["expiring"] >= 1


def test_the_log_tells_how_long_work_waits_and_what_a_run_did(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    desk.save(ADA)
    desk.call("POST", "/api/sync", {"user": ADA, "mode": "full"})
    desk.services.messages.sync_job(ADA)
    desk.world.clock.advance(minutes=20)
    keep_up(desk)
    assert events(caplog, "upkeep")[-1]["waiting"] >= 20 * 60
    desk.work(ADA)
    (finished,) = events(caplog, "run_finished")
    assert finished["waited"] >= 20 * 60
    assert finished["to_outlook"].keys() == {"created", "updated", "deleted", "unchanged", "skipped"}
