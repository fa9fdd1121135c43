"""One company of Business Central: the engine's port `BcSide`."""

from collections.abc import Iterator, Mapping, Sequence

from shared.business_central import existence, persons
from shared.business_central.mapping import moment, read_contact, read_country, row_id
from shared.business_central.walk import walk
from shared.business_central.wire import GO_ON, MOST_PARTS, SELECT, is_stamp, query
from shared.business_central.writing import Result, Writer
from shared.cards.model import BcContact
from shared.engine.sides import BcDraft, BcWrite
from shared.errors import ContactError, RetryableError, SyncError
from shared.pace import Pace
from shared.transport.batch import Batches
from shared.transport.client import Client


class Company:
    """Contacts of one company, for one run."""

    def __init__(self, client: Client, pace: Pace, company_id: str, *, page_size: int | None = None) -> None:
        """`company_id` must be a key; `page_size` None leaves it to BC (20,000 rows)."""
        self.company_id = company_id
        self._client = client
        self._pace = pace
        self._page_size = page_size
        self._countries = f"companies({company_id})/countriesRegions"
        self._contacts = f"companies({company_id})/contacts"
        self._batches = Batches(client, pace, most=MOST_PARTS, headers=GO_ON)
        self._writer = Writer(self._batches, self._contacts)

    def contacts(self) -> Iterator[BcContact]:
        """See BcSide."""
        for row in self._walk(query(self._contacts, select=SELECT), "contacts.all"):
            yield _readable(read_contact(row))

    def changed_since(self, stamp: str) -> Sequence[BcContact]:
        """See BcSide. A contact that moved on during the reading comes once, as it was last read."""
        if not is_stamp(stamp):
            raise SyncError("The watermark is not a point in time.", code="bad-watermark")
        path = query(
            self._contacts, filter=f"lastModifiedDateTime ge {stamp}", orderby="lastModifiedDateTime", select=SELECT
        )
        read = (_readable(read_contact(row)) for row in self._walk(path, "contacts.changed"))
        return sorted({each.id: each for each in read}.values(), key=lambda each: moment(each.modified))

    def stamps(self) -> Iterator[tuple[str, str]]:
        """See BcSide."""
        for row in self._walk(query(self._contacts, select="id,lastModifiedDateTime"), "contacts.stamps"):
            key, stamp = row_id(row), row.get("lastModifiedDateTime")
            if key is None or not isinstance(stamp, str) or not is_stamp(stamp):
                raise _unreadable()
            yield key, stamp

    def read(self, ids: Sequence[str]) -> Mapping[str, BcContact | None]:
        """See BcSide."""
        return existence.read_by_id(self._batches, self._contacts, ids)

    def find_persons(self, emails: Sequence[str]) -> Mapping[str, tuple[BcContact, ...]]:
        """See BcSide. Addresses that nobody has are left out."""
        return persons.find_persons(self._client, self._batches, self._pace, self._contacts, emails)

    def countries(self) -> Mapping[str, str]:
        """See BcSide."""
        rows = self._walk(query(self._countries, select="code,displayName"), "countries")
        return dict(country for country in map(read_country, rows) if country is not None)

    def create(self, drafts: Sequence[BcDraft]) -> Sequence[Result]:
        """See BcSide."""
        return self._writer.create(drafts)

    def write(self, writes: Sequence[BcWrite]) -> Sequence[Result]:
        """See BcSide."""
        return self._writer.write(writes)

    def remove(self, contacts: Sequence[BcContact]) -> Sequence[ContactError | None]:
        """See BcSide."""
        return self._writer.remove(contacts)

    def _walk(self, path: str, what: str) -> Iterator[dict[str, object]]:
        return walk(self._client, self._pace, path, what=what, page_size=self._page_size)


def _readable(contact: BcContact | None) -> BcContact:
    """A row without an id makes a list incomplete: better no list than one that lacks somebody (R25)."""
    if contact is None or not is_stamp(contact.modified):
        raise _unreadable()
    return contact


def _unreadable() -> RetryableError:
    return RetryableError("Business Central's list of contacts cannot be read.", code="unreadable-answer")
