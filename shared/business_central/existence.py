"""Reading contacts by id, and being sure that one does not exist (BC reference 7, R25)."""

from collections.abc import Iterable, Mapping, Sequence

from shared.business_central.mapping import read_contact, row_id
from shared.business_central.reactions import company_error
from shared.business_central.walk import page
from shared.business_central.wire import PRIMARY, SELECT, is_guid, query
from shared.cards.model import BcContact
from shared.transport.batch import Batches, BatchRefused, Part, Unanswered
from shared.transport.client import Answer

IDS_PER_FILTER = 50  #: keeps the URL below 4 KB (3.4)


def read_by_id(batches: Batches, contacts: str, ids: Sequence[str]) -> Mapping[str, BcContact | None]:
    """Contacts by id from the collection at path `contacts`. None: BC denies this id twice, in two ways, while it shows
    other contacts of the company. Ids without a clear outcome, or that BC could never have given, are left out.

    Raises CompanyUnavailable and RetryableError when the company as a whole cannot be read.
    """
    wanted = list(dict.fromkeys(each.lower() for each in ids if is_guid(each)))
    parts = [_get(query(f"{contacts}({each})", select=SELECT)) for each in wanted]
    answers = run(batches, parts, "contacts.read")
    found: dict[str, BcContact | None] = {}
    denied: list[str] = []
    unclear = False
    for each, answer in zip(wanted, answers, strict=True):
        if not isinstance(answer, Answer):
            continue
        if answer.ok:
            contact = read_contact(answer.body)
            if contact is not None and contact.id == each:
                found[each] = contact
        elif answer.status == 404 and answer.error()[0].lower() == "badrequest_resourcenotfound":
            denied.append(each)
        else:
            unclear = True
    if denied or unclear:
        for each in _confirmed(batches, contacts, denied):
            found[each] = None
    return {each: found[each.lower()] for each in ids if each.lower() in found}


def run(batches: Batches, parts: Sequence[Part], what: str) -> list[Answer | Unanswered]:
    """Run reading parts. Raises CompanyUnavailable and so on when the batch as a whole is refused."""
    try:
        return batches.run(parts, what=what)
    except BatchRefused as refused:
        raise company_error(refused.answer) from refused


def _confirmed(batches: Batches, contacts: str, denied: Sequence[str]) -> Iterable[str]:
    """Those of the denied ids that a look-up does not show either, while the company can be read."""
    chunks = [denied[start : start + IDS_PER_FILTER] for start in range(0, len(denied), IDS_PER_FILTER)]
    anyone = _get(query(contacts, top="1", select="id"))
    parts = [anyone, *(_get(query(contacts, filter=_any_of(chunk), select="id")) for chunk in chunks)]
    first, *rest = run(batches, parts, "contacts.confirm")
    if not isinstance(first, Answer):
        return ()
    if not first.ok:
        raise company_error(first)
    if not page(first)[0]:
        return ()  # a company that shows nobody at all is no proof that one of them was deleted
    gone: list[str] = []
    for chunk, answer in zip(chunks, rest, strict=True):
        if isinstance(answer, Answer) and answer.ok:
            rows, link = page(answer)
            shown = {row_id(row) for row in rows}
            if link is None and None not in shown:
                gone.extend(each for each in chunk if each not in shown)
    return gone


def _any_of(ids: Sequence[str]) -> str:
    return " or ".join(f"id eq {each}" for each in ids)


def _get(url: str) -> Part:
    return Part("GET", url, headers=PRIMARY)
