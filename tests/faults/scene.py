"""One user and one company on the stage, for one test."""

from collections.abc import Iterator
from contextlib import contextmanager

from dev.faulty import Stage
from shared.engine.model import Mode, Profile, Report
from shared.engine.services import Services
from tests.integration.office import BothSides


class Scene(BothSides):
    """Asks the app in this process for syncs, and hands it messages as the host does."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.simulators)
        self.entra = stage.simulators.entra
        self.stage = stage
        self.clock = stage.clock
        self.storage = stage.storage
        self.company_id = self.bc.companies()[0]["id"].lower()

    @property
    def services(self) -> Services:
        return self.stage.services

    def user(self, name: str) -> Profile:
        return self.stage.user(name)

    def ask(self, profile: Profile, mode: Mode = Mode.INCREMENTAL) -> str:
        return self.stage.ask(profile, mode)

    def work(self, profile: Profile) -> None:
        self.stage.work(profile)

    def sync(self, profile: Profile, mode: Mode = Mode.INCREMENTAL) -> Report:
        return self.stage.sync(profile, mode)

    def good_sync(self, profile: Profile, mode: Mode = Mode.INCREMENTAL) -> Report:
        return self.stage.good_sync(profile, mode)

    def writes(self, since: int) -> int:
        return self.stage.writes(since)

    def clear_faults(self) -> None:
        self.stage.clear_faults()


@contextmanager
def on(stage: Stage) -> Iterator[Scene]:
    """The stage, emptied."""
    stage.empty()
    scene = Scene(stage)
    try:
        yield scene
    finally:
        scene.clear_faults()
    assert scene.graph.defects() == [], "a mistake of the simulators"
