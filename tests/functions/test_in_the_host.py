"""The interface through the real worker library, with keys, queues, tables and both services simulated."""

from collections.abc import Iterator

import pytest

from dev.system.running import System
from dev.system.settings import ADMIN_KEY, USER_KEY
from tests.functions.desk import Response, check_answer

pytestmark = [pytest.mark.integration, pytest.mark.slow]

USER = "ada@contoso.example"


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with System() as running:
        running.simulators.graph.create_user(USER)
        company = running.simulators.bc.add_company("Harbour Ltd")
        running.simulators.bc.create_contact(
            displayName="Ann Ash", email="ann@contoso.example", city="Basel", company=company
        )
        yield running


def call(system: System, method: str, path: str, template: str, key: str, body: object = None) -> Response:
    """One call, held to the description."""
    answered = system.app.request(method, path, key=key, body=body)
    assert not answered.is_redirect
    response = Response(answered.status_code, answered.json(), answered.headers, {})
    check_answer(method, template, response, answered.headers["content-type"].partition(";")[0])
    return response


def test_a_user_is_set_up_synced_explained_and_removed(system: System) -> None:
    profile, template = f"/api/profiles/{USER}", "/api/profiles/{user}"
    tried = call(system, "POST", f"{profile}/validate?company=Harbour%20Ltd", "/api/profiles/{user}/validate", USER_KEY)
    assert tried.body["ok"], tried.body

    saved = call(system, "PUT", profile, template, USER_KEY, {"company": "harbour ltd", "filter": {"city": "Basel"}})
    assert saved.status == 201
    tagged = system.app.request(
        "PATCH", profile, key=USER_KEY, body={"bcUserName": "ADA"}, headers={"If-Match": saved.headers["ETag"]}
    )
    assert tagged.status_code == 200
    stale = system.app.request(
        "PATCH", profile, key=USER_KEY, body={"bcUserName": "BEN"}, headers={"If-Match": saved.headers["ETag"]}
    )
    assert stale.status_code == 409

    # as BC's own module calls: the key in the address, no Content-Type
    content = f'{{"user": "{USER}", "mode": "full"}}'.encode()
    waited = system.app.request("POST", f"/api/sync?wait=60&Code={USER_KEY}", body=content)
    assert (waited.status_code, waited.json()["status"]) == (200, "succeeded"), waited.text
    assert waited.json()["toOutlook"]["created"] == 1

    queued = call(system, "POST", "/api/sync", "/api/sync", USER_KEY, {"user": USER, "mode": "incremental"})
    system.wait_until_idle()
    report = call(system, "GET", queued.headers["Location"], "/api/runs/{id}", USER_KEY).body
    assert report["status"] == "succeeded"
    assert report["toOutlook"]["created"] == 0

    explain = "/contacts/explain"
    why = call(
        system, "POST", profile + explain, template + explain, USER_KEY, {"contact": "ann@contoso.example"}
    ).body["contacts"][0]
    assert why["summary"] == "It is synced."

    gone = call(
        system, "DELETE", f"/api/admin/profiles/{USER}?contacts=remove", "/api/admin/profiles/{user}", ADMIN_KEY
    )
    assert gone.body["removed"] == 1


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/api/admin/profiles", USER_KEY),
        ("GET", f"/api/profiles/{USER}", ADMIN_KEY),
        ("GET", f"/api/profiles/{USER}", None),
        ("GET", "/api/admin/health", None),
    ],
)
def test_a_doors_keys_open_no_other_door(system: System, method: str, path: str, key: str | None) -> None:
    assert system.app.request(method, path, key=key).status_code == 401


def test_liveness_needs_no_key(system: System) -> None:
    assert system.app.request("GET", "/api/health").json() == {"status": "ok"}
