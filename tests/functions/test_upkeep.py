"""Subscriptions come with their profile, live as long as it, and end with it; losing one costs speed only."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from functions.fan_out import fan_out
from functions.upkeep import upkeep
from shared.engine.watching import BC_PATH, GRAPH_PATH, Draft, Source
from shared.errors import RetryableError, SubscriptionRefused
from tests.fakes.watching import MemoryNotifications
from tests.fakes.world import COMPANY
from tests.functions.desk import ADA, BEN, SALES, Desk, Sent
from tests.functions.test_jobs import Tick, woken
from tests.functions.test_webhooks import ADDRESS, item, subscription, watched

__all__ = ["watched"]


def keep_up(desk: Desk) -> None:
    upkeep(Tick())  # type: ignore[arg-type]


def tick(desk: Desk) -> list[str]:
    woken(desk)
    fan_out(Tick(), Sent())  # type: ignore[arg-type]
    return woken(desk)


def graph(desk: Desk) -> MemoryNotifications:
    return desk.world.directory.watch


def share_a_mailbox(desk: Desk) -> None:
    """Ada and Ben have a folder each in Ada's mailbox, are synced, and what changes is to be announced."""
    desk.announce_at(ADDRESS)
    desk.save(ADA)
    desk.call("PUT", f"/api/admin/profiles/{BEN}", {"mailbox": "ada@contoso.example", "folder": "Ben's"})
    for user in (ADA, BEN):
        desk.call("POST", "/api/sync", {"user": user, "mode": "incremental"})
        desk.work(ADA)


def asked(desk: Desk, act: Callable[[], object]) -> list[str]:
    """What Graph's subscriptions were asked for meanwhile, beside the list of a day."""
    return [each for each in asked_at_all(desk, act) if each != "listed"]


def asked_at_all(desk: Desk, act: Callable[[], object]) -> list[str]:
    before = len(graph(desk).asked)
    act()
    return graph(desk).asked[before:]


def test_a_first_run_leaves_a_subscription_on_its_folder(desk: Desk) -> None:
    desk.announce_at(ADDRESS)
    desk.save(ADA)
    assert graph(desk).live == {}
    desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"})
    desk.work()
    ((key, draft),) = graph(desk).live.items()
    assert (draft.mailbox_id, draft.address) == (ADA, ADDRESS)
    assert draft.folder_id == desk.services.mailboxes.peek(ADA, COMPANY, ADA).positions().folder_id
    assert len(draft.client_state) >= 32
    assert key == subscription(desk).id
    state = desk.call("GET", f"/api/profiles/{ADA}").body["state"]["notifications"]
    assert (state["active"], state["code"]) == (True, "")


def test_later_runs_ask_nothing_about_it(watched: Desk) -> None:
    watched.world.faults.calls.clear()
    watched.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"})
    watched.work()
    assert not [each for each in watched.world.faults.calls if each.startswith("subscriptions.")]


def test_without_a_public_address_nothing_is_subscribed_and_the_timer_polls(desk: Desk) -> None:
    desk.save(ADA)
    for _ in range(3):
        assert tick(desk) == [ADA]
        desk.work()
        keep_up(desk)
        desk.world.clock.advance(minutes=5)
    assert graph(desk).asked == []
    checks = desk.call("POST", f"/api/profiles/{ADA}/validate").body
    (webhook,) = [each for each in checks["checks"] if each["check"] == "webhook"]
    assert (webhook["ok"], checks["ok"]) == (False, True)
    assert "PUBLIC_ADDRESS" in webhook["whatToDo"]


def test_a_watched_profile_is_left_alone_until_its_sweep(watched: Desk) -> None:
    for _ in range(8):
        assert tick(watched) == []
        watched.world.clock.advance(minutes=5)
    sweeps: list[str] = []
    for _ in range(6):
        sweeps += tick(watched)
        watched.work(ADA)
        watched.work(BEN)
        watched.world.clock.advance(minutes=5)
    assert sorted(sweeps) == [ADA, BEN]


def test_an_idle_tick_reads_no_profile_and_asks_graph_for_nothing(watched: Desk) -> None:
    tick(watched)
    watched.world.clock.advance(minutes=5)
    watched.world.faults.calls.clear()
    tick(watched)
    calls = watched.world.faults.calls
    assert not [each for each in calls if each.startswith(("graph.", "profiles.in", "profiles.get", "mailbox"))]
    assert sorted({each for each in calls if each.startswith("bc.")}) == ["bc.changed_since", "bc.stamps"]


def test_dropping_every_notification_still_converges_by_the_sweep(watched: Desk) -> None:
    box = watched.world.mailbox(ADA)
    box.edit(next(iter(box.entries)), job_title="Buyer")
    for _ in range(16):
        for mailbox in tick(watched):
            watched.work(mailbox)
        watched.world.clock.advance(minutes=5)
    (contact,) = watched.world.bc.contacts()
    assert contact.values["jobTitle"] == "Buyer"
    assert [each.contact.card.job_title for each in watched.world.mailbox(BEN).entries.values()] == ["Buyer"]


def test_a_subscription_is_renewed_with_days_to_spare_and_not_before(watched: Desk) -> None:
    watched.world.clock.advance(days=3)
    assert asked(watched, lambda: keep_up(watched)) == []
    before = subscription(watched).expires_at
    watched.world.clock.advance(days=1, hours=23)
    assert asked(watched, lambda: keep_up(watched)) == ["renew", "renew"]
    after = subscription(watched).expires_at
    assert before is not None
    assert after is not None
    assert after - before > timedelta(days=4)
    assert asked(watched, lambda: keep_up(watched)) == []


def test_one_that_is_gone_when_it_is_renewed_is_made_anew_and_the_folder_is_read(watched: Desk) -> None:
    tick(watched)
    watched.world.clock.advance(days=4, hours=23)
    graph(watched).live.clear()
    assert sorted(asked(watched, lambda: keep_up(watched))) == ["renew", "renew", "subscribe", "subscribe"]
    assert set(graph(watched).live) == {subscription(watched).id, subscription(watched, BEN).id}
    assert sorted(tick(watched)) == [ADA, BEN]


def test_one_that_ended_unnoticed_is_polled_from_its_end_on(watched: Desk) -> None:
    assert tick(watched) == []
    watched.world.clock.advance(days=8)
    for _ in range(3):
        assert sorted(tick(watched)) == [ADA, BEN]
        watched.work(ADA)
        watched.work(BEN)
        watched.world.clock.advance(minutes=5)


@pytest.mark.parametrize("code", ["no-permission", "webhook-unreachable", "subscription-quota", "not-supported"])
def test_a_refusal_is_reported_tried_again_ever_more_rarely_and_the_profile_polled(watched: Desk, code: str) -> None:
    watched.world.clock.advance(days=8)
    graph(watched).live.clear()
    graph(watched).refusal = SubscriptionRefused("Say yes in the portal.", code=code)
    tries = [len(asked(watched, lambda: keep_up(watched)))]
    for _ in range(24):
        watched.world.clock.advance(minutes=15)
        tries.append(len(asked(watched, lambda: keep_up(watched))))
    assert tries[0] == 2
    assert 4 <= sum(tries) <= 14
    assert sum(tries[12:]) < sum(tries[:12])
    checks = watched.call("POST", f"/api/profiles/{ADA}/validate").body["checks"]
    (webhook,) = [each for each in checks if each["check"] == "webhook"]
    assert (webhook["ok"], webhook["whatToDo"]) == (False, "Say yes in the portal.")
    state = watched.call("GET", f"/api/profiles/{ADA}").body["state"]["notifications"]
    assert (state["active"], state["code"]) == (False, code)
    assert sorted(tick(watched)) == [ADA, BEN]

    graph(watched).refusal = None
    watched.world.clock.advance(days=1)
    keep_up(watched)
    assert watched.call("GET", f"/api/profiles/{ADA}").body["state"]["notifications"]["active"]


def test_one_users_refusal_stops_no_other_user(watched: Desk) -> None:
    watched.world.clock.advance(days=8)
    graph(watched).live.clear()
    watched.world.faults.fail(1, RetryableError("away"), call="graph.subscribe")
    keep_up(watched)
    assert len(graph(watched).live) == 1
    watched.world.clock.advance(minutes=15)
    keep_up(watched)
    assert len(graph(watched).live) == 2


def test_a_changed_public_address_moves_all_subscriptions(watched: Desk) -> None:
    old = item(watched)
    watched.announce_at("https://new.contoso.example")
    keep_up(watched)
    assert {each.address for each in graph(watched).live.values()} == {"https://new.contoso.example"}
    assert {each.address for each in watched.world.environment.watch.live.values()} == {"https://new.contoso.example"}
    assert not any(watched.call("POST", "/api/webhooks/graph", {"value": [old]}).sent.values())


def test_switching_automatic_runs_off_ends_the_subscription_and_on_makes_one(watched: Desk) -> None:
    ours = subscription(watched).id
    watched.call("PATCH", f"/api/profiles/{ADA}", {"automatic": False})
    assert ours not in graph(watched).live
    watched.call("PATCH", f"/api/profiles/{ADA}", {"automatic": True})
    keep_up(watched)
    assert subscription(watched).id in graph(watched).live


def test_a_recreated_folder_is_watched_in_place_of_the_old_one(watched: Desk) -> None:
    box = watched.world.mailbox(ADA)
    before = graph(watched).live[subscription(watched).id].folder_id
    box.delete_folder(before)
    watched.call("POST", "/api/sync", {"user": ADA, "mode": "full"})
    watched.work()
    mine = [each for each in graph(watched).live.values() if each.mailbox_id == ADA]
    assert [each.folder_id for each in mine] == [next(iter(box.folders))]
    assert mine[0].folder_id != before


def test_profiles_of_one_mailbox_share_a_subscription_on_the_whole_of_it(desk: Desk) -> None:
    graph(desk).folders = False
    share_a_mailbox(desk)
    (key,) = graph(desk).live
    assert {subscription(desk, ADA).id, subscription(desk, BEN).id} == {key}
    desk.work(ADA)
    desk.call("POST", "/api/webhooks/graph", {"value": [item(desk)]})
    assert {each.profile_id for each in desk.services.mailboxes.waiting(ADA)} == {ADA, BEN}

    desk.work(ADA)
    desk.call("DELETE", f"/api/admin/profiles/{ADA}")
    assert list(graph(desk).live) == [key]  # Ben still needs it
    desk.call("DELETE", f"/api/admin/profiles/{BEN}")
    assert graph(desk).live == {}


def test_what_a_dead_run_left_at_graph_is_replaced_since_nobody_knows_its_secret(desk: Desk) -> None:
    desk.announce_at(ADDRESS)
    desk.save(ADA)
    desk.world.faults.fail(2, RetryableError("storage is away"), call="subscriptions.save")
    desk.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"})
    desk.work()
    assert len(graph(desk).live) == 1
    desk.world.clock.advance(minutes=3)
    keep_up(desk)
    assert list(graph(desk).live) == [subscription(desk).id]


def test_two_workers_make_one_subscription_not_two(watched: Desk) -> None:
    watched.world.clock.advance(days=8)
    graph(watched).live.clear()
    watched.world.faults.before("graph.subscribe", lambda: keep_up(watched))
    keep_up(watched)
    assert set(graph(watched).live) == {subscription(watched).id, subscription(watched, BEN).id}


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
