"""Asking for runs: one profile's by its user, many by an administrator, and the timer's (R29)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.engine.callers import Caller, user_id_of
from shared.engine.holds import Approval
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import Erases, Mode, Profile, Report, RunRequest, RunStatus, Trigger, Undoes, must_wake
from shared.engine.rules_of import parse
from shared.engine.run_ids import run_id
from shared.engine.services import Services
from shared.errors import MailboxUnavailable, RequestError
from shared.pace import Pace


@dataclass(frozen=True, slots=True)
class Wanted:
    """What kind of run."""

    mode: Mode = Mode.INCREMENTAL
    filter: Mapping[str, str] | None = None
    save_filter: bool = True
    confirm_removals: int | None = None
    preview: bool = False
    approves: Approval | None = None
    undoes: Undoes | None = None
    erases: Erases | None = None
    resume: tuple[str, ...] = ()  #: BC ids of contacts whose paused fields are to travel again (R38)


def request_run(
    services: Services, profile: Profile, wanted: Wanted, actor: str, *, at: datetime | None = None
) -> Report:
    """Put a run that a person wants into its mailbox's line; answers its report, `queued` as a rule.

    The caller then sends the mailbox's sync-jobs message. Raises RequestError `profile-disabled` (409), FilterError.
    """
    if not profile.enabled and wanted.erases is None:
        raise RequestError(
            "The profile is switched off: nothing is synced for it. Switch it on (enabled: true) first.",
            code="profile-disabled",
            status=409,
        )
    if wanted.filter is not None:
        parse(wanted.filter, profile, services.companies.settings(profile.company_id))
    request = _request(services, profile, wanted, Trigger.HTTP, actor, at)
    report = queued(request)
    services.reports.save(report)  # before it is in line: a worker may take it at once
    accepted = services.mailboxes.submit(request)
    if accepted.run_id == request.run_id:
        return report
    services.reports.discard(report)  # merged into a run that was waiting (R29)
    known = services.reports.get(accepted.run_id)
    if known is not None:
        return known
    report = queued(accepted)  # the waiting one was the timer's, which has no report before it runs
    services.reports.save(report)
    return report


@dataclass(frozen=True, slots=True)
class Whose:
    """A profile, by its keys: what is known of it where a notification comes in."""

    company_id: str
    id: str
    mailbox_id: str


def request_automatic_run(
    services: Services,
    profile: Profile | Whose,
    trigger: Trigger,
    at: datetime,
    heard: frozenset[str] | None = None,
) -> bool:
    """Put a run that nobody asked for into its mailbox's line; its report comes when it has something to say (R35).

    A run for news of one side reads that side's feed (R14); `heard` are the changes that were announced, if it is known
    which. Answers whether a worker has to be woken for it: not while a message is on its way, so that a burst is one
    message.
    """
    request = _request(services, profile, Wanted(), trigger, "", at)
    request = replace(request, reads_folder=trigger is not Trigger.BC, fresh_feed=trigger is Trigger.TIMER, heard=heard)
    return must_wake(request, services.mailboxes.submit(request))


def request_for_users(
    services: Services, users: Sequence[str], company: str, mode: Mode, caller: Caller, pace: Pace
) -> list[Report]:
    """Runs for a list of users, each user's profile in `company` or, when it is blank, all of theirs.

    All users are looked up first; raises what `request_run` and `user_id_of` raise, and then no run was asked for.
    """
    chosen: dict[tuple[str, str], Profile] = {}
    for user in users:
        theirs = services.profiles.of_user(_listed(services, user, pace))
        wanted = [each for each in theirs if not company or each.company_id == company]
        if not wanted:
            raise RequestError(
                f"The user {user[:100]} has no profile here: leave the user out, or create one.",
                code="no-profile",
                status=404,
                field="users",
            )
        chosen.update({(each.company_id, each.id): each for each in wanted if each.enabled})
        if not any(each.enabled for each in wanted):
            raise RequestError(
                f"The profile of {user[:100]} is switched off: leave the user out, or save it with `enabled` true.",
                code="profile-disabled",
                status=409,
                field="users",
            )
    return [request_run(services, each, Wanted(mode=mode), caller.actor) for each in chosen.values()]


def _listed(services: Services, user: str, pace: Pace) -> str:
    """The object id of a user of a list; who is not known is named, since it is one of many."""
    try:
        return user_id_of(services, user, pace)
    except (RequestError, MailboxUnavailable) as error:
        status = error.status if isinstance(error, RequestError) else 404 if error.code == "unknown-user" else 409
        raise RequestError(f"{user[:100]}: {error}", code=error.code, status=status, field="users") from error


def request_for_everybody(services: Services, company: str, mode: Mode) -> list[CompanyJob]:
    """The jobs to send so that everybody is run, in `company` or, when it is blank, everywhere."""
    reason = Reason.FULL_SYNC_ALL if mode is Mode.FULL else Reason.SYNC_ALL
    companies = [company] if company else services.profiles.companies()
    return [CompanyJob(each, reason, services.now()) for each in companies]


def _request(
    services: Services, profile: Profile | Whose, wanted: Wanted, trigger: Trigger, actor: str, at: datetime | None
) -> RunRequest:
    requested_at = at or services.now()
    return RunRequest(
        run_id=run_id(profile.mailbox_id, requested_at, services.new_id()),
        company_id=profile.company_id,
        profile_id=profile.id,
        mailbox_id=profile.mailbox_id,
        mode=wanted.mode,
        trigger=trigger,
        requested_at=requested_at,
        filter=wanted.filter,
        save_filter=wanted.save_filter,
        confirm_removals=wanted.confirm_removals,
        preview=wanted.preview,
        approves=wanted.approves,
        undoes=wanted.undoes,
        erases=wanted.erases,
        resume=wanted.resume,
        actor=actor,
    )


def queued(request: RunRequest) -> Report:
    """The report of a run that waits in line."""
    return Report(
        request.run_id,
        request.company_id,
        request.profile_id,
        request.mailbox_id,
        request.mode,
        request.trigger,
        RunStatus.QUEUED,
        request.requested_at,
        filter=dict(request.filter or {}),
        preview=request.preview,
        approves=request.approves,
        undoes=request.undoes,
        erases=request.erases,
        actor=request.actor,
    )
