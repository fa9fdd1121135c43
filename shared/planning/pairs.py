"""Decide about one linked pair.

A side that was not read counts as unchanged: a missing answer is not a deletion (R25).

                      Outlook as before      changed in Outlook              gone from the folder
    BC as before      nothing                write BC (R12, R17)             by policy (R23)
    changed in BC     write Outlook          merge by field (R13)            create in Outlook (R24); hidden stays
    left the scope    remove in Outlook      write BC, remove (R4, R22)      the link ends
    gone from BC      remove in Outlook      remove, note what is lost       the link ends
                                             (R24)
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from shared.cards import emails, names
from shared.cards.model import FIELDS, BcContact, Card, Field, Origin, OutlookContact
from shared.cards.translate import for_outlook
from shared.planning import notes
from shared.planning.merge import Merge, Surroundings, merge
from shared.planning.model import (
    Absent,
    BcReading,
    Cause,
    Create,
    Direction,
    Inputs,
    Link,
    Note,
    NoteKind,
    OnBcDelete,
    OnOutlookDelete,
    OnOutOfScope,
    Operation,
    OutlookReading,
    Parked,
    Present,
    Record,
    Remove,
    ScopeReason,
    Side,
    Unlink,
    Write,
)
from shared.planning.scope import FILTER_REASONS, has_place, is_limited_out, scope_of

type Step = Operation | Note


def decide(inputs: Inputs, link: Link, bc: BcReading | None, outlook: OutlookReading | None) -> Iterator[Step]:
    """What to do about one pair; nothing when neither side was read."""
    pair = _Decision(inputs, link)
    if link.bc_id in inputs.erased:
        yield from pair.erased(outlook)
        return
    match bc, outlook:
        case (None, _) | (Present(), None):
            return
        case Absent(), Absent():
            yield Unlink(link.bc_id, link.outlook_id)
        case Absent(), _:
            yield from pair.gone_from_bc(outlook.contact if outlook and not isinstance(outlook, Absent) else None)
        case Present(contact), Absent():
            if not is_limited_out(contact, inputs.rules):
                yield from pair.gone_from_outlook(contact)
        case Present(contact), shown if shown is not None and not isinstance(shown, Absent):
            if contact.privacy_blocked or not is_limited_out(contact, inputs.rules):
                yield from pair.both_there(contact, shown.contact)


def values_for_outlook(inputs: Inputs, bc: BcContact) -> dict[Field, str]:
    """A whole BC contact in Outlook's terms, for creating it there; blank fields and excluded ones left out."""
    values = {
        which: for_outlook(which, bc.card.get(which), inputs.countries)
        for which in FIELDS
        if which not in inputs.rules.excluded
    }
    return {which: value for which, value in values.items() if value}


def removal(
    inputs: Inputs,
    cause: Cause,
    link: Link,
    bc: BcContact | None,
    outlook: OutlookContact | None,
    *,
    linked: bool = True,
) -> Remove:
    """Remove from the folder; in the main folder a contact that was the user's only loses our marks (R27)."""
    card = bc.card if bc else outlook.card if outlook else link.base_bc
    return Remove(
        Side.OUTLOOK,
        cause,
        link.bc_id,
        link.outlook_id,
        "" if cause is Cause.PRIVACY_BLOCKED else names.one_name(card),
        bc,
        outlook,
        take_off=inputs.rules.main_folder and link.origin is not Origin.SYNC,
        linked=linked,
    )


def erasure(inputs: Inputs, link: Link, outlook: OutlookContact, *, linked: bool = True) -> Remove:
    """Remove an erased person from the folder for good (R39); it names nobody, so that no report does."""
    return replace(removal(inputs, Cause.ERASED, link, None, outlook, linked=linked), name="")


@dataclass(frozen=True, slots=True)
class _Decision:
    inputs: Inputs
    link: Link

    def erased(self, outlook: OutlookReading | None) -> Iterator[Step]:
        """R39: whoever meets it first removes it for good."""
        if isinstance(outlook, Absent):
            yield Unlink(self.link.bc_id, self.link.outlook_id)
        elif outlook is not None:
            yield erasure(self.inputs, self.link, outlook.contact)

    def gone_from_bc(self, outlook: OutlookContact | None) -> Iterator[Step]:
        """R21, R24."""
        if self.inputs.rules.policies.on_bc_delete is OnBcDelete.KEEP:
            yield self._keep(outlook)
            return
        if outlook:
            yield from self._lost(outlook, "lost-by-deletion", LOST_WITH_BC)
        yield removal(self.inputs, Cause.DELETED_IN_BC, self.link, None, outlook)

    def gone_from_outlook(self, bc: BcContact) -> Iterator[Step]:
        """R23, R24, R27."""
        rules, link = self.inputs.rules, self.link
        if scope_of(bc, rules) is not ScopeReason.IN_SCOPE:
            yield Unlink(link.bc_id, link.outlook_id)  # also an own creation outside the filter: not restored (R23)
            return
        policy = OnOutlookDelete.RESTORE if self.inputs.folder_new else rules.policies.on_outlook_delete
        if policy is OnOutlookDelete.HIDE:
            yield Unlink(link.bc_id, link.outlook_id, hide=True)
        elif policy is OnOutlookDelete.DELETE and rules.direction is Direction.BOTH and bc.card == link.base_bc:
            yield from self._delete_in_bc(bc)
        else:
            yield self._restore(bc)

    def _delete_in_bc(self, bc: BcContact) -> Iterator[Step]:
        if bc.has_business_relation:
            yield notes.about(
                NoteKind.SKIPPED,
                "has-business-relation",
                "Deleted in Outlook, but Business Central uses the contact for a customer, vendor, bank account or "
                "employee; it was put back.",
                bc=bc,
                link=self.link,
            )
            yield self._restore(bc)
        else:
            yield Remove(Side.BC, Cause.DELETED_IN_OUTLOOK, bc.id, self.link.outlook_id, names.one_name(bc.card), bc)

    def _restore(self, bc: BcContact) -> Create:
        return Create(
            Side.OUTLOOK,
            Cause.DELETED_IN_OUTLOOK,
            values_for_outlook(self.inputs, bc),
            Origin.SYNC if self.link.origin is Origin.USER else self.link.origin,
            bc=bc,
            replaces=self.link.outlook_id,
        )

    def both_there(self, bc: BcContact, outlook: OutlookContact) -> Iterator[Step]:
        """Both sides were read: privacy and scope first, then the merge."""
        rules, link = self.inputs.rules, self.link
        reason = scope_of(bc, rules)
        if reason is ScopeReason.PRIVACY_BLOCKED:
            yield removal(self.inputs, Cause.PRIVACY_BLOCKED, link, bc, outlook)
            return
        if outlook.marks_known and outlook.private:
            yield from self._now_private(bc, outlook, reason)
            return
        merged = self._merge(bc, outlook)
        if merged.writes_bc:
            reason = scope_of(_as_written(bc, merged), rules)
        if not has_place(reason, link.origin):
            yield from self._out_of_scope(bc, outlook, merged)
            return
        yield from notes.of_merge(merged, bc, outlook)
        if merged.writes_bc:
            yield self._write_bc(bc, outlook, merged)
        yield from self._outlook_half(bc, outlook, merged)

    def _now_private(self, bc: BcContact, outlook: OutlookContact, reason: ScopeReason) -> Iterator[Step]:
        """R2: it is unlinked and left in place. The person in scope gets a contact of the sync's own at once, as beside
        any other private contact: else only the next full run would make it (R14)."""
        yield Unlink(self.link.bc_id, self.link.outlook_id, park=Parked(outlook.id, "private"))
        yield notes.about(NoteKind.SKIPPED, "private", PRIVATE, bc=bc, outlook=outlook)
        if reason is ScopeReason.IN_SCOPE:
            yield replace(self._restore(bc), cause=Cause.NEW_IN_BC)

    def _merge(self, bc: BcContact, outlook: OutlookContact) -> Merge:
        inputs = self.inputs
        refused = inputs.refused.get(self.link.bc_id, {})
        around = Surroundings(
            inputs.rules, inputs.full, inputs.countries, inputs.companies, refused, inputs.now, inputs.swing_limits
        )
        return merge(around, self.link, bc, outlook)

    def _out_of_scope(self, bc: BcContact, outlook: OutlookContact, merged: Merge) -> Iterator[Step]:
        """R22: an Outlook edit still reaches BC (R4), then the contact leaves the folder."""
        reason = scope_of(bc, self.inputs.rules)
        told: set[Field] = set()
        if merged.writes_bc and reason in FILTER_REASONS | {ScopeReason.NO_EMAIL, ScopeReason.IN_SCOPE}:
            yield from notes.of_merge(merged, bc, outlook)
            yield self._write_bc(bc, outlook, merged)
            told |= {each.field for each in merged.remarks} | merged.to_bc.keys()
        if self.inputs.rules.policies.on_out_of_scope is OnOutOfScope.KEEP:
            yield self._keep(outlook)
        elif self.inputs.rules.limit_to is None:
            yield from self._lost(outlook, "lost-by-removal", LOST_WITH_SCOPE, told)
            yield removal(self.inputs, Cause.LEFT_SCOPE, self.link, bc, outlook)

    def _lost(self, outlook: OutlookContact, code: str, reason: str, told: Collection[Field] = ()) -> Iterator[Note]:
        countries = self.inputs.countries
        yield from notes.lost_edits(self.link, outlook, code, reason, countries, spared=told)

    def _write_bc(self, bc: BcContact, outlook: OutlookContact, merged: Merge) -> Write:
        return Write(
            Side.BC,
            self._cause(bc, outlook),
            self._counted(merged),
            bc,
            outlook,
            dict(merged.to_bc),
            company_number=merged.company_number,
            new_link=self._is_new,
        )

    def _outlook_half(self, bc: BcContact, outlook: OutlookContact, merged: Merge) -> Iterator[Step]:
        target = self._agreed(bc, outlook, merged)
        unstamped = not self.link.stamped or (outlook.marks_known and outlook.stamp is None)
        if merged.to_outlook or unstamped:
            name = merged.to_outlook.get(Field.NAME)
            yield Write(
                Side.OUTLOOK,
                self._cause(bc, outlook) if merged.to_outlook else Cause.REPAIR,
                target,
                bc,
                outlook,
                dict(merged.to_outlook),
                name_parts=_parts_for(outlook.card, name),
                stamp=unstamped,
                new_link=self._is_new,
            )
        elif not merged.writes_bc and target is not self.link:
            yield Record(target, self._cause(bc, outlook), new_link=self._is_new)

    def _agreed(self, bc: BcContact, outlook: OutlookContact, merged: Merge) -> Link:
        """The link with what both sides hold now as its bases: the link itself when they held that before."""
        link, left = self._counted(merged), frozenset(merged.left)
        if (bc.card, outlook.card, left) == (link.base_bc, link.base_outlook, link.left):
            return link
        return replace(link, base_bc=bc.card, base_outlook=outlook.card, left=left)

    def _counted(self, merged: Merge) -> Link:
        """The link with what this look has counted (R38): the link itself when that is nothing."""
        swings, paused = tuple(merged.swings.values()), tuple(merged.paused)
        if (swings, paused) == (self.link.swings, self.link.paused):
            return self.link
        return replace(self.link, swings=swings, paused=paused)

    @property
    def _is_new(self) -> bool:
        return self.link.bc_id not in self.inputs.links

    def _cause(self, bc: BcContact, outlook: OutlookContact) -> Cause:
        if self._is_new:
            return Cause.FIRST_MATCH
        in_bc, in_outlook = bc.card != self.link.base_bc, outlook.card != self.link.base_outlook
        if in_bc and in_outlook:
            return Cause.CHANGED_ON_BOTH
        return Cause.CHANGED_IN_OUTLOOK if in_outlook else Cause.CHANGED_IN_BC if in_bc else Cause.REPAIR

    def _keep(self, outlook: OutlookContact | None) -> Unlink:
        """R21, R22: it stays, is no longer synced, and is not imported as new."""
        link = self.link
        card: Card = outlook.card if outlook else link.base_outlook
        parked = Parked(link.outlook_id, "kept", emails.keys_of(card.email), link.bc_id)
        return Unlink(link.bc_id, link.outlook_id, park=parked)


LOST_WITH_BC = "The contact was deleted in Business Central and so removed."
LOST_WITH_SCOPE = "The contact left the sync in Business Central and was removed."


def _parts_for(card: Card, name: str | None) -> tuple[str, str, str] | None:
    """BC's split of a new name, unless the parts that Outlook holds spell it already (R20)."""
    if name is None or names.joined(*names.parts_of(card)) == name:
        return None
    return names.split_name(name)


PRIVATE = "Marked as personal or private in Outlook; the sync leaves such contacts alone."


def _as_written(bc: BcContact, merged: Merge) -> BcContact:
    """The BC contact as it will be once the run has written to it: scope is judged on that (R22)."""
    values = {**bc.values, **{which.value: value for which, value in merged.to_bc.items()}}
    if merged.company_number is not None:
        values["companyNumber"] = merged.company_number
    return replace(bc, values=values, card=bc.card.with_values(merged.to_bc))
