"""Who has a mailbox (Graph reference 10.5, 11): the port `Directory`."""

import re
from collections.abc import Sequence

from shared.engine.sides import Mailbox
from shared.errors import MailboxUnavailable, RetryableError
from shared.outlook import wire
from shared.outlook.errors import MAILBOX_TEXTS, Meaning, mailbox_failure, meaning
from shared.outlook.people import People
from shared.outlook.service import Requests, reading
from shared.outlook.side import OutlookMailbox
from shared.outlook.subscriptions import GraphNotifications
from shared.pace import Pace
from shared.planning.importing import Person, Unfit
from shared.transport.batch import Unanswered
from shared.transport.client import Answer, Client

_OBJECT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class OutlookDirectory:
    """Looks up users and probes their mailboxes, for one run."""

    def __init__(self, client: Client, pace: Pace, *, category: str, page_size: int = wire.DELTA_PAGE) -> None:
        """`category` is the name of ours (R28); `page_size` is asked for in the change feed."""
        self._client = client
        self._pace = pace
        self._category = category
        self._page_size = page_size
        self._requests = Requests(client, pace)
        self._people = People(self._requests)

    def mailbox(self, user: str) -> Mailbox:
        """See `Directory`: looks the user up and tries the mailbox. A guest is answered untried.

        Raises MailboxUnavailable with code no-mailbox, unknown-user, ambiguous-user or no-permission.
        """
        mailbox = self.find(user)
        if mailbox.kind != "guest":
            self.probe(mailbox.id)
        return mailbox

    def find(self, user: str) -> Mailbox:
        """See `Directory`. Disabled accounts count as shared mailboxes; rooms cannot be told from users (reference 11).
        Without permission to look users up, an object id is taken as it is.

        Raises MailboxUnavailable with code unknown-user, ambiguous-user or no-permission.
        """
        return self._look_up(user.strip())

    def probe(self, mailbox_id: str) -> None:
        """See `Directory`."""
        self._requests.get(wire.probe_url(mailbox_id), what="mailbox.probe")

    def outlook(self, mailbox_id: str) -> OutlookMailbox:
        """See `Directory`."""
        return OutlookMailbox(self._client, self._pace, mailbox_id, category=self._category, page_size=self._page_size)

    def notifications(self) -> GraphNotifications:
        """See `Directory`."""
        return GraphNotifications(self._requests)

    def members(self, group_id: str) -> Sequence[Person]:
        """See `Directory`."""
        return self._people.members(group_id)

    def find_all(self, names: Sequence[str]) -> Sequence[Person]:
        """See `Directory`."""
        return self._people.find_all(names)

    def unusable(self, user_ids: Sequence[str]) -> Sequence[Unfit | None]:
        """See `Directory`."""
        return self._people.unusable(user_ids)

    def _look_up(self, user: str) -> Mailbox:
        """By object id or user principal name, and by mail. In a batch, whose body keeps the address out of URLs."""
        if not user:
            raise _unavailable(Meaning.UNKNOWN_USER)
        outcomes = self._requests.batch([reading(url) for url in wire.user_urls(user)], what="users")
        answers = [_answered(each) for each in outcomes]
        for answer in answers:
            found = wire.users(answer.body) if answer.ok else []
            if len(found) > 1:
                raise MailboxUnavailable(
                    "Several users have this e-mail address. Name the user by Entra object id.", code="ambiguous-user"
                )
            if found:
                return _mailbox(found[0])
        return self._not_found(user, answers)

    @staticmethod
    def _not_found(user: str, answers: list[Answer]) -> Mailbox:
        refused = [answer for answer in answers if not answer.ok]
        if any(meaning(answer) in {Meaning.NO_DIRECTORY, Meaning.NO_PERMISSION} for answer in refused):
            if _OBJECT_ID.fullmatch(user):
                return Mailbox(id=user.lower(), address="", kind="user")
            raise _unavailable(Meaning.NO_DIRECTORY)
        for answer in refused:
            if meaning(answer) in {Meaning.BUSY, Meaning.CONFLICT}:
                raise mailbox_failure(answer)
        raise _unavailable(Meaning.UNKNOWN_USER)


def _answered(outcome: Answer | Unanswered) -> Answer:
    if isinstance(outcome, Answer):
        return outcome
    raise RetryableError("The directory did not answer in time; try again.")


def _mailbox(row: wire.Json) -> Mailbox:
    kind = "user"
    if wire.is_guest(row):
        kind = "guest"
    elif row.get("accountEnabled") is False:
        kind = "shared"
    return Mailbox(id=wire.raw_text(row.get("id")), address=wire.address_of(row), kind=kind)


def _unavailable(says: Meaning) -> MailboxUnavailable:
    code = Meaning.NO_PERMISSION if says is Meaning.NO_DIRECTORY else says
    return MailboxUnavailable(MAILBOX_TEXTS[says], code=code.value)
