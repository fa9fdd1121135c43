"""The values that planning works on: links, readings, the profile's rules, operations, notes and the plan.

Nothing here does I/O. A *reading* is what one side says about one contact: `Present`, `Absent`, or not there at all,
which means *unchanged* and can never be mistaken for *deleted* (R25).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from shared.cards.model import BcContact, Card, Field, Origin, OutlookContact, Stamp
from shared.cards.translate import NO_COUNTRIES, Countries
from shared.filters import Filter
from shared.planning.erased import NOBODY, Erased


class Side(StrEnum):
    """One of the two services."""

    BC = "bc"
    OUTLOOK = "outlook"


class Direction(StrEnum):
    """Which way changes travel (R37)."""

    BOTH = "both"
    TO_OUTLOOK = "toOutlook"


class OnBcDelete(StrEnum):
    """R21."""

    REMOVE = "remove"
    KEEP = "keep"


class OnOutOfScope(StrEnum):
    """R22."""

    REMOVE = "remove"
    KEEP = "keep"


class OnOutlookDelete(StrEnum):
    """R23."""

    RESTORE = "restore"
    HIDE = "hide"
    DELETE = "delete"


class CompanyFromOutlook(StrEnum):
    """R18."""

    FILL = "fill"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Policies:
    """A profile's choices."""

    on_bc_delete: OnBcDelete = OnBcDelete.REMOVE
    on_out_of_scope: OnOutOfScope = OnOutOfScope.REMOVE
    on_outlook_delete: OnOutlookDelete = OnOutlookDelete.RESTORE
    company_from_outlook: CompanyFromOutlook = CompanyFromOutlook.FILL


@dataclass(frozen=True, slots=True)
class Swing:
    """A field that we wrote lately, to notice somebody who sets it back again and again (R38)."""

    field: Field
    side: Side  #: that we wrote
    before: str  #: the value there before our write
    at: datetime | None  #: when we wrote; None once its being set back was counted
    times: tuple[datetime, ...] = ()  #: when it was set back, oldest first


@dataclass(frozen=True, slots=True)
class Pause:
    """A field of a pair that travels neither way until a person resumes it or a third value appears (R38)."""

    field: Field
    values: tuple[str, str]  #: the two values between which it went to and fro, in Outlook's terms


@dataclass(frozen=True, slots=True)
class Link:
    """The pairing of one BC contact with one Outlook contact in one profile, with the base of each side (R6, R16)."""

    bc_id: str
    outlook_id: str
    base_bc: Card
    base_outlook: Card
    origin: Origin = Origin.SYNC
    left: frozenset[Field] = frozenset()  #: fields where Outlook was left different (R17, R18, R19, R37)
    stamped: bool = True  #: whether the Outlook contact is known to carry our stamp (R9)
    swings: tuple[Swing, ...] = ()
    paused: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class Parked:
    """An Outlook contact of the folder that is known and has no link."""

    outlook_id: str
    reason: str  #: the note's code: incomplete, private, duplicate, kept, already-yours, not-sent, foreign-stamp, ...
    email_keys: tuple[str, ...] = ()  #: for first matches later, without reading the folder (R7)
    bc_id: str = ""  #: for `kept`: the BC contact that it belonged to (R21, R22); for `copy`: that it is a copy of (R9)
    was: str = ""  #: for `undone`: what it looked like, as `looks`; it stays away from BC until that changes (R36)

    @property
    def keys(self) -> tuple[str, ...]:
        """What it is found by: its e-mail keys, and its BC contact's id, whose address may be another by now (R6)."""
        return (*self.email_keys, self.bc_id) if self.bc_id else self.email_keys


@dataclass(frozen=True, slots=True)
class Present:
    """The contact is there, and this is what it looks like."""

    contact: BcContact


@dataclass(frozen=True, slots=True)
class Shown:
    """The Outlook contact is in the folder, and this is what it looks like."""

    contact: OutlookContact


@dataclass(frozen=True, slots=True)
class Absent:
    """The service says, for this contact, that it is not there (R25)."""

    moved: bool = False  #: Outlook only: it still exists in another folder (R23)


ABSENT = Absent()
type BcReading = Present | Absent
type OutlookReading = Shown | Absent


class ScopeReason(StrEnum):
    """Why a BC contact is or is not in scope (R1, R22)."""

    IN_SCOPE = "in-scope"
    ERASED = "erased"  #: nothing but the id is known of it (R39)
    NOT_A_PERSON = "not-a-person"
    NO_EMAIL = "no-email"
    PRIVACY_BLOCKED = "privacy-blocked"
    BASE_FILTER = "base-filter"  #: the company's filter excludes it
    FILTER = "filter"  #: the profile's filter excludes it


@dataclass(frozen=True, slots=True)
class Rules:
    """What a profile and its company demand, as far as planning needs it."""

    company_id: str
    environment: str
    filter: Filter
    base_filter: Filter
    policies: Policies = Policies()
    direction: Direction = Direction.BOTH
    main_folder: bool = False  #: the mailbox's main contacts folder (R27)
    category: str = "Business Central"
    excluded: frozenset[Field] = frozenset()
    limit_to: Filter | None = None  #: this run's own filter: only what matches both, nothing removed

    def stamp(self, bc_id: str, origin: Origin) -> Stamp:
        """Our mark in an Outlook contact (R9)."""
        return Stamp(bc_id, origin, self.environment, self.company_id)


@dataclass(frozen=True, slots=True)
class SwingLimits:
    """When a field is paused (R38)."""

    swing_times: int = 3  #: it was set back this often ...
    swing_hours: float = 24.0  #: ... in this time ...
    swing_minutes: float = 10.0  #: ... each time no later than this after our write

    @property
    def within(self) -> timedelta:
        """The time in which it counts."""
        return timedelta(hours=self.swing_hours)

    @property
    def soon(self) -> timedelta:
        """How long after our write it counts."""
        return timedelta(minutes=self.swing_minutes)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a plan is computed from."""

    rules: Rules
    full: bool
    links: Mapping[str, Link]  #: by BC id: the pairs concerned
    bc: Mapping[str, BcReading]  #: by BC id
    outlook: Mapping[str, OutlookReading]  #: by Outlook id
    parked: Mapping[str, Parked] = field(default_factory=dict)  #: by Outlook id: those read or matching by e-mail
    hidden: Mapping[str, str] = field(default_factory=dict)  #: BC id -> what it looked like when it was undone (R36)
    #: (see `looks`), blank where the user deleted it (R23)
    persons: Mapping[str, tuple[BcContact, ...]] = field(default_factory=dict)  #: by e-mail key, whole company (R7)
    companies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: name's matching key -> numbers (R18)
    countries: Countries = NO_COUNTRIES
    refused: Mapping[str, Mapping[Field, str]] = field(
        default_factory=dict
    )  #: BC id -> field -> why BC refused it (R17)
    folder_new: bool = False  #: the folder was made anew: nothing in it was deleted by the user (R27)
    linked_elsewhere: frozenset[str] = frozenset()  #: BC ids of `persons` that have a link not among `links`
    now: datetime | None = None  #: when this was read; None: nothing is counted that goes by time (R38)
    swing_limits: SwingLimits = SwingLimits()
    erased: Erased = NOBODY  #: who is not to come back (R39)


# ---------------------------------------------------------------- notes


class NoteKind(StrEnum):
    """What sort of remark it is."""

    SKIPPED = "skipped"  #: the contact was left as it is
    CONFLICT = "conflict"  #: a value lost; it stands in the note (R13)
    FIELD = "field"  #: one field does not travel
    FAILED = "failed"  #: an operation failed; it will be tried again (R31)


@dataclass(frozen=True, slots=True)
class Note:
    """A remark about one contact in a run's report (R35)."""

    kind: NoteKind
    code: str
    reason: str  #: in words, for the user
    bc_id: str = ""
    outlook_id: str = ""
    name: str = ""
    email: str = ""
    field: str = ""
    value: str = ""  #: the value that lost or was left


# ---------------------------------------------------------------- operations


class Cause(StrEnum):
    """What happened in the world that an operation answers."""

    NEW_IN_BC = "new-in-bc"  #: came into scope in BC
    NEW_IN_OUTLOOK = "new-in-outlook"  #: a user created it in the folder
    FIRST_MATCH = "first-match"  #: two unlinked contacts are the same person (R7, R8)
    CHANGED_IN_BC = "changed-in-bc"
    CHANGED_IN_OUTLOOK = "changed-in-outlook"
    CHANGED_ON_BOTH = "changed-on-both"
    DELETED_IN_BC = "deleted-in-bc"  #: R21
    LEFT_SCOPE = "left-scope"  #: R22: filter, e-mail, type
    PRIVACY_BLOCKED = "privacy-blocked"  #: R22: never held
    DELETED_IN_OUTLOOK = "deleted-in-outlook"  #: R23
    ERASED = "erased"  #: R39: removed for good; never held
    REPAIR = "repair"  #: a stamp was missing, or a full run puts BC's value back (R37)


@dataclass(frozen=True, slots=True)
class Create:
    """Create a contact on one side from the other; afterwards they are linked.

    On `Side.OUTLOOK`, `bc` is the source and `replaces` the Outlook id of the contact that it stands in for (R23).
    On `Side.BC`, `outlook` is the source and `company_number` the company to link (R18).
    """

    side: Side
    cause: Cause
    values: Mapping[Field, str]  #: in the terms of the side that is written
    origin: Origin
    bc: BcContact | None = None
    outlook: OutlookContact | None = None
    company_number: str = ""
    replaces: str = ""
    left: frozenset[Field] = frozenset()


@dataclass(frozen=True, slots=True)
class Write:
    """Write the fields in `values` to one side of a pair, in that side's terms.

    For `Side.BC`, `link` is the pair as recorded so far, and the Outlook side is planned again on what BC returns
    (R16, R22). For `Side.OUTLOOK`, `link` is the pair as it will be recorded, but for what the service returns.
    """

    side: Side
    cause: Cause
    link: Link
    bc: BcContact
    outlook: OutlookContact
    values: Mapping[Field, str]
    name_parts: tuple[str, str, str] | None = None
    company_number: str | None = None
    stamp: bool = False
    new_link: bool = False  #: a first match: no link was recorded before


@dataclass(frozen=True, slots=True)
class Record:
    """Nothing to write on either side; remember the new base, or a new link (R7, R15)."""

    link: Link
    cause: Cause
    new_link: bool = False


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove the contact on one side; its link ends. `take_off` only takes our marks off (R27)."""

    side: Side
    cause: Cause
    bc_id: str
    outlook_id: str
    name: str = ""
    bc: BcContact | None = None
    outlook: OutlookContact | None = None
    take_off: bool = False
    linked: bool = True


@dataclass(frozen=True, slots=True)
class Unlink:
    """The link ends and both contacts stay (kept, private, both gone). `park` remembers the Outlook contact."""

    bc_id: str
    outlook_id: str
    park: Parked | None = None
    hide: bool = False  #: R23: stays away from this user until somebody un-hides it


@dataclass(frozen=True, slots=True)
class Park:
    """An unlinked Outlook contact stays as it is; remember it, so that the folder need not be read (R2, R7)."""

    parked: Parked


@dataclass(frozen=True, slots=True)
class Unpark:
    """A parked Outlook contact is gone or linked now."""

    outlook_id: str


type Operation = Create | Write | Record | Remove | Unlink | Park | Unpark


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do, in order, and what it has to say."""

    operations: tuple[Operation, ...]
    notes: tuple[Note, ...]
    unchanged: int = 0  #: contacts looked at that need nothing
    unhide: frozenset[str] = frozenset()  #: BC ids whose contact the user brought back
