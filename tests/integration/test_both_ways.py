"""What people do on either side, through timer, queues, tables and batches."""

import pytest

from tests.integration.office import Office, codes, done, email_of

pytestmark = pytest.mark.integration


def test_the_first_sync_of_a_thousand_contacts_and_the_idle_runs_after_it_take_few_requests(office: Office) -> None:
    office.bc.seed(count=1000)
    ada = office.user("ada")

    mark = office.mark()
    report = office.sync(ada)
    first = office.counts(mark)
    assert done(report) == {"created": 1000}
    assert first["graph"].requests <= 0.06 * 1000
    assert (first["bc"].requests <= 3, first["bc"].writes) == (True, 0)
    assert len(office.in_folder(ada)) == 1000

    office.settled(ada)
    mark = office.mark()
    office.sync(ada)
    idle = office.counts(mark)
    assert {name: (each.requests, each.writes) for name, each in idle.items()} == {"graph": (2, 0), "bc": (1, 0)}
    assert set(idle["graph"].kinds) == {"folders.get", "contacts.delta"}

    mark = office.mark()
    report = office.sync(ada, "full")
    assert (office.writes(mark), report["toOutlook"]["unchanged"]) == (0, 1000)


def test_a_tick_without_news_asks_for_the_folder_its_feed_and_the_ids_in_bc_and_leaves_no_report(
    office: Office,
) -> None:
    office.persons("Helen Ray", "David Hodgson")
    ada = office.user("ada")
    office.system.tick()
    office.system.tick()
    before = office.app.newest_run(ada)

    mark = office.mark()
    office.system.tick()
    counts = office.counts(mark)

    assert {name: (each.requests, each.writes) for name, each in counts.items()} == {"graph": (2, 0), "bc": (1, 0)}
    after = office.app.newest_run(ada)
    assert before is not None
    assert after is not None
    assert (after["runId"], after["trigger"], done(after)) == (before["runId"], "timer", {"created": 2})


def test_edits_of_different_fields_survive_and_of_the_same_field_business_central_wins(office: Office) -> None:
    office.persons("Helen Ray", phoneNumber="100")
    ada = office.user("ada")
    office.sync(ada)

    office.edit_in_bc("Helen Ray", jobTitle="Buyer", phoneNumber="200")
    office.edit_in_outlook(ada, "Helen Ray", mobilePhone="555", businessPhones=["300"], personalNotes="likes dahlias")
    report = office.sync(ada)

    bc, shown = office.in_bc()["Helen Ray"], office.in_folder(ada)["Helen Ray"]
    assert (bc["jobTitle"], bc["mobilePhoneNumber"], bc["phoneNumber"]) == ("Buyer", "555", "200")
    assert (shown["jobTitle"], shown["mobilePhone"], shown["businessPhones"]) == ("Buyer", "555", ["200"])
    assert shown["personalNotes"] == "likes dahlias"
    conflicts = [(note["field"], note["value"]) for note in report["notes"] if note["kind"] == "conflict"]
    assert conflicts == [("phoneNumber", "300")]
    _nothing_is_left_to_do(office, ada)


def test_a_contact_made_in_outlook_is_made_in_business_central_with_its_company(office: Office) -> None:
    office.bc.seed([{"number": "C1", "type": "Company", "displayName": "Fabrikam", "city": "Berlin", "country": "DE"}])
    ada = office.user("ada", filter={"country": "GB"})
    office.sync(ada)

    office.add_in_outlook(ada, "Ines Novak", companyName="Fabrikam", jobTitle="Buyer")
    office.add_in_outlook(ada, "Nameless", emailAddresses=[])
    report = office.sync(ada)

    made = office.in_bc()["Ines Novak"]
    assert (made["type"], made["companyNumber"], made["email"]) == ("Person", "C1", email_of("Ines Novak"))
    assert (done(report, "toBusinessCentral"), len(report["notes"])) == ({"created": 1}, 1)
    assert set(office.in_folder(ada)) == {"Ines Novak", "Nameless"}, "the filter does not drive her own contact out"
    assert "Nameless" not in office.in_bc()
    _nothing_is_left_to_do(office, ada)


def test_deletions_follow_the_policies(office: Office) -> None:
    office.persons("Helen Ray", "David Hodgson", "Eva Corets", "Tom Ashworth")
    ada, ben = office.user("ada"), office.user("ben", policies={"onOutlookDelete": "hide"})
    cleo = office.mailbox("cleo")
    office.app.save_profile_as_admin(cleo, policies={"onOutlookDelete": "delete"})
    for user in (ada, ben, cleo):
        office.sync(user)

    office.delete_in_bc("Helen Ray")
    office.delete_in_outlook(ada, "David Hodgson")
    office.delete_in_outlook(ben, "Eva Corets")
    office.delete_in_outlook(cleo, "Tom Ashworth")
    for user in (ada, ben, cleo, ada, ben):
        office.sync(user)

    assert set(office.in_bc()) == {"David Hodgson", "Eva Corets"}
    assert set(office.in_folder(ada)) == {"David Hodgson", "Eva Corets"}
    assert set(office.in_folder(ben)) == {"David Hodgson"}
    assert set(office.in_folder(cleo)) == {"David Hodgson", "Eva Corets"}
    _nothing_is_left_to_do(office, ada, ben, cleo)


def test_users_hear_of_each_others_edits_through_the_timer(office: Office) -> None:
    office.persons("Helen Ray", "David Hodgson")
    ada, ben = office.user("ada"), office.user("ben")
    office.system.tick()

    office.edit_in_outlook(ada, "Helen Ray", mobilePhone="555")
    office.edit_in_outlook(ben, "David Hodgson", jobTitle="Director")
    office.system.tick()
    office.system.tick()

    for user in (ada, ben):
        shown = office.in_folder(user)
        assert (shown["Helen Ray"]["mobilePhone"], shown["David Hodgson"]["jobTitle"]) == ("555", "Director")
    _nothing_is_left_to_do(office, ada, ben)


def test_a_narrower_filter_is_previewed_held_and_confirmed(office: Office) -> None:
    office.persons(*(f"Person {number}" for number in range(15)), city="Leeds")
    office.persons("Helen Ray", city="London")
    ada = office.user("ada")
    office.sync(ada)
    everybody = set(office.in_folder(ada))
    london = {"city": "London"}

    mark = office.mark()
    preview = office.app.sync(ada, filter=london, preview=True)
    steps = [(step["operation"], step["held"]) for step in preview["plan"]]
    assert steps == [("remove", True)] * 15
    assert office.writes(mark) == 0
    assert office.app.user("GET", f"/api/profiles/{ada}")["filter"] == {}, "a preview saves nothing"

    held = office.app.sync(ada, filter=london)
    assert (held["status"], [(each["kind"], each["count"]) for each in held["held"]]) == (
        "held",
        [("outlook-removals", 15)],
    )
    assert set(office.in_folder(ada)) == everybody

    report = office.sync(ada, filter=london, confirmRemovals=15)
    assert (done(report), set(office.in_folder(ada))) == ({"deleted": 15}, {"Helen Ray"})
    assert len(office.in_bc()) == 16, "never from Business Central"
    _nothing_is_left_to_do(office, ada)


def test_a_folder_that_the_user_deleted_is_made_and_filled_again(office: Office) -> None:
    office.persons("Helen Ray", "David Hodgson")
    ada = office.user("ada")
    office.sync(ada)

    office.graph.delete_folder(ada, "Business Central")
    report = office.sync(ada)

    assert set(office.in_folder(ada)) == {"Helen Ray", "David Hodgson"} == set(office.in_bc())
    assert done(report) == {"created": 2}
    assert not codes(report) & {"failed"}
    _nothing_is_left_to_do(office, ada)


def _nothing_is_left_to_do(office: Office, *users: str) -> None:
    office.settled(*users)
    mark = office.mark()
    for mode in ("incremental", "full"):
        for user in users:
            office.app.sync(user, mode)
    assert office.writes(mark) == 0, office.counts(mark)
