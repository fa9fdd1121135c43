"""A run that erases a person from one mailbox (R39): in the mailbox's line, under the lease, with a report.

Our own rows lose the values first, and a retry is left for each contact that is still in the folder. So whoever dies
here, or finds the mailbox broken, leaves nothing but ids, and any later run removes the contact for good.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.cards import emails
from shared.cards.model import EMPTY_CARD, Origin, OutlookContact
from shared.engine.handing_over import may_go_on
from shared.engine.journalled import JournalledOutlook
from shared.engine.model import Erases, Positions, Profile, Retry, RunRequest
from shared.engine.pages import pages_of
from shared.engine.services import Services
from shared.engine.sides import FolderStamp, OutlookSide, OutlookWrite
from shared.engine.state import Changes, ProfileState
from shared.engine.tally import Tally
from shared.engine.traces import clean_journal, clean_reports
from shared.errors import ContactError, ContactGone, FolderMissing, NotDone, RetryableError
from shared.pace import Pace
from shared.planning.erased import ERASING
from shared.planning.erasing import Traces, holds_none
from shared.planning.model import Link, Note, NoteKind, Parked, Side


@dataclass(slots=True)
class EraseRun:
    """An erasure from its request to its end; the same face as `OneRun`."""

    services: Services
    state: ProfileState
    profile: Profile
    request: RunRequest
    erases: Erases
    pace: Pace
    tally: Tally
    described: list[dict[str, object]] = field(default_factory=list)
    next_retry: datetime | None = None
    unwatched: bool = False
    links: dict[str, Link] = field(default_factory=dict)  #: theirs, by Outlook id
    parked: dict[str, Parked] = field(default_factory=dict)  #: likewise

    def go(self) -> None:
        """Do it. Raises ProfileError, RetryableError, LeaseLost; what was done by then is recorded."""
        traces = self._look()
        self._clean_state(traces)
        clean_journal(self.services, self.profile, traces, self.pace)
        clean_reports(self.services, self.profile, traces, self.pace, but=self.request.run_id)
        keys = sorted({key for text in traces.addresses for key in emails.keys_of(text)})
        self.services.companies.forget_claims(self.profile.company_id, keys)
        self._clean_folder(traces)

    # ------------------------------------------------------------ what is there

    def _look(self) -> Traces:
        """Links, parked contacts and the journal tell by which ids and addresses the person was known here; those are
        not let in again either, but for an address that somebody else has."""
        companies, company_id = self.services.companies, self.profile.company_id
        traces = Traces(companies.erased(company_id))
        links = {link.bc_id: link for link in self.state.all_links()}
        for link in links.values():
            traces.learn_link(link)
        for batch in self.services.journal.of_mailbox(self.profile.mailbox_id):
            if batch.company_id == company_id:
                traces.learn_entries(batch.entries)
        suspects = companies.contacts(company_id, traces.suspects) if traces.suspects else {}
        traces.clear({key for key, contact in suspects.items() if contact.values})
        theirs = [link for link in links.values() if traces.knows(link.bc_id, link.outlook_id)]
        for link in theirs:
            traces.addresses |= {link.base_bc.email, link.base_outlook.email} - {""}
        keys = {key for text in traces.addresses for key in emails.keys_of(text)}
        shared = companies.persons_with(company_id, keys) if keys else {}
        new = [each for each in (*sorted(traces.bc_ids), *sorted(keys - shared.keys())) if each not in traces.erased]
        if new:
            traces.erased = companies.mark_erased(company_id, new)
        self.links = {link.outlook_id: link for link in theirs}
        self.parked = {
            each.outlook_id: each
            for each in self.state.all_parked()
            if traces.is_theirs(each) or each.outlook_id in traces.outlook_ids
        }
        traces.outlook_ids |= self.links.keys() | self.parked.keys()
        return traces

    # ------------------------------------------------------------ our own rows

    def _clean_state(self, traces: Traces) -> None:
        now, changes = self.services.now(), Changes()
        parked = self.parked.values()
        if parked:  # the old rows go before the new ones come: they may share a key
            self.state.commit(Changes(unparked=list(parked)))
        changes.parked = [Parked(each.outlook_id, ERASING, (), each.bc_id) for each in parked]
        self.parked = {each.outlook_id: each for each in changes.parked}
        changes.links = [_emptied(each) for each in self.links.values()]
        ids = traces.outlook_ids | traces.bc_ids
        changes.settled = [each for each in self.state.retries() if each.key in ids or each.key in traces.erased]
        changes.unhidden = {each for each in self.state.hidden() if each in traces.erased}
        positions = self._without_holds(traces, changes)
        changes.positions = positions if positions != self.state.positions() else None
        if changes:
            self.state.commit(changes)
        retries = [Retry(each.bc_id, "bc", ERASING, 0, now) for each in self.links.values()]
        retries += [Retry(each, "outlook", ERASING, 0, now) for each in self.parked]
        if retries:
            self.state.commit(Changes(retries=retries))
        own = [each.bc_id for each in self.links.values() if each.origin is Origin.OWN]
        if own:
            self.services.companies.note_outside(self.profile.company_id, self.profile.id, own, linked=False)

    def _without_holds(self, traces: Traces, changes: Changes) -> Positions:
        positions = self.state.positions()
        holds = dict(positions.holds)
        for kind, hold in positions.holds.items():
            waiting = self.state.held(kind)
            left = holds_none(sorted(waiting), traces.outlook_ids, traces.erased)
            if len(left) == len(waiting):
                continue
            changes.held[kind] = left
            holds[kind] = replace(hold, count=len(left))
            if not left:
                del holds[kind]
        return replace(positions, holds=holds)

    # ------------------------------------------------------------ the folder

    def _clean_folder(self, traces: Traces) -> None:
        bc_ids = sorted(traces.bc_ids | ({self.erases.contact} - {""}))
        folder_id = self._folder_id() if self.links or self.parked or bc_ids else ""
        if not folder_id:
            self._record([*self.links, *self.parked])
            return
        try:
            self._remove_from(folder_id, bc_ids)
        except FolderMissing:  # with all that was in it
            self._record([*self.links, *self.parked])

    def _folder_id(self) -> str:
        """Found by its stamp where our record of it was lost (R9); blank: there is none."""
        profile, known = self.profile, self.state.positions().folder_id
        if known:
            return known
        outlook = self.services.directory(self.pace).outlook(profile.mailbox_id)
        if profile.main_folder:
            return outlook.main_folder().id
        found = outlook.find_folder(FolderStamp(profile.company_id, profile.id, self.services.environment))
        return found.id if found is not None else ""

    def _remove_from(self, folder_id: str, bc_ids: Sequence[str]) -> None:
        pages = pages_of(self.services, self.request)
        for link in self.links.values():
            pages.expect_removal(_emptied(link), "erased")
        outlook = JournalledOutlook(self.services.directory(self.pace).outlook(self.profile.mailbox_id), pages)
        wanted = [*self.links, *self.parked]
        found = dict(outlook.read(folder_id, wanted)) if wanted else {}
        if set(wanted) - set(found):  # a missing answer is not a deletion (R25)
            raise RetryableError("Outlook gave no answer about some of the contacts; the erasure is tried again.")
        for copies in outlook.find_stamped(folder_id, bc_ids).values() if bc_ids else ():
            found |= {each.id: each for each in copies if not each.private}
        self._record([key for key, contact in found.items() if contact is None or contact.private])
        there = [each for each in found.values() if each is not None and not each.private]
        own = [each for each in there if self.profile.main_folder and self._origin(each) is not Origin.SYNC]
        self._take_off(outlook, folder_id, own)
        self._erase(outlook, folder_id, [each for each in there if each not in own])

    def _origin(self, contact: OutlookContact) -> Origin:
        link = self.links.get(contact.id)
        return link.origin if link else contact.stamp.origin if contact.stamp else Origin.USER

    def _erase(self, outlook: OutlookSide, folder_id: str, contacts: Sequence[OutlookContact]) -> None:
        ids = [each.id for each in contacts]
        outcomes = outlook.erase(folder_id, ids) if ids else []
        done = [key for key, failure in zip(ids, outcomes, strict=True) if failure is None]
        self._record(done)
        for _ in done:
            self.tally.add(Side.OUTLOOK, "deleted")
        self._failed({key: each for key, each in zip(ids, outcomes, strict=True) if each is not None})

    def _take_off(self, outlook: OutlookSide, folder_id: str, contacts: Sequence[OutlookContact]) -> None:
        """R27: in the main folder what was the user's only loses our marks."""
        writes = [OutlookWrite(each, {}, remove_marks=True) for each in contacts if each.stamp is not None]
        outcomes = outlook.write(folder_id, writes) if writes else []
        failures = {
            write.current.id: each
            for write, each in zip(writes, outcomes, strict=True)
            if isinstance(each, ContactError) and not isinstance(each, ContactGone)
        }
        self._record([each.id for each in contacts if each.id not in failures])
        for _ in range(len(writes) - len(failures)):
            self.tally.add(Side.OUTLOOK, "updated")
        self._failed(failures)

    def _record(self, outlook_ids: Sequence[str]) -> None:
        """They are gone, or no longer ours."""
        now, changes = self.services.now(), Changes()
        for key in outlook_ids:
            if (link := self.links.pop(key, None)) is not None:
                changes.dropped.append(_emptied(link))
                changes.settled.append(Retry(link.bc_id, "bc", ERASING, 0, now))
            if (parked := self.parked.pop(key, None)) is not None:
                changes.unparked.append(parked)
                changes.settled.append(Retry(key, "outlook", ERASING, 0, now))
        if changes:
            self.state.commit(changes)

    def _failed(self, failures: dict[str, ContactError]) -> None:
        if any(isinstance(each, NotDone) for each in failures.values()):
            may_go_on(self.services, self.request, self.pace, unfinished=True)
        for key, each in failures.items():
            self.next_retry = self.services.now() + timedelta(seconds=self.services.limits.retry_first)
            self.tally.remark([Note(NoteKind.FAILED, each.code, str(each), outlook_id=key)])


def _emptied(link: Link) -> Link:
    return Link(link.bc_id, link.outlook_id, EMPTY_CARD, EMPTY_CARD, link.origin)
