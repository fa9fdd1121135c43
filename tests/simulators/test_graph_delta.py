"""Delta rounds on the Graph simulator: reference section 4."""

import pytest

from tests.simulators.graph_api import IMMUTABLE, STAMP, code, expand


@pytest.fixture
def folder(api) -> str:
    return api.folder("Business Central")


@pytest.fixture
def start(folder) -> str:
    return f"/contactFolders/{folder}/contacts/delta?$select=surname"


def surnames(items) -> list[str]:
    return sorted(one["surname"] for one in items if "@removed" not in one)


def removed(items) -> set[str]:
    return {one["id"] for one in items if "@removed" in one}


# Rounds


def test_a_first_round_reports_what_is_there_and_the_next_what_changed(api, graph, ada, folder, start):
    ids = graph.seed_contacts(ada, [{"surname": letter} for letter in "abc"], folder)
    items, link = api.round(start)
    assert surnames(items) == ["a", "b", "c"]
    assert set(items[0]) == {"@odata.type", "@odata.etag", "id", "surname"}  # the link keeps $select, too
    graph.edit_contact(ada, ids[0], {"surname": "x"})
    graph.delete_contact(ada, ids[1])
    graph.create_contact(ada, {"surname": "d"}, folder)
    items, link = api.round(link)
    assert surnames(items) == ["d", "x"]
    assert removed(items) == {ids[1]}
    assert api.round(link)[0] == []


def test_a_contact_moved_out_is_removed_here_and_new_there(api, graph, ada, folder, start):
    other = api.folder("Other")
    moved = graph.create_contact(ada, {"surname": "a"}, folder)
    _, here = api.round(start)
    _, there = api.round(f"/contactFolders/{other}/contacts/delta")
    graph.move_contact(ada, moved, other)
    assert removed(api.round(here)[0]) == {moved}
    assert [one["id"] for one in api.round(there)[0]] == [moved]


def test_a_removal_names_the_id_that_the_contact_had_here(api, graph, ada, folder, start):
    moved = graph.create_contact(ada, {"surname": "a"}, folder)
    items, link = api.round(start, prefer="odata.maxpagesize=5")
    graph.move_contact(ada, moved, "contacts")
    assert removed(api.round(link, prefer="odata.maxpagesize=5")[0]) == {items[0]["id"]}


def test_a_contact_that_came_and_went_between_rounds_is_reported_removed(api, graph, ada, folder, start):
    _, link = api.round(start)
    gone = graph.create_contact(ada, {"surname": "a"}, folder)
    graph.delete_contact(ada, gone)
    assert removed(api.round(link)[0]) == {gone}


def test_an_undeleted_contact_is_there_again(api, graph, ada, folder, start):
    one = graph.create_contact(ada, {"surname": "a"}, folder)
    _, link = api.round(start)
    graph.delete_contact(ada, one)
    graph.undelete_contact(ada, one, folder)
    assert surnames(api.round(link)[0]) == ["a"]


def test_a_background_bump_shows_up_with_nothing_changed(api, graph, ada, folder, start):
    one = graph.create_contact(ada, {"surname": "a"}, folder)
    items, link = api.round(start)
    graph.bump_contact(ada, one)
    (again,) = api.round(link)[0]
    assert again["surname"] == "a"
    assert again["@odata.etag"] != items[0]["@odata.etag"]


@pytest.mark.parametrize(("counts", "expected"), [(True, 1), (False, 0)])
def test_a_change_of_the_stamp_alone_is_a_change_unless_switched_off(api, graph, ada, folder, start, counts, expected):
    graph.switch(stamp_only_change_in_delta=counts)
    one = graph.create_contact(ada, {"surname": "a"}, folder)
    _, link = api.round(start)
    graph.edit_contact(ada, one, {}, {STAMP: "1"})
    assert len(api.round(link)[0]) == expected


def test_changed_items_can_carry_the_changed_properties_only(api, graph, ada, folder):
    graph.switch(delta_items="changed")
    one = graph.create_contact(ada, {"surname": "a", "jobTitle": "b"}, folder)
    items, link = api.round(f"/contactFolders/{folder}/contacts/delta?$select=surname,jobTitle,changeKey")
    assert items[0]["surname"] == "a"
    graph.edit_contact(ada, one, {"jobTitle": "c"})
    (changed,) = api.round(link)[0]
    assert (changed["jobTitle"], "surname" in changed, "changeKey" in changed) == ("c", False, True)


# Pages


def test_pages_hold_what_was_preferred_and_never_more_than_200(api, graph, ada, folder, start):
    graph.seed_contacts(ada, [{"surname": str(number)} for number in range(450)], folder)
    assert len(api("GET", start, prefer="odata.maxpagesize=7").json()["value"]) == 7
    for prefer in ("odata.maxpagesize=999", IMMUTABLE):
        assert len(api("GET", start, prefer=prefer).json()["value"]) == 200
    before = graph.log_number()
    assert len(api.round(start)[0]) == 450
    assert graph.counts(since=before)["graph"]["kinds"] == {"contacts.delta": 3}


def test_a_contact_deleted_within_a_round_is_reported_by_the_next(api, graph, ada, folder, start):
    ids = set(graph.seed_contacts(ada, [{"surname": str(number)} for number in range(4)], folder))
    prefer = f"odata.maxpagesize=2, {IMMUTABLE}"
    page = api("GET", start, prefer=prefer).json()
    gone = (ids - {one["id"] for one in page["value"]}).pop()
    graph.delete_contact(ada, gone)
    rest, link = api.round(page["@odata.nextLink"], prefer=prefer)
    assert gone not in {one["id"] for one in rest}
    assert removed(api.round(link)[0]) == {gone}


def test_rough_rounds_repeat_themselves_and_still_tell_everything(api, graph, ada, folder, start):
    graph.be_rough()
    ids = graph.seed_contacts(ada, [{"surname": str(number)} for number in range(60)], folder)
    items, link = api.round(start, prefer=f"odata.maxpagesize=10, {IMMUTABLE}")
    assert {one["id"] for one in items} == set(ids)
    assert len(items) > 60
    repeated = 0
    for number in range(8):
        graph.edit_contact(ada, ids[number], {"surname": "new"})
        items, link = api.round(link)
        assert ids[number] in {one["id"] for one in items}
        repeated += len({one["id"] for one in items}) > 1
    assert repeated  # older changes came again


def test_a_late_change_waits_and_is_not_lost(api, graph, ada, folder, start):
    graph.set_speed(0)
    graph.switch(delta_delay=30)
    _, link = api.round(start)
    ids = graph.seed_contacts(ada, [{"surname": str(number)} for number in range(5)], folder)
    seen, link = api.round(link)
    assert len(seen) < 5
    graph.advance_clock(31)
    later, link = api.round(link)
    assert {one["id"] for one in seen + later} == set(ids)


# Links


def test_only_the_newest_four_links_work(api, start):
    links = [api.round(start)[1]]
    for _ in range(4):
        links.append(api.round(links[-1])[1])
    answer = api("GET", links[0])
    assert code(answer) == (410, "SyncStateNotFound")
    assert "generation=" in answer.json()["error"]["message"]
    assert api("GET", links[1]).status_code == 200  # a replay, which makes a generation of its own
    assert code(api("GET", links[1])) == (410, "SyncStateNotFound")


def test_a_replayed_link_reports_the_same_changes_again(api, graph, ada, folder, start):
    _, link = api.round(start)
    graph.create_contact(ada, {"surname": "a"}, folder)
    assert surnames(api.round(link)[0]) == surnames(api.round(link)[0]) == ["a"]


def test_an_evicted_link_is_gone_and_a_fresh_round_works(api, graph, ada, folder, start):
    _, link = api.round(start)
    graph.expire_delta(ada, folder)
    assert code(api("GET", link)) == (410, "SyncStateNotFound")
    assert api("GET", start).status_code == 200


def test_a_reset_by_the_service_says_where_to_start_again(api, graph, ada, folder, start):
    graph.create_contact(ada, {"surname": "a"}, folder)
    _, link = api.round(start)
    graph.expire_delta(ada, folder, with_location=True)
    answer = api("GET", link)
    assert answer.status_code == 410
    assert answer.headers["Location"].endswith("$deltatoken=")
    assert len(api.round(answer.headers["Location"])[0]) == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("$filter=surname eq 'a'", 400),
        ("$top=5", 400),
        ("$orderby=surname", 400),
        ("$select=faxNumber", 400),
        ("$deltatoken=latest", 400),
        (f"$expand={expand(STAMP)}", 500),
    ],
)
def test_only_select_is_accepted(api, folder, options, expected):
    assert api("GET", f"/contactFolders/{folder}/contacts/delta?{options}").status_code == expected


def test_expand_can_be_switched_to_work(api, graph, ada, folder):
    graph.switch(delta_expand_works=True)
    graph.create_contact(ada, {"surname": "a"}, folder, {STAMP: "1"})
    items, _ = api.round(f"/contactFolders/{folder}/contacts/delta?$expand={expand(STAMP)}")
    assert items[0]["singleValueExtendedProperties"] == [{"id": STAMP, "value": "1"}]


def test_a_link_takes_no_further_options_and_belongs_to_one_folder(api, folder, start):
    _, link = api.round(start)
    assert api("GET", link + "&$select=surname").status_code == 400
    other = api.folder("Other")
    assert api("GET", link.replace(folder, other)).status_code == 400


def test_a_purged_folder_is_missed_by_its_own_code(api, graph, ada, folder, start):
    _, link = api.round(start)
    graph.delete_folder(ada, folder)
    assert api("GET", link).status_code == 200  # below Deleted Items it still resolves
    graph.delete_folder(ada, folder, purge=True)
    assert code(api("GET", link)) == (404, "ErrorSyncFolderNotFound")


def test_delta_without_a_folder_is_not_offered(api):
    assert api("GET", "/contacts/delta").status_code == 400
