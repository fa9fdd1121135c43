"""The BC half of applying a plan: creations, writes, deletions, each batch recorded behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from shared.cards import emails
from shared.cards.model import BcContact, Field, OutlookContact
from shared.engine import company_feed
from shared.engine.claims import Claims
from shared.engine.jobs import Reason
from shared.engine.sides import BcDraft, BcWrite
from shared.engine.work import Work
from shared.errors import ChangedMeanwhile, ContactError, ContactGone, InvalidValue, OutcomeUnknown, SetupRefused
from shared.planning import notes, rebase
from shared.planning.model import (
    Create,
    Link,
    NoteKind,
    Operation,
    Parked,
    Present,
    Remove,
    Shown,
    Side,
    Write,
)
from shared.planning.newcomers import CREATING

SETUP_CODES = frozenset({"bc-number-series", "bc-permission"})  #: what a bulk call answers after such a refusal (R31)


@dataclass(slots=True)
class BcStage:
    """Applies what is to be done in BC. `follow_up` collects what remains to be done afterwards."""

    work: Work
    follow_up: list[Operation] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    met: dict[str, BcContact] = field(default_factory=dict)  #: persons found in BC of whom the feed does not know
    stopped: bool = False
    claims: Claims = field(init=False)

    def __post_init__(self) -> None:
        """None claimed yet."""
        work = self.work
        self.claims = Claims(work.services, work.inputs.rules.company_id, work.request.run_id)

    def apply(self, operations: Sequence[Operation]) -> None:
        """Apply all; a refusal of the company's set-up stops writing to it, and nothing else (R31)."""
        if not operations:
            return
        try:
            self._apply(operations)
        finally:
            self._tell_feed()

    def _apply(self, operations: Sequence[Operation]) -> None:
        self._respect_earlier_stop()
        waiting = list(operations)
        while waiting:
            again: list[Operation] = []
            for kind, carry_out in ((Create, self._create), (Write, self._write), (Remove, self._remove)):
                for batch in self.work.batches([each for each in waiting if isinstance(each, kind)]):
                    again += self._guarded(batch, carry_out)
            waiting = self._sort(again)

    def _sort(self, planned: Sequence[Operation]) -> list[Operation]:
        """What was planned again: BC's part goes round once more, the rest follows later."""
        in_bc = [each for each in planned if isinstance(each, Create | Write | Remove) and each.side is Side.BC]
        pairs = {each.bc.id for each in in_bc if isinstance(each, Write)}
        taken = {id(each) for each in in_bc}
        self.follow_up += [each for each in planned if id(each) not in taken and _pair_of(each) not in pairs]
        return list(in_bc)

    # ------------------------------------------------------------ the company's set-up

    def _respect_earlier_stop(self) -> None:
        feed, work = self.work.feed, self.work
        until = feed.writes_stopped_until
        if until is not None and until > work.services.now() and not work.request.trigger.is_requested:
            self.stopped = True
            self._note_stop(feed.writes_stopped_reason)

    def _guarded(
        self, batch: Sequence[Operation], apply: Callable[[Sequence[Operation]], list[Operation]]
    ) -> list[Operation]:
        if self.stopped:
            self._keep_for_later(batch)
            return []
        try:
            planned = apply(batch)
        except SetupRefused as refusal:
            self._stop(str(refusal))
            self._keep_for_later(batch)
            return []
        if self.work.feed.writes_stopped_until is not None and self.work.written:
            self.work.services.companies.stop_writes(self.work.inputs.rules.company_id, None, "")
        return planned

    def _stop(self, reason: str) -> None:
        services = self.work.services
        until = services.now() + timedelta(seconds=services.limits.setup_probe)
        services.companies.stop_writes(self.work.inputs.rules.company_id, until, reason)
        self.stopped = True
        self._note_stop(reason)

    def _could_not(self, error: ContactError, side: str, bc: BcContact | None, outlook: OutlookContact | None) -> None:
        """A set-up refusal in the middle of a batch stops the company as well; anything else is this contact's."""
        if error.code not in SETUP_CODES:
            self.work.failed(error, side, bc, outlook)
            return
        if not self.stopped:
            self._stop(str(error))
        contact = bc if side == "bc" else outlook
        if contact is not None:
            self._wait_for_probe(contact.id, side)

    def _note_stop(self, reason: str) -> None:
        self.work.tally.remark([notes.about(NoteKind.FAILED, "company-setup", reason)])

    def _keep_for_later(self, batch: Sequence[Operation]) -> None:
        for each in batch:
            if isinstance(each, Create) and each.outlook is not None:
                self._wait_for_probe(each.outlook.id, "outlook")
            elif isinstance(each, Write | Remove) and each.bc is not None and each.bc.id not in self.work.written:
                self._wait_for_probe(each.bc.id, "bc")
                if isinstance(each, Write):
                    self.work.keep_match(each)

    def _wait_for_probe(self, key: str, side: str) -> None:
        """What waits for the company's set-up is tried with the next probe, however often that failed (R31)."""
        self.work.recorder.fail(key, side, "company-setup", wait=self.work.services.limits.setup_probe)

    # ------------------------------------------------------------ writes

    def _write(self, batch: Sequence[Operation]) -> list[Operation]:
        writes = [each for each in batch if isinstance(each, Write)]
        answers = self.work.bc.write([BcWrite(each.bc, each.values, each.company_number) for each in writes])
        planned: list[Operation] = []
        stale: list[Write] = []
        for write, answer in zip(writes, answers, strict=True):
            if isinstance(answer, BcContact):
                planned += self._was_written(write, answer)
            elif isinstance(answer, ChangedMeanwhile | ContactGone):
                stale.append(write)
            elif isinstance(answer, InvalidValue) and (which := _field_of(answer, write)) is not None:
                self.work.refused.setdefault(write.bc.id, {})[which] = answer.detail or str(answer)
                stale.append(write)
            else:
                self._could_not(answer, "bc", write.bc, write.outlook)
                self.work.keep_match(write)
        self.work.recorder.commit()
        return planned + self._again(stale)

    def _was_written(self, write: Write, answer: BcContact) -> list[Operation]:
        link = rebase.after_bc_write(write, answer, self.work.services.now(), self.work.inputs.swing_limits)
        self._record(link)
        self.work.tally.add(Side.BC, "updated")
        self.work.written[answer.id] = answer
        return self.work.plan_pair(link, Present(answer), Shown(write.outlook))

    def _record(self, link: Link) -> None:
        """The pair, and that the snapshot is older than it until the feed is told (R30)."""
        recorder, now = self.work.recorder, self.work.services.now()
        recorder.link(link)
        self.work.positions = replace(self.work.positions, bc_written_at=now)
        recorder.changes.positions = replace(recorder.state.positions(), bc_written_at=now)

    def _again(self, stale: Sequence[Write]) -> list[Operation]:
        """Read again, merge again (R13); what has been tried often enough waits for the next run."""
        if not stale:
            return []
        found = self.work.bc.read([each.bc.id for each in stale])
        planned: list[Operation] = []
        for write in stale:
            if write.bc.id not in found or not self.work.may_try(write.bc.id):
                self.work.not_written(write, ChangedMeanwhile(BUSY))
                continue
            contact = found[write.bc.id]
            if contact is None:  # how many are gone is judged in the feed (R26), and what is to be done by the next run
                side = "outlook" if write.new_link else "bc"  # whom it was to be matched with is all that is left
                self.work.failed(ContactGone(DELETED), side, write.bc, write.outlook)
                continue
            planned += self.work.plan_pair(write.link, Present(contact), Shown(write.outlook))
        return planned

    # ------------------------------------------------------------ creations

    def _create(self, batch: Sequence[Operation]) -> list[Operation]:
        """Create persons; nobody is created who is in BC already or is being created by another mailbox (R7, R9)."""
        creates = self._claim([each for each in batch if isinstance(each, Create)])
        if not creates:
            return []
        found = dict(self.work.bc.find_persons([key for each in creates for key in _keys(each)]))
        self._meet([each for group in found.values() for each in group])
        planned: list[Operation] = []
        fresh: list[Create] = []
        for create in creates:
            known = {key: found[key] for key in _keys(create) if key in found}
            if known and create.outlook is not None and self.work.may_try(create.outlook.id):
                planned += self.work.plan_newcomer(create.outlook, known)
            else:
                fresh.append(create)
        return planned + self._send(fresh)

    def _meet(self, persons: Sequence[BcContact]) -> None:
        """Who is linked must be known to the feed, or nobody would hear of a deletion (R21): a run that died may have
        created them, or somebody in BC since the feed was read."""
        if not persons:
            return
        known = self.work.services.companies.contacts(self.work.inputs.rules.company_id, [each.id for each in persons])
        self.met.update({each.id: each for each in persons if each.id not in known})
        if self.met:  # until the feed is told, the next run has to read what it lacks
            now = self.work.services.now()
            self.work.positions = replace(self.work.positions, bc_written_at=now)
            changes, state = self.work.recorder.changes, self.work.recorder.state
            changes.positions = replace(changes.positions or state.positions(), bc_written_at=now)

    def _claim(self, creates: Sequence[Create]) -> list[Create]:
        granted = self.claims.take([key for each in creates for key in _keys(each)])
        going: list[Create] = []
        taken: set[str] = set()
        for each in creates:
            keys = set(_keys(each))
            if keys <= granted and not keys & taken:
                going.append(each)
                taken |= keys
            elif each.outlook is not None:
                self.work.recorder.fail(each.outlook.id, "outlook", "being-created")
        return going

    def _send(self, creates: Sequence[Create]) -> list[Operation]:
        if not creates:
            return []
        for each in creates:
            if each.outlook is not None:
                keys = emails.keys_of(each.outlook.card.email)
                self.work.recorder.park(Parked(each.outlook.id, CREATING, keys))
        self.work.recorder.commit()
        answers = self.work.bc.create([_draft(each) for each in creates])
        planned: list[Operation] = []
        for create, answer in zip(creates, answers, strict=True):
            if isinstance(answer, OutcomeUnknown):
                answer = self._look_for(create) or answer
            if isinstance(answer, BcContact):
                planned += self._was_created(create, answer)
            else:
                self._could_not(answer, "outlook", None, create.outlook)
        self.work.recorder.commit()
        return planned

    def _was_created(self, create: Create, answer: BcContact) -> list[Operation]:
        link = rebase.after_bc_create(create, answer)
        self._record(link)
        self.work.tally.add(Side.BC, "created")
        self.work.written[answer.id] = answer
        outlook = create.outlook
        return [] if outlook is None else self.work.plan_pair(link, Present(answer), Shown(outlook))

    def _look_for(self, create: Create) -> BcContact | None:
        """The answer was lost: was the person created? (BC reference 11.3)"""
        found = self.work.bc.find_persons(_keys(create))
        same = [
            each
            for group in found.values()
            for each in group
            if each.card.name == create.values.get(Field.NAME) and each.id not in self.work.recorder.links
        ]
        return same[0] if len(same) == 1 else None

    # ------------------------------------------------------------ deletions

    def _remove(self, batch: Sequence[Operation]) -> list[Operation]:
        removes = [each for each in batch if isinstance(each, Remove) and each.bc is not None]
        answers = self.work.bc.remove([each.bc for each in removes if each.bc is not None])
        for remove, answer in zip(removes, answers, strict=True):
            if answer is None:
                self.work.recorder.drop(remove.bc_id)
                self.work.tally.add(Side.BC, "deleted")
                self.gone.append(remove.bc_id)
            else:
                self._could_not(answer, "bc", remove.bc, None)  # changed or refused: decided again in the next run
        self.work.recorder.commit()
        return []

    # ------------------------------------------------------------ the feed

    def _tell_feed(self) -> None:
        """Other profiles hear of our writes at once (architecture, point 1); then the claims may go."""
        services, company_id = self.work.services, self.work.inputs.rules.company_id
        before = self.work.positions.log_position
        profile_id = self.work.request.profile_id
        changed = {**self.met, **self.work.written}
        state = company_feed.offer(services, company_id, list(changed.values()), self.gone, profile_id)
        offered = len(changed) + len(self.gone)
        if offered:
            services.messages.company_job(company_id, Reason.NEWS if state is not None else Reason.BC)
        if state is not None and state.head - offered == before:
            self.work.positions = company_feed.moved_to(self.work.positions, state.head)  # nothing but our own
        if state is not None:
            self.work.positions = replace(self.work.positions, bc_written_at=None)
        if state is not None or not changed:
            self.claims.give_back()


def _draft(create: Create) -> BcDraft:
    return BcDraft(create.values, create.company_number, create.outlook.id if create.outlook else "")


def _keys(create: Create) -> list[str]:
    return [emails.key_of(create.values.get(Field.EMAIL, ""))]


def _pair_of(operation: Operation) -> str:
    match operation:
        case Write():
            return operation.bc.id
        case Remove():
            return operation.bc_id
    return ""


def _field_of(refusal: InvalidValue, write: Write) -> Field | None:
    """Which of the written fields BC refused, if it can be told."""
    written: list[Field] = list(write.values)
    if write.company_number is not None:
        written.append(Field.COMPANY)
    for which in written:
        if refusal.field == which.value or (which is Field.COMPANY and refusal.field == "companyNumber"):
            return which
    return written[0] if len(written) == 1 else None


BUSY = "The contact kept changing while it was written; it is tried again."
DELETED = "Business Central has deleted the contact; the next run decides what becomes of the one in Outlook."
