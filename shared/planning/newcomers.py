"""Decide about contacts without a link: first matches, creations, and those that stay as they are (R2, R7 to R10, R23).

Outlook contacts come first, oldest first, then BC contacts by number, so that the same input always gives the same
plan, and a person that exists on both sides is matched before anything is created.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from shared.cards import emails, names
from shared.cards.model import EMPTY_CARD, BcContact, Field, Origin, OutlookContact
from shared.cards.normalise import matching_key
from shared.cards.translate import Refusal, for_bc
from shared.planning import notes
from shared.planning.erased import ERASING
from shared.planning.model import (
    Absent,
    Cause,
    Create,
    Direction,
    Inputs,
    Link,
    Note,
    NoteKind,
    OnBcDelete,
    OnOutOfScope,
    Operation,
    Park,
    Parked,
    Present,
    Remove,
    ScopeReason,
    Shown,
    Side,
)
from shared.planning.pairs import LOST_WITH_BC, LOST_WITH_SCOPE, PRIVATE, decide, erasure, removal, values_for_outlook
from shared.planning.parked import ParkedByClue
from shared.planning.scope import belongs, is_limited_out, scope_of
from shared.planning.undone import UNDONE, looks

type Step = Operation | Note

#: parked contacts that may still be matched by e-mail when a BC contact comes into scope (R7)
MATCHABLE = frozenset(
    {"incomplete", "not-sent", "kept", "duplicate", "held", "company-stopped", "privacy-blocked", UNDONE}
)
#: parked just before it is created in BC, so that a run that dies there finds its own work again (R9)
CREATING = "creating"
_DIGITS = re.compile(r"(\d+)")


@dataclass(slots=True)
class Newcomers:
    """Plans for everything unlinked. `linked` are BC ids that have, or get in this plan, an Outlook contact."""

    inputs: Inputs
    linked: set[str]
    replaceable: dict[str, Link]  #: links whose Outlook contact is gone: a stamped copy may take its place (R9)
    taken: set[str] = field(default_factory=set)  #: Outlook ids that are matched
    unhide: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)  #: BC ids of `replaceable` whose place was taken
    parked_now: dict[str, Parked] = field(default_factory=dict)

    def from_outlook(self) -> Iterator[Step]:
        """Contacts of the folder that have no link."""
        linked_ids = {link.outlook_id for link in self.inputs.links.values()}
        shown = [
            reading.contact
            for key, reading in self.inputs.outlook.items()
            if isinstance(reading, Shown) and key not in linked_ids
        ]
        for contact in sorted(shown, key=lambda each: (each.stamp is None, each.created, each.id)):
            yield from self._one(contact)

    def from_bc(self) -> Iterator[Step]:
        """Contacts in scope that have no link."""
        fresh = [
            reading.contact
            for key, reading in self.inputs.bc.items()
            if isinstance(reading, Present) and key not in self.linked
        ]
        parked = ParkedByClue({**self.inputs.parked, **self.parked_now}.values())
        for contact in sorted(fresh, key=lambda each: number_order(each.number)):
            if self._may_appear(contact):
                yield from self._appear(contact, parked.of(contact))

    # ------------------------------------------------------------ Outlook contacts

    def _one(self, contact: OutlookContact) -> Iterator[Step]:
        stamp = contact.stamp
        ours = stamp is not None and stamp.bc_id and self._is_our_company(contact)
        if contact.private:  # whose it is stays between the user and Outlook
            yield Note(NoteKind.SKIPPED, "private", PRIVATE, outlook_id=contact.id)
            yield from self._park(contact, "private", "", keys=False)
        elif self._is_erased(contact):
            yield from self._erased(contact)
        elif ours and stamp is not None:
            yield from self._stamped(contact, stamp.bc_id, stamp.origin)
        elif self.inputs.rules.main_folder and self.inputs.rules.category not in contact.categories:
            yield from self._park(contact, "untagged", "")
        else:
            if stamp is not None and stamp.bc_id:
                yield notes.about(NoteKind.SKIPPED, "foreign-stamp", FOREIGN, outlook=contact)
            yield from self._unstamped(contact)

    def _is_erased(self, contact: OutlookContact) -> bool:
        known, stamp, erased = self.inputs.parked.get(contact.id), contact.stamp, self.inputs.erased
        if known is not None and known.reason == ERASING:
            return True
        stamped = stamp is not None and self._is_our_company(contact) and stamp.bc_id in erased
        return stamped or erased.has_address(contact.card.email)

    def _erased(self, contact: OutlookContact) -> Iterator[Step]:
        """R39: what was there goes for good; what a user typed since stays in the folder, and nowhere else."""
        known = self.inputs.parked.get(contact.id)
        bc_id = known.bc_id if known is not None and known.reason == ERASING else None
        if contact.stamp is not None and self._is_our_company(contact) and contact.stamp.bc_id in self.inputs.erased:
            bc_id = contact.stamp.bc_id  # also where no record is left that would say so
        if bc_id is not None:
            origin = contact.stamp.origin if contact.stamp else Origin.USER
            link = Link(bc_id, contact.id, EMPTY_CARD, EMPTY_CARD, origin)
            yield erasure(self.inputs, link, contact, linked=False)
            return
        yield from self._stays_in_outlook(contact)

    def _stays_in_outlook(self, contact: OutlookContact) -> Iterator[Step]:
        yield Note(NoteKind.SKIPPED, "erased", WAS_ERASED, outlook_id=contact.id)
        yield from self._park(contact, "erased", "", keys=False)

    def _is_our_company(self, contact: OutlookContact) -> bool:
        stamp, rules = contact.stamp, self.inputs.rules
        return stamp is not None and (stamp.environment, stamp.company_id) == (rules.environment, rules.company_id)

    def _stamped(self, contact: OutlookContact, bc_id: str, origin: Origin) -> Iterator[Step]:
        """R9: our own earlier work, a copy of it, or what is left of a deleted contact."""
        reading, rules = self.inputs.bc.get(bc_id), self.inputs.rules
        link = Link(bc_id, contact.id, EMPTY_CARD, EMPTY_CARD, origin, stamped=True)
        if isinstance(reading, Present) and reading.contact.privacy_blocked:  # R22: copies and kept ones, too
            yield removal(self.inputs, Cause.PRIVACY_BLOCKED, link, reading.contact, contact, linked=False)
            return
        is_replaceable = bc_id in self.replaceable and bc_id not in self.replaced
        if bc_id in self.linked and not is_replaceable and not self._ends(bc_id):
            yield from self._copy(contact)
            return
        if self._is_kept(contact) and not (isinstance(reading, Present) and belongs(reading.contact, rules, origin)):
            return
        if not isinstance(reading, Present):
            if rules.policies.on_bc_delete is OnBcDelete.KEEP:
                yield from self._park(contact, "kept", "", bc_id=bc_id)
            elif isinstance(reading, Absent):
                yield from notes.lost_edits(link, contact, "lost-by-deletion", LOST_WITH_BC, self.inputs.countries)
                yield removal(self.inputs, Cause.DELETED_IN_BC, link, None, contact, linked=False)
        elif belongs(reading.contact, rules, origin):
            if bc_id in self.replaceable:
                self.replaced.add(bc_id)
            yield from self._match(contact, reading.contact, origin, stamped=True)
        elif rules.policies.on_out_of_scope is OnOutOfScope.KEEP or rules.limit_to is not None:
            yield from self._park(contact, "kept", "", bc_id=bc_id)
        else:
            as_in_bc = EMPTY_CARD.with_values(values_for_outlook(self.inputs, reading.contact))
            known = replace(link, base_bc=reading.contact.card, base_outlook=as_in_bc)
            yield from notes.lost_edits(known, contact, "lost-by-removal", LOST_WITH_SCOPE, self.inputs.countries)
            yield removal(self.inputs, Cause.LEFT_SCOPE, link, reading.contact, contact, linked=False)

    def _ends(self, bc_id: str) -> bool:
        """Whether the pair goes because of its BC contact: its copies go with it, not with the next full run (R14)."""
        link, reading, rules = self.inputs.links.get(bc_id), self.inputs.bc.get(bc_id), self.inputs.rules
        if link is None or reading is None:
            return False
        if isinstance(reading, Present) and belongs(reading.contact, rules, link.origin):
            return False
        steps = decide(self.inputs, link, reading, self.inputs.outlook.get(link.outlook_id))
        return any(isinstance(each, Remove) and each.side is Side.OUTLOOK for each in steps)

    def _copy(self, contact: OutlookContact) -> Iterator[Step]:
        known = self.inputs.parked.get(contact.id)
        if known is None or known.reason != "copy":
            yield notes.about(NoteKind.SKIPPED, "copy", COPY, outlook=contact)
        yield from self._park(contact, "copy", "", bc_id=contact.stamp.bc_id if contact.stamp else "")

    def _unstamped(self, contact: OutlookContact) -> Iterator[Step]:
        if self._is_kept(contact):
            return
        for key in emails.keys_of(contact.card.email):
            persons = self.inputs.persons.get(key, ())
            if persons:
                yield from self._same_email(contact, persons)
                return
        yield from self._stranger(contact)

    def _is_kept(self, contact: OutlookContact) -> bool:
        """A kept contact is not imported as new (R21, R22); it is matched again when it comes back into scope."""
        known = self.inputs.parked.get(contact.id)
        return known is not None and known.reason == "kept"

    def _was_being_created(self, contact: OutlookContact) -> bool:
        """A run died, or lost the answer, while it created this contact in BC: it is an own creation (R4, R30)."""
        known = self.inputs.parked.get(contact.id)
        return known is not None and known.reason == CREATING

    def _same_email(self, contact: OutlookContact, persons: tuple[BcContact, ...]) -> Iterator[Step]:
        """R7: somebody in BC has this e-mail address."""
        persons = tuple(each for each in persons if each.id not in self.inputs.erased)
        if not persons:  # an erased person has it by now (R39)
            yield from self._stays_in_outlook(contact)
            return
        free = [each for each in persons if each.id not in self.linked and each.id not in self.inputs.linked_elsewhere]
        usable = [each for each in free if not each.privacy_blocked]
        if not free:
            yield from self._park(contact, "duplicate", DUPLICATE)
        elif not usable:
            yield Note(
                NoteKind.SKIPPED, "privacy-blocked", BLOCKED, outlook_id=contact.id
            )  # R39: who it is, is not said
            yield from self._park(contact, "privacy-blocked", "")
        else:
            chosen = _chosen(contact, usable)
            in_scope = scope_of(chosen, self.inputs.rules) is ScopeReason.IN_SCOPE
            origin = Origin.USER if in_scope and not self._was_being_created(contact) else Origin.OWN
            if origin is Origin.OWN and self.inputs.rules.direction is Direction.TO_OUTLOOK:
                yield from self._park(contact, "not-sent", NOT_SENT)
                return
            if len(usable) > 1:
                others = ", ".join(each.number for each in usable if each is not chosen)
                yield notes.about(
                    NoteKind.SKIPPED, "several-candidates", SEVERAL, bc=chosen, outlook=contact, value=others
                )
            yield from self._match(contact, chosen, origin, stamped=False)

    def _match(self, contact: OutlookContact, person: BcContact, origin: Origin, *, stamped: bool) -> Iterator[Step]:
        """A first match: a pair with empty bases (R8)."""
        if is_limited_out(person, self.inputs.rules):
            return
        self.linked.add(person.id)
        self.taken.add(contact.id)
        if person.id in self.inputs.hidden:
            self.unhide.add(person.id)  # the user brought it back (R23)
        link = Link(person.id, contact.id, EMPTY_CARD, EMPTY_CARD, origin, stamped=stamped)
        yield from decide(self.inputs, link, Present(person), Shown(contact))

    def _stranger(self, contact: OutlookContact) -> Iterator[Step]:
        """R2: nobody in BC has this address: create the person there, or say what is missing."""
        rules = self.inputs.rules
        if rules.direction is Direction.TO_OUTLOOK:
            yield from self._park(contact, "not-sent", NOT_SENT)
            return
        if rules.limit_to is not None or self._is_undone(contact):
            return
        missing = self._missing(contact)
        if missing:
            yield from self._park(contact, "incomplete", missing)
            return
        yield from self._create_in_bc(contact)

    def _is_undone(self, contact: OutlookContact) -> bool:
        """Its creation in BC was undone, and it looks as it did then (R36)."""
        known = self.inputs.parked.get(contact.id)
        return known is not None and known.reason == UNDONE and known.was == looks(contact.card)

    def _missing(self, contact: OutlookContact) -> str:
        name = names.one_name(contact.card)
        if not name:
            return "Business Central needs a name; give the contact one in Outlook."
        refused = for_bc(Field.NAME, name, "", self.inputs.countries)
        if isinstance(refused, Refusal):
            return f"The name cannot be used in Business Central. {refused.reason}"
        usable = _usable_addresses(contact)
        if not usable:
            return "Business Central needs a valid e-mail address; give the contact one in Outlook."
        refused = for_bc(Field.EMAIL, usable, "", self.inputs.countries)
        return f"The e-mail address cannot be used. {refused.reason}" if isinstance(refused, Refusal) else ""

    def _create_in_bc(self, contact: OutlookContact) -> Iterator[Step]:
        values: dict[Field, str] = {Field.NAME: names.one_name(contact.card), Field.EMAIL: _usable_addresses(contact)}
        left: set[Field] = set()
        if values[Field.EMAIL] != contact.card.email:
            left.add(Field.EMAIL)
            yield self._field_note(contact, Field.EMAIL, "invalid-email", "Only the valid e-mail addresses were used.")
        for which in Field:
            text = contact.card.get(which)
            if which in values or which is Field.COMPANY or which in self.inputs.rules.excluded or not text:
                continue
            translated = for_bc(which, text, "", self.inputs.countries)
            if isinstance(translated, Refusal):
                left.add(which)
                yield self._field_note(contact, which, translated.code, translated.reason)
            else:
                values[which] = translated
        number, refusal = self._company(contact)
        if refusal:
            left.add(Field.COMPANY)
            yield self._field_note(contact, Field.COMPANY, *refusal)
        if contact.more_lines:
            yield self._field_note(contact, Field.ADDRESS_2, "third-line", THIRD_LINE)
        yield Create(
            Side.BC,
            Cause.NEW_IN_OUTLOOK,
            values,
            Origin.OWN,
            outlook=contact,
            company_number=number,
            left=frozenset(left),
        )

    def _company(self, contact: OutlookContact) -> tuple[str, tuple[str, str] | None]:
        """R18 for a new person: (number to link, why not)."""
        name = contact.card.company
        if not name or Field.COMPANY in self.inputs.rules.excluded:
            return "", None
        numbers = self.inputs.companies.get(matching_key(name), ())
        if len(numbers) == 1:
            return numbers[0], None
        if numbers:
            return "", ("company-ambiguous", "Several companies in Business Central have this name.")
        return "", ("company-unknown", "No company in Business Central has this name.")

    def _field_note(self, contact: OutlookContact, which: Field, code: str, reason: str) -> Note:
        value = contact.card.get(which) if code != "third-line" else "\n".join(contact.more_lines)
        return notes.about(NoteKind.FIELD, code, reason, outlook=contact, field=which.value, value=value)

    def _park(
        self, contact: OutlookContact, reason: str, words: str, *, keys: bool = True, bc_id: str = ""
    ) -> Iterator[Step]:
        """Remember a contact that stays as it is; the note comes whenever the contact is read (R35)."""
        if words:
            yield notes.about(NoteKind.SKIPPED, reason, words, outlook=contact)
        parked = Parked(contact.id, reason, emails.keys_of(contact.card.email) if keys else (), bc_id)
        self.parked_now[contact.id] = parked
        if self.inputs.parked.get(contact.id) != parked:
            yield Park(parked)

    # ------------------------------------------------------------ BC contacts

    def _may_appear(self, contact: BcContact) -> bool:
        return (
            contact.id not in self.linked
            and contact.id not in self.inputs.erased
            and not self._stays_away(contact)
            and scope_of(contact, self.inputs.rules) is ScopeReason.IN_SCOPE
            and not is_limited_out(contact, self.inputs.rules)
        )

    def _stays_away(self, contact: BcContact) -> bool:
        """Hidden by the user (R23), or undone and as it was then (R36)."""
        was = self.inputs.hidden.get(contact.id)
        return was is not None and was in ("", looks(contact.card))

    def _appear(self, contact: BcContact, candidates: Iterable[Parked]) -> Iterator[Step]:
        """Came into scope: the user may have the person already (R7), else create (R1)."""
        for parked in candidates:
            reading = self.inputs.outlook.get(parked.outlook_id)
            if not isinstance(reading, Shown) or parked.outlook_id in self.taken:
                continue
            if parked.reason == "untagged":
                yield notes.about(NoteKind.SKIPPED, "already-yours", ALREADY_YOURS, bc=contact, outlook=reading.contact)
                return
            if parked.reason in MATCHABLE:
                yield from self._match(reading.contact, contact, Origin.USER, stamped=False)
                return
        if contact.id in self.inputs.hidden:
            self.unhide.add(contact.id)  # it has changed since it was undone (R36)
        yield Create(Side.OUTLOOK, Cause.NEW_IN_BC, values_for_outlook(self.inputs, contact), Origin.SYNC, bc=contact)
        self.linked.add(contact.id)


def _usable_addresses(contact: OutlookContact) -> str:
    return emails.join(tuple(each for each in emails.split(contact.card.email) if emails.is_valid(each)))


def _chosen(contact: OutlookContact, persons: list[BcContact]) -> BcContact:
    """R7: the one with the same name, else the one with the oldest number."""
    name = matching_key(names.one_name(contact.card))
    same = [each for each in persons if matching_key(each.card.name) == name]
    return min(same or persons, key=lambda each: number_order(each.number))


def number_order(number: str) -> tuple[tuple[int, int | str], ...]:
    """Order of BC's numbers in which CT9 comes before CT10."""
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in _DIGITS.split(number) if part)


FOREIGN = "Carries the mark of another company or environment, which was ignored."
COPY = "A copy of a contact that is synced already; it stays as it is and is not synced."
DUPLICATE = "Another contact with this e-mail address is synced already; this one stays as it is."
BLOCKED = "The only person in Business Central with this e-mail address is privacy blocked; not synced."
WAS_ERASED = "A person with this e-mail address was erased; the contact stays in Outlook only."
NOT_SENT = "This profile does not change Business Central; the contact stays in Outlook only."
SEVERAL = "Several persons in Business Central have this e-mail address; this one was chosen, not those in `value`."
ALREADY_YOURS = (
    "You have this person among your own contacts. Give your contact the category of the sync to have it synced."
)
THIRD_LINE = "Business Central has two address lines; the others stay in Outlook only."
