"""What an administrator sets for a company: base filter and excluded fields (R5, R12)."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.cards.model import Field
from shared.engine.callers import Caller, Subject, check_origin, find_company
from shared.engine.company_state import Told
from shared.engine.jobs import Reason
from shared.engine.model import CompanySettings
from shared.engine.services import Services
from shared.engine.versions import check_version
from shared.errors import RequestError
from shared.filters import parse_filter
from shared.pace import Pace

NEVER_EXCLUDED = (Field.NAME, Field.EMAIL)  #: a contact cannot be matched or made without them


def read(services: Services, company: str, caller: Caller, pace: Pace) -> CompanySettings:
    """The settings of a company, by id or name. Raises RequestError `unknown-company`, CompanyUnavailable."""
    check_origin(services, caller)
    found = find_company(services, Subject("", company), caller, pace)
    return replace(services.companies.settings(found.id.lower()), name=found.name)


def save(
    services: Services,
    company: str,
    base_filter: Mapping[str, str],
    excluded_fields: Sequence[str],
    etag: str | None,
    caller: Caller,
    pace: Pace,
) -> CompanySettings:
    """Replace the settings. Raises RequestError, FilterError, CompanyUnavailable; then nothing was changed."""
    now = read(services, company, caller, pace)
    check_version(etag, now.etag, "The company's settings were")
    # %me differs from user to user, so a filter for all cannot use it
    parse_filter(base_filter, company=now.name or None)
    wanted = replace(now, base_filter=dict(base_filter), excluded_fields=_fields(excluded_fields))
    saved = services.companies.save_settings(wanted)
    if (saved.base_filter, saved.excluded_fields) != (now.base_filter, now.excluded_fields):
        services.companies.has_told(saved.company_id, Told())  # everybody is concerned, and compares with the snapshot
        services.messages.company_job(saved.company_id, Reason.NEWS)
    return saved


def _fields(names: Sequence[str]) -> tuple[str, ...]:
    known = {each.value for each in Field}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name[:100], known, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise RequestError(
                f"No such field: `{name[:100]}`.{hint} Possible are {', '.join(sorted(known))}.",
                code="unknown-field",
                field="excludedFields",
            )
        if name in NEVER_EXCLUDED:
            raise RequestError(
                f"`{name}` cannot be excluded: a contact needs it on both sides.",
                code="needed-field",
                field="excludedFields",
            )
    return tuple(each.value for each in Field if each.value in set(names))
