"""One run's work while a plan is carried out: the sides, the inputs as they change, and planning a pair again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from shared.cards import emails
from shared.cards.model import BcContact, Field, OutlookContact
from shared.engine.company_state import FeedState
from shared.engine.handing_over import may_go_on
from shared.engine.model import Positions, RunRequest
from shared.engine.pages import Pages
from shared.engine.recording import Recorder
from shared.engine.services import Services
from shared.engine.sides import BcSide, OutlookSide
from shared.engine.tally import Tally
from shared.engine.watching import fingerprint
from shared.errors import ContactError, InvalidValue, NotDone
from shared.pace import Pace
from shared.planning import notes
from shared.planning.erased import ERASING
from shared.planning.model import (
    BcReading,
    Inputs,
    Link,
    Note,
    NoteKind,
    Operation,
    OutlookReading,
    Parked,
    Plan,
    Present,
    Record,
    Remove,
    Shown,
    Side,
    Write,
)
from shared.planning.plan import make_plan
from shared.planning.scope import FILTER_REASONS, scope_of

MATCHING = "matching"  #: a parked contact's reason: its first match could not be written yet
ATTEMPTS = 3  #: how often one contact is read and planned again before it waits for the next run


@dataclass(slots=True)
class Work:
    """What the two stages of applying share."""

    services: Services
    request: RunRequest
    bc: BcSide
    outlook: OutlookSide
    folder_id: str
    feed: FeedState
    inputs: Inputs
    recorder: Recorder
    tally: Tally
    pace: Pace
    pages: Pages
    positions: Positions
    save_notes: Callable[[], None]
    attempts: dict[str, int] = field(default_factory=dict)
    refused: dict[str, dict[Field, str]] = field(default_factory=dict)
    unfinished: bool = False  #: a bulk call stopped half-way (R32)
    written: dict[str, BcContact] = field(default_factory=dict)  #: what BC holds after this run's writes
    echoes: list[str] = field(default_factory=list)  #: fingerprints of this run's writes in Outlook (R15)

    def batches[T](self, operations: Sequence[T]) -> Iterator[Sequence[T]]:
        """Cut into batches; between them the run may have to hand over (R32) or notice that it lost its lease."""
        size = self.services.limits.apply_batch
        for start in range(0, len(operations), size):
            self.pace.keep_going()
            self.need_time()
            batch = operations[start : start + size]
            self.pages.expect(batch, self.recorder.links)
            yield batch

    def need_time(self) -> None:
        """Raises RetryableError when the run has to hand over."""
        may_go_on(self.services, self.request, self.pace, unfinished=self.unfinished)

    def wrote(self, link: Link, answer: OutlookContact) -> None:
        """The service will announce this write: no news, unless it met somebody's edit that the link does not know."""
        if answer.card == link.base_outlook and answer.etag:
            self.echoes.append(fingerprint(answer.id, answer.etag))

    def keep_notes(self) -> None:
        """A value that a write is about to replace stands in a saved note before it goes (R13, R24, R30)."""
        if self.tally.holds_lost_values:
            self.save_notes()
            self.tally.safe.update(self.tally.notes)

    def may_try(self, key: str) -> bool:
        """Count an attempt at one contact."""
        self.attempts[key] = self.attempts.get(key, 0) + 1
        return self.attempts[key] <= ATTEMPTS

    def plan_pair(self, link: Link, bc: BcReading, outlook: OutlookReading) -> list[Operation]:
        """Plan one pair again on fresh readings."""
        inputs = replace(
            self.inputs,
            links={link.bc_id: link} if link.bc_id in self.recorder.links else {},
            bc={link.bc_id: bc},
            outlook={link.outlook_id: outlook},
            parked={},
            persons={},
            refused=self.refused,
        )
        if inputs.links:
            return self._planned(inputs)
        if isinstance(bc, Present) and isinstance(outlook, Shown):  # a first match that was not recorded yet
            stamped = outlook.contact.stamp is not None and outlook.contact.stamp.bc_id == link.bc_id
            known = replace(inputs, persons=_findable(bc.contact, outlook.contact))
            return self._planned(known if stamped else replace(known, bc={}))
        return []

    def plan_newcomer(self, outlook: OutlookContact, persons: dict[str, tuple[BcContact, ...]]) -> list[Operation]:
        """Plan one unlinked Outlook contact again, now that these persons are known to be in BC (R7)."""
        ids = [each.id for group in persons.values() for each in group]
        linked = {key for key in ids if key in self.recorder.links} | set(self.recorder.state.links_by_bc(ids))
        known = self.recorder.parked.get(outlook.id)
        inputs = replace(
            self.inputs,
            links={},
            bc={},
            outlook={outlook.id: Shown(outlook)},
            parked={outlook.id: known} if known else {},
            persons=persons,
            linked_elsewhere=frozenset(linked),
        )
        return self._planned(inputs)

    def newly_linked(self, follow_up: Sequence[Operation]) -> set[str]:
        """BC ids that got an Outlook contact since the plan was made: asked right before a creation, BC knew the
        person, whom the feed still showed with another address (R7). Nobody may create them in Outlook as well (R9).
        """
        to_record = {each.link.bc_id for each in follow_up if isinstance(each, Write | Record)}
        return (to_record | self.recorder.links.keys()) - self.inputs.links.keys()

    def outside(self) -> dict[str, bool]:
        """Own creations that this run recorded: BC id -> whether the filter excludes them now (R4)."""
        answer: dict[str, bool] = {}
        for bc_id in self.recorder.recorded:
            link = self.recorder.links.get(bc_id)
            reading = self.inputs.bc.get(bc_id)
            contact = self.written.get(bc_id) or (reading.contact if isinstance(reading, Present) else None)
            if link is None:
                answer[bc_id] = False
            elif contact is not None:
                answer[bc_id] = scope_of(contact, self.inputs.rules) in FILTER_REASONS
        return answer

    def _planned(self, inputs: Inputs) -> list[Operation]:
        plan: Plan = make_plan(inputs)
        self.tally.remark(plan.notes)
        return list(plan.operations)

    def not_erased(self, remove: Remove, error: ContactError) -> None:
        """An erased contact could not be removed: tried again, and nothing of it stands in the note (R39)."""
        if isinstance(error, NotDone):
            self.unfinished = True
            return
        ids = {"bc_id": remove.bc_id, "outlook_id": remove.outlook_id}
        self.tally.remark([Note(NoteKind.FAILED, error.code, str(error), **ids)])
        key, side = (remove.bc_id, "bc") if remove.linked else (remove.outlook_id, "outlook")
        self.recorder.fail(key, side, ERASING)

    def not_written(self, write: Write, error: ContactError) -> None:
        """A write to either side failed: see `failed`; the pair of a first match is remembered."""
        self.failed(error, "bc", write.bc, write.outlook)
        self.keep_match(write)

    def keep_match(self, write: Write) -> None:
        """A first match that could not be written yet: the next run finds both again, and makes no other contact beside
        the one that was met (R7, R9)."""
        if write.new_link and write.bc.id not in self.recorder.links:
            keys = emails.keys_of(write.outlook.card.email)
            self.recorder.park(Parked(write.outlook.id, MATCHING, keys, write.bc.id))

    def failed(self, error: ContactError, side: str, bc: BcContact | None, outlook: OutlookContact | None) -> None:
        """One contact's failure: a note, and kept for retry (R31). `side` says whose id the retry is kept by."""
        if isinstance(error, NotDone):
            self.unfinished = True  # nothing happened to it: the run goes on with it later (R32)
            return
        said = error.detail or str(error) if isinstance(error, InvalidValue) else str(error)
        self.tally.remark([notes.about(NoteKind.FAILED, error.code, said, bc=bc, outlook=outlook)])
        contact = bc if side == "bc" else outlook
        if contact is not None:
            self.recorder.fail(contact.id, side, error.code)


def _findable(bc: BcContact, outlook: OutlookContact) -> dict[str, tuple[BcContact, ...]]:
    return dict.fromkeys(emails.keys_of(outlook.card.email), (bc,))


def touched_in_bc(operations: Sequence[Operation]) -> set[str]:
    """BC ids of pairs whose Outlook half waits for what BC returns."""
    return {each.bc.id for each in operations if isinstance(each, Write) and each.side is Side.BC} | {
        each.bc_id for each in operations if isinstance(each, Remove) and each.side is Side.BC
    }
