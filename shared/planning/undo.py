"""Plan the undo of a run, or of one contact of it (R36). Pure.

What the run created is removed, what it changed or removed is put back, where nobody changed it since. A field counts
as untouched when it holds what the run left there; one that holds what was there before needs nothing, so that an undo
can be repeated, and an intention that was never carried out is no matter.

                     on that side now       what is done
    changed field    as the run left it     the value of before; the pair's bases make the difference no drift
                     otherwise              nothing, noted
    created          as the run left it     removed; it stays away from the other side until it changes
                     otherwise              nothing, noted
    removed          gone                   created anew: in Outlook with what the card holds, in BC only if wanted
                     there                  nothing
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from shared.cards import emails
from shared.cards.model import BcContact, Card, Field, OutlookContact
from shared.planning import notes
from shared.planning.journalled import COMPANY_NUMBER, NAME_PARTS, Entry, Values, Verb, bc_values, card_of, values_of
from shared.planning.model import Absent, Cause, Direction, Link, Note, NoteKind, Present, ScopeReason, Shown, Side
from shared.planning.net import net
from shared.planning.scope import has_place, scope_of
from shared.planning.undo_model import PutBack, Restore, Settle, TakeBack, UndoInputs, UndoPlan, UndoStep

UNDO = "undo"  #: the cause of what an undo writes, in previews and in the journal
type Step = UndoStep | Note


def plan_undo(inputs: UndoInputs) -> UndoPlan:
    """Everything to do, and everything to say."""
    found = [step for entry in net(inputs.entries) for step in _Undo(inputs, entry).steps()]
    remarks = tuple(dict.fromkeys(each for each in found if isinstance(each, Note)))
    return UndoPlan(tuple(each for each in found if not isinstance(each, Note)), remarks)


@dataclass(frozen=True, slots=True)
class _Undo:
    """The undo of what a run did to one contact of one side."""

    inputs: UndoInputs
    entry: Entry

    def steps(self) -> Iterator[Step]:
        entry = self.entry
        if {entry.bc_id, entry.outlook_id} & self.inputs.erased:
            yield Note(NoteKind.SKIPPED, "erased", ERASED, bc_id=entry.bc_id, outlook_id=entry.outlook_id)
        elif entry.side is Side.BC and self.inputs.rules.direction is Direction.TO_OUTLOOK:
            yield self._note(NoteKind.SKIPPED, "not-sent", READ_ONLY)
        elif entry.verb is Verb.UPDATED:
            yield from self._changed_in_bc() if entry.side is Side.BC else self._changed_in_outlook()
        elif entry.verb is Verb.CREATED:
            yield from self._created_in_bc() if entry.side is Side.BC else self._created_in_outlook()
        elif entry.verb is Verb.DELETED:
            yield from self._removed_from_bc() if entry.side is Side.BC else self._removed_from_outlook()
        elif entry.cause != UNDO:
            yield self._note(NoteKind.SKIPPED, "marks-taken-off", MARKS)

    # ------------------------------------------------------------ changed

    def _changed_in_outlook(self) -> Iterator[Step]:
        outlook = self._outlook
        if not self.entry.after:
            return  # only our marks were written
        if outlook is None:
            yield self._note(NoteKind.SKIPPED, "gone-since", GONE)
        elif self._is_blocked:
            yield self._note(NoteKind.SKIPPED, "privacy-blocked", BLOCKED)
        else:
            yield from self._fields(values_of(outlook.card))

    def _changed_in_bc(self) -> Iterator[Step]:
        bc = self._bc
        if bc is None:
            yield self._note(NoteKind.SKIPPED, "gone-since", GONE)
        elif self._is_blocked:
            yield self._note(NoteKind.SKIPPED, "privacy-blocked", BLOCKED)
        else:
            yield from self._fields(bc_values(bc))

    def _fields(self, now: dict[str, str]) -> Iterator[Step]:
        """Each field by itself; a name goes together with its parts, a company with its number."""
        before, after = self.entry.before, self.entry.after
        back: set[str] = set()
        settled: set[str] = set()
        for group in self._groups():
            if all(now.get(name, "") == before.get(name, "") for name in group):
                settled |= group
                continue
            touched = [name for name in group if now.get(name, "") != after.get(name, "")]
            back |= set() if touched else group
            for name in touched[:1]:
                yield self._note(NoteKind.FIELD, "changed-since", CHANGED, field=name, value=before.get(name, ""))
        yield from self._settle(settled, now)
        values = {which: before[which.value] for which in Field if which.value in back}
        number = before[COMPANY_NUMBER] if COMPANY_NUMBER in back else None
        if self.entry.side is Side.BC:
            values.pop(Field.COMPANY, None)  # it follows the number
        parts = tuple(before[name] for name in NAME_PARTS) if set(NAME_PARTS) <= back else None
        if values or number is not None or parts is not None:
            if parts is not None and Field.NAME not in values:
                values[Field.NAME] = now.get(Field.NAME.value, "")
            yield PutBack(
                self.entry.side,
                self.entry.bc_id,
                self.entry.outlook_id,
                values,
                (parts[0], parts[1], parts[2]) if parts else None,
                number,
                self._bc,
                self._outlook,
            )

    def _settle(self, names: set[str], now: Values) -> Iterator[Step]:
        """Fields that are back, and whose base still says what the run left there."""
        side, link = self.entry.side, self.inputs.links.get(self.entry.bc_id) or self._link_of(self.entry.outlook_id)
        if link is None or (side is Side.OUTLOOK and link.outlook_id != self.entry.outlook_id):
            return
        base = link.base_bc if side is Side.BC else link.base_outlook
        known = values_of(base)
        fields = [name for name in sorted(names) if known.get(name, "") == self.entry.after.get(name, "")]
        settled = card_of({**known, **{name: now.get(name, "") for name in fields}})
        if settled == base:
            return
        left = link.left - {which for which in Field if which.value in fields}
        changed = {"base_bc": settled} if side is Side.BC else {"base_outlook": settled}
        yield Settle(replace(link, left=left, **changed))  # type: ignore[arg-type]

    def _groups(self) -> list[set[str]]:
        names = set(self.entry.after)
        if self.entry.side is Side.BC:
            names -= {each.value for each in self.inputs.rules.excluded}
            together = [names & {COMPANY_NUMBER, Field.COMPANY.value}]
        else:
            together = [names & {Field.NAME.value, *NAME_PARTS}]
        alone = names - together[0]
        return [group for group in (*together, *({name} for name in sorted(alone))) if group]

    # ------------------------------------------------------------ created

    def _created_in_outlook(self) -> Iterator[Step]:
        link = self.inputs.links.get(self.entry.bc_id)
        outlook_id = self.entry.outlook_id or (link.outlook_id if link else "")
        reading = self.inputs.outlook.get(outlook_id)
        if isinstance(reading, Shown):
            if values_of(reading.contact.card) == dict(self.entry.after):
                yield TakeBack(Side.OUTLOOK, self.entry.bc_id, outlook_id, self._bc, reading.contact)
            else:
                yield self._note(NoteKind.SKIPPED, "changed-since", CHANGED_CONTACT, outlook=reading.contact)
        elif link is not None and link.outlook_id == outlook_id:
            yield TakeBack(Side.OUTLOOK, self.entry.bc_id, outlook_id, self._bc)

    def _created_in_bc(self) -> Iterator[Step]:
        bc, outlook = self._created_bc, self._outlook
        if bc is None:
            return
        if bc.privacy_blocked:
            yield self._note(NoteKind.SKIPPED, "privacy-blocked", BLOCKED, bc=bc)
        elif bc.has_business_relation:
            yield self._note(NoteKind.SKIPPED, "has-business-relation", RELATION, bc=bc)
        elif bc_values(bc) != dict(self.entry.after):
            yield self._note(NoteKind.SKIPPED, "changed-since", CHANGED_CONTACT, bc=bc)
        else:
            yield TakeBack(Side.BC, bc.id, self.entry.outlook_id, bc, outlook)

    @property
    def _created_bc(self) -> BcContact | None:
        """The person that was created; where the answer was lost, the one that the Outlook contact is linked with."""
        if self.entry.bc_id:
            return self._bc
        link = self._link_of(self.entry.outlook_id)
        reading = self.inputs.bc.get(link.bc_id) if link else None
        return reading.contact if isinstance(reading, Present) else None

    def _link_of(self, outlook_id: str) -> Link | None:
        return next((each for each in self.inputs.links.values() if each.outlook_id == outlook_id), None)

    # ------------------------------------------------------------ removed

    def _removed_from_outlook(self) -> Iterator[Step]:
        entry, bc = self.entry, self._bc
        if self._is_blocked or (bc is None and entry.cause == Cause.PRIVACY_BLOCKED):
            yield self._note(NoteKind.SKIPPED, "privacy-blocked", BLOCKED)
            return
        link, copies = self.inputs.links.get(entry.bc_id), self.inputs.copies.get(entry.bc_id, ())
        if self._outlook is not None or link is not None or not entry.before:
            return
        found = next((each for each in copies if values_of(each.card) == dict(entry.before)), None)
        if copies and found is None:
            yield self._note(NoteKind.SKIPPED, "already-there", THERE, outlook=copies[0])
            return
        in_scope = bc is not None and has_place(scope_of(bc, self.inputs.rules), entry.origin)
        yield Restore(Side.OUTLOOK, entry, card_of(entry.before), bc, in_scope=in_scope, found=found)
        if found is None:
            yield self._note(NoteKind.FIELD, "put-back-in-part", IN_PART, value="")

    def _removed_from_bc(self) -> Iterator[Step]:
        entry = self.entry
        if self._bc is not None or not entry.before:
            return
        if not self.inputs.recreate:
            yield self._note(NoteKind.SKIPPED, "needs-recreate", RECREATE)
            return
        card = card_of(entry.before)
        persons = self.inputs.persons.get(emails.key_of(card.email), ())
        found = next((each for each in persons if values_of(each.card) == values_of(card)), None)
        if found is not None and found.id in self.inputs.links:
            return
        if persons and found is None:
            yield self._note(NoteKind.SKIPPED, "already-there", THERE, bc=persons[0])
            return
        outlook = self._outlook if self._link_of(entry.outlook_id) is None else None
        number = entry.before.get(COMPANY_NUMBER, "")
        yield Restore(Side.BC, entry, card, outlook=outlook, company_number=number, found=found)

    # ------------------------------------------------------------ what is there

    @property
    def _bc(self) -> BcContact | None:
        reading = self.inputs.bc.get(self.entry.bc_id)
        return None if reading is None or isinstance(reading, Absent) else reading.contact

    @property
    def _outlook(self) -> OutlookContact | None:
        reading = self.inputs.outlook.get(self.entry.outlook_id)
        return None if reading is None or isinstance(reading, Absent) else reading.contact

    @property
    def _is_blocked(self) -> bool:
        bc = self._bc
        return bc is not None and scope_of(bc, self.inputs.rules) is ScopeReason.PRIVACY_BLOCKED

    def _note(
        self,
        kind: NoteKind,
        code: str,
        reason: str,
        *,
        bc: BcContact | None = None,
        outlook: OutlookContact | None = None,
        field: str = "",
        value: str = "",
    ) -> Note:
        entry = self.entry
        card: Card = card_of({**entry.before, **entry.after})
        link = Link(entry.bc_id, entry.outlook_id, card, card)
        bc, outlook = bc or self._bc, outlook or self._outlook
        return notes.about(kind, code, reason, bc=bc, outlook=outlook, link=link, field=field, value=value)


ERASED = "The contact was erased; nothing of it is put back."
READ_ONLY = "This profile does not change Business Central; what an earlier run changed there stays."
BLOCKED = "The person is privacy blocked in Business Central; nothing of it is put back."
CHANGED = "Somebody changed the field since; it stays. `value` is what would have been put back."
CHANGED_CONTACT = "Somebody changed the contact since it was created; it stays."
GONE = "The contact is not there any more; nothing was put back."
RELATION = "Business Central uses the contact for a customer, vendor, bank account or employee; it stays."
THERE = "Somebody with this e-mail address, or a copy of the contact, is there by now; none was created beside it."
RECREATE = "Deleted in Business Central. Putting it back makes a new record there: undo again with `recreate` true."
MARKS = "The user's own contact lost only our marks; give it the category of the sync to have it synced again."
IN_PART = (
    "The contact is put back as a new one with what the sync knows of it; notes, photo and the like are with the "
    "removed one in Deleted Items."
)
