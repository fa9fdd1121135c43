"""Every call of docs/admin.http, sent as it stands there to the running app, in the order of the file."""

from typing import Any
from urllib.parse import quote

import pytest

from dev.system.settings import ADMIN_KEY, USER_KEY
from tests.docs.http_file import filled, read
from tests.docs.test_admin_http import operation
from tests.integration.office import Office, email_of

pytestmark = pytest.mark.integration

#: What the state here gives no reason for: asked well, and refused with this code.
NOTHING_THERE = {
    "approveRun": (409, "not-held"),
    "approveImportRun": (409, "not-held"),
    "resumeContact": (404, "not-paused"),
}


def test_every_call_is_answered_as_its_comment_promises(office: Office) -> None:
    office.persons("Helen Ray", country="GB")
    office.persons("Ann Ash", country="FR")
    ada = office.mailbox("ada")
    file = read()
    variables = {
        **file.variables,
        "app": "",
        "user": ada,
        "companyName": office.bc.companies()[0]["name"],
        "number": office.in_bc()["Helen Ray"]["number"],
        "adminKey": ADMIN_KEY,
        "userKey": USER_KEY,
    }
    answers: dict[str, Any] = {}

    for each in file.requests:
        name = operation(each)[0]
        address = quote(filled(each.address, variables, answers), safe="/?=&{}|")
        body = filled(each.body, variables, answers)
        headers = {key: filled(value, variables, answers) for key, value in each.headers.items()}
        answer = office.app.request(each.method, address, body=body.encode() or None, headers=headers)
        where = f"line {each.line}, {name}: {answer.status_code} {answer.text[:300]}"
        if name in NOTHING_THERE:
            assert (answer.status_code, answer.json().get("code")) == NOTHING_THERE[name], where
        elif "validationToken" in address:
            assert (answer.status_code, answer.text) == (200, "hello"), where
        else:
            assert answer.status_code in (200, 201, 202), where
        if each.name:
            answers[each.name] = answer.json()
        if "json" in answer.headers["Content-Type"] and answer.json().get("run", "").startswith("/api/runs/"):
            office.app.wait_for_run(answer.json()["runId"])

    assert answers["run"]["status"] == "succeeded"
    assert answers["run"]["toOutlook"]["created"] == 2
    assert answers["explained"]["contacts"][0]["email"] == email_of("Helen Ray")
    # the undo of one contact took Helen Ray out, un-hiding brought her back, and ending the sync left the folder
    assert set(office.in_folder(ada)) == {"Ann Ash", "Helen Ray"}
