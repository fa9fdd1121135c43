"""One name in BC, four properties in Outlook (R20): BC's splitting rule and back (BC reference 2.3)."""

from shared.cards.model import Card
from shared.cards.normalise import clean

PART_LENGTH = 30  #: BC cuts each part silently at this length


def split_name(name: str) -> tuple[str, str, str]:
    """(given, middle, surname) by BC's rule: last word surname, the one before it middle, the rest given."""
    words = [word for word in name.split(" ") if word]
    given, middle, surname = "", "", ""
    if len(words) == 1:
        given = words[0]
    elif len(words) == 2:
        given, surname = words
    elif words:
        given, middle, surname = " ".join(words[:-2]), words[-2], words[-1]
    return given[:PART_LENGTH], middle[:PART_LENGTH], surname[:PART_LENGTH]


def joined(given: str, middle: str, surname: str) -> str:
    """The three parts as one name."""
    return " ".join(part for part in (clean(given), clean(middle), clean(surname)) if part)


def parts_of(card: Card) -> tuple[str, str, str]:
    """The parts that Outlook holds."""
    return card.given_name, card.middle_name, card.surname


def one_name(card: Card) -> str:
    """The name of an Outlook contact that is seen for the first time: its display name, else its parts."""
    return card.name or joined(*parts_of(card))


def _is_regenerated(card: Card) -> bool:
    """Whether the display name is what the service makes by itself of the parts: "given surname" (Graph 1.4)."""
    return card.name in {joined(card.given_name, "", card.surname), joined(*parts_of(card))}


def edited_name(base: Card, now: Card) -> str | None:
    """The one name that an edit in Outlook amounts to, or None when the name did not change (R16, R20).

    Editing the parts in a way that leaves the joined name as it was is a corrected split, not a new name; a display
    name that the service made of unchanged parts is no edit either.
    """
    parts_changed = parts_of(base) != parts_of(now)
    name_changed = base.name != now.name
    if not parts_changed and not name_changed:
        return None
    joined_now, joined_base = joined(*parts_of(now)), joined(*parts_of(base))
    if name_changed and (not parts_changed or not _is_regenerated(now)):
        if not parts_changed and now.name and joined_now != now.name and _is_regenerated(now):
            return None  # the service dropped the middle name while something else was edited
        candidate = now.name or joined_now
    elif joined_now == joined_base and joined_now:
        return None  # the split was corrected, or the display name made anew of it
    else:
        candidate = joined_now or now.name
    return None if candidate == one_name(base) else candidate


def parts_fit(card: Card, name: str) -> bool:
    """Whether the parts that Outlook holds may stay beside this name: BC's own split, or a user's better one."""
    return parts_of(card) == split_name(name) or _words(joined(*parts_of(card))) == _words(name)


def _words(text: str) -> list[str]:
    return sorted(word for word in (each.strip(",;.").casefold() for each in text.split()) if word)
