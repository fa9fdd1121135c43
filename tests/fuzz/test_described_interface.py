"""Every operation of docs/openapi.yaml, asked in ways that the description allows and forbids: no server error, and no
answer that the description does not have.

FUZZ_EXAMPLES says how often each operation is asked (default 15, the same requests every time).
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dev.system.running import System
from dev.system.settings import ADMIN_KEY, USER_KEY

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))
USER = "ada@contoso.example"
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip

schema = schemathesis.openapi.from_path(Path(__file__).parents[2] / "docs" / "openapi.yaml")


@pytest.fixture(scope="module")
def known(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """A running app with a synced user; answers ids that exist, by the name of the parameter."""
    with System() as running:
        running.simulators.graph.create_user(USER)
        company = running.simulators.bc.add_company("Harbour Ltd")
        running.simulators.bc.create_contact(displayName="Ann Ash", email="ann@contoso.example", company=company)
        running.app.save_profile(USER, company="Harbour Ltd")
        run = running.app.sync(USER, company="Harbour Ltd")
        contact = running.simulators.bc.contacts(company)[0]
        wish = {"company": "Harbour Ltd", "name": "sales", "source": {"users": [USER]}, "filter": {}}
        imported = running.app.admin("POST", "/api/admin/profiles/import", wish)
        yield {
            "app": running.app.url,
            "user": USER,
            "company": "Harbour Ltd",
            "runs": run["runId"],
            "import-runs": imported["runId"],
            "name": "sales",
            "contacts": contact["id"],
        }


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_server_error_and_no_answer_that_is_not_described(case: schemathesis.Case, known: dict[str, Any]) -> None:
    tags = case.operation.definition.raw["tags"]
    key = {"user": USER_KEY, "admin": ADMIN_KEY}.get(tags[0])
    if sum(map(ord, repr((case.path_parameters, case.query, case.body)))) % 2:  # half of them about what exists
        _name_what_exists(case, known)
    if "wait" in case.query:
        case.query["wait"] = 0
    case.query.pop("code", None)  # a wrong key is the platform's to refuse, without a body
    headers = {"x-functions-key": key} if key else {}
    case.call_and_validate(base_url=known["app"], headers=headers, checks=CHECKS, timeout=60)


def _name_what_exists(case: schemathesis.Case, known: dict[str, Any]) -> None:
    kind = next((each for each in ("import-runs", "runs") if f"/{each}/" in case.path), "contacts")
    for name in case.path_parameters:
        case.path_parameters[name] = known[kind if name == "id" else name]
    if isinstance(case.body, dict) and "user" in case.body:
        case.body["user"] = known["user"]
