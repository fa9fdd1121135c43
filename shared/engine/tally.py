"""What a run has done so far: the counts and notes of its report (R35)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shared.engine.model import Counts, HeldKind, Report, RunStatus
from shared.planning.model import Note, NoteKind, Side


@dataclass(slots=True)
class Tally:
    """Counts per direction and notes, each once."""

    counts: dict[Side, Counts] = field(default_factory=lambda: {Side.BC: Counts(), Side.OUTLOOK: Counts()})
    notes: dict[tuple[str, str, str, str], Note] = field(default_factory=dict)
    held: list[HeldKind] = field(default_factory=list)
    safe: set[tuple[str, str, str, str]] = field(default_factory=set)  #: notes that a saved report holds already

    @classmethod
    def continued(cls, report: Report) -> "Tally":
        """Go on with what an earlier part of the same run has done (R32)."""
        tally = cls({Side.BC: report.to_bc, Side.OUTLOOK: report.to_outlook})
        tally.remark(report.notes)
        tally.safe = set(tally.notes)
        return tally

    def add(self, side: Side, what: str, number: int = 1) -> None:
        """Count `what`: created, updated, deleted, unchanged or skipped."""
        now = self.counts[side]
        self.counts[side] = replace(now, **{what: getattr(now, what) + number})

    def remark(self, notes: tuple[Note, ...] | list[Note]) -> None:
        """Take notes in; planning a contact again does not repeat what was said about it."""
        for note in notes:
            self.notes.setdefault((note.bc_id or note.outlook_id, note.field, note.value, _family(note)), note)

    def replace_notes(self, clean: Callable[[Note], Note]) -> None:
        """Notes without what may not be said any more (R39)."""
        self.notes = {key: clean(note) for key, note in self.notes.items()}

    @property
    def holds_lost_values(self) -> bool:
        """Whether a note holds a value that will be gone once the plan is carried out, and no saved report does yet."""
        return any(note.kind is NoteKind.CONFLICT and key not in self.safe for key, note in self.notes.items())

    def unchanged(self, number: int) -> None:
        """How many pairs were looked at and need nothing; a run that goes on counts them anew."""
        self.counts = {side: replace(counts, unchanged=number) for side, counts in self.counts.items()}

    def of(self, side: Side) -> Counts:
        """The counts of one direction; a contact is skipped in the direction in which it would have travelled."""
        skipped = {
            note.outlook_id if side is Side.BC else note.bc_id
            for note in self.notes.values()
            if note.kind is NoteKind.SKIPPED and (not note.bc_id) is (side is Side.BC)
        }
        return replace(self.counts[side], skipped=len(skipped))

    @property
    def did_something(self) -> bool:
        """Whether the report has anything to say beyond that the run took place."""
        written = any(counts.created or counts.updated or counts.deleted for counts in self.counts.values())
        return written or bool(self.notes) or bool(self.held)

    def status(self) -> RunStatus:
        """How a run that came to its end ended."""
        if self.held:
            return RunStatus.HELD
        return RunStatus.WITH_NOTES if self.notes else RunStatus.SUCCEEDED


def _family(note: Note) -> str:
    """Notes about one value are one remark, in whatever words (a conflict is noted once, R35)."""
    return note.kind.value if note.kind is NoteKind.CONFLICT else note.code
