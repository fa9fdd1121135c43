"""A run that undoes another one, or one contact of it (R36): in its mailbox's line, under the lease, with a report.

It reads what the journal names, and nothing else; no position moves. Whoever repeats it, after a death or later, finds
what is back already and goes on with the rest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.cards import emails
from shared.cards.model import BcContact
from shared.engine.apply_undo import carry_out
from shared.engine.holding import company_reported
from shared.engine.journalled import JournalledBc, JournalledOutlook
from shared.engine.model import Profile, RunRequest, Undoes
from shared.engine.pages import pages_of
from shared.engine.rules_of import rules_of
from shared.engine.services import Services
from shared.engine.sides import BcSide, OutlookSide
from shared.engine.state import ProfileState
from shared.engine.tally import Tally
from shared.engine.undo_work import UndoWork
from shared.errors import RetryableError
from shared.pace import Pace
from shared.planning.describe_undo import describe
from shared.planning.journalled import Entry, Verb, card_of
from shared.planning.model import ABSENT, BcReading, Link, OutlookReading, Present, Rules, Shown, Side
from shared.planning.net import net, of_contact
from shared.planning.undo import plan_undo
from shared.planning.undo_model import PutBack, Restore, Settle, TakeBack, UndoInputs, UndoPlan


@dataclass(slots=True)
class UndoRun:
    """An undo from its request to its end; the same face as `OneRun`."""

    services: Services
    state: ProfileState
    profile: Profile
    request: RunRequest
    undoes: Undoes
    pace: Pace
    tally: Tally
    described: list[dict[str, object]] = field(default_factory=list)
    next_retry: datetime | None = None
    unwatched: bool = False

    def go(self) -> None:
        """Do it. Raises ProfileError, CompanyError, RetryableError, LeaseLost; what was done by then is recorded."""
        services, company_id = self.services, self.profile.company_id
        stopped = services.companies.feed(company_id).stopped
        if stopped is not None:
            # nothing is written until a person has approved (R33)
            self.tally.held.append(company_reported(services.companies, company_id, stopped))
            return
        settings = services.companies.settings(company_id)
        rules = rules_of(self.profile, settings, services.environment, services.limits.category)
        pages = pages_of(services, self.request)
        outlook = JournalledOutlook(services.directory(self.pace).outlook(self.profile.mailbox_id), pages)
        bc = JournalledBc(services.business_central(self.pace).company(company_id), pages)
        folder_id = self.state.positions().folder_id
        inputs = self._read(rules, outlook, bc, folder_id)
        plan = plan_undo(inputs)
        self.tally.remark(plan.notes)
        if self.request.preview:
            self.described = self._shown(plan)
            return
        work = UndoWork(
            services, self.request, self.state, rules, outlook, bc, folder_id, pages, self.pace, self.tally, inputs
        )
        carry_out(work, plan.steps)

    def _shown(self, plan: UndoPlan) -> list[dict[str, object]]:
        verbs = {PutBack: "updated", TakeBack: "deleted", Restore: "created"}
        written = [each for each in plan.steps if not isinstance(each, Settle)]
        steps = [each for each in written if not (isinstance(each, Restore) and each.found is not None)]
        for step in steps:
            self.tally.add(step.side, verbs[type(step)])
        return [describe(step) for step in steps]

    # ------------------------------------------------------------ read

    def _entries(self) -> list[Entry]:
        """What is to be undone."""
        entries = [entry for batch in self.services.journal.of_run(self.undoes.run_id) for entry in batch.entries]
        return of_contact(entries, self.undoes.contact) if self.undoes.contact else entries

    def _read(self, rules: Rules, outlook: OutlookSide, bc: BcSide, folder_id: str) -> UndoInputs:
        entries = self._entries()
        bc_ids = {entry.bc_id for entry in entries} - {""}
        outlook_ids = {entry.outlook_id for entry in entries} - {""}
        links: dict[str, Link] = {**self.state.links_by_bc(bc_ids), **self.state.links_by_outlook(outlook_ids)}
        bc_ids |= links.keys()
        outlook_ids |= {link.outlook_id for link in links.values()}
        changes = net(entries)
        removed = [each for each in changes if each.verb is Verb.DELETED]
        gone = sorted({each.bc_id for each in removed if each.side is Side.OUTLOOK and each.bc_id})
        return UndoInputs(
            rules,
            tuple(entries),
            links,
            self._bc(bc, sorted(bc_ids)),
            self._outlook(outlook, folder_id, sorted(outlook_ids)),
            recreate=self.undoes.recreate,
            copies=outlook.find_stamped(folder_id, gone) if gone and folder_id else {},
            persons=self._persons(bc, removed),
            erased=self._erased(entries),
        )

    def _erased(self, entries: Iterable[Entry]) -> frozenset[str]:
        """Ids of contacts that were erased, by what the journal knows of them (R39)."""
        company_id = self.profile.company_id
        if not self.services.companies.feed(company_id).erased:
            return frozenset()
        erased = self.services.companies.erased(company_id)
        theirs = [
            each
            for each in entries
            if each.bc_id in erased or any(erased.has_first(card_of(one).email) for one in (each.before, each.after))
        ]
        return frozenset({one for each in theirs for one in (each.bc_id, each.outlook_id) if one})

    def _bc(self, bc: BcSide, ids: Sequence[str]) -> dict[str, BcReading]:
        answers = bc.read(ids) if ids else {}
        _all_answered(ids, answers)
        return {key: ABSENT if each is None else Present(each) for key, each in answers.items()}

    def _outlook(self, outlook: OutlookSide, folder_id: str, ids: Sequence[str]) -> dict[str, OutlookReading]:
        if not folder_id:
            return {}
        answers = outlook.read(folder_id, ids) if ids else {}
        _all_answered(ids, answers)
        return {key: ABSENT if each is None else Shown(each) for key, each in answers.items()}

    def _persons(self, bc: BcSide, removed: Iterable[Entry]) -> dict[str, tuple[BcContact, ...]]:
        """Who has the e-mail addresses now of those that may be created anew."""
        if not self.undoes.recreate:
            return {}
        keys = {emails.key_of(card_of(each.before).email) for each in removed if each.side is Side.BC}
        return dict(bc.find_persons(sorted(keys - {""}))) if keys - {""} else {}


def _all_answered(ids: Iterable[str], answers: Iterable[str]) -> None:
    if set(ids) - set(answers):  # a missing answer is not a deletion (R25)
        raise RetryableError("A service gave no answer about some of the contacts; the undo is tried again.")
