"""Which parked contacts may be the same person as a BC contact that comes into scope (R7, R21, R22). Pure."""

from collections import defaultdict
from collections.abc import Iterable

from shared.cards import emails
from shared.cards.model import BcContact
from shared.planning.model import Parked


class ParkedByClue:
    """Parked contacts by what they are found by, so that a first sync does not try every pair."""

    def __init__(self, parked: Iterable[Parked]) -> None:
        """A clue is a BC id or a matching key, which holds an "@": they cannot be mixed up."""
        self._by_clue: dict[str, list[Parked]] = defaultdict(list)
        for each in parked:
            for clue in each.keys:
                self._by_clue[clue].append(each)

    def of(self, contact: BcContact) -> list[Parked]:
        """Its own kept contact first, then others with its e-mail address, in a fixed order."""
        clues = filter(None, (contact.id, emails.key_of(contact.card.email)))
        found = {each.outlook_id: each for clue in clues for each in self._by_clue.get(clue, ())}
        return sorted(
            found.values(), key=lambda each: (each.bc_id != contact.id, each.reason == "untagged", each.outlook_id)
        )
