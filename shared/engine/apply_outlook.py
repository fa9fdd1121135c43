"""The Outlook half of applying a plan, and what only concerns our own records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from shared.cards.model import EMPTY_CARD, OutlookContact
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
    """Applies what is to be done in the folder."""

    work: Work

    def apply(self, operations: Sequence[Operation]) -> None:
        """Apply all, each batch recorded behind it."""
        waiting = list(operations)
        while waiting:
            self.work.keep_notes()
            self._records(waiting)
            again: list[Operation] = []
            removes = [each for each in waiting if isinstance(each, Remove)]
            for writes in self.work.batches([each for each in waiting if isinstance(each, Write)]):
                again += self._write(writes)
            deleted = [each for each in removes if not each.take_off]
            for batch in self.work.batches([each for each in deleted if each.cause is not Cause.ERASED]):
                self._remove(batch, partial(self.work.outlook.remove, tags=_tags_of(batch)))
            for batch in self.work.batches([each for each in deleted if each.cause is Cause.ERASED]):
                self._remove(batch, self.work.outlook.erase)
            for batch in self.work.batches([each for each in removes if each.take_off]):
                self._take_off(batch)
            creates = [each for each in waiting if isinstance(each, Create)]
            if creates:
                self._announce()
            for batch_of_creates in self.work.batches(creates):
                self._create(batch_of_creates)
            waiting = [
                each for each in again if not (isinstance(each, Create | Write | Remove) and each.side is Side.BC)
            ]
        self.work.recorder.commit()

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

    def _create(self, batch: Sequence[Create]) -> None:
        drafts = [
            OutlookDraft(
                EMPTY_CARD.with_values(each.values),
                self.work.inputs.rules.stamp(each.bc.id if each.bc else "", each.origin),
            )
            for each in batch
        ]
        answers = self.work.outlook.create(self.work.folder_id, drafts)
        unknown: list[Create] = []
        for create, answer in zip(batch, answers, strict=True):
            if isinstance(answer, OutlookContact):
                self._was_created(create, answer)
            elif isinstance(answer, OutcomeUnknown):
                unknown.append(create)
            else:
                self.work.failed(answer, "bc", create.bc, None)
        self._look_for(unknown)
        self.work.recorder.commit()

    def _was_created(self, create: Create, answer: OutlookContact) -> None:
        link = rebase.after_outlook_create(create, answer)
        self.work.recorder.link(link)
        self.work.wrote(link, answer)
        self.work.tally.add(Side.OUTLOOK, "created")

    def _look_for(self, unknown: Sequence[Create]) -> None:
        """The answer was lost: is the contact there? If not now, the next run looks again before it creates (R9)."""
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

    # ------------------------------------------------------------ writes and removals

    def _write(self, batch: Sequence[Write]) -> list[Operation]:
        writes = [
            OutlookWrite(
                each.outlook,
                each.values,
                each.name_parts,
                self.work.inputs.rules.stamp(each.bc.id, each.link.origin) if each.stamp else None,
            )
            for each in batch
        ]
        answers = self.work.outlook.write(self.work.folder_id, writes)
        stale: list[Write] = []
        for write, answer in zip(batch, answers, strict=True):
            if isinstance(answer, OutlookContact):
                link = rebase.after_outlook_write(
                    write, answer, self.work.services.now(), self.work.inputs.swing_limits
                )
                self.work.recorder.link(link)
                self.work.wrote(link, answer)
                self.work.tally.add(Side.OUTLOOK, "updated")
            elif isinstance(answer, ChangedMeanwhile | ContactGone):
                stale.append(write)
            else:
                self.work.not_written(write, answer)
        self.work.recorder.commit()
        return self._again(stale)

    def _again(self, stale: Sequence[Write]) -> list[Operation]:
        """Read again, merge again; an edit that turns up only now travels to BC in the next run."""
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

    def _remove(self, batch: Sequence[Remove], remove_all: Callable[..., Sequence[ContactError | None]]) -> None:
        answers = remove_all(self.work.folder_id, [each.outlook_id for each in batch])
        for remove, answer in zip(batch, answers, strict=True):
            if answer is None:
                self._is_off(remove)
                self.work.echoes.append(fingerprint(remove.outlook_id, DELETED))
                self.work.tally.add(Side.OUTLOOK, "deleted")
            else:
                self._could_not(remove, answer)
        self.work.recorder.commit()

    def _take_off(self, batch: Sequence[Remove]) -> None:
        """R27: the user's own contact in the main folder stays; link, stamp and category come off."""
        there = [each for each in batch if each.outlook is not None]
        writes = [OutlookWrite(each.outlook, {}, remove_marks=True) for each in there if each.outlook is not None]
        for remove, answer in zip(there, self.work.outlook.write(self.work.folder_id, writes), strict=True):
            if isinstance(answer, ContactError) and not isinstance(answer, ContactGone):
                self._could_not(remove, answer)
            else:
                self._is_off(remove)
                self.work.tally.add(Side.OUTLOOK, "updated")
        self.work.recorder.commit()

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
