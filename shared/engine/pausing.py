"""Pause and resume (R40): no run starts, a running one stops at its next batch, and resuming catches up at once."""

from shared.engine.callers import Caller, Subject, check_origin, find_profile
from shared.engine.jobs import Reason
from shared.engine.pauses import Pause, pause_of
from shared.engine.profiles import known_company
from shared.engine.services import Services
from shared.pace import Pace


def pause(services: Services, user: str, company: str, reason: str, caller: Caller, pace: Pace) -> Pause:
    """Pause a profile, a company, or with neither everything. Raises RequestError."""
    company_id, profile_id = _scope(services, user, company, caller, pace)
    new = Pause(company_id, profile_id, caller.actor, reason, services.now())
    services.pauses.save(new)
    return new


def resume(services: Services, user: str, company: str, caller: Caller, pace: Pace) -> bool:
    """End the pause of exactly this scope, and wake whoever may go on. Answers whether there was one; wider pauses
    stay. Raises RequestError."""
    company_id, profile_id = _scope(services, user, company, caller, pace)
    ended = services.pauses.remove(company_id, profile_id)
    companies = [company_id] if company_id else services.profiles.companies()
    for each in companies:  # also when there was none: whoever died between the two steps repeats the call
        _wake(services, each, profile_id)
    return ended


def _scope(services: Services, user: str, company: str, caller: Caller, pace: Pace) -> tuple[str, str]:
    check_origin(services, caller)
    if user:
        profile = find_profile(services, Subject(user, company), caller, pace)
        return profile.company_id, profile.id
    return (known_company(services, company) if company else ""), ""


def _wake(services: Services, company_id: str, profile_id: str) -> None:
    """What waits in the mailboxes' lines, and what the company's feed and the marks have for them."""
    pauses = services.pauses.all()
    profiles = [
        each
        for each in services.profiles.in_company(company_id)
        if profile_id in ("", each.id) and pause_of(pauses, company_id, each.id) is None
    ]
    services.messages.sync_jobs(sorted({each.mailbox_id for each in profiles}))
    if pause_of(pauses, company_id) is None:
        services.messages.company_job(company_id, Reason.TIMER)
