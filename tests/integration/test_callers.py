"""Who may call what, and how Business Central's callers do it (BC reference 10.1, 10.2)."""

import json

import pytest

from dev.system.settings import ADMIN_KEY, USER_KEY
from tests.integration.office import Office

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"x-functions-key": USER_KEY, "Content-Type": "text/plain; charset=utf-8"}),
        ("", {"x-functions-key": USER_KEY}),
        (f"?Code={USER_KEY}", {"Content-Type": "application/json"}),
        (f"?Code={USER_KEY}", {"Content-Type": "application/octet-stream", "Authorization": "Bearer a.b.c"}),
        (f"?code={USER_KEY}", {}),
    ],
)
def test_business_central_starts_a_run_with_its_key_in_header_or_address(
    office: Office, query: str, headers: dict[str, str]
) -> None:
    office.persons("Helen Ray")
    ada = office.user("ada")
    company = office.bc.companies()[0]["id"]
    body = {
        "user": ada,
        "mode": "incremental",
        "tenantId": office.system.simulators.addresses.tenant,
        "environment": "Production",
        "companyId": company,
        "actor": "ADA",
    }

    answer = office.app.request("POST", f"/api/sync{query}", body=json.dumps(body).encode(), headers=headers)

    assert answer.status_code == 202, answer.text
    run = office.app.wait_for_run(answer.json()["runId"])
    assert (run["status"], run["actor"], set(office.in_folder(ada))) == ("succeeded", "ADA", {"Helen Ray"})


def test_an_empty_body_without_content_type_is_taken(office: Office) -> None:
    office.persons("Helen Ray")
    ada = office.mailbox("ada")
    saved = office.app.request("PUT", f"/api/profiles/{ada}?Code={USER_KEY}", body=b"")
    checked = office.app.request("POST", f"/api/profiles/{ada}/validate?Code={USER_KEY}", body=b"")
    assert (saved.status_code, checked.status_code) == (201, 200)
    assert checked.json()["ok"] is True, checked.text


def test_a_sandbox_copied_from_production_is_turned_away(office: Office) -> None:
    ada = office.user("ada")
    answer = office.app.request(
        "POST", "/api/sync", key=USER_KEY, body={"user": ada, "mode": "full", "environment": "Sandbox"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong-environment")
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_each_key_opens_its_own_door_only(office: Office) -> None:
    for function in office.app.functions():
        if function["trigger"] != "httpTrigger" or function["authLevel"] == "ANONYMOUS":
            continue
        path = "/" + function["route"].replace("{", "").replace("}", "")
        mine, other = (ADMIN_KEY, USER_KEY) if function["name"].startswith("admin_") else (USER_KEY, ADMIN_KEY)
        for method in function["methods"]:
            assert office.app.request(method, path, key=other, body=b"").status_code == 401, (method, path)
            assert office.app.request(method, path, body=b"").status_code == 401, (method, path)
            if method == "GET":
                assert office.app.request(method, path, key=mine).status_code != 401, (method, path)
    assert office.app.request("GET", "/api/health").json() == {"status": "ok"}
    assert office.app.admin("GET", "/api/admin/health")["status"] == "ok"
