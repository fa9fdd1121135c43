"""The app dies at each of its requests, and what people find afterwards is the same as if it had not (R9, R30).

A request that changes something kills it three times: before it goes out, after it took effect with the answer lost,
and after the answer. Around one that only reads nothing differs between the three, so it kills once. After a death the
platform gives the message to a new process, whoever called and got no answer calls again, and the timer ticks.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.azurite import Azurite
from dev.system.simulator_process import SimulatorProcess
from tests.crashes.stage import Stage
from tests.crashes.stories import Step, Story
from tests.crashes.wire import Died, Way, Wire
from tests.simulators.receiver import running_receiver

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(900)]

PARTS = 12  #: into which the points of a story are divided, so that workers share them
POINTS_LEAST = 150  #: of the story that is always played
ALL = os.environ.get("SWEEP") == "all"  #: all points of all stories, not some of the rich one
whole = pytest.mark.skipif(not ALL, reason="takes long: play it with SWEEP=all")


def parts(first: int) -> range:
    """Every other part from `first`; without SWEEP=all one of them."""
    return range(first, PARTS, 2) if ALL else range(first, first + 1)


@pytest.fixture(scope="class")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("sweep")
    with (
        Azurite() as azurite,
        SimulatorProcess(folder) as process,
        process.connect() as simulators,
        running_receiver(Path(simulators.addresses.server_file)) as receiver,
        pytest.MonkeyPatch.context() as patch,
        Wire((simulators.addresses.authority_host,)).attached() as wire,
    ):
        for name, value in simulators.environment().items():
            patch.setenv(name, value)
        yield Story(Stage(wire, simulators, azurite.connection_string, receiver.root))


def play(story: Story, steps: list[Step]) -> None:
    """All steps; a step that died is taken again by a new process."""
    for step in steps:
        while True:
            try:
                step()
                break
            except Died:
                story.stage.restart()


def undisturbed(story: Story, tale: str) -> tuple[int, dict[str, Any]]:
    """How many requests the story makes, and what people find after it."""
    play(story, opened(story, tale))  # like the day before any of those that count
    steps = opened(story, tale)
    story.stage.wire.count_anew()
    for step in steps:
        step()
    assert not story.stage.broken
    return len(story.stage.wire.asked), story.picture()


def opened(story: Story, tale: str) -> list[Step]:
    """The story's beginning: the first day has a world of its own, other days follow each other."""
    if tale == "first_day" or not story.day:
        story.begin()
    if tale == "first_day":
        return story.first_day()
    if not story.day:
        play(story, story.first_day())
        story.stage.tick()
    return list(getattr(story, tale)())


def die(story: Story, tale: str, point: int, way: Way, expected: dict[str, Any]) -> str:
    """Play the story with one death. Answers the request at which it came, blank when the story was over before."""
    steps = opened(story, tale)
    story.stage.wire.die_at(point, way)
    play(story, steps)
    asked = (story.stage.wire.asked[point - 1 :] or [""])[0]
    story.stage.wire.count_anew()
    if story.picture() != expected:  # what no message is there for any more, the timer finds
        story.stage.tick()
    where = f"{tale}, request {point} ({asked}), {way}"
    assert not story.stage.broken, where
    assert story.picture() == expected, where
    return asked


def sweep(story: Story, tale: str, part: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The deaths at every PARTS-th request from `part` on."""
    count, expected = undisturbed(story, tale)
    deaths = 0
    for point in range(part + 1, count + 1, PARTS):
        asked = die(story, tale, point, Way.ANSWER_LOST, expected)
        others = () if asked.startswith("GET ") else (Way.BEFORE, Way.AFTER)
        for way in others:
            die(story, tale, point, way, expected)
        deaths += 1 + len(others)
    story.stage.tick()
    before = story.writes()
    story.stage.tick()
    assert story.writes() == before, "a further round has nothing to write"
    with capsys.disabled():
        sys.stdout.write(
            f"\n{tale}, part {part + 1} of {PARTS}: {count} points in all, {deaths} deaths survived here\n"
        )


class TestChangesOfBothSides:
    """Updates, deletions, creations and first matches on both sides, for two users: the rich story."""

    def test_there_are_enough_points(self, story: Story) -> None:
        assert undisturbed(story, "next_day")[0] >= POINTS_LEAST

    @pytest.mark.parametrize("part", parts(0))
    def test_no_death_loses_or_doubles_anything(
        self, story: Story, part: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sweep(story, "next_day", part, capsys)


class TestChangesOfBothSidesToo:
    """The other half of the points, for another worker."""

    @pytest.mark.parametrize("part", parts(1))
    def test_no_death_loses_or_doubles_anything(
        self, story: Story, part: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sweep(story, "next_day", part, capsys)


@whole
class TestFirstDay:
    """Folders, first matches, creations on both sides, subscriptions."""

    @pytest.mark.parametrize("part", range(PARTS))
    def test_no_death_loses_or_doubles_anything(
        self, story: Story, part: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sweep(story, "first_day", part, capsys)


@whole
class TestUndo:
    """An administrator undoes a run."""

    @pytest.mark.parametrize("part", range(PARTS))
    def test_no_death_leaves_half_of_an_undo(self, story: Story, part: int, capsys: pytest.CaptureFixture[str]) -> None:
        sweep(story, "day_of_regret", part, capsys)
