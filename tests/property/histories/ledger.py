"""What people did: what they typed, and what gives the engine a cause to remove somebody."""

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class Typed:
    """Something a person typed, recognisable wherever it turns up."""

    token: str
    let_go: bool = False  #: a person replaced or deleted it, or it belongs to a blocked or erased person (R39)


@dataclass
class Ledger:
    """What people typed."""

    typed: list[Typed] = field(default_factory=list)

    def new(self, text: bool) -> str:
        """A value that nobody typed before."""
        number = len(self.typed) + 1
        token = f"A{number:05d}" if text else f"{number:09d}"
        self.typed.append(Typed(token))
        return token

    def let_go(self, values: object) -> None:
        """A person saw these values and replaced or deleted them."""
        text = str(values)
        for each in self.typed:
            if each.token in text:
                each.let_go = True

    def tokens_in(self, *things: object) -> set[str]:
        """What was typed of all that stands in these."""
        text = "\n".join(str(each) for each in things)
        return {each.token for each in self.typed if each.token in text}


BLOCKED, NO_PERSON, NO_EMAIL, FILTER = "blocked", "no-person", "no-email", "filter"


@dataclass
class Causes:
    """Why somebody may go. A cause counts until an undisturbed run of the profile has seen what came after it."""

    gone: set[str] = field(default_factory=set)  #: BC ids that exist no more
    #: (user, BC id) -> why the contact was out of the user's scope at some time
    left: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    undone: set[str] = field(default_factory=set)  #: BC and Outlook ids of contacts that an undone run had written to
    #: (user, BC id) of linked contacts that the user deleted, or moved out of the folder
    thrown_away: set[tuple[str, str]] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)  #: BC and Outlook ids of the erased (R39)
    erased_addresses: set[str] = field(default_factory=set)  #: e-mail keys that they were known by
