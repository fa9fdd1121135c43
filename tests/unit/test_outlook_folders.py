"""The adapter against a function that plays Graph: every request, and folders."""

from typing import Any

import pytest
import requests

from shared.cards.model import Card
from shared.engine.sides import FolderStamp, OutlookDraft
from shared.errors import InvalidValue, MailboxUnavailable, ProfileError, RetryableError
from shared.outlook.directory import OutlookDirectory
from tests.fakes.graph import (
    FID,
    IMMUTABLE,
    ROOT,
    STAMP,
    UID,
    Call,
    Reply,
    client_for,
    drafts,
    error,
    mailbox,
    row,
    sent,
    write_of,
)

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
