"""Who is added, left out, enabled again and disabled when an import meets its source, and what is held. Pure.

Whoever the source names and could be synced is *here*. A profile that the import made is its own; others are never
touched, but for those that another import disabled as a leaver, when the user is here.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.planning.guards import WAITS, SafetyLimits, too_many_removals

LEAVERS, REMOVALS = "leavers", "removals"  #: kinds of what is held


class Unfit(StrEnum):
    """Why somebody is left out (docs/notes.md)."""

    GUEST = "guest"
    DISABLED = "account-disabled"
    ROOM = "room"
    SHARED = "shared-mailbox"
    NO_MAILBOX = "no-mailbox"
    NO_PERMISSION = "no-permission"
    UNKNOWN = "unknown-user"
    AMBIGUOUS = "ambiguous-user"
    NO_ADDRESS = "no-address"
    BC_DISABLED = "bc-disabled"
    BC_APPLICATION = "bc-application"
    LATER = "not-now"  #: the service gave no answer about this user


NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom a source names."""

    id: str  #: Entra object id; blank when the directory knows nobody of that name
    address: str = ""
    unfit: Unfit | None = None  #: why nothing can be synced; None as far as can be told without the mailbox
    bc_user_name: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A profile of the company, as an import sees it."""

    id: str
    enabled: bool = True
    mine: bool = False  #: this import made it
    left: bool = False  #: an import, whichever, disabled it as a leaver


@dataclass(frozen=True, slots=True)
class LeaverLimits:
    """When disabling is held: more than so many and more than this share of the import's profiles."""

    leavers_count: int = 10
    leavers_share: float = 0.20


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done. Ids are those of users, each in one of the places at most."""

    join: tuple[Person, ...] = ()  #: get a profile, if their mailbox can be used
    back: tuple[str, ...] = ()  #: left once and are here again: enabled
    kept: tuple[str, ...] = ()  #: here, and have a profile already: it stays as it is
    left_out: tuple[Person, ...] = ()
    leave: tuple[str, ...] = ()  #: disabled now
    held: tuple[str, ...] = ()  #: would be disabled, but wait for a person's approval
    limit: str = ""  #: in words: why they are held
    gone: tuple[str, ...] = ()  #: left at an earlier time and are still not here
    is_empty: bool = False  #: nobody is here: nothing is changed


def decide(
    people: Sequence[Person],
    known: Collection[Known],
    limits: LeaverLimits,
    *,
    size: int,
    held_before: frozenset[str] = NOBODY,
    approved: frozenset[str] = NOBODY,
) -> Decision:
    """Compare a complete source with the company's profiles.

    `size`: how many enabled profiles the import had when the run began. `held_before`: whom an earlier run held, who
    stay held, however few they are by now, until a person approves them (R26); `approved`: whom a person approved.
    """
    left_out = tuple(_once(each for each in people if each.unfit))
    here = {each.id: each for each in people if not each.unfit}
    if not here:
        return Decision(left_out=left_out, is_empty=True)
    profiles = {each.id: each for each in known}
    left_out = tuple(each for each in left_out if each.id not in here)
    leavers = [each.id for each in known if each.mine and each.enabled and not each.left and each.id not in here]
    asked = [each for each in leavers if each not in approved]
    limit = _passed(len(asked), limits, size)
    held = asked if limit else [each for each in asked if each in held_before]
    return Decision(
        join=tuple(each for each in here.values() if each.id not in profiles),
        back=tuple(each for each in here if each in profiles and profiles[each].left),
        kept=tuple(each for each in here if each in profiles and not profiles[each].left),
        left_out=left_out,
        leave=tuple(each for each in leavers if each not in set(held)),
        held=tuple(held),
        limit=(limit or WAITS) if held else "",
        gone=tuple(each.id for each in known if each.mine and each.left and each.id not in here),
    )


def size_of(known: Collection[Known]) -> int:
    """How many profiles the share of leavers is counted against."""
    return sum(each.mine and each.enabled and not each.left for each in known)


def removal_limit(count: int, limits: SafetyLimits, *, waited: bool) -> str:
    """Why a leaver's contacts may not go unasked, in words; blank when they may. `count`: all contacts linked (R26)."""
    return too_many_removals(count, limits, count) or (WAITS if waited else "")


def _once(people: Iterable[Person]) -> Iterator[Person]:
    """Each user once; those whom the directory does not know by their address."""
    seen: set[str] = set()
    for each in people:
        key = each.id or each.address
        if key not in seen:
            seen.add(key)
            yield each


def _passed(count: int, limits: LeaverLimits, size: int) -> str:
    if count > limits.leavers_count and count > limits.leavers_share * size:
        share = f"{limits.leavers_share:.0%} of {size} profiles of the import"
        return f"more than {limits.leavers_count} and more than {share}"
    return ""
