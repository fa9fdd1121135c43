"""A group whose members are taken on, and short ways to look at who was."""

from collections.abc import Iterable

from shared.engine.callers import Caller
from shared.engine.import_state import ImportRun, Source, SourceKind, Who
from shared.engine.importing import ImportWish, approve, ask, begin_night, serve, work_at
from shared.engine.jobs import CompanyJob, Reason
from shared.pace import Pace
from shared.planning.importing import Person
from tests.fakes.world import COMPANY, World

GROUP = "99999999-0000-0000-0000-000000000001"
FROM_GROUP = Source(SourceKind.GROUP, group=GROUP)
ADMIN = Caller(actor="boss")


class Office:
    """A world with one group in it."""

    def __init__(self) -> None:
        self.world = World.new()

    @property
    def group(self) -> list[Person]:
        return self.world.directory.tenant.groups.setdefault(GROUP, [])

    def members(self, *names: str) -> None:
        """These are in the group now, and no others."""
        self.group[:] = [Person(each, f"{each}@contoso.example") for each in names]

    def ask(self, source: Source = FROM_GROUP, *, seconds: float = 60, **more: object) -> ImportRun:
        """An import as a request makes it."""
        services = self.world.services
        wish = ImportWish(source, **({"filter": {}} | more))  # type: ignore[arg-type]
        run = ask(services, wish, "", ADMIN, Pace(services.monotonic() + 5))
        return work_at(services, run, seconds)

    def night(self) -> ImportRun:
        """The timer fires, and all that follows from it."""
        self.world.clock.advance(hours=24)
        (job,) = begin_night(self.world.services, self.world.clock())
        return self.work(job.import_run)

    def work(self, run_id: str) -> ImportRun:
        """Messages until the run is over."""
        self.world.state.messages.sent.clear()
        serve(self.world.services, CompanyJob(COMPANY, Reason.IMPORT, import_run=run_id))
        for _ in range(50):
            run = self.world.state.imports.rows[run_id]
            if run.is_over:
                return run
            self.world.clock.advance(seconds=61)
            for message in self.world.state.messages.take_due():
                serve(self.world.services, CompanyJob(message.id, Reason.IMPORT, import_run=message.reason))
        raise AssertionError("the run never ends")

    def approve(self, run: ImportRun, **wanted: int) -> ImportRun:
        return self.work(approve(self.world.services, run.run_id, wanted, "boss").run_id)

    def enabled(self) -> set[str]:
        return {each.id for each in self.world.state.profiles.in_company(COMPANY) if each.enabled}

    def linked(self, user: str, contacts: int) -> None:
        """The user's folder is filled by a run."""
        for number in range(contacts):
            self.world.bc.put(displayName=f"P {number}", email=f"p{number}@x.example")
        assert self.world.sync(user).to_outlook.created == contacts


def users(people: Iterable[Who]) -> list[str]:
    return [each.user for each in people]


def reasons(run: ImportRun) -> dict[str, str]:
    return {each.user or each.address: each.code for each in run.left_out}
