"""Three-way merge of one pair, field by field (R8, R12, R13, R16 to R20, R37). Pure.

                     Outlook as before      changed in Outlook
    BC as before     nothing                to BC, or a note why it cannot (R17 to R19)
    changed in BC    to Outlook             the same value: nothing; else BC wins, the loser is noted (R13)

A first match (R8) is a merge with two empty bases: everything counts as changed, so BC wins where it has a value, and a
blank in BC takes Outlook's value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.cards import names
from shared.cards.model import EMPTY_CARD, FIELDS, BcContact, Card, Field, OutlookContact
from shared.cards.normalise import matching_key
from shared.cards.translate import Countries, Refusal, agree, for_bc, for_outlook
from shared.planning.model import CompanyFromOutlook, Direction, Link, NoteKind, Pause, Rules, Side, Swing, SwingLimits
from shared.planning.oscillation import counted, set_back_at


@dataclass(frozen=True, slots=True)
class Remark:
    """A note about one field, before the contact is put to it."""

    kind: NoteKind
    code: str
    reason: str
    field: Field
    value: str


@dataclass(slots=True)
class Merge:
    """What is to be written to each side, each in its own terms."""

    to_bc: dict[Field, str] = field(default_factory=dict)
    company_number: str | None = None
    to_outlook: dict[Field, str] = field(default_factory=dict)
    left: set[Field] = field(default_factory=set)  #: fields in which Outlook stays different (R17 to R19, R37)
    remarks: list[Remark] = field(default_factory=list)
    paused: list[Pause] = field(default_factory=list)  #: R38
    swings: dict[tuple[Field, Side], Swing] = field(default_factory=dict)  #: as they are after this look (R38)

    @property
    def writes_bc(self) -> bool:
        """Whether BC is written."""
        return bool(self.to_bc) or self.company_number is not None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a merge has to know beyond the pair."""

    rules: Rules
    full: bool
    countries: Countries
    companies: Mapping[str, tuple[str, ...]]  #: name's matching key -> numbers of Company contacts (R18)
    refused: Mapping[Field, str]  #: fields that BC has just refused, and why (R17)
    now: datetime | None  #: for what goes by time (R38)
    swing_limits: SwingLimits


def merge(around: Surroundings, link: Link, bc: BcContact, outlook: OutlookContact) -> Merge:
    """Merge one pair: what each side has to be told, and what stays different and why."""
    result = Merge(paused=list(link.paused), swings={(each.field, each.side): each for each in link.swings})
    if not link.left and bc.card == link.base_bc and outlook.card == link.base_outlook and not outlook.more_lines:
        return result  # most pairs of a full run
    for which in FIELDS:
        if which not in around.rules.excluded:
            _Pair(around, link, bc, outlook, which, result).decide()
    if outlook.more_lines and around.rules.direction is Direction.BOTH:
        result.remarks.append(
            Remark(
                NoteKind.FIELD,
                "third-line",
                "Business Central has two address lines; the others stay in Outlook only.",
                Field.ADDRESS_2,
                "\n".join(outlook.more_lines),
            )
        )
    return result


class _Pair:
    """One field of one pair: its four values and what becomes of them."""

    __slots__ = ("around", "bc", "link", "now_bc", "now_outlook", "outlook", "result", "was_bc", "was_outlook", "which")

    def __init__(
        self, around: Surroundings, link: Link, bc: BcContact, outlook: OutlookContact, which: Field, result: Merge
    ) -> None:
        self.around, self.link, self.bc, self.outlook, self.which, self.result = (
            around,
            link,
            bc,
            outlook,
            which,
            result,
        )
        self.now_bc = bc.card.get(which)
        self.was_bc = link.base_bc.get(which)
        if which is Field.NAME:
            self.was_outlook, self.now_outlook = _names(link.base_outlook, outlook.card)
        else:
            self.was_outlook = link.base_outlook.get(which)
            self.now_outlook = outlook.card.get(which)

    def decide(self) -> None:
        """Put what this field needs into the result."""
        if self._is_paused():
            if not self._agrees():
                self.result.left.add(self.which)
            return
        was_left = self.which in self.link.left
        bc_changed = self.now_bc != self.was_bc
        outlook_changed = self.now_outlook != self.was_outlook
        if bc_changed and self._agrees():
            self._spell_name()
        elif bc_changed and (outlook_changed or was_left):
            self._both()
        elif bc_changed:
            self._write_outlook()
        elif outlook_changed or was_left:
            self._outlook_only()

    # ------------------------------------------------------------ oscillation

    def _is_paused(self) -> bool:
        """R38: whether the field stays as it is on both sides, from an earlier look or from now on."""
        values = {for_outlook(self.which, self.now_bc, self.around.countries), self.now_outlook}
        for pause in self.link.paused:
            if pause.field is self.which:
                if values <= set(pause.values):
                    return True
                self._end_pause(pause)
                return False
        # both, since each side's count goes on
        set_back = [
            self._was_set_back(Side.BC, self.was_bc, self.now_bc),
            self._was_set_back(Side.OUTLOOK, self.was_outlook, self.now_outlook),
        ]
        if self._agrees() or not any(set_back):
            return False
        self._begin_pause()
        return True

    def _was_set_back(self, side: Side, was: str, now: str) -> bool:
        """Whether this look finds that the field was set back once too often on one side."""
        swing, when = self.result.swings.get((self.which, side)), self.around.now
        if swing is None or when is None or now == was or now != swing.before:
            return False
        seen = set_back_at(side, self.bc, when)
        after = counted(swing, seen, self.around.swing_limits)
        self.result.swings[self.which, side] = after
        return after is not swing and len(after.times) >= self.around.swing_limits.swing_times

    def _begin_pause(self) -> None:
        shown = for_outlook(self.which, self.now_bc, self.around.countries)
        self.result.paused.append(Pause(self.which, (shown, self.now_outlook)))
        self.result.remarks.append(
            Remark(
                NoteKind.FIELD,
                "oscillation",
                "The field was set back again and again after it was synced; it is left as it is on both sides until "
                "somebody resumes it or it gets another value.",
                self.which,
                f"Business Central: {self.now_bc}\nOutlook: {self.now_outlook}",
            )
        )

    def _end_pause(self, pause: Pause) -> None:
        self.result.paused.remove(pause)
        for side in Side:
            self.result.swings.pop((self.which, side), None)

    # ------------------------------------------------------------ what travels

    def _spell_name(self) -> None:
        """The name is the same, but in Outlook its parts still spell the old one, or the service has made the display
        name of given name and surname alone (R16, R20)."""
        if self.which is not Field.NAME:
            return
        has_old_parts = self.was_bc and not names.parts_fit(self.outlook.card, self.now_bc)
        if has_old_parts or self.outlook.card.name != self.now_bc:
            self._write_outlook()

    def _both(self) -> None:
        if not self.now_bc and self.around.rules.direction is Direction.TO_OUTLOOK and self.now_outlook:
            self.result.left.add(self.which)  # R37: a blank in BC never clears what a user typed
            return
        self._write_outlook()
        if self.link.base_bc == EMPTY_CARD and self.link.base_outlook == EMPTY_CARD:
            self._conflict("first-match", "On first match Business Central's value counts.")
        else:
            self._conflict("conflict", "Changed on both sides; Business Central's value counts.")

    def _outlook_only(self) -> None:
        if self.around.rules.direction is Direction.TO_OUTLOOK:
            self._only_readable()
        elif self.which is Field.COMPANY:
            self._company()
        elif not self._agrees():
            self._send()

    def _send(self) -> None:
        if self.which in self.around.refused:
            self._leave("refused", self.around.refused[self.which])
            return
        translated = for_bc(self.which, self.now_outlook, self.now_bc, self.around.countries)
        if isinstance(translated, Refusal):
            self._leave(translated.code, translated.reason)
        elif translated != self.now_bc:
            self.result.to_bc[self.which] = translated

    def _only_readable(self) -> None:
        """R37: nothing goes to BC; a full run puts BC's value back, a blank in BC clears nothing."""
        if self._agrees():
            return
        if self.around.full and self.now_bc:
            self._write_outlook()
            self._conflict("put-back", "This profile does not change Business Central; its value was put back.")
        else:
            self.result.left.add(self.which)

    def _company(self) -> None:
        """R18: Outlook's company name links a person who has none, when exactly one company has that name."""
        if self._agrees():
            return
        if not self.now_outlook:
            self._leave("company-kept", "A blank company in Outlook does not clear the one in Business Central.")
        elif self.bc.company_number and self.around.rules.policies.company_from_outlook is CompanyFromOutlook.FILL:
            self._leave("company-not-moved", "The person belongs to a company in Business Central and is not moved.")
        else:
            self._link_company()

    def _link_company(self) -> None:
        numbers = self.around.companies.get(matching_key(self.now_outlook), ())
        if self.which in self.around.refused:
            self._leave("refused", self.around.refused[self.which])
        elif len(numbers) == 1:
            if numbers[0] != self.bc.company_number:
                self.result.company_number = numbers[0]
        elif numbers:
            self._leave("company-ambiguous", "Several companies in Business Central have this name.")
        else:
            self._leave("company-unknown", "No company in Business Central has this name.")

    def _agrees(self) -> bool:
        """Whether both sides hold the same now, each in its own terms."""
        return agree(self.which, self.now_bc, self.now_outlook, self.around.countries)

    def _write_outlook(self) -> None:
        self.result.to_outlook[self.which] = for_outlook(self.which, self.now_bc, self.around.countries)

    def _leave(self, code: str, reason: str) -> None:
        self.result.left.add(self.which)
        self.result.remarks.append(Remark(NoteKind.FIELD, code, reason, self.which, self.now_outlook))

    def _conflict(self, code: str, reason: str) -> None:
        self.result.remarks.append(Remark(NoteKind.CONFLICT, code, reason, self.which, self.now_outlook))


def _names(base: Card, now: Card) -> tuple[str, str]:
    """The one name before and now (R20); equal when an edit of the parts left the name as it was."""
    edited = names.edited_name(base, now)
    was = names.one_name(base)
    return was, was if edited is None else edited
