"""The “validate connection” of the set-up page: each part is tried by itself and says ok or what to do."""

from collections.abc import Callable, Sequence

from shared.engine import company_feed
from shared.engine.callers import Caller, Subject, check_origin, choose, user_id_of
from shared.engine.checks import Check, Checks
from shared.engine.company_holds import RESTORED
from shared.engine.connection import missing_permissions, try_company, try_mailbox
from shared.engine.folder_choice import check_free, check_unmoved
from shared.engine.folders import choose_folder
from shared.engine.model import Profile
from shared.engine.profiles import Draft, look_at_mailbox, others_in, positions_of, prepare
from shared.engine.reasons import waiting, why_not_run
from shared.engine.rules_of import rules_of
from shared.engine.services import Services
from shared.engine.watching import Source
from shared.engine.wishes import Wish
from shared.errors import (
    CompanyError,
    ProfileError,
    RequestError,
    SettingsError,
    SyncError,
)
from shared.pace import Pace
from shared.planning.model import Direction, ScopeReason
from shared.planning.scope import scope_of

CHECKS = (
    *("token", "mailbox", "folder", "company", "write", "filter", "selection", "webhook"),
    *("pause", "held", "oscillation"),
)
#: refusals of the request itself: nothing can be tried for it
_REFUSED = ("several-companies", "wrong-environment", "bad-user", "admin-only", "changed-meanwhile")


def validate(services: Services, subject: Subject, wish: Wish, caller: Caller, pace: Pace) -> list[Check]:
    """Try everything for a profile as it is saved, or as it would be with the wish in it. Changes nothing but the
    company's feed. Raises RequestError for a request that is wrong in itself."""
    check_origin(services, caller)
    checks = Checks()
    draft = _draft(services, subject, wish, caller, pace, checks)
    if draft is None:
        return checks.in_order(CHECKS)
    _webhook(services, draft.profile, checks)
    _standing(services, draft.profile, checks)
    _outlook(services, draft, wish, pace, checks)
    if checks.run("filter", "The filter cannot be used.", lambda: _filter(services, draft)):
        _business_central(services, draft.profile, pace, checks, lambda: _selection(services, draft, pace))
    else:
        _business_central(services, draft.profile, pace, checks, None)
    if "token" not in checks.found:
        _permissions(services, checks)
    return checks.in_order(CHECKS)


def _draft(
    services: Services, subject: Subject, wish: Wish, caller: Caller, pace: Pace, checks: Checks
) -> Draft | None:
    """The profile to try; what keeps it from being made is itself an answer."""
    try:
        profiles = services.profiles.of_user(user_id_of(services, subject.user, pace))
        exists = choose(services, profiles, subject.company or caller.company_id) is not None
        return prepare(services, subject, wish, caller, pace, whole=not exists, admin=False)
    except RequestError as error:
        if error.code in _REFUSED:
            raise
        checks.bad(_PART_OF.get(error.field or "", "company"), "The set-up cannot be used.", str(error))
    except ProfileError as error:
        checks.bad("mailbox", "The mailbox cannot be used.", str(error))
    except CompanyError as error:
        checks.bad("company", "The company cannot be read.", str(error))
    except SettingsError as error:
        checks.bad("token", "The app gets no token.", str(error))
    return None


def _permissions(services: Services, checks: Checks) -> None:
    """What the tokens lack, where something worked or they can say."""
    try:
        lacking = missing_permissions(services)
    except SettingsError as error:
        checks.bad("token", "The app gets no token.", str(error))
        return
    except SyncError:  # the parts that need a token say it
        return
    if lacking:
        checks.bad("token", " ".join(each.detail for each in lacking), " ".join(each.what_to_do for each in lacking))
    elif checks.is_good("mailbox") or checks.is_good("company"):
        checks.good("token", "The app gets tokens.")


_PART_OF = {"folder": "folder", "user": "mailbox", "mailbox": "mailbox"}


def _outlook(services: Services, draft: Draft, wish: Wish, pace: Pace, checks: Checks) -> None:
    def mailbox() -> str:
        return try_mailbox(services, draft.profile.mailbox_id, pace)

    def folder() -> str:
        positions = positions_of(services, draft)
        check_free(draft.profile, others_in(services, draft.profile))
        if draft.before is not None:
            check_unmoved(draft.before, draft.profile, positions)
        look_at_mailbox(services, draft, wish, pace)
        outlook = services.directory(pace).outlook(draft.profile.mailbox_id)
        chosen = choose_folder(outlook, draft.profile, positions, services.environment, look_only=True)
        if chosen.folder is None:
            return "The folder does not exist yet; the first run makes it."
        return "The folder is there."

    if checks.run("mailbox", "The mailbox cannot be used.", mailbox):
        checks.run("folder", "The folder cannot be used.", folder)


def _filter(services: Services, draft: Draft) -> str:
    rules_of(draft.profile, draft.company, services.environment, services.limits.category)
    return "The filter can be used." if draft.profile.filter else "No filter: every person with an e-mail address."


def _business_central(
    services: Services, profile: Profile, pace: Pace, checks: Checks, count: Callable[[], str] | None
) -> None:
    def company() -> str:
        return try_company(services, profile.company_id, pace)

    if not checks.run("company", "The company cannot be read.", company):
        return
    _write(services, profile, checks)
    if count is not None:
        checks.run("selection", "The contacts could not be counted.", count)


def _write(services: Services, profile: Profile, checks: Checks) -> None:
    """Nothing can be tried without writing; what runs were refused is known."""
    if profile.direction is Direction.TO_OUTLOOK:
        checks.good("write", "This profile writes nothing to Business Central.")
        return
    feed = services.companies.feed(profile.company_id)
    if feed.writes_stopped_until is not None:
        checks.bad("write", "Business Central refused the last change.", feed.writes_stopped_reason)
        return
    checks.good("write", "No run was refused a change. Nothing was written to try it.")


def _selection(services: Services, draft: Draft, pace: Pace) -> str:
    profile = draft.profile
    rules = rules_of(profile, draft.company, services.environment, services.limits.category)
    company_feed.bring_up_to_date(services, profile.company_id, services.now(), pace)
    contacts = services.companies.all_contacts(profile.company_id)
    number = sum(scope_of(each, rules) is ScopeReason.IN_SCOPE for each in contacts)
    return f"Contacts selected: {number}."


def _webhook(services: Services, profile: Profile, checks: Checks) -> None:
    """What upkeep met last; a subscription is not made for trying, since it announces changes from then on."""
    polled = "Changes in Outlook are found by the timer."
    if not services.public_address:
        checks.bad("webhook", polled, NO_ADDRESS)
        return
    known = services.subscriptions.get(Source.GRAPH, profile.company_id, profile.id)
    if known is not None and known.is_healthy(services.now()):
        whole = " of the whole mailbox, since Graph takes none on folders" if known.whole_mailbox else ""
        if known.problem:
            checks.bad(
                "webhook", f"Outlook announces changes{whole}, but the subscription was not renewed.", known.detail
            )
        else:
            checks.good("webhook", f"Outlook announces changes{whole}.")
    elif known is not None and known.problem:
        checks.bad("webhook", f"There is no subscription. {polled}", known.detail)
    else:
        checks.good("webhook", f"The subscription is made after the first run. {polled}")


def _standing(services: Services, profile: Profile, checks: Checks) -> None:
    """What keeps a connection that works from being used: worth a look, and no mistake of the set-up."""
    state = services.mailboxes.peek(profile.mailbox_id, profile.company_id, profile.id)
    waits = waiting(services, profile, state)
    stopped = why_not_run(services, profile, waits)
    _look(checks, "pause", [each.detail for each in stopped], "The profile is synced.", _GO_ON)
    own = [f"{each.kind}: {each.why}" for each in waits if each.kind != RESTORED]
    _look(checks, "held", own, "Nothing waits for approval.", _APPROVE)
    swinging = sum(bool(each.paused) for each in state.all_links())
    words = [f"Contacts with a field that was set back again and again and is paused: {swinging}."] if swinging else []
    _look(checks, "oscillation", words, "No field of a contact is paused.", _FIND_SWINGS)


def _look(checks: Checks, check: str, found: Sequence[str], fine: str, what_to_do: str) -> None:
    if found:
        checks.look(check, " ".join(found), what_to_do)
    else:
        checks.good(check, fine)


_GO_ON = "What changes meanwhile is synced when it goes on."
_APPROVE = "`state.holds` of the profile names the run; an administrator looks into its report and approves it."
_FIND_SWINGS = "The notes `oscillation` of runs name them; find what insists on its value, then resume the contact."


NO_ADDRESS = (
    "For changes within seconds set PUBLIC_ADDRESS to the https address at which Microsoft 365 reaches this app; "
    "everything else works without it."
)
