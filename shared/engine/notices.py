"""What a change notification means: a reason to read the feed that it is about, never more.

Notices come from anybody who knows the address. One counts when its secret is signed by this deployment (told without
any look-up, so that forged bodies cost nothing), its subscription is known, its secret is that one's and it names our
tenant; the others are counted and forgotten, without telling the sender. Nothing is read of the services
here: the runs that follow do it (architecture, point 7).
"""

import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.engine.callers import is_object_id
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import HEARD_MOST, Trigger
from shared.engine.parallel import in_parallel
from shared.engine.requests import Whose, request_automatic_run
from shared.engine.services import Services
from shared.engine.watching import Notice, Source, Subscription, is_signed
from shared.errors import RetryableError
from shared.logs import log_event

logger = logging.getLogger(__name__)

MOST = 2_000  #: subscriptions that one body may speak of
REPEATED = timedelta(hours=4)  #: how long Graph repeats a notification that was not taken (Graph reference 9.4)

MISSED, REMOVED, REAUTHORIZE = "missed", "subscriptionRemoved", "reauthorizationRequired"  #: lifecycle events


@dataclass(slots=True)
class Heard:
    """What is to be sent, and what was not believed."""

    mailboxes: set[str] = field(default_factory=set)  #: whose workers to wake
    jobs: list[CompanyJob] = field(default_factory=list)
    accepted: int = 0  #: subscriptions that had news
    unknown: int = 0  #: notices of subscriptions that we do not have
    error: RetryableError | None = None  #: not all could be stored
    forged: int = 0  #: notices with a wrong secret, of another tenant, or long past their subscription's end


def from_graph(services: Services, notices: Sequence[Notice], *, lifecycle: bool = False) -> Heard:
    """News of folders, or of subscriptions themselves. Raises RetryableError: then Graph shall send them again; so it
    shall for `Heard.error`, when what was heard is sent."""
    now = services.now()
    believed, heard = _believed(services, Source.GRAPH, notices)
    if lifecycle:
        for notice, subscription in believed:
            heard.jobs += _upkeep(notice, subscription)
        believed = [each for each in believed if each[0].event in (MISSED, REMOVED)]
    changes: dict[Whose, set[str]] = {}
    for notice, subscription in believed:
        changes.setdefault(_whose(subscription), set()).add(notice.change)

    def put_in_line(one: Whose) -> None:
        try:
            if request_automatic_run(services, one, Trigger.GRAPH, now, _known(changes[one])):
                heard.mailboxes.add(one.mailbox_id)
        except RetryableError as error:
            heard.error = error  # who is in line already is woken all the same

    in_parallel(put_in_line, changes)
    _log(Source.GRAPH, heard)
    return heard


def from_business_central(services: Services, notices: Sequence[Notice]) -> Heard:
    """News of companies: each is read once, however many notices arrive before its reading begins."""
    now = services.now()
    believed, heard = _believed(services, Source.BC, notices)
    for company in sorted({subscription.company_id for _, subscription in believed}):
        if services.companies.ask(company, now):
            heard.jobs.append(CompanyJob(company, Reason.BC, now))
    _log(Source.BC, heard)
    return heard


def _believed(
    services: Services, source: Source, notices: Sequence[Notice]
) -> tuple[list[tuple[Notice, Subscription]], Heard]:
    """Each notice that can be believed, with the profile's or company's subscription that it speaks of."""
    heard, believed = Heard(), list[tuple[Notice, Subscription]]()
    key = services.subscriptions.signing_key()
    distinct = dict.fromkeys(each for each in notices if is_signed(each.client_state, key))
    heard.forged = len(set(notices).difference(distinct))
    ids = list(dict.fromkeys(each.subscription_id for each in distinct))[:MOST]
    found = in_parallel(lambda one: services.subscriptions.by_id(source, one), ids)
    known = dict(zip(ids, found, strict=True))
    for notice in distinct:
        subscriptions = known.get(notice.subscription_id, ())
        if not subscriptions:
            heard.unknown += 1
        elif not _is_ours(services, notice, subscriptions[0]):  # those who share one share its secret
            heard.forged += 1
        else:
            believed += [(notice, each) for each in subscriptions]
    heard.accepted = len({notice.subscription_id for notice, _ in believed})
    return believed, heard


def _is_ours(services: Services, notice: Notice, subscription: Subscription) -> bool:
    tenant, ours = notice.tenant_id.strip().lower(), services.mailbox_tenant.lower()
    if tenant and is_object_id(ours) and tenant != ours:  # the setting may name the tenant by its domain
        return False
    if _is_long_over(notice.expires, services.now()):
        return False
    secret, said = subscription.client_state.encode(), notice.client_state.encode("utf-8", "replace")
    return bool(secret) and hmac.compare_digest(secret, said)


def _is_long_over(expires: str, now: datetime) -> bool:
    """Whether a notice is a replay: sent for a subscription that had ended before anybody could still repeat it."""
    try:
        end = datetime.fromisoformat(expires)
    except ValueError:
        return False
    return (end if end.tzinfo else end.replace(tzinfo=UTC)) < now - REPEATED


def _upkeep(notice: Notice, subscription: Subscription) -> list[CompanyJob]:
    """The subscription is renewed, or made anew, by a worker: that takes longer than Graph waits for an answer."""
    if notice.event not in (REMOVED, REAUTHORIZE):
        return []
    reason = Reason.SUBSCRIBE if notice.event == REMOVED else Reason.REAUTHORIZE
    return [CompanyJob(subscription.company_id, reason, profile_id=subscription.profile_id)]


def _known(changes: set[str]) -> frozenset[str] | None:
    return None if "" in changes or len(changes) > HEARD_MOST else frozenset(changes)


def _whose(subscription: Subscription) -> Whose:
    return Whose(subscription.company_id, subscription.profile_id, subscription.mailbox_id)


def _log(source: Source, heard: Heard) -> None:
    suspicious = bool(heard.unknown or heard.forged)
    level = logging.WARNING if suspicious else logging.INFO
    facts = {"accepted": heard.accepted, "unknown": heard.unknown, "forged": heard.forged}
    log_event(logger, "notified", level=level, source=source.value, **facts)
