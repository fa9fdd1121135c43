"""One undo's work while it is carried out: what its two halves share (R36)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.cards.model import BcContact, Card, Origin, OutlookContact
from shared.engine.handing_over import may_go_on
from shared.engine.model import RunRequest
from shared.engine.pages import Pages
from shared.engine.recording import Recorder
from shared.engine.services import Services
from shared.engine.sides import BcSide, OutlookSide
from shared.engine.state import ProfileState
from shared.engine.tally import Tally
from shared.errors import ContactError, NotDone
from shared.pace import Pace
from shared.planning import notes
from shared.planning.journalled import Entry, Verb
from shared.planning.model import NoteKind, Rules, Side
from shared.planning.undo import UNDO
from shared.planning.undo_model import UndoInputs
from shared.planning.undone import looks


@dataclass(slots=True)
class UndoWork:
    """What is there, what was read, and what has been written so far."""

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
    apart: dict[str, OutlookContact] = field(default_factory=dict)  #: by BC id: what came back without being linked
    unfinished: bool = False

    def __post_init__(self) -> None:
        """What is known of the contacts."""
        parked = self.state.parked_by_outlook(self.inputs.outlook)
        links = dict(self.inputs.links)
        self.recorder = Recorder(self.state, links, dict(parked), {}, self.services.limits, self.services.now())

    def batches[T](self, steps: Sequence[T]) -> Iterator[Sequence[T]]:
        """Cut into batches, each recorded behind it. Raises RetryableError when it has to hand over."""
        size = self.services.limits.apply_batch
        for start in range(0, len(steps), size):
            self.pace.keep_going()
            self.need_time()
            yield steps[start : start + size]
            self.recorder.commit()

    def need_time(self) -> None:
        """Raises RetryableError when the undo has to hand over."""
        may_go_on(self.services, self.request, self.pace, unfinished=self.unfinished)

    def failed(self, error: ContactError, bc: BcContact | None, outlook: OutlookContact | None) -> None:
        """One contact that could not be put back is noted; the undo can be repeated."""
        if isinstance(error, NotDone):
            self.unfinished = True  # nothing happened to it: the undo goes on with it later (R32)
        else:
            self.tally.remark([notes.about(NoteKind.FAILED, error.code, str(error), bc=bc, outlook=outlook)])

    def expect(self, side: Side, verb: Verb, bc_id: str, outlook: OutlookContact | str | None) -> None:
        """Tell the journal whom the next write concerns."""
        outlook_id = outlook.id if isinstance(outlook, OutlookContact) else outlook or ""
        link = self.recorder.links.get(bc_id)
        about = Entry(side, verb, bc_id, outlook_id, cause=UNDO, origin=link.origin if link else Origin.SYNC)
        self.pages.expect_undo(about)
        if isinstance(outlook, OutlookContact):
            self.pages.cards[outlook_id] = outlook.card

    def stays_away(self, bc_id: str, card: Card) -> None:
        """The person stays away from the folder until it changes in BC; `card` is what BC holds or held last."""
        self.away.add(bc_id)
        self.recorder.hide(bc_id, looks(card))
