"""Saving and listing profiles: every check before anything changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.engine import upkeep
from shared.engine.callers import (
    Caller,
    SeveralCompanies,
    Subject,
    check_origin,
    choose,
    find_company,
    find_profile,
    is_company,
    is_object_id,
    names_of,
    user_id_of,
)
from shared.engine.folder_choice import check_free, check_in_mailbox, check_unmoved, default_name, key
from shared.engine.model import CompanySettings, Positions, Profile
from shared.engine.rules_of import rules_of
from shared.engine.services import Services
from shared.engine.sides import Mailbox
from shared.engine.state import Mark
from shared.engine.versions import check_version
from shared.engine.watching import Source
from shared.engine.wishes import Wish, applied, decided_by_hand, refuse_admin_only
from shared.errors import MailboxUnavailable, RequestError
from shared.pace import Pace

NAMED_MOST = 10  #: companies named in a refusal
_KINDS = {
    "guest": "A guest's mailbox lies in another organisation; choose a user of this one.",
    "room": "This is a room's mailbox; choose a user's or a shared one.",
    "group": "A group has no contact folders; choose a user's or a shared mailbox.",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A profile as it would be saved, and what it was before."""

    before: Profile | None
    profile: Profile
    company: CompanySettings
    usual: bool  #: whether the folder's name is the one that nobody chose


def save(
    services: Services, subject: Subject, wish: Wish, caller: Caller, pace: Pace, *, whole: bool, admin: bool
) -> tuple[Profile, bool]:
    """Create or change a profile; answers it and whether it is new.

    `whole`: PUT, which creates, and puts what is left out to its default; else PATCH. Raises RequestError, FilterError,
    MailboxUnavailable, CompanyUnavailable, RetryableError; then nothing was changed.
    """
    draft = prepare(services, subject, wish, caller, pace, whole=whole, admin=admin)
    check(services, draft, wish, pace, whole=whole)
    if draft.company != services.companies.settings(draft.profile.company_id):
        save_name(services, draft.company)
    now = services.now()
    saved = services.profiles.save(replace(draft.profile, actor=caller.actor, changed_at=now))
    services.marks.put(Mark(saved.company_id, saved.id, saved.mailbox_id, now, "request"))
    _end_subscription(services, draft.before, saved, pace)
    return saved, draft.before is None


def _end_subscription(services: Services, before: Profile | None, saved: Profile, pace: Pace) -> None:
    """Nobody listens any more, or to another mailbox; the next run, or upkeep, makes the one that is wanted now."""
    if before is None or (saved.is_automatic and before.mailbox_id == saved.mailbox_id):
        return
    subscription = services.subscriptions.get(Source.GRAPH, before.company_id, before.id)
    if subscription is not None:
        upkeep.end(services, subscription, pace)


def prepare(
    services: Services, subject: Subject, wish: Wish, caller: Caller, pace: Pace, *, whole: bool, admin: bool
) -> Draft:
    """The profile with the wish in it; changes and checks nothing but what can be told from the request."""
    before = _before(services, subject, caller, pace, whole)
    if before is None:
        start, company = _new(services, subject, caller, pace, admin)
    else:
        start, company = before, services.companies.settings(before.company_id)
    check_version(wish.etag, start.etag, "The profile was")
    own = wish.mailbox is None or wish.mailbox.strip().casefold() in {
        start.mailbox_id.casefold(), start.mailbox_address.casefold(),
    }  # fmt: skip
    if not admin:
        refuse_admin_only(wish, start, own)
    if wish.mailbox is not None and not own:
        mailbox = usable(services.directory(pace).mailbox(wish.mailbox), "mailbox")
        start = replace(start, mailbox_id=mailbox.id.lower(), mailbox_address=mailbox.address)
    usual = _usual_folder(services, start, company, before)
    profile = applied(wish, start, whole=whole or before is None, usual_folder=usual)
    profile = decided_by_hand(profile, admin=admin)
    return Draft(before, profile, company, key(profile.folder_name) == key(usual))


def check(services: Services, draft: Draft, wish: Wish, pace: Pace, *, whole: bool) -> None:
    """Filter, folder and mailbox; raises what is wrong."""
    profile = draft.profile
    rules_of(profile, draft.company, services.environment, services.limits.category)
    check_free(profile, others_in(services, profile))
    positions = positions_of(services, draft)
    if draft.before is not None:
        check_unmoved(draft.before, profile, positions)
    if whole or draft.before is None or wish.folder is not None or wish.mailbox is not None:
        look_at_mailbox(services, draft, wish, pace)


def look_at_mailbox(services: Services, draft: Draft, wish: Wish, pace: Pace) -> None:
    """The mailbox exists and may be used, and the folder's name is free in it."""
    directory, profile = services.directory(pace), draft.profile
    if draft.before is not None and draft.before.mailbox_id == profile.mailbox_id:
        usable(directory.mailbox(profile.mailbox_id), "mailbox")
    check_in_mailbox(
        directory.outlook(profile.mailbox_id),
        profile,
        positions_of(services, draft),
        services.environment,
        adopt=wish.adopt,
        usual=draft.usual,
    )


def positions_of(services: Services, draft: Draft) -> Positions:
    """Where the profile stands; nowhere for a new one."""
    if draft.before is None:
        return Positions()
    before = draft.before
    return services.mailboxes.peek(before.mailbox_id, before.company_id, before.id).positions()


def others_in(services: Services, profile: Profile) -> list[Profile]:
    """The other profiles whose folder lies in the same mailbox."""
    me = (profile.company_id, profile.id)
    return [each for each in services.profiles.of_mailbox(profile.mailbox_id) if (each.company_id, each.id) != me]


def page(services: Services, *, company: str, top: int, after: str) -> tuple[Sequence[Profile], str]:
    """Profiles by company and user, and the token of the next page, blank at the end; `company` blank for all."""
    from_company, _, from_profile = after.partition(".")
    found: list[Profile] = []
    for company_id in sorted(services.profiles.companies()):
        if company_id < from_company or (company and company_id != company):
            continue
        after_profile = from_profile if company_id == from_company else ""
        found += services.profiles.in_company(company_id, after_profile, top + 1 - len(found))
        if len(found) > top:
            last = found[top - 1]
            return found[:top], f"{last.company_id}.{last.id}"
    return found, ""


def known_company(services: Services, wanted: str) -> str:
    """Id of a company that has profiles, by id or name. Raises RequestError `unknown-company` (404)."""
    companies = services.profiles.companies()
    for company_id in companies:
        if is_company(services, company_id, wanted):
            return company_id
    known = ", ".join(sorted(names_of(services, companies).values())[:NAMED_MOST]) or "none"
    raise RequestError(
        f"No profile belongs to such a company. Check its name or id; companies with profiles: {known}.",
        code="unknown-company",
        status=404,
        field="company",
    )


def the_company(services: Services, wanted: str) -> str:
    """The same; without one the only company that has profiles. Raises SeveralCompanies as well."""
    if wanted:
        return known_company(services, wanted)
    companies = services.profiles.companies()
    if len(companies) > 1:
        raise SeveralCompanies(names_of(services, companies))
    return companies[0] if companies else known_company(services, wanted)


def usable(mailbox: Mailbox, field: str) -> Mailbox:
    """A mailbox that can hold the folder. Raises RequestError `mailbox-kind` with the reason."""
    if mailbox.kind in _KINDS:
        raise RequestError(_KINDS[mailbox.kind], code="mailbox-kind", status=409, field=field)
    return mailbox


def _before(services: Services, subject: Subject, caller: Caller, pace: Pace, whole: bool) -> Profile | None:
    if not whole:
        return find_profile(services, subject, caller, pace)
    check_origin(services, caller)
    profiles = services.profiles.of_user(user_id_of(services, subject.user, pace))
    found = choose(services, profiles, subject.company or caller.company_id)
    if found is not None and caller.company_id:
        find_profile(services, Subject(found.id, found.company_id), caller, pace)
    return found


def _new(
    services: Services, subject: Subject, caller: Caller, pace: Pace, admin: bool
) -> tuple[Profile, CompanySettings]:
    own = usable(services.directory(pace).mailbox(subject.user.strip()), "user")
    if own.kind != "user" and not admin:
        raise RequestError(
            "This is a shared mailbox or its account is switched off; only an administrator can set it up "
            "(PUT /api/admin/profiles/{user}).",
            code="mailbox-kind",
            status=409,
            field="user",
        )
    if not is_object_id(own.id):
        raise MailboxUnavailable("The directory gave no object id for this user.", code="unknown-user")
    company = find_company(services, subject, caller, pace)
    company_id, user_id = company.id.lower(), own.id.lower()
    stored = services.companies.settings(company_id)
    profile = Profile(company_id, user_id, own.address, user_id, own.address)
    return profile, replace(stored, name=company.name)


def _usual_folder(services: Services, start: Profile, company: CompanySettings, before: Profile | None) -> str:
    """The default name; a profile that has one of the default names keeps it."""
    default = services.limits.default_folder
    if before is not None and before.mailbox_id == start.mailbox_id and not before.main_folder:
        own_names = {key(default), key(default_name(default, company.name, [replace(before, folder_name=default)]))}
        if key(before.folder_name) in own_names:
            return before.folder_name
    return default_name(default, company.name, others_in(services, start))


def save_name(services: Services, company: CompanySettings) -> None:
    """Keep the company's name, for %company and for answers; another request may have done it at the same time."""
    try:
        services.companies.save_settings(company)
    except RequestError as error:
        if error.code != "changed-meanwhile":
            raise
