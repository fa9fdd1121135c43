"""One round of a folder's change feed (Graph reference 4)."""

from shared.cards.model import OutlookContact
from shared.engine.sides import OutlookChanges
from shared.errors import PositionExpired, RetryableError, SyncError
from shared.outlook import wire
from shared.outlook.contacts import Contacts
from shared.outlook.errors import Meaning, mailbox_failure, meaning
from shared.outlook.mapping import contact_of, is_complete
from shared.outlook.service import Requests
from shared.transport.client import Answer

_PAGES_MOST = 10_000


class Changes:
    """Reads the change feed."""

    def __init__(self, requests: Requests, mailbox: str, contacts: Contacts, *, page_size: int) -> None:
        """`contacts` reads again what the feed shows in part only; `page_size` is a wish."""
        self._requests = requests
        self._mailbox = mailbox
        self._contacts = contacts
        self._headers = {"Prefer": f"{wire.IMMUTABLE}, odata.maxpagesize={page_size}"}

    def round(self, folder_id: str, delta_link: str | None) -> OutlookChanges:
        """All pages of one round. Entries come unordered and repeated: the last one counts (reference 4.2).

        Raises PositionExpired, FolderMissing, and RetryableError when a round does not end as it should: the position
        then stays where it was.
        """
        entries: dict[str, wire.Json] = {}
        url = delta_link or wire.with_query(
            f"{wire.contacts_path(self._mailbox, folder_id)}/delta", select=wire.CONTACT_SELECT
        )
        seen: set[str] = set()
        while True:
            page = self._page(url, is_stored=url == delta_link)
            for row in wire.rows(page.body):
                contact_id = wire.raw_text(row.get("id"))
                if contact_id:
                    entries.pop(contact_id, None)
                    entries[contact_id] = row
            seen.add(url)
            url = wire.link(page.body, "nextLink")
            if not url:
                break
            if url in seen or len(seen) > _PAGES_MOST:
                raise RetryableError("Outlook's change feed does not end; the run goes on later.")
        position = wire.link(page.body, "deltaLink")
        if not position:
            raise RetryableError("Outlook's change feed ended without a position; the run goes on later.")
        return self._changes(folder_id, entries, position)

    def _page(self, url: str, *, is_stored: bool) -> Answer:
        try:
            answer = self._requests.send("GET", url, what="contacts.changes", headers=self._headers)
        except SyncError as error:
            if is_stored and error.code == "foreign-link":  # the root in the settings changed since
                raise PositionExpired("The position in the folder's changes belongs to another Graph root.") from None
            raise
        if answer.ok:
            return answer
        if is_stored and meaning(answer) is Meaning.REFUSED:
            # "a 40X-series error with codes such as ..." (reference 4.3): whatever is wrong, it is wrong with the link
            raise PositionExpired("Outlook does not accept the position in the folder's changes any more.")
        raise mailbox_failure(answer)

    def _changes(self, folder_id: str, entries: dict[str, wire.Json], position: str) -> OutlookChanges:
        removed = [each for each, row in entries.items() if "@removed" in row]
        partial = [
            each
            for each, row in entries.items()
            if "@removed" not in row and not is_complete(row, wire.CONTACT_PROPERTIES)
        ]
        read = self._contacts.read(folder_id, partial) if partial else {}
        if len(read) < len(partial):
            raise RetryableError("Outlook did not answer for all changed contacts; the run goes on later.")
        changed: list[OutlookContact] = []
        for contact_id, row in entries.items():
            if "@removed" in row:
                continue
            contact = read[contact_id] if contact_id in read else contact_of(row, marks_known=False)
            if contact is not None:
                changed.append(contact)
            else:
                removed.append(contact_id)
        return OutlookChanges(tuple(changed), tuple(removed), position)
