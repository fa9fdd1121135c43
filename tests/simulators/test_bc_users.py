"""Users at the Automation API of the Business Central simulator."""

from collections.abc import Iterator

import pytest

from dev.simulators.launch import Simulators
from tests.simulators.bc_client import BcClient, refusal

pytestmark = pytest.mark.integration

USERS = [
    {"user_name": "ADA", "contact_email": "ada@contoso.example", "authentication_email": "ada@contoso.example"},
    {"user_name": "EVE", "license_type": "External User"},
]


@pytest.fixture
def bc(simulators: Simulators) -> Iterator[BcClient]:
    simulators.bc.reset()
    simulators.entra.set_roles("bc", ["API.ReadWrite.All", "Automation.ReadWrite.All"])
    client = BcClient(simulators)
    client.control.set_users(USERS)
    with client.session:
        yield client
    simulators.entra.set_roles("bc", ["API.ReadWrite.All"])


def address(bc: BcClient, name: str, company: str = "") -> str:
    automation = bc.base.removesuffix("api/v2.0") + "api/microsoft/automation/v2.0"
    return f"{automation}/companies({company or bc.company})/{name}"


def test_users_come_without_external_ones(bc: BcClient) -> None:
    rows = bc.send("GET", address(bc, "users")).json()["value"]
    assert [(each["userName"], each["state"], each["contactEmail"]) for each in rows] == [
        ("ADA", "Enabled", "ada@contoso.example")
    ]
    assert "authenticationEmail" not in rows[0]


def test_sign_in_names_are_there_where_the_version_has_them(bc: BcClient) -> None:
    assert refusal(bc.send("GET", address(bc, "usersPermissions"))) == (404, "BadRequest_ResourceNotFound")
    bc.control.switch(users_permissions=True)
    rows = bc.send("GET", address(bc, "usersPermissions")).json()["value"]
    assert {each["userName"]: each["authenticationEmail"] for each in rows} == {"ADA": "ada@contoso.example", "EVE": ""}


def test_only_reading_and_only_in_a_company_that_is_there(bc: BcClient) -> None:
    assert refusal(bc.send("POST", address(bc, "users"), {}))[0] == 405
    nowhere = address(bc, "users", "00000000-0000-0000-0000-000000000001")
    assert refusal(bc.send("GET", nowhere)) == (404, "Internal_CompanyNotFound")


def test_the_api_wants_its_own_permission_and_no_other_api_takes_it(simulators: Simulators, bc: BcClient) -> None:
    simulators.entra.set_roles("bc", ["API.ReadWrite.All"])
    plain = BcClient(simulators)
    assert refusal(plain.send("GET", address(bc, "users"))) == (401, "Authentication_InvalidCredentials")
    simulators.entra.set_roles("bc", ["Automation.ReadWrite.All"])
    other = BcClient(simulators)
    assert other.send("GET", address(bc, "users")).status_code == 200
    assert refusal(other.send("GET", bc.contacts)) == (401, "Authentication_InvalidCredentials")
