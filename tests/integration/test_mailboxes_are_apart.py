"""What is asked for one user never reaches another's mailbox, whatever ids a request or a message carries.

Counted at Graph: every request and every item of a batch that names the other mailbox.
"""

from typing import Any

import pytest

from dev.system.settings import ADMIN_KEY, USER_KEY
from tests.integration.office import FOLDER, Contact, Office, done

pytestmark = pytest.mark.integration

MESSAGES = (
    '{"mailbox": "BEN"}', '{"mailbox": "BEN", "user": "ADA"}', '{"mailbox": "../BEN"}', '{"mailbox": "ADA/BEN"}',
    '{"mailbox": "ADA|BEN"}', '{"mailbox": ["BEN"]}', '{"mailbox": ""}', '{"mailbox": null}', "{}", "[]", "null",
    "BEN", "{", "\u0000", '{"mailbox": "%"}', '{"mailbox": "' + "x" * 20_000 + '"}',
)  # fmt: skip


class Two:
    """Ada and Ben, synced, and the runs that did it."""

    def __init__(self, office: Office) -> None:
        self.office = office
        office.persons("Helen Ray", "David Hodgson")
        self.ada, self.ben = office.user("ada"), office.user("ben", filter={"city": "<>Nowhere"})
        self.adas_run, self.bens_run = office.sync(self.ada)["runId"], office.sync(self.ben)["runId"]
        office.settled(self.ada, self.ben)
        self.bens_folder = office.in_folder(self.ben)
        self.adas_id, self.bens_id = (
            office.app.user("GET", f"/api/profiles/{each}")["user"] for each in (self.ada, self.ben)
        )
        self.mark = 0
        assert self.touched(), "the count sees Ben's own runs"
        self.mark = office.mark()

    def touched(self) -> list[str]:
        """What was asked of Ben's mailbox since."""
        log = self.office.graph.log(service="graph", since=self.mark)
        mine = (self.bens_id.lower(), self.ben.lower())
        return [
            f"{each['method']} {each['path']}"
            for each in log
            if each["mailbox"] == self.bens_id or any(word in each["path"].lower() for word in mine)
        ]


@pytest.fixture
def two(office: Office) -> Two:
    return Two(office)


def test_a_users_requests_with_anothers_ids_are_refused_or_stay_in_the_users_own_mailbox(two: Two) -> None:
    office, app = two.office, two.office.app
    profile = f"/api/profiles/{two.ada}"
    theirs: Contact = two.bens_folder["Helen Ray"]
    sync = {"user": two.ada, "mode": "full"}
    asked: list[tuple[str, str, dict[str, Any], int]] = [
        ("PUT", profile, {"mailbox": two.ben}, 400),
        ("PUT", profile, {"mailbox": two.bens_id}, 400),
        ("PATCH", profile, {"mailbox": two.bens_id}, 400),
        ("POST", f"{profile}/validate", {"mailbox": two.bens_id}, 400),
        ("POST", "/api/sync", sync | {"mailbox": two.bens_id}, 400),
        ("POST", "/api/sync", sync | {"mailboxId": two.bens_id}, 400),
        ("POST", f"{profile}/contacts/{theirs['id']}/unhide", {}, 404),
        ("POST", f"{profile}/contacts/{theirs['id']}/resume", {}, 404),
        ("POST", f"{profile}/contacts/explain", {"contact": theirs["id"]}, 404),
    ]
    for method, path, body, status in asked:
        answer = app.request(method, path, key=USER_KEY, body=body)
        assert answer.status_code == status, (method, path, body, answer.text)
    office.sync(two.ada, "full")
    office.system.wait_until_idle()
    assert two.touched() == []


def test_a_run_id_put_together_from_two_mailboxes_is_unknown(two: Two) -> None:
    app = two.office.app
    time, _, number = two.bens_run.split(".")
    forged = f"{time}.{two.adas_run.split('.')[1]}.{number}"
    assert forged != two.bens_run
    assert app.request("GET", f"/api/runs/{forged}", key=USER_KEY).status_code == 404
    holds = {"actor": "boss", "holds": [{"kind": "outlook-removals", "count": 1}]}
    for act, body in (("undo", {"actor": "boss"}), ("approve", holds)):
        answer = app.request("POST", f"/api/admin/runs/{forged}/{act}", key=ADMIN_KEY, body=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-run")
    other = two.bens_folder["Helen Ray"]["id"]
    answer = app.request("POST", f"/api/admin/runs/{two.adas_run}/undo", key=ADMIN_KEY, body={"contact": other})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-contact")
    listed = app.user("GET", f"/api/profiles/{two.ada}/runs?after={two.bens_run}")["runs"]
    assert all(each["user"] == two.adas_id for each in listed)
    assert done(app.undo(two.adas_run, actor="boss")) == {"deleted": 2}
    assert two.touched() == []
    assert two.office.graph.contacts_of(two.ben, FOLDER) != []


def test_a_message_starts_nothing_that_nobody_asked_for(two: Two) -> None:
    for message in MESSAGES:
        body = message.replace("BEN", two.bens_id).replace("ADA", two.adas_id)
        for function in ("sync_jobs", "sync_jobs_poison", "company_jobs", "company_jobs_poison"):
            two.office.app.fire(function, body)
    two.office.system.wait_until_idle()
    assert two.touched() == []
    log = two.office.graph.log(service="graph", since=two.mark)
    assert [each["path"] for each in log if each["mailbox"] == two.adas_id] == []


def test_a_message_for_a_company_or_profile_that_is_not_there_reaches_no_mailbox(two: Two) -> None:
    stranger = "99999999-9999-4999-8999-999999999999"
    company = two.office.bc.companies()[0]["id"].lower()
    for body in (
        f'{{"company": "{stranger}", "reason": "timer"}}',
        f'{{"company": "{stranger}", "reason": "full-sync-all"}}',
        f'{{"company": "{stranger}", "reason": "subscribe", "profile": "{two.bens_id}"}}',
        f'{{"company": "{company}", "reason": "subscribe", "profile": "{stranger}"}}',
        f'{{"company": "{company}", "reason": "reauthorize", "profile": ["{two.bens_id}"]}}',
    ):
        two.office.app.fire("company_jobs", body)
    two.office.system.wait_until_idle()
    assert two.touched() == []
