"""The parts of a connection that are tried in more than one place: for a profile, for the app's health, by the doctor.

Each answers what works in one sentence, and raises what is wrong with what to do.
"""

from collections.abc import Sequence

from shared.engine.checks import Check
from shared.engine.permissions import Api, permission_checks, why_refused
from shared.engine.services import Services
from shared.errors import MailboxUnavailable, RequestError
from shared.pace import Pace

NOBODY = "00000000-0000-0000-0000-000000000000"  #: a user that no directory knows


def try_directory(services: Services, pace: Pace) -> str:
    """Whether Graph answers: nobody's mailbox is asked for. Where Exchange limits the app, a refusal is an answer."""
    try:
        services.directory(pace).mailbox(NOBODY)
    except MailboxUnavailable as error:
        if error.code == "no-permission" and services.granted(Api.GRAPH) == frozenset():
            return "Microsoft Graph answers; users can only be named by object id."
        if error.code not in ("unknown-user", "no-mailbox"):
            raise
    return "The directory can be read."


def try_mailbox(services: Services, mailbox_id: str, pace: Pace) -> str:
    """Whether the app may use a mailbox. Raises MailboxUnavailable; a refusal is explained by what the token says."""
    try:
        services.directory(pace).mailbox(mailbox_id)
    except MailboxUnavailable as error:
        if error.code != "no-permission":
            raise
        raise MailboxUnavailable(why_refused(services.granted(Api.GRAPH)) or str(error), code=error.code) from None
    return "The mailbox can be reached."


def try_company(services: Services, company_id: str, pace: Pace) -> str:
    """Whether the app may enter a company. Raises RequestError, CompanyUnavailable."""
    known = services.business_central(pace).companies()
    if company_id.lower() not in {each.id.lower() for each in known}:
        raise RequestError(
            "Business Central has no such company, or the app may not read it. Check the app's permission sets."
        )
    return "The company can be read."


def permissions(services: Services, *, limited: bool = False) -> list[Check]:
    """Each permission by name; see `permission_checks`. Raises SettingsError, RetryableError without a token."""
    return permission_checks(services.granted(Api.GRAPH), services.granted(Api.BC), limited=limited)


def missing_permissions(services: Services) -> Sequence[Check]:
    """The permissions that are wrong, as far as the tokens say. Raises like `permissions`."""
    return [each for each in permissions(services) if each.ok is False]
