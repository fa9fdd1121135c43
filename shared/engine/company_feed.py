"""The company feed: BC's contacts are read once for all profiles, into the snapshot and the change log.

A refresh enumerates the ids with their stamps: those that differ from the roster's are what changed, whenever it was
committed (BC reference 3.5), what is missing was deleted, and an older one means a company that went back in time. Few
changes are read one by one, many as the list of what changed since the watermark less an overlap; so does a refresh for
which the enumeration is not due.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from shared.cards.business_central import digest, without_values
from shared.cards.model import BcContact
from shared.engine.company_holds import DELETIONS, RESTORED, CompanyHolds
from shared.engine.company_state import APPROVED_GONE, FeedChanges, FeedState, HeldFeed, RosterEntry
from shared.engine.holds import Approval
from shared.engine.kept_values import KeptValues, log_without
from shared.engine.model import Positions
from shared.engine.services import Services
from shared.engine.sides import BcSide
from shared.engine.state import Busy
from shared.errors import RetryableError
from shared.pace import Pace
from shared.planning.erased import NOBODY

type Roster = Mapping[str, RosterEntry]

#: Contacts written to the snapshot at a time while all are read. The roster goes with each part, and grows: a part of a
#: thousand would write it a thousand times for a million contacts. In memory a part is less than a page of BC's answer.
CHUNK = 10_000


def bring_up_to_date(
    services: Services,
    company_id: str,
    since: datetime,
    pace: Pace,
    *,
    full: bool = False,
    approves: Approval | None = None,
) -> FeedState:
    """The feed as of `since` or later: requests made before a refresh begins share it, later ones wait for the next.

    `full` reads every contact whole, regardless of dates (R14). `approves` frees what is held for the company, once, if
    it is the hold that was meant (R26, R33). Raises CompanyUnavailable, RetryableError.
    """
    give_up = min(services.monotonic() + services.limits.feed_wait, pace.deadline)
    while True:
        state = services.companies.feed(company_id)
        if _is_fresh(state, since, full) and not _meant(state, approves):
            return state
        held = services.companies.hold_feed(company_id, services.new_id())
        if not isinstance(held, Busy):
            try:
                state = held.state()
                meant = _meant(state, approves)
                if _is_fresh(state, since, full) and not meant:
                    return state
                bc = services.business_central(pace).company(company_id)
                return _Refresh(services, held, bc, full or bool(meant), meant).go(state)
            finally:
                held.release()
        if services.monotonic() > give_up:
            raise RetryableError("Another worker is reading the company; this run goes on later.", code="feed-busy")
        pace.keep_going()
        services.sleep(held.next_look)


def offer(
    services: Services, company_id: str, written: Sequence[BcContact], gone: Sequence[str], by: str
) -> FeedState | None:
    """Tell the feed of our own writes (architecture, point 1), made by the run of profile `by`; None when it is busy:
    then a refresh finds them."""
    if not written and not gone:
        return None
    held = services.companies.hold_feed(company_id, services.new_id())
    if isinstance(held, Busy):
        return None
    try:
        state = held.state()
        if not state.epoch:
            return None
        erased = services.companies.erased(company_id) if state.erased else NOBODY
        known = [without_values(each) if each.id in erased else each for each in written if not each.privacy_blocked]
        return held.commit(FeedChanges(changed=known, gone=list(gone), by=by))
    finally:
        held.release()


def moved_to(positions: Positions, head: int) -> Positions:
    """The log position after our own writes, when nothing else came between."""
    return replace(positions, log_position=head)


def _meant(state: FeedState, approves: Approval | None) -> frozenset[str]:
    """The kinds of the company's holds that an approval means: what joined later is another hold."""
    named = approves.kinds if approves is not None else {}
    holds = [each for each in (state.stopped, state.held) if each is not None]
    return frozenset(each.kind for each in holds if each.kind in named and named[each.kind] == each.since)


def _is_fresh(state: FeedState, since: datetime, full: bool) -> bool:
    if not state.epoch or state.refreshed_at is None or state.refreshed_at < since:
        return False
    return not full or (state.full_at is not None and state.full_at >= since)


@dataclass(slots=True)
class _Found:
    """What a refresh found."""

    changed: list[BcContact] = field(default_factory=list)
    older: list[BcContact] = field(default_factory=list)  #: shown with an older stamp than we know (R33)
    gone: list[str] = field(default_factory=list)
    enumerated: bool = False

    def known(self) -> set[str]:
        """Who was read, as far as it says anything."""
        return {contact.id for contact in (*self.changed, *self.older)}

    def sort_in(self, contact: BcContact, known: RosterEntry | None, *, same: bool = True) -> None:
        """Is it news, an echo, or a look into the past?"""
        if known is None or moment(contact.modified) > moment(known.stamp):
            self.changed.append(contact)
        elif moment(contact.modified) < moment(known.stamp):
            self.older.append(contact)
        elif not same:
            self.changed.append(contact)


@dataclass(slots=True)
class _Refresh:
    """One refresh, under the feed's lease."""

    services: Services
    held: HeldFeed
    bc: BcSide
    full: bool
    approved: frozenset[str] = frozenset()  #: kinds of the company's holds
    began: datetime = field(init=False)
    holds: CompanyHolds = field(init=False)
    kept: KeptValues = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.services.now()
        self.holds = CompanyHolds(self.services, self.bc.company_id, self.approved, self.began)
        self.kept = KeptValues(self.services, self.bc.company_id)

    def go(self, state: FeedState) -> FeedState:
        """Read, compare, append; the state moves last."""
        if state.erased or not state.epoch:  # a feed whose state was lost does not know whether anybody was
            self.kept.erased = self.services.companies.erased(self.bc.company_id)
        if not state.epoch:
            return self._build(replace(state, erased=bool(self.kept.erased.marks)))
        roster = self.held.roster()
        found = self._everything(roster) if self.full else self._news(state, roster)
        if found.older:
            found.older = self._still_older(found.older, roster)
        if found.older and not found.enumerated:  # all of them are to be known, so that a person knows what to approve
            self._enumerate(state, roster, found)
            found.older = self._still_older(found.older, roster)
        stopped = self.holds.back_in_time(state.stopped, {each.id for each in found.older})
        if stopped is not None:  # R33: what we know is kept until a person decides
            return self.held.commit(FeedChanges(state=replace(state, stopped=stopped), held=self.holds.waiting))
        if state.stopped is not None:
            return self._roll_back(state, found, roster)
        new_state = self._advanced(state, found, roster)
        countries = self._countries(state)
        if countries is not None:
            new_state = replace(new_state, countries_at=self.began)
        return self.held.commit(
            FeedChanges(
                changed=found.changed,
                gone=found.gone,
                rewritten=log_without(self.held, self.kept.newly_blocked(found.changed, roster)),
                state=new_state,
                countries=countries,
                held=self.holds.waiting,
            )
        )

    # ------------------------------------------------------------ a company that went back in time

    def _roll_back(self, state: FeedState, found: _Found, roster: Roster) -> FeedState:
        """Take what BC shows for the truth; with another epoch all profiles compare with it, under R26."""
        changed = [*found.changed, *found.older]
        self.held.commit(
            FeedChanges(rewritten=log_without(self.held, self.kept.newly_blocked(changed, roster)), log=False)
        )
        for start in range(0, len(changed), CHUNK):
            self.held.commit(FeedChanges(changed=changed[start : start + CHUNK], log=False))
        gone = set(found.gone)
        stamps = [each.stamp for each in self.held.roster().values() if each.id not in gone]
        new_state = replace(
            state,
            epoch=self.services.new_id(),
            watermark=max(stamps, key=moment, default=""),
            floor=state.head,
            refreshed_at=self.began,
            enumerated_at=self.began,
            full_at=self.began,
            stopped=None,
            held=None,
            blocked=state.blocked or any(each.privacy_blocked for each in changed),
        )
        over: dict[str, Sequence[str]] = {RESTORED: (), DELETIONS: ()}
        return self.held.commit(FeedChanges(gone=found.gone, log=False, state=new_state, held=over))

    # ------------------------------------------------------------ the first time

    def _build(self, state: FeedState) -> FeedState:
        """Nothing is known: read all; the log stays empty, profiles compare with the snapshot."""
        countries = self.bc.countries()
        persons, blocked, seen = set[str](), set[str](), dict[str, str]()
        chunk: list[BcContact] = []
        for contact in map(self.kept.of, self.bc.contacts()):
            persons |= {contact.id} if contact.is_person else set()
            blocked |= {contact.id} if contact.privacy_blocked else set()
            seen[contact.id] = contact.modified
            chunk.append(contact)
            if len(chunk) == CHUNK:
                self.held.commit(FeedChanges(changed=chunk, log=False))
                chunk = []
        # known to a feed whose state was lost, or by the enumeration: the list may have been too short or too old (R25)
        known = [*((each.id, each.stamp) for each in self.held.roster().values()), *self.bc.stamps()]
        doubtful = {key for key, stamp in known if key not in seen or moment(stamp) > moment(seen[key])}
        answers = self.bc.read(sorted(doubtful)) if doubtful else {}
        missed = [self.kept.of(each) for each in answers.values() if each is not None]
        gone = [key for key, each in answers.items() if each is None]
        chunk += missed
        persons = (persons - answers.keys()) | {each.id for each in missed if each.is_person}
        blocked |= {each.id for each in missed if each.privacy_blocked}
        seen |= {each.id: each.modified for each in missed}
        new_state = replace(
            state,
            epoch=self.services.new_id(),
            watermark=max(seen.values(), key=moment, default=""),
            floor=state.head,
            refreshed_at=self.began,
            enumerated_at=self.began,
            full_at=self.began,
            countries_at=self.began,
            persons=len(persons),
            contacts=len(seen.keys() - set(gone)),
            blocked=bool(blocked),
        )
        rewritten = log_without(self.held, blocked)  # the log of an earlier feed lies there until it is too old
        return self.held.commit(
            FeedChanges(changed=chunk, gone=gone, log=False, rewritten=rewritten, state=new_state, countries=countries)
        )

    # ------------------------------------------------------------ changes

    def _news(self, state: FeedState, roster: Roster) -> _Found:
        found = _Found()
        if self._enumerates(state):
            self._enumerate(state, roster, found)
        else:
            self._listed(state, roster, found)
        return found

    def _listed(self, state: FeedState, roster: Roster, found: _Found) -> None:
        """What changed since the watermark less the overlap."""
        known = found.known()
        for contact in self.kept.of_all(self.bc.changed_since(self._window_start(state.watermark)), roster):
            if contact.id not in known:
                found.sort_in(contact, roster.get(contact.id))

    def _window_start(self, watermark: str) -> str:
        """The watermark less the overlap; a company that had no contacts yet has no watermark either."""
        overlap = timedelta(minutes=self.services.limits.overlap_minutes)
        return as_stamp(moment(watermark) - overlap if watermark else moment(watermark))

    def _enumerates(self, state: FeedState) -> bool:
        """Larger companies enumerate on a schedule of their own (R14)."""
        if state.contacts <= self.services.limits.enumeration_most or state.enumerated_at is None:
            return True
        return self.began - state.enumerated_at >= timedelta(minutes=self.services.limits.enumeration_minutes)

    def _enumerate(self, state: FeedState, roster: Roster, found: _Found) -> None:
        """Read whatever differs from the roster, and look again for what is missing; `found` holds what was read of it
        before."""
        stamps = dict(self.bc.stamps())
        differ = {key for key, stamp in stamps.items() if not _is_known(stamp, roster.get(key))} - found.known()
        if len(differ) <= self.services.limits.feed_singly_most:
            differ -= self._singly({key: stamps[key] for key in differ}, roster, found)
        if differ:  # too many, or some that did not answer
            self._listed(state, roster, found)
            self._singly({key: stamps[key] for key in differ - found.known()}, roster, found)
        found.gone = self._confirmed_gone([key for key in roster if key not in stamps])
        found.enumerated = True

    def _singly(self, stamps: Mapping[str, str], roster: Roster, found: _Found) -> Set[str]:
        """Read contacts by their ids; answers those of which BC said something that is no older than these stamps."""
        answers = self.bc.read(sorted(stamps)) if stamps else {}
        there = [each for each in answers.values() if each is not None]
        behind = {each.id for each in there if moment(each.modified) < moment(stamps[each.id])}
        for contact in self.kept.of_all((each for each in there if each.id not in behind), roster):
            found.sort_in(contact, roster.get(contact.id))
        return answers.keys() - behind

    def _everything(self, roster: Roster) -> _Found:
        """Every contact whole; those whose stamp is the same are compared by their values (R14)."""
        company = self.services.companies
        known = dict(company.digests(self.bc.company_id))
        found, seen = _Found(), set[str]()
        for contact in self.kept.of_all(self.bc.contacts(), roster):
            seen.add(contact.id)
            found.sort_in(contact, roster.get(contact.id), same=known.get(contact.id) == digest(contact.values))
        found.gone = self._confirmed_gone([key for key in roster if key not in seen])
        found.enumerated = True
        return found

    def _read(self, ids: Sequence[str]) -> list[BcContact]:
        return [each for each in self.bc.read(ids).values() if each is not None] if ids else []

    def _confirmed_gone(self, ids: Sequence[str]) -> list[str]:
        """A second look at each (R25): a list that came back too short deletes nobody."""
        if not ids:
            return []
        answers = self.bc.read(ids)
        return [key for key in ids if key in answers and answers[key] is None]

    def _still_older(self, older: Sequence[BcContact], roster: Roster) -> list[BcContact]:
        """Read once more: a change that was seen before its commit and rolled back looks the same at first."""
        return [
            each
            for each in self.kept.of_all(self._read([each.id for each in older]), roster)
            if moment(each.modified) < moment(roster[each.id].stamp)
        ]

    # ------------------------------------------------------------ the new state

    def _advanced(self, state: FeedState, found: _Found, roster: Roster) -> FeedState:
        held = state.held
        if found.enumerated:
            persons = {key for key in found.gone if roster[key].person}
            held, found.gone = self.holds.too_many_gone(state, found.gone, persons)
        gone_persons = sum(roster[key].person for key in found.gone)
        watermark = max([state.watermark, *(each.modified for each in found.changed)], key=moment)
        new = [each for each in found.changed if each.id not in roster]
        return replace(
            state,
            watermark=watermark,
            refreshed_at=self.began,
            enumerated_at=self.began if found.enumerated else state.enumerated_at,
            full_at=self.began if self.full else state.full_at,
            persons=state.persons + sum(each.is_person for each in new) - gone_persons,
            contacts=state.contacts + len(new) - len(found.gone),
            held=held,
            approved_gone=state.approved_gone or APPROVED_GONE in self.holds.waiting,
            blocked=state.blocked or any(each.privacy_blocked for each in found.changed),
        )

    def _countries(self, state: FeedState) -> dict[str, str] | None:
        too_old = timedelta(hours=self.services.limits.country_hours)
        if self.full or state.countries_at is None or self.began - state.countries_at > too_old:
            return dict(self.bc.countries())
        return None


def _is_known(stamp: str, entry: RosterEntry | None) -> bool:
    return entry is not None and (stamp == entry.stamp or moment(stamp) == moment(entry.stamp))


def moment(stamp: str) -> datetime:
    """A stamp as BC writes it, trailing zeros dropped (BC reference 2.1); the earliest moment for a blank one."""
    if not stamp:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.fromisoformat(stamp)


def as_stamp(when: datetime) -> str:
    """A moment as BC's filters want it: milliseconds, Z."""
    if when.year < 1900:
        return "1900-01-01T00:00:00.000Z"
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"
