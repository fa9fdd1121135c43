"""One mailbox as the engine sees it: the port `OutlookSide`, put together from this package's parts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared.cards.model import OutlookContact
from shared.engine.sides import NO_TAGS, Folder, FolderStamp, OutlookChanges, OutlookDraft, OutlookWrite
from shared.errors import ContactError
from shared.outlook import wire
from shared.outlook.changes import Changes
from shared.outlook.contacts import Contacts
from shared.outlook.folders import Folders
from shared.outlook.service import Requests
from shared.outlook.writes import Writes
from shared.pace import Pace
from shared.transport.client import Client


class OutlookMailbox:
    """The side of one mailbox, for one run; not for several threads, since one batch at a time is allowed."""

    def __init__(
        self, client: Client, pace: Pace, mailbox_id: str, *, category: str, page_size: int = wire.DELTA_PAGE
    ) -> None:
        """`category` is the name of ours (R28); `page_size` is asked for in the change feed."""
        requests = Requests(client, pace, mailbox_id)
        self._folders = Folders(requests, mailbox_id)
        self._contacts = Contacts(requests, mailbox_id)
        self._changes = Changes(requests, mailbox_id, self._contacts, page_size=page_size)
        self._writes = Writes(requests, mailbox_id, category)

    def folder(self, folder_id: str, parent_id: str = "") -> Folder | None:
        """See `OutlookSide`; one request."""
        return self._folders.folder(folder_id, parent_id)

    def find_folder(self, stamp: FolderStamp) -> Folder | None:
        """See `OutlookSide`."""
        return self._folders.find(stamp)

    def folder_named(self, name: str) -> Folder | None:
        """See `OutlookSide`."""
        return self._folders.named(name)

    def main_folder(self) -> Folder:
        """See `OutlookSide`. Raises MailboxUnavailable `main-folder-unknown`."""
        return self._folders.main()

    def create_folder(self, name: str, stamp: FolderStamp) -> Folder:
        """See `OutlookSide`. Raises InvalidValue `folder-name` for a name that the service does not take."""
        return self._folders.create(name, stamp)

    def rename_folder(self, folder_id: str, name: str) -> Folder:
        """See `OutlookSide`. Raises InvalidValue `folder-name` for a name that the service does not take."""
        return self._folders.rename(folder_id, name)

    def stamp_folder(self, folder_id: str, stamp: FolderStamp) -> None:
        """See `OutlookSide`. Raises FolderMissing."""
        self._folders.stamp(folder_id, stamp)

    def changes(self, folder_id: str, delta_link: str | None) -> OutlookChanges:
        """See `OutlookSide`; a contact that the feed shows in part only was read again, with its marks."""
        return self._changes.round(folder_id, delta_link)

    def contacts(self, folder_id: str) -> Iterator[OutlookContact]:
        """See `OutlookSide`. Raises FolderMissing."""
        return self._contacts.all(folder_id)

    def read(self, folder_id: str, ids: Sequence[str]) -> Mapping[str, OutlookContact | None]:
        """See `OutlookSide`. Raises FolderMissing."""
        return self._contacts.read(folder_id, ids)

    def find_stamped(self, folder_id: str, bc_ids: Iterable[str]) -> Mapping[str, tuple[OutlookContact, ...]]:
        """See `OutlookSide`. Raises RetryableError where it stays unknown whether there are any."""
        return self._contacts.find_stamped(folder_id, bc_ids)

    def create(self, folder_id: str, drafts: Sequence[OutlookDraft]) -> Sequence[OutlookContact | ContactError]:
        """See `OutlookSide`. Raises FolderMissing, MailboxUnavailable, ProfileError `mailbox-full`."""
        return self._writes.create(folder_id, drafts)

    def write(self, folder_id: str, writes: Sequence[OutlookWrite]) -> Sequence[OutlookContact | ContactError]:
        """See `OutlookSide`. Raises MailboxUnavailable, ProfileError `mailbox-full`."""
        return self._writes.write(folder_id, writes)

    def remove(
        self, folder_id: str, ids: Sequence[str], *, tags: Mapping[str, str] = NO_TAGS
    ) -> Sequence[ContactError | None]:
        """See `OutlookSide`. Raises MailboxUnavailable."""
        return self._writes.remove(folder_id, ids, tags)

    def erase(self, folder_id: str, ids: Sequence[str]) -> Sequence[ContactError | None]:
        """See `OutlookSide`. Raises MailboxUnavailable."""
        return self._writes.erase(folder_id, ids)
