"""Carry out an undo (R36): each batch journalled before it goes out, and recorded behind it.

The folder comes first and Business Central (BC) last: a person taken back from BC has lost the link, and the user's
contact our marks, before it is deleted there, so that no run that comes between takes the user's contact for deleted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from shared.cards import emails
from shared.cards.model import FIELDS, BcContact, Field, Origin, OutlookContact, Stamp
from shared.engine import company_feed
from shared.engine.jobs import Reason
from shared.engine.model import RunRequest
from shared.engine.pages import Pages
from shared.engine.recording import Recorder
from shared.engine.services import Services
from shared.engine.sides import BcDraft, BcSide, BcWrite, OutlookDraft, OutlookSide, OutlookWrite
from shared.engine.state import ProfileState
from shared.engine.tally import Tally
from shared.errors import ContactError, ContactGone, RetryableError
from shared.pace import Pace
from shared.planning import notes
from shared.planning.journalled import Entry, Verb
from shared.planning.model import Link, NoteKind, Parked, Rules, Side
from shared.planning.undo import UNDO
from shared.planning.undo_model import PutBack, Restore, Settle, TakeBack, UndoInputs, UndoStep
from shared.planning.undone import UNDONE, looks


@dataclass(slots=True)
class UndoStage:
    """Carries the steps of an undo out."""

    services: Services
    request: RunRequest
    state: ProfileState
    rules: Rules
    outlook: OutlookSide
    bc: BcSide
    folder_id: str
    pages: Pages
    pace: Pace
    tally: Tally
    inputs: UndoInputs
    recorder: Recorder = field(init=False)
    contacts: dict[str, OutlookContact] = field(default_factory=dict)  #: as our own writes have left them
    away: set[str] = field(default_factory=set)  #: BC ids that stay away from the folder until they change
    written: dict[str, BcContact] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    unfinished: bool = False

    def __post_init__(self) -> None:
        """What is known of the contacts."""
        parked = self.state.parked_by_outlook(self.inputs.outlook)
        links = dict(self.inputs.links)
        self.recorder = Recorder(self.state, links, dict(parked), {}, self.services.limits, self.services.now())

    def apply(self, steps: Sequence[UndoStep]) -> None:
        """All of it. Raises RetryableError when the time is used up: repeated, the rest is planned again."""
        unclean = self.state.positions().unclean
        back = [each for each in steps if isinstance(each, PutBack)]
        taken = [each for each in steps if isinstance(each, TakeBack)]
        anew = [each for each in steps if isinstance(each, Restore)]
        for settled in steps:
            if isinstance(settled, Settle):
                self._settle(settled.link)
        try:
            for put in self._batches([each for each in back if each.side is Side.OUTLOOK]):
                self._put_back_in_outlook(put)
            for take in self._batches([each for each in taken if each.side is Side.OUTLOOK]):
                self._take_from_outlook(take)
            for restore in self._batches([each for each in anew if each.side is Side.OUTLOOK]):
                self._restore_in_outlook(restore)
            for take in self._batches([each for each in taken if each.side is Side.BC]):
                self._take_from_bc(take)
            for put in self._batches([each for each in back if each.side is Side.BC]):
                self._put_back_in_bc(put)
            for restore in self._batches([each for each in anew if each.side is Side.BC]):
                self._restore_in_bc(restore)
        finally:
            self._tell_feed()
        self._in_time()
        self._index_outside()
        positions = self.state.positions()
        self.recorder.finish(replace(positions, unclean=unclean) if positions.unclean != unclean else None)

    def _settle(self, link: Link) -> None:
        """One side's base moves; the other's may have moved just before."""
        known = self.recorder.links.get(link.bc_id, link)
        before = self.inputs.links[link.bc_id]
        if known.base_bc != before.base_bc:
            link = replace(link, base_bc=known.base_bc)
        if known.base_outlook != before.base_outlook:
            link = replace(link, base_outlook=known.base_outlook)
        self.recorder.link(replace(link, left=link.left & known.left))

    def _batches[T](self, steps: Sequence[T]) -> Iterator[Sequence[T]]:
        size = self.services.limits.apply_batch
        for start in range(0, len(steps), size):
            self.pace.keep_going()
            self._in_time()
            yield steps[start : start + size]
            self.recorder.commit()

    def _in_time(self) -> None:
        if self.unfinished or self.services.monotonic() >= self.pace.deadline:
            raise RetryableError("The run's time is used up; it goes on where it stopped.", code="out-of-time")

    def _could_not(self, error: ContactError, bc: BcContact | None, outlook: OutlookContact | None) -> None:
        if error.code == "not-done":
            self.unfinished = True  # nothing happened to it: the undo goes on with it later (R32)
        else:
            self.tally.remark([notes.about(NoteKind.FAILED, error.code, str(error), bc=bc, outlook=outlook)])

    def _expect(self, side: Side, verb: Verb, bc_id: str, outlook: OutlookContact | str | None) -> None:
        outlook_id = outlook.id if isinstance(outlook, OutlookContact) else outlook or ""
        link = self.recorder.links.get(bc_id)
        about = Entry(side, verb, bc_id, outlook_id, cause=UNDO, origin=link.origin if link else Origin.SYNC)
        self.pages.expect_undo(about)
        if isinstance(outlook, OutlookContact):
            self.pages.cards[outlook_id] = outlook.card

    # ------------------------------------------------------------ the folder

    def _put_back_in_outlook(self, batch: Sequence[PutBack]) -> None:
        writes = [OutlookWrite(each.outlook, each.values, each.name_parts) for each in batch if each.outlook]
        for each in batch:
            self._expect(Side.OUTLOOK, Verb.UPDATED, each.bc_id, each.outlook)
        for step, answer in zip(batch, self.outlook.write(self.folder_id, writes), strict=True):
            if isinstance(answer, ContactError):
                self._could_not(answer, step.bc, step.outlook)
                continue
            self.contacts[answer.id] = answer
            self.tally.add(Side.OUTLOOK, "updated")
            link = self.recorder.links.get(step.bc_id)
            if link is not None and link.outlook_id == answer.id:
                base = link.base_outlook.with_values({which: answer.card.get(which) for which in step.values})
                if Field.NAME in step.values:
                    card = answer.card
                    parts = (card.given_name, card.middle_name, card.surname)
                    base = base._replace(given_name=parts[0], middle_name=parts[1], surname=parts[2])
                self.recorder.link(replace(link, base_outlook=base, left=link.left - step.values.keys()))

    def _take_from_outlook(self, batch: Sequence[TakeBack]) -> None:
        """The link ends, and the contact stays away from the folder until it changes in BC."""
        there = [each for each in batch if each.outlook is not None]
        for each in there:
            self._expect(Side.OUTLOOK, Verb.DELETED, each.bc_id, each.outlook)
        failures = self.outlook.remove(self.folder_id, [each.outlook_id for each in there])
        failed = {each.outlook_id: error for each, error in zip(there, failures, strict=True) if error is not None}
        for step in batch:
            if error := failed.get(step.outlook_id):
                self._could_not(error, step.bc, step.outlook)
                continue
            if step.outlook is not None:
                self.tally.add(Side.OUTLOOK, "deleted")
            link = self.recorder.links.get(step.bc_id)
            if link is not None and link.outlook_id == step.outlook_id:
                self.recorder.drop(step.bc_id)
            self.recorder.unpark(step.outlook_id)
            if step.bc is not None:
                self._stays_away(step.bc)

    def _stays_away(self, bc: BcContact) -> None:
        self.away.add(bc.id)
        self.recorder.hide(bc.id, looks(bc.card))

    def _restore_in_outlook(self, batch: Sequence[Restore]) -> None:
        fresh = [each for each in batch if each.found is None]
        if fresh:  # from here on a death leaves contacts that no record knows (R9)
            self.recorder.changes.positions = replace(self.state.positions(), unclean=True)
            self.recorder.commit()
        for each in fresh:
            self._expect(Side.OUTLOOK, Verb.CREATED, each.entry.bc_id, "")
        drafts = [OutlookDraft(each.card, self._stamp(each.entry.bc_id, each.entry.origin)) for each in fresh]
        answers = self.outlook.create(self.folder_id, drafts) if drafts else []
        made = {id(each): answer for each, answer in zip(fresh, answers, strict=True)}
        for step in batch:
            answer = made.get(id(step), step.found)
            if isinstance(answer, ContactError):
                self._could_not(answer, step.bc, None)
            elif isinstance(answer, OutlookContact):
                self._is_restored(step, answer)

    def _is_restored(self, step: Restore, answer: OutlookContact) -> None:
        if step.found is None:
            self.tally.add(Side.OUTLOOK, "created")
        entry = step.entry
        if step.in_scope and step.bc is not None:
            self.recorder.link(Link(step.bc.id, answer.id, step.bc.card, answer.card, entry.origin))
            self.recorder.unhide([step.bc.id])
        else:  # as under policy `keep`: no longer synced, and not imported as new (R21, R22)
            self.recorder.park(Parked(answer.id, "kept", emails.keys_of(answer.card.email), entry.bc_id))

    def _stamp(self, bc_id: str, origin: Origin) -> Stamp:
        return Stamp(bc_id, origin, self.rules.environment, self.rules.company_id)

    # ------------------------------------------------------------ Business Central

    def _take_from_bc(self, batch: Sequence[TakeBack]) -> None:
        """First the user's contact is on its own again, then the person goes."""
        self._set_free([each for each in batch if each.outlook is not None])
        for each in batch:
            self.recorder.drop(each.bc_id)
        self.recorder.commit()
        for each in batch:
            self._expect(Side.BC, Verb.DELETED, each.bc_id, each.outlook or each.outlook_id)
        persons = [each.bc for each in batch if each.bc is not None]
        for step, error in zip(batch, self.bc.remove(persons), strict=True):
            if error is not None:
                self._could_not(error, step.bc, None)
                continue
            self.gone.append(step.bc_id)
            self._wrote_bc()
            self.tally.add(Side.BC, "deleted")

    def _set_free(self, batch: Sequence[TakeBack]) -> None:
        """Link, stamp and category come off; the contact stays in Outlook only until it changes."""
        now = [self.contacts.get(each.outlook_id, each.outlook) for each in batch]
        for each in batch:
            self._expect(Side.OUTLOOK, Verb.UNMARKED, each.bc_id, each.outlook)
        writes = [OutlookWrite(contact, {}, remove_marks=True) for contact in now if contact is not None]
        answers = self.outlook.write(self.folder_id, writes) if writes else []
        for step, answer in zip(batch, answers, strict=True):
            if isinstance(answer, ContactGone):
                continue
            if isinstance(answer, ContactError):
                self._could_not(answer, step.bc, step.outlook)
                continue
            self.recorder.drop(step.bc_id)
            keys = emails.keys_of(answer.card.email)
            self.recorder.park(Parked(answer.id, UNDONE, keys, was=looks(answer.card)))

    def _put_back_in_bc(self, batch: Sequence[PutBack]) -> None:
        writes = [BcWrite(each.bc, each.values, each.company_number) for each in batch if each.bc]
        for each in batch:
            self._expect(Side.BC, Verb.UPDATED, each.bc_id, each.outlook or each.outlook_id)
        for step, answer in zip(batch, self.bc.write(writes), strict=True):
            if isinstance(answer, ContactError):
                self._could_not(answer, step.bc, None)
                continue
            assert step.bc is not None  # noqa: S101 - a PutBack on BC has read it
            self._wrote_bc()
            self.written[answer.id] = answer
            self.tally.add(Side.BC, "updated")
            self._new_base(step.bc, answer, step)
            if answer.id in self.away:
                self._stays_away(answer)

    def _new_base(self, before: BcContact, answer: BcContact, step: PutBack) -> None:
        """What was put back, and what BC changed by itself on that occasion, does not travel (R16)."""
        link = self.recorder.links.get(answer.id)
        if link is None:
            return
        ours = {which for which in FIELDS if which in step.values or before.card.get(which) != answer.card.get(which)}
        base = link.base_bc.with_values({which: answer.card.get(which) for which in ours})
        self.recorder.link(replace(link, base_bc=base, left=link.left - ours))

    def _restore_in_bc(self, batch: Sequence[Restore]) -> None:
        fresh = [each for each in batch if each.found is None]
        for each in fresh:
            self._expect(Side.BC, Verb.CREATED, "", each.entry.outlook_id or each.entry.bc_id)
        drafts = [
            BcDraft(_for_bc(each), each.company_number, each.entry.outlook_id or each.entry.bc_id) for each in fresh
        ]
        answers = self.bc.create(drafts) if drafts else []
        made = {id(each): answer for each, answer in zip(fresh, answers, strict=True)}
        for step in batch:
            answer = made.get(id(step), step.found)
            if isinstance(answer, ContactError):
                self._could_not(answer, None, step.outlook)
            elif isinstance(answer, BcContact):
                self._is_recreated(step, answer)

    def _is_recreated(self, step: Restore, answer: BcContact) -> None:
        """With the user's contact, where that is there; else it stays away from the folder, as before the run."""
        if step.found is None:
            self._wrote_bc()
            self.tally.add(Side.BC, "created")
        self.written[answer.id] = answer
        outlook = step.outlook
        if outlook is None:
            self._stays_away(answer)
            return
        self._expect(Side.OUTLOOK, Verb.UPDATED, answer.id, outlook)
        stamped = self.outlook.write(
            self.folder_id, [OutlookWrite(outlook, {}, stamp=self._stamp(answer.id, Origin.OWN))]
        )
        for marked in stamped:
            card = marked.card if isinstance(marked, OutlookContact) else outlook.card
            link = Link(answer.id, outlook.id, answer.card, card, Origin.OWN)
            self.recorder.link(replace(link, stamped=isinstance(marked, OutlookContact)))

    def _wrote_bc(self) -> None:
        """The snapshot is older than this write until the feed is told (R30)."""
        self.recorder.changes.positions = replace(self.state.positions(), bc_written_at=self.services.now())

    def _tell_feed(self) -> None:
        """Other profiles hear of it as of any change in BC (architecture, point 1)."""
        services, company_id = self.services, self.rules.company_id
        if not self.written and not self.gone:
            return
        by = self.request.profile_id
        told = company_feed.offer(services, company_id, list(self.written.values()), self.gone, by)
        services.messages.company_job(company_id, Reason.BC if told is None else Reason.NEWS)

    def _index_outside(self) -> None:
        """Own creations that are no more need not be heard of outside the filter (R4)."""
        lost = [key for key in self.recorder.recorded if key not in self.recorder.links]
        if lost:
            self.services.companies.note_outside(self.rules.company_id, self.request.profile_id, lost, linked=False)


def _for_bc(step: Restore) -> dict[Field, str]:
    """Everything but the company's name, which follows its number (R18)."""
    values = {which: step.card.get(which) for which in FIELDS if which is not Field.COMPANY}
    return {which: value for which, value in values.items() if value}
