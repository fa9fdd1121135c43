"""Instances whose clocks differ by minutes agree about leases and about what is fresh (R14, R29): the storage service's
time counts."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dev.azurite import Azurite, AzuriteError
from shared.bootstrap import Surroundings, build
from shared.engine.model import Mode, RunRequest, Trigger
from shared.engine.services import Services
from shared.engine.state import Busy
from shared.settings import read
from tests.unit.test_settings import LEAST

pytestmark = pytest.mark.integration
SKEW = timedelta(minutes=5)
ABOUT = timedelta(seconds=5)  #: dates of answers are whole seconds, and a busy machine answers late


def instance(connection: str, prefix: str, skew: timedelta) -> Services:
    settings = read({**LEAST, "AzureWebJobsStorage": connection, "STORAGE_PREFIX": prefix})
    services = build(settings, Surroundings(local=lambda: datetime.now(UTC) + skew))
    services.profiles.companies()  # every piece of work begins with reading
    return services


@pytest.fixture
def instances() -> Iterator[tuple[Services, Services]]:
    """One whose clock is five minutes fast, and one whose clock is five minutes slow."""
    try:
        with Azurite() as azurite:
            prefix = f"skew{uuid.uuid4().hex[:8]}"
            yield instance(azurite.connection_string, prefix, SKEW), instance(azurite.connection_string, prefix, -SKEW)
    except AzuriteError as error:
        pytest.skip(str(error))


def test_a_lease_is_not_taken_over_because_a_clock_is_fast(instances: tuple[Services, Services]) -> None:
    fast, slow = instances
    mailbox = str(uuid.uuid4())
    held = slow.mailboxes.hold(mailbox, "slow")
    assert not isinstance(held, Busy)

    busy = fast.mailboxes.hold(mailbox, "fast")

    assert isinstance(busy, Busy)
    assert 0 < busy.seconds <= 60
    held.release()


def test_a_lease_ends_in_time_although_its_holders_clock_was_fast(instances: tuple[Services, Services]) -> None:
    fast, slow = instances
    mailbox = str(uuid.uuid4())
    held = fast.mailboxes.hold(mailbox, "fast")
    assert not isinstance(held, Busy)

    busy = slow.mailboxes.hold(mailbox, "slow")

    assert isinstance(busy, Busy)
    assert busy.seconds <= 60
    held.release()


def test_both_tell_the_same_time_so_that_no_older_reading_of_bc_counts_for_a_later_request(
    instances: tuple[Services, Services],
) -> None:
    fast, slow = instances

    assert abs(fast.now() - slow.now()) < ABOUT
    assert abs(fast.now() - datetime.now(UTC)) < ABOUT


def test_requests_keep_their_order_whichever_instance_took_them(instances: tuple[Services, Services]) -> None:
    fast, slow = instances
    mailbox, company = str(uuid.uuid4()), str(uuid.uuid4())
    for number, each in enumerate((fast, slow, fast)):
        request = RunRequest(
            f"run-{number}", company, f"user-{number}", mailbox, Mode.INCREMENTAL, Trigger.HTTP, each.now(),
            preview=True,
        )  # fmt: skip
        each.mailboxes.submit(request)

    waiting = [each.requested_at for each in slow.mailboxes.waiting(mailbox)]

    assert max(waiting) - min(waiting) < ABOUT
