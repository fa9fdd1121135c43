"""Whom an import is about, as its source says now: all of them or an exception, never a part (R25)."""

from collections.abc import Iterable, Mapping, Sequence

from shared.cards.normalise import email_key
from shared.engine.callers import is_object_id
from shared.engine.import_state import ImportOrder, SourceKind
from shared.engine.model import Profile
from shared.engine.services import Services
from shared.errors import SourceUnreadable
from shared.pace import Pace
from shared.planning.importing import Person, Unfit

MOST_PEOPLE = 20_000  #: of one source: their names fit into one report
NAMES_AT_ONCE = 200  #: looked up before the time is looked at


def people_of(services: Services, order: ImportOrder, profiles: Mapping[str, Profile], pace: Pace) -> list[Person]:
    """The people of the source. `profiles` of the company by user: whoever has one is not looked up by address again.

    Raises SourceUnreadable, CompanyUnavailable, RetryableError; then nothing is known.
    """
    found = _read(services, order, profiles, pace)
    if len(found) > MOST_PEOPLE:
        raise SourceUnreadable(
            f"The source has more than {MOST_PEOPLE:,} users. Import smaller groups one by one.", code="too-many-people"
        )
    return found


def _read(services: Services, order: ImportOrder, profiles: Mapping[str, Profile], pace: Pace) -> list[Person]:
    match order.source.kind:
        case SourceKind.GROUP:
            return list(services.directory(pace).members(order.source.group))
        case SourceKind.USERS:
            return _named(services, order.source.users, profiles, pace)
        case SourceKind.BC:
            return _of_bc(services, order.company_id, profiles, pace)


def _of_bc(services: Services, company_id: str, profiles: Mapping[str, Profile], pace: Pace) -> list[Person]:
    """Business Central's users, with the names that stand for %me."""
    users = services.business_central(pace).users(company_id)
    unfit = [
        Person("", each.address or each.name, each.unfit or Unfit.NO_ADDRESS)
        for each in users
        if each.unfit or "@" not in each.address
    ]
    names = {email_key(each.address): each for each in users if not each.unfit and "@" in each.address}
    found = _named(services, [each.address for each in names.values()], profiles, pace)
    return unfit + [
        Person(person.id, person.address, person.unfit, user.name)
        for person, user in zip(found, names.values(), strict=True)
    ]


def _named(services: Services, names: Sequence[str], profiles: Mapping[str, Profile], pace: Pace) -> list[Person]:
    """By address or object id, in their order. Who has a profile is known; the others are looked up."""
    by_address = {email_key(each.user_address): each for each in profiles.values() if each.user_address}

    def known(name: str) -> Person | None:
        profile = profiles.get(name.lower()) if is_object_id(name) else by_address.get(email_key(name))
        return None if profile is None else Person(profile.id, profile.user_address)

    there = {name: known(name) for name in names}
    looked_up = dict(_look_up(services, [name for name, person in there.items() if person is None], pace))
    return [person or looked_up[name] for name, person in there.items()]


def _look_up(services: Services, names: Sequence[str], pace: Pace) -> Iterable[tuple[str, Person]]:
    directory = services.directory(pace)
    for start in range(0, len(names), NAMES_AT_ONCE):
        batch = names[start : start + NAMES_AT_ONCE]
        yield from zip(batch, directory.find_all(batch), strict=True)
