"""What the engine's ports promise, kept by the BC adapter against the simulator: users."""

from collections.abc import Callable, Iterator

import pytest

from dev.simulators.business_central.control import BusinessCentralControl
from dev.simulators.launch import Simulators
from shared.business_central.environment import Environment
from shared.engine.sides import BcUser
from shared.errors import CompanyUnavailable, RetryableError, SourceUnreadable
from shared.pace import Pace
from shared.planning.importing import Unfit
from shared.transport.auth import MsalTokens, Secret
from shared.transport.client import Client

pytestmark = pytest.mark.integration

USERS = [
    {"user_name": "ADA", "contact_email": "typed@x.example", "authentication_email": "Ada@contoso.example"},
    {"user_name": "BEN", "contact_email": " ben@contoso.example "},
    {"user_name": "CLEO", "contact_email": "cleo@contoso.example", "state": "Disabled"},
    {"user_name": "DORA"},
    {"user_name": "SYNC", "contact_email": "app@x.example", "application_id": "66666666-7777-4888-9999-aaaaaaaaaaaa"},
    {"user_name": "EVE", "contact_email": "eve@other.example", "license_type": "External User"},
]


@pytest.fixture
def consented(simulators: Simulators, client: Client, pace: Pace) -> Iterator[Callable[..., Environment]]:
    """An app with just these permissions; a token that was given before still carries the others."""

    def environment(*roles: str) -> Environment:
        simulators.entra.set_roles("bc", roles)
        at = simulators.addresses
        secret = Secret(at.client_secret)
        tokens = MsalTokens(
            authority_host=at.authority_host, tenant=at.tenant, client_id=at.client_id, credential=secret
        )
        return Environment(Client(client.service, tokens, sleep=lambda _: None, jitter=lambda: 0.0), pace)

    yield environment
    simulators.entra.set_roles("bc", ["API.ReadWrite.All"])


@pytest.fixture
def importing(consented: Callable[..., Environment], bc: BusinessCentralControl) -> Environment:
    bc.set_users(USERS)
    return consented("API.ReadWrite.All", "Automation.ReadWrite.All")


def test_sign_in_names_count_where_bc_tells_them(importing: Environment, bc: BusinessCentralControl) -> None:
    bc.switch(users_permissions=True)
    found = {each.name: each for each in importing.users(bc.companies()[0]["id"])}
    assert found == {
        "ADA": BcUser("ADA", "Ada@contoso.example"),
        "BEN": BcUser("BEN", "ben@contoso.example"),
        "CLEO": BcUser("CLEO", "cleo@contoso.example", Unfit.BC_DISABLED),
        "DORA": BcUser("DORA", ""),
        "SYNC": BcUser("SYNC", "app@x.example", Unfit.BC_APPLICATION),
    }


def test_older_versions_tell_the_contact_address_only(importing: Environment, bc: BusinessCentralControl) -> None:
    found = {each.name: each.address for each in importing.users(bc.companies()[0]["id"])}
    assert found["ADA"] == "typed@x.example"
    assert "EVE" not in found


def test_the_permission_that_only_this_needs_is_named(
    consented: Callable[..., Environment], bc: BusinessCentralControl
) -> None:
    environment = consented("API.ReadWrite.All")
    with pytest.raises(SourceUnreadable, match=r"Automation\.ReadWrite\.All") as caught:
        environment.users(bc.companies()[0]["id"])
    assert caught.value.code == "bc-permission"


@pytest.mark.parametrize(
    ("company", "code"),
    [("nonsense", "company-not-found"), ("0" * 8 + "-0000" * 3 + "-" + "0" * 12, "company-not-found")],
)
def test_a_company_that_is_gone_says_so(importing: Environment, company: str, code: str) -> None:
    with pytest.raises(CompanyUnavailable) as caught:
        importing.users(company)
    assert caught.value.code == code


def test_half_a_list_is_none(importing: Environment, bc: BusinessCentralControl) -> None:
    """R25"""
    bc.switch(page_limit=2)
    bc.add_fault("answer", service="bc", path="skiptoken", times=20, status=500, body={})
    with pytest.raises(RetryableError):
        importing.users(bc.companies()[0]["id"])
