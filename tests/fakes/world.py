"""A whole world in memory: two services, storage, a clock, and the engine on top of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from shared.engine.limits import Limits
from shared.engine.model import Mode, Profile, Report, RunRequest, RunStatus, Trigger
from shared.engine.run import run_mailbox
from shared.engine.services import Services
from shared.planning.model import Policies
from tests.fakes.business_central import MemoryCompany, MemoryEnvironment
from tests.fakes.faults import AtOnce, Faults
from tests.fakes.outlook import MemoryDirectory, MemoryMailbox
from tests.fakes.state import MemoryState

COMPANY = "11111111-0000-0000-0000-000000000001"
ENVIRONMENT = "Production"
MAILBOX_TENANT = "88888888-0000-0000-0000-000000000008"


class Clock:
    """A clock that only moves when told to, or a little with each look."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Now."""
        return self.time

    def monotonic(self) -> float:
        """Seconds."""
        return self.time.timestamp()

    def sleep(self, seconds: float) -> None:
        """Waiting is only a matter of time."""
        self.time += timedelta(seconds=seconds)

    def advance(self, **by: float) -> None:
        """Let time pass: `minutes=5`."""
        self.time += timedelta(**by)


@dataclass
class World:
    """Build with `World.new()`; then act on `bc` and `mailbox(...)`, `sync(...)`, and look."""

    clock: Clock
    state: MemoryState
    environment: MemoryEnvironment
    directory: MemoryDirectory
    limits: Limits = field(default_factory=Limits)
    public_address: str = ""  #: where the services reach us; blank: nothing is announced
    run_numbers: "count[int]" = field(default_factory=lambda: count(1))
    id_numbers: "count[int]" = field(default_factory=lambda: count(1))

    @classmethod
    def new(cls, limits: Limits | None = None) -> "World":
        """An empty world with one company."""
        clock = Clock()
        state = MemoryState(clock)
        world = cls(clock, state, MemoryEnvironment(clock, state.faults), MemoryDirectory(state.faults, clock=clock))
        world.limits = limits or Limits()
        world.environment.add(COMPANY)
        return world

    @property
    def faults(self) -> Faults:
        """One set of faults for everything outside the process."""
        return self.state.faults

    @property
    def bc(self) -> MemoryCompany:
        """The company."""
        return self.environment.all[COMPANY]

    def mailbox_id(self, user: str = "ada") -> str:
        """The mailbox of the user's profile: the own one, unless the profile says otherwise."""
        profile = self.state.profiles.rows.get((COMPANY, user))
        return profile.mailbox_id if profile else user

    def mailbox(self, user: str = "ada") -> MemoryMailbox:
        """The mailbox of the user's profile."""
        key = self.mailbox_id(user)
        return self.directory.mailboxes.setdefault(key, MemoryMailbox(key, self.faults))

    def folder(self, user: str = "ada") -> str:
        """Id of the user's synced folder."""
        rows = self.state.mailboxes.of(self.mailbox_id(user), COMPANY, user)
        return rows.positions.folder_id if rows.positions else ""

    def profile(self, user: str = "ada", **changes: object) -> Profile:
        """Create or change a user's profile; `policies` as keywords of Policies."""
        known = self.state.profiles.get(COMPANY, user)
        base = known or Profile(COMPANY, user, f"{user}@contoso.example", user, f"{user}@contoso.example")
        policies = changes.pop("policies", None)
        if isinstance(policies, dict):
            changes["policies"] = replace(base.policies or Policies(), **policies)
        saved = self.state.profiles.save(replace(base, **changes))  # type: ignore[arg-type]
        self.mailbox(user)
        return saved

    @property
    def services(self) -> Services:
        """What the engine gets."""
        return Services(
            directory=lambda _pace: self.directory,
            business_central=lambda _pace: self.environment,
            mailboxes=self.state.mailboxes,
            companies=self.state.companies,
            profiles=self.state.profiles,
            marks=self.state.marks,
            reports=self.state.reports,
            pauses=self.state.pauses,
            journal=self.state.journal,
            subscriptions=self.state.subscriptions,
            retention=self.state.retention,
            imports=self.state.imports,
            public_address=self.public_address,
            mailbox_tenant=MAILBOX_TENANT,
            messages=self.state.messages,
            now=self.clock,
            monotonic=self.clock.monotonic,
            new_id=lambda: f"{next(self.id_numbers):08x}",
            environment=ENVIRONMENT,
            sleep=self.clock.sleep,
            ahead=AtOnce,
            limits=self.limits,
        )

    def request(
        self,
        user: str = "ada",
        mode: Mode = Mode.INCREMENTAL,
        trigger: Trigger = Trigger.HTTP,
        filter: Mapping[str, str] | None = None,  # noqa: A002 - as in the interface
        **more: object,
    ) -> str:
        """Put a request into the line; answers the run's id."""
        self.clock.advance(seconds=1)
        number = next(self.run_numbers)
        run_id = f"{10**13 - 1 - int(self.clock().timestamp() * 1000):013d}.{self.mailbox_id(user)}.{number:08x}"
        box = self.mailbox_id(user)
        request = RunRequest(run_id, COMPANY, user, box, mode, trigger, self.clock(), filter, **more)  # type: ignore[arg-type]
        return self.services.mailboxes.submit(request).run_id

    def work(self, user: str = "ada") -> None:
        """One sync-jobs message, and those that it leaves behind."""
        box = self.mailbox_id(user)
        for _ in range(50):
            run_mailbox(self.services, box, "worker")
            if not self.state.mailboxes.waiting(box):
                return
            self.clock.advance(seconds=61)
        raise AssertionError("the line never gets empty")

    def work_after_death(self) -> None:
        """A new process does what the dead one left, once nobody holds its lease any more."""
        self.faults.restart()
        self.clock.advance(seconds=61)
        self.work()

    def sync(self, user: str = "ada", mode: Mode = Mode.INCREMENTAL, **more: object) -> Report:
        """A requested run from its request to its report."""
        run_id = self.request(user, mode, **more)  # type: ignore[arg-type]
        self.work(user)
        report = self.state.reports.get(run_id)
        assert report is not None
        return report

    def full(self, user: str = "ada", **more: object) -> Report:
        """A requested full run."""
        return self.sync(user, Mode.FULL, **more)

    def tick(self, user: str = "ada") -> Report | None:
        """A run that nobody asked for."""
        run_id = self.request(user, trigger=Trigger.TIMER)
        self.work(user)
        return self.state.reports.get(run_id)

    def cards(self, user: str = "ada") -> dict[str, str]:
        """Name -> Outlook id of what the user sees in the folder."""
        return {each.card.name: key for key, each in self.mailbox(user).in_folder(self.folder(user)).items()}

    def written(self) -> int:
        """How many writes both services have seen."""
        return len(self.bc.writes) + sum(len(each.writes) for each in self.directory.mailboxes.values())


__all__ = ["COMPANY", "Mode", "Report", "RunStatus", "Trigger", "World"]
