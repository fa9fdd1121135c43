"""What the running app answers when a body is broken or a service refuses the app, and that nothing is left behind."""

from collections.abc import Iterator

import pytest

from dev.system.running import System
from dev.system.settings import ADMIN_KEY, USER_KEY

pytestmark = [pytest.mark.integration, pytest.mark.slow]

USER = "ada@contoso.example"
COMPANY = "Harbour Ltd"


@pytest.fixture(scope="module")
def running() -> Iterator[System]:
    with System() as system:
        system.simulators.graph.create_user(USER)
        system.simulators.bc.add_company(COMPANY)
        yield system


@pytest.fixture
def system(running: System) -> Iterator[System]:
    yield running
    running.simulators.graph.clear_faults()
    running.simulators.bc.clear_faults()
    assert running.app.admin("GET", "/api/admin/profiles")["profiles"] == []
    folders = running.simulators.graph.read_mailbox(USER)["folders"]
    assert not [each for each in folders if each["displayName"] == "Business Central"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed-json"),
        (b"[1]", 400, "malformed-json"),
        (b"\xff", 400, "malformed-json"),
        (b'{"filter": {"city": "\\ud83d"}}', 400, "bad-member"),
        (b'{"folder": "a\\u0000b"}', 400, "bad-member"),
        (b'{"filter": {"\\udc00": "x"}}', 400, "bad-member"),
        (b'{"etag": ' + b"9" * 6_000 + b"}", 400, "malformed-json"),
        (b'{"actor": "' + b"x" * 2_000_000 + b'"}', 413, "body-too-large"),
        (b'{"filter": {"city": "' + b"x" * 100_000 + b'"}}', 400, "filter"),
    ],
)
def test_a_broken_body_is_refused(system: System, body: bytes, status: int, code: str) -> None:
    answer = system.app.request("PUT", f"/api/profiles/{USER}?company=Harbour%20Ltd", key=USER_KEY, body=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("service", "path", "status", "error", "code", "says"),
    [
        ("graph", "contactFolders", 403, "ErrorAccessDenied", "no-permission", "Contacts.ReadWrite"),
        ("graph", "/users", 403, "Authorization_RequestDenied", "no-permission", "User.Read.All"),
        ("graph", "contactFolders", 404, "MailboxNotEnabledForRESTAPI", "no-mailbox", "licence"),
        ("bc", "companies", 401, "Authentication_InvalidCredentials", "bc-token-refused", "API.ReadWrite.All"),
        ("bc", "companies", 403, "Authorization_RequestDenied", "bc-permission", "Microsoft Entra Applications"),
    ],
)
def test_a_service_that_refuses_the_app_is_said_with_what_to_grant(
    system: System, service: str, path: str, status: int, error: str, code: str, says: str
) -> None:
    body = {"error": {"code": error, "message": "No."}}
    simulator = system.simulators.graph if service == "graph" else system.simulators.bc
    simulator.add_fault("answer", service=service, path=path, status=status, body=body, times=None)
    answer = system.app.request("PUT", f"/api/profiles/{USER}", key=USER_KEY, body={"company": COMPANY})
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert says in answer.json()["detail"]

    tried = system.app.user("POST", f"/api/profiles/{USER}/validate", {"company": COMPANY})
    assert not tried["ok"]
    assert any(says in each["whatToDo"] for each in tried["checks"])

    health = system.app.request("GET", "/api/admin/health", key=ADMIN_KEY)
    of_one_mailbox = path == "contactFolders"
    assert health.status_code == (200 if of_one_mailbox else 503)
