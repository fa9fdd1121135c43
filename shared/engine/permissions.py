"""What the app may do, by the names that its tokens carry. Pure.

Entra writes consented application permissions into the token, Exchange's roles for applications stand nowhere in it
(Graph reference 10.4). So a token without `Contacts.*` is right where the mailboxes are limited by Exchange, and
consent besides such a limit undoes it: consent holds for every mailbox.
"""

from collections.abc import Callable
from enum import StrEnum

from shared.engine.checks import Check

CONTACTS_READ = "Contacts.Read"
CONTACTS_WRITE = "Contacts.ReadWrite"
DIRECTORY = "User.Read.All"
BUSINESS_CENTRAL = "API.ReadWrite.All"

type Roles = frozenset[str] | None  #: None: the token does not tell


class Api(StrEnum):
    """Whose token."""

    GRAPH = "microsoft-graph"
    BC = "business-central"


type Granted = Callable[[Api], Roles]

_UNREADABLE = "The token does not say."
#: what lets the app look users up; the first is what it needs
_DIRECTORIES = (DIRECTORY, "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
#: what importing groups of users needs, and what lets it tell rooms from users
_IMPORTS = {"GroupMember.Read.All", "MailboxSettings.Read"}
_KNOWN = {CONTACTS_READ, CONTACTS_WRITE, *_DIRECTORIES, *_IMPORTS}
_TAKE_AWAY = (
    "Take the consent for Contacts.* away in the app registration (API permissions), if the mailboxes are to be "
    "limited by Exchange's roles: consent reaches every mailbox and undoes their limit. It can take 2 hours to work."
)


def permission_checks(graph: Roles, business_central: Roles, *, limited: bool = False) -> list[Check]:
    """Each permission by name. `limited`: somebody said that there are mailboxes which the app must not reach, so that
    consent for all of them is wrong."""
    return [*_contacts(graph, limited), _directory(graph), *_too_much(graph), _api(business_central)]


def why_refused(graph: Roles) -> str:
    """What to do about a mailbox that may not be used; blank where the token does not tell."""
    if graph is None:
        return ""
    if CONTACTS_WRITE in graph:
        return (
            "The app may not use this mailbox although it has consent for all of them: an application access policy in "
            "Exchange Online keeps it out. Put the mailbox into the policy's group, or remove the policy."
        )
    if CONTACTS_READ in graph:
        return _half(CONTACTS_READ, "read", "write").what_to_do
    return (
        "The app may not use this mailbox: no Contacts.* is consented in Entra, and no role of Exchange lets it in, or "
        "not yet: a new role, scope or member of its group takes 30 minutes to 2 hours to work. What is assigned is "
        "told at once by Test-ServicePrincipalAuthorization -Identity CLIENT_ID -Resource MAILBOX. If it says InScope "
        "False, make the user a direct member of the group; if it lists no role, assign Application Contacts.Read and "
        "Application Contacts.ReadWrite."
    )


def _contacts(roles: Roles, limited: bool) -> list[Check]:
    if roles is None:
        return [Check(_name(each), None, _UNREADABLE) for each in (CONTACTS_WRITE, CONTACTS_READ)]
    consented = roles & {CONTACTS_WRITE, CONTACTS_READ}
    if consented == {CONTACTS_READ}:
        return [_half(CONTACTS_READ, "read", "write"), _lacking(CONTACTS_WRITE, "folders and contacts are written")]
    if consented == {CONTACTS_WRITE}:
        return [_lacking(CONTACTS_READ, "Microsoft Graph announces changes"), *_reaches_all(CONTACTS_WRITE, limited)]
    if consented:
        return [each for name in (CONTACTS_WRITE, CONTACTS_READ) for each in _reaches_all(name, limited)]
    by_exchange = "Not in the token, as it should be with Exchange's roles; whether these work, the mailbox shows."
    return [Check(_name(each), True, by_exchange) for each in (CONTACTS_WRITE, CONTACTS_READ)]


def _reaches_all(name: str, limited: bool) -> list[Check]:
    what = "Consented in Entra: every mailbox of the tenant."
    return [Check(_name(name), not limited, what, _TAKE_AWAY)]


def _half(name: str, can: str, cannot: str) -> Check:
    return Check(
        _name(name),
        False,
        f"Consented in Entra alone: the app may {can} every mailbox, and {cannot} none or those of Exchange's roles.",
        f"Either consent Contacts.Read and Contacts.ReadWrite both, for all mailboxes, or take {name} away and assign "
        "both Exchange roles for the mailboxes of a group: the consent undoes their limit.",
    )


def _lacking(name: str, purpose: str) -> Check:
    return Check(
        _name(name),
        False,
        f"Missing: with it {purpose}.",
        f"Add the application permission {name} of Microsoft Graph to the app registration and give admin consent; or "
        "take all Contacts.* away and assign the Exchange roles for the mailboxes of a group.",
    )


def _directory(roles: Roles) -> Check:
    name = _name(DIRECTORY)
    if roles is None:
        return Check(name, None, _UNREADABLE)
    if found := next((each for each in _DIRECTORIES if each in roles), ""):
        return Check(name, True, f"Consented ({found}): users are found by e-mail address.")
    return Check(
        name,
        True,
        "Missing: users can only be named by object id.",
        "To find them by e-mail address, consent the application permission User.Read.All of Microsoft Graph.",
    )


def _too_much(roles: Roles) -> list[Check]:
    more = sorted((roles or frozenset()) - _KNOWN)
    if not more:
        return []
    advice = "Take them away unless something else uses this app registration."
    return [Check("other permissions", True, f"The app does not need: {', '.join(more)}.", advice)]


def _api(roles: Roles) -> Check:
    name = _name(BUSINESS_CENTRAL)
    if roles is None:
        return Check(name, None, _UNREADABLE)
    if BUSINESS_CENTRAL in roles:
        return Check(name, True, "Consented; what the app may do in a company, its permission sets say.")
    return Check(
        name,
        False,
        "Missing: Business Central's API is closed to the app.",
        "Add the application permission API.ReadWrite.All of Dynamics 365 Business Central to the app registration and "
        "give admin consent.",
    )


def _name(permission: str) -> str:
    return f"permission {permission}"
