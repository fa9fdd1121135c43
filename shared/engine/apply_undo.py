"""Carry out an undo (R36): each batch journalled before it goes out, and recorded behind it.

The folder comes first and Business Central (BC) last: a person taken back from BC has lost the link, and the user's
contact our marks, before it is deleted there, so that no run that comes between takes the user's contact for deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.cards import emails
from shared.cards.model import Field, OutlookContact
from shared.engine.apply_undo_bc import UndoInBc
from shared.engine.sides import OutlookDraft, OutlookWrite
from shared.engine.undo_work import UndoWork
from shared.errors import ContactError
from shared.planning.journalled import Verb
from shared.planning.model import Link, Parked, Side
from shared.planning.undo_model import PutBack, Restore, Settle, TakeBack, UndoStep


def carry_out(work: UndoWork, steps: Sequence[UndoStep]) -> None:
    """All of it. Raises RetryableError when it has to hand over: repeated, the rest is planned again."""
    unclean = work.state.positions().unclean
    for step in steps:
        if isinstance(step, Settle):
            _settle(work, step.link)
    UndoInOutlook(work).apply([each for each in steps if _side_of(each) is Side.OUTLOOK])
    UndoInBc(work).apply([each for each in steps if _side_of(each) is Side.BC])
    work.need_time()
    _index_outside(work)
    positions = work.state.positions()
    work.recorder.finish(replace(positions, unclean=unclean) if positions.unclean != unclean else None)


def _side_of(step: UndoStep) -> Side | None:
    return None if isinstance(step, Settle) else step.side


def _settle(work: UndoWork, link: Link) -> None:
    """One side's base moves; the other's may have moved just before."""
    known = work.recorder.links.get(link.bc_id, link)
    before = work.inputs.links[link.bc_id]
    if known.base_bc != before.base_bc:
        link = replace(link, base_bc=known.base_bc)
    if known.base_outlook != before.base_outlook:
        link = replace(link, base_outlook=known.base_outlook)
    work.recorder.link(replace(link, left=link.left & known.left))


def _index_outside(work: UndoWork) -> None:
    """Own creations that are no more need not be heard of outside the filter (R4)."""
    lost = [key for key in work.recorder.recorded if key not in work.recorder.links]
    if lost:
        work.services.companies.note_outside(work.rules.company_id, work.request.profile_id, lost, linked=False)


@dataclass(slots=True)
class UndoInOutlook:
    """The folder's half."""

    work: UndoWork

    def apply(self, steps: Sequence[UndoStep]) -> None:
        """What was changed goes back, what was created goes, what was removed comes anew."""
        for put in self.work.batches([each for each in steps if isinstance(each, PutBack)]):
            self._put_back(put)
        for take in self.work.batches([each for each in steps if isinstance(each, TakeBack)]):
            self._take_back(take)
        for restore in self.work.batches([each for each in steps if isinstance(each, Restore)]):
            self._restore(restore)

    def _put_back(self, batch: Sequence[PutBack]) -> None:
        writes = [OutlookWrite(each.outlook, each.values, each.name_parts) for each in batch if each.outlook]
        for each in batch:
            self.work.expect(Side.OUTLOOK, Verb.UPDATED, each.bc_id, each.outlook)
        for step, answer in zip(batch, self.work.outlook.write(self.work.folder_id, writes), strict=True):
            if isinstance(answer, ContactError):
                self.work.failed(answer, step.bc, step.outlook)
                continue
            self.work.contacts[answer.id] = answer
            self.work.tally.add(Side.OUTLOOK, "updated")
            link = self.work.recorder.links.get(step.bc_id)
            if link is not None and link.outlook_id == answer.id:
                base = link.base_outlook.with_values({which: answer.card.get(which) for which in step.values})
                if Field.NAME in step.values:
                    card = answer.card
                    parts = (card.given_name, card.middle_name, card.surname)
                    base = base._replace(given_name=parts[0], middle_name=parts[1], surname=parts[2])
                self.work.recorder.link(replace(link, base_outlook=base, left=link.left - step.values.keys()))

    def _take_back(self, batch: Sequence[TakeBack]) -> None:
        """The link ends, and the contact stays away from the folder until it changes in BC."""
        there = [each for each in batch if each.outlook is not None]
        for each in there:
            self.work.expect(Side.OUTLOOK, Verb.DELETED, each.bc_id, each.outlook)
        tags = {each.outlook_id: each.outlook.etag for each in there if each.outlook is not None}  # nothing typed since
        failures = self.work.outlook.remove(self.work.folder_id, [each.outlook_id for each in there], tags=tags)
        failed = {each.outlook_id: error for each, error in zip(there, failures, strict=True) if error is not None}
        for step in batch:
            if error := failed.get(step.outlook_id):
                self.work.failed(error, step.bc, step.outlook)
                continue
            if step.outlook is not None:
                self.work.tally.add(Side.OUTLOOK, "deleted")
            link = self.work.recorder.links.get(step.bc_id)
            is_linked = link is not None and link.outlook_id == step.outlook_id
            if is_linked:
                self.work.recorder.drop(step.bc_id)
            self.work.recorder.unpark(step.outlook_id)
            if step.bc is not None:
                self.work.stays_away(step.bc_id, step.bc.card)
            elif link is not None and is_linked:  # deleted in BC, which may be held and so not count yet (R26)
                self.work.stays_away(step.bc_id, link.base_bc)

    def _restore(self, batch: Sequence[Restore]) -> None:
        fresh = [each for each in batch if each.found is None]
        if fresh:  # from here on a death leaves contacts that no record knows (R9)
            self.work.recorder.changes.positions = replace(self.work.state.positions(), unclean=True)
            self.work.recorder.commit()
        for each in fresh:
            self.work.expect(Side.OUTLOOK, Verb.CREATED, each.entry.bc_id, "")
        drafts = [OutlookDraft(each.card, self.work.rules.stamp(each.entry.bc_id, each.entry.origin)) for each in fresh]
        answers = self.work.outlook.create(self.work.folder_id, drafts) if drafts else []
        made = {id(each): answer for each, answer in zip(fresh, answers, strict=True)}
        for step in batch:
            answer = made.get(id(step), step.found)
            if isinstance(answer, ContactError):
                self.work.failed(answer, step.bc, None)
            elif isinstance(answer, OutlookContact):
                self._is_restored(step, answer)

    def _is_restored(self, step: Restore, answer: OutlookContact) -> None:
        if step.found is None:
            self.work.tally.add(Side.OUTLOOK, "created")
        entry = step.entry
        if step.in_scope and step.bc is not None:
            self.work.recorder.link(Link(step.bc.id, answer.id, step.bc.card, answer.card, entry.origin))
            self.work.recorder.unhide([step.bc.id])
        else:  # as under policy `keep`: no longer synced, and not imported as new (R21, R22)
            self.work.recorder.park(Parked(answer.id, "kept", emails.keys_of(answer.card.email), entry.bc_id))
            self.work.apart[entry.bc_id] = answer
