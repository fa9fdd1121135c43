"""Creating, changing and removing contacts, in batches of 20 (Graph reference 1.4, 1.5, 3.2, 7)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from shared.cards.model import OutlookContact
from shared.engine.sides import OutlookDraft, OutlookWrite
from shared.errors import ContactError, ContactGone, NotDone, OutcomeUnknown, SyncError
from shared.outlook import wire
from shared.outlook.errors import contact_failure
from shared.outlook.mapping import body_of_draft, body_of_write, contact_of
from shared.outlook.service import Requests
from shared.transport.batch import Part, Unanswered
from shared.transport.client import Answer

_JSON = {**wire.PREFER, "Content-Type": "application/json"}


class Writes:
    """Writes contacts of one mailbox; outcomes contact by contact, in the order asked (R31).

    What concerns the whole mailbox is raised only when nothing of the call was done. Otherwise the contacts concerned
    are NotDone, so that what was done can be recorded; the next call raises.
    """

    def __init__(self, requests: Requests, mailbox: str, category: str) -> None:
        """`mailbox` is the user's object id, `category` ours (R28)."""
        self._requests = requests
        self._mailbox = mailbox
        self._category = category

    def create(self, folder_id: str, drafts: Sequence[OutlookDraft]) -> list[OutlookContact | ContactError]:
        """Create; the answers carry the stamp that was sent, since the service does not repeat it."""
        url = wire.contacts_path(self._mailbox, folder_id)
        parts = [Part("POST", url, _JSON, body_of_draft(each, self._category), idempotent=False) for each in drafts]

        def made(place: int, answer: Answer) -> OutlookContact | ContactError:
            contact = _contact(answer)
            if contact is None:
                return OutcomeUnknown("Outlook's answer to a create cannot be read.")
            return replace(contact, stamp=drafts[place].stamp, marks_known=True)

        return self._carry_out(parts, "contacts.create", made, creating=True)

    def write(self, folder_id: str, writes: Sequence[OutlookWrite]) -> list[OutlookContact | ContactError]:
        """Change; conditional where the service honours If-Match (reference 1.3: it may not)."""
        parts = [self._patch(folder_id, each) for each in writes]

        def written(place: int, answer: Answer) -> OutlookContact | ContactError:
            contact = _contact(answer)
            if contact is None:
                return NotDone("Outlook's answer to a change cannot be read; it is written once more later.")
            return _with_marks(contact, writes[place])

        return self._carry_out(parts, "contacts.write", written, creating=False)

    def remove(self, folder_id: str, ids: Sequence[str], tags: Mapping[str, str]) -> list[ContactError | None]:
        """Remove, conditional where there is a tag; what is gone counts as removed."""

        def part(key: str) -> Part:
            headers = {**wire.PREFER, "If-Match": tags[key]} if tags.get(key) else wire.PREFER
            return Part("DELETE", wire.contact_path(self._mailbox, folder_id, key), headers)

        parts = [part(each) for each in ids]
        outcomes = self._carry_out(parts, "contacts.remove", lambda place, answer: None, creating=False)
        return [None if isinstance(each, ContactGone) else each for each in outcomes]

    def erase(self, folder_id: str, ids: Sequence[str]) -> list[ContactError | None]:
        """Remove for good, past Deleted Items (reference 1.5); what is gone counts as removed."""
        parts = [
            Part("POST", f"{wire.contact_path(self._mailbox, folder_id, each)}/permanentDelete", wire.PREFER)
            for each in ids
        ]
        outcomes = self._carry_out(parts, "contacts.erase", lambda place, answer: None, creating=False)
        return [None if isinstance(each, ContactGone) else each for each in outcomes]

    def _patch(self, folder_id: str, write: OutlookWrite) -> Part:
        headers = {**_JSON, "If-Match": write.current.etag} if write.current.etag else _JSON
        url = wire.contact_path(self._mailbox, folder_id, write.current.id)
        return Part("PATCH", url, headers, body_of_write(write, self._category))

    def _carry_out[Done](
        self, parts: Sequence[Part], what: str, done: Callable[[int, Answer], Done], *, creating: bool
    ) -> list[Done | ContactError]:
        outcomes: list[Done | ContactError] = []
        raised: SyncError | None = None
        something_done = False
        for place, outcome in enumerate(self._requests.batch(parts, what=what)):
            if isinstance(outcome, Answer) and outcome.ok:
                outcomes.append(done(place, outcome))
                something_done = True
                continue
            error = _failure(outcome, creating=creating)
            if not isinstance(error, ContactError):
                raised = raised or error
                error = NotDone("The mailbox stopped taking changes; it is tried again later.")
            something_done = something_done or isinstance(error, OutcomeUnknown | ContactGone)
            outcomes.append(error)
        if raised is not None and not something_done:
            raise raised
        return outcomes


def _failure(outcome: Answer | Unanswered, *, creating: bool) -> SyncError:
    if isinstance(outcome, Answer):
        return contact_failure(outcome, creating=creating)
    if outcome is Unanswered.UNKNOWN:
        return OutcomeUnknown("Outlook did not answer: the contact may have been created.")
    return NotDone("Outlook was not reached in time; it is done later.")


def _contact(answer: Answer) -> OutlookContact | None:
    return contact_of(answer.body, marks_known=False) if isinstance(answer.body, dict) else None


def _with_marks(contact: OutlookContact, write: OutlookWrite) -> OutlookContact:
    """The answer with the marks that the service does not repeat: as read just before, or as written now."""
    current = write.current
    stamp = None if write.remove_marks else write.stamp or current.stamp
    return replace(contact, stamp=stamp, private=current.private, marks_known=current.marks_known)
