"""Why is this contact (not) synced? Answered from the snapshot and the profile's state, without BC or Outlook."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from shared.cards import emails
from shared.cards.model import BcContact
from shared.engine.callers import is_object_id
from shared.engine.finding import contacts_meant
from shared.engine.model import Profile, Retry
from shared.engine.rules_of import rules_of
from shared.engine.services import Services
from shared.engine.state import ProfileState
from shared.errors import RequestError
from shared.filters import Filter, first_failing_term
from shared.planning.journalled import Entry
from shared.planning.model import Link, Parked, Rules, ScopeReason
from shared.planning.scope import scope_of

MOST = 20  #: contacts explained in one answer
WRITES_MOST = 10  #: writes shown of each
BATCHES_MOST = 500  #: of the journal, looked at for them


@dataclass(frozen=True, slots=True)
class FailingTerm:
    """The part of a filter that excludes a contact."""

    filter: str  #: "profile" or "company"
    field: str
    expression: str


@dataclass(frozen=True, slots=True)
class Written:
    """One write to a contact, as the journal holds it."""

    run_id: str
    at: datetime
    entry: Entry


@dataclass(frozen=True, slots=True)
class Explained:
    """One contact and what the sync makes of it."""

    contact: BcContact | None  #: None: not in the company any more
    bc_id: str
    scope: ScopeReason | None  #: None for a contact that is gone
    term: FailingTerm | None
    link: Link | None
    hidden: bool  #: the user deleted it and it stays away (R23)
    parked: tuple[Parked, ...]  #: Outlook contacts of the folder with its e-mail address that are not synced
    retry: Retry | None  #: it failed and is tried again (R31)
    summary: str  #: in one sentence
    writes: tuple[Written, ...] = ()  #: what the sync wrote to it last, newest first (R36)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer: every contact that the question may mean."""

    as_of: datetime | None  #: how fresh the snapshot is; None: BC was never read
    contacts: tuple[Explained, ...]


def explain(services: Services, profile: Profile, contact: str) -> Explanation:
    """Explain a contact, given by BC id, number or e-mail address. Raises RequestError `unknown-contact` (404)."""
    company_id = profile.company_id
    feed = services.companies.feed(company_id)
    state = services.mailboxes.peek(profile.mailbox_id, company_id, profile.id)
    wanted = contact.strip()
    found = contacts_meant(services, company_id, wanted)
    company = services.companies.settings(company_id)
    rules = rules_of(profile, company, services.environment, services.limits.category)
    if found:
        explained = [_explained(each, rules, state) for each in found[:MOST]]
        return Explanation(feed.refreshed_at, _with_writes(services, profile, explained))
    gone = _gone(wanted.lower(), state) if is_object_id(wanted) else None
    if gone is not None:
        return Explanation(feed.refreshed_at, _with_writes(services, profile, [gone]))
    raise RequestError(
        "No contact of the company, as it was last read, has this id, number or e-mail address. A contact just made in "
        "Business Central is known after the next sync.",
        code="unknown-contact",
        status=404,
        field="contact",
    )


def _with_writes(services: Services, profile: Profile, explained: Sequence[Explained]) -> tuple[Explained, ...]:
    """What the journal says of the contacts; only its newest batches are read."""
    found: dict[str, list[Written]] = {each.bc_id: [] for each in explained}
    owner = {each.link.outlook_id: each.bc_id for each in explained if each.link}
    for batch in islice(services.journal.of_mailbox(profile.mailbox_id), BATCHES_MOST):
        if (batch.company_id, batch.profile_id) != (profile.company_id, profile.id):
            continue
        for entry in reversed(batch.entries):
            bc_id = entry.bc_id if entry.bc_id in found else owner.get(entry.outlook_id, "")
            if bc_id and len(found[bc_id]) < WRITES_MOST:
                found[bc_id].append(Written(batch.run_id, batch.at, entry))
    newest = {key: sorted(each, key=lambda one: one.at, reverse=True) for key, each in found.items()}
    return tuple(replace(each, writes=tuple(newest[each.bc_id])) for each in explained)


def _explained(contact: BcContact, rules: Rules, state: ProfileState) -> Explained:
    scope = scope_of(contact, rules)
    link = state.links_by_bc([contact.id]).get(contact.id)
    key = emails.key_of(contact.text("email"))
    hidden = contact.id in state.hidden()
    parked = tuple(state.parked_by_keys([key]).values()) if key else ()
    retry = _retry(state, contact.id, link)
    return Explained(
        contact,
        contact.id,
        scope,
        _term(scope, rules, contact),
        link,
        hidden,
        parked,
        retry,
        _summary(scope, link, hidden, parked, retry),
    )


def _gone(bc_id: str, state: ProfileState) -> Explained | None:
    link = state.links_by_bc([bc_id]).get(bc_id)
    hidden, retry = bc_id in state.hidden(), _retry(state, bc_id, link)
    if link is None and not hidden and retry is None:
        return None
    words = "The contact is not in Business Central any more; the next run takes it out of the folder."
    return Explained(None, bc_id, None, None, link, hidden, (), retry, words)


def _retry(state: ProfileState, bc_id: str, link: Link | None) -> Retry | None:
    keys = {("bc", bc_id), ("outlook", link.outlook_id if link else "")}
    return next((each for each in state.retries() if (each.side, each.key) in keys), None)


def _term(scope: ScopeReason, rules: Rules, contact: BcContact) -> FailingTerm | None:
    by_reason: dict[ScopeReason, tuple[str, Filter]] = {
        ScopeReason.FILTER: ("profile", rules.filter),
        ScopeReason.BASE_FILTER: ("company", rules.base_filter),
    }
    if scope not in by_reason:
        return None
    whose, contact_filter = by_reason[scope]
    failing = first_failing_term(contact_filter, contact.values)
    return FailingTerm(whose, *failing) if failing else None


_WHY_NOT = {
    ScopeReason.ERASED: "it was erased, and only its id is known here",
    ScopeReason.PRIVACY_BLOCKED: "it is privacy blocked in Business Central",
    ScopeReason.NOT_A_PERSON: "it is a company, and only persons are synced",
    ScopeReason.NO_EMAIL: "it has no valid e-mail address in Business Central",
    ScopeReason.BASE_FILTER: "the company's filter excludes it",
    ScopeReason.FILTER: "the profile's filter excludes it",
}


def _summary(
    scope: ScopeReason, link: Link | None, hidden: bool, parked: tuple[Parked, ...], retry: Retry | None
) -> str:
    if link is not None and scope is ScopeReason.IN_SCOPE and link.paused:
        fields = ", ".join(sorted(each.field.value for each in link.paused))
        return f"It is synced, but for what was set back again and again and is paused: {fields}."
    if link is not None and scope is ScopeReason.IN_SCOPE:
        return "It is synced." if retry is None else "It is synced, but the last attempt failed; it is tried again."
    if link is not None:
        return f"It is linked, although {_WHY_NOT[scope]}; it is the user's own, or the next run takes it out."
    if scope is not ScopeReason.IN_SCOPE:
        return f"It is not synced: {_WHY_NOT[scope]}."
    if hidden:
        return (
            "It is not synced: the user deleted it in Outlook, or an administrator undid its creation; it stays away "
            "until it is un-hidden."
        )
    if parked:
        return "It is not linked: a contact of the folder with its e-mail address stays as it is (see `unlinked`)."
    if retry is not None:
        return "It could not be synced; it is tried again."
    return "It is selected; the next run brings it into the folder."
