"""Upkeep of subscriptions: made, renewed early, made again after a loss, ended with their profile.

The timer does it for everybody; a run does it for its own profile when the folder is new, and a worker when the
service says that something is wrong. Losing one costs speed only: a profile without a healthy subscription is polled.
"""

import logging
import zlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import Positions, Profile
from shared.engine.services import Services
from shared.engine.sides import Notifications
from shared.engine.state import Mark
from shared.engine.watching import Draft, Source, Subscription, is_signed, new_secret
from shared.errors import RequestError, RetryableError, SubscriptionExists, SyncError
from shared.logs import log_event
from shared.pace import Pace

logger = logging.getLogger(__name__)

TRY_AGAIN, TRY_AGAIN_MOST = timedelta(minutes=10), timedelta(days=1)  #: after a refusal: doubling from the one up
BC_RENEWED = timedelta(hours=24)  #: BC's subscriptions live for three days (BC reference 6.4)
MAKING = timedelta(minutes=2)  #: how long one worker has for making a subscription before another one tries


def wants(services: Services, profile: Profile, positions: Positions) -> bool:
    """Whether the profile's folder is to be watched."""
    return bool(services.public_address and positions.folder_id) and profile.is_automatic


def watched_as(services: Services, profile: Profile, positions: Positions) -> str:
    """What a run compares with the last time, so that it reads no row here when nothing has changed."""
    return f"{services.public_address} {positions.folder_id}" if wants(services, profile, positions) else ""


def needs_look(services: Services, profile: Profile, known: Subscription | None) -> bool:
    """Whether upkeep has to look at a profile more closely."""
    now = services.now()
    if known is None or not known.is_healthy(now) or known.problem:
        return known is None or known.try_again_at is None or known.try_again_at <= now
    moved = (known.mailbox_id, known.address) != (profile.mailbox_id, services.public_address)
    return moved or not _is_signed(services, known) or _is_due(services, known, now, False)


def serve(services: Services, job: CompanyJob) -> None:
    """A lifecycle notification (Graph reference 9.6). Raises RetryableError: the message comes back."""
    profile = services.profiles.get(job.company_id, job.profile_id)
    if profile is not None:
        pace = Pace(services.monotonic() + services.limits.run_budget)
        is_lost = job.reason == Reason.SUBSCRIBE
        keep_profile(services, profile, pace, anew=is_lost, now=True)


def keep_profile(services: Services, profile: Profile, pace: Pace, *, anew: bool = False, now: bool = False) -> bool:
    """Give a profile the subscription that it should have; answers whether it has a healthy one.

    `anew`: the one that we know is gone; `now`: renew it whether it is time or not. A refusal is stored with the
    profile's subscription. Raises RetryableError when Graph does not answer.
    """
    positions = services.mailboxes.peek(profile.mailbox_id, profile.company_id, profile.id).positions()
    known = services.subscriptions.get(Source.GRAPH, profile.company_id, profile.id)
    if not wants(services, profile, positions):
        if known is not None:
            end(services, known, pace)
        return False
    known = known or Subscription(Source.GRAPH, profile.company_id, profile.id)
    draft = Draft(
        profile.company_id,
        profile.mailbox_id,
        positions.folder_id,
        services.public_address,
        expires_at=services.now() + timedelta(minutes=services.limits.subscription_minutes),
    )
    before, kept = replace(known, id="") if anew else known, None
    try:
        kept = _kept(services, before, draft, services.directory(pace).notifications(), now)
    finally:
        if kept is None or kept.id != known.id:
            # what went by while there was none is read at the next tick; and while there is none, at every tick
            services.marks.put(Mark(profile.company_id, profile.id, profile.mailbox_id, services.now(), "subscribed"))
    return kept.is_healthy(services.now())


def keep_company(services: Services, company_id: str, listed: Iterable[str] | None, pace: Pace) -> bool:
    """The same for a company at BC; `listed` are the ids that BC shows, None when it could not be asked."""
    known = services.subscriptions.get(Source.BC, company_id) or Subscription(Source.BC, company_id)
    if known.id and listed is not None and known.id not in listed:
        log_event(logger, "subscription_lost", source=Source.BC.value, company=company_id)
        known = replace(known, id="")
    draft = Draft(company_id, address=services.public_address)
    kept = _kept(services, known, draft, services.business_central(pace).notifications(), False)
    return kept.is_healthy(services.now())


def is_expiring(services: Services, known: Subscription, now: datetime) -> bool:
    """Whether a subscription is so near its end that renewing it must have failed several times."""
    if not known.is_healthy(now) or known.expires_at is None:
        return False
    life = known.expires_at - (known.renewed_at or now)
    return known.expires_at - now < min(timedelta(hours=services.limits.renew_hours / 2), life / 4)


def end(services: Services, subscription: Subscription, pace: Pace) -> None:
    """End a subscription, at the service unless another profile of the mailbox uses it, and forget it.

    One that the service does not end now is forgotten all the same: its notifications count for nothing, and upkeep
    finds it among the orphans.
    """
    services.subscriptions.delete(subscription)
    if not subscription.id or services.subscriptions.by_id(subscription.source, subscription.id):
        return
    try:
        notifications_of(services, subscription.source, pace).unsubscribe(subscription.id)
    except SyncError as error:
        log_event(logger, "subscription_left", source=subscription.source.value, code=error.code)


def notifications_of(services: Services, source: Source, pace: Pace) -> Notifications:
    """Where a service's subscriptions are had."""
    if source is Source.GRAPH:
        return services.directory(pace).notifications()
    return services.business_central(pace).notifications()


# ---------------------------------------------------------------- one subscription


def _kept(
    services: Services, known: Subscription, draft: Draft, notifications: Notifications, at_once: bool
) -> Subscription:
    """Leave it, renew it, or make it (anew); what came of it is stored. Raises RetryableError."""
    now = services.now()
    fits = _fits(known, draft) and _is_signed(services, known) and known.is_healthy(now)
    if fits and not _is_due(services, known, now, at_once):
        return known
    if known.try_again_at is not None and known.try_again_at > now and not at_once:
        return known
    try:
        made = _renewed(known, draft, notifications, now) if fits else None
        if made is None:
            _forget_shared(services, known)
            old = None if fits or not known.is_healthy(now) else known
            known = services.subscriptions.save(replace(known, id="", try_again_at=now + MAKING))
            made = _made(services, known, old, draft, notifications, now)
    except RequestError as error:
        if error.code != "changed-meanwhile":
            raise
        return services.subscriptions.get(known.source, known.company_id, known.profile_id) or known
    except RetryableError:
        raise
    except SyncError as error:
        made = _refused(known, error, now)
        log_event(
            logger,
            "subscription_refused",
            level=logging.WARNING,
            source=known.source.value,
            company=known.company_id,
            profile=known.profile_id,
            code=error.code,
        )
    return services.subscriptions.save(made)


def _fits(known: Subscription, draft: Draft) -> bool:
    """Whether it watches what it should, and tells the address that we have now."""
    there = (known.mailbox_id, known.folder_id, known.address)
    return bool(known.id) and there == (draft.mailbox_id, draft.folder_id, draft.address)


def _is_signed(services: Services, known: Subscription) -> bool:
    """Whether its notifications are believed: those of older versions of the app carry a secret without signature."""
    return is_signed(known.client_state, services.subscriptions.signing_key())


def _is_due(services: Services, known: Subscription, now: datetime, at_once: bool) -> bool:
    """Whether it is time to renew: with days to spare, each at another time, and never later than at half its life."""
    since = known.renewed_at or now
    if at_once:
        return True
    if known.source is Source.BC:
        return now - since >= BC_RENEWED
    expires_at = known.expires_at or now
    spread = zlib.crc32(known.profile_id.encode()) / 2**32
    spare = timedelta(hours=services.limits.renew_hours * (1 + 0.5 * spread))
    return expires_at - now < min(spare, (expires_at - since) / 2)


def _renewed(known: Subscription, draft: Draft, notifications: Notifications, now: datetime) -> Subscription | None:
    """With its new end; None when the service has lost it."""
    expires_at = notifications.renew(known.id, replace(draft, client_state=known.client_state))
    if expires_at is None:
        return None
    return replace(known, expires_at=expires_at, renewed_at=now, problem="", detail="", tries=0, try_again_at=None)


def _made(
    services: Services,
    known: Subscription,
    old: Subscription | None,
    draft: Draft,
    notifications: Notifications,
    now: datetime,
) -> Subscription:
    """A new one in the place of the `old` one, which lives but does not fit any more."""
    if old is not None and not services.subscriptions.by_id(old.source, old.id):  # else another profile shares it
        notifications.unsubscribe(old.id)
    draft = replace(draft, client_state=new_secret(services.subscriptions.signing_key()))
    fresh = replace(
        known,
        mailbox_id=draft.mailbox_id,
        folder_id=draft.folder_id,
        address=draft.address,
        renewed_at=now,
        problem="",
        detail="",
        tries=0,
        try_again_at=None,
    )
    try:
        granted = notifications.subscribe(draft)
    except SubscriptionExists as there:
        if shared := _shared(services, known, draft, there.id):
            return replace(
                fresh,
                id=shared.id,
                resource=shared.resource,
                whole_mailbox=True,
                client_state=shared.client_state,
                expires_at=shared.expires_at,
            )
        if _is_being_made(services, known, draft, now):
            raise RetryableError(
                "Another profile of the mailbox is just being subscribed; it is tried again."
            ) from None
        notifications.unsubscribe(there.id)  # left by a run that died: nobody knows its secret any more
        granted = notifications.subscribe(draft)
    return replace(
        fresh,
        id=granted.id,
        resource=granted.resource,
        whole_mailbox=granted.whole_mailbox,
        client_state=draft.client_state,
        expires_at=granted.expires_at,
    )


def _shared(services: Services, known: Subscription, draft: Draft, subscription_id: str) -> Subscription | None:
    """The subscription on the whole mailbox that another profile of it has already."""
    for each in services.subscriptions.by_id(known.source, subscription_id):
        is_other = (each.company_id, each.profile_id) != (known.company_id, known.profile_id)
        there = (each.mailbox_id, each.address)
        if is_other and there == (draft.mailbox_id, draft.address) and _is_signed(services, each):
            return each
    return None


def _forget_shared(services: Services, gone: Subscription) -> None:
    """Others who shared one that is gone are polled, and get their own or share the new one."""
    for each in services.subscriptions.by_id(gone.source, gone.id) if gone.whole_mailbox and gone.id else ():
        if (each.company_id, each.profile_id) != (gone.company_id, gone.profile_id):
            services.subscriptions.save(replace(each, id=""))
            services.marks.put(Mark(each.company_id, each.profile_id, each.mailbox_id, services.now(), "subscribed"))


def _is_being_made(services: Services, known: Subscription, draft: Draft, now: datetime) -> bool:
    """Whether another worker subscribes another profile of this mailbox and has not stored it yet."""
    if known.source is not Source.GRAPH:
        return False
    for profile in services.profiles.of_mailbox(draft.mailbox_id):
        if (profile.company_id, profile.id) != (known.company_id, known.profile_id):
            other = services.subscriptions.get(Source.GRAPH, profile.company_id, profile.id)
            if other is not None and not other.id and not other.problem and (other.try_again_at or now) > now:
                return True
    return False


def _refused(known: Subscription, error: SyncError, now: datetime) -> Subscription:
    """Why there is none. One that could not be renewed goes on until its end."""
    wait = min(TRY_AGAIN_MOST, TRY_AGAIN * 2 ** min(known.tries, 10))
    is_over = not known.is_healthy(now)
    return replace(
        known,
        id="" if is_over else known.id,
        problem=error.code,
        detail=str(error),
        tries=known.tries + 1,
        try_again_at=now + wait,
    )
