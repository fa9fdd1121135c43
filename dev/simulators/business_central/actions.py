"""What the control interface can do: act as a BC user, as an administrator, and play tricks with time.

The typed client with the descriptions is `control.BusinessCentralControl`. `company` is an id or a name, and may be
left out while there is only one; a contact is named by its id or number.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any
from uuid import uuid4

from dev.simulators.business_central.automation import BcUser
from dev.simulators.business_central.company import Company, Country, PostCode
from dev.simulators.business_central.contact import NO_DATE, Contact, contact_json
from dev.simulators.business_central.environment import Environment, find_contact
from dev.simulators.business_central.errors import BcError
from dev.simulators.business_central.fields import RELATIONS
from dev.simulators.business_central.rules import split_name
from dev.simulators.business_central.seeding import made_up, seed
from dev.simulators.business_central.stamps import parse_stamp
from dev.simulators.business_central.switches import Switches
from dev.simulators.business_central.writes import change, create, delete, store
from dev.simulators.control import Action

_NAME_PARTS = {"firstName": "first_name", "middleName": "middle_name", "surname": "surname"}


class Actions:
    """The actions on one environment."""

    def __init__(self, environment: Environment) -> None:
        """Act on `environment`."""
        self._environment = environment

    def by_name(self) -> Mapping[str, Action]:
        """Return the actions by the names of the control interface."""
        names = (
            "companies", "add_company", "rename_company", "delete_company", "copy_company", "snapshot", "restore",
            "setup", "countries", "post_codes", "seed", "contacts", "contact", "create", "update", "delete",
            "set_relation", "set_facts", "set_stamp", "finish_uncommitted", "users", "switches", "limits", "reset",
        )  # fmt: skip
        return {name: _explained(getattr(self, name)) for name in names}

    # Companies

    def companies(self) -> list[dict[str, str]]:
        """List the companies."""
        every = self._environment.companies.values()
        return [{"id": one.id, "name": one.name, "displayName": one.display_name} for one in every]

    def add_company(self, name: str, display_name: str | None = None, id: str | None = None) -> str:  # noqa: A002
        """Add a company; returns its id."""
        return self._environment.add_company(name, display_name, id).id

    def rename_company(self, name: str, display_name: str | None = None, company: str | None = None) -> None:
        """Rename a company; its id stays."""
        found = self._company(company)
        if any(other.name == name and other is not found for other in self._environment.companies.values()):
            raise ValueError(f"the name {name!r} is taken")
        found.name, found.display_name = name, display_name or name
        found.modified = self._environment.now()

    def delete_company(self, company: str | None = None) -> None:
        """Delete a company with all it has."""
        del self._environment.companies[self._company(company).id]

    def copy_company(self, name: str, company: str | None = None) -> str:
        """Copy a company; returns the copy's id. Rows keep their stamps."""
        environment = self._environment
        environment.add_company(name)  # checks the name
        made = next(one for one in environment.companies.values() if one.name == name)
        copy = self._company(company, but=made).copy_to(name, environment.switches.copy_keeps_ids)
        del environment.companies[made.id]
        environment.companies[copy.id] = copy
        return copy.id

    def snapshot(self, company: str | None = None) -> str:
        """Keep the company as it is now; returns the snapshot's id."""
        return self._company(company).take_snapshot()

    def restore(self, snapshot: str, company: str | None = None) -> None:
        """Bring the company back to a snapshot."""
        self._company(company).restore(snapshot)

    def setup(self, company: str | None = None, **changes: Any) -> None:
        """Change settings of `company.Setup`."""
        self._company(company).setup.set(**changes)

    def countries(self, countries: Mapping[str, str], company: str | None = None) -> None:
        """Replace the company's countries: names by code."""
        now = self._environment.now()
        self._company(company).countries = {
            code.upper(): Country(str(uuid4()), code.upper(), name, modified=now) for code, name in countries.items()
        }

    def post_codes(self, entries: list[dict[str, str]], company: str | None = None) -> None:
        """Replace the company's Post Codes table: code, city, state, country."""
        self._company(company).post_codes = [PostCode(**entry) for entry in entries]

    # Contacts

    def seed(
        self,
        contacts: list[dict[str, Any]] | None = None,
        count: int = 0,
        companies: int = 0,
        stamp: str | None = None,
        company: str | None = None,
    ) -> int:
        """Put in the contacts given, or `count` made-up ones, `companies` of them companies."""
        now = parse_stamp(stamp) if stamp else self._environment.now()
        return seed(self._company(company), made_up(count, companies) if contacts is None else contacts, now)

    def contacts(self, company: str | None = None) -> list[dict[str, Any]]:
        """Return all contacts as the API would show them."""
        return [contact_json(contact) for contact in self._company(company).contacts]

    def contact(self, contact: str, company: str | None = None) -> dict[str, Any]:
        """Return one contact, with the name parts that the API does not show."""
        return _shown(find_contact(self._company(company), contact))

    def create(
        self,
        values: dict[str, Any],
        stamp: str | None = None,
        committed: bool = True,
        company: str | None = None,
    ) -> dict[str, Any]:
        """Create a contact as a user does; type Person unless said. `stamp`: written earlier, committed now."""
        found = self._company(company)
        within: AbstractContextManager[None] = nullcontext() if committed else found.uncommitted_transaction()
        with within:
            return _shown(create(found, self._user_switches(), {"type": "Person", **values}, self._now(stamp)))

    def update(
        self, contact: str, values: dict[str, Any], stamp: str | None = None, company: str | None = None
    ) -> dict[str, Any]:
        """Change a contact as a user does; firstName, middleName and surname rebuild the name."""
        found = self._company(company)
        old = find_contact(found, contact)
        parts = {_NAME_PARTS[name]: value for name, value in values.items() if name in _NAME_PARTS}
        rest = {name: value for name, value in values.items() if name not in _NAME_PARTS}
        with found.transaction():
            new = change(found, self._user_switches(), old, rest, self._now(stamp))
            if parts:
                before, new = new, _renamed(new, parts)
                store(found, before, new, self._now(stamp))
        return _shown(find_contact(found, old.id))

    def delete(self, contact: str, company: str | None = None) -> None:
        """Delete a contact as a user does."""
        found = self._company(company)
        delete(found, find_contact(found, contact))

    def set_relation(self, contact: str, relation: str, company: str | None = None) -> None:
        """Make a contact a customer, vendor ...: a member's name such as "Bank Account"."""
        if relation not in RELATIONS:
            raise ValueError(f"no relation {relation!r}; there are {RELATIONS}")
        self._put(contact, company, relation=relation)

    def set_facts(self, contact: str, company: str | None = None, **facts: Any) -> None:
        """Set what only BC knows: minor, parental_consent, busy (tasks, segments, opportunities), interaction_date."""
        changes: dict[str, Any] = {}
        for name, value in facts.items():
            match name:
                case "minor" | "parental_consent":
                    changes[name] = bool(value)
                    if name == "minor" and value:
                        changes["privacy_blocked"] = True
                case "busy":
                    changes["busy"] = frozenset(value)
                case "interaction_date":
                    changes["last_interaction_date"] = value or NO_DATE
                case _:
                    raise ValueError(f"no fact {name!r}")
        # The interaction's date is computed, and moves the tag without the stamp (reference 4).
        computed = {"last_interaction_date", "busy"}
        self._put(contact, company, stamped=not changes.keys() <= computed, **changes)

    def set_stamp(self, contacts: list[str], stamp: str, company: str | None = None) -> None:
        """Give contacts this stamp: ties, rows of an import, rows that a restore made older."""
        found = self._company(company)
        with found.transaction():
            for key in contacts:
                found.contacts.put(replace(find_contact(found, key), modified=parse_stamp(stamp)))

    def finish_uncommitted(self, commit: bool, company: str | None = None) -> None:
        """Commit the uncommitted contacts, or roll them back."""
        self._company(company).finish(commit)

    # The environment

    def users(self, users: list[dict[str, str]]) -> None:
        """Replace the users: rows of `automation.BcUser`."""
        self._environment.users = [BcUser(**each) for each in users]

    def switches(self, **changes: Any) -> dict[str, object]:
        """Change switches and return all."""
        self._environment.switches.set(**changes)
        return self._environment.switches.read()

    def limits(self, **changes: Any) -> dict[str, int]:
        """Change limits; returns the most requests that ran and waited at once."""
        limits = self._environment.limits
        limits.set(**changes)
        return {"most_running": limits.most_running, "most_waiting": limits.most_waiting}

    def reset(self) -> None:
        """Start afresh."""
        self._environment.reset()

    def _company(self, key: str | None, but: Company | None = None) -> Company:
        every = [one for one in self._environment.companies.values() if one is not but]
        found = [one for one in every if key is None or key in (one.id, one.name)]
        if len(found) != 1:
            raise LookupError(f"{key!r} names none or several of {[one.name for one in every]}")
        return found[0]

    def _now(self, stamp: str | None) -> int:
        return parse_stamp(stamp) if stamp else self._environment.now()

    def _user_switches(self) -> Switches:
        """A user in the client fills fields one after another, in the order given."""
        return replace(self._environment.switches, property_order="payload")

    def _put(self, contact: str, company: str | None, stamped: bool = True, **changes: Any) -> None:
        found = self._company(company)
        if stamped:
            changes["modified"] = self._environment.now()
        with found.transaction():
            found.contacts.put(replace(find_contact(found, contact), **changes))


def _explained(action: Action) -> Action:
    """Let what BC refuses a user come back as the reason."""

    def acting(**arguments: Any) -> Any:
        try:
            return action(**arguments)
        except BcError as refused:
            raise ValueError(str(refused)) from None

    return acting


def _shown(contact: Contact) -> dict[str, Any]:
    return contact_json(contact) | {name: getattr(contact, attribute) for name, attribute in _NAME_PARTS.items()}


def _renamed(contact: Contact, parts: dict[str, str]) -> Contact:
    """Rebuild the name from its parts, as the client does (2.3); the parts stay as they were typed."""
    changes: dict[str, Any] = dict(parts)
    new = replace(contact, **changes)
    name = " ".join(part for part in (new.first_name, new.middle_name, new.surname) if part)[:92]
    follows = contact.search_name in ("", contact.display_name.upper())
    new = replace(new, display_name=name, search_name=name.upper() if follows else contact.search_name)
    return new if new.type == "Person" else split_name(new)
