"""What people do in the story between two syncs, what must come of it, and why."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dev.demo.cast import ADA, BEN, CLEO, User, email_of
from dev.demo.facts import Facts, phone
from dev.system import System

NEWCOMER = "Ines Novak"  #: added by Ben in Outlook
CREATED = "Noor Haddad"  #: added in Business Central


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that somebody does. `came` looks at what came of it: a sentence, and whether it is as it must be."""

    who: str
    does: str
    act: Callable[[System, Facts], object]
    came: Callable[[Facts], tuple[str, bool]]
    why: str


def edits() -> list[Edit]:
    """All of them."""
    return [*_changes(), *_newcomers(), *_deletions()]


def _changes() -> list[Edit]:
    return [
        Edit(
            "BC / Ada",
            "Helen Ray: a new job title in BC, a new mobile number in Ada's Outlook",
            lambda system, facts: (
                _bc(system, facts, "Helen Ray", jobTitle="Senior Purchasing Manager"),
                _outlook(system, facts, ADA, "Helen Ray", mobilePhone="+44 7700 900777"),
            ),
            _helen,
            "different fields: both changes survive (R13); from BC they reach the others (R11)",
        ),
        Edit(
            "BC / Ada",
            "David Hodgson: the same phone number changed on both sides, differently",
            lambda system, facts: (
                _bc(system, facts, "David Hodgson", phoneNumber="+44 20 7946 1111"),
                _outlook(system, facts, ADA, "David Hodgson", businessPhones=["+44 20 7946 2222"]),
            ),
            _david,
            "the same field: BC wins, the value that lost stands in the notes (R13)",
        ),
        Edit(
            "BC / Ada",
            "Jane Clayton: a new job title in BC, a private note in Ada's Outlook",
            lambda system, facts: (
                _bc(system, facts, "Jane Clayton", jobTitle="Office Manager"),
                _outlook(system, facts, ADA, "Jane Clayton", personalNotes="likes dahlias", nickName="JC"),
            ),
            _jane,
            "what BC cannot hold is never touched (R12); she now matches Cleo's filter (R1)",
        ),
        Edit(
            "Cleo",
            "Elif Yilmaz: a new phone number in Cleo's Outlook",
            lambda system, facts: _outlook(system, facts, CLEO, "Elif Yilmaz", businessPhones=["+49 30 5550123"]),
            _elif,
            "an edit by one user reaches BC, and from there the other folders (R11)",
        ),
        Edit(
            "BC",
            "Oliver Lee moves to Copenhagen",
            lambda system, facts: _bc(system, facts, "Oliver Lee", country="DK", city="Copenhagen", postalCode="1050"),
            _oliver,
            "he left Ada's filter: removed from her folder, never from BC (R22)",
        ),
    ]


def _newcomers() -> list[Edit]:
    return [
        Edit(
            "Ben",
            f"{NEWCOMER}: a new contact in Ben's folder, company Fabrikam GmbH",
            lambda system, facts: system.simulators.graph.create_contact(
                BEN.address,
                {
                    "givenName": "Ines",
                    "surname": "Novak",
                    "displayName": NEWCOMER,
                    "jobTitle": "Sales Director",
                    "companyName": "Fabrikam GmbH",
                    "emailAddresses": [{"address": email_of(NEWCOMER), "name": NEWCOMER}],
                },
                BEN.place,
            ),
            _ines,
            "created as a Person and linked to the one company of that name (R2, R18), whose address BC fills in (R16)",
        ),
        Edit(
            "BC",
            f"{CREATED}: a new contact at Lakeside Supplies",
            lambda system, facts: system.simulators.bc.create_contact(
                displayName=CREATED, jobTitle="Buyer", companyNumber="KT100005", email=email_of(CREATED)
            ),
            lambda facts: _holds("in Ben's folder", CREATED in facts.in_folder(BEN)),
            "matches Ben's filter (R1)",
        ),
    ]


def _deletions() -> list[Edit]:
    return [
        Edit(
            "BC",
            "Peter Houston is deleted",
            lambda system, facts: system.simulators.bc.delete_contact(facts.in_bc()["Peter Houston"]["number"]),
            lambda facts: _holds(
                "gone from Ada's and Cleo's folders",
                not any("Peter Houston" in facts.in_folder(user) for user in (ADA, CLEO)),
            ),
            "deleted in BC: removed everywhere (R21), still in Deleted Items",
        ),
        Edit(
            "Ada",
            "Mary Anne Dempsey is deleted in Ada's Outlook",
            lambda system, facts: _delete(system, facts, ADA, "Mary Anne Dempsey"),
            lambda facts: _holds(
                "back in Ada's folder",
                "Mary Anne Dempsey" in facts.in_folder(ADA) and "Mary Anne Dempsey" in facts.in_bc(),
            ),
            "BC is the master: Ada's policy is restore (R23)",
        ),
        Edit(
            "Ben",
            "Katrin Vogel is deleted in Ben's Outlook",
            lambda system, facts: _delete(system, facts, BEN, "Katrin Vogel"),
            lambda facts: _holds(
                "stays away from Ben, stays in BC",
                "Katrin Vogel" not in facts.in_folder(BEN) and "Katrin Vogel" in facts.in_bc(),
            ),
            "Ben's policy is hide (R23)",
        ),
    ]


def _helen(facts: Facts) -> tuple[str, bool]:
    bc, folders = facts.in_bc()["Helen Ray"], [facts.in_folder(user)["Helen Ray"] for user in (ADA, CLEO)]
    title, mobile = bc["jobTitle"], bc["mobilePhoneNumber"]
    agree = all(each["jobTitle"] == title and each["mobilePhone"] == mobile for each in folders)
    holds = agree and title == "Senior Purchasing Manager" and mobile == "+44 7700 900777"
    return f"BC, Ada and Cleo have both: {title}, {mobile}", holds


def _david(facts: Facts) -> tuple[str, bool]:
    found = [phone(facts.in_folder(user)["David Hodgson"]) for user in (ADA, CLEO)]
    in_bc = facts.in_bc()["David Hodgson"]["phoneNumber"]
    return f"everywhere {in_bc}", {in_bc, *found} == {"+44 20 7946 1111"}


def _jane(facts: Facts) -> tuple[str, bool]:
    contact = facts.in_folder(ADA)["Jane Clayton"]
    kept = (contact["personalNotes"], contact["nickName"]) == ("likes dahlias", "JC")
    came = "Jane Clayton" in facts.in_folder(CLEO)
    return "Ada has the title and her note; Cleo has a new contact", kept and contact[
        "jobTitle"
    ] == "Office Manager" and came


def _elif(facts: Facts) -> tuple[str, bool]:
    found = {phone(facts.in_folder(user)["Elif Yilmaz"]) for user in (BEN, CLEO)}
    found.add(facts.in_bc()["Elif Yilmaz"]["phoneNumber"])
    return f"BC, Ben and Cleo have {', '.join(sorted(found))}", found == {"+49 30 5550123"}


def _oliver(facts: Facts) -> tuple[str, bool]:
    address = facts.in_folder(CLEO)["Oliver Lee"]["businessAddress"]
    holds = "Oliver Lee" not in facts.in_folder(ADA) and "Oliver Lee" in facts.in_bc()
    return f"gone from Ada's folder; Cleo sees {address['city']}, {address['countryOrRegion']}", (
        holds and (address["city"], address["countryOrRegion"]) == ("Copenhagen", "Denmark")
    )


def _ines(facts: Facts) -> tuple[str, bool]:
    bc, shown = facts.in_bc().get(NEWCOMER), facts.in_folder(BEN).get(NEWCOMER)
    if bc is None or shown is None:
        return "not in BC", False
    holds = bc["type"] == "Person" and bc["companyNumber"] == "KT100003" and NEWCOMER in facts.in_folder(CLEO)
    city = shown["businessAddress"]["city"]
    return (
        f"{bc['number']} in BC at {bc['companyName']}; {city} in Ben's folder; Cleo has her too",
        holds and city == "Berlin",
    )


def _holds(text: str, holds: bool) -> tuple[str, bool]:
    return text, holds


def _bc(system: System, facts: Facts, name: str, **values: Any) -> str:
    """Change a contact as a user of Business Central; answers its number."""
    number = str(facts.in_bc()[name]["number"])
    system.simulators.bc.update_contact(number, **values)
    return number


def _outlook(system: System, facts: Facts, user: User, name: str, **values: object) -> str:
    """Change a contact as its user in Outlook; answers its id."""
    contact_id = str(facts.in_folder(user)[name]["id"])
    system.simulators.graph.edit_contact(user.address, contact_id, values)
    return contact_id


def _delete(system: System, facts: Facts, user: User, name: str) -> None:
    system.simulators.graph.delete_contact(user.address, facts.in_folder(user)[name]["id"])
