"""Reading the contacts of a folder: all, some by id, and by our stamp (R9, R25; Graph reference 3, 6.3)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared.cards.model import OutlookContact
from shared.errors import FolderMissing, RetryableError
from shared.outlook import stamps, wire
from shared.outlook.errors import MAILBOX_TEXTS, Meaning, mailbox_failure, meaning
from shared.outlook.mapping import contact_of
from shared.outlook.service import Requests, reading
from shared.transport.client import Answer

_FOUND_PAGE = "100"


class Contacts:
    """Reads contacts with their marks."""

    def __init__(self, requests: Requests, mailbox: str) -> None:
        """`mailbox` is the user's object id."""
        self._requests = requests
        self._mailbox = mailbox

    def all(self, folder_id: str) -> Iterator[OutlookContact]:
        """Every contact, as far as paging by offset over a living folder shows it. Raises FolderMissing."""
        url = wire.with_query(
            wire.contacts_path(self._mailbox, folder_id),
            top=str(wire.PAGE),
            select=wire.CONTACT_SELECT,
            expand=stamps.EXPAND_CONTACT,
        )
        for row in self._requests.rows(url, what="contacts"):
            contact = contact_of(row, marks_known=True)
            if contact is not None:
                yield contact

    def read(self, folder_id: str, ids: Sequence[str]) -> dict[str, OutlookContact | None]:
        """Contacts by id; None where the service says "not there", or that it lies in another folder; ids without a
        certain answer are left out. Raises FolderMissing: without its folder no contact counts as gone (R25)."""
        wanted = list(dict.fromkeys(ids))
        parts = [reading(self._contact_url(folder_id, each)) for each in wanted]
        found: dict[str, OutlookContact | None] = {}
        lost = False
        for contact_id, outcome in zip(wanted, self._requests.batch(parts, what="contacts.read"), strict=True):
            if not isinstance(outcome, Answer):
                continue
            if outcome.ok:
                contact = contact_of(outcome.body, marks_known=True) if isinstance(outcome.body, dict) else None
                if contact is not None:
                    found[contact_id] = contact if contact.folder_id in {"", folder_id} else None
            elif meaning(outcome) is Meaning.GONE:
                found[contact_id], lost = None, True
            else:
                _raise_for_all(outcome)
        if lost:
            self._make_sure_of(folder_id)
        return found

    def find_stamped(self, folder_id: str, bc_ids: Iterable[str]) -> Mapping[str, tuple[OutlookContact, ...]]:
        """Contacts by stamp, oldest first. Raises RetryableError where a question stays without answer: "none" must
        be certain before a contact is created (R9)."""
        wanted = list(dict.fromkeys(bc_ids))
        parts = [reading(self._stamped_url(folder_id, each)) for each in wanted]
        found: dict[str, tuple[OutlookContact, ...]] = {}
        for bc_id, outcome in zip(wanted, self._requests.batch(parts, what="contacts.stamped"), strict=True):
            if not isinstance(outcome, Answer):
                raise RetryableError("Outlook did not answer for all contacts; the run goes on later.")
            if not outcome.ok:
                raise mailbox_failure(outcome)
            contacts = self._stamped(outcome, bc_id, folder_id)
            if contacts:
                found[bc_id] = contacts
        return found

    def _stamped(self, answer: Answer, bc_id: str, folder_id: str) -> tuple[OutlookContact, ...]:
        """The contacts of one answer and its further pages that do carry the stamp: the service ignores case in values
        (reference 6.1), and so do we."""
        rows = wire.rows(answer.body)
        following = wire.link(answer.body, "nextLink")
        if following:
            rows = [*rows, *self._requests.rows(following, what="contacts.stamped")]
        contacts: dict[str, OutlookContact] = {}
        for row in rows:
            contact = contact_of(row, marks_known=True)
            if contact is None or contact.folder_id not in {"", folder_id} or contact.stamp is None:
                continue
            if contact.stamp.bc_id.casefold() == bc_id.casefold():
                contacts[contact.id] = contact
        return tuple(sorted(contacts.values(), key=lambda each: (each.created, each.id)))

    def _make_sure_of(self, folder_id: str) -> None:
        """Some contact is not there: raise FolderMissing when that is because the folder is not."""
        path = wire.with_query(wire.folder_path(self._mailbox, folder_id), select="id")
        self._requests.get(path, what="folder.look")

    def _contact_url(self, folder_id: str, contact_id: str) -> str:
        return wire.with_query(
            wire.contact_path(self._mailbox, folder_id, contact_id),
            select=wire.CONTACT_SELECT,
            expand=stamps.EXPAND_CONTACT,
        )

    def _stamped_url(self, folder_id: str, bc_id: str) -> str:
        return wire.with_query(
            wire.contacts_path(self._mailbox, folder_id),
            filter=stamps.filter_for(bc_id),
            top=_FOUND_PAGE,
            select=wire.CONTACT_SELECT,
            expand=stamps.EXPAND_CONTACT,
        )


def _raise_for_all(answer: Answer) -> None:
    """Raise what concerns the whole folder or mailbox; a failure of one contact leaves it out."""
    says = meaning(answer)
    if says is Meaning.FOLDER_GONE:
        raise FolderMissing("The contact folder does not exist any more.")
    if says in MAILBOX_TEXTS:
        raise mailbox_failure(answer)
