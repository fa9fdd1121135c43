"""Business Central's callers send what the BC reference 10.1 and 10.2 describe; all of it is taken."""

import json

import pytest

from tests.fakes.world import COMPANY
from tests.functions.desk import ADA, TENANT, Desk

PAYLOAD = {
    "user": "ada@contoso.example",
    "mode": "incremental",
    "tenantId": TENANT,
    "environment": "Production",
    "companyId": COMPANY,
    "actor": "ADA",
}


@pytest.mark.parametrize(
    "headers",
    [
        {"x-functions-key": "k", "Content-Type": "text/plain; charset=utf-8"},  # the default of AL's HttpContent
        {"x-functions-key": "k", "Content-Type": "application/json"},
        {"x-functions-key": "k", "Content-Type": "application/octet-stream"},
        {"x-functions-key": "k"},
    ],
)
def test_an_al_http_client_with_a_header_key(desk: Desk, headers: dict[str, str]) -> None:
    desk.save()
    response = desk.call("POST", "/api/sync", raw=json.dumps(PAYLOAD).encode(), headers=headers)
    assert (response.status, response.sent) == (202, {"jobs": [{"mailbox": ADA}]})


@pytest.mark.parametrize("key", ["Code=k", "code=k", "CODE=k"])
def test_the_azure_functions_module_with_the_key_in_the_address(desk: Desk, key: str) -> None:
    desk.save()
    response = desk.call("POST", f"/api/sync?{key}", raw=json.dumps(PAYLOAD).encode())
    assert response.status == 202
    got = desk.call("GET", f"/api/profiles/{ADA}?{key}&companyId={COMPANY}&Environment=Production&tenantid={TENANT}")
    assert got.status == 200
    wrong = desk.call("GET", f"/api/profiles/{ADA}?{key}&Environment=Sandbox")
    assert wrong.problem == (409, "wrong-environment", "environment")


def test_a_bearer_token_beside_the_key_does_not_disturb(desk: Desk) -> None:
    desk.save()
    headers = {"Authorization": "Bearer eyJ0eXAi"}
    assert desk.call("POST", "/api/sync?Code=k", raw=json.dumps(PAYLOAD).encode(), headers=headers).status == 202


def test_an_empty_body_without_content_type_is_an_empty_object(desk: Desk) -> None:
    assert desk.call("PUT", f"/api/profiles/{ADA}", raw=b"").status == 201
    assert desk.call("POST", f"/api/profiles/{ADA}/validate?Code=k", raw=b"").status == 200
    assert desk.call("POST", f"/api/profiles/{ADA}/validate?Code=k", raw=b" \r\n").status == 200
    assert desk.call("POST", "/api/sync?Code=k", raw=b"").problem == (400, "missing-member", "user")


def test_a_byte_order_mark_is_no_part_of_the_body(desk: Desk) -> None:
    desk.save()
    assert desk.call("POST", "/api/sync", raw=b"\xef\xbb\xbf" + json.dumps(PAYLOAD).encode()).status == 202


def test_letters_of_all_scripts_arrive(desk: Desk) -> None:
    saved = desk.call("PUT", f"/api/profiles/{ADA}", {"folder": "Kontakte Zürich – 客户", "filter": {"city": "Zürich"}})
    assert saved.body["folder"] == "Kontakte Zürich – 客户"
    assert saved.body["filter"] == {"city": "Zürich"}
