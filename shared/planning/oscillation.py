"""Fields that somebody sets back again and again after we wrote them (R38). Pure.

A BC extension or an Outlook add-in that insists on its value would otherwise be answered for ever. The link remembers,
for a while, what stood there before our latest write of each field, and when it was set back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from shared.cards.model import BcContact, Field
from shared.planning.model import Link, Side, Swing, SwingLimits


def remembered(
    swings: Iterable[Swing], side: Side, before: Mapping[Field, str], at: datetime, limits: SwingLimits
) -> tuple[Swing, ...]:
    """After a write: the values that stood there before it, and no longer what nobody will ask for."""
    known = {(each.field, each.side): each for each in swings}
    for which, value in before.items():
        times = known[which, side].times if (which, side) in known else ()
        known[which, side] = Swing(which, side, value, at, times)
    recent = (replace(each, times=_recent(each.times, at, limits)) for each in known.values())
    return tuple(each for each in recent if each.times or (each.at is not None and at - each.at <= limits.soon))


def counted(swing: Swing, seen: datetime, limits: SwingLimits) -> Swing:
    """The value from before our write is there again: counted once a write, if it came soon after it."""
    if swing.at is None or seen - swing.at > limits.soon:
        return swing
    return replace(swing, at=None, times=(*_recent(swing.times, seen, limits), seen))


def set_back_at(side: Side, bc: BcContact, now: datetime) -> datetime:
    """When the value was set back: as BC says, which may be read long after; in Outlook when it was read."""
    if side is Side.OUTLOOK or not bc.modified:
        return now
    return min(now, datetime.fromisoformat(bc.modified))


def resumed(link: Link) -> Link:
    """All of a pair's fields travel again, and are counted anew."""
    fields = {each.field for each in link.paused}
    return replace(link, paused=(), swings=tuple(each for each in link.swings if each.field not in fields))


def _recent(times: Iterable[datetime], now: datetime, limits: SwingLimits) -> tuple[datetime, ...]:
    return tuple(each for each in times if now - each <= limits.within)
