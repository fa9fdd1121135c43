"""Work in a process of its own, which tells the processor time that it took and the most that it ever held.

The process imports what a worker needs and no simulator, so that what it holds is what a worker would hold.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from dev.bench.runs import BenchError, run, tick
from shared.engine.model import Mode, Profile
from shared.engine.services import Services

if TYPE_CHECKING:
    from dev.bench.place import Company, Cost

WORKS: dict[str, Callable[[Services, Profile], object]] = {
    "incremental": partial(run, mode=Mode.INCREMENTAL),
    "full": partial(run, mode=Mode.FULL),
    "tick": tick,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What the process says of itself."""

    before: float  #: MiB held before the work
    most: float  #: MiB held at most, the libraries among them
    worked: float  #: processor seconds of the work
    seconds: float
    requests: int  #: of tables
    read: int  #: rows
    written: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What some work took: at the services as the simulators counted, the rest as the process told."""

    cost: "Cost"  #: its rows and seconds are not the work's
    told: Told


def spent(company: "Company", work: str) -> Spent:
    """Do one of `WORKS` for a company's profile with limits off. Raises BenchError."""
    graph, bc = company.grounds.simulators.graph, company.grounds.simulators.bc
    told: list[Told] = []
    graph.switch(throttling=False)
    bc.set_limits(enabled=False)
    try:
        cost = company.grounds.cost(lambda: told.append(_told(company.profile, work)))
    finally:
        graph.switch(throttling=True)
        bc.set_limits(enabled=True)
    return Spent(cost, told[0])


def _told(profile: Profile, work: str) -> Told:
    command = [sys.executable, "-m", "dev.bench.apart", work, profile.company_id, profile.id]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    if ran.returncode:
        raise BenchError(f"the process ended with {ran.returncode}: {ran.stderr[-2_000:]}")
    return Told(**json.loads(ran.stdout))


def main() -> None:
    """Arguments: WORK COMPANY PROFILE. Prints `Told` as JSON."""
    from dev.bench.rows import CountRows
    from shared import bootstrap
    from shared.business_central import environment
    from shared.outlook import service as outlook
    from shared.settings import get_settings
    from shared.storage import connect
    from shared.transport.gates import Rate

    work, company_id, profile_id = sys.argv[1:]
    settings = get_settings()
    counter = CountRows(settings.storage_prefix)
    counter.kinds = False
    counted = partial(connect.table_service, transport=counter)
    no_rate = Rate(per_second=1e6, burst=1_000_000)
    with (
        patch.object(outlook, "QUOTA", None),
        patch.object(environment, "RATE", no_rate),
        patch.object(connect, "table_service", counted),
    ):
        services = bootstrap.build(settings)
    profile = services.profiles.get(company_id, profile_id)
    if profile is None:
        raise SystemExit("no such profile")
    before, counter.rows = _held(), type(counter.rows)()
    began, used = time.perf_counter(), time.process_time()
    WORKS[work](services, profile)
    used, seconds, rows = time.process_time() - used, time.perf_counter() - began, counter.rows
    told = Told(before, _held(), used, seconds, rows.requests, rows.read.total(), rows.written.total())
    print(json.dumps(asdict(told)))


def _held() -> float:
    """The most that this program ever held, in MiB. What `getrusage` says is no less than what the process that
    started this one held at that moment, so it is asked only where there is nothing better."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (each for each in status.read_text().splitlines() if each.startswith("VmHWM:"))
        return int(line.split()[1]) / 1_024
    import resource

    unit = 1 if sys.platform == "darwin" else 1_024  # bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


if __name__ == "__main__":
    main()
