"""The adapter against a function that plays Graph: what it sends, and what it makes of the answers."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from shared.cards.model import Card, Field, Origin, OutlookContact, Stamp
from shared.engine.sides import FolderStamp, OutlookDraft, OutlookWrite
from shared.errors import (
    ChangedMeanwhile,
    ContactGone,
    FolderMissing,
    InvalidValue,
    MailboxUnavailable,
    NotDone,
    OutcomeUnknown,
    PositionExpired,
    ProfileError,
    RetryableError,
)
from shared.outlook.directory import OutlookDirectory
from shared.outlook.service import graph_service
from shared.outlook.side import OutlookMailbox
from shared.outlook.wire import CONTACT_PROPERTIES
from shared.pace import Pace
from shared.transport.client import Client
from tests.fakes.http_service import FakeService, FakeTime, Tokens

ROOT = "https://graph.example"
UID = "0f3c0000-0000-0000-0000-000000000001"
FID = "AAMk/Folder="
STAMP = Stamp("b1", Origin.SYNC, "Production", "c0")
IMMUTABLE = 'IdType="ImmutableId"'
Reply = tuple[int, Any] | Exception


@dataclass
class Call:
    """One request or one part of a batch, as the service sees it: the path without root, decoded."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any
    in_batch: bool = False


def sent(request: requests.PreparedRequest) -> Any:
    return json.loads(request.body) if request.body else None


@dataclass
class Graph:
    """Answers every request and every part of a batch by `reply(call)` -> (status, body)."""

    reply: Callable[[Call], Reply]
    calls: list[Call] = field(default_factory=list)
    outer: list[requests.PreparedRequest] = field(default_factory=list)

    def __call__(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], Any]:
        self.outer.append(request)
        body = sent(request)
        url = str(request.url).removeprefix(f"{ROOT}/v1.0")
        if url != "/$batch":
            status, answer = self._answer(Call(str(request.method), unquote(url), dict(request.headers), body))
            return status, {}, answer
        responses = []
        for part in body["requests"]:
            call = Call(part["method"], unquote(part["url"]), part.get("headers", {}), part.get("body"), in_batch=True)
            status, answer = self._answer(call)
            responses.append({"id": part["id"], "status": status, "headers": {}, "body": answer})
        return 200, {}, {"responses": responses[::-1]}

    def _answer(self, call: Call) -> tuple[int, Any]:
        self.calls.append(call)
        answer = self.reply(call)
        if isinstance(answer, Exception):
            raise answer
        return answer


def client_for(graph: Graph) -> tuple[Client, Pace]:
    time = FakeTime()
    client = Client(
        graph_service(f"{ROOT}/"),
        Tokens(),
        adapter=FakeService(graph),
        clock=time.clock,
        sleep=time.sleep,
        jitter=lambda: 0.5,
    )
    return client, Pace(deadline=time.now + 600)


def mailbox(reply: Callable[[Call], Reply]) -> tuple[OutlookMailbox, Graph]:
    graph = Graph(reply)
    client, pace = client_for(graph)
    return OutlookDirectory(client, pace, category="Business Central").outlook(UID), graph


def error(status: int, code: str, message: str = "") -> tuple[int, Any]:
    return status, {"error": {"code": code, "message": message}}


def row(contact_id: str, **properties: Any) -> dict[str, Any]:
    return {"id": contact_id, **dict.fromkeys(CONTACT_PROPERTIES), "parentFolderId": FID, **properties}


def drafts(number: int) -> list[OutlookDraft]:
    return [OutlookDraft(Card(name=f"N{each}"), STAMP) for each in range(number)]


def write_of(contact_id: str = "c1", etag: str = 'W/"1"') -> OutlookWrite:
    current = OutlookContact(contact_id, etag, Card(name="Ada"), stamp=STAMP, marks_known=True, private=False)
    return OutlookWrite(current, {Field.JOB_TITLE: "CTO"})


# ---------------------------------------------------------------- every request


def test_every_request_and_part_asks_for_immutable_ids_and_encodes_ids() -> None:
    def reply(call: Call) -> Reply:
        return (
            (200, {"id": FID, "displayName": "x", "parentFolderId": "p"}) if not call.in_batch else (200, row("c/1="))
        )

    side, graph = mailbox(reply)
    side.folder(FID, "p")
    side.read(FID, ["c/1="])
    side.create(FID, drafts(1))
    side.write(FID, [write_of("c/1=")])
    side.remove(FID, ["c/1="])
    assert all(IMMUTABLE in call.headers["Prefer"] for call in graph.calls)
    assert all(IMMUTABLE in request.headers["Prefer"] for request in graph.outer)
    assert "/contactFolders/AAMk%2FFolder%3D?" in str(graph.outer[0].url)
    assert "/contacts/c%2F1%3D?" in sent(graph.outer[1])["requests"][0]["url"]


def test_no_address_of_a_contact_or_user_stands_in_a_url() -> None:
    side, graph = mailbox(lambda call: (201, row("c1")))
    side.create(FID, [OutlookDraft(Card(name="Ada", email="ada@x.example"), STAMP)])
    OutlookDirectory(*client_for(graph), category="x").mailbox("ada@x.example")
    assert "@" not in "".join(str(request.url) for request in graph.outer)


# ---------------------------------------------------------------- folders


def test_the_folder_takes_one_request_and_must_lie_where_it_was() -> None:
    side, graph = mailbox(lambda call: (200, {"id": FID, "displayName": " BC ", "parentFolderId": "main"}))
    found = side.folder(FID, "main")
    assert found is not None
    assert (found.id, found.name, found.parent_id, found.stamp) == (FID, "BC", "main", None)
    assert side.folder(FID, "elsewhere") is None
    assert side.folder(FID, "") is not None
    assert len(graph.calls) == 3


@pytest.mark.parametrize("code", ["ErrorItemNotFound", "ErrorFolderNotFound", "ErrorInvalidIdMalformed"])
def test_a_folder_that_is_gone_is_none(code: str) -> None:
    side, _ = mailbox(lambda call: error(404, code))
    assert side.folder(FID, "main") is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [("MailboxNotEnabledForRESTAPI", MailboxUnavailable), ("", ProfileError), ("ErrorInvalidUser", MailboxUnavailable)],
)
def test_another_404_says_nothing_about_the_folder(code: str, kind: type[Exception]) -> None:
    """R25"""
    side, _ = mailbox(lambda call: error(404, code))
    with pytest.raises(kind):
        side.folder(FID, "main")


def test_a_create_without_an_answer_finds_the_folder_by_its_stamp() -> None:
    """R9"""
    stamp = FolderStamp("c0", "p1", "Production")
    posted: list[Any] = []

    def reply(call: Call) -> Reply:
        if call.method == "POST":
            posted.append(call.body)
            return requests.ConnectionError("reset")
        row = {"id": FID, "displayName": "BC", "parentFolderId": "main"}
        return 200, {
            "value": [{"id": "other"}, {**row, **{k: v for k, v in posted[0].items() if k.startswith("single")}}]
        }

    side, _ = mailbox(reply)
    made = side.create_folder("BC", stamp)
    assert (made.id, made.stamp) == (FID, stamp)
    assert len(posted) == 1


@pytest.mark.parametrize("status", [409, 400])
def test_a_taken_folder_name_is_told_by_its_code(status: int) -> None:
    side, _ = mailbox(lambda call: error(status, "ErrorFolderExists"))
    with pytest.raises(InvalidValue) as created:
        side.create_folder("BC", FolderStamp("c", "p", "e"))
    with pytest.raises(InvalidValue) as renamed:
        side.rename_folder(FID, "BC")
    assert created.value.code == renamed.value.code == "folder-exists"


def test_a_refused_folder_name_says_so() -> None:
    side, _ = mailbox(lambda call: error(400, "ErrorInvalidArgument"))
    with pytest.raises(InvalidValue) as caught:
        side.create_folder("B" * 999, FolderStamp("c", "p", "e"))
    assert caught.value.code == "folder-name"


MAIN = {"id": "main", "displayName": "Kontakte", "parentFolderId": "root"}
CHILD = {"id": "child", "displayName": "Private", "parentFolderId": "main"}


@pytest.mark.parametrize(
    ("listed", "contact_in", "also_resolves"),
    [
        ([MAIN, CHILD], "", {"root"}),
        ([CHILD, MAIN], "child", {"root"}),
        ([CHILD], "main", set()),
        ([CHILD], "", set()),
        ([CHILD], "child", set()),
        ([MAIN], "", set()),
        ([MAIN], "main", set()),
        ([], "main", set()),
        ([], "", {"contacts"}),
    ],
)
def test_the_main_folder_is_found_whatever_the_service_lists(
    listed: list[Any], contact_in: str, also_resolves: set[str]
) -> None:
    """R27"""

    def reply(call: Call) -> Reply:
        path = call.url.removeprefix(f"/users/{UID}").split("?")[0]
        if path == "/contactFolders":
            return 200, {"value": listed}
        if path == "/contacts":
            return 200, {"value": [row("c1", parentFolderId=contact_in)] if contact_in else []}
        asked = path.removeprefix("/contactFolders/")
        if asked in {"main", "contacts"} and asked in {"main", *also_resolves}:
            return 200, MAIN
        return (200, {"id": asked}) if asked in also_resolves else error(400, "ErrorInvalidRequest")

    side, _ = mailbox(reply)
    assert side.main_folder().id == "main"
    assert [each and each.id for each in (side.folder_named("PRIVATE "), side.folder_named("kontakte"))] == [
        "child" if CHILD in listed else None,
        None,
    ]


def test_an_empty_mailbox_that_shows_nothing_says_what_to_do() -> None:
    side, _ = mailbox(lambda call: (200, {"value": []}) if "contactFolders/" not in call.url else error(400, "x"))
    with pytest.raises(MailboxUnavailable, match="Create one contact") as caught:
        side.main_folder()
    assert caught.value.code == "main-folder-unknown"


def test_lists_are_followed_to_their_end_and_no_further() -> None:
    link = f"{ROOT}/v1.0/users/x/contactFolders?$skip=1"
    pages: dict[str, Any] = {
        "?$top": {"value": [CHILD], "@odata.nextLink": link},
        "?$skip": {"value": [{**CHILD, "id": "second"}]},
    }

    def reply(call: Call) -> Reply:
        if "contactFolders?" in call.url:
            return 200, next(page for mark, page in pages.items() if mark in call.url)
        return 200, {"value": [], **MAIN}

    side, graph = mailbox(reply)
    side.folder_named("private")
    assert str(graph.outer[1].url) == link
    pages["?$skip"]["@odata.nextLink"] = link
    with pytest.raises(RetryableError, match="again and again"):
        side.folder_named("none")


# ---------------------------------------------------------------- the change feed


def feed(*pages: dict[str, Any]) -> Callable[[Call], Reply]:
    rest = iter(pages)
    return lambda call: (200, next(rest))


def next_link(token: str) -> dict[str, str]:
    return {"@odata.nextLink": f"{ROOT}/v1.0/delta?$skiptoken={token}"}


DONE = {"@odata.deltaLink": f"{ROOT}/v1.0/delta?$deltatoken=end"}


def test_a_round_reads_all_pages_and_the_last_word_counts() -> None:
    side, graph = mailbox(
        feed(
            {"value": [row("a", jobTitle="1"), row("b"), row("c")], **next_link("1")},
            {"value": [], **next_link("2")},
            {"value": [row("a", jobTitle="2"), {"id": "b", "@removed": {"reason": "changed"}}], **next_link("3")},
            {"value": [{"id": "d", "@removed": {}}, row("d"), {"no": "id"}, None], **DONE},
        )
    )
    changes = side.changes(FID, None)
    assert {each.id: each.card.job_title for each in changes.changed} == {"a": "2", "c": "", "d": ""}
    assert changes.removed == ("b",)
    assert changes.delta_link == DONE["@odata.deltaLink"]
    assert not any(each.marks_known for each in changes.changed)
    assert all("odata.maxpagesize=200" in call.headers["Prefer"] for call in graph.calls)
    assert "$expand" not in graph.calls[0].url


def test_pages_of_the_change_feed_have_the_size_that_is_set() -> None:
    graph = Graph(feed({"value": [], **next_link("1")}, {"value": [], **DONE}))
    OutlookDirectory(*client_for(graph), category="x", page_size=50).outlook(UID).changes(FID, None)
    assert [call.headers["Prefer"].count("odata.maxpagesize=50") for call in graph.calls] == [1, 1]


def test_links_are_used_as_they_are() -> None:
    link = f"{ROOT}/v1.0/users/u/delta?$deltatoken=a%2Bb%3D=='x'"
    side, graph = mailbox(feed({"value": [], **DONE}))
    side.changes(FID, link)
    assert str(graph.outer[0].url) == link


def test_an_entry_shown_in_part_is_read_again() -> None:
    """Graph 4.2, rule 1"""

    def reply(call: Call) -> Reply:
        if not call.in_batch:
            page = {"value": [{"id": "a", "jobTitle": "new"}, row("b"), {"id": "gone", "city": ""}], **DONE}
            return (200, page) if "delta" in call.url else (200, {"id": FID})
        return (
            (200, row("a", jobTitle="new", mobilePhone="7")) if "/a?" in call.url else error(404, "ErrorItemNotFound")
        )

    side, graph = mailbox(reply)
    changes = side.changes(FID, DONE["@odata.deltaLink"])
    assert {each.id: each.card.mobile for each in changes.changed} == {"a": "7", "b": ""}
    assert changes.removed == ("gone",)
    assert len([call for call in graph.calls if call.in_batch]) == 2


def test_the_position_stays_when_a_changed_contact_cannot_be_read() -> None:
    side, _ = mailbox(lambda call: error(500, "x") if call.in_batch else (200, {"value": [{"id": "a"}], **DONE}))
    with pytest.raises(RetryableError):
        side.changes(FID, None)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(410, "SyncStateNotFound"), PositionExpired),
        (error(400, "resyncRequired"), PositionExpired),
        (error(400, "SomethingAboutTheToken"), PositionExpired),
        (error(404, "ErrorSyncFolderNotFound"), FolderMissing),
        (error(404, "ErrorItemNotFound"), FolderMissing),
        (error(404, "MailboxNotEnabledForRESTAPI"), MailboxUnavailable),
        ((200, {"value": []}), RetryableError),
        ((200, {"value": [], "@odata.nextLink": DONE["@odata.deltaLink"]}), RetryableError),
    ],
)
def test_what_a_stored_position_can_meet(reply: tuple[int, Any], kind: type[Exception]) -> None:
    """R33, R25"""
    side, _ = mailbox(lambda call: reply)
    with pytest.raises(kind):
        side.changes(FID, DONE["@odata.deltaLink"])


def test_a_position_of_another_root_is_expired() -> None:
    side, graph = mailbox(lambda call: (200, {}))
    with pytest.raises(PositionExpired):
        side.changes(FID, "https://other.example/delta?$deltatoken=x")
    assert graph.outer == []


# ---------------------------------------------------------------- reading


def test_reading_tells_there_from_gone_from_unknown() -> None:
    """R25"""
    replies: dict[str, Reply] = {
        "there": (200, row("there")),
        "gone": error(404, "ErrorItemNotFound"),
        "moved": (200, row("moved", parentFolderId="deleted-items")),
        "odd": error(404, "UnknownError"),
        "malformed": error(400, "ErrorInvalidIdMalformed"),
        "failing": error(500, "InternalServerError"),
        "junk": (200, []),
    }

    def reply(call: Call) -> Reply:
        return replies[call.url.split("/contacts/")[1].split("?")[0]] if call.in_batch else (200, {"id": FID})

    side, graph = mailbox(reply)
    found = side.read(FID, [*replies, "there"])
    assert set(found) == {"there", "gone", "moved"}
    assert (found["gone"], found["moved"]) == (None, None)
    assert found["there"] is not None
    assert found["there"].marks_known
    assert graph.calls[-1].url.startswith(f"/users/{UID}/contactFolders/{FID}?")


def test_r25_contacts_of_a_missing_folder_are_not_gone() -> None:
    """R25"""
    side, _ = mailbox(lambda call: error(404, "ErrorItemNotFound"))
    with pytest.raises(FolderMissing):
        side.read(FID, ["a", "b"])


def test_a_missing_mailbox_stops_reading() -> None:
    """R25"""
    side, _ = mailbox(lambda call: error(404, "MailboxNotEnabledForRESTAPI"))
    with pytest.raises(MailboxUnavailable):
        side.read(FID, ["a"])


def test_nothing_to_do_is_no_request() -> None:
    side, graph = mailbox(lambda call: (200, {}))
    assert side.read(FID, []) == {}
    assert side.find_stamped(FID, []) == {}
    assert (side.create(FID, []), side.write(FID, []), side.remove(FID, [])) == ([], [], [])
    assert graph.outer == []


def stamped(contact_id: str, bc_id: str, created: str, folder: str = FID) -> dict[str, Any]:
    (name, *_) = [part["id"] for part in _written(bc_id)]
    values = [{"id": name, "value": bc_id}]
    return row(contact_id, createdDateTime=created, parentFolderId=folder, singleValueExtendedProperties=values)


def _written(bc_id: str) -> list[Any]:
    side, graph = mailbox(lambda call: (201, row("c")))
    side.create(FID, [OutlookDraft(Card(name="x"), Stamp(bc_id, Origin.SYNC, "e", "c"))])
    found: list[Any] = graph.calls[0].body["singleValueExtendedProperties"]
    return found


def test_stamped_contacts_come_oldest_first_and_are_checked() -> None:
    """R9"""
    answers = {
        "'b1'": [stamped("new", "B1", "2026-02-02"), stamped("old", "b1", "2026-01-01"), stamped("x", "b12", "2025")],
        "'b2'": [stamped("elsewhere", "b2", "2026", folder="other"), row("without")],
    }

    def reply(call: Call) -> Reply:
        return 200, {"value": next(rows for key, rows in answers.items() if f"ep/value eq {key}" in call.url)}

    side, graph = mailbox(reply)
    found = side.find_stamped(FID, ["b1", "b2", "b1"])
    assert {key: [each.id for each in contacts] for key, contacts in found.items()} == {"b1": ["old", "new"]}
    assert len(graph.outer) == 1


def test_none_must_be_certain_before_a_contact_is_created() -> None:
    """R9"""
    side, _ = mailbox(lambda call: error(500, "x"))
    with pytest.raises(RetryableError):
        side.find_stamped(FID, ["b1"])


# ---------------------------------------------------------------- writing


def test_a_thousand_contacts_take_fifty_requests() -> None:
    side, graph = mailbox(lambda call: (201, row("c1", displayName="as held")))
    made = side.create(FID, drafts(1000))
    assert len(graph.outer) == 50
    first = made[0]
    assert isinstance(first, OutlookContact)
    assert (first.card.name, first.stamp, first.marks_known) == ("as held", STAMP, True)


def test_outcomes_stand_in_the_order_asked() -> None:
    """R31"""

    def reply(call: Call) -> Reply:
        match call.body["displayName"]:
            case "N1":
                return error(400, "ErrorItemSavePropertyError")
            case "N2":
                return error(500, "x")
            case "N3":
                return 201, []
            case name:
                return 201, row(name)

    side, _ = mailbox(reply)
    made = side.create(FID, drafts(5))
    assert isinstance(made[0], OutlookContact)
    assert made[0].id == "N0"
    assert [type(each) for each in made[1:4]] == [InvalidValue, OutcomeUnknown, OutcomeUnknown]
    assert isinstance(made[4], OutlookContact)


def test_a_batch_without_an_answer_leaves_every_create_unknown() -> None:
    """R9"""

    def lost(request: requests.PreparedRequest) -> tuple[int, dict[str, str], Any]:
        raise requests.ConnectionError("reset")

    client, pace = client_for(Graph(lambda call: (200, {})))
    client._adapter = FakeService(lost)
    made = OutlookMailbox(client, pace, UID, category="x").create(FID, drafts(2))
    assert [type(each) for each in made] == [OutcomeUnknown, OutcomeUnknown]


def test_a_write_is_conditional_and_carries_its_marks() -> None:
    side, graph = mailbox(lambda call: (200, row("c1", jobTitle="CTO", **{"@odata.etag": 'W/"2"'})))
    (after,) = side.write(FID, [write_of()])
    assert graph.calls[0].headers["If-Match"] == 'W/"1"'
    assert isinstance(after, OutlookContact)
    assert (after.etag, after.card.job_title, after.stamp, after.marks_known) == ('W/"2"', "CTO", STAMP, True)
    side.write(FID, [write_of(etag="")])
    assert "If-Match" not in graph.calls[1].headers


def test_a_write_meets_change_and_loss() -> None:
    replies = iter([error(412, "ErrorIrresolvableConflict"), error(404, "ErrorItemNotFound"), (200, None)])
    side, _ = mailbox(lambda call: next(replies))
    assert [type(each) for each in side.write(FID, [write_of()] * 3)] == [ChangedMeanwhile, ContactGone, NotDone]


def test_what_is_gone_counts_as_removed() -> None:
    replies = iter([(204, None), error(404, "ErrorItemNotFound"), error(400, "ErrorInvalidIdMalformed")])
    side, _ = mailbox(lambda call: next(replies))
    first, second, third = side.remove(FID, ["a", "b", "c"])
    assert (first, second) == (None, None)
    assert isinstance(third, InvalidValue)


def test_a_full_mailbox_is_raised_when_nothing_was_done() -> None:
    side, _ = mailbox(lambda call: error(507, "ErrorQuotaExceeded"))
    with pytest.raises(ProfileError) as caught:
        side.create(FID, drafts(3))
    assert caught.value.code == "mailbox-full"


def test_a_mailbox_that_fills_up_meanwhile_keeps_what_was_done() -> None:
    """R31: what was done must be recorded"""
    side, _ = mailbox(lambda call: (201, row("c")) if call.body["displayName"] == "N0" else error(507, ""))
    made = side.create(FID, drafts(3))
    assert isinstance(made[0], OutlookContact)
    assert [type(each) for each in made[1:]] == [NotDone, NotDone]


def test_creating_in_a_missing_folder_is_the_folders_failure() -> None:
    side, _ = mailbox(lambda call: error(404, "ErrorItemNotFound"))
    with pytest.raises(FolderMissing):
        side.create(FID, drafts(1))


def test_a_batch_that_is_refused_is_the_mailboxs_failure() -> None:
    graph = Graph(lambda call: (200, {}))
    client, pace = client_for(graph)
    client._adapter = FakeService(lambda request: (403, {}, {"error": {"code": "ErrorAccessDenied"}}))
    with pytest.raises(MailboxUnavailable):
        OutlookMailbox(client, pace, UID, category="x").create(FID, drafts(1))


def test_after_a_concurrency_refusal_batches_are_ordered_for_good() -> None:
    """Graph 7.1"""
    refused = iter([True])

    def reply(call: Call) -> Reply:
        if next(refused, False):
            return error(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")
        return 201, row("c")

    side, graph = mailbox(reply)
    assert all(isinstance(each, OutlookContact) for each in side.create(FID, drafts(3)))
    side.remove(FID, ["a", "b"])
    last = sent(graph.outer[-1])["requests"]
    assert [part.get("dependsOn") for part in last] == [None, ["0"]]


# ---------------------------------------------------------------- the directory

USER = {"id": UID, "userPrincipalName": "ada@t.example", "mail": "ada@x.example", "accountEnabled": True}


def look_up(user: str, by_id: Reply, by_mail: Reply = (200, {"value": []}), probe: Reply = (200, {"value": []})) -> Any:
    def reply(call: Call) -> Reply:
        if not call.in_batch:
            return probe
        return by_mail if call.url.startswith("/users?") else by_id

    graph = Graph(reply)
    return OutlookDirectory(*client_for(graph), category="x").mailbox(user), graph


@pytest.mark.parametrize(
    ("properties", "kind", "requests_made"),
    [({}, "user", 2), ({"accountEnabled": False}, "shared", 2), ({"userType": "Guest"}, "guest", 1)],
)
def test_a_user_is_looked_up_and_the_mailbox_tried(properties: Any, kind: str, requests_made: int) -> None:
    found, graph = look_up(" ada@x.example ", (200, {**USER, **properties}))
    assert (found.id, found.address, found.kind) == (UID, "ada@x.example", kind)
    assert len(graph.outer) == requests_made


def test_a_mail_address_that_is_no_user_principal_name_is_found() -> None:
    found, graph = look_up("o'x@x.example", error(404, "Request_ResourceNotFound"), (200, {"value": [USER]}))
    assert found.id == UID
    assert "mail eq 'o''x@x.example'" in graph.calls[1].url


def test_without_directory_permission_only_object_ids_work() -> None:
    denied = error(403, "Authorization_RequestDenied")
    found, _ = look_up(UID.upper(), denied)
    assert (found.id, found.kind) == (UID, "user")
    with pytest.raises(MailboxUnavailable, match=r"User\.Read\.All") as caught:
        look_up("ada@x.example", denied, denied)
    assert caught.value.code == "no-permission"


@pytest.mark.parametrize(
    ("by_id", "by_mail", "probe", "code"),
    [
        (error(404, "Request_ResourceNotFound"), (200, {"value": []}), (200, {}), "unknown-user"),
        (error(404, "Request_ResourceNotFound"), (200, {"value": [USER, USER]}), (200, {}), "ambiguous-user"),
        ((200, USER), (200, {}), error(404, "MailboxNotEnabledForRESTAPI"), "no-mailbox"),
        ((200, USER), (200, {}), error(403, "ErrorAccessDenied"), "no-permission"),
        ((200, USER), (200, {}), error(404, "ErrorInvalidUser"), "unknown-user"),
    ],
)
def test_a_mailbox_that_cannot_be_used_says_why(by_id: Reply, by_mail: Reply, probe: Reply, code: str) -> None:
    with pytest.raises(MailboxUnavailable) as caught:
        look_up("ada@x.example", by_id, by_mail, probe)
    assert caught.value.code == code


def test_a_failing_directory_is_no_unknown_user() -> None:
    """R25"""
    with pytest.raises(RetryableError):
        look_up("ada@x.example", error(500, "x"))
