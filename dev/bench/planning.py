"""The line that plans: one pure call, in this process."""

import gc
import time
from collections.abc import Sequence
from dataclasses import replace

from dev.bench.figures import Figure, Start
from dev.simulators.business_central.seeding import made_up
from shared.cards.business_central import contact_from_values
from shared.cards.model import BcContact, Field, Origin, OutlookContact, Stamp
from shared.cards.names import split_name
from shared.cards.translate import countries_from, for_outlook
from shared.engine.model import CompanySettings, Profile
from shared.engine.rules_of import rules_of
from shared.planning.model import Inputs, Link, Present, Shown, Side, Write
from shared.planning.plan import make_plan

PAIRS = 50_000
EVERY = 100  #: one pair of so many is changed, on one side or the other
_COUNTRIES = countries_from({"GB": "Great Britain", "DE": "Germany", "DK": "Denmark", "US": "United States"})
_ROUNDS = 5


def plan(_: Start) -> Sequence[Figure]:
    """Plan a full run over linked pairs; the best of several rounds, since others only make it slower."""
    inputs = _inputs()
    times = []
    for _round in range(_ROUNDS):
        gc.collect()
        began = time.process_time()
        made = make_plan(inputs)
        times.append(time.process_time() - began)
    for side in Side:
        found = sum(isinstance(each, Write) and each.side is side for each in made.operations)
        if found != PAIRS // EVERY // 2:
            raise AssertionError(f"the plan writes {found} contacts in {side}")
    return [Figure("one core", min(times), 1, "s", 2)]


def _inputs() -> Inputs:
    profile = Profile("company", "user", "a@bench.example", "user", "a@bench.example")
    rules = rules_of(profile, CompanySettings("company"), "Production", "Business Central")
    links: dict[str, Link] = {}
    bc: dict[str, Present] = {}
    outlook: dict[str, Shown] = {}
    for number, values in enumerate(made_up(PAIRS)):
        person = contact_from_values(f"bc-{number}", "1", "2026-01-31T12:00:00Z", values)
        contact = _in_outlook(person, f"outlook-{number}")
        links[person.id] = Link(person.id, contact.id, person.card, contact.card)
        match number % (2 * EVERY):
            case 0:
                person = contact_from_values(person.id, "2", "2026-01-31T13:00:00Z", {**values, "jobTitle": "Chief"})
            case 100:
                contact = replace(contact, card=contact.card.with_values({Field.MOBILE: "+44 7"}))
        bc[person.id], outlook[contact.id] = Present(person), Shown(contact)
    return Inputs(rules, True, links, bc, outlook, countries=_COUNTRIES)


def _in_outlook(person: BcContact, contact_id: str) -> OutlookContact:
    values = {each: for_outlook(each, person.card.get(each), _COUNTRIES) for each in Field}
    given, middle, surname = split_name(person.card.name)
    card = person.card.with_values(values)._replace(given_name=given, middle_name=middle, surname=surname)
    stamp = Stamp(person.id, Origin.SYNC, "Production", "company")
    return OutlookContact(contact_id, "1", card, marks_known=True, stamp=stamp, categories=("Business Central",))
