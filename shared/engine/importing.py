"""Imports of users as callers ask for them: preview, carry out, save, list, delete, approve; and the nightly ones."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.engine.callers import (
    Caller,
    SeveralCompanies,
    Subject,
    check_origin,
    find_company,
    is_company,
    is_object_id,
    names_of,
)
from shared.engine.import_run import carry_out
from shared.engine.import_state import ONCE, HeldBack, ImportOrder, ImportRun, OnLeave, Source, SourceKind
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import CompanySettings, Profile, RunStatus
from shared.engine.pauses import pause_of
from shared.engine.profiles import known_company, save_name
from shared.engine.rules_of import rules_of
from shared.engine.run_ids import import_run_id
from shared.engine.services import Services
from shared.errors import RequestError, RetryableError, Throttled
from shared.pace import Pace
from shared.planning.model import Direction, Policies

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
GIVEN_UP = timedelta(hours=20)  #: a run that has not come to its end for so long never will
AGAIN = 15.0  #: seconds after which a run whose company is being imported by another worker is looked at again
_EVERYBODY = "EVERYBODY"  #: stands for each user's short name when a filter with %me is tried


@dataclass(frozen=True, slots=True)
class ImportWish:
    """An import as a caller describes it."""

    source: Source
    filter: Mapping[str, str]
    direction: Direction = Direction.TO_OUTLOOK
    policies: Policies = Policies()  # noqa: RUF009 - frozen
    on_leave: OnLeave | None = None  #: of a saved one; None: their contacts are kept
    name: str = ""  #: saved under it, and repeated every night; blank: done once
    preview: bool = False


def ask(services: Services, wish: ImportWish, company: str, caller: Caller, pace: Pace) -> ImportRun:
    """Check everything that can be told without the source, save a named import, and put a run in line.

    `company` by id or name, blank for the only one. The caller then works at it, or sends its message. Raises
    RequestError, FilterError, CompanyUnavailable; then nothing was changed.
    """
    check_origin(services, caller)
    found = find_company(services, Subject("", company), caller, pace)
    company_id = found.id.lower()
    settings = replace(services.companies.settings(company_id), name=found.name)
    order = _order(services, wish, company_id, caller.actor)
    _check(services, order, settings)
    if not wish.preview:
        if settings != services.companies.settings(company_id):
            save_name(services, settings)
        if order.is_saved:
            order = services.imports.save_order(order)
    return _begin(services, order, preview=wish.preview, actor=caller.actor)


def work_at(services: Services, run: ImportRun, seconds: float) -> ImportRun:
    """Do what a request has time for; answers how the run stands. One that is not over needs its message."""
    try:
        return carry_out(services, run.run_id, seconds) or run
    except RetryableError:
        return services.imports.run(run.run_id) or run  # the queue tries it again


def serve(services: Services, job: CompanyJob) -> None:
    """A message of the queue: one piece of a run. Raises RetryableError, LeaseLost: the message comes back."""
    try:
        run = carry_out(services, job.import_run, services.limits.run_budget)
    except Throttled as error:
        services.messages.import_job(job.company_id, job.import_run, delay=error.retry_after)
        return
    if run is None and services.imports.run(job.import_run) is not None:
        services.messages.import_job(job.company_id, job.import_run, delay=AGAIN)
    elif run is not None and not run.is_over:
        services.messages.import_job(job.company_id, job.import_run)


def begin_night(services: Services, at: datetime) -> list[CompanyJob]:
    """Put a run of every saved import in line, but for companies that are paused; answers the messages to send.

    One that is in line or under way already, as when two instances do this, gets no second one; one that has been so
    for a day has lost its message. Runs go with the reports' age.
    """
    jobs = []
    pauses = services.pauses.all()
    for company_id in services.imports.companies():
        while services.imports.remove_before(company_id, at - timedelta(days=services.limits.retention_days)):
            pass
        if pause_of(pauses, company_id) is not None:
            continue
        for order in services.imports.orders(company_id):
            newest = services.imports.newest(company_id, order.name)
            if newest is None or newest.is_over or at - newest.requested_at > GIVEN_UP:
                run = _begin(services, order, by_timer=True)
                jobs.append(CompanyJob(company_id, Reason.IMPORT, import_run=run.run_id))
    return jobs


# ---------------------------------------------------------------- saved imports


def saved(services: Services, company: str) -> list[tuple[ImportOrder, ImportRun | None]]:
    """The saved imports of a company, or with a blank one of all, each with its last run. Raises RequestError."""
    known = services.imports.companies()
    companies = [each for each in known if not company or is_company(services, each, company)]
    if company and not companies:
        known_company(services, company)  # one that has neither imports nor profiles is no company of ours
    orders = [each for company_id in companies for each in services.imports.orders(company_id)]
    return [(each, services.imports.last(each.company_id, each.name)) for each in orders]


def the_saved(services: Services, name: str, company: str) -> tuple[ImportOrder, ImportRun | None]:
    """One of them. Raises RequestError `unknown-import` (404), SeveralCompanies."""
    found = [each for each in saved(services, company) if each[0].name == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise SeveralCompanies(names_of(services, (order.company_id for order, _ in found)))
    raise RequestError("There is no saved import of this name.", code="unknown-import", status=404, field="name")


def delete(services: Services, name: str, company: str) -> ImportOrder:
    """Repeat an import no more; its profiles stay as they are. Raises like `the_saved`."""
    order, _ = the_saved(services, name, company)
    services.imports.delete_order(order)
    return order


def the_run(services: Services, run_id: str) -> ImportRun:
    """A run's report. Raises RequestError `unknown-run` (404)."""
    run = services.imports.run(run_id)
    if run is None:
        raise RequestError(
            f"There is no such run of an import. Reports are kept for {services.limits.retention_days} days.",
            code="unknown-run",
            status=404,
            field="id",
        )
    return run


def troubles(services: Services) -> list[tuple[ImportOrder, ImportRun]]:
    """The saved imports whose last run failed, for administrators."""
    return [
        (order, last) for order, last in saved(services, "") if last is not None and last.status is RunStatus.FAILED
    ]


# ---------------------------------------------------------------- approval


def approve(services: Services, run_id: str, wanted: Mapping[str, int], actor: str) -> ImportRun:
    """Put a run in line that does what run `run_id` held, of the kinds in `wanted` with the numbers of its report.

    It decides anew: who is back, or was removed by hand, is not concerned any more. Raises RequestError `unknown-run`
    (404), `not-held`, `count-differs`, `not-newest`, `hold-lapsed`, `already-approved`, `unknown-import`.
    """
    run = the_run(services, run_id)
    order = services.imports.order(run.order.company_id, run.order.name)
    if order is None or order.id != run.order.id:
        raise _cannot("unknown-import", "The import was deleted; nothing of it waits any more.")
    last = services.imports.last(order.company_id, order.name)
    if last is not None and last.run_id != run_id:
        raise _cannot("not-newest", f"A later run says what is held by now; look at that one: {last.run_id}.")
    if run.preview or not run.held:
        raise _cannot("not-held", "This run holds nothing back; there is nothing to approve.")
    if run.ended_at is not None and services.now() - run.ended_at > timedelta(days=services.limits.hold_days):
        raise _cannot("hold-lapsed", "What is held may be approved for some days only. Wait for the next run.")
    kinds = {kind: _approved(services, run, kind, count).users for kind, count in wanted.items()}
    begun = _begin(services, replace(order, etag=""), actor=actor, approves=run_id, approved=kinds)
    held = tuple(
        replace(each, approved_by=actor, approved_at=services.now(), approved_run=begun.run_id)
        if each.kind in kinds
        else each
        for each in run.held
    )
    services.imports.save(replace(run, held=held))
    return begun


def _approved(services: Services, run: ImportRun, kind: str, count: int) -> HeldBack:
    held = next((each for each in run.held if each.kind == kind), None)
    if held is None:
        kinds = ", ".join(each.kind for each in run.held)
        raise _cannot("not-held", f"This run did not hold {kind}, but: {kinds}.")
    if held.count != count:
        raise _cannot("count-differs", f"Of {kind} this run held {held.count}, not {count}. Look at it again.")
    before = services.imports.run(held.approved_run) if held.approved_run else None
    if before is not None and not before.is_over:
        raise _cannot("already-approved", f"It was approved by {held.approved_by}; run {before.run_id} carries it out.")
    return held


def _cannot(code: str, words: str) -> RequestError:
    return RequestError(words, code=code, status=409, field="holds")


# ---------------------------------------------------------------- what is asked for


def _order(services: Services, wish: ImportWish, company_id: str, actor: str) -> ImportOrder:
    name = wish.name.strip() or ONCE
    if wish.name.strip() and (name == ONCE or not _NAME.fullmatch(name)):
        raise RequestError(
            "The name of an import has small letters, digits and hyphens, 40 at most, and is not “once”.",
            code="bad-member",
            field="name",
        )
    if wish.on_leave is not None and name == ONCE:
        raise RequestError(
            "Users can only leave an import that is saved: give it a `name`, or leave `onLeave` out.",
            code="bad-member",
            field="onLeave",
        )
    before = services.imports.order(company_id, name) if name != ONCE else None
    return ImportOrder(
        company_id,
        name,
        wish.source,
        id=before.id if before is not None else services.new_id(),
        direction=wish.direction,
        filter=dict(wish.filter),
        policies=wish.policies,
        on_leave=wish.on_leave or OnLeave.KEEP,
        actor=actor,
        changed_at=services.now(),
        etag=before.etag if before is not None else "",
    )


def _check(services: Services, order: ImportOrder, company: CompanySettings) -> None:
    source = order.source
    if source.kind is SourceKind.GROUP and not is_object_id(source.group):
        raise RequestError("A group is named by its Entra object id.", code="bad-member", field="source.group")
    for each in source.users:
        if "@" not in each and not is_object_id(each):
            raise RequestError(
                "Users are named by e-mail address or by Entra object id.", code="bad-user", field="source.users"
            )
    me = _EVERYBODY if source.kind is SourceKind.BC else ""
    tried = Profile(order.company_id, "", "", "", "", filter=order.filter, bc_user_name=me)
    rules_of(tried, company, services.environment, services.limits.category)


def _begin(
    services: Services,
    order: ImportOrder,
    *,
    by_timer: bool = False,
    preview: bool = False,
    actor: str = "",
    approves: str = "",
    approved: Mapping[str, Sequence[str]] | None = None,
) -> ImportRun:
    now = services.now()
    run = ImportRun(
        import_run_id(order.company_id, order.name, now, services.new_id()),
        replace(order, etag=""),
        now,
        by_timer=by_timer,
        preview=preview,
        actor=actor,
        approves=approves,
        approved={kind: tuple(users) for kind, users in (approved or {}).items()},
    )
    services.imports.save(run)
    return run
