"""What the engine's port promises, kept by the Business Central adapter against the simulator: faults."""

from uuid import uuid4

import pytest

from dev.simulators.business_central.control import BusinessCentralControl
from shared.business_central.company import Company
from shared.cards.model import BcContact, Field
from shared.engine.sides import BcWrite
from shared.errors import RetryableError
from tests.contract.business_central.office import created, draft

pytestmark = pytest.mark.integration


def test_throttled_parts_and_batches_are_repeated(company: Company, bc: BusinessCentralControl) -> None:
    """R32"""
    bc.add_fault("answer", service="bc", item=True, status=429, times=3)
    bc.add_fault("answer", service="bc", item=False, path="batch", status=503, times=2, headers={"Retry-After": "0"})
    assert len(created(company, *(draft(email=f"{each}@x.example") for each in "abcdef"))) == 6
    assert len(bc.contacts()) == 6


def test_an_expired_token_is_replaced(company: Company, bc: BusinessCentralControl) -> None:
    bc.seed(count=1)
    assert len(list(company.stamps())) == 1
    bc.revoke_tokens()
    assert len(list(company.stamps())) == 1


def test_a_service_that_stays_away_is_retryable(company: Company, bc: BusinessCentralControl) -> None:
    bc.add_fault("answer", service="bc", status=502, times=None, body="<html>")
    with pytest.raises(RetryableError):
        list(company.contacts())
    with pytest.raises(RetryableError):
        company.write([BcWrite(BcContact(str(uuid4()), 'W/"eA=="', "", {}), {Field.JOB_TITLE: "x"})])
