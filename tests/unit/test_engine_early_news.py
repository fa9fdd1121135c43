"""The folder's change feed is asked for while the folder is looked for, and used only if it is what is meant."""

import threading
from dataclasses import replace
from typing import cast

import pytest

from shared.engine.early_news import EarlyNews, ask_early
from shared.engine.model import Positions
from shared.engine.parallel import thread_ahead
from shared.engine.sides import OutlookChanges, OutlookSide
from shared.errors import PositionExpired

KNOWN = Positions(folder_id="folder", delta_link="link")


class Feed:
    """A folder's feed. `asked` says with which links."""

    def __init__(self, error: Exception | None = None, meeting: threading.Barrier | None = None) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.error, self.meeting = error, meeting

    def changes(self, folder_id: str, delta_link: str | None) -> OutlookChanges:
        """Port."""
        if self.meeting is not None:
            self.meeting.wait(10)
        self.asked.append((folder_id, delta_link))
        if self.error is not None:
            raise self.error
        return OutlookChanges((), (), f"after {delta_link}")


def early(feed: Feed, positions: Positions = KNOWN) -> EarlyNews:
    with thread_ahead() as ahead:
        return ask_early(ahead, cast(OutlookSide, feed), positions)


def changes(news: EarlyNews, feed: Feed, folder_id: str, delta_link: str | None) -> str:
    return news.changes(cast(OutlookSide, feed), folder_id, delta_link).delta_link


def test_whoever_asks_early_goes_on_meanwhile() -> None:
    feed = Feed(meeting=(meeting := threading.Barrier(2)))
    with thread_ahead() as ahead:
        news = ask_early(ahead, cast(OutlookSide, feed), KNOWN)
        meeting.wait(10)
    assert changes(news, feed, "folder", "link") == "after link"


def test_the_answer_is_used_once_for_the_folder_and_the_link_that_were_asked() -> None:
    feed = Feed()
    news = early(feed)
    assert changes(news, feed, "folder", "link") == "after link"
    assert len(feed.asked) == 1
    assert changes(news, feed, "folder", "link") == "after link"
    assert len(feed.asked) == 2


@pytest.mark.parametrize(("folder_id", "delta_link"), [("other", "link"), ("folder", "other"), ("folder", None)])
def test_another_folder_and_another_link_are_asked_anew(folder_id: str, delta_link: str | None) -> None:
    feed = Feed()
    assert changes(early(feed), feed, folder_id, delta_link) == f"after {delta_link}"
    assert feed.asked == [("folder", "link"), (folder_id, delta_link)]


@pytest.mark.parametrize("unknown", ["folder_id", "delta_link"])
def test_nothing_is_asked_early_where_no_position_is_known(unknown: str) -> None:
    feed = Feed()
    early(feed, replace(KNOWN, **{unknown: ""}))
    assert feed.asked == []


def test_what_the_feed_refuses_is_raised_where_its_answer_is_needed() -> None:
    feed = Feed(PositionExpired("too old"))
    news = early(feed)
    with pytest.raises(PositionExpired):
        changes(news, feed, "folder", "link")
