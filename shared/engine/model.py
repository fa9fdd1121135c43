"""The engine's own values: profiles, run requests, reports, positions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.engine.holds import Approval, Hold
from shared.planning.model import Direction, Note, Policies


@dataclass(frozen=True, slots=True)
class Profile:
    """One user's contact-sync set-up in one company. `id` is the user's Entra object id."""

    company_id: str
    id: str
    user_address: str  #: as the directory showed it when the profile was saved
    mailbox_id: str  #: object id of the mailbox that holds the folder; the user's own unless an admin says otherwise
    mailbox_address: str
    folder_name: str = "Business Central"
    main_folder: bool = False  #: `folder: default` (R27)
    filter: Mapping[str, str] = field(default_factory=dict)
    bc_user_name: str = ""  #: for %me (R5)
    enabled: bool = True
    automatic: bool = True
    direction: Direction = Direction.BOTH
    policies: Policies = Policies()  # noqa: RUF009 - frozen
    actor: str = ""  #: who changed it last, as the caller stated
    changed_at: datetime | None = None
    imported: str = ""  #: the mark of the saved import that made it; blank: made by hand, or once
    left: bool = False  #: switched off since its user left that import
    etag: str = ""  #: of the stored row; blank when not stored yet

    @property
    def is_automatic(self) -> bool:
        """Whether it is run when nobody asks for it."""
        return self.enabled and self.automatic


@dataclass(frozen=True, slots=True)
class CompanySettings:
    """What an admin set for one company (R5, R12)."""

    company_id: str
    name: str = ""
    base_filter: Mapping[str, str] = field(default_factory=dict)
    excluded_fields: tuple[str, ...] = ()
    etag: str = ""


class Mode(StrEnum):
    """How much a run reads (R14)."""

    INCREMENTAL = "incremental"
    FULL = "full"


class Trigger(StrEnum):
    """What started a run (R35)."""

    TIMER = "timer"
    HTTP = "http"
    GRAPH = "graph-notification"
    BC = "bc-notification"

    @property
    def is_requested(self) -> bool:
        """Whether a person asked for the run (R14, R26, R31)."""
        return self is Trigger.HTTP


class RunStatus(StrEnum):
    """Where a run stands (R35)."""

    QUEUED = "queued"  #: waiting for its mailbox to be free
    RUNNING = "running"  #: a worker holds the mailbox's lease
    SUCCEEDED = "succeeded"  #: everything applied, positions moved
    WITH_NOTES = "succeeded with notes"  #: the same, but some contacts need a look
    HELD = "held"  #: the safety stop holds something back (R26)
    FAILED = "failed"  #: gave up; positions did not move


#: Allowed moves; `docs/how-a-run-works.md` draws the same.
NEXT: Mapping[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.FAILED}),
    RunStatus.RUNNING: frozenset(RunStatus) - {RunStatus.QUEUED},
    RunStatus.SUCCEEDED: frozenset(),
    RunStatus.WITH_NOTES: frozenset(),
    RunStatus.HELD: frozenset(),
    RunStatus.FAILED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Undoes:
    """What a run undoes (R36)."""

    run_id: str
    contact: str = ""  #: BC id or Outlook id of the only contact to undo; blank: all of the run
    recreate: bool = False  #: whether contacts deleted in BC are put back there as new records


@dataclass(frozen=True, slots=True)
class Erases:
    """Whom a run erases (R39): by the BC id alone, or, where that is not known, by the company's keyed hashes."""

    contact: str = ""  #: BC id; blank: somebody who was known by an e-mail address


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A request for a run of one profile, waiting in its mailbox's line (R29).

    Plain requests of one profile are merged into one; those with a filter of their own and previews are not.
    """

    run_id: str
    company_id: str
    profile_id: str
    mailbox_id: str
    mode: Mode
    trigger: Trigger
    requested_at: datetime
    filter: Mapping[str, str] | None = None  #: replaces the saved filter, or limits this run (`save_filter` False)
    save_filter: bool = True
    confirm_removals: int | None = None  #: the number that a preview showed (R26)
    preview: bool = False
    approves: Approval | None = None  #: carries out what an earlier run held (R26)
    actor: str = ""
    attempt: int = 0  #: how often a worker has taken it up
    reads_folder: bool = True  #: False: news of BC, the folder is asked only about what they concern (R14)
    fresh_feed: bool = True  #: False: the company feed is taken as it is; whoever had news of BC has updated it (R14)
    heard: frozenset[str] | None = None  #: the announced changes, as fingerprints; None: not known, so look
    undoes: Undoes | None = None  #: an undo instead of a sync (R36)
    erases: Erases | None = None  #: an erasure instead of a sync (R39)
    woken_at: datetime | None = None  #: when its worker was last sent a message; None: when it was requested
    resume: tuple[str, ...] = ()  #: BC ids of contacts whose paused fields travel again (R38)
    etag: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether it may be merged with another (R29)."""
        asks_for_more = self.preview or self.confirm_removals is not None or self.approves is not None
        return self.filter is None and not asks_for_more and self.undoes is None and self.erases is None

    @property
    def is_urgent(self) -> bool:
        """Whether it runs at once, however short ago the mailbox had a run: bursts are made of notifications."""
        return self.trigger not in (Trigger.GRAPH, Trigger.BC)


WAKE_AGAIN = timedelta(seconds=10)  #: a message that has woken nobody for so long is taken for lost


def merged(waiting: RunRequest, request: RunRequest) -> RunRequest:
    """Two plain requests of one profile as one (R29): full if either is, asked for by a person if either was, reading
    what either would read. `woken_at` is that of `request` when the caller has to send the worker a message."""
    person = request if request.trigger.is_requested and not waiting.trigger.is_requested else waiting
    woken = waiting.woken_at or waiting.requested_at
    return replace(
        waiting,
        mode=Mode.FULL if Mode.FULL in {waiting.mode, request.mode} else waiting.mode,
        trigger=person.trigger,
        actor=person.actor,
        # what was there at the later request must be seen by the run (R14)
        requested_at=max(waiting.requested_at, request.requested_at) if request.fresh_feed else waiting.requested_at,
        reads_folder=waiting.reads_folder or request.reads_folder,
        fresh_feed=waiting.fresh_feed or request.fresh_feed,
        heard=_heard_by_both(waiting.heard, request.heard),
        resume=tuple(dict.fromkeys((*waiting.resume, *request.resume))),
        woken_at=request.requested_at if request.requested_at - woken > WAKE_AGAIN else waiting.woken_at,
    )


HEARD_MOST = 20  #: announced changes that a request remembers one by one


def _heard_by_both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None or len(one | other) > HEARD_MOST:
        return None
    return one | other


def must_wake(request: RunRequest, accepted: RunRequest) -> bool:
    """Whether whoever submitted `request` has to wake the mailbox's worker: not while a message is on its way."""
    return accepted.run_id == request.run_id or accepted.woken_at == request.requested_at


@dataclass(frozen=True, slots=True)
class Counts:
    """What was done in one direction (R35)."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class HeldKind:
    """One kind of operations that the safety stop held back (R26)."""

    #: outlook-removals, bc-removals, outlook-creations, bc-creations, outlook-updates, bc-updates, company-deletions,
    #: company-restored
    kind: str
    count: int
    limit: str  #: in words: which limit was passed
    contacts: tuple[str, ...] = ()  #: the first of the contacts concerned (BC ids, or Outlook ids for bc-creations)
    since: datetime | None = None  #: of the hold that the run left (`Hold.since`)
    approved_by: str = ""  #: who approved it; blank: nobody
    approved_at: datetime | None = None
    approved_run: str = ""  #: id of the run that carries it out


@dataclass(frozen=True, slots=True)
class Report:
    """A run's report (R35)."""

    run_id: str
    company_id: str
    profile_id: str
    mailbox_id: str
    mode: Mode
    trigger: Trigger
    status: RunStatus
    requested_at: datetime
    filter: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    to_outlook: Counts = Counts()
    to_bc: Counts = Counts()
    notes: tuple[Note, ...] = ()
    held: tuple[HeldKind, ...] = ()
    requests: Mapping[str, int] = field(default_factory=dict)  #: HTTP requests by service
    preview: bool = False
    approves: Approval | None = None  #: which held run it carries out (R26)
    plan: tuple[Mapping[str, object], ...] = ()  #: a preview's operations, described (R34)
    actor: str = ""
    undoes: Undoes | None = None  #: for the report of an undo (R36)
    erases: Erases | None = None  #: for the report of an erasure (R39)
    error_code: str = ""
    error: str = ""  #: why it failed, in words, and what to do
    continued: int = 0  #: how often it was handed over to a continuation (R32)


@dataclass(frozen=True, slots=True)
class Counted:
    """Operations done by a run that nobody asked for, for the safety stop's last 24 hours (R26)."""

    at: datetime
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Positions:
    """How far a profile has come; moves last (R30)."""

    folder_id: str = ""
    folder_parent_id: str = ""
    folder_name: str = ""
    folder_made: bool = False  #: whether the sync made the folder (R26: first run in a folder it did not make)
    delta_link: str = ""
    feed_epoch: str = ""  #: of the company feed that `log_position` belongs to; another one: compare with the snapshot
    log_position: int = 0
    filter_text: str = ""  #: canonical text of the filters last applied: a change means comparing with the snapshot
    unclean: bool = False  #: set before the first create of a run, cleared at its end (R9, R30)
    bc_written_at: datetime | None = None  #: our latest write to BC that the feed may not know of (R30)
    last_run_at: datetime | None = None
    last_full_at: datetime | None = None
    last_checked_at: datetime | None = None
    counted: tuple[Counted, ...] = ()
    echoes: tuple[str, ...] = ()  #: fingerprints of what runs wrote in Outlook lately: announced, it is no news (R15)
    watched: str = ""  #: address and folder that a subscription was last asked for
    holds: Mapping[str, Hold] = field(default_factory=dict)  #: by kind: what waits for approval (R26)
    company_holds: Mapping[str, datetime | None] = field(default_factory=dict)  #: kind -> since: those reported here
    link_count: int = 0  #: as it was when loaded; kept by the store


@dataclass(frozen=True, slots=True)
class Retry:
    """A contact that failed and is tried again even if nothing changes (R31)."""

    key: str  #: BC id or Outlook id
    side: str  #: "bc" or "outlook": whose id `key` is
    code: str
    attempts: int
    next_at: datetime
