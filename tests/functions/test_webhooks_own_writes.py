"""R15: what our own writes set off is no news, and what users do is."""

from dataclasses import replace

import pytest

from functions.company_jobs import company_jobs
from shared.bootstrap import use_services
from shared.engine import jobs
from shared.errors import RetryableError
from tests.fakes.world import COMPANY
from tests.functions.announced import GRAPH, item
from tests.functions.desk import ADA, BEN, Desk
from tests.functions.test_jobs import message


def change(desk: Desk, kind: str = "updated", **data: object) -> dict[str, object]:
    """The announcement of Ada's one contact as it is now."""
    ((key, entry),) = desk.world.mailbox(ADA).entries.items()
    return item(desk, changeType=kind, resourceData={"id": key, "@odata.etag": entry.contact.etag} | data)


def news_of_bc(desk: Desk) -> None:
    (ann,) = desk.world.bc.contacts()
    desk.world.bc.edit(ann.id, city="Bern")
    desk.world.clock.advance(seconds=10)
    company_jobs(message(jobs.company_job(jobs.CompanyJob(COMPANY, jobs.Reason.BC, desk.services.now()))))
    desk.work(ADA)
    desk.world.clock.advance(seconds=10)


def looks(desk: Desk) -> bool:
    """Whether the folder is asked for its changes."""
    desk.world.faults.calls.clear()
    desk.work(ADA)
    return "graph.changes" in desk.world.faults.calls


def test_r15_what_we_wrote_ourselves_is_no_news_when_it_is_announced(watched: Desk) -> None:
    news_of_bc(watched)
    watched.call("POST", GRAPH, {"value": [change(watched)] * 2})
    assert not looks(watched)


def test_r15_an_edit_that_follows_our_own_write_is_news(watched: Desk) -> None:
    news_of_bc(watched)
    ours = change(watched)
    watched.world.mailbox(ADA).edit(next(iter(watched.world.mailbox(ADA).entries)), job_title="Buyer")
    watched.call("POST", GRAPH, {"value": [ours]})
    watched.call("POST", GRAPH, {"value": [change(watched)]})
    assert looks(watched)


@pytest.mark.parametrize("data", [{"@odata.etag": ""}, {"@odata.etag": None}, {"id": ""}, {"@odata.etag": 7}])
def test_a_change_that_does_not_say_which_is_news(watched: Desk, data: dict[str, object]) -> None:
    news_of_bc(watched)
    watched.call("POST", GRAPH, {"value": [change(watched, **data)]})
    assert looks(watched)


def test_our_own_removal_is_no_news_and_a_users_is(watched: Desk) -> None:
    gone = change(watched, "deleted")
    (ann,) = watched.world.bc.contacts()
    watched.world.bc.delete(ann.id)
    watched.world.clock.advance(seconds=10)
    company_jobs(message(jobs.company_job(jobs.CompanyJob(COMPANY, jobs.Reason.BC, watched.services.now()))))
    watched.work(ADA)
    assert not watched.world.mailbox(ADA).entries
    watched.world.clock.advance(seconds=10)
    watched.call("POST", GRAPH, {"value": [gone]})
    assert not looks(watched)
    watched.call("POST", GRAPH, {"value": [gone | {"resourceData": {"id": "another"}}]})
    assert looks(watched)


def test_a_person_who_asks_is_served_although_all_that_was_announced_is_ours(watched: Desk) -> None:
    news_of_bc(watched)
    watched.call("POST", GRAPH, {"value": [change(watched)]})
    watched.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"})
    assert looks(watched)


def test_more_changes_than_are_remembered_are_news(watched: Desk) -> None:
    news_of_bc(watched)
    ours = change(watched)
    watched.call("POST", GRAPH, {"value": [ours]})
    for number in range(30):
        watched.call("POST", GRAPH, {"value": [change(watched, id=f"c{number}")]})
    (request,) = watched.services.mailboxes.waiting(ADA)
    assert request.heard is None
    assert looks(watched)


def test_what_could_be_stored_is_woken_although_another_could_not(watched: Desk) -> None:
    watched.world.faults.fail(2, RetryableError("storage is away"), call="mailboxes.submit")
    body = {"value": [item(watched), item(watched, BEN)]}
    first = watched.call("POST", GRAPH, body)
    assert first.status == 503
    again = watched.call("POST", GRAPH, body)
    assert again.status == 202
    mailboxes = [each["mailbox"] for response in (first, again) for each in response.sent["jobs"]]
    assert sorted(mailboxes) == [ADA, BEN]


def test_the_tenant_may_be_named_by_its_domain_in_the_settings(watched: Desk) -> None:
    watched.services = replace(watched.services, mailbox_tenant="contoso.onmicrosoft.com")
    use_services(watched.services)
    assert watched.call("POST", GRAPH, {"value": [item(watched)]}).sent["jobs"] == [{"mailbox": ADA}]


def test_a_removal_is_news_again_once_the_contact_has_come_back(watched: Desk) -> None:
    box, (ann,) = watched.world.mailbox(ADA), watched.world.bc.contacts()
    ((key, entry),) = box.entries.items()
    kept = (entry.contact, entry.stamp)
    gone = change(watched, "deleted")
    watched.world.bc.edit(ann.id, email="")
    for number in range(2):
        watched.world.clock.advance(seconds=10)
        company_jobs(message(jobs.company_job(jobs.CompanyJob(COMPANY, jobs.Reason.BC, watched.services.now()))))
        watched.work(ADA)
        if number == 0:
            assert not box.entries
            box.restore(key, *kept)  # by the user, out of Deleted Items, under the same id
            watched.world.bc.edit(ann.id, email="ann@contoso.example")
    watched.call("POST", "/api/sync", {"user": ADA, "mode": "incremental"})
    watched.work(ADA)
    assert list(box.entries) == [key]
    watched.world.clock.advance(seconds=10)
    watched.call("POST", GRAPH, {"value": [gone]})
    assert looks(watched)
