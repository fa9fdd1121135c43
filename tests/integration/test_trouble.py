"""What goes wrong: mailboxes, throttling, a killed app, messages that fail for ever."""

import time
from collections.abc import Callable

import pytest
from azure.data.tables import TableClient

from dev.system import Refused
from tests.integration.office import Office, done

pytestmark = pytest.mark.integration


def test_a_mailbox_without_licence_is_refused_and_one_that_loses_it_stops_nobody_else(office: Office) -> None:
    office.persons("Helen Ray")
    ada, ben, cleo = office.user("ada"), office.user("ben"), office.mailbox("cleo")
    office.graph.set_mailbox(cleo, "unlicensed")
    with pytest.raises(Refused) as refused:
        office.app.save_profile(cleo)
    assert (refused.value.status, refused.value.problem["detail"] != "") == (409, True)

    office.graph.set_mailbox(ben, "unlicensed")
    office.system.tick()

    failed = office.app.newest_run(ben)
    assert failed is not None
    assert (failed["status"], failed["error"]["code"] != "") == ("failed", True)
    assert set(office.in_folder(ada)) == {"Helen Ray"}
    office.graph.set_mailbox(ben, "licensed")
    office.sync(ben)
    assert set(office.in_folder(ben)) == {"Helen Ray"}, "and it goes on by itself once it can"


def test_a_storm_of_429_slows_a_run_but_does_not_fail_it(office: Office) -> None:
    office.bc.seed(count=40)
    ada = office.user("ada")
    error = {"error": {"code": "ApplicationThrottled", "message": "Application is over its MailboxConcurrency limit."}}
    office.graph.add_fault(
        "answer", service="graph", times=None, probability=0.3, status=429, body=error, headers={"Retry-After": "1"}
    )
    office.graph.add_fault("answer", service="bc", times=None, probability=0.3, status=429, body={"error": {}})

    mark = office.mark()
    report = office.app.sync(ada)

    assert report["status"] == "succeeded", report
    assert (done(report), len(office.in_folder(ada))) == ({"created": 40}, 40)
    assert office.counts(mark)["graph"].statuses["429"] > 10


def test_an_app_killed_in_the_middle_of_a_run_goes_on_without_making_anybody_twice(office: Office) -> None:
    office.bc.seed(count=100)
    ada = office.user("ada")
    office.graph.set_latency("graph", item=0.2)
    mark = office.mark()
    run = office.app.ask(ada)
    _until(lambda: office.counts(mark)["graph"].kinds.get("contacts.create", 0) >= 25)

    office.system.host.kill()
    made = len(office.graph.contacts_of(ada, "Business Central"))
    office.graph.set_latency("graph")
    office.system.restart_app()
    report = office.app.wait_for_run(run, timeout=90)

    assert 0 < made < 100, "it was in the middle"
    assert report["status"] == "succeeded", report
    assert len(office.in_folder(ada)) == 100
    office.settled(ada)
    mark = office.mark()
    office.sync(ada, "full")
    assert office.writes(mark) == 0


def test_a_message_that_fails_for_ever_closes_its_run_as_failed(office: Office) -> None:
    office.persons("Helen Ray")
    ada = office.user("ada")
    office.sync(ada)
    with TableClient.from_connection_string(
        office.system.azurite.connection_string, f"{office.system.settings['STORAGE_PREFIX']}mailboxes"
    ) as table:
        # a state that nobody has foreseen
        company = office.bc.companies()[0]["id"].lower()
        rows = table.query_entities(f"RowKey ge '{company}|' and RowKey lt '{company}}}'")
        row = next(each for each in rows if each["RowKey"].endswith("|positions"))
        table.upsert_entity({**row, "c0": "no JSON"})
        try:
            report = office.app.wait_for_run(office.app.ask(ada))
            office.system.wait_until_idle()
        finally:
            table.upsert_entity(dict(row))

    assert (report["status"], report["error"]["code"]) == ("failed", "broke-off")
    assert report["error"]["detail"]
    office.edit_in_bc("Helen Ray", jobTitle="Buyer")
    assert done(office.sync(ada)) == {"updated": 1}, "the next run does the work"


def _until(holds: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
