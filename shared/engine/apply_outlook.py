"""The Outlook half of applying a plan, and what only concerns our own records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from shared.cards.model import EMPTY_CARD, OutlookContact
from shared.engine.parallel import one_ahead
from shared.engine.sides import OutlookDraft, OutlookWrite
from shared.engine.watching import DELETED, fingerprint
from shared.engine.work import Work
from shared.errors import ChangedMeanwhile, ContactError, ContactGone, OutcomeUnknown
from shared.planning import rebase
from shared.planning.model import (
    ABSENT,
    Cause,
    Create,
    Operation,
    OutlookReading,
    Park,
    Present,
    Record,
    Remove,
    Shown,
    Side,
    Unlink,
    Unpark,
    Write,
)

BUSY = "The contact kept changing while it was written; it is tried again."


@dataclass(slots=True)
class OutlookStage:
    """Applies what is to be done in the folder. A batch is recorded while the next one is sent; what needs further
    questions to the mailbox waits until none is under way, since a batch uses all that a mailbox takes at a time."""

    work: Work
    stale: list[Write] = field(default_factory=list)  #: writes that met a newer version
    unknown: list[Create] = field(default_factory=list)  #: creations whose answer was lost

    def apply(self, operations: Sequence[Operation]) -> None:
        """Apply all, each batch recorded behind it."""
        waiting = list(operations)
        while waiting:
            self.work.keep_notes()
            self._records(waiting)
            self._in_turn([each for each in waiting if isinstance(each, Write)], self._write, self._written)
            again = self._again()
            self._remove_all([each for each in waiting if isinstance(each, Remove)])
            creates = [each for each in waiting if isinstance(each, Create)]
            if creates:
                self._announce()
            self._in_turn(creates, self._create, self._created)
            self._look_for_lost()
            waiting = [
                each for each in again if not (isinstance(each, Create | Write | Remove) and each.side is Side.BC)
            ]
        self.work.recorder.commit()

    def _in_turn[O: Operation, R](
        self,
        operations: Sequence[O],
        send: Callable[[Sequence[O]], Sequence[R]],
        record: Callable[[Sequence[O], Sequence[R]], None],
    ) -> None:
        def take_in(batch: Sequence[O], answers: Sequence[R]) -> None:
            self.work.pages.settle()
            record(batch, answers)
            self.work.recorder.commit()

        with self.work.pages.settled_behind():
            one_ahead(self.work.services.ahead, self.work.batches(operations), send, take_in)

    def _records(self, operations: Sequence[Operation]) -> None:
        recorder = self.work.recorder
        for operation in operations:
            match operation:
                case Record():
                    recorder.link(operation.link)
                case Unlink():
                    recorder.drop(operation.bc_id)
                    if operation.park is not None:
                        recorder.park(operation.park)
                    if operation.hide:
                        recorder.hide(operation.bc_id)
                case Park():
                    recorder.park(operation.parked)
                case Unpark():
                    recorder.unpark(operation.outlook_id)
                case _:
                    pass

    # ------------------------------------------------------------ creations

    def _announce(self) -> None:
        """From here on a death leaves contacts that no record knows: the next run looks for stamps (R9)."""
        if not self.work.positions.unclean:
            self.work.positions = replace(self.work.positions, unclean=True)
            self.work.recorder.changes.positions = replace(self.work.recorder.state.positions(), unclean=True)
        self.work.recorder.commit()

    def _create(self, batch: Sequence[Create]) -> Sequence[OutlookContact | ContactError]:
        stamp = self.work.inputs.rules.stamp
        drafts = [
            OutlookDraft(EMPTY_CARD.with_values(each.values), stamp(each.bc.id if each.bc else "", each.origin))
            for each in batch
        ]
        return self.work.outlook.create(self.work.folder_id, drafts)

    def _created(self, batch: Sequence[Create], answers: Sequence[OutlookContact | ContactError]) -> None:
        for create, answer in zip(batch, answers, strict=True):
            if isinstance(answer, OutlookContact):
                self._was_created(create, answer)
            elif isinstance(answer, OutcomeUnknown):
                self.unknown.append(create)
            else:
                self.work.failed(answer, "bc", create.bc, None)

    def _was_created(self, create: Create, answer: OutlookContact) -> None:
        link = rebase.after_outlook_create(create, answer)
        self.work.recorder.link(link)
        self.work.wrote(link, answer)
        self.work.tally.add(Side.OUTLOOK, "created")

    def _look_for_lost(self) -> None:
        """The answer was lost: is the contact there? If not now, the next run looks again before it creates (R9)."""
        unknown, self.unknown = self.unknown, []
        if not unknown:
            return
        found = self.work.outlook.find_stamped(self.work.folder_id, [each.bc.id for each in unknown if each.bc])
        for create in unknown:
            copies = [] if create.bc is None else [
                each for each in found.get(create.bc.id, ()) if each.id != create.replaces
            ]  # fmt: skip
            if copies:
                self._was_created(create, copies[0])
            else:
                self.work.failed(OutcomeUnknown(LOST), "bc", create.bc, None)
        self.work.recorder.commit()

    # ------------------------------------------------------------ writes and removals

    def _write(self, batch: Sequence[Write]) -> Sequence[OutlookContact | ContactError]:
        stamp = self.work.inputs.rules.stamp
        writes = [
            OutlookWrite(
                each.outlook,
                each.values,
                each.name_parts,
                stamp(each.bc.id, each.link.origin) if each.stamp else None,
            )
            for each in batch
        ]
        return self.work.outlook.write(self.work.folder_id, writes)

    def _written(self, batch: Sequence[Write], answers: Sequence[OutlookContact | ContactError]) -> None:
        now, swings = self.work.services.now(), self.work.inputs.swing_limits
        for write, answer in zip(batch, answers, strict=True):
            if isinstance(answer, OutlookContact):
                link = rebase.after_outlook_write(write, answer, now, swings)
                self.work.recorder.link(link)
                self.work.wrote(link, answer)
                self.work.tally.add(Side.OUTLOOK, "updated")
            elif isinstance(answer, ChangedMeanwhile | ContactGone):
                self.stale.append(write)
            else:
                self.work.not_written(write, answer)

    def _again(self) -> list[Operation]:
        """Read again, merge again; an edit that turns up only now travels to BC in the next run."""
        stale, self.stale = self.stale, []
        if not stale:
            return []
        found = self.work.outlook.read(self.work.folder_id, [each.outlook.id for each in stale])
        planned: list[Operation] = []
        for write in stale:
            if write.outlook.id not in found or not self.work.may_try(write.outlook.id):
                self.work.not_written(write, ChangedMeanwhile(BUSY))
                continue
            contact = found[write.outlook.id]
            reading: OutlookReading = ABSENT if contact is None else Shown(contact)
            before = self.work.recorder.links.get(write.bc.id)
            steps = self.work.plan_pair(before or write.link, Present(write.bc), reading)
            if any(isinstance(step, Write | Create | Remove) and step.side is Side.BC for step in steps):
                self.work.recorder.fail(write.bc.id, "bc", ChangedMeanwhile.code)  # decided as a whole in the next run
            else:
                planned += steps
        return planned

    def _remove_all(self, removes: Sequence[Remove]) -> None:
        deleted = [each for each in removes if not each.take_off]
        self._in_turn([each for each in deleted if each.cause is not Cause.ERASED], self._remove, self._removed)
        self._in_turn([each for each in deleted if each.cause is Cause.ERASED], self._erase, self._removed)
        self._in_turn([each for each in removes if each.take_off], self._take_off, self._taken_off)

    def _remove(self, batch: Sequence[Remove]) -> Sequence[ContactError | None]:
        ids = [each.outlook_id for each in batch]
        return self.work.outlook.remove(self.work.folder_id, ids, tags=_tags_of(batch))

    def _erase(self, batch: Sequence[Remove]) -> Sequence[ContactError | None]:
        return self.work.outlook.erase(self.work.folder_id, [each.outlook_id for each in batch])

    def _removed(self, batch: Sequence[Remove], answers: Sequence[ContactError | None]) -> None:
        for remove, answer in zip(batch, answers, strict=True):
            if answer is None:
                self._is_off(remove)
                self.work.echoes.append(fingerprint(remove.outlook_id, DELETED))
                self.work.tally.add(Side.OUTLOOK, "deleted")
            else:
                self._could_not(remove, answer)

    def _take_off(self, batch: Sequence[Remove]) -> Sequence[OutlookContact | ContactError]:
        """R27: the user's own contact in the main folder stays; link, stamp and category come off."""
        writes = [OutlookWrite(each.outlook, {}, remove_marks=True) for each in batch if each.outlook is not None]
        return self.work.outlook.write(self.work.folder_id, writes)

    def _taken_off(self, batch: Sequence[Remove], answers: Sequence[OutlookContact | ContactError]) -> None:
        there = [each for each in batch if each.outlook is not None]
        for remove, answer in zip(there, answers, strict=True):
            if isinstance(answer, ContactError) and not isinstance(answer, ContactGone):
                self._could_not(remove, answer)
            else:
                self._is_off(remove)
                self.work.tally.add(Side.OUTLOOK, "updated")

    def _is_off(self, remove: Remove) -> None:
        if remove.linked:
            self.work.recorder.drop(remove.bc_id)
        else:
            self.work.recorder.unpark(remove.outlook_id)

    def _could_not(self, remove: Remove, error: ContactError) -> None:
        if remove.cause is Cause.ERASED:
            self.work.not_erased(remove, error)
            return
        self.work.failed(error, "outlook" if remove.bc is None else "bc", remove.bc, remove.outlook)


def _tags_of(batch: Sequence[Remove]) -> dict[str, str]:
    """What was judged, so that nothing goes that a user has typed since (R24); of a privacy-blocked person all goes."""
    judged = [each for each in batch if each.cause is not Cause.PRIVACY_BLOCKED]
    return {each.outlook_id: each.outlook.etag for each in judged if each.outlook is not None}


LOST = "The answer of a creation was lost and the contact is not to be seen yet; the next run looks for it first."
