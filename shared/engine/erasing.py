"""Erasing a person everywhere (R39): the company's rows at once, each mailbox by a run of its own.

First the keyed hashes, so that nobody lets the person in again; then the feed's values; then the runs. Whoever is
interrupted asks again: every step can be repeated.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from shared.cards import emails
from shared.cards.business_central import without_values
from shared.cards.model import BcContact
from shared.cards.normalise import email_key
from shared.engine.callers import is_object_id
from shared.engine.company_state import APPROVED_GONE, FeedChanges, FeedState, HeldFeed, LogEntry
from shared.engine.finding import contacts_meant
from shared.engine.holds import Hold
from shared.engine.model import Erases, Profile, Report
from shared.engine.parallel import in_parallel
from shared.engine.requests import Wanted, request_run
from shared.engine.services import Services
from shared.engine.sides import BcSide
from shared.engine.state import Busy
from shared.errors import CompanyError, RequestError, RetryableError
from shared.pace import Pace
from shared.planning.erased import Erased


def erase(services: Services, company_id: str, contact: str, actor: str, pace: Pace) -> list[Report]:
    """Erase a person, given by BC id, or by an e-mail address that nobody in BC has any more.

    Answers the runs that do it in the mailboxes of all profiles, switched off or not: a mailbox that holds the person
    no longer may have reports and a journal that do. The caller sends the sync-jobs messages. Raises RequestError
    `still-in-bc` (409), `bad-contact`, RetryableError `feed-busy`.
    """
    wanted = contact.strip()
    bc_id, keys = _meant(services, company_id, wanted, pace)
    known = [*services.companies.contacts(company_id, [bc_id]).values()] if bc_id else []
    if any(each.privacy_blocked for each in known):  # Business Central alone knows their addresses
        known += _asked(services, company_id, pace, lambda bc: bc.read([bc_id]).values())
    keys |= {key for each in known for key in emails.keys_of(each.text("email"))}
    erased = services.companies.mark_erased(company_id, [bc_id, *_of_nobody_else(services, company_id, keys, bc_id)])
    _clean_company(services, company_id, erased, pace)
    services.companies.forget_claims(company_id, sorted(keys))
    wish = Wanted(erases=Erases(bc_id))

    def asked(profile: Profile) -> Report:
        return request_run(services, profile, wish, actor)

    return in_parallel(asked, list(services.profiles.in_company(company_id)))


def _asked(
    services: Services, company_id: str, pace: Pace, ask: Callable[[BcSide], Iterable[BcContact | None]]
) -> list[BcContact]:
    """What Business Central says; nobody where the company is gone or shut: what is known of it can still be erased."""
    try:
        found = list(ask(services.business_central(pace).company(company_id)))
    except CompanyError:
        return []
    return [each for each in found if each is not None]


def _is_of_blocked(services: Services, company_id: str, key: str, pace: Pace) -> bool:
    """Whether somebody has this address of whom the snapshot does not tell it (R39)."""
    if not services.companies.feed(company_id).blocked:
        return False
    return bool(_asked(services, company_id, pace, lambda bc: bc.find_persons([key]).get(key, ())))


def _meant(services: Services, company_id: str, wanted: str, pace: Pace) -> tuple[str, set[str]]:
    """BC id, or e-mail keys of somebody who is gone."""
    if is_object_id(wanted):
        return wanted.lower(), set()
    if not email_key(wanted) or not emails.is_valid(email_key(wanted)):
        raise RequestError(
            "Give the contact's id in Business Central, or the e-mail address of somebody who is gone from there. "
            "POST /api/admin/contacts/find tells the id.",
            code="bad-contact",
            field="contact",
        )
    key = email_key(wanted)
    if contacts_meant(services, company_id, wanted) or _is_of_blocked(services, company_id, key, pace):
        raise RequestError(
            "Somebody in Business Central has this e-mail address. Erase by the contact's id there, which POST "
            "/api/admin/contacts/find tells, but for the privacy blocked: theirs Business Central tells.",
            code="still-in-bc",
            status=409,
            field="contact",
        )
    return "", {key}


def _of_nobody_else(services: Services, company_id: str, keys: set[str], bc_id: str) -> list[str]:
    """An address that another person has as well (R10) stops nobody."""
    persons = services.companies.persons_with(company_id, keys) if keys else {}
    return sorted(key for key in keys if all(each.id == bc_id for each in persons.get(key, ())))


def _clean_company(services: Services, company_id: str, erased: Erased, pace: Pace) -> None:
    """Snapshot, roster, change log and the company's holds, under the feed's lease."""
    give_up = min(services.monotonic() + services.limits.feed_wait, pace.deadline)
    while isinstance(held := services.companies.hold_feed(company_id, services.new_id()), Busy):
        if services.monotonic() > give_up:
            raise RetryableError("The company is being read; ask again in a minute.", code="feed-busy")
        services.sleep(held.next_look)
    try:
        erased = services.companies.mark_erased(company_id, _gone_with_address(services, held, company_id, erased))
        ids = [each for each in held.roster() if each in erased]
        contacts = services.companies.contacts(company_id, ids).values()
        changes = FeedChanges(
            changed=[without_values(each) for each in contacts if each.values],
            rewritten=[_emptied(each) for each in held.all_log() if each.bc_id in erased],
            log=False,
        )
        changes.state = _without_holds(services, held, company_id, erased, changes)
        held.commit(changes)
    finally:
        held.release()


def _gone_with_address(services: Services, held: HeldFeed, company_id: str, erased: Erased) -> set[str]:
    """BC ids that the log knows by an erased address, and that Business Central has no more."""
    known = {
        entry.bc_id
        for entry in held.all_log()
        if any(each is not None and erased.has_first(each.text("email")) for each in (entry.after, entry.before))
    }
    return known - {each.id for each in services.companies.contacts(company_id, known).values() if each.values}


def _emptied(entry: LogEntry) -> LogEntry:
    after, before = (None if each is None else without_values(each) for each in (entry.after, entry.before))
    return replace(entry, after=after, before=before)


def _without_holds(
    services: Services, held: HeldFeed, company_id: str, erased: Erased, changes: FeedChanges
) -> FeedState:
    state = held.state()

    def left_of(kind: str) -> Sequence[str] | None:
        waiting = services.companies.held(company_id, kind)
        left = sorted(each for each in waiting if each not in erased)
        if len(left) == len(waiting):
            return None
        changes.held[kind] = left
        return left

    def hold_after(hold: Hold | None) -> Hold | None:
        left = left_of(hold.kind) if hold is not None else None
        return hold if hold is None or left is None else replace(hold, count=len(left)) if left else None

    if state.approved_gone:
        left_of(APPROVED_GONE)
    return replace(state, erased=True, stopped=hold_after(state.stopped), held=hold_after(state.held))
