"""The Business Central half of an undo (R36)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shared.cards import emails
from shared.cards.model import FIELDS, BcContact, Field, Origin, OutlookContact
from shared.engine import company_feed
from shared.engine.claims import Claims
from shared.engine.jobs import Reason
from shared.engine.sides import BcDraft, BcWrite, OutlookWrite
from shared.engine.undo_work import UndoWork
from shared.errors import ContactError, ContactGone
from shared.planning import notes
from shared.planning.journalled import Verb
from shared.planning.model import Link, NoteKind, Parked, Side
from shared.planning.scope import has_place, scope_of
from shared.planning.undo import THERE
from shared.planning.undo_model import PutBack, Restore, TakeBack, UndoStep
from shared.planning.undone import UNDONE, looks

BEING_CREATED = "Another run is creating somebody with this e-mail address at this moment; undo again in ten minutes."


@dataclass(slots=True)
class UndoInBc:
    """What is taken back, put back and created anew in BC; the company feed is told of it."""

    work: UndoWork
    written: dict[str, BcContact] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    claims: Claims = field(init=False)

    def __post_init__(self) -> None:
        """None claimed yet."""
        self.claims = Claims(self.work.services, self.work.rules.company_id, self.work.request.run_id)

    def apply(self, steps: Sequence[UndoStep]) -> None:
        """What was created goes first: it may be in the way of what comes back."""
        try:
            for take in self.work.batches([each for each in steps if isinstance(each, TakeBack)]):
                self._take_back(take)
            for put in self.work.batches([each for each in steps if isinstance(each, PutBack)]):
                self._put_back(put)
            for restore in self.work.batches([each for each in steps if isinstance(each, Restore)]):
                self._restore(restore)
        finally:
            self._tell_feed()

    def _take_back(self, batch: Sequence[TakeBack]) -> None:
        """First the user's contact is on its own again, then the person goes."""
        self._set_free([each for each in batch if each.outlook is not None])
        for each in batch:
            self.work.recorder.drop(each.bc_id)
        self.work.recorder.commit()
        for each in batch:
            self.work.expect(Side.BC, Verb.DELETED, each.bc_id, each.outlook or each.outlook_id)
        persons = [each.bc for each in batch if each.bc is not None]
        for step, error in zip(batch, self.work.bc.remove(persons), strict=True):
            if error is not None:
                self.work.failed(error, step.bc, None)
                continue
            self.gone.append(step.bc_id)
            self._wrote_bc()
            self.work.tally.add(Side.BC, "deleted")

    def _set_free(self, batch: Sequence[TakeBack]) -> None:
        """Link, stamp and category come off; the contact stays in Outlook only until it changes."""
        now = [self.work.contacts.get(each.outlook_id, each.outlook) for each in batch]
        for each in batch:
            self.work.expect(Side.OUTLOOK, Verb.UNMARKED, each.bc_id, each.outlook)
        writes = [OutlookWrite(contact, {}, remove_marks=True) for contact in now if contact is not None]
        answers = self.work.outlook.write(self.work.folder_id, writes) if writes else []
        for step, answer in zip(batch, answers, strict=True):
            if isinstance(answer, ContactGone):
                continue
            if isinstance(answer, ContactError):
                self.work.failed(answer, step.bc, step.outlook)
                continue
            self.work.recorder.drop(step.bc_id)
            keys = emails.keys_of(answer.card.email)
            self.work.recorder.park(Parked(answer.id, UNDONE, keys, was=looks(answer.card)))

    def _put_back(self, batch: Sequence[PutBack]) -> None:
        writes = [BcWrite(each.bc, each.values, each.company_number) for each in batch if each.bc]
        for each in batch:
            self.work.expect(Side.BC, Verb.UPDATED, each.bc_id, each.outlook or each.outlook_id)
        for step, answer in zip(batch, self.work.bc.write(writes), strict=True):
            if isinstance(answer, ContactError):
                self.work.failed(answer, step.bc, None)
                continue
            assert step.bc is not None  # noqa: S101 - a PutBack on BC has read it
            self._wrote_bc()
            self.written[answer.id] = answer
            self.work.tally.add(Side.BC, "updated")
            self._new_base(step.bc, answer, step)
            if answer.id in self.work.away:
                self.work.stays_away(answer.id, answer.card)
            elif answer.id not in self.work.recorder.links:
                self._may_be_linked(answer, step)

    def _new_base(self, before: BcContact, answer: BcContact, step: PutBack) -> None:
        """What was put back, and what BC changed by itself on that occasion, does not travel (R16)."""
        link = self.work.recorder.links.get(answer.id)
        if link is None:
            return
        ours = {which for which in FIELDS if which in step.values or before.card.get(which) != answer.card.get(which)}
        base = link.base_bc.with_values({which: answer.card.get(which) for which in ours})
        self.work.recorder.link(replace(link, base_bc=base, left=link.left - ours))

    def _restore(self, batch: Sequence[Restore]) -> None:
        fresh = self._free([each for each in batch if each.found is None])
        for each in fresh:
            self.work.expect(Side.BC, Verb.CREATED, "", each.entry.outlook_id or each.entry.bc_id)
        drafts = [
            BcDraft(_for_bc(each), each.company_number, each.entry.outlook_id or each.entry.bc_id) for each in fresh
        ]
        answers = self.work.bc.create(drafts) if drafts else []
        made = {id(each): answer for each, answer in zip(fresh, answers, strict=True)}
        for step in batch:
            answer = made.get(id(step), step.found)
            if isinstance(answer, ContactError):
                self.work.failed(answer, None, step.outlook)
            elif isinstance(answer, BcContact):
                self._is_recreated(step, answer)

    def _free(self, batch: Sequence[Restore]) -> list[Restore]:
        """Those whom nobody else is creating at this moment, or has created since the undo was planned (R9)."""
        keys = sorted({_key(each) for each in batch} - {""})
        granted = self.claims.take(keys) if keys else frozenset()
        found = self.work.bc.find_persons(sorted(granted)) if granted else {}
        others = {key for key, persons in found.items() if any(each.id not in self.written for each in persons)}
        free: list[Restore] = []
        for each in batch:
            key = _key(each)
            if key and key not in granted:
                self._stays_deleted(each, BEING_CREATED, code="being-created")
            elif key in others:
                self._stays_deleted(each, THERE, code="already-there")
            else:
                free.append(each)
        return free

    def _stays_deleted(self, step: Restore, reason: str, *, code: str) -> None:
        link = Link(step.entry.bc_id, step.entry.outlook_id, step.card, step.card)
        self.work.tally.remark([notes.about(NoteKind.SKIPPED, code, reason, outlook=step.outlook, link=link)])

    def _is_recreated(self, step: Restore, answer: BcContact) -> None:
        """With the user's contact, where that is there; else it stays away from the folder, as before the run."""
        if step.found is None:
            self._wrote_bc()
            self.work.tally.add(Side.BC, "created")
        self.written[answer.id] = answer
        outlook = step.outlook
        if outlook is None:
            self.work.stays_away(answer.id, answer.card)
            return
        self._link(answer, outlook, Origin.OWN)

    def _may_be_linked(self, bc: BcContact, step: PutBack) -> None:
        """What the run wrote had taken the person out of scope; back in it, the pair stays as far apart as it is."""
        outlook = self.work.apart.get(bc.id) or self.work.contacts.get(step.outlook_id, step.outlook)
        if outlook is None or any(each.outlook_id == outlook.id for each in self.work.recorder.links.values()):
            return
        origin = outlook.stamp.origin if outlook.stamp else Origin.USER
        if has_place(scope_of(bc, self.work.rules), origin):
            self._link(bc, outlook, origin)

    def _link(self, bc: BcContact, outlook: OutlookContact, origin: Origin) -> None:
        """A pair whose two bases are what each side holds now: nothing travels until that changes."""
        self.work.expect(Side.OUTLOOK, Verb.UPDATED, bc.id, outlook)
        stamp = self.work.rules.stamp(bc.id, origin)
        for marked in self.work.outlook.write(self.work.folder_id, [OutlookWrite(outlook, {}, stamp=stamp)]):
            card = marked.card if isinstance(marked, OutlookContact) else outlook.card
            link = Link(bc.id, outlook.id, bc.card, card, origin)
            self.work.recorder.link(replace(link, stamped=isinstance(marked, OutlookContact)))

    def _wrote_bc(self) -> None:
        """The snapshot is older than this write until the feed is told (R30)."""
        self.work.recorder.changes.positions = replace(
            self.work.state.positions(), bc_written_at=self.work.services.now()
        )

    def _tell_feed(self) -> None:
        """Other profiles hear of it as of any change in BC (architecture, point 1); then the claims may go."""
        services, company_id = self.work.services, self.work.rules.company_id
        told = None
        if self.written or self.gone:
            by = self.work.request.profile_id
            told = company_feed.offer(services, company_id, list(self.written.values()), self.gone, by)
            services.messages.company_job(company_id, Reason.BC if told is None else Reason.NEWS)
        if told is not None or not self.written:
            self.claims.give_back()


def _for_bc(step: Restore) -> dict[Field, str]:
    """Everything but the company's name, which follows its number (R18)."""
    values = {which: step.card.get(which) for which in FIELDS if which is not Field.COMPANY}
    return {which: value for which, value in values.items() if value}


def _key(step: Restore) -> str:
    return emails.key_of(step.card.email)
