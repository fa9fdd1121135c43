"""Who is in scope (R1, R4, R22)."""

from shared.cards import emails
from shared.cards.model import BcContact, Field, Origin
from shared.filters import matches
from shared.planning.model import Rules, ScopeReason

#: what an own creation does not have to fulfil (R4)
FILTER_REASONS = frozenset({ScopeReason.FILTER, ScopeReason.BASE_FILTER})


def scope_of(contact: BcContact, rules: Rules) -> ScopeReason:
    """Why a contact is or is not in scope; the first reason that applies, privacy before all others."""
    if not contact.values:
        return ScopeReason.ERASED
    if contact.privacy_blocked:
        return ScopeReason.PRIVACY_BLOCKED
    if not contact.is_person:
        return ScopeReason.NOT_A_PERSON
    if not emails.first_valid(contact.card.get(Field.EMAIL)):
        return ScopeReason.NO_EMAIL
    if not matches(rules.base_filter, contact.values):
        return ScopeReason.BASE_FILTER
    if not matches(rules.filter, contact.values):
        return ScopeReason.FILTER
    return ScopeReason.IN_SCOPE


def belongs(contact: BcContact, rules: Rules, origin: Origin | None) -> bool:
    """Whether the contact has a place in the folder: in scope, or an own creation that only a filter excludes (R4)."""
    return has_place(scope_of(contact, rules), origin)


def has_place(reason: ScopeReason, origin: Origin | None) -> bool:
    """The same, of what `scope_of` says about the contact."""
    return reason is ScopeReason.IN_SCOPE or (origin is Origin.OWN and reason in FILTER_REASONS)


def concerns(before: BcContact | None, after: BcContact | None, rules: Rules) -> bool:
    """Whether a change of a contact in BC is news for the profile: the contact is, or was, in its scope. That somebody
    was blocked is news for all: whoever wrote to the person once may hold values (R39)."""
    if after is not None and after.privacy_blocked:
        return before is None or not before.privacy_blocked
    return any(each is not None and scope_of(each, rules) is ScopeReason.IN_SCOPE for each in (after, before))


def is_limited_out(contact: BcContact, rules: Rules) -> bool:
    """Whether this run's own filter leaves the contact alone (a manual sync with `saveFilter: false`)."""
    return rules.limit_to is not None and not matches(rules.limit_to, contact.values)
