"""One environment: its companies, its switches, and who may do what in it."""

import re
from asyncio import Lock
from typing import TYPE_CHECKING

from dev.simulators.business_central import errors
from dev.simulators.business_central.company import Company, Told
from dev.simulators.business_central.contact import Contact
from dev.simulators.business_central.limits import Limits
from dev.simulators.business_central.query import Walks
from dev.simulators.business_central.stamps import milliseconds
from dev.simulators.business_central.switches import Switches
from dev.simulators.business_central.table import ContactTable
from dev.simulators.clock import SimClock

if TYPE_CHECKING:
    from dev.simulators.business_central.automation import BcUser

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Environment:
    """An environment named Production with one company, CRONUS."""

    def __init__(self, clock: SimClock) -> None:
        """Stamps come from `clock`."""
        self._clock = clock
        self.name = "Production"
        self.tell: Told = lambda *_: None  #: hears of each commit in any company
        self.writing = Lock()  #: held by whoever writes, and by a batch that is one transaction
        self.reset()

    def reset(self) -> None:
        """Start afresh: the first company, empty; no switch or limit changed."""
        self.switches = Switches()
        self.limits = Limits(self._clock)
        self.walks = Walks()
        self.companies: dict[str, Company] = {}
        self.users: list[BcUser] = []
        self.add_company("CRONUS", "CRONUS International")

    def now(self) -> int:
        """Return the time as a stamp."""
        return milliseconds(self._clock.now())

    def add_company(self, name: str, display_name: str | None = None, id: str | None = None) -> Company:  # noqa: A002
        """Add a company; raises ValueError when the name or id is taken or no good."""
        if not 0 < len(name) <= 30 or any(company.name == name for company in self.companies.values()):
            raise ValueError(f"no company can be called {name!r}: 1 to 30 characters, and not taken")
        if id is not None and (id in self.companies or not is_guid(id)):
            raise ValueError(f"{id!r} is no free id")
        company = Company(name, display_name or name, self.now, id and id.lower())
        company.tell = lambda *told: self.tell(*told)
        self.companies[company.id] = company
        return company

    def company(self, key: str) -> Company:
        """Return a company by id, as URLs name it; raises BcError."""
        if not is_guid(key):
            raise errors.bad_key()
        company = self.companies.get(key.lower())
        if company is None:
            raise errors.no_company(self.switches.unknown_company_status)
        return company

    def readable(self, company: Company, primary: bool) -> ContactTable:
        """Return the contacts as a request may see them: the primary's, or the replica's (3.5)."""
        switches = self.switches
        if primary or switches.sandbox or not switches.replica:
            return company.contacts
        return company.replica(switches.replica_lag_ms)

    def permit(self, action: str) -> None:
        """Raise BcError unless the app's permission sets allow Read, Insert, Modify or Delete of contacts."""
        allowed = {"full": True, "read-only": action == "Read", "none": False}[self.switches.permissions]
        if not allowed:
            raise errors.no_permission(self.switches.permission_status, action)

    def missing_contact(self, target: str) -> errors.BcError:
        """Return the answer for an id that no contact has, in the variant that is switched on (7)."""
        match self.switches.unknown_contact:
            case "not-found":
                return errors.BcError(404, "Internal_RecordNotFound", "The Contact does not exist.")
            case "endpoint":
                return errors.no_endpoint(target)
            case "empty":
                return errors.BcError(404, "", "")
            case "segment":
                return errors.no_segment("contacts")


def is_guid(text: str) -> bool:
    """Tell whether a text is a GUID without braces."""
    return _GUID.fullmatch(text) is not None


def find_contact(company: Company, key: str) -> Contact:
    """Return a contact by id or number, for the control interface; raises LookupError."""
    contact = company.contacts.get(key.lower()) or company.contacts.by_number(key.upper())
    if contact is None:
        raise LookupError(f"no contact {key!r} in {company.name}")
    return contact
