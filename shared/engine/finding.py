"""Which mailboxes hold a person (R39), and which contacts of a company a caller means."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.cards import emails
from shared.cards.model import BcContact
from shared.cards.normalise import email_key
from shared.engine.callers import is_object_id
from shared.engine.model import Profile
from shared.engine.parallel import in_parallel
from shared.engine.services import Services
from shared.errors import RequestError


@dataclass(frozen=True, slots=True)
class Place:
    """A profile whose state holds a person."""

    profile: Profile
    folder_name: str
    linked: tuple[str, ...]  #: BC ids
    parked: tuple[str, ...]  #: reasons
    hidden: tuple[str, ...]  #: BC ids

    def __bool__(self) -> bool:
        """Whether it does."""
        return bool(self.linked or self.parked or self.hidden)


@dataclass(frozen=True, slots=True)
class Found:
    """Who was meant, and where they are."""

    contacts: tuple[BcContact, ...]  #: in Business Central, as it was last read
    places: tuple[Place, ...]


def contacts_meant(services: Services, company_id: str, wanted: str) -> Sequence[BcContact]:
    """By BC id, number or e-mail address, from the snapshot."""
    companies = services.companies
    if is_object_id(wanted):
        return list(companies.contacts(company_id, [wanted.lower()]).values())
    if "@" in wanted:
        address = email_key(wanted)
        if persons := companies.persons_with(company_id, [address]).get(address):
            return persons
        # others than persons, and second addresses, are not in the index
        return [each for each in companies.all_contacts(company_id) if address in emails.keys_of(each.text("email"))]
    number = wanted.upper()
    return [each for each in companies.all_contacts(company_id) if number and each.number.upper() == number]


def find(services: Services, company_id: str, contact: str) -> Found:
    """Find a person in Business Central and in all mailboxes. Raises RequestError `unknown-contact` (404)."""
    wanted = contact.strip()
    contacts = tuple(contacts_meant(services, company_id, wanted))
    ids = {each.id for each in contacts} | ({wanted.lower()} if is_object_id(wanted) else set())
    keys = {key for each in contacts for key in emails.keys_of(each.text("email"))}
    keys |= {email_key(wanted)} if "@" in wanted else set()
    profiles = list(services.profiles.in_company(company_id))
    places = in_parallel(lambda profile: _place(services, profile, ids, keys, gone=not contacts), profiles)
    found = Found(contacts, tuple(each for each in places if each))
    if not contacts and not found.places:
        raise RequestError(
            "No contact of the company, as it was last read, and no mailbox has this id, number or e-mail address. Who "
            "is privacy blocked is known by id or number only; who was just made in Business Central is known after "
            "the next sync. Somebody who is gone from both may still be named in reports and journals: erase by e-mail "
            "address takes that away too.",
            code="unknown-contact",
            status=404,
            field="contact",
        )
    return found


def _place(services: Services, profile: Profile, ids: set[str], keys: set[str], *, gone: bool) -> Place:
    state = services.mailboxes.peek(profile.mailbox_id, profile.company_id, profile.id)
    linked = set(state.links_by_bc(ids))
    if gone and keys:  # who is gone from Business Central is known to links by what they last agreed on
        linked |= {
            link.bc_id
            for link in state.all_links()
            if keys & {*emails.keys_of(link.base_bc.email), *emails.keys_of(link.base_outlook.email)}
        }
    parked = sorted({each.reason for each in state.parked_by_keys({*ids, *keys}).values()})
    hidden = sorted(ids & set(state.hidden()))
    return Place(profile, state.positions().folder_name, tuple(sorted(linked)), tuple(parked), tuple(hidden))
