"""Why is this contact (not) synced? Answered from the snapshot and the profile's state, without BC or Outlook."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Self

from shared.cards import emails
from shared.cards.model import BcContact
from shared.cards.normalise import email_key
from shared.engine.callers import is_object_id
from shared.engine.finding import contacts_meant
from shared.engine.model import Profile, Retry
from shared.engine.reasons import (
    ERASED,
    Waiting,
    Why,
    stays_away,
    waiting,
    why_held,
    why_left,
    why_not_run,
    why_undone,
)
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

    contact: BcContact | None  #: None: not in the company, or not any more
    bc_id: str  #: blank for somebody who is in the folder only
    scope: ScopeReason | None  #: None for a contact that the company does not have
    term: FailingTerm | None
    link: Link | None
    hidden: bool  #: the user deleted it, or an undo took it away, and it stays away (R23, R36)
    parked: tuple[Parked, ...]  #: Outlook contacts of the folder with its e-mail address that are not synced
    retry: Retry | None  #: it failed and is tried again (R31)
    summary: str  #: in a sentence, and one more for each reason that keeps the next run from it
    reasons: tuple[Why, ...] = ()  #: what keeps it as it is beside its scope
    writes: tuple[Written, ...] = ()  #: what the sync wrote to it last, newest first (R36)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer: every contact that the question may mean."""

    as_of: datetime | None  #: how fresh the snapshot is; None: BC was never read
    contacts: tuple[Explained, ...]


def explain(services: Services, profile: Profile, contact: str) -> Explanation:
    """Explain a contact, given by BC id, number or e-mail address. Raises RequestError `unknown-contact` (404)."""
    feed = services.companies.feed(profile.company_id)
    scene = _Scene.of(services, profile)
    wanted = contact.strip()
    found = contacts_meant(services, profile.company_id, wanted)
    explained = [scene.known(each) for each in found[:MOST]]
    if not explained and (other := scene.unknown(wanted, erased=feed.erased)):
        explained = [other]
    if explained:
        return Explanation(feed.refreshed_at, _with_writes(services, profile, explained))
    raise RequestError(
        "No contact of the company, as it was last read, has this id, number or e-mail address. A contact just made in "
        "Business Central is known after the next sync; who is privacy blocked, by id or number only.",
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
    return tuple(_with(each, newest[each.bc_id]) for each in explained)


def _with(explained: Explained, writes: list[Written]) -> Explained:
    undone = why_undone([(each.run_id, each.entry) for each in writes]) if explained.link else []
    return replace(explained, writes=tuple(writes), reasons=(*explained.reasons, *undone))


@dataclass(frozen=True, slots=True)
class _Scene:
    """What is asked once, however many contacts are explained."""

    services: Services
    company_id: str
    rules: Rules
    state: ProfileState
    hidden: Mapping[str, str]
    waits: Sequence[Waiting]
    not_run: Sequence[Why]  #: what keeps the whole profile from being synced

    @classmethod
    def of(cls, services: Services, profile: Profile) -> Self:
        """Look at a profile."""
        company_id = profile.company_id
        company = services.companies.settings(company_id)
        rules = rules_of(profile, company, services.environment, services.limits.category)
        state = services.mailboxes.peek(profile.mailbox_id, company_id, profile.id)
        waits = waiting(services, profile, state)
        return cls(services, company_id, rules, state, state.hidden(), waits, why_not_run(services, profile, waits))

    def known(self, contact: BcContact) -> Explained:
        """A contact of the company."""
        scope = scope_of(contact, self.rules)
        key = emails.key_of(contact.text("email"))
        parked = tuple(self.state.parked_by_keys([key]).values()) if key else ()
        return self._explained(contact, contact.id, scope, parked)

    def unknown(self, wanted: str, *, erased: bool) -> Explained | None:
        """Somebody whom the company does not have: gone, erased, or in the folder only. None for nobody."""
        bc_id = wanted.lower() if is_object_id(wanted) else ""
        address = email_key(wanted) if "@" in wanted else ""
        parked = tuple(self.state.parked_by_keys([address]).values()) if address else ()
        if erased and (bc_id or address) in self.services.companies.erased(self.company_id):
            return self._explained(None, bc_id, ScopeReason.ERASED, parked)
        found = self._explained(None, bc_id, None, parked)
        return found if found.link or found.hidden or found.retry or found.parked else None

    def _explained(
        self, contact: BcContact | None, bc_id: str, scope: ScopeReason | None, parked: tuple[Parked, ...]
    ) -> Explained:
        link = self.state.links_by_bc([bc_id]).get(bc_id) if bc_id else None
        hidden = self.hidden.get(bc_id)
        outlook_ids = [each.outlook_id for each in parked] + ([link.outlook_id] if link else [])
        held = why_held(self.waits, bc_id, outlook_ids)
        erased = [ERASED] if scope is ScopeReason.ERASED else []
        found = Explained(
            contact,
            bc_id,
            scope,
            _term(scope, self.rules, contact),
            link,
            stays_away(contact, hidden),
            parked,
            _retry(self.state, bc_id, outlook_ids),
            "",
            (*held, *self.not_run, *erased, *why_left(contact, link, hidden, parked)),
        )
        waits = " ".join(each.detail for each in (*held, *self.not_run))
        return replace(found, summary=f"{_summary(found, held=bool(held))} {waits}".rstrip())


def _retry(state: ProfileState, bc_id: str, outlook_ids: Sequence[str]) -> Retry | None:
    keys = {("bc", bc_id), *(("outlook", each) for each in outlook_ids)}
    return next((each for each in state.retries() if (each.side, each.key) in keys), None)


def _term(scope: ScopeReason | None, rules: Rules, contact: BcContact | None) -> FailingTerm | None:
    by_reason: dict[ScopeReason, tuple[str, Filter]] = {
        ScopeReason.FILTER: ("profile", rules.filter),
        ScopeReason.BASE_FILTER: ("company", rules.base_filter),
    }
    if scope not in by_reason or contact is None:
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


def _summary(found: Explained, *, held: bool) -> str:
    """What the contact is to the sync; the next run is named only if nothing is `held` of it."""
    link, scope, retry = found.link, found.scope, found.retry
    if scope is None:
        return _summary_of_gone(found, held=held)
    if link is not None and scope is ScopeReason.IN_SCOPE and link.paused:
        fields = ", ".join(sorted(each.field.value for each in link.paused))
        return f"It is synced, but for what was set back again and again and is paused: {fields}."
    if link is not None and scope is ScopeReason.IN_SCOPE:
        return "It is synced." if retry is None else "It is synced, but the last attempt failed; it is tried again."
    if link is not None:
        tail = "" if held else "; it is the user's own, or the next run takes it out"
        return f"It is linked, although {_WHY_NOT[scope]}{tail}."
    if scope is not ScopeReason.IN_SCOPE:
        return f"It is not synced: {_WHY_NOT[scope]}."
    if found.hidden:
        undone = any(each.code == "undone" for each in found.reasons)
        who = "an administrator undid its creation" if undone else "the user deleted it in Outlook"
        return f"It is not synced: {who}; it stays away until it is un-hidden."
    if found.parked:
        return "It is not linked: a contact of the folder with its e-mail address stays as it is (see `unlinked`)."
    if retry is not None:
        return "It could not be synced; it is tried again."
    return "It is selected." if held else "It is selected; the next run brings it into the folder."


def _summary_of_gone(found: Explained, *, held: bool) -> str:
    if not found.bc_id:
        return (
            "Nobody in Business Central, as it was last read, has this e-mail address; a contact of the folder has it, "
            "and stays as it is (see `unlinked`)."
        )
    gone = "The contact is not in Business Central any more"
    return f"{gone}." if held or found.link is None else f"{gone}; the next run takes it out of the folder."
