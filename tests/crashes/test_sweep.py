"""The app dies at each of its requests, and what people find afterwards is the same as if it had not (R9, R30).

Each request kills it before it goes out, after it took effect with the answer lost, and after the answer. One that only
reads takes no effect, so that the second is the first: it kills twice, with SWEEP=all three times, too. After a death
the platform gives the message to a new process, whoever called and got no answer calls again, and the timer ticks.
"""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dev.azurite import Azurite
from dev.system.simulator_process import SimulatorProcess
from tests.crashes.stage import Stage
from tests.crashes.stories import CAREFUL, SETTINGS, Step, Story
from tests.crashes.wire import Died, Way, Wire
from tests.simulators.receiver import running_receiver

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(900)]

PARTS = 12  #: into which the points of a story are divided
POINTS_LEAST = {"next_day": 150, "day_of_approval": 60, "first_day": 100, "day_of_regret": 60}
MAY_VANISH = 8  #: of a story's last requests: look-ups that one process saves and another makes
ALL = os.environ.get("SWEEP") == "all"  #: more stories, and all three ways to die at what only reads
whole = pytest.mark.skipif(not ALL, reason="takes long: play it with SWEEP=all")


def parts(first: int, shares: int) -> range:
    """One of some shares of the parts."""
    return range(first, PARTS, shares)


def but_for_deaths(hook: Callable[[Any], object]) -> Callable[[Any], None]:
    """What is done with exceptions that end threads: a process also dies at requests that renew a lease."""

    def told(args: Any) -> None:
        if not isinstance(args.exc_value, Died):
            hook(args)

    return told


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
        patch.setattr(threading, "excepthook", but_for_deaths(threading.excepthook))
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
        story.begin(CAREFUL if tale == "day_of_approval" else SETTINGS)
    if tale == "first_day":
        return story.first_day()
    if not story.day:
        play(story, story.first_day())
        story.stage.tick()
    return list(getattr(story, tale)())


def die(story: Story, tale: str, point: int, way: Way, expected: dict[str, Any]) -> str:
    """Play the story with one death, and see that it ends as without. Answers the request at which it died, blank
    when the story was over before."""
    steps = opened(story, tale)
    wire = story.stage.wire
    before = wire.deaths
    wire.die_at(point, way)
    play(story, steps)
    asked = (wire.asked[point - 1 :] or [""])[0]
    where = f"{tale}, request {point} ({asked}), {way}"
    wire.count_anew()
    if story.picture() != expected:  # what no message is there for any more, the timer finds
        story.stage.tick()
    assert not story.stage.broken, where
    assert story.picture() == expected, where
    return asked if wire.deaths > before else ""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """What is there already is looked through no more, and garbage is collected on demand only."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
        gc.collect()


def sweep(story: Story, tale: str, part: int, record_property: Callable[[str, object], None]) -> None:
    """The deaths at every PARTS-th request from `part` on."""
    if tale not in story.calm:
        story.calm[tale] = undisturbed(story, tale)
    count, expected = story.calm[tale]
    assert count >= POINTS_LEAST[tale]
    points = deaths = 0
    with seldom_collected():
        for point in range(part + 1, count + 1, PARTS):
            asked = die(story, tale, point, Way.BEFORE, expected)
            ways = [Way.AFTER] if asked.startswith("GET ") and not ALL else [Way.ANSWER_LOST, Way.AFTER]
            died = [asked, *(die(story, tale, point, way, expected) for way in ways)]
            assert all(died) or point > count - MAY_VANISH, f"{tale}, request {point}: a death did not come"
            points, deaths = points + all(died), deaths + len([each for each in died if each])
            gc.collect()
    story.stage.tick()
    before = story.writes()
    story.stage.tick()
    assert story.writes() == before, "a further round has nothing to write"
    record_property("figure", (f"crash points of {tale}, all of them survived", points))
    record_property("figure", (f"deaths at the points of {tale}", deaths))


class Sweep:
    """A share of a story's points; a class of its own for each, so that workers take them in parallel."""

    tale = ""

    def test_no_death_loses_or_doubles_anything(
        self, story: Story, part: int, record_property: Callable[[str, object], None]
    ) -> None:
        sweep(story, self.tale, part, record_property)


class Changes(Sweep):
    """Updates, deletions, creations and first matches on both sides, for two users: the rich story."""

    tale = "next_day"


class Approval(Sweep):
    """An administrator approves a held run: two contacts leave the folder, two persons are made in BC."""

    tale = "day_of_approval"


@pytest.mark.parametrize("part", parts(0, 4))
class TestChanges1(Changes): ...


@pytest.mark.parametrize("part", parts(1, 4))
class TestChanges2(Changes): ...


@pytest.mark.parametrize("part", parts(2, 4))
class TestChanges3(Changes): ...


@pytest.mark.parametrize("part", parts(3, 4))
class TestChanges4(Changes): ...


@pytest.mark.parametrize("part", parts(0, 2))
class TestApproval1(Approval): ...


@pytest.mark.parametrize("part", parts(1, 2))
class TestApproval2(Approval): ...


@whole
@pytest.mark.parametrize("part", parts(0, 1))
class TestFirstDay(Sweep):
    """Folders, first matches, creations on both sides, subscriptions."""

    tale = "first_day"


@whole
@pytest.mark.parametrize("part", parts(0, 1))
class TestUndo(Sweep):
    """An administrator undoes a run."""

    tale = "day_of_regret"
