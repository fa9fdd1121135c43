"""Who takes part in the story: a company's contacts, and three users who want different ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

type Contact = Mapping[str, Any]

_TOWNS = {
    "London": ("GB", "W1 3AL", "+44 20 7946"),
    "Leeds": ("GB", "LS1 4AP", "+44 113 496"),
    "Berlin": ("DE", "10115", "+49 30 2093"),
    "Copenhagen": ("DK", "1050", "+45 33 12"),
    "Chicago": ("US", "60632", "+1 312 555"),
}
_STREETS = ("High Street", "Station Road", "Mill Lane", "Queen Street", "Harbour Walk")

_COMPANIES = (
    ("KT100001", "Adatum Furniture Ltd", "London"),
    ("KT100002", "Trey Interiors Ltd", "Leeds"),
    ("KT100003", "Fabrikam GmbH", "Berlin"),
    ("KT100004", "Nordlys Design A/S", "Copenhagen"),
    ("KT100005", "Lakeside Supplies Inc", "Chicago"),
)
# name, job title, company (by its town), own town; the e-mail address is made from the name
_PERSONS = (
    ("Helen Ray", "Purchasing Manager", "London", "London"),
    ("David Hodgson", "Sales Manager", "London", "London"),
    ("Mary Anne Dempsey", "Buyer", "London", "London"),
    ("Oliver Lee", "Director", "London", "London"),
    ("Stephen Mew", "Engineer", "London", "Leeds"),
    ("Jane Clayton", "Assistant", "London", "Leeds"),
    ("Ravi Patel", "Buyer", "London", "Leeds"),
    ("Grace Hughes", "Accountant", "London", "Leeds"),
    ("Tom Ashworth", "Engineer", "Leeds", "Leeds"),
    ("Lucy Barker", "Sales Manager", "Leeds", "Leeds"),
    ("Peter Houston", "Director", "Leeds", "Leeds"),
    ("Amy Recker", "Buyer", "Leeds", "Leeds"),
    ("Gordon Blake", "Fitter", "Leeds", "Leeds"),
    ("Nadia Khan", "Planner", "Leeds", "Leeds"),
    ("Walter Harp", "Fitter", "Leeds", "Leeds"),
    ("Eva Corets", "Designer", "Leeds", "Leeds"),
    ("Jürgen Großmann", "Managing Director", "Berlin", "Berlin"),
    ("Katrin Vogel", "Buyer", "Berlin", "Berlin"),
    ("Elif Yilmaz", "Sales Manager", "Berlin", "Berlin"),
    ("Hans-Peter Lind", "Engineer", "Berlin", "Berlin"),
    ("Marta Nowak", "Assistant", "Berlin", "Berlin"),
    ("Søren Holm", "Director", "Copenhagen", "Copenhagen"),
    ("Ida Krogh", "Designer", "Copenhagen", "Copenhagen"),
    ("Mads van der Berg", "Buyer", "Copenhagen", "Copenhagen"),
    ("Lærke Dahl", "Project Manager", "Copenhagen", "Copenhagen"),
    ("Frank Miller", "Purchasing Manager", "Chicago", "Chicago"),
    ("Anna Castro", "Buyer", "Chicago", "Chicago"),
    ("José Garcia", "Engineer", "Chicago", "Chicago"),
    ("Carla Jensen", "Assistant", "Chicago", "Chicago"),
    ("David Lee", "Fitter", "Chicago", "Chicago"),
    ("Robert Zare", "Driver", "Chicago", "Chicago"),
)
#: of a fair, imported later on
VISITORS = (
    *("Abby Lind", "Bo Carter", "Chris Doyle", "Dana Wells", "Ed Novak", "Faye Porter"),
    *("Gus Harper", "Hana Sato", "Ian Frost", "Joy Banks", "Kim Reyes", "Lou Marsh"),
)
_LETTERS = str.maketrans({"ü": "u", "ß": "ss", "ø": "o", "æ": "ae", "é": "e"})

#: The one without an address that BC accepts, and the one who must not be given away: neither is ever synced (R1).
NO_EMAIL = "Robert Zare"
BLOCKED = "David Lee"


def company_contacts() -> list[Contact]:
    """The contacts of Business Central, as the simulator takes them: companies first, then their persons."""
    made: list[Contact] = []
    numbers = {}
    for index, (number, name, town) in enumerate(_COMPANIES):
        numbers[town] = number
        made.append({"number": number, "type": "Company", "displayName": name, **_address(town, index)})
    for index, (name, job, company, town) in enumerate(_PERSONS):
        made.append(
            {
                "number": f"KT{200_001 + index}",
                "type": "Person",
                "displayName": name,
                "jobTitle": job,
                "companyNumber": numbers[company],
                "email": "" if name == NO_EMAIL else email_of(name),
                "privacyBlocked": name == BLOCKED,
                **_address(town, index + 7),
            }
        )
    return made


def visitors() -> list[Contact]:
    """Twelve more at Lakeside Supplies, who come and go together."""
    return [
        {
            "displayName": name,
            "jobTitle": "Visitor",
            "companyNumber": "KT100005",
            "email": email_of(name),
            **_address("Chicago", index),
        }
        for index, name in enumerate(VISITORS)
    ]


def email_of(name: str) -> str:
    """The address of a person of this story."""
    return f"{name.lower().translate(_LETTERS).replace(' ', '.')}@trade.example"


@dataclass(frozen=True, slots=True)
class User:
    """One of those whose mailboxes are synced."""

    address: str
    name: str
    folder: str  #: as the profile names it; blank: nothing is said about the folder
    filter: Mapping[str, str]
    wants: Callable[[Contact], bool]  #: the filter, said independently of the app's filter language
    policies: Mapping[str, str]

    @property
    def place(self) -> str:
        """The folder as the mailbox's owner sees it: its name, or "contacts" for the main one."""
        return {"": "Business Central", "default": "contacts"}.get(self.folder, self.folder)


ADA = User(
    "ada@cronus.example", "Ada", "", {"country": "GB"},
    wants=lambda contact: contact["country"] == "GB",
    policies={},
)  # fmt: skip
BEN = User(
    "ben@cronus.example", "Ben", "Customers abroad", {"companyName": "Fabrikam*|Nordlys*|Lakeside*"},
    wants=lambda contact: contact["companyName"].startswith(("Fabrikam", "Nordlys", "Lakeside")),
    policies={"onOutlookDelete": "hide"},
)  # fmt: skip
CLEO = User(
    "cleo@cronus.example", "Cleo", "default", {"jobTitle": "@*manager*|@*director*"},
    wants=lambda contact: any(word in contact["jobTitle"].lower() for word in ("manager", "director")),
    policies={},
)  # fmt: skip
USERS = (ADA, BEN, CLEO)

#: What Cleo had in her main folder before; nobody may touch it (R27).
CLEOS_OWN: tuple[Contact, ...] = (
    {"displayName": "Mum", "givenName": "Mum", "mobilePhone": "+44 7700 900123"},
    {
        "displayName": "Lucy (tennis)",
        "givenName": "Lucy",
        "emailAddresses": [{"address": email_of("Lucy Barker"), "name": "Lucy"}],
        "personalNotes": "birthday in May",
    },
)


def _address(town: str, index: int) -> Contact:
    country, postcode, dial = _TOWNS[town]
    return {
        "addressLine1": f"{3 + index * 7 % 90} {_STREETS[index % len(_STREETS)]}",
        "city": town,
        "country": country,
        "postalCode": postcode,
        "phoneNumber": f"{dial} {1000 + index * 37}",
    }
