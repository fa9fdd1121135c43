"""Ports: what the engine needs of the two services. The adapters implement them; only the adapters know JSON and HTTP.

Every bulk call answers per contact, in the order asked: a failure of one contact is a value, not an exception (R31).
A failure of the whole mailbox, company or service is raised: `ProfileError`, `CompanyError`, `RetryableError`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.cards.model import BcContact, Card, Field, OutlookContact, Stamp
from shared.engine.watching import Draft, Granted, Listed
from shared.errors import ContactError
from shared.planning.importing import Person, Unfit

# ---------------------------------------------------------------- Outlook


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A user as the directory knows them."""

    id: str  #: Entra object id: the key of everything
    address: str  #: mail, or the user principal name
    kind: str  #: "user", "shared", "guest", "room", "group": only the first two have a folder we may use


@dataclass(frozen=True, slots=True)
class FolderStamp:
    """The extended properties that we write into a folder (R9, R27)."""

    company_id: str
    profile_id: str
    environment: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A contact folder of a mailbox."""

    id: str
    name: str
    parent_id: str
    stamp: FolderStamp | None = None


@dataclass(frozen=True, slots=True)
class OutlookChanges:
    """One finished round of a folder's change feed.

    `changed` holds the contacts as they are now (`marks_known` False), each once; `removed` the ids that the feed
    reports as no longer in the folder (to be confirmed, R25).
    """

    changed: tuple[OutlookContact, ...]
    removed: tuple[str, ...]
    delta_link: str


@dataclass(frozen=True, slots=True)
class OutlookDraft:
    """A contact to create: all values in Outlook's terms, the category (R28) and the stamp (R9)."""

    card: Card
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class OutlookWrite:
    """Changes to one contact: only these fields, plus the category (R28) and, if given, the stamp (R9).

    `current` is the contact as read just before; what shares a property with a written field (other phones, other
    lines of the street, the whole address, the user's own categories, the display name) is taken from it. `name_parts`
    is (given, middle, surname), given when the name is written (R20). The write is conditional on `current.etag`.
    """

    current: OutlookContact
    values: Mapping[Field, str]
    name_parts: tuple[str, str, str] | None = None
    stamp: Stamp | None = None
    remove_marks: bool = False  #: take our category and stamp off instead (R27)


NO_TAGS: Mapping[str, str] = {}


class OutlookSide(Protocol):
    """One mailbox."""

    def folder(self, folder_id: str, parent_id: str) -> Folder | None:
        """The folder with its stamp, in one request; None when it is gone or no longer lies in `parent_id` (a user's
        deletion moves it to Deleted Items; blank: the parent does not matter). Raises MailboxUnavailable."""

    def find_folder(self, stamp: FolderStamp) -> Folder | None:
        """The folder that carries our stamp, whatever its name."""

    def folder_named(self, name: str) -> Folder | None:
        """A folder directly in the mailbox's contacts, by name without regard to case."""

    def main_folder(self) -> Folder:
        """The mailbox's main contacts folder (R27)."""

    def create_folder(self, name: str, stamp: FolderStamp) -> Folder:
        """Create and stamp. Raises InvalidValue with code `folder-exists` when the name is taken."""

    def rename_folder(self, folder_id: str, name: str) -> Folder:
        """Rename (R27). Raises InvalidValue `folder-exists`, FolderMissing."""

    def stamp_folder(self, folder_id: str, stamp: FolderStamp) -> None:
        """Write our stamp into an existing folder."""

    def changes(self, folder_id: str, delta_link: str | None) -> OutlookChanges:
        """One round of the change feed, all pages; from the beginning when there is no link.
        Raises PositionExpired, FolderMissing."""

    def contacts(self, folder_id: str) -> Iterator[OutlookContact]:
        """Every contact of the folder with its marks; a contact may be missing or come twice when others write
        meanwhile, so absence must be confirmed (R25)."""

    def read(self, folder_id: str, ids: Sequence[str]) -> Mapping[str, OutlookContact | None]:
        """Read contacts with their marks, in batches. None: the service says, for this contact, that it is not in
        this folder (deleted, or moved away). An id whose outcome is not known is left out."""

    def find_stamped(self, folder_id: str, bc_ids: Iterable[str]) -> Mapping[str, tuple[OutlookContact, ...]]:
        """Contacts of the folder that carry these stamps, oldest first (R9); ids with none are left out."""

    def create(self, folder_id: str, drafts: Sequence[OutlookDraft]) -> Sequence[OutlookContact | ContactError]:
        """Create, in batches of 20. OutcomeUnknown where no answer came: look by stamp before repeating."""

    def write(self, folder_id: str, writes: Sequence[OutlookWrite]) -> Sequence[OutlookContact | ContactError]:
        """Write, in batches of 20; answers the contact as the service holds it now. ChangedMeanwhile, ContactGone."""

    def remove(
        self, folder_id: str, ids: Sequence[str], *, tags: Mapping[str, str] = NO_TAGS
    ) -> Sequence[ContactError | None]:
        """Move to Deleted Items (R21), in batches of 20; an id that is gone counts as removed. `tags` are the etags of
        contacts as they were judged, by id: one that was changed since answers ChangedMeanwhile (R24), where the
        service honours the condition."""

    def erase(self, folder_id: str, ids: Sequence[str]) -> Sequence[ContactError | None]:
        """Remove for good (R39), in batches of 20: the user cannot recover it; an id that is gone counts as removed."""


class Notifications(Protocol):
    """A service's subscriptions to change notifications."""

    def subscribe(self, draft: Draft) -> Granted:
        """Create one; the service tries the webhook before it answers. Graph: on the folder, or where it takes none on
        folders, on the mailbox. Raises SubscriptionExists with the id of the one that is there already,
        SubscriptionRefused, MailboxUnavailable, CompanyUnavailable, RetryableError."""

    def renew(self, subscription_id: str, draft: Draft) -> datetime | None:
        """Make it last (Graph: until the draft's `expires_at`; also reauthorizes); answers the end that the service
        granted, None when it is gone. Raises like `subscribe`."""

    def unsubscribe(self, subscription_id: str) -> None:
        """End it; one that is gone is fine."""

    def listed(self) -> Sequence[Listed]:
        """All that the service shows us; ours and those of others who use the same app registration."""


class Directory(Protocol):
    """Who has a mailbox."""

    def notifications(self) -> Notifications:
        """Graph's subscriptions."""

    def mailbox(self, user: str) -> Mailbox:
        """`find`, and `probe` unless it is a guest. Raises MailboxUnavailable, saying what to do."""

    def find(self, user: str) -> Mailbox:
        """By e-mail address, user principal name or object id. Raises MailboxUnavailable, saying what to do."""

    def probe(self, mailbox_id: str) -> None:
        """Read a little of the mailbox's contacts. Raises MailboxUnavailable: `no-permission` when the app is refused,
        else there is none."""

    def members(self, group_id: str) -> Sequence[Person]:
        """All users in an Entra group, those of groups inside it too; all or an exception. Unfit: `guest`,
        `account-disabled`. Raises SourceUnreadable, RetryableError."""

    def find_all(self, names: Sequence[str]) -> Sequence[Person]:
        """Users by e-mail address or object id, in batches, in the order asked. Unfit as above, or `unknown-user`,
        `ambiguous-user`. Raises SourceUnreadable without permission to look users up, and RetryableError unless all
        were answered."""

    def unusable(self, user_ids: Sequence[str]) -> Sequence[Unfit | None]:
        """Why the mailboxes of these users cannot be used, in batches, in the order asked; None for those that can.
        Rooms are told only with permission to read mailboxes' settings. Raises RetryableError."""

    def outlook(self, mailbox_id: str) -> OutlookSide:
        """The side of one mailbox."""


# ---------------------------------------------------------------- Business Central


@dataclass(frozen=True, slots=True)
class BcCompany:
    """A company of the environment."""

    id: str
    name: str
    display_name: str


@dataclass(frozen=True, slots=True)
class BcUser:
    """A user of Business Central."""

    name: str  #: short, for %me (R5)
    address: str  #: blank when BC has none
    unfit: Unfit | None = None


@dataclass(frozen=True, slots=True)
class BcDraft:
    """A Person to create (R2). `values` by field in BC's terms without COMPANY; `company_number` links (R18)."""

    values: Mapping[Field, str]
    company_number: str = ""
    source: str = ""  #: Outlook id of the contact that it is made of, for the journal


@dataclass(frozen=True, slots=True)
class BcWrite:
    """Changes to one contact, conditional on `current.etag`; `company_number` None leaves the link alone (R18).

    Fields that BC clears or overwrites as a side effect are sent once more by the adapter, country first (R16).
    """

    current: BcContact
    values: Mapping[Field, str]
    company_number: str | None = None


class BcSide(Protocol):
    """One company. All reads ask for the primary database, never the replica (reference 3.5)."""

    company_id: str

    def contacts(self) -> Iterator[BcContact]:
        """Every contact of the company, all pages or an exception, never a part."""

    def changed_since(self, stamp: str) -> Sequence[BcContact]:
        """Contacts whose lastModifiedDateTime is at or after `stamp` (ISO 8601 UTC), oldest first."""

    def stamps(self) -> Iterator[tuple[str, str]]:
        """(id, lastModifiedDateTime) of every contact: a complete enumeration or an exception (R25)."""

    def read(self, ids: Sequence[str]) -> Mapping[str, BcContact | None]:
        """Read by id, batched. None: the service says, for this contact, that it does not exist. An id whose
        outcome is not known is left out."""

    def find_persons(self, emails: Sequence[str]) -> Mapping[str, tuple[BcContact, ...]]:
        """Persons whose first e-mail is one of these (normalised), read from the primary; for R7 and R9 after a create
        with unknown outcome. Rows are checked again on our side."""

    def countries(self) -> Mapping[str, str]:
        """code -> display name (R19)."""

    def create(self, drafts: Sequence[BcDraft]) -> Sequence[BcContact | ContactError]:
        """Create Persons, batched. Raises SetupRefused when the company's set-up refuses (nothing more is tried)."""

    def write(self, writes: Sequence[BcWrite]) -> Sequence[BcContact | ContactError]:
        """Write, batched (at most 100 a request); answers the contact as BC holds it now. ChangedMeanwhile when the tag
        is stale, ContactGone, InvalidValue. Raises SetupRefused."""

    def remove(self, contacts: Sequence[BcContact]) -> Sequence[ContactError | None]:
        """Delete, conditional on the tag; one that is gone counts as removed."""


class BusinessCentral(Protocol):
    """The environment."""

    def companies(self) -> Sequence[BcCompany]:
        """All companies that the app may read."""

    def company(self, company_id: str) -> BcSide:
        """The side of one company."""

    def announces_contacts(self, company_id: str) -> bool:
        """Whether the environment offers change notifications of this company's contacts."""

    def users(self, company_id: str) -> Sequence[BcUser]:
        """Business Central's users, the same in every company; all or an exception. Raises SourceUnreadable,
        CompanyUnavailable, RetryableError."""

    def notifications(self) -> Notifications:
        """The environment's subscriptions."""
