"""What is measured again and again: a run as its user asks for it, and a tick of the timer."""

from uuid import uuid4

from shared.engine.fan_out import serve_company
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import Mode, Profile, Report
from shared.engine.requests import Wanted, request_run
from shared.engine.run import run_mailbox
from shared.engine.services import Services


class BenchError(Exception):
    """Something did not run as the measurement presumes; the message says what."""


def request(services: Services, profile: Profile, mode: Mode) -> Report:
    """A run is asked for; it waits in the mailbox's line."""
    return request_run(services, profile, Wanted(mode=mode), "bench")


def run(services: Services, profile: Profile, mode: Mode) -> Report:
    """A run as its user asks for it. Raises BenchError when it does not succeed."""
    report = request(services, profile, mode)
    work_off(services, profile)
    done = services.reports.get(report.run_id)
    if done is None or not done.status.value.startswith("succeeded"):
        raise BenchError(f"a run ended as {done and done.status}: {done and (done.error or done.held)}")
    return done


def tick(services: Services, profile: Profile) -> None:
    """A tick of the timer: the company's job, then the mailbox's. Raises BenchError when the mailbox was not due."""
    _serve(services, profile)
    if not services.mailboxes.waiting(profile.mailbox_id):
        raise BenchError("the tick did not find the mailbox due")
    work_off(services, profile)


def tick_once(services: Services, profile: Profile) -> None:
    """A tick of the timer, as far as one message of the mailbox goes."""
    _serve(services, profile)
    run_mailbox(services, profile.mailbox_id, uuid4().hex)


def work_off(services: Services, profile: Profile) -> None:
    """Do what waits for the mailbox."""
    while services.mailboxes.waiting(profile.mailbox_id):
        run_mailbox(services, profile.mailbox_id, uuid4().hex)


def _serve(services: Services, profile: Profile) -> None:
    serve_company(services, CompanyJob(profile.company_id, Reason.TIMER, services.now()))
