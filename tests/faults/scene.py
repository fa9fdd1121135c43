"""One user and one company on the stage, for one test."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from shared.engine.model import Mode, Profile, Report, RunStatus
from shared.engine.requests import Wanted, request_run
from shared.engine.run import close_as_failed, run_mailbox
from shared.engine.services import Services
from shared.engine.state import Mark
from shared.errors import RetryableError
from tests.faults.stage import Stage
from tests.integration.office import FOLDER, BothSides

MOST_ATTEMPTS = 5  #: of one message, as in host.json; then it is poison

GOOD = (RunStatus.SUCCEEDED, RunStatus.WITH_NOTES)


class Scene(BothSides):
    """Asks the app in this process for syncs, and hands it messages as the host does."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.simulators)
        self.entra = stage.simulators.entra
        self.stage = stage
        self.clock = stage.clock
        self.storage = stage.storage
        self.company_id = self.bc.companies()[0]["id"].lower()
        self.broke_off = 0  #: messages that came back to the queue

    @property
    def services(self) -> Services:
        return self.stage.services

    def user(self, name: str) -> Profile:
        """A user with a mailbox and a profile."""
        address = f"{name}@contoso.example"
        user_id = self.graph.create_user(address, displayName=name.title()).lower()
        profile = Profile(self.company_id, user_id, address, user_id, address, folder_name=FOLDER)
        mark = Mark(profile.company_id, profile.id, profile.mailbox_id, self.services.now(), "request")
        self.services.marks.put(mark)
        return self.services.profiles.save(profile)

    def ask(self, profile: Profile, mode: Mode = Mode.INCREMENTAL) -> str:
        """A person asks for a run; answers its id."""
        return request_run(self.services, profile, Wanted(mode=mode), "test").run_id

    def work(self, profile: Profile) -> None:
        """The messages of a mailbox, one after the other, until nothing waits there."""
        attempts = 0
        for _ in range(100):
            try:
                run_mailbox(self.services, profile.mailbox_id, self.services.new_id())
                attempts = 0
            except Exception:  # noqa: BLE001 - as the host does: the message comes back
                self.broke_off += 1
                attempts += 1
                if attempts == MOST_ATTEMPTS:
                    close_as_failed(self.services, profile.mailbox_id, "broke-off", "It broke off.")
            if not self._waits(profile):
                return
            self.clock.sleep(61)  # until the message that was left behind comes out
        raise AssertionError("the line never gets empty")

    def sync(self, profile: Profile, mode: Mode = Mode.INCREMENTAL) -> Report:
        """A requested run from its request to its end."""
        run_id = self.ask(profile, mode)
        self.work(profile)
        report = self.services.reports.get(run_id)
        assert report is not None
        return report

    def good_sync(self, profile: Profile, mode: Mode = Mode.INCREMENTAL) -> Report:
        """The same; must succeed."""
        report = self.sync(profile, mode)
        assert report.status in GOOD, (report.status, report.error_code, report.error, report.notes)
        return report

    def writes(self, since: int) -> int:
        """Writes to Graph and BC since a number of the log."""
        return sum(each["writes"] for name, each in self.graph.counts(since).items() if name != "entra")

    def clear_faults(self) -> None:
        self.graph.clear_faults()
        self.storage.clear()

    def _waits(self, profile: Profile) -> bool:
        for _ in range(MOST_ATTEMPTS):
            with suppress(RetryableError):  # looking is the test's own doing, and meets the faults too
                return self.services.mailboxes.waiting(profile.mailbox_id)
        return True


@contextmanager
def on(stage: Stage) -> Iterator[Scene]:
    """The stage, emptied."""
    stage.simulators.bc.reset()
    stage.simulators.graph.reset()
    scene = Scene(stage)
    try:
        yield scene
    finally:
        scene.clear_faults()
    assert scene.graph.defects() == [], "a mistake of the simulators"
