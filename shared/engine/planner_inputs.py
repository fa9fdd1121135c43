"""The planner's `Inputs`, out of what a run has read."""

from collections.abc import Mapping, Sequence

from shared.cards import emails
from shared.cards.business_central import if_blocked
from shared.cards.model import BcContact
from shared.cards.normalise import matching_key
from shared.cards.translate import NO_COUNTRIES, countries_from
from shared.engine.readings import Readings
from shared.planning.erased import NOBODY
from shared.planning.model import Absent, Direction, Inputs, Link, Rules


def inputs_of(readings: Readings) -> Inputs:
    """All of it; what only newcomers need is asked for only when there are some."""
    unlinked = readings.unlinked()
    keys = {key for contact in unlinked for key in emails.keys_of(contact.card.email)}
    company_id = readings.rules.company_id
    persons = _persons(readings, sorted(keys)) if keys else {}
    person_ids = [each.id for group in persons.values() for each in group if each.id not in readings.links]
    elsewhere = readings.state.links_by_bc(person_ids) if person_ids and not readings.extent.outlook_full else {}
    names = _company_names(readings)
    newcomers = bool(unlinked) or any(key not in readings.links for key in readings.bc)
    return Inputs(
        readings.rules,
        readings.extent.full_mode,
        readings.links,
        readings.bc,
        readings.shown,
        readings.parked,
        hidden=readings.state.hidden() if newcomers else {},
        persons=persons,
        companies=readings.companies.companies_named(company_id, names) if names else {},
        countries=countries_from(readings.companies.countries(company_id))
        if readings.shown or readings.bc
        else NO_COUNTRIES,
        linked_elsewhere=frozenset(elsewhere),
        folder_new=readings.chosen.is_new or readings.chosen.unread,
        now=readings.now,
        swing_limits=readings.swing_limits,
        erased=readings.companies.erased(company_id) if readings.feed.erased else NOBODY,
    )


def _persons(readings: Readings, keys: Sequence[str]) -> Mapping[str, tuple[BcContact, ...]]:
    """Who has these e-mail addresses (R7), by the snapshot; by BC itself where that may be too old to link by it,
    and where it cannot know, since the addresses of who is privacy blocked are not in it (R39)."""
    found = dict(readings.companies.persons_with(readings.rules.company_id, keys))
    if found and not readings.extent.feed_is_fresh:
        found = _still_theirs(readings, found)
    unknown = (
        [key for key in keys if key not in found] if readings.feed.blocked and _creates_in_bc(readings.rules) else []
    )
    for key, group in readings.company.find_persons(unknown).items() if unknown else ():
        if blocked := tuple(if_blocked(each) for each in group if each.privacy_blocked):
            found[key] = blocked
    return found


def _still_theirs(readings: Readings, found: Mapping[str, tuple[BcContact, ...]]) -> dict[str, tuple[BcContact, ...]]:
    now = readings.company.read(sorted({each.id for group in found.values() for each in group}))
    fresh: dict[str, tuple[BcContact, ...]] = {}
    for key, group in found.items():
        read = (now.get(each.id, each) for each in group)
        still = [each for each in read if each is not None and emails.key_of(each.text("email")) == key]
        fresh.update({key: tuple(still)} if still else {})
    return fresh


def _company_names(readings: Readings) -> list[str]:
    """Companies that Outlook contacts name and that may have to be looked up (R18)."""
    bases: Mapping[str, Link] = {link.outlook_id: link for link in readings.links.values()}
    names: set[str] = set()
    for key, reading in readings.shown.items():
        if isinstance(reading, Absent) or not reading.contact.card.company:
            continue
        link = bases.get(key)
        if link is None or link.left or link.base_outlook.company != reading.contact.card.company:
            names.add(matching_key(reading.contact.card.company))
    return sorted(names)


def _creates_in_bc(rules: Rules) -> bool:
    return rules.direction is Direction.BOTH and rules.limit_to is None
