"""Pairs and newcomers of which a run has read one side get the other, where the plan can come to a write (R14)."""

from shared.cards import emails
from shared.engine.readings import Readings
from shared.planning.model import Absent, BcReading, Link, Present, Rules, Shown
from shared.planning.scope import belongs


def complete_pairs(readings: Readings) -> None:
    """Each pair with one reading gets the other, where the plan can come to a write."""
    _copies(readings)
    _stamped(readings)
    readings.snapshot([link.bc_id for link in readings.links.values() if link.outlook_id in readings.shown])
    needed = [
        link.outlook_id
        for link in readings.links.values()
        if link.outlook_id not in readings.shown and _may_write(link, readings.bc.get(link.bc_id), readings.rules)
    ]
    readings.read_again(needed)


def complete_newcomers(readings: Readings) -> None:
    """Parked Outlook contacts that a BC newcomer may be (R7), or was, whatever its address is now (R22)."""
    keys = [
        each
        for key, reading in readings.bc.items()
        if key not in readings.links and isinstance(reading, Present)
        for each in (key, emails.key_of(reading.contact.card.email))
    ]
    if not keys or readings.extent.outlook_full:
        return
    found = readings.state.parked_by_keys([key for key in keys if key])
    readings.parked.update(found)
    readings.read_again([key for key in found if key not in readings.shown])


def look_for_our_own(readings: Readings) -> None:
    """Where no record is left, contacts of ours may lie that neither the folder's list nor its feed shows: they are
    looked for by their stamps before others are made beside them (R9)."""
    if not readings.chosen.forgotten:
        return
    shown = {
        each.contact.stamp.bc_id for each in readings.shown.values() if isinstance(each, Shown) and each.contact.stamp
    }
    new = [
        key
        for key, each in readings.bc.items()
        if isinstance(each, Present) and key not in readings.links and key not in shown
    ]
    for copies in readings.outlook.find_stamped(readings.folder_id, new).values() if new else ():
        readings.shown.update({each.id: Shown(each) for each in copies})


def ask_bc_before_deciding(readings: Readings) -> None:
    """Who is about to be created in Outlook, or created again, may have been blocked or deleted since the feed was
    read (R21, R22), and who is about to be removed may have come into scope, as of a new filter; a write to BC
    would notice, these would not."""
    gone = readings.gone()
    creating = [key for key, each in readings.bc.items() if isinstance(each, Present) and key not in readings.links]
    leaving = [
        key
        for key, link in readings.links.items()
        if key not in gone and _leaves(link, readings.bc.get(key), readings.rules)
    ]
    asked = [*creating, *(key for key in gone if isinstance(readings.bc.get(key), Present)), *leaving]
    readings.ask_bc(asked)
    for key in asked:
        if key in readings.unanswered:  # kept for retry (R31); until then nothing is decided about it
            del readings.bc[key]
            readings.shown.pop(readings.links[key].outlook_id if key in readings.links else "", None)


def _copies(readings: Readings) -> None:
    """Copies of a linked contact that is gone, and those kept of an earlier link: the oldest is to take its place,
    so that none is made beside it (R9). Copies of one that goes because of its BC contact go with it (R14)."""
    if readings.extent.outlook_full:
        return
    gone = readings.gone()
    leaving = {key for key, link in readings.links.items() if _goes(link, readings.bc.get(key), readings.rules)}
    if not gone | leaving:
        return
    found = readings.state.parked_by_keys(sorted(gone | leaving))
    of = {"copy": gone | leaving, "kept": gone}
    copies = {key: each for key, each in found.items() if each.bc_id in of.get(each.reason, ())}
    readings.parked.update(copies)
    readings.read_again([key for key in copies if key not in readings.shown])


def _stamped(readings: Readings) -> None:
    """Unlinked contacts that carry our stamp: their BC contact, and the link that it may have (R9)."""
    bc_ids = [
        contact.stamp.bc_id for contact in readings.unlinked() if contact.stamp is not None and contact.stamp.bc_id
    ]
    if bc_ids:
        readings.links.update(readings.state.links_by_bc([key for key in bc_ids if key not in readings.links]))
        readings.snapshot(bc_ids)


def _leaves(link: Link, reading: BcReading | None, rules: Rules) -> bool:
    return isinstance(reading, Present) and not belongs(reading.contact, rules, link.origin)


def _goes(link: Link, reading: BcReading | None, rules: Rules) -> bool:
    return isinstance(reading, Absent) or _leaves(link, reading, rules)


def _may_write(link: Link, reading: BcReading | None, rules: Rules) -> bool:
    match reading:
        case None:
            return False
        case Absent():
            return True
        case Present(contact):
            return contact.card != link.base_bc or not link.stamped or _leaves(link, reading, rules)
