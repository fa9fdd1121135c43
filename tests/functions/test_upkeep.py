"""Subscriptions come with their profile, live as long as it, and end with it; losing one costs speed only."""

from datetime import timedelta

import pytest

from shared.errors import RetryableError, SubscriptionRefused
from tests.fakes.world import COMPANY
from tests.functions.announced import ADDRESS, asked, graph, item, keep_up, share_a_mailbox, subscription, tick
from tests.functions.desk import ADA, BEN, Desk


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
    assert [each for each in calls if each.startswith("bc.")] == ["bc.stamps"]


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
