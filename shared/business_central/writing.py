"""Creating, changing and deleting contacts in batches (BC reference 2.5, 2.7, 5), with R16's second sending."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.business_central.mapping import create_body, lost, read_contact, write_body
from shared.business_central.reactions import company_error, contact_error
from shared.business_central.wire import LANGUAGE, MOST_PARTS, is_guid
from shared.cards.model import FIELDS, BcContact, Field
from shared.engine.sides import BcDraft, BcWrite
from shared.errors import (
    ChangedMeanwhile,
    CompanyError,
    ContactError,
    ContactGone,
    NotDone,
    OutcomeUnknown,
    RetryableError,
    SyncError,
)
from shared.transport.batch import Batches, BatchRefused, Part, Unanswered
from shared.transport.client import Answer

Result = BcContact | ContactError


@dataclass(slots=True)
class _Written:
    """A contact as BC answered it, and what we expect it to hold by now."""

    place: int
    expected: Mapping[Field, str]
    held: BcContact


class Writer:
    """Writes into one company's contacts, at path `contacts`."""

    def __init__(self, batches: Batches, contacts: str) -> None:
        self._batches = batches
        self._contacts = contacts

    def create(self, drafts: Sequence[BcDraft]) -> list[Result]:
        """See BcSide.create. Of a call that was partly carried out, the rest is answered with errors, not raised."""
        parts = [Part("POST", self._contacts, LANGUAGE, create_body(draft), idempotent=False) for draft in drafts]
        results = self._contacts_of(self._carry_out(parts, "contacts.create"))
        return self._once_more([draft.values for draft in drafts], results)

    def write(self, writes: Sequence[BcWrite]) -> list[Result]:
        """See BcSide.write. A write without changes answers the contact as it was."""
        bodies = [write_body(write) for write in writes]
        results: list[Result] = [write.current for write in writes]
        sent = [place for place, body in enumerate(bodies) if body]
        parts = [self._patch(writes[place].current, bodies[place]) for place in sent]
        answers = self._contacts_of(self._carry_out(parts, "contacts.write"))
        written = self._once_more([_expected(writes[place]) for place in sent], answers)
        for place, result in zip(sent, written, strict=True):
            results[place] = result
        return results

    def remove(self, contacts: Sequence[BcContact]) -> list[ContactError | None]:
        """See BcSide.remove."""
        parts = [self._conditional("DELETE", contact) for contact in contacts]
        return [
            None if isinstance(outcome, Answer | ContactGone) else outcome
            for outcome in self._carry_out(parts, "contacts.remove")
        ]

    def _patch(self, current: BcContact, body: Mapping[str, str]) -> Part | ContactError:
        return self._conditional("PATCH", current, body)

    def _conditional(
        self, method: str, current: BcContact, body: Mapping[str, str] | None = None
    ) -> Part | ContactError:
        """A part that only works on the contact as it was read; without its tag it has to be read first (4)."""
        if not current.etag or not is_guid(current.id):
            return ChangedMeanwhile("The contact has to be read again before it is written.")
        headers = {**LANGUAGE, "If-Match": current.etag}
        return Part(method, f"{self._contacts}({current.id})", headers, body)

    def _carry_out(self, parts: Sequence[Part | ContactError], what: str) -> list[Answer | ContactError]:
        """Run the parts in order, a batch at a time; successes as answers.

        An error of the whole company is raised when nothing was done before it; otherwise it is what the rest, which is
        not tried any more, is answered with.
        """
        outcomes: list[Answer | ContactError] = [
            each if isinstance(each, ContactError) else _NOT_TRIED for each in parts
        ]
        open_places = [place for place, each in enumerate(parts) if isinstance(each, Part)]
        stop: SyncError | None = None
        for start in range(0, len(open_places), MOST_PARTS):
            places = open_places[start : start + MOST_PARTS]
            batch = [each for each in (parts[place] for place in places) if isinstance(each, Part)]
            answers, stop = self._run(batch, what)
            for place, part, answer in zip(places, batch, answers, strict=True):
                if isinstance(answer, Answer) and answer.ok:
                    outcomes[place] = answer
                    continue
                error = contact_error(answer, part.body or {})
                if isinstance(error, ContactError):
                    outcomes[place] = error
                else:
                    outcomes[place] = ContactError(str(error), code=error.code)
                    stop = stop or error
            if stop is not None:
                break
        return self._stopped(outcomes, stop)

    def _run(self, batch: Sequence[Part], what: str) -> tuple[Sequence[Answer | Unanswered], SyncError | None]:
        """One batch; when it fails as a whole, nothing of it was done, and the error."""
        try:
            return self._batches.run(batch, what=what), None
        except BatchRefused as refused:
            return [Unanswered.NOT_DONE] * len(batch), company_error(refused.answer)
        except RetryableError as error:
            return [Unanswered.NOT_DONE] * len(batch), error

    @staticmethod
    def _stopped(outcomes: list[Answer | ContactError], stop: SyncError | None) -> list[Answer | ContactError]:
        if stop is None:
            return outcomes
        if not any(_is_news(outcome) for outcome in outcomes):
            raise stop
        late = isinstance(stop, RetryableError)
        rest = NotDone(str(stop)) if late else ContactError(str(stop), code=stop.code)
        return [rest if outcome is _NOT_TRIED else outcome for outcome in outcomes]

    @staticmethod
    def _contacts_of(outcomes: Sequence[Answer | ContactError]) -> list[Result]:
        return [_contact_of(outcome) if isinstance(outcome, Answer) else outcome for outcome in outcomes]

    def _once_more(self, expected: Sequence[Mapping[Field, str]], results: list[Result]) -> list[Result]:
        """Send what BC cleared or overwrote by itself once more, the country alone first (R16)."""
        written = [
            _Written(place, expected[place], result)
            for place, result in enumerate(results)
            if isinstance(result, BcContact) and lost(expected[place], result)
        ]
        self._send_again([each for each in written if Field.COUNTRY in lost(each.expected, each.held)], country=True)
        self._send_again(written, country=False)
        for each in written:
            results[each.place] = each.held
        return results

    def _send_again(self, written: Sequence[_Written], *, country: bool) -> None:
        """Send the country, or everything lost but the country. What fails is left as the first write left it."""
        sent: list[_Written] = []
        parts: list[Part | ContactError] = []
        for each in written:
            missing = lost(each.expected, each.held)
            values = {which: value for which, value in missing.items() if (which is Field.COUNTRY) is country}
            if values:
                sent.append(each)
                parts.append(self._patch(each.held, write_body(BcWrite(each.held, values))))
        try:
            outcomes = self._carry_out(parts, "contacts.write-again")
        except (CompanyError, RetryableError):
            return
        for each, result in zip(sent, self._contacts_of(outcomes), strict=True):
            if isinstance(result, BcContact):
                each.held = result


_NOT_TRIED = ContactError("Not tried.")


def _is_news(outcome: Answer | ContactError) -> bool:
    """Whether a caller learns something from it that an error for the whole call would hide."""
    return isinstance(outcome, Answer | OutcomeUnknown)


def _contact_of(answer: Answer) -> Result:
    contact = read_contact(answer.body)
    # it was written, but BC did not say how it looks now: as good as no answer
    return contact or OutcomeUnknown("Business Central's answer to a write cannot be read.")


def _expected(write: BcWrite) -> dict[Field, str]:
    """What BC should hold after a write: what it held and what we sent."""
    return {which: write.values.get(which, write.current.card.get(which)) for which in FIELDS}
