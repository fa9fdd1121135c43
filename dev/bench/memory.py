"""The line about memory: a first sync of a large company in a process of its own, which tells the most it ever held."""

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from unittest.mock import patch
from uuid import uuid4

from dev.bench.figures import Figure, Start
from dev.bench.place import FOLDER, BenchError

CONTACTS = 50_000


def first(start: Start) -> Sequence[Figure]:
    """A first sync with limits and latency off."""
    grounds = start()
    company = grounds.new_company(CONTACTS)
    profile = company.profile
    graph = grounds.simulators.graph
    graph.switch(throttling=False)
    try:
        command = [sys.executable, "-m", "dev.bench.memory", profile.company_id, profile.id, profile.mailbox_id]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    finally:
        graph.switch(throttling=True)
    if ran.returncode:
        raise BenchError(f"the process ended with {ran.returncode}: {ran.stderr[-2_000:]}")
    imported, peak, seconds = (float(each) for each in ran.stdout.split())
    count = len(graph.contacts_of(profile.mailbox_id, FOLDER))
    if count != CONTACTS:
        raise BenchError(f"{count} of {CONTACTS} contacts came into the folder")
    return [
        Figure("most that the process held", peak, 300, "MiB"),
        Figure("before the run", imported, unit="MiB"),
        Figure("processor time per contact", seconds / CONTACTS * 1_000, unit="ms", decimals=2),
    ]


def main() -> None:
    """Run what waits for one mailbox: arguments COMPANY PROFILE MAILBOX; prints MiB before, MiB at most, seconds."""
    from shared import bootstrap
    from shared.engine.model import Mode
    from shared.engine.requests import Wanted, request_run
    from shared.engine.run import run_mailbox
    from shared.outlook import service as outlook
    from shared.settings import get_settings

    company_id, profile_id, mailbox_id = sys.argv[1:]
    with patch.object(outlook, "QUOTA", None):
        services = bootstrap.build(get_settings())
    profile = services.profiles.get(company_id, profile_id)
    if profile is None:
        raise SystemExit("no such profile")
    request_run(services, profile, Wanted(mode=Mode.INCREMENTAL), "bench")
    before = _held()
    while services.mailboxes.waiting(mailbox_id):
        run_mailbox(services, mailbox_id, uuid4().hex)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(before, _held(), used.ru_utime + used.ru_stime)


def _held() -> float:
    """The most that this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


if __name__ == "__main__":
    main()
