"""One run's pages of the journal: what is known of the contacts it writes to, and the rows before and after (R36)."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from shared.cards.model import EMPTY_CARD, Card, Origin
from shared.engine.journal import Batch, Journal
from shared.engine.model import RunRequest
from shared.engine.services import Services
from shared.planning.journalled import Entry, Verb
from shared.planning.model import Cause, Create, Link, Operation, Remove, Side, Write

#: what a user of this folder did; everything else in Outlook answers somebody in BC
_USERS_EDITS = frozenset({Cause.CHANGED_IN_OUTLOOK, Cause.NEW_IN_OUTLOOK, Cause.DELETED_IN_OUTLOOK})


@dataclass(slots=True)
class Pages:
    """Writes a run's batches into the journal. `expect` is told beforehand which contacts are about to be written."""

    journal: Journal
    run_id: str
    company_id: str
    profile_id: str
    now: Callable[[], datetime]
    attempt: int = 0  #: of the run: whoever took it over does not write into the rows of a dead worker
    editors: dict[str, str] = field(default_factory=dict)  #: BC id -> profile whose user's edit BC's log shows last
    count: int = 0
    known: dict[tuple[Side, str], Entry] = field(default_factory=dict)  #: by the id that the write will name
    cards: dict[str, Card] = field(default_factory=dict)  #: by Outlook id: what is removed, as it was last seen
    later: deque[Callable[[], None]] | None = None  #: what came of batches, to be said by `settle`; None: at once

    # ------------------------------------------------------------ what is about to be written

    def expect(self, operations: Iterable[object], links: Mapping[str, Link]) -> None:
        """Remember whom the next writes concern, and why; `links` by BC id."""
        for operation in operations:
            if isinstance(operation, Create | Write | Remove):
                self._expect(operation, links)

    def expect_removal(self, link: Link, cause: str) -> None:
        """A linked contact is about to be removed from its folder without a plan."""
        about = Entry(Side.OUTLOOK, Verb.DELETED, link.bc_id, link.outlook_id, cause=cause, origin=link.origin)
        self.known[Side.OUTLOOK, link.outlook_id] = about
        self.cards[link.outlook_id] = link.base_outlook

    def expect_undo(self, about: Entry, card: Card = EMPTY_CARD) -> None:
        """A contact is about to be written by an undo; `card` is what is removed in Outlook."""
        named = (about.bc_id, about.outlook_id)
        if (about.side is Side.OUTLOOK) is not (about.verb is Verb.CREATED):
            named = (about.outlook_id, about.bc_id)
        self.known[about.side, named[0] or named[1]] = about
        self.cards[about.outlook_id] = card

    def _expect(self, operation: Create | Write | Remove, links: Mapping[str, Link]) -> None:
        bc_id, outlook_id = _ids(operation)
        link = links.get(bc_id)
        origin = operation.origin if isinstance(operation, Create) else link.origin if link else Origin.SYNC
        about = Entry(operation.side, Verb.UPDATED, bc_id, outlook_id, cause=str(operation.cause), origin=origin)
        about = replace(about, by=self._editor(operation, bc_id))
        if operation.cause is Cause.PRIVACY_BLOCKED:
            pass  # R39: that a contact was removed, not who it was
        elif isinstance(operation, Remove) and operation.outlook is not None:
            self.cards[outlook_id] = operation.outlook.card
            stamp = operation.outlook.stamp
            about = replace(about, origin=stamp.origin) if link is None and stamp is not None else about
        elif isinstance(operation, Remove) and link is not None:
            self.cards[outlook_id] = link.base_outlook
        names_bc = (operation.side is Side.OUTLOOK) is isinstance(operation, Create)
        self.known[operation.side, bc_id if names_bc else outlook_id] = about

    def _editor(self, operation: Operation, bc_id: str) -> str:
        """The profile whose user's edit caused it."""
        assert isinstance(operation, Create | Write | Remove)  # noqa: S101
        if operation.side is Side.BC:
            self.editors[bc_id] = self.profile_id  # and of what BC makes of it, which travels back
            return self.profile_id
        if operation.cause in _USERS_EDITS:
            return self.profile_id
        return self.editors.get(bc_id, "")

    # ------------------------------------------------------------ rows

    def entry(self, side: Side, verb: Verb, *, bc_id: str = "", outlook_id: str = "") -> Entry:
        """What is known of a contact that is written now, by the id that the write names."""
        about = self.known.get((side, bc_id or outlook_id))
        if about is None:
            return Entry(side, verb, bc_id, outlook_id)
        # a creation does not know its own id yet
        created = verb is Verb.CREATED
        return replace(
            about,
            verb=verb,
            bc_id="" if created and side is Side.BC else about.bc_id,
            outlook_id="" if created and side is Side.OUTLOOK else about.outlook_id,
        )

    def card(self, outlook_id: str) -> Card:
        """An Outlook contact as it was last seen."""
        return self.cards.get(outlook_id, EMPTY_CARD)

    def around[R](
        self,
        entries: Sequence[Entry],
        write: Callable[[], Sequence[R]],
        came_of: Callable[[Entry, int, R], Entry | None],
    ) -> Sequence[R]:
        """Write a batch between its two entries; the second is left out where everything came as intended."""
        if not entries:
            return write()
        self.count += 1
        number = f"{self.attempt:04d}{self.count:06d}"
        batch = Batch(self.run_id, number, self.company_id, self.profile_id, self.now(), tuple(entries))
        rows = self.journal.put(batch)
        results = write()
        for each in entries:
            if each.verb is Verb.CREATED:  # nobody names it by what it was made of any more
                self.known.pop((each.side, each.bc_id or each.outlook_id), None)
        say = partial(self._say, batch, rows, came_of, results)
        if self.later is None:
            say()
        else:
            self.later.append(say)
        return results

    @contextmanager
    def settled_behind(self) -> Iterator[None]:
        """Meanwhile what came of a batch is said when it is recorded, by `settle`, so that the next one need not wait
        for it. Who dies before leaves the intention, as if the answer had never come."""
        self.later = deque()
        try:
            yield
        finally:
            self.later = None

    def settle(self) -> None:
        """Say what came of all batches that were written."""
        while self.later:
            self.later.popleft()()

    def _say[R](
        self, batch: Batch, rows: int, came_of: Callable[[Entry, int, R], Entry | None], results: Sequence[R]
    ) -> None:
        """Where not everything came as intended, the same rows say what did."""
        done = (
            came_of(entry, place, result)
            for place, (entry, result) in enumerate(zip(batch.entries, results, strict=True))
        )
        happened = tuple(each for each in done if each is not None)
        if happened != batch.entries:
            self.journal.put(replace(batch, entries=happened), rows=rows)


def pages_of(services: Services, request: RunRequest) -> Pages:
    """The pages of a run."""
    return Pages(
        services.journal, request.run_id, request.company_id, request.profile_id, services.now, request.attempt
    )


def _ids(operation: Create | Write | Remove) -> tuple[str, str]:
    """BC id and Outlook id, as far as known."""
    match operation:
        case Create():
            return operation.bc.id if operation.bc else "", operation.outlook.id if operation.outlook else ""
        case Write():
            return operation.bc.id, operation.outlook.id
        case Remove():
            return operation.bc_id, operation.outlook_id
