"""The adapter against a function that plays Graph: writing."""

from typing import Any

import pytest
import requests

from shared.cards.model import OutlookContact
from shared.errors import (
    ChangedMeanwhile,
    ContactGone,
    FolderMissing,
    InvalidValue,
    MailboxUnavailable,
    NotDone,
    OutcomeUnknown,
    ProfileError,
)
from shared.outlook.side import OutlookMailbox
from tests.fakes.graph import (
    FID,
    STAMP,
    UID,
    Call,
    Graph,
    Reply,
    client_for,
    drafts,
    error,
    mailbox,
    row,
    sent,
    write_of,
)
from tests.fakes.http_service import FakeService


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
