"""Graph's words: paths, what is asked for, the JSON that is sent; seen by this package only (Graph reference 1 to 7).

Answers are read by `mapping.py` and `stamps.py`, which trust no type in them.
"""

from datetime import UTC, datetime
from typing import Any, TypedDict
from urllib.parse import quote

IMMUTABLE = 'IdType="ImmutableId"'  #: on every request and every part of a batch (reference 5)
PREFER = {"Prefer": IMMUTABLE}
MOST_IN_BATCH = 20
PAGE = 999  #: contacts in one page of a list; larger values are clamped or refused (reference 3.1)
FOLDER_PAGE = 100
DELTA_PAGE = 200  #: the reported most; none is documented, so there is a setting (reference 4.1)

CONTACT_PROPERTIES = (
    "displayName", "givenName", "middleName", "surname", "jobTitle", "companyName", "emailAddresses", "businessPhones",
    "mobilePhone", "businessHomePage", "businessAddress", "categories",
)  # fmt: skip
#: What the mapping needs; `id` and `@odata.etag` come by themselves.
CONTACT_SELECT = ",".join((*CONTACT_PROPERTIES, "parentFolderId", "createdDateTime", "changeKey"))
FOLDER_SELECT = "id,displayName,parentFolderId"
SUBSCRIPTIONS = "/subscriptions"
USER_SELECT = "id,userPrincipalName,mail,displayName,accountEnabled,userType"

Json = dict[str, Any]


class EmailAddress(TypedDict):
    """One e-mail address of a contact."""

    name: str
    address: str


class PhysicalAddress(TypedDict):
    """A postal address; always sent whole (reference 1.4)."""

    street: str | None
    city: str | None
    state: str | None
    postalCode: str | None
    countryOrRegion: str | None


class ExtendedProperty(TypedDict):
    """A single-value extended property (reference 6)."""

    id: str
    value: str


class ContactBody(TypedDict, total=False):
    """What we send of a contact: only what is written; None and [] clear."""

    displayName: str | None
    givenName: str | None
    middleName: str | None
    surname: str | None
    jobTitle: str | None
    companyName: str | None
    emailAddresses: list[EmailAddress]
    businessPhones: list[str]
    mobilePhone: str | None
    businessHomePage: str | None
    businessAddress: PhysicalAddress
    categories: list[str]
    singleValueExtendedProperties: list[ExtendedProperty]


def user_path(user: str) -> str:
    """A user by object id; an e-mail address only inside a batch's body, where no log sees it."""
    return f"/users/{_segment(user)}"


def user_urls(user: str) -> list[str]:
    """Where a user may be found: by object id or user principal name, and by mail. For batches, see `user_path`."""
    urls = [with_query(user_path(user), select=USER_SELECT)]
    if "@" in user:
        urls.append(with_query("/users", filter=f"mail eq {literal(user)}", top="2", select=USER_SELECT))
    return urls


def users(body: Any) -> list[Json]:
    """The users in an answer to one of these."""
    if not isinstance(body, dict):
        return []
    return [row for row in (rows(body) if "value" in body else [body]) if raw_text(row.get("id"))]


def members_path(group_id: str) -> str:
    """The users in a group, those of groups inside it too (reference 11)."""
    return f"/groups/{_segment(group_id)}/transitiveMembers/microsoft.graph.user"


def address_of(user: Json) -> str:
    """A user's address: the mail, or the name to sign in with; blank for a user without either."""
    return raw_text(user.get("mail")) or raw_text(user.get("userPrincipalName"))


def is_guest(user: Json) -> bool:
    """Whether a user belongs to another tenant."""
    return raw_text(user.get("userType")).lower() == "guest"


def probe_url(mailbox: str) -> str:
    """The least that says whether a mailbox can be used."""
    return with_query(folders_path(mailbox), top="1", select="id")


def purpose_path(mailbox: str) -> str:
    """What a mailbox is for: a user's, a room's (Microsoft's page user-get-mailboxsettings)."""
    return f"{user_path(mailbox)}/mailboxSettings/userPurpose"


def folders_path(mailbox: str) -> str:
    """The folders directly in a mailbox's contacts."""
    return f"{user_path(mailbox)}/contactFolders"


def folder_path(mailbox: str, folder: str) -> str:
    """One folder."""
    return f"{folders_path(mailbox)}/{_segment(folder)}"


def contacts_path(mailbox: str, folder: str) -> str:
    """The contacts of one folder."""
    return f"{folder_path(mailbox, folder)}/contacts"


def contact_path(mailbox: str, folder: str, contact: str) -> str:
    """One contact."""
    return f"{contacts_path(mailbox, folder)}/{_segment(contact)}"


def subscription_path(subscription_id: str) -> str:
    """One subscription."""
    return f"{SUBSCRIPTIONS}/{_segment(subscription_id)}"


def watched(mailbox: str, folder: str = "") -> str:
    """What a subscription is about: a folder's contacts, or those of the whole mailbox (reference 9.1)."""
    inside = f"contactFolders/{quote(folder, safe='=')}/" if folder else ""
    return f"users/{_segment(mailbox)}/{inside}contacts"


def with_query(path: str, **options: str) -> str:
    """A path with OData options, named without their "$"."""
    return path + "?" + "&".join(f"${name}={quote(value, safe="$(),'=;")}" for name, value in options.items())


def literal(text: str) -> str:
    """A string literal of a filter (reference 3.1)."""
    return "'" + text.replace("'", "''") + "'"


def rows(body: Any) -> list[Json]:
    """The entities of a collection's page; whatever else stands there is left out."""
    value = body.get("value") if isinstance(body, dict) else None
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def link(body: Any, name: str) -> str:
    """The page's "nextLink" or "deltaLink", blank when there is none."""
    value = body.get(f"@odata.{name}") if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""


def raw_text(value: Any) -> str:
    """A text as it stands; blank for everything that is no text."""
    return value if isinstance(value, str) else ""


def moment(value: Any) -> datetime | None:
    """A point in time, None for everything that is none."""
    try:
        when = datetime.fromisoformat(raw_text(value))
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def written(when: datetime) -> str:
    """A point in time as Graph takes it: UTC, whole seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _segment(value: str) -> str:
    return quote(value, safe="")
