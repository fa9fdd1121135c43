"""Announced changes through handshakes, webhooks, queues and both services: nobody presses a button, no timer fires."""

import json
import time
from collections.abc import Callable, Iterator

import pytest

from dev.system import System
from tests.integration.announced import announced_system, announcing, at_work
from tests.integration.office import FOLDER, Office

pytestmark = pytest.mark.integration

SOON = 30.0  #: seconds within which an announced change must have arrived, on a busy machine too


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with announced_system() as running:
        yield running


@pytest.fixture
def office(system: System) -> Iterator[Office]:
    with announcing(system) as office:
        yield office


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < until, f"it did not come about within {SOON:.0f} s"
        time.sleep(0.05)


def has(office: Office, user: str, name: str, title: str) -> Callable[[], bool]:
    return lambda: office.in_folder(user).get(name, {}).get("jobTitle") == title


def in_bc(office: Office, name: str, title: str) -> Callable[[], bool]:
    return lambda: office.in_bc().get(name, {}).get("jobTitle") == title


def test_an_edit_in_outlook_reaches_bc_and_the_others_by_its_notification(office: Office) -> None:
    ada, ben = at_work(office, "ada", "ben")
    office.bc.switch(notification_delay=3600.0)  # what BC says of our own write is not counted here
    mark = office.mark()
    office.edit_in_outlook(ada, "Helen Ray", jobTitle="Buyer")
    eventually(in_bc(office, "Helen Ray", "Buyer"))
    eventually(has(office, ben, "Helen Ray", "Buyer"))
    office.system.wait_until_quiet()
    counts = office.counts(mark)
    # Ada's folder is read once; Ben's contact is read again and written; the notification of that write costs nothing
    assert counts["graph"].kinds == {
        "folders.get": 1, "contacts.delta": 1, "contacts.get": 1, "contacts.update": 1,
    }  # fmt: skip
    assert counts["bc"].kinds == {"update contact": 1}


def test_a_new_contact_and_a_deletion_in_outlook_arrive(office: Office) -> None:
    ada, ben = at_work(office, "ada", "ben")
    office.add_in_outlook(ada, "Ines Novak")
    eventually(lambda: "Ines Novak" in office.in_bc())
    eventually(lambda: "Ines Novak" in office.in_folder(ben))
    office.delete_in_outlook(ben, "Ines Novak")  # BC is the master: it comes back
    eventually(lambda: "Ines Novak" in office.in_folder(ben))


def test_an_edit_in_bc_reaches_the_folders_by_bcs_notification(office: Office) -> None:
    ada, ben = at_work(office, "ada", "ben")
    (subscription,) = office.bc.subscriptions()
    assert subscription["notificationUrl"] == f"{office.system.host.https_url}/api/webhooks/business-central"
    office.edit_in_bc("Helen Ray", jobTitle="Buyer")
    eventually(has(office, ada, "Helen Ray", "Buyer"))
    eventually(has(office, ben, "Helen Ray", "Buyer"))
    office.delete_in_bc("David Hodgson")
    eventually(lambda: "David Hodgson" not in office.in_folder(ada))


def test_a_folder_whose_filter_does_not_select_the_contact_is_left_alone(office: Office) -> None:
    (ada,) = at_work(office, "ada")
    ben = office.user("ben", filter={"city": "Nowhere"})
    office.sync(ben)
    office.system.keep_up()
    office.system.tick()
    office.system.wait_until_quiet()
    mark = office.mark()
    office.edit_in_bc("Helen Ray", jobTitle="Buyer")
    eventually(has(office, ada, "Helen Ray", "Buyer"))
    office.system.wait_until_quiet()
    bens = office.app.user("GET", f"/api/profiles/{ben}")["user"]
    assert not [each for each in office.graph.log(service="graph", since=mark) if each["mailbox"] == bens]


def test_a_burst_collapses_into_few_runs_and_none_of_it_is_lost(office: Office) -> None:
    (ada,) = at_work(office, "ada")
    (subscription,) = office.graph.subscriptions()
    mark = office.mark()
    office.graph.burst(subscription["id"], 200, 1.0)
    office.graph.burst(subscription["id"], 1000, together=True)
    office.edit_in_outlook(ada, "Helen Ray", jobTitle="Buyer")
    office.system.wait_until_quiet()
    assert in_bc(office, "Helen Ray", "Buyer")()
    # how few depends on how fast this machine delivers: `make bench ONLY=burst` has the figure
    assert office.counts(mark)["graph"].kinds["contacts.delta"] <= 1200 / 50
    assert {each["status"] for each in office.graph.deliveries() if each["kind"] == "notify"} == {202}


def test_late_doubled_and_shuffled_notifications_converge(office: Office) -> None:
    rough = {"notify_duplicates": 1.0, "notify_delay": 0.5, "notify_shuffle": True}
    ada, ben = at_work(office, "ada", "ben", **rough)
    for number in range(3):
        office.edit_in_outlook(ada, "Helen Ray", jobTitle=f"Buyer {number}")
        office.edit_in_outlook(ben, "David Hodgson", jobTitle=f"Seller {number}")
    eventually(has(office, ben, "Helen Ray", "Buyer 2"))
    eventually(has(office, ada, "David Hodgson", "Seller 2"))
    office.system.wait_until_quiet()
    mark = office.mark()
    for user in (ada, ben):
        office.sync(user)
    assert office.writes(mark) == 0


def test_when_every_notification_is_lost_the_sweep_converges(office: Office) -> None:
    ada, ben = at_work(office, "ada", "ben", notify_loss=1.0)
    office.bc.switch(notification_loss=1.0)
    office.edit_in_outlook(ada, "Helen Ray", jobTitle="Buyer")
    office.edit_in_bc("David Hodgson", jobTitle="Seller")
    for _ in range(2):
        office.system.tick()
    assert in_bc(office, "Helen Ray", "Buyer")()
    assert has(office, ben, "Helen Ray", "Buyer")()
    assert has(office, ada, "David Hodgson", "Seller")()


def test_a_notification_that_met_no_app_comes_again(office: Office) -> None:
    ada, _ = at_work(office, "ada", "ben")
    office.system.host.stop()
    office.edit_in_outlook(ada, "Helen Ray", jobTitle="Buyer")
    eventually(lambda: any(each["status"] == 0 for each in office.graph.deliveries()))
    office.system.restart_app()
    office.graph.advance_clock(60)
    eventually(in_bc(office, "Helen Ray", "Buyer"))


def test_a_subscription_that_graph_ended_is_made_anew_and_what_went_by_is_read(office: Office) -> None:
    (ada,) = at_work(office, "ada")
    (before,) = office.graph.subscriptions()
    office.graph.remove_subscription(before["id"], lifecycle=False)
    office.edit_in_outlook(ada, "Helen Ray", jobTitle="Buyer")  # announced to nobody
    office.graph.send_notifications(
        before["lifecycleNotificationUrl"],
        {"value": [_head(before) | {"lifecycleEvent": "subscriptionRemoved"}]},
    )
    eventually(in_bc(office, "Helen Ray", "Buyer"))
    eventually(lambda: [each["id"] for each in office.graph.subscriptions()] not in ([], [before["id"]]))
    office.edit_in_outlook(ada, "Helen Ray", jobTitle="Seller")
    eventually(in_bc(office, "Helen Ray", "Seller"))


def test_a_subscription_that_lost_its_authorization_is_renewed(office: Office) -> None:
    (ada,) = at_work(office, "ada")
    (before,) = office.graph.subscriptions()
    office.graph.lose_authorization(before["id"])
    eventually(lambda: office.graph.subscriptions()[0]["authorized"])
    office.edit_in_outlook(ada, "Helen Ray", jobTitle="Buyer")
    eventually(in_bc(office, "Helen Ray", "Buyer"))


def test_missed_notifications_are_made_up_for(office: Office) -> None:
    (ada,) = at_work(office, "ada")
    (subscription,) = office.graph.subscriptions()
    office.graph.switch(notify_loss=1.0)
    office.edit_in_outlook(ada, "Helen Ray", jobTitle="Buyer")
    office.graph.send_lifecycle(subscription["id"], "missed")
    eventually(in_bc(office, "Helen Ray", "Buyer"))


def test_where_graph_takes_no_folders_the_mailbox_is_watched(office: Office) -> None:
    (ada,) = at_work(office, "ada", folder_subscriptions=False)
    (subscription,) = office.graph.subscriptions()
    assert subscription["folder"] is None
    office.edit_in_outlook(ada, "Helen Ray", jobTitle="Buyer")
    eventually(in_bc(office, "Helen Ray", "Buyer"))


def test_without_the_permission_validate_says_so_and_the_timer_polls(office: Office) -> None:
    office.graph.add_fault("answer", service="graph", path="/v1.0/subscriptions", status=403, body={"error": {
        "code": "ExtensionError", "message": "Operation: Create; Exception: [Status Code: Forbidden; Reason: x]",
    }})  # fmt: skip
    office.persons("Helen Ray")
    ada = office.user("ada")
    office.sync(ada)
    checks = office.app.user("POST", f"/api/profiles/{ada}/validate", {})
    (webhook,) = [each for each in checks["checks"] if each["check"] == "webhook"]
    assert (webhook["ok"], checks["ok"]) == (False, True)
    assert "Contacts.Read" in webhook["whatToDo"]
    office.edit_in_outlook(ada, "Helen Ray", jobTitle="Buyer")
    office.system.tick()
    assert in_bc(office, "Helen Ray", "Buyer")()


def test_bcs_habit_of_dropping_subscriptions_is_mended_by_upkeep(office: Office) -> None:
    (ada,) = at_work(office, "ada")
    (before,) = office.bc.subscriptions()
    office.bc.recreate_environment()
    assert office.bc.subscriptions() == []
    office.system.keep_up()
    (after,) = office.bc.subscriptions()
    assert after["subscriptionId"] != before["subscriptionId"]
    office.edit_in_bc("Helen Ray", jobTitle="Buyer")
    eventually(has(office, ada, "Helen Ray", "Buyer"))


def test_where_bc_offers_no_webhooks_the_timer_reads_it(office: Office) -> None:
    office.bc.switch(webhook_contacts="unsupported")
    (ada,) = at_work(office, "ada")
    assert office.bc.subscriptions() == []
    office.edit_in_bc("Helen Ray", jobTitle="Buyer")
    office.system.tick()
    assert has(office, ada, "Helen Ray", "Buyer")()


def test_a_renewed_subscription_is_the_same_one_with_a_later_end(office: Office) -> None:
    at_work(office, "ada")
    (before,) = office.graph.subscriptions()

    def ends_later() -> bool:  # ends are told in whole seconds: a renewal within the same one shows nothing
        office.graph.lose_authorization(before["id"])
        eventually(lambda: office.graph.subscriptions()[0]["authorized"])
        return bool(office.graph.subscriptions()[0]["expirationDateTime"] > before["expirationDateTime"])

    eventually(ends_later)  # when it is time to renew is shown in tests/functions/test_upkeep.py
    assert office.graph.subscriptions()[0]["id"] == before["id"]


def test_a_changed_public_address_takes_all_subscriptions_along(office: Office) -> None:
    (ada,) = at_work(office, "ada")
    host = office.system.host
    before, moved = host.settings["PUBLIC_ADDRESS"], f"https://localhost:{host.tls_port}"
    try:
        for address in (moved, before):
            host.stop()
            host.settings["PUBLIC_ADDRESS"] = address
            office.system.restart_app()
            office.system.keep_up()
            told = [*office.graph.subscriptions(), *office.bc.subscriptions()]
            assert {each["notificationUrl"].partition("/api/")[0] for each in told} == {address}
            assert len(told) == 2
        office.edit_in_outlook(ada, "Helen Ray", jobTitle="Buyer")
        eventually(in_bc(office, "Helen Ray", "Buyer"))
    finally:
        host.settings["PUBLIC_ADDRESS"] = before


def test_a_removed_profile_takes_its_subscription_along(office: Office) -> None:
    ada, _ = at_work(office, "ada", "ben")
    adas = office.app.user("GET", f"/api/profiles/{ada}")["user"]
    (old,) = office.graph.subscriptions(adas)
    office.app.admin("DELETE", f"/api/admin/profiles/{ada}")
    assert office.graph.subscriptions(adas) == []
    mark = office.mark()
    answer = office.graph.send_notifications(old["notificationUrl"], {"value": [_head(old)]})
    office.system.wait_until_quiet()
    assert answer["status"] == 202
    assert office.counts(mark).get("graph") is None or office.counts(mark)["graph"].requests == 0


@pytest.mark.parametrize(
    "change",
    [
        {"clientState": "wrong"},
        {"clientState": None},
        {"subscriptionId": "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"},
        {"tenantId": "77777777-0000-0000-0000-000000000007"},
        {"subscriptionExpirationDateTime": "2020-01-31T12:00:00Z"},
    ],
)
def test_forged_unknown_and_replayed_notifications_start_nothing(office: Office, change: dict[str, object]) -> None:
    at_work(office, "ada")
    (known,) = office.graph.subscriptions()
    mark = office.mark()
    answer = office.graph.send_notifications(known["notificationUrl"], {"value": [_head(known) | change]})
    office.system.wait_until_quiet()
    assert (answer["status"], answer["text"]) == (202, "")
    assert office.counts(mark)["graph"].requests == 0


@pytest.mark.parametrize("path", ["graph", "graph/lifecycle", "business-central"])
@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '{"value": 7}', '{"value": [' + "{}," * 100_000 + "{}]}", "[" * 100_000]
)
def test_whatever_strangers_send_is_answered_without_an_error(system: System, path: str, body: str) -> None:
    answer = system.app.request("POST", f"/api/webhooks/{path}", body=body.encode())
    assert (answer.status_code, answer.content) == (202, b"")


@pytest.mark.parametrize("path", ["graph", "graph/lifecycle", "business-central"])
def test_markup_in_a_handshake_is_text_for_every_browser(system: System, path: str) -> None:
    answer = system.app.request("POST", f"/api/webhooks/{path}?validationToken=%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert (answer.status_code, answer.text) == (200, "<script>alert(1)</script>")
    assert answer.headers["content-type"].partition(";")[0] == "text/plain"
    assert answer.headers["x-content-type-options"] == "nosniff"
    long = system.app.request("POST", f"/api/webhooks/{path}?validationToken={'x' * 65_536}")
    assert 400 <= long.status_code < 500


def test_no_secret_and_no_contact_is_in_the_log(office: Office) -> None:
    (ada,) = at_work(office, "ada")
    office.edit_in_outlook(ada, "Helen Ray", jobTitle="Buyer")
    eventually(in_bc(office, "Helen Ray", "Buyer"))
    said = office.system.host.log_text()
    secrets = [json.loads(row["c0"])["client_state"] for row in office.system.tables("subscriptions") if "c0" in row]
    assert secrets
    assert not [each for each in (*filter(None, secrets), "Helen", "Buyer", FOLDER) if each in said]


def _head(subscription: dict[str, object]) -> dict[str, object]:
    """What every notification of a subscription says."""
    return {
        "subscriptionId": subscription["id"],
        "clientState": subscription["clientState"],
        "subscriptionExpirationDateTime": subscription["expirationDateTime"],
    }
