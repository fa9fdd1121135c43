"""Lines beside the others: what else brings contacts into a mailbox, on the same simulators under the same conditions.

The peers are processes of a virtual environment of their own, which nothing else needs (`dev/bench/peers`). The slow
ones, who send one request after the other, work at the same time, each in a mailbox of its own, with fewer
contacts: their rates do not depend on the number, and together they keep less than one core busy. The others and the
app work alone.
"""

import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from dev.bench import planning
from dev.bench.at_the_limit import AT_ONCE, FIRST, ITEM, conditions, first_sync, span_of
from dev.bench.figures import Figure, Start
from dev.bench.peers.job import Job, Person
from dev.bench.place import FOLDER, Grounds
from dev.bench.runs import BenchError
from dev.simulators.business_central.seeding import made_up
from dev.simulators.launch import Addresses, Simulators
from shared.cards.names import split_name

_PROJECT = Path(__file__).resolve().parents[2]
_HOME = _PROJECT / ".tools" / "peers"
PYTHON = _HOME / ("Scripts" if os.name == "nt" else "bin") / "python"

SLOW = FIRST * 2 // 5  #: contacts for each of those who send one request after the other
OURS = "this app"
LIMIT = AT_ONCE / ITEM * 60  #: contacts a minute
ROUNDS = 3  #: of planning

RATE, SHARE, REQUESTS, WORK, THROTTLED, AGAIN = (
    "contacts a minute",
    "of the limit",
    "Graph requests per contact",
    "processor time per contact",
    "throttled items",
    "Graph requests per contact, further run",
)


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody to compare with."""

    name: str
    module: tuple[str, ...]  #: below `dev.bench.peers`, with its arguments
    alone: bool
    again: int = 0  #: further runs of its own, the last of which is counted; 0 for a library
    folder: str = FOLDER  #: where its contacts come

    @property
    def is_library(self) -> bool:
        """Whether it is the thing itself, so that its processor time says something, and no sequence of requests."""
        return self.module[0] != "sequences"

    @property
    def contacts(self) -> int:
        """How many contacts it brings."""
        return FIRST if self.alone else SLOW


PEERS = (
    Peer("msgraph-sdk, one at a time", ("sdk", "one"), alone=False),
    Peer("msgraph-sdk, four at once", ("sdk", "four"), alone=True),
    Peer("msgraph-sdk, its batches of 20", ("sdk", "batch"), alone=True),
    Peer("python-o365", ("o365",), alone=False, folder="contacts"),
    Peer("look up each, then POST it", ("sequences", "lookups"), alone=False, again=1),
    Peer("list, then POST each", ("sequences", "listing"), alone=False, again=1),
    Peer("Business Central's wizard", ("sequences", "wizard"), alone=True, again=2),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the simulators' log says of one mailbox."""

    span: float  #: seconds from the beginning of the first write to the end of the last; 0 without writes
    requests: int  #: HTTP requests, a batch being one
    throttled: int
    statuses: str


def seen(entries: Sequence[Mapping[str, Any]], mailbox: str) -> Seen:
    """Look at the log's entries that concern one mailbox; batches are told by their items."""
    own = [each for each in entries if each["service"] == "graph" and each["mailbox"] == mailbox]
    writes = [each for each in own if each["kind"] == "contacts.create"]
    statuses = Counter(each["status"] for each in own)
    return Seen(
        span=span_of(writes) if writes else 0.0,
        requests=sum(each["item"] is None for each in own)
        + len({each["batch"] for each in own if each["item"] is not None}),
        throttled=statuses[429],
        statuses=", ".join(f"{number:,} × {status}" for status, number in sorted(statuses.items())),
    )


def people(count: int) -> tuple[Person, ...]:
    """The same made-up persons that fill a company."""
    found = []
    for values in made_up(count):
        given, middle, surname = split_name(values["displayName"])
        found.append(
            Person(
                values["displayName"],
                given,
                middle,
                surname,
                values["jobTitle"],
                values["email"],
                values["phoneNumber"],
                values["addressLine1"],
                values["city"],
                values["postalCode"],
                values["country"],
            )
        )
    return tuple(found)


def first_syncs(start: Start) -> Sequence[Figure]:
    """Contacts into an empty folder by each of the peers and by the app."""
    check_installed()
    grounds = start()
    ours = _ours(grounds)
    figures = {}
    with conditions(grounds), _undocumented(grounds):
        slow = [each for each in PEERS if not each.alone]
        with ThreadPoolExecutor(len(slow)) as pool:
            for peer, found in zip(slow, pool.map(lambda peer: _measured(grounds, peer), slow), strict=True):
                figures[peer.name] = found
        for peer in PEERS:
            if peer.alone:
                figures[peer.name] = _measured(grounds, peer)
    if defects := grounds.simulators.graph.defects():
        raise BenchError(defects[0])
    libraries = [figure for peer in PEERS if peer.is_library for figure in figures[peer.name]]
    return [*ours, *(figure for peer in PEERS for figure in figures[peer.name]), *compared(ours, libraries)]


def compared(ours: Sequence[Figure], libraries: Sequence[Figure]) -> list[Figure]:
    """The best of the libraries against the app, in what all of them do themselves; the app shall be better."""

    def reached(figures: Sequence[Figure], what: str) -> list[float]:
        return [figure.reached for figure in figures if figure.what == what]

    (rate,), (work,) = reached(ours, RATE), reached(ours, WORK)
    return [
        Figure("fastest library, of this app's contacts a minute", max(reached(libraries, RATE)) / rate, 1.0, "×", 2),
        Figure(
            "this app's processor time, of the least of a library's", work / min(reached(libraries, WORK)), 1.0, "×", 2
        ),
    ]


def engines(start: Start) -> Sequence[Figure]:
    """Planning by vdirsyncer's engine, and by ours in the same run."""
    check_installed()
    command = (planning.PAIRS, planning.EVERY, ROUNDS)
    ran = subprocess.run(
        [PYTHON, "-m", "dev.bench.peers.planning", *map(str, command)],
        cwd=_PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise BenchError(f"vdirsyncer's engine ended with {ran.returncode}: {ran.stderr[-2_000:]}")
    said = json.loads(ran.stdout)
    (ours,) = planning.plan(start)
    return [
        Figure("vdirsyncer's engine, one core", said["processor"], unit="s", decimals=2, detail=said["version"]),
        Figure("our planner, of it", ours.reached / said["processor"], 1.0, "×", 2),
    ]


def check_installed(python: Path = PYTHON) -> None:
    """Raise BenchError, with what to do, when the peers' libraries are not there."""
    if not python.exists():
        raise BenchError(
            "The libraries to compare with are not installed (.tools/peers is missing). "
            "`make bench` and `make bench ONLY=peers` install them; without a network, leave these lines out "
            "with ONLY=."
        )


# ---------------------------------------------------------------- the app


def _ours(grounds: Grounds) -> list[Figure]:
    company, since, used = first_sync(grounds)
    mailbox = company.profile.mailbox_id
    first = seen(grounds.simulators.graph.log(since=since), mailbox)
    _check(grounds.simulators, mailbox, FOLDER, people(FIRST))
    company.tick()  # reads what it has written itself
    further = grounds.cost(company.tick)
    detail = "everything from reading Business Central to recording is part of the processor time"
    return _figures(OURS, FIRST, first, used, further.graph, detail)


# ---------------------------------------------------------------- the others


def _measured(grounds: Grounds, peer: Peer) -> list[Figure]:
    simulators = Simulators(grounds.simulators.addresses)  # a thread's own connections
    graph, everybody = simulators.graph, people(peer.contacts)
    mailbox = graph.create_user(f"{uuid4().hex[:8]}@bench.example")
    since = graph.log_number()
    try:
        with _process(peer, _job(simulators.addresses, mailbox, everybody)) as (versions, work):
            used = work()
            first = seen(graph.log(since=since), mailbox)
            further = None
            for _ in range(peer.again):
                since = graph.log_number()
                work()
                further = seen(graph.log(since=since), mailbox).requests
        _check(simulators, mailbox, peer.folder, everybody)
    finally:
        simulators.stop()
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    detail = f"{libraries}; {peer.contacts:,} contacts; answers {first.statuses}"
    return _figures(peer.name, peer.contacts, first, used if peer.is_library else None, further, detail)


def _job(addresses: Addresses, mailbox: str, everybody: tuple[Person, ...]) -> Job:
    return Job(
        addresses.graph_root,
        addresses.authority_host,
        addresses.tenant,
        addresses.client_id,
        addresses.client_secret,
        mailbox,
        FOLDER,
        everybody,
    )


@contextmanager
def _undocumented(grounds: Grounds) -> Iterator[None]:
    """Let a batch's requests have members that Graph's documentation does not know: msgraph-core sends `depends_on`."""
    grounds.simulators.graph.switch(batch_unknown_members="ignore")
    try:
        yield
    finally:
        grounds.simulators.graph.switch(batch_unknown_members="refuse")


@contextmanager
def _process(peer: Peer, job: Job) -> Iterator[tuple[dict[str, str], Any]]:
    """A peer that is ready: the versions of its libraries, and what makes it work and answers its processor time."""
    module, *arguments = peer.module
    command = [str(PYTHON), "-m", f"dev.bench.peers.{module}", *arguments]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            command, cwd=_PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        ) as process,
    ):

        def ask(line: str) -> dict[str, Any]:
            if process.stdin is None or process.stdout is None:
                raise AssertionError("both are pipes")
            process.stdin.write(line + "\n")
            process.stdin.flush()
            if not (answer := process.stdout.readline()):
                process.wait()
                said.seek(0)
                raise BenchError(f"{peer.name} ended with {process.returncode}: {said.read()[-2_000:]}")
            read: dict[str, Any] = json.loads(answer)
            return read

        try:
            yield ask(job.line()), lambda: float(ask("run")["processor"])
        finally:
            process.kill()


def _check(simulators: Simulators, mailbox: str, folder: str, everybody: Sequence[Person]) -> None:
    """Raise BenchError unless everybody is in the folder, and once."""
    there = Counter(
        mail["address"] for row in simulators.graph.contacts_of(mailbox, folder) for mail in row["emailAddresses"]
    )
    if there != Counter(person.email for person in everybody):
        raise BenchError(f"{there.total()} contacts of {len(everybody)} came into the folder, or others")


def _figures(
    name: str, contacts: int, first: Seen, used: float | None, further: int | None, detail: str
) -> list[Figure]:
    rate = contacts / first.span * 60
    figures = [
        Figure(RATE, rate, of=name, detail=detail),
        Figure(SHARE, rate / LIMIT * 100, unit="%", of=name),
        Figure(REQUESTS, first.requests / contacts, decimals=3, of=name),
        Figure(THROTTLED, first.throttled, of=name),
    ]
    if used is not None:
        figures.insert(3, Figure(WORK, used / contacts * 1_000, unit="ms", decimals=2, of=name))
    if further is not None:
        figures.append(Figure(AGAIN, further / contacts, decimals=3, of=name))
    return figures
