"""What a pair's link looks like after a write: the value that a service returned becomes that side's base (R16)."""

from dataclasses import replace
from datetime import datetime

from shared.cards.model import FIELDS, BcContact, Card, Field, OutlookContact
from shared.cards.names import one_name, parts_fit
from shared.planning.model import Create, Link, Side, SwingLimits, Write
from shared.planning.oscillation import remembered


def after_outlook_write(write: Write, returned: OutlookContact, at: datetime, limits: SwingLimits) -> Link:
    """Only written fields take the returned value: what a user edited meanwhile in others must still be noticed."""
    base = write.outlook.card.with_values({which: returned.card.get(which) for which in write.values})
    if Field.NAME in write.values:
        base = _with_parts(base, returned.card)
    before = {which: _shown(write.outlook.card, which) for which in write.values if _differs(write, returned, which)}
    swings = remembered(write.link.swings, Side.OUTLOOK, before, at, limits)
    return replace(write.link, base_outlook=base, stamped=write.link.stamped or write.stamp, swings=swings)


def after_outlook_create(create: Create, returned: OutlookContact) -> Link:
    """The new pair of a contact that was created in Outlook."""
    assert create.bc is not None  # noqa: S101 - a Create on Outlook has a source
    return Link(
        create.bc.id, returned.id, create.bc.card, returned.card, create.origin, left=frozenset(), stamped=True
    )  # fmt: skip


def after_bc_write(write: Write, returned: BcContact, at: datetime, limits: SwingLimits) -> Link:
    """The pair between the two halves of its writing: BC is written, Outlook still to be planned again.

    - fields that travelled: both bases are what the sides hold now;
    - fields that BC changed by itself: filled blanks stay a change in BC and travel to Outlook, other side effects
      become BC's base and do not travel back (R16);
    - everything else keeps its base, so that planning again finds it as it was.
    """
    travelled = set(write.values) | ({Field.COMPANY} if write.company_number is not None else set())
    base_bc, base_outlook = write.link.base_bc, write.link.base_outlook
    bc_values: dict[Field, str] = {}
    for which in FIELDS:
        before, after, base = write.bc.card.get(which), returned.card.get(which), base_bc.get(which)
        overwritten = before == base and before and after != before
        if which in travelled or overwritten:
            bc_values[which] = after
    base_outlook = base_outlook.with_values({which: write.outlook.card.get(which) for which in travelled})
    if Field.NAME in travelled:
        base_outlook = _with_parts(base_outlook, write.outlook.card)
        if write.outlook.card.name != returned.card.name or not parts_fit(write.outlook.card, returned.card.name):
            del bc_values[Field.NAME]  # still a change in BC: Outlook's display name or parts are to follow (R20)
    replaced = {
        which: write.bc.card.get(which) for which in travelled if write.bc.card.get(which) != returned.card.get(which)
    }
    swings = remembered(write.link.swings, Side.BC, replaced, at, limits)
    return replace(write.link, base_bc=base_bc.with_values(bc_values), base_outlook=base_outlook, swings=swings)


def after_bc_create(create: Create, returned: BcContact) -> Link:
    """The pair of a contact that was created in BC; what BC filled in by itself is a change in BC (R16)."""
    assert create.outlook is not None  # noqa: S101 - a Create on BC has a source
    sent = set(create.values) | ({Field.COMPANY} if create.company_number else set())
    filled = {which: "" for which in FIELDS if which not in sent and returned.card.get(which)}
    return Link(
        returned.id,
        create.outlook.id,
        returned.card.with_values(filled),
        create.outlook.card,
        create.origin,
        create.left,
        stamped=False,
    )


def _shown(card: Card, which: Field) -> str:
    """What counts as the value in Outlook: the name in whole or in parts (R20)."""
    return one_name(card) if which is Field.NAME else card.get(which)


def _differs(write: Write, returned: OutlookContact, which: Field) -> bool:
    return _shown(write.outlook.card, which) != _shown(returned.card, which)


def _with_parts(card: Card, source: Card) -> Card:
    return card._replace(given_name=source.given_name, middle_name=source.middle_name, surname=source.surname)
