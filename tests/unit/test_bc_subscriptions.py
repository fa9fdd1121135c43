"""BC's subscriptions against a service that is played (BC reference 6): what is sent, what answers mean."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from shared.business_central.environment import Environment, service
from shared.engine.sides import Notifications
from shared.engine.watching import Draft, Granted, Listed
from shared.errors import (
    CompanyUnavailable,
    RetryableError,
    SubscriptionExists,
    SubscriptionRefused,
    SyncError,
)
from shared.pace import Pace
from shared.transport.client import Client
from tests.fakes.http_service import FakeService, FakeTime, Tokens, script

COMPANY = "824820a2-508c-ed11-aada-000d3a298ab3"
BASE = "https://bc.example/v2.0/t/My%20Sandbox/api"
SID = "c670ea73cacb459bb51dc1740da2f1db"
SECRET = "k3V-secret"
DRAFT = Draft(COMPANY.upper(), address="https://sync.example.com", client_state=SECRET)
URL = "https://sync.example.com/api/webhooks/business-central"
RESOURCE = f"/api/v2.0/companies({COMPANY})/contacts"
END = "2026-01-18T10:00:00Z"
BODY = {"notificationUrl": URL, "resource": RESOURCE, "clientState": SECRET}
Reply = tuple[int, dict[str, str], Any]


class Run:
    """The adapter, and the service it talks to."""

    def __init__(self, *answers: Reply | Exception) -> None:
        self.fake, self.time = FakeService(script(*answers)), FakeTime()
        bc = service(root="https://bc.example/", tenant="t", environment="My Sandbox", scope="s")
        client = Client(
            bc, Tokens(), adapter=self.fake, clock=self.time.clock, sleep=self.time.sleep, jitter=lambda: 0.0
        )
        environment = Environment(client, Pace(deadline=self.time.now + 600))
        self.notifications: Notifications = environment.notifications()

    def sent(self) -> list[tuple[str, str]]:
        return [(str(each.method), unquote(str(each.url)).removeprefix(unquote(BASE))) for each in self.fake.seen]

    def body(self, number: int) -> Any:
        return json.loads(self.fake.seen[number].body or b"null")


def rows(*found: Any, **more: Any) -> Reply:
    return 200, {}, {"value": list(found), **more}


def error(status: int, code: str = "BadRequest", message: str = "") -> Reply:
    return status, {}, {"error": {"code": code, "message": message}}


def stored(**changes: Any) -> dict[str, Any]:
    return {
        "@odata.etag": 'W/"1"',
        "subscriptionId": SID,
        "notificationUrl": URL,
        "resource": RESOURCE,
        "clientState": SECRET,
        "expirationDateTime": END,
    } | changes


SUPPORTED = rows({"resource": "v2.0/contacts"})
NOBODY = rows()
CREATED = (201, {}, stored())
SUPPORT = f"/microsoft/runtime/beta/companies({COMPANY})/webhookSupportedResources?$filter=resource eq "


# ---------------------------------------------------------------- subscribing


def test_a_company_is_subscribed_to_once_it_is_known_to_be_possible_and_not_there_yet() -> None:
    run = Run(SUPPORTED, NOBODY, CREATED)
    assert run.notifications.subscribe(DRAFT) == Granted(SID, RESOURCE, datetime(2026, 1, 18, 10, tzinfo=UTC))
    assert run.sent() == [
        ("GET", f"{SUPPORT}'v2.0/contacts'"),
        ("GET", "/v2.0/subscriptions"),
        ("POST", "/v2.0/subscriptions"),
    ]
    assert run.body(2) == BODY


def test_the_longer_list_is_searched_when_the_exact_filter_finds_nothing() -> None:
    others = {"resource": "v2.0/customers"}, {"resource": "v2.0/Contacts"}
    for first in (rows(), error(400)):
        run = Run(first, rows(*others), NOBODY, CREATED)
        assert run.notifications.subscribe(DRAFT).id == SID
        assert run.sent()[:2] == [("GET", f"{SUPPORT}'v2.0/contacts'"), ("GET", f"{SUPPORT}'v2.0*'")]


@pytest.mark.parametrize(
    "answers",
    [
        [rows(), rows({"resource": "v2.0/contactsInformation"}, {"resource": "v2.0/customers"})],
        [rows(), rows()],
        [error(404, "BadRequest_NotFound", "No HTTP resource was found")] * 2,
        [error(400)] * 2,
    ],
)
def test_an_environment_without_notifications_for_contacts_is_polled(answers: list[Reply]) -> None:
    with pytest.raises(SubscriptionRefused) as caught:
        Run(*answers).notifications.subscribe(DRAFT)
    assert caught.value.code == "not-supported" and "polled" in str(caught.value)


@pytest.mark.parametrize(
    "resource", [RESOURCE, RESOURCE.removeprefix("/api/v2.0/"), f"https://bc.example{RESOURCE}", RESOURCE.upper()]
)
def test_one_that_is_there_already_is_not_made_again(resource: str) -> None:
    run = Run(SUPPORTED, rows(stored(subscriptionId="other", notificationUrl="https://b"), stored(resource=resource)))
    with pytest.raises(SubscriptionExists) as caught:
        run.notifications.subscribe(DRAFT)
    assert caught.value.id == SID
    assert "POST" not in [method for method, _ in run.sent()]


def test_those_of_other_companies_resources_and_addresses_are_not_taken_for_ours() -> None:
    others = [
        stored(resource=RESOURCE.replace("824820a2", "00000000")),
        stored(resource=RESOURCE.replace("contacts", "customers")),
        stored(notificationUrl=f"{URL}?code=1"),
        stored(notificationUrl="https://old.example.com/api/webhooks/business-central"),
    ]
    assert Run(SUPPORTED, rows(*others), CREATED).notifications.subscribe(DRAFT).id == SID


def test_a_webhook_that_was_asleep_gets_a_second_chance() -> None:
    run = Run(SUPPORTED, NOBODY, error(400), CREATED)
    assert run.notifications.subscribe(DRAFT).id == SID
    assert run.body(2) == run.body(3) == BODY


@pytest.mark.parametrize("status", [400, 404, 405, 410, 422])
def test_a_webhook_that_is_not_reached_is_told_after_the_second_try(status: int) -> None:
    run = Run(SUPPORTED, NOBODY, *[error(status, message=f"{SECRET} refused")] * 2)
    with pytest.raises(SubscriptionRefused) as caught:
        run.notifications.subscribe(DRAFT)
    assert caught.value.code == "webhook-unreachable"
    assert "PUBLIC_ADDRESS" in str(caught.value) and "polled" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([error(401, "Authentication_InvalidCredentials")] * 2, "bc-token-refused"),
        ([error(403, "Forbidden", "TableData 2000000095 API Webhook Subscription Insert")], "bc-permission"),
        ([error(500, "x", "(TableData 2000000095 API Webhook Subscription Insert: Base)")], "bc-permission"),
        ([error(404, "Internal_CompanyNotFound")], "company-not-found"),
    ],
)
def test_missing_rights_and_companies_are_told_as_everywhere_and_not_tried_twice(
    answers: list[Reply], code: str
) -> None:
    run = Run(SUPPORTED, NOBODY, *answers)
    with pytest.raises(CompanyUnavailable) as caught:
        run.notifications.subscribe(DRAFT)
    assert caught.value.code == code
    assert len(run.fake.seen) == 2 + len(answers)


@pytest.mark.parametrize("answers", [[error(403)], [SUPPORTED, error(403)]])
def test_missing_rights_are_told_wherever_they_show(answers: list[Reply]) -> None:
    with pytest.raises(CompanyUnavailable):
        Run(*answers).notifications.subscribe(DRAFT)


def test_an_id_that_is_none_of_a_company_asks_nobody() -> None:
    run = Run()
    with pytest.raises(CompanyUnavailable):
        run.notifications.subscribe(replace(DRAFT, company_id="x') or ('"))
    assert run.fake.seen == []


@pytest.mark.parametrize(
    "lost", [requests.ConnectionError("reset"), requests.ReadTimeout(), (504, {}, b""), error(500)]
)
def test_a_lost_answer_is_not_followed_by_a_second_subscription(lost: Any) -> None:
    run = Run(SUPPORTED, NOBODY, lost, SUPPORTED, rows(stored()))
    with pytest.raises(RetryableError):
        run.notifications.subscribe(DRAFT)
    with pytest.raises(SubscriptionExists) as caught:
        run.notifications.subscribe(DRAFT)
    assert caught.value.id == SID
    assert [method for method, _ in run.sent()].count("POST") == 1


def test_an_answer_without_id_or_end_is_no_subscription() -> None:
    for body in (stored(subscriptionId=None), stored(expirationDateTime="soon"), stored(subscriptionId=""), []):
        with pytest.raises(RetryableError):
            Run(SUPPORTED, NOBODY, (201, {}, body)).notifications.subscribe(DRAFT)


# ---------------------------------------------------------------- the rest of its life


def test_renewing_sends_everything_anew_whatever_the_version() -> None:
    run = Run((200, {}, stored(expirationDateTime="2026-01-19T10:00:00.1234567Z")))
    assert run.notifications.renew(SID, DRAFT) == datetime(2026, 1, 19, 10, 0, 0, 123_456, tzinfo=UTC)
    assert run.sent() == [("PATCH", f"/v2.0/subscriptions('{SID}')")]
    assert run.fake.seen[0].headers["If-Match"] == "*"
    assert run.body(0) == BODY


def test_one_that_is_gone_cannot_be_renewed() -> None:
    run = Run(error(404, "BadRequest_ResourceNotFound"))
    assert run.notifications.renew(SID, DRAFT) is None
    assert len(run.fake.seen) == 1


def test_renewing_calls_the_webhook_too_and_gives_it_a_second_chance() -> None:
    assert Run(error(400), (200, {}, stored())).notifications.renew(SID, DRAFT) is not None
    assert Run(error(400), error(404)).notifications.renew(SID, DRAFT) is None


@pytest.mark.parametrize(
    ("answers", "kind", "code"),
    [
        ([error(400)] * 2, SubscriptionRefused, "webhook-unreachable"),
        ([error(403)], CompanyUnavailable, "bc-permission"),
        ([error(409)], RetryableError, None),
        ([(200, {}, {})], RetryableError, None),
    ],
)
def test_a_renewal_that_is_refused_says_why(answers: list[Reply], kind: type[SyncError], code: str | None) -> None:
    with pytest.raises(kind) as caught:
        Run(*answers).notifications.renew(SID, DRAFT)
    assert code is None or caught.value.code == code


def test_one_that_is_gone_is_as_good_as_ended() -> None:
    for answer in ((204, {}, b""), error(404, "BadRequest_ResourceNotFound")):
        run = Run(answer)
        run.notifications.unsubscribe("it's")
        assert run.sent() == [("DELETE", "/v2.0/subscriptions('it''s')")]
        assert run.fake.seen[0].headers["If-Match"] == "*"
    with pytest.raises(CompanyUnavailable):
        Run(error(403)).notifications.unsubscribe(SID)


def test_all_pages_of_the_list_are_read_and_equal_tags_do_not_hide_any() -> None:
    link = f"{BASE}/v2.0/subscriptions?$skiptoken=1"
    more = stored(subscriptionId="s2", resource="r", notificationUrl="https://b", expirationDateTime=None)
    run = Run(rows(stored(), **{"@odata.nextLink": link}), rows(more, {"x": 1}))
    assert run.notifications.listed() == [
        Listed(SID, RESOURCE, URL, datetime(2026, 1, 18, 10, tzinfo=UTC)),
        Listed("s2", "r", "https://b", None),
    ]


def test_part_of_a_list_is_never_taken_for_the_whole() -> None:
    link = f"{BASE}/v2.0/subscriptions?$skiptoken=1"
    with pytest.raises(RetryableError):
        Run(rows(stored(), **{"@odata.nextLink": link}), *[(502, {}, b"")] * 5).notifications.listed()
