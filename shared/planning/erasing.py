"""What is left of journal and reports when somebody is erased or privacy blocked (R39). Pure."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace

from shared.planning.erased import NOBODY, Erased
from shared.planning.journalled import Entry, card_of
from shared.planning.model import Link, Note, Parked


@dataclass(slots=True)
class Traces:
    """By what these persons are recognised in one mailbox: grows while it is looked through.

    An address alone does not tell that a BC contact is one of them: somebody else may have had it once. Those are
    `suspects` until the caller says who of them lives.
    """

    erased: Erased = NOBODY
    outlook_ids: set[str] = field(default_factory=set)  #: of their contacts
    bc_ids: set[str] = field(default_factory=set)  #: found by their addresses
    addresses: set[str] = field(default_factory=set)  #: e-mail fields of what was theirs
    suspects: dict[str, set[str]] = field(default_factory=dict)  #: BC id -> Outlook ids
    words: str = "The contact was erased."  #: what a note about them says from then on
    by_bc_id_first: bool = False  #: what names another BC contact is not theirs, whatever the Outlook contact once was

    def learn_link(self, link: Link) -> None:
        """A link may be theirs."""
        addresses = {link.base_bc.email, link.base_outlook.email} - {""}
        self._learn(link.bc_id, link.outlook_id, addresses)

    def learn_entries(self, entries: Iterable[Entry]) -> None:
        """Entries of the journal tell further ids and addresses."""
        for entry in entries:
            self._learn(entry.bc_id, entry.outlook_id, _addresses(entry))

    def clear(self, living: Set[str]) -> None:
        """Of the suspects these are others; the rest is gone from Business Central and was meant by the address."""
        for bc_id, outlook_ids in self.suspects.items():
            if bc_id not in living:
                self.bc_ids.add(bc_id)
                self.outlook_ids |= outlook_ids
        self.suspects.clear()

    def _learn(self, bc_id: str, outlook_id: str, addresses: set[str]) -> None:
        by_address = any(self.erased.has_first(each) for each in addresses)
        if self.knows(bc_id, outlook_id) or (by_address and not bc_id):
            self.bc_ids |= {bc_id} - {""}
            self.outlook_ids |= {outlook_id} - {""}
            self.addresses |= addresses
        elif by_address:
            self.suspects.setdefault(bc_id, set()).update({outlook_id} - {""})

    def is_theirs(self, parked: Parked) -> bool:
        """A parked contact: by the BC contact that it belonged to, or an address."""
        return parked.bc_id in self.erased or self.erased.any_of(parked.email_keys)

    def without(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """Entries without what was theirs: that a contact was written stays, by its BC id; not what."""
        left: list[Entry] = []
        for entry in entries:
            if not self._names(entry):
                left.append(entry)
            elif entry.bc_id:
                left.append(replace(entry, before={}, after={}))
        return tuple(left)

    def clean_note(self, note: Note) -> Note:
        """A note about them says only that there was one."""
        theirs = self.knows(note.bc_id, note.outlook_id) or self.erased.has_first(note.email)
        return Note(note.kind, note.code, self.words, bc_id=note.bc_id) if theirs else note

    def clean_plan(self, plan: Iterable[Mapping[str, object]]) -> tuple[Mapping[str, object], ...]:
        """A preview's operations without theirs."""
        return tuple(each for each in plan if not self._is_planned(each))

    def _is_planned(self, described: Mapping[str, object]) -> bool:
        fields = described.get("fields")
        values = [str(each) for one in fields if isinstance(one, Mapping) for each in one.values()] if isinstance(
            fields, list | tuple
        ) else []  # fmt: skip
        ids = (str(described.get("bcId", "")), str(described.get("outlookId", "")))
        return self.knows(*ids) or any(self.erased.has_first(each) for each in values)

    def _names(self, entry: Entry) -> bool:
        by_address = any(self.erased.has_first(each) for each in _addresses(entry))
        return by_address or self.knows(entry.bc_id, entry.outlook_id)

    def knows(self, bc_id: str, outlook_id: str) -> bool:
        """Whether one of the ids is theirs."""
        if self.by_bc_id_first and bc_id:
            return bc_id in self.bc_ids
        return bc_id in self.bc_ids or bc_id in self.erased or outlook_id in self.outlook_ids


def holds_none(contacts: Iterable[str], theirs: Set[str], erased: Erased) -> tuple[str, ...]:
    """The contacts of a hold without theirs."""
    return tuple(each for each in contacts if each not in theirs and each not in erased)


def _addresses(entry: Entry) -> set[str]:
    return {card_of(each).email for each in (entry.before, entry.after)} - {""}
