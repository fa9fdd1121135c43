"""Lines in which 30 % of a layer's answers say "later": how many operations the same work takes then (R32).

An item of a batch and a row of a transaction are one operation each, carried out or not. If each answer fails by
itself, that makes 1 / 0.7 = 1.43 times the operations, give or take chance. Nobody waits for anything here: the app's
clock skips, so that a pause of a minute costs no time. `dev.faulty` says what runs.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dev.bench.figures import Figure, Start
from dev.bench.runs import BenchError
from dev.faulty import FOLDER, Stage, stage
from dev.storage_faults import BUSY, QUEUES, TABLES
from shared.engine.model import Mode, Profile

PERSONS = 1_000
MAILBOXES = 4  #: for tables: a transaction fails as a whole, so there must be many for chance to even out
MOST = 1.6  #: times the operations of an undisturbed run
THIRD: dict[str, Any] = {"times": None, "probability": 0.3}

type Play = Callable[[Stage], object]


@dataclass(frozen=True, slots=True)
class Price:
    """What some work took of one layer: operations undisturbed, and with 30 % of its answers throttled."""

    layer: str
    plain: int
    throttled: int

    @property
    def times(self) -> float:
        """How many times the operations."""
        return self.throttled / self.plain


def graph(_: Start) -> Sequence[Figure]:
    """Contacts go into an empty mailbox."""
    return _figures(of_graph)


def bc(_: Start) -> Sequence[Figure]:
    """Contacts edited in Outlook go to BC."""
    return _figures(of_bc)


def tables(_: Start) -> Sequence[Figure]:
    """First syncs, as the tables see them."""
    return _figures(of_tables)


def queues(_: Start) -> Sequence[Figure]:
    """Messages for mailboxes."""
    return _figures(of_queues)


def tokens(_: Start) -> Sequence[Figure]:
    """Runs of processes that have just begun."""
    return _figures(of_tokens)


def _figures(measure: Callable[[Stage], Iterator[Price]]) -> list[Figure]:
    with stage() as running:
        prices = list(measure(running))
        if defects := running.simulators.graph.defects():
            raise BenchError(defects[0])
    return [
        figure
        for each in prices
        for figure in (
            Figure(f"{each.layer}: operations undisturbed", each.plain),
            Figure(f"{each.layer}: operations throttled", each.throttled),
            Figure(f"{each.layer}: times", each.times, MOST, decimals=2),
        )
    ]


# ---------------------------------------------------------------- each layer; whatever does not succeed is an error


def of_graph(stage: Stage) -> Iterator[Price]:
    """A first sync, with whole calls throttled and with items of batches."""
    plain = _first_syncs(stage, 1)["graph"]
    for layer, items in (("whole calls", False), ("items of batches", True)):
        yield Price(layer, plain, _first_syncs(stage, 1, _throttled("graph", items=items))["graph"])


def of_tables(stage: Stage) -> Iterator[Price]:
    """First syncs of several mailboxes."""
    plain = _first_syncs(stage, MAILBOXES)[TABLES]
    yield Price("rows and requests", plain, _first_syncs(stage, MAILBOXES, _busy(TABLES))[TABLES])


def of_bc(stage: Stage) -> Iterator[Price]:
    """Every contact edited in Outlook, with whole calls throttled and with items of batches."""
    stage.empty()
    stage.simulators.bc.seed(count=PERSONS)
    profile = stage.user("ada")
    stage.good_sync(profile)
    plain = _edits(stage, profile, "First Job")
    yield Price("whole calls", plain, _edits(stage, profile, "Second Job", _throttled("bc", items=False)))
    yield Price("items of batches", plain, _edits(stage, profile, "Third Job", _throttled("bc", items=True)))


def of_queues(stage: Stage) -> Iterator[Price]:
    """A message for each of many mailboxes."""
    stage.empty()
    mailboxes = [f"mailbox-{number}" for number in range(PERSONS)]
    send = stage.services.messages.sync_jobs
    send(mailboxes)  # makes the queue
    plain = _sent(stage, lambda: send(mailboxes))[QUEUES]
    _busy(QUEUES)(stage)
    yield Price("messages", plain, _sent(stage, lambda: send(mailboxes))[QUEUES])
    stage.clear_faults()


def of_tokens(stage: Stage) -> Iterator[Price]:
    """Tokens are kept for an hour, so each run is that of a new process: it asks for one description and two tokens."""
    stage.empty()
    stage.simulators.bc.seed(count=2)
    profile = stage.user("ada")
    stage.good_sync(profile)

    def runs(number: int) -> int:
        def each_in_a_new_process() -> None:
            for _ in range(number):
                stage.services = stage.new_process()
                stage.good_sync(profile)

        return _sent(stage, each_in_a_new_process)["entra"]

    of_a_run = runs(1)
    number = -(-PERSONS // of_a_run)
    body = {"error": "temporarily_unavailable", "error_codes": [90033]}
    stage.simulators.graph.add_fault("answer", service="entra", status=429, body=body, **THIRD)
    yield Price("requests to the token endpoint", number * of_a_run, runs(number))
    stage.clear_faults()


# ---------------------------------------------------------------- work, and what it took


def _sent(stage: Stage, work: Callable[[], object]) -> dict[str, int]:
    """Operations by service while some work is done."""
    log = stage.simulators.graph
    since, before = log.log_number(), Counter(stage.storage.sent)
    work()
    return {
        **{name: int(each["operations"]) for name, each in log.counts(since).items()},
        **(Counter(stage.storage.sent) - before),
    }


def _first_syncs(stage: Stage, mailboxes: int, play: Play = lambda _: None) -> dict[str, int]:
    """Contacts go into empty mailboxes; nobody is missing or there twice, and nothing is left to write."""
    stage.empty()
    stage.simulators.bc.seed(count=PERSONS)
    profiles = [stage.user(f"user{number}") for number in range(mailboxes)]
    play(stage)
    sent = _sent(stage, lambda: [stage.good_sync(each) for each in profiles])
    stage.clear_faults()
    for each in profiles:
        if len(stage.simulators.graph.contacts_of(each.mailbox_id, FOLDER)) != PERSONS:
            raise BenchError("a first sync did not bring all contacts, or some twice")
        since = stage.simulators.graph.log_number()
        stage.good_sync(each, Mode.FULL)
        if stage.writes(since):
            raise BenchError("a first sync left something to write")
    return sent


def _edits(stage: Stage, profile: Profile, word: str, play: Play = lambda _: None) -> int:
    """All contacts edited in Outlook go to BC; answers its operations."""
    people = stage.simulators.graph
    for contact in people.contacts_of(profile.mailbox_id, FOLDER):
        people.edit_contact(profile.mailbox_id, contact["id"], {"jobTitle": word})
    play(stage)
    sent = _sent(stage, lambda: stage.good_sync(profile))["bc"]
    stage.clear_faults()
    if {each["jobTitle"] for each in stage.simulators.bc.contacts()} != {word}:
        raise BenchError("an edit did not arrive in BC")
    return sent


def _throttled(service: str, *, items: bool) -> Play:
    """A service answers 429 to 30 % of its whole calls, or of the items of its batches."""
    body = {"error": {"code": "ApplicationThrottled" if service == "graph" else "Application_TooManyRequests"}}
    return lambda stage: stage.simulators.graph.add_fault(
        "answer", service=service, item=items, status=429, body=body, **THIRD
    )


def _busy(service: str) -> Play:
    """30 % of what is asked of tables or queues is answered with ServerBusy."""
    return lambda stage: stage.storage.add("answer", service=service, **BUSY, **THIRD)
