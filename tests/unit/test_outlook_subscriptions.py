"""Graph's subscriptions against a service that is played (Graph reference 9): what is sent, what answers mean."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from shared.engine.sides import Notifications
from shared.engine.watching import Draft, Granted, Listed
from shared.errors import (
    MailboxUnavailable,
    RetryableError,
    SubscriptionExists,
    SubscriptionRefused,
    SyncError,
    Throttled,
)
from shared.outlook.directory import OutlookDirectory
from shared.outlook.service import graph_service
from shared.pace import Pace
from shared.transport.client import Client
from tests.fakes.http_service import FakeService, FakeTime, Play, Tokens, script

ROOT = "https://graph.example"
UID = "0f3c0000-0000-0000-0000-000000000001"
FID = "AAMkAG-Folder_A="
SID = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"
SECRET = "k3V-secret"
UNTIL = datetime(2026, 3, 9, 8, 0, 0, 123_456, tzinfo=UTC)
DRAFT = Draft("c1", UID, FID, "https://sync.example.com", SECRET, UNTIL)
ON_FOLDER = f"users/{UID}/contactFolders/{FID}/contacts"
ON_MAILBOX = f"users/{UID}/contacts"
VALIDATION = (
    "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request."
)
NO_FOLDERS = (
    "Operation: Create; Exception: [Status Code: BadRequest; Reason: The specified object was not found in the store.]"
)
Reply = tuple[int, dict[str, str], Any]


OURS = (200, {}, {"id": SID, "notificationUrl": f"{DRAFT.address}/api/webhooks/graph"})


class Run:
    """The adapter, and the service it talks to."""

    def __init__(self, *answers: Reply | Exception, seconds: float = 600) -> None:
        self.play: Play = script(*answers)
        self.fake, self.time = FakeService(self.play), FakeTime()
        client = Client(
            graph_service(ROOT),
            Tokens(),
            adapter=self.fake,
            clock=self.time.clock,
            sleep=self.time.sleep,
            jitter=lambda: 0.5,
        )
        directory = OutlookDirectory(client, Pace(deadline=self.time.now + seconds), category="Business Central")
        self.notifications: Notifications = directory.notifications()

    def sent(self) -> list[tuple[str, str, Any]]:
        return [
            (str(each.method), str(each.url).removeprefix(f"{ROOT}/v1.0"), json.loads(each.body) if each.body else None)
            for each in self.fake.seen
        ]

    def resources(self) -> list[str]:
        return [body["resource"] for _, _, body in self.sent()]


def error(status: int, code: str = "", message: str = "") -> Reply:
    return status, {}, {"error": {"code": code, "message": message}}


def created(resource: str, end: str = "2026-03-09T08:00:00Z") -> Reply:
    return 201, {}, {"id": SID, "resource": resource, "expirationDateTime": end, "clientState": SECRET}


# ---------------------------------------------------------------- subscribing


def test_a_folder_is_subscribed_to_with_everything_that_graph_wants() -> None:
    run = Run(created(ON_FOLDER))
    granted = run.notifications.subscribe(DRAFT)
    assert granted == Granted(SID, ON_FOLDER, datetime(2026, 3, 9, 8, tzinfo=UTC), whole_mailbox=False)
    body = {
        "changeType": "created,updated,deleted",
        "resource": ON_FOLDER,
        "notificationUrl": "https://sync.example.com/api/webhooks/graph",
        "lifecycleNotificationUrl": "https://sync.example.com/api/webhooks/graph/lifecycle",
        "expirationDateTime": "2026-03-09T08:00:00Z",
        "clientState": SECRET,
        "latestSupportedTlsVersion": "v1_2",
    }
    assert run.sent() == [("POST", "/subscriptions", body)]
    assert run.fake.seen[0].headers["Prefer"] == 'IdType="ImmutableId"'


def test_the_end_is_the_one_that_graph_answers() -> None:
    run = Run(created(ON_FOLDER, "2026-03-08T07:06:05.9356913Z"))
    assert run.notifications.subscribe(DRAFT).expires_at == datetime(2026, 3, 8, 7, 6, 5, 935_691, tzinfo=UTC)


@pytest.mark.parametrize(
    "refusal",
    [
        error(400, "ExtensionError", NO_FOLDERS),
        error(403, "ExtensionError", NO_FOLDERS),
        error(400, "InvalidRequest", "The resource is not valid."),
        error(400, "InvalidRequest", "Subscriptions on contacts of a folder are not supported."),
        error(400, "ExtensionError", "Operation: Create; Exception: [Status Code: NotFound; Reason: Not Found]"),
    ],
)
def test_where_graph_takes_no_folder_the_mailbox_is_subscribed_to(refusal: Reply) -> None:
    run = Run(refusal, created(ON_MAILBOX))
    granted = run.notifications.subscribe(DRAFT)
    assert (granted.resource, granted.whole_mailbox) == (ON_MAILBOX, True)
    assert run.resources() == [ON_FOLDER, ON_MAILBOX]


BAD_REQUEST = error(400, "ExtensionError", NO_FOLDERS)
WEBHOOK, QUOTA, RIGHTS, NONE = "webhook-unreachable", "subscription-quota", "no-permission", "not-supported"


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([error(400, "InvalidRequest", VALIDATION)], WEBHOOK),
        ([error(400, "ValidationError", VALIDATION)], WEBHOOK),
        ([error(400, "InvalidRequest", "Subscription validation request timed out.")], WEBHOOK),
        ([BAD_REQUEST, error(400, "InvalidRequest", VALIDATION)], WEBHOOK),
        ([error(403, "Forbidden", "The quota of subscriptions for this mailbox is used up.")], QUOTA),
        ([error(403, "", "The limit of 1000 subscriptions was reached.")], QUOTA),
        ([error(401, "InvalidAuthenticationToken")] * 2, RIGHTS),
        ([error(403, "ErrorAccessDenied", "Access is denied.")], RIGHTS),
        ([error(403, "ExtensionError", "Operation: Create; Exception: [Status Code: Forbidden; Reason: x]")], RIGHTS),
        (
            [error(400, "ExtensionError", "Operation: Create; Exception: [Status Code: Unauthorized; Reason: x]")],
            RIGHTS,
        ),
        ([error(405, "Request_BadRequest", "x")], NONE),
        ([error(501, "NotImplemented", "x")], NONE),
        ([BAD_REQUEST, error(400, "InvalidRequest", "Contacts are not supported.")], NONE),
        ([error(404, "ErrorItemNotFound")], "folder-missing"),
        ([BAD_REQUEST, BAD_REQUEST], "subscription-refused"),
    ],
)
def test_a_refusal_says_why_and_that_the_profile_is_polled(answers: list[Reply], code: str) -> None:
    run = Run(*answers)
    with pytest.raises(SubscriptionRefused) as caught:
        run.notifications.subscribe(DRAFT)
    assert caught.value.code == code
    assert "profile is polled" in str(caught.value)
    assert len(run.fake.seen) == len(answers)
    assert SECRET not in str(caught.value) and UID not in str(caught.value)


def test_missing_permission_names_the_one_that_is_wanted() -> None:
    with pytest.raises(SubscriptionRefused, match=r"Contacts\.Read as well"):
        Run(error(403, "ErrorAccessDenied")).notifications.subscribe(DRAFT)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([error(404, "MailboxNotEnabledForRESTAPI")], "no-mailbox"),
        ([error(403, "MailboxNotEnabledForRESTAPI")], "no-mailbox"),
        ([error(404, "ResourceNotFound")], "no-mailbox"),
        ([error(404, "ErrorInvalidUser")], "unknown-user"),
        ([error(400, "ExtensionError", "[Status Code: NotFound; Reason: Not Found]")] * 2, "no-mailbox"),
    ],
)
def test_a_mailbox_that_is_not_there_is_told_as_everywhere(answers: list[Reply], code: str) -> None:
    with pytest.raises(MailboxUnavailable) as caught:
        Run(*answers).notifications.subscribe(DRAFT)
    assert caught.value.code == code


def test_a_mailbox_that_is_being_moved_is_asked_again_later_whatever_the_outer_status() -> None:
    busy = "Operation: Create; Exception: [Status Code: ServiceUnavailable; Reason: Target resource is hosted on 'x']"
    for status in (400, 403):
        run = Run(error(status, "ExtensionError", busy))
        with pytest.raises(RetryableError):
            run.notifications.subscribe(DRAFT)
        assert len(run.fake.seen) == 1


@pytest.mark.parametrize(
    "message",
    [
        f"Subscription Id <{SID}> already exists for the requested combination",
        f"Subscription Id {SID} already exists for the requested combination",
        f"users/{UID}/contacts: Subscription Id '{SID}' already exists",
        f"{SID} exists",
        "There is <an-id-of-another-form> already",
    ],
)
def test_one_that_is_there_already_is_told_by_its_id(message: str) -> None:
    with pytest.raises(SubscriptionExists) as caught:
        Run(error(409, "ExtensionError", message), OURS).notifications.subscribe(DRAFT)
    assert caught.value.id == (SID if SID in message else "an-id-of-another-form")
    with pytest.raises(SubscriptionExists) as caught:
        Run(BAD_REQUEST, error(409, "ExtensionError", message), OURS).notifications.subscribe(DRAFT)
    assert caught.value.id == (SID if SID in message else "an-id-of-another-form")


def test_one_of_another_deployment_is_left_alone() -> None:
    theirs = (200, {}, {"id": SID, "notificationUrl": "https://other.contoso.example/api/webhooks/graph"})
    run = Run(error(409, "", f"Subscription Id <{SID}> already exists"), theirs)
    with pytest.raises(SubscriptionRefused) as caught:
        run.notifications.subscribe(DRAFT)
    assert not isinstance(caught.value, SubscriptionExists)
    assert caught.value.code == "subscription-exists"
    assert [method for method, _, _ in run.sent()] == ["POST", "GET"]


def test_one_that_is_gone_by_the_time_of_the_look_is_in_nobodys_way() -> None:
    with pytest.raises(SubscriptionExists):
        Run(
            error(409, "", f"Subscription Id <{SID}> already exists"), error(404, "ResourceNotFound")
        ).notifications.subscribe(DRAFT)


def test_a_conflict_that_names_nobody_is_tried_again_later() -> None:
    with pytest.raises(RetryableError):
        Run(error(409, "ExtensionError", "conflict")).notifications.subscribe(DRAFT)


@pytest.mark.parametrize(
    "lost", [requests.ConnectionError("reset"), requests.ReadTimeout(), (504, {}, b""), error(500, "UnknownError")]
)
def test_a_lost_answer_is_not_followed_by_a_second_subscription(lost: Any) -> None:
    run = Run(lost)
    with pytest.raises(RetryableError):
        run.notifications.subscribe(DRAFT)
    assert len(run.fake.seen) == 1


def test_after_a_lost_answer_the_one_that_was_made_is_found() -> None:
    run = Run(requests.ConnectionError("reset"), error(409, "", f"Subscription Id <{SID}> already exists"), OURS)
    with pytest.raises(RetryableError):
        run.notifications.subscribe(DRAFT)
    with pytest.raises(SubscriptionExists) as caught:
        run.notifications.subscribe(DRAFT)
    assert caught.value.id == SID


def test_an_answer_without_id_or_end_is_no_subscription() -> None:
    for body in ({"id": SID}, {"expirationDateTime": "2026-03-09T08:00:00Z"}, {"id": SID, "expirationDateTime": 7}, []):
        with pytest.raises(RetryableError):
            Run((201, {}, body)).notifications.subscribe(DRAFT)


def test_a_pause_is_waited_for_when_there_is_time() -> None:
    run = Run((429, {"Retry-After": "7"}, b""), created(ON_FOLDER))
    assert run.notifications.subscribe(DRAFT).id == SID
    with pytest.raises(Throttled):
        Run((429, {"Retry-After": "7"}, b""), seconds=5).notifications.subscribe(DRAFT)


# ---------------------------------------------------------------- the rest of its life


def test_renewing_sends_the_end_and_answers_what_graph_granted() -> None:
    run = Run((200, {}, {"id": SID, "expirationDateTime": "2026-03-09T07:00:00Z"}))
    assert run.notifications.renew(SID, DRAFT) == datetime(2026, 3, 9, 7, tzinfo=UTC)
    assert run.sent() == [("PATCH", f"/subscriptions/{SID}", {"expirationDateTime": "2026-03-09T08:00:00Z"})]


def test_one_that_is_gone_cannot_be_renewed() -> None:
    assert Run(error(404, "ResourceNotFound", "The object was not found.")).notifications.renew(SID, DRAFT) is None


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (error(403, "ErrorAccessDenied"), SubscriptionRefused, RIGHTS),
        (error(400, "InvalidRequest", VALIDATION), SubscriptionRefused, WEBHOOK),
        (error(400, "InvalidRequest", "x"), SubscriptionRefused, "subscription-refused"),
        (error(403, "ExtensionError", "[Status Code: ServiceUnavailable; x]"), RetryableError, None),
        ((200, {}, {"id": SID}), RetryableError, None),
    ],
)
def test_a_renewal_that_is_refused_says_why(answer: Reply, kind: type[SyncError], code: str | None) -> None:
    with pytest.raises(kind) as caught:
        Run(answer).notifications.renew(SID, DRAFT)
    assert code is None or caught.value.code == code


def test_a_renewal_whose_answer_was_lost_is_sent_again() -> None:
    run = Run(requests.ConnectionError("reset"), (200, {}, {"expirationDateTime": "2026-03-09T07:00:00Z"}))
    assert run.notifications.renew(SID, DRAFT) is not None


def test_an_id_never_leaves_its_place_in_the_address() -> None:
    run = Run(error(404))
    run.notifications.renew("../users?x", DRAFT)
    assert run.sent()[0][1] == "/subscriptions/..%2Fusers%3Fx"


def test_one_that_is_gone_is_as_good_as_ended() -> None:
    for answer in ((204, {}, b""), error(404, "ResourceNotFound")):
        run = Run(answer)
        run.notifications.unsubscribe(SID)
        assert run.sent() == [("DELETE", f"/subscriptions/{SID}", None)]
    with pytest.raises(SubscriptionRefused) as caught:
        Run(error(403, "ErrorAccessDenied")).notifications.unsubscribe(SID)
    assert caught.value.code == RIGHTS


def test_all_pages_of_the_list_are_read() -> None:
    link = f"{ROOT}/v1.0/subscriptions?$skiptoken=1"
    first = {
        "id": "s1",
        "resource": ON_FOLDER,
        "notificationUrl": "https://a/x",
        "expirationDateTime": "2026-03-09T08:00Z",
    }
    run = Run(
        (200, {}, {"value": [first], "@odata.nextLink": link}),
        (200, {}, {"value": [{"id": "s2", "resource": "me/messages", "notificationUrl": "https://b"}, {"x": 1}]}),
    )
    assert run.notifications.listed() == [
        Listed("s1", ON_FOLDER, "https://a/x", datetime(2026, 3, 9, 8, tzinfo=UTC)),
        Listed("s2", "me/messages", "https://b", None),
    ]
    assert [unquote(url) for _, url, _ in run.sent()] == ["/subscriptions", "/subscriptions?$skiptoken=1"]


def test_a_list_that_is_refused_says_why() -> None:
    with pytest.raises(SubscriptionRefused) as caught:
        Run(error(403, "Authorization_RequestDenied")).notifications.listed()
    assert caught.value.code == RIGHTS
