"""Removing a profile: the sync stops, its state goes, and on request what the sync made in the folder goes too.

Every step can be repeated: whoever is interrupted, or finds the mailbox busy, calls again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shared.cards.model import Origin
from shared.engine import upkeep
from shared.engine.journalled import JournalledOutlook
from shared.engine.model import Profile
from shared.engine.pages import Pages
from shared.engine.run_ids import run_id
from shared.engine.services import Services
from shared.engine.state import Busy, Changes, HeldMailbox, Mark, ProfileState
from shared.engine.watching import Source
from shared.errors import NotDone, RequestError, RetryableError
from shared.pace import Pace
from shared.planning.model import Link

PROFILE_REMOVED = "profile-removed"  #: the cause of such a removal, in the journal
BATCH = 200  #: contacts removed and recorded at a time
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


class NotFinished(RetryableError):
    """A removal that goes on when the call is repeated; the profile is switched off."""

    code = "not-finished"


@dataclass(frozen=True, slots=True)
class Departed:
    """What was done."""

    removed: int  #: contacts moved to Deleted Items
    left: int  #: linked contacts that stay in the folder


def remove_profile(services: Services, profile: Profile, *, contacts: bool, actor: str, pace: Pace) -> Departed:
    """Stop the profile's sync for good. `contacts`: remove what the sync made; the user's own stays in any case.

    Raises RequestError `mailbox-busy` (409), NotFinished, MailboxUnavailable; the profile is then
    switched off and the call can be repeated.
    """
    if profile.enabled:
        now = services.now()
        profile = services.profiles.save(replace(profile, enabled=False, actor=actor, changed_at=now))
    held = _held(services, profile.mailbox_id, pace)
    try:
        pace.keep_going = held.keep
        state = held.profile(profile.company_id, profile.id)
        links = list(state.all_links())
        made = [link for link in links if link.origin is Origin.SYNC] if contacts else []
        if made:
            _remove_contacts(services, profile, state, made, pace)
        outside = [link.bc_id for link in links if link.origin is Origin.OWN]
        services.companies.note_outside(profile.company_id, profile.id, outside, linked=False)
        state.forget()
    finally:
        held.release()
    subscription = services.subscriptions.get(Source.GRAPH, profile.company_id, profile.id)
    if subscription is not None:
        upkeep.end(services, subscription, pace)
    mark = Mark(profile.company_id, profile.id, profile.mailbox_id, _FOR_EVER, "request")
    services.marks.settle(mark, None)
    services.profiles.delete(profile)
    return Departed(removed=len(made), left=len(links) - len(made))


def _held(services: Services, mailbox_id: str, pace: Pace) -> HeldMailbox:
    while isinstance(held := services.mailboxes.hold(mailbox_id, services.new_id()), Busy):
        if services.monotonic() >= pace.deadline:
            raise RequestError(
                "A run of this mailbox is under way. The profile is switched off; repeat the call in a minute.",
                code="mailbox-busy",
                status=409,
            )
        services.sleep(held.next_look)
    return held


def _remove_contacts(
    services: Services, profile: Profile, state: ProfileState, made: Sequence[Link], pace: Pace
) -> None:
    positions = state.positions()
    run = run_id(profile.mailbox_id, services.now(), services.new_id())
    pages = Pages(services.journal, run, profile.company_id, profile.id, services.now)
    outlook = JournalledOutlook(services.directory(pace).outlook(profile.mailbox_id), pages)
    for start in range(0, len(made), BATCH):
        if services.monotonic() >= pace.deadline:
            raise _unfinished()
        batch = made[start : start + BATCH]
        for link in batch:
            pages.expect_removal(link, PROFILE_REMOVED)
        outcomes = outlook.remove(positions.folder_id, [link.outlook_id for link in batch])
        done = [link for link, failure in zip(batch, outcomes, strict=True) if failure is None]
        state.commit(Changes(dropped=done))
        failures = [failure for failure in outcomes if failure is not None]
        if any(not isinstance(failure, NotDone) for failure in failures):
            raise NotFinished(
                f"Outlook did not remove {len(failures)} contacts. The profile is switched off; repeat the call, or "
                "use contacts=keep.",
            )
        if failures:
            raise _unfinished()


def _unfinished() -> NotFinished:
    return NotFinished("Not all contacts are removed yet. The profile is switched off; repeat the call to go on.")
