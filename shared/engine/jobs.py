"""Bodies of the queue messages: ids and times only, as JSON; a person's data never lies in a queue.

sync-jobs       {"mailbox": "ID"}
company-jobs    {"company": "ID", "reason": "timer", "requestedAt": "2026-01-31T12:00:00+00:00"}
                {"company": "ID", "reason": "import", "import": "RUN ID"}
"""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """Why a company's feed is to be read."""

    TIMER = "timer"  #: the schedule: who has work is run
    BC = "bc-notification"  #: BC says that contacts changed: only those whom it concerns are run
    NEWS = "news"  #: a run has written to BC and told the feed: the others whom it concerns are run
    REAUTHORIZE = "reauthorize"  #: Graph wants a profile's subscription renewed
    SUBSCRIBE = "subscribe"  #: Graph has ended a profile's subscription: it is made anew
    IMPORT = "import"  #: users are imported, or a run of that goes on
    SYNC_ALL = "sync-all"  #: an administrator wants every profile run
    FULL_SYNC_ALL = "full-sync-all"  #: the same, as full runs


@dataclass(frozen=True, slots=True)
class CompanyJob:
    """A message of the company-jobs queue."""

    company_id: str
    reason: str  #: a `Reason`; an unknown one is served like the timer's
    requested_at: datetime | None = None  #: None: when the message is read
    profile_id: str = ""  #: whose subscription, for those two reasons
    import_run: str = ""  #: id of an import's run

    @property
    def is_upkeep(self) -> bool:
        """Whether it is about a subscription, not about the feed."""
        return self.reason in (Reason.REAUTHORIZE, Reason.SUBSCRIBE)

    @property
    def for_everybody(self) -> Reason | None:
        """The reason, when a person wants every profile run."""
        wanted = {Reason.SYNC_ALL.value: Reason.SYNC_ALL, Reason.FULL_SYNC_ALL.value: Reason.FULL_SYNC_ALL}
        return wanted.get(self.reason)


def sync_job(mailbox_id: str) -> str:
    """The message that wakes a worker for a mailbox."""
    return _text({"mailbox": mailbox_id})


def mailbox_of(body: str) -> str:
    """The mailbox named in a sync-jobs message. Raises ValueError for anything else."""
    return _member(json.loads(body), "mailbox")


def company_job(job: CompanyJob) -> str:
    """The message that wakes a worker for a company's feed."""
    body = {"company": job.company_id, "reason": job.reason}
    if job.requested_at is not None:
        body["requestedAt"] = job.requested_at.isoformat()
    if job.profile_id:
        body["profile"] = job.profile_id
    if job.import_run:
        body["import"] = job.import_run
    return _text(body)


def import_job(company_id: str, run_id: str) -> str:
    """The message that wakes a worker for a run of an import."""
    return company_job(CompanyJob(company_id, Reason.IMPORT, import_run=run_id))


def read_company_job(body: str) -> CompanyJob:
    """The other way round. Raises ValueError for anything else."""
    members = json.loads(body)
    at = members.get("requestedAt") if isinstance(members, dict) else None
    profile = members.get("profile") if isinstance(members, dict) else None
    run = members.get("import") if isinstance(members, dict) else None
    return CompanyJob(
        _member(members, "company"),
        _member(members, "reason"),
        datetime.fromisoformat(at) if isinstance(at, str) else None,
        profile if isinstance(profile, str) else "",
        run if isinstance(run, str) else "",
    )


def _member(members: object, name: str) -> str:
    value = members.get(name) if isinstance(members, dict) else None
    if not isinstance(value, str) or not value:
        raise ValueError(f"a queue message without {name}")
    return value


def _text(body: dict[str, str]) -> str:
    return json.dumps(body, separators=(",", ":"))
