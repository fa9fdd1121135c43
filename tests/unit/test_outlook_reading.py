"""The adapter against a function that plays Graph: the change feed, and reading."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.cards.model import Card, Origin, Stamp
from shared.engine.sides import OutlookDraft
from shared.errors import FolderMissing, MailboxUnavailable, PositionExpired, RetryableError
from shared.outlook.directory import OutlookDirectory
from tests.fakes.graph import FID, ROOT, UID, Call, Graph, Reply, client_for, error, mailbox, row

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
