"""Where a request about a profile comes from: a copied environment is refused."""

from datetime import timedelta

import pytest

from tests.fakes.world import COMPANY
from tests.functions.desk import ADA, OTHER_COMPANY, TENANT, Desk

ADDRESS = f"/api/profiles/{ADA}"


@pytest.mark.parametrize(
    ("origin", "field"),
    [
        ({"tenantId": "00000000-1111-0000-0000-000000000000"}, "tenantId"),
        ({"environment": "Sandbox"}, "environment"),
        ({"companyId": OTHER_COMPANY}, "companyId"),
    ],
)
def test_a_copied_environment_is_refused(desk: Desk, origin: dict[str, str], field: str) -> None:
    refused = (409, "wrong-environment", field)
    assert desk.call("PUT", ADDRESS, origin).problem == refused
    desk.save()
    assert desk.call("PATCH", ADDRESS, origin).problem == refused
    assert desk.call("PUT", ADDRESS, origin).problem == refused
    query = "&".join(f"{name}={value}" for name, value in origin.items())
    assert desk.call("GET", f"{ADDRESS}?{query}").problem == refused
    assert desk.call("POST", f"{ADDRESS}/validate", origin).problem == refused
    assert desk.call("POST", "/api/sync", origin | {"user": ADA, "mode": "full"}).problem == refused


def test_our_own_environment_is_welcome_in_any_spelling(desk: Desk) -> None:
    origin = {"tenantId": TENANT.upper(), "environment": "PRODUCTION", "companyId": COMPANY.upper()}
    assert desk.call("PUT", ADDRESS, origin).status == 201
    desk.world.clock.time += timedelta(seconds=1)
    assert desk.call("PATCH", ADDRESS, origin | {"enabled": False}).status == 200
