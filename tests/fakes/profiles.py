"""Ports `Profiles`, `Marks`, `Reports` and `Messages` in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.cards.normalise import email_key
from shared.engine.model import Profile, Report
from shared.engine.pauses import Pause
from shared.engine.run_ids import run_id
from shared.engine.state import Mark
from tests.fakes.account import Account, Reading, check_etag


class MemoryProfiles:
    """Port `Profiles`."""

    def __init__(self, state: Account) -> None:
        self._state = state
        self.rows: dict[tuple[str, str], Profile] = {}

    def get(self, company_id: str, profile_id: str) -> Profile | None:
        with self._reading("get"):
            return self.rows.get((company_id, profile_id))

    def get_many(self, company_id: str, profile_ids: Iterable[str]) -> Mapping[str, Profile]:
        with self._reading("get_many"):
            return {each: self.rows[company_id, each] for each in profile_ids if (company_id, each) in self.rows}

    def of_user(self, user_id: str) -> Sequence[Profile]:
        with self._reading("of_user"):
            return [each for each in self._sorted() if each.id == user_id]

    def of_mailbox(self, mailbox_id: str) -> Sequence[Profile]:
        with self._reading("of_mailbox"):
            return [each for each in self._sorted() if each.mailbox_id == mailbox_id]

    def user_id(self, address: str) -> str | None:
        with self._reading("user_id"):
            key = email_key(address)
            return next((each.id for each in self._sorted() if key and email_key(each.user_address) == key), None)

    def in_company(self, company_id: str, after: str = "", most: int | None = None) -> Iterator[Profile]:
        with self._reading("in_company"):
            return iter([each for each in self._sorted() if each.company_id == company_id and each.id > after][:most])

    def companies(self) -> Sequence[str]:
        with self._reading("companies"):
            return sorted({company_id for company_id, _ in self.rows})

    def save(self, profile: Profile) -> Profile:
        with self._reading("save"):
            key = (profile.company_id, profile.id)
            stored = self.rows.get(key)
            check_etag(profile.etag, stored.etag if stored else "")
            self.rows[key] = replace(profile, etag=self._state.next_etag())
            return self.rows[key]

    def delete(self, profile: Profile) -> None:
        with self._reading("delete"):
            self.rows.pop((profile.company_id, profile.id), None)

    def _sorted(self) -> list[Profile]:
        return [self.rows[key] for key in sorted(self.rows)]

    def _reading(self, name: str) -> Reading:
        return Reading(self._state, f"profiles.{name}")


class MemoryMarks:
    """Port `Marks`: each mark keeps the puts that count, numbered, so that a settled one leaves those put meanwhile."""

    def __init__(self, state: Account) -> None:
        self._state = state
        self.rows: dict[tuple[str, str], list[Mark]] = {}

    def marked(self, company_id: str) -> Iterator[str]:
        with self._reading("marked"):
            return iter(sorted(profile_id for company, profile_id in self.rows if company == company_id))

    def due(self, company_id: str, now: datetime) -> Iterator[Mark]:
        with self._reading("due"):
            found = []
            for key in sorted(self.rows):
                puts = self.rows[key]
                first = min(puts, key=lambda each: each.due)
                if key[0] == company_id and first.due <= now:
                    found.append(replace(first, version=puts[-1].version))
            return iter(found)

    def put(self, mark: Mark) -> None:
        with self._reading("put"):
            puts = self.rows.setdefault((mark.company_id, mark.profile_id), [])
            # from the clock, so that versions grow even when the row was removed in between
            tick = int(self._state.clock().timestamp() * 1_000_000)
            version = max(tick, puts[-1].version + 1 if puts else 1)
            # a later put that is due earlier makes this one needless
            puts[:] = [each for each in puts if each.due < mark.due]
            puts.append(replace(mark, version=version))

    def settle(self, mark: Mark, next_due: datetime | None) -> None:
        with self._reading("settle"):
            key = (mark.company_id, mark.profile_id)
            puts = self.rows.pop(key, [])
            if mark.version:
                left = [each for each in puts if each.version > mark.version]
            else:
                left = [each for each in puts if each.due > mark.due]
            if next_due is not None and all(next_due < each.due for each in left):
                left.insert(0, replace(mark, due=next_due, reason="sweep", version=max(1, mark.version)))
            if left:
                self.rows[key] = left

    def _reading(self, name: str) -> Reading:
        return Reading(self._state, f"marks.{name}")


class MemoryReports:
    """Port `Reports`."""

    def __init__(self, state: Account) -> None:
        self._state = state
        self.rows: dict[str, Report] = {}

    def save(self, report: Report) -> None:
        with self._reading("save"):
            self.rows[report.run_id] = report

    def get(self, run_id: str) -> Report | None:
        with self._reading("get"):
            return self.rows.get(run_id)

    def discard(self, report: Report) -> None:
        with self._reading("discard"):
            self.rows.pop(report.run_id, None)

    def of_profile(
        self, mailbox_id: str, company_id: str, profile_id: str, *, top: int, after: str = ""
    ) -> tuple[Sequence[Report], str]:
        with self._reading("of_profile"):
            wanted = (mailbox_id, company_id, profile_id)
            found = [
                self.rows[run_id]
                for run_id in sorted(self.rows)
                if run_id > after
                and (self.rows[run_id].mailbox_id, self.rows[run_id].company_id, self.rows[run_id].profile_id) == wanted
            ]
            return found[:top], found[top - 1].run_id if len(found) > top else ""

    def remove_before(self, mailbox_id: str, before: datetime) -> int:
        with self._reading("remove_before"):
            oldest = f"{run_id('', before, '')[:13]}~"
            old = [key for key, each in self.rows.items() if each.mailbox_id == mailbox_id and key >= oldest]
            for key in old:
                del self.rows[key]
            return len(old)

    def _reading(self, name: str) -> Reading:
        return Reading(self._state, f"reports.{name}")


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was sent: to "sync" with a mailbox id, to "company" with a company id, or for an "import" with a
    company id and the run's id as the reason."""

    queue: str
    id: str
    reason: str
    due: datetime


class MemoryPauses:
    """Port `Pauses`."""

    def __init__(self, state: Account) -> None:
        self._state = state
        self.rows: dict[tuple[str, str], Pause] = {}

    def all(self) -> Sequence[Pause]:
        if not self.rows:
            return ()  # the real one believes for some seconds that there are none: hardly ever a call
        with self._state.lock, self._state.faults.around("pauses.all"):
            return list(self.rows.values())

    def save(self, pause: Pause) -> None:
        with self._state.lock, self._state.faults.around("pauses.save"):
            self.rows[pause.company_id, pause.profile_id] = pause

    def remove(self, company_id: str, profile_id: str) -> bool:
        with self._state.lock, self._state.faults.around("pauses.remove"):
            return self.rows.pop((company_id, profile_id), None) is not None


class MemoryMessages:
    """Port `Messages`; at least once, no order promised, but here in the order of their due time."""

    def __init__(self, state: Account) -> None:
        self._state = state
        self.sent: list[Message] = []

    def sync_job(self, mailbox_id: str, *, delay: float = 0) -> None:
        with Reading(self._state, "messages.sync_job"):
            self.sent.append(Message("sync", mailbox_id, "", self._due(delay)))

    def sync_jobs(self, mailbox_ids: Iterable[str]) -> None:
        for each in mailbox_ids:
            self.sync_job(each)

    def company_job(self, company_id: str, reason: str, *, delay: float = 0) -> None:
        with Reading(self._state, "messages.company_job"):
            self.sent.append(Message("company", company_id, reason, self._due(delay)))

    def import_job(self, company_id: str, run_id: str, *, delay: float = 0) -> None:
        with Reading(self._state, "messages.import_job"):
            self.sent.append(Message("import", company_id, run_id, self._due(delay)))

    def waiting(self) -> float:
        with Reading(self._state, "messages.waiting"):
            visible = [each.due for each in self.sent if each.due <= self._state.clock()]
            return (self._state.clock() - min(visible)).total_seconds() if visible else 0.0

    def take_due(self) -> list[Message]:
        """Take away the messages that are visible now."""
        now = self._state.clock()
        due = sorted((each for each in self.sent if each.due <= now), key=lambda each: each.due)
        self.sent = [each for each in self.sent if each.due > now]
        return due

    def _due(self, delay: float) -> datetime:
        return self._state.clock() + timedelta(seconds=delay)
