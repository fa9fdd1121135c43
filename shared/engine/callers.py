"""Who calls, and whom and what they mean: users, companies and profiles by the names that callers use."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.cards.normalise import matching_key
from shared.engine.model import Profile
from shared.engine.services import Services
from shared.engine.sides import BcCompany
from shared.errors import RequestError
from shared.pace import Pace

_OBJECT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request says about where it comes from; blank where it says nothing."""

    actor: str = ""  #: who asks, stored with every change
    tenant: str = ""
    environment: str = ""
    company_id: str = ""  #: the BC company that the caller works in


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose profile a request is about: e-mail address or object id; company by id or name, blank for the only one."""

    user: str
    company: str = ""


class SeveralCompanies(RequestError):
    """The request does not say which company is meant, and there are several."""

    code = "several-companies"

    def __init__(self, companies: Mapping[str, str]) -> None:
        """`companies`: id -> name."""
        super().__init__(
            "Several companies are possible: name one of them as `company`, by id or name.",
            status=409,
            field="company",
            more={"companies": [{"id": key, "name": name} for key, name in companies.items()]},
        )


def is_object_id(text: str) -> bool:
    """Whether it is a GUID."""
    return _OBJECT_ID.fullmatch(text) is not None


def check_origin(services: Services, caller: Caller) -> None:
    """A sandbox copied from production carries production's settings: it must not sync production's mailboxes.

    Raises RequestError `wrong-environment`.
    """
    if caller.tenant and services.tenant and caller.tenant.strip().lower() != services.tenant.lower():
        raise _wrong("tenantId", "another tenant")
    if caller.environment and caller.environment.strip().lower() != services.environment.lower():
        raise _wrong("environment", f"the environment {caller.environment.strip()[:100]}")


def user_id_of(services: Services, user: str, pace: Pace) -> str:
    """The object id of a user: by the address of a saved profile, else from the directory.

    Raises RequestError, MailboxUnavailable (`unknown-user`), RetryableError.
    """
    user = user.strip()
    if is_object_id(user):
        return user.lower()
    if "@" not in user:
        raise RequestError(
            "A user is named by e-mail address or by Entra object id.", code="bad-user", status=400, field="user"
        )
    return services.profiles.user_id(user) or services.directory(pace).mailbox(user).id.lower()


def find_profile(services: Services, subject: Subject, caller: Caller, pace: Pace) -> Profile:
    """The profile that is meant. Raises RequestError `no-profile` (404), SeveralCompanies, `wrong-environment`."""
    check_origin(services, caller)
    profiles = services.profiles.of_user(user_id_of(services, subject.user, pace))
    found = choose(services, profiles, subject.company or caller.company_id)
    if found is None:
        raise _no_profile(services, profiles, subject, caller)
    _check_company(found.company_id, subject, caller)
    return found


def choose(services: Services, profiles: Sequence[Profile], company: str) -> Profile | None:
    """The user's profile in a company, given by id or name; without one the only profile. Raises SeveralCompanies."""
    if company.strip():
        return next((each for each in profiles if is_company(services, each.company_id, company)), None)
    if len(profiles) > 1:
        raise SeveralCompanies(names_of(services, (each.company_id for each in profiles)))
    return profiles[0] if profiles else None


def find_company(services: Services, subject: Subject, caller: Caller, pace: Pace) -> BcCompany:
    """A company of Business Central, by id or name; without one the only one.

    Raises RequestError `unknown-company` (404), SeveralCompanies, `wrong-environment`; CompanyUnavailable.
    """
    wanted = subject.company or caller.company_id
    companies = services.business_central(pace).companies()
    if not wanted.strip():
        if len(companies) == 1:
            return companies[0]
        raise SeveralCompanies({each.id.lower(): each.name for each in companies})
    key = matching_key(wanted)
    by_rank = (
        [each for each in companies if each.id.lower() == key],
        [each for each in companies if matching_key(each.name) == key],
        [each for each in companies if matching_key(each.display_name) == key],
    )
    found = next((each[0] for each in by_rank if each), None)
    if found is None and not subject.company:
        raise _wrong("companyId", "a company that Business Central does not show us")
    if found is None:
        raise RequestError(
            "Business Central has no such company, or the app may not read it. Check the name, and the app's "
            "permission sets in Business Central.",
            code="unknown-company",
            status=404,
            field="company",
        )
    _check_company(found.id, subject, caller)
    return found


def is_company(services: Services, company_id: str, wanted: str) -> bool:
    """Whether a company that has profiles is the one that a caller names."""
    key = matching_key(wanted)
    return key in (company_id.lower(), matching_key(services.companies.settings(company_id).name))


def names_of(services: Services, company_ids: Iterable[str]) -> dict[str, str]:
    """id -> name."""
    return {each: services.companies.settings(each).name for each in company_ids}


def _check_company(company_id: str, subject: Subject, caller: Caller) -> None:
    if caller.company_id and caller.company_id.strip().lower() != company_id.lower():
        raise _wrong("companyId", "another company than the one that it asks for")


def _no_profile(services: Services, profiles: Sequence[Profile], subject: Subject, caller: Caller) -> RequestError:
    if not subject.company and caller.company_id and caller.company_id.strip().lower() not in {
        each.lower() for each in services.profiles.companies()
    }:  # fmt: skip
        return _wrong("companyId", "a company without any profile here")
    if profiles:
        names = ", ".join(
            name or company for company, name in names_of(services, (p.company_id for p in profiles)).items()
        )
        return RequestError(
            f"This user has no profile in that company, but in: {names}.",
            code="no-profile",
            status=404,
            field="company",
        )
    return RequestError(
        "This user has no profile. Create it with PUT /api/profiles/{user}.",
        code="no-profile",
        status=404,
        field="user",
    )


def _wrong(field: str, what: str) -> RequestError:
    return RequestError(
        f"The request comes from {what}; this app does not serve it. After copying an environment, set up the sync "
        "anew there, or correct the address of the app.",
        code="wrong-environment",
        status=409,
        field=field,
    )
