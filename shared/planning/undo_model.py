"""The values that planning an undo works on (R36)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.cards.model import BcContact, Card, Field, OutlookContact
from shared.planning.journalled import Entry
from shared.planning.model import BcReading, Link, Note, OutlookReading, Rules, Side


@dataclass(frozen=True, slots=True)
class UndoInputs:
    """Everything that the plan of an undo is computed from."""

    rules: Rules
    entries: tuple[Entry, ...]  #: of the run, in the order in which it wrote
    links: Mapping[str, Link]  #: by BC id: those that either id of an entry has now
    bc: Mapping[str, BcReading]  #: by BC id: every contact that an entry or a link names
    outlook: Mapping[str, OutlookReading]  #: by Outlook id: likewise
    recreate: bool = False  #: whether contacts deleted in BC are put back there as new records
    copies: Mapping[str, tuple[OutlookContact, ...]] = field(default_factory=dict)  #: BC id -> contacts with its stamp
    persons: Mapping[str, tuple[BcContact, ...]] = field(default_factory=dict)  #: by e-mail key: who has it in BC now
    erased: frozenset[str] = frozenset()  #: ids of contacts that were erased (R39)


@dataclass(frozen=True, slots=True)
class PutBack:
    """Write the values of before to a contact that the run changed."""

    side: Side
    bc_id: str
    outlook_id: str
    values: Mapping[Field, str]
    name_parts: tuple[str, str, str] | None = None
    company_number: str | None = None
    bc: BcContact | None = None
    outlook: OutlookContact | None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """Nothing to write: the fields are back already, written by an attempt that died before it recorded that."""

    link: Link


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Remove a contact that the run created; on BC's side, the Outlook contact that it was made of stays, without our
    marks."""

    side: Side
    bc_id: str
    outlook_id: str
    bc: BcContact | None = None
    outlook: OutlookContact | None = None  #: None: gone already


@dataclass(frozen=True, slots=True)
class Restore:
    """Create a contact anew that the run removed; `found` is one that an earlier attempt has created already."""

    side: Side
    entry: Entry
    card: Card
    bc: BcContact | None = None  #: Outlook's side: the BC contact, if it is there
    outlook: OutlookContact | None = None  #: BC's side: the Outlook contact that it belonged to, if it is there
    in_scope: bool = False  #: Outlook's side: whether the pair is linked again; else it is kept as it is (R22)
    company_number: str = ""
    found: BcContact | OutlookContact | None = None


type UndoStep = PutBack | Settle | TakeBack | Restore


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What an undo will do, in order, and what it has to say."""

    steps: tuple[UndoStep, ...]
    notes: tuple[Note, ...]
