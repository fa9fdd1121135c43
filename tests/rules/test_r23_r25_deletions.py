"""R23 to R25: who is deleted in Outlook, on both sides, and what is no deletion."""

from collections.abc import Callable, Iterator

import pytest

from shared.engine.model import RunStatus, Trigger
from shared.errors import CompanyUnavailable, FolderMissing, MailboxUnavailable
from shared.planning.model import OnOutlookDelete
from tests.fakes.world import COMPANY, World
from tests.rules.glances import anna, codes, links, names, note, outlook_card, twin, wrote_nothing
from tests.rules.scenes import linked

# ---------------------------------------------------------------- R23


def move_away(w: World, key: str) -> None:
    w.mailbox().move(key, "another-folder")


GONE: list[Callable[[World, str], None]] = [lambda w, key: w.mailbox().delete(key), move_away]


@pytest.mark.parametrize("lose", GONE, ids=["deleted", "moved"])
def test_r23_restore_bc_is_master_and_the_contact_comes_back(world: World, lose: Callable[[World, str], None]) -> None:
    bc_id, key = linked(world)

    lose(world, key)
    world.sync()

    assert names(world) == ["Anna Berg"]
    assert twin(world, bc_id) != key
    assert bc_id in world.bc.rows
    wrote_nothing(world)


def test_r23_a_moved_contact_is_left_alone(world: World) -> None:
    _, key = linked(world)
    move_away(world, key)
    before = world.mailbox().entries[key].contact

    world.sync()
    world.full()

    assert world.mailbox().entries[key].contact == before


@pytest.mark.parametrize("lose", GONE, ids=["deleted", "moved"])
def test_r23_hide_stays_away_through_full_runs_and_a_new_folder_until_unhidden(
    world: World, lose: Callable[[World, str], None]
) -> None:
    bc_id, key = linked(world, on_outlook_delete=OnOutlookDelete.HIDE)
    world.bc.put(displayName="Bob", email="b@x.example", city="Berlin")
    world.sync()

    lose(world, key)
    world.sync()
    world.bc.edit(bc_id, jobTitle="Chief")
    world.sync()
    world.full()
    hidden = names(world)
    world.mailbox().delete_folder(world.folder())
    world.sync()
    in_new_folder = names(world)
    world.state.mailboxes.unhide("ada", COMPANY, "ada", bc_id)
    world.full()

    assert hidden == in_new_folder == ["Bob"]
    assert bc_id in world.bc.rows
    assert names(world) == ["Anna Berg", "Bob"]


@pytest.mark.parametrize("lose", GONE, ids=["deleted", "moved"])
def test_r23_delete_deletes_in_bc_too(world: World, lose: Callable[[World, str], None]) -> None:
    bc_id, key = linked(world, on_outlook_delete=OnOutlookDelete.DELETE)

    lose(world, key)
    report = world.sync()

    assert bc_id not in world.bc.rows
    assert report.to_bc.deleted == 1
    assert names(world) == []
    wrote_nothing(world)


@pytest.mark.parametrize("relation", ["Customer", "Vendor", "Bank Account", "Employee", "Multiple", "Other"])
def test_r23_unless_bc_gives_it_a_business_relation_then_it_is_restored_with_a_note(
    world: World, relation: str
) -> None:
    world.profile("ada", policies={"on_outlook_delete": OnOutlookDelete.DELETE})
    bc_id = anna(world, contactBusinessRelation=relation)
    world.sync()

    world.mailbox().delete(twin(world, bc_id))
    report = world.sync()

    assert bc_id in world.bc.rows
    assert names(world) == ["Anna Berg"]
    assert note(report, "has-business-relation").bc_id == bc_id


@pytest.mark.parametrize("policy", list(OnOutlookDelete))
def test_r23_an_own_creation_outside_the_filter_is_not_restored_its_link_ends(
    world: World, policy: OnOutlookDelete
) -> None:
    world.profile("ada", filter={"city": "Berlin"}, policies={"on_outlook_delete": policy})
    world.sync()
    key = world.mailbox().add(world.folder(), name="Carla", email="c@x.example", city="Ulm")
    world.sync()

    world.mailbox().delete(key)
    world.sync()
    world.full()

    assert names(world) == []
    assert links(world) == {}
    assert len(world.bc.rows) == 1


# ---------------------------------------------------------------- R24


def test_r24_deleted_in_bc_and_edited_in_outlook_is_removed_and_the_note_holds_what_was_lost(world: World) -> None:
    bc_id, key = linked(world)

    world.mailbox().edit(key, job_title="Chief", city="Bonn")
    world.bc.delete(bc_id)
    report = world.sync()

    assert key not in world.mailbox().entries
    assert {(each.field, each.value) for each in report.notes} == {("jobTitle", "Chief"), ("city", "Bonn")}


def test_r24_the_note_also_holds_what_bc_could_not_take(world: World) -> None:
    """It is nowhere else, and the note of the run that left it may be long gone, or died with that run (R30)."""
    bc_id, key = linked(world)
    world.mailbox().edit(key, job_title="x" * 31)
    world.sync()

    world.bc.delete(bc_id)
    report = world.sync()

    assert [(each.code, each.field, each.value) for each in report.notes] == [
        ("lost-by-deletion", "jobTitle", "x" * 31)
    ]


def test_r24_also_when_the_edit_is_in_no_feed_yet(world: World) -> None:
    bc_id, key = linked(world)
    world.sync()
    world.bc.delete(bc_id)
    world.faults.before("graph.read", lambda: world.mailbox().edit(key, job_title="Chief"))

    report = world.sync()

    assert [(each.field, each.value) for each in report.notes] == [("jobTitle", "Chief")]


@pytest.mark.parametrize("policy", [OnOutlookDelete.RESTORE, OnOutlookDelete.DELETE])
def test_r24_deleted_in_outlook_and_edited_in_bc_comes_back_with_bcs_values(
    world: World, policy: OnOutlookDelete
) -> None:
    bc_id, key = linked(world, on_outlook_delete=policy)

    world.bc.edit(bc_id, jobTitle="Chief")
    world.mailbox().delete(key)
    world.sync()

    assert bc_id in world.bc.rows
    assert outlook_card(world, bc_id).job_title == "Chief"


def test_r24_an_edit_in_bc_that_comes_just_before_the_deletion_saves_the_contact(world: World) -> None:
    bc_id, key = linked(world, on_outlook_delete=OnOutlookDelete.DELETE)

    world.mailbox().delete(key)
    world.faults.before("bc.remove", lambda: world.bc.edit(bc_id, jobTitle="Chief"))
    world.sync()
    world.sync()

    assert bc_id in world.bc.rows
    assert outlook_card(world, bc_id).job_title == "Chief"


# ---------------------------------------------------------------- R25


def test_r25_an_enumeration_that_comes_back_too_short_deletes_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look at each contact that a list does not show."""
    _, key = linked(world)

    def nothing(_self: object) -> Iterator[tuple[str, str]]:
        return iter(())

    monkeypatch.setattr(type(world.bc), "stamps", nothing)
    monkeypatch.setattr(type(world.bc), "contacts", nothing)
    world.sync()
    world.full()

    assert key in world.mailbox().entries


def test_r25_a_contact_that_a_folders_list_does_not_show_is_not_deleted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bc_id, key = linked(world, on_outlook_delete=OnOutlookDelete.DELETE)

    monkeypatch.setattr(type(world.mailbox()), "contacts", lambda _self, _folder: iter(()))
    world.full()

    assert bc_id in world.bc.rows
    assert twin(world, bc_id) == key


def test_r25_an_answer_that_does_not_come_is_no_deletion_and_is_asked_for_again(world: World) -> None:
    """Both feeds report the contact as gone; the look at the contact itself brings no answer."""
    bc_id, key = linked(world, on_outlook_delete=OnOutlookDelete.DELETE)
    other = world.bc.put(displayName="Bob", email="b@x.example", city="Berlin")
    world.sync()
    world.bc.delete(other)
    world.mailbox().delete(key)

    with pytest.MonkeyPatch.context() as silent:
        silent.setattr(type(world.mailbox()), "read", lambda _self, _folder, _ids: {})
        silent.setattr(type(world.bc), "read", lambda _self, _ids: {})
        report = world.sync()

    assert note(report, "no-answer").outlook_id == key
    assert bc_id in world.bc.rows
    assert "Bob" in names(world)
    assert set(links(world)) == {bc_id, other}

    world.sync()
    assert not world.bc.rows
    assert names(world) == []


def test_r25_a_linked_contact_that_neither_the_snapshot_nor_bc_tells_of_stays_and_is_asked_for_again(
    world: World,
) -> None:
    bc_id, key = linked(world)
    kept = world.state.companies.of(COMPANY).contacts.pop(bc_id)  # as by a run that died before it told the feed
    world.mailbox().edit(key, job_title="Chief")
    with pytest.MonkeyPatch.context() as silent:
        silent.setattr(type(world.bc), "read", lambda _self, _ids: {})
        run_id = world.request(trigger=Trigger.GRAPH, fresh_feed=False)
        world.work()
    assert note(world.state.reports.get(run_id), "no-answer").bc_id == bc_id
    assert set(links(world)) == {bc_id}
    assert kept.card.name in names(world)
    world.sync()
    assert world.bc.rows[bc_id].values["jobTitle"] == "Chief"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("graph.changes", FolderMissing("gone")),
        ("graph.folder", MailboxUnavailable("no licence")),
        ("graph.read", MailboxUnavailable("no permission")),
        ("graph.contacts", FolderMissing("gone")),
        ("bc.changed_since", CompanyUnavailable("no permission")),
        ("bc.stamps", CompanyUnavailable("endpoint is gone")),
        ("bc.contacts", CompanyUnavailable("the environment is down")),
        ("bc.read", CompanyUnavailable("gone")),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
def test_r25_whatever_is_missing_deletes_nothing_anywhere(
    world: World, call: str, error: Exception, full: bool
) -> None:
    bc_id, key = linked(world, on_outlook_delete=OnOutlookDelete.DELETE)
    world.bc.edit(bc_id, jobTitle="Chief")
    before = world.written()
    world.faults.fail(1, error, call=call)

    report = world.full() if full else world.sync()

    assert bc_id in world.bc.rows
    assert key in world.mailbox().entries
    if not world.faults.pending:
        assert report.status is RunStatus.FAILED
        assert report.error
        assert world.written() == before
    world.faults.restart()
    world.sync()
    assert outlook_card(world, bc_id).job_title == "Chief"


def test_r25_a_missing_company_or_mailbox_deletes_nothing(world: World) -> None:
    bc_id, key = linked(world, on_outlook_delete=OnOutlookDelete.DELETE)

    company = world.environment.all.pop(COMPANY)
    without_company = world.full()
    world.environment.all[COMPANY] = company
    world.directory.unavailable.add("ada")
    without_mailbox = world.full()
    world.directory.unavailable.clear()

    assert without_company.status is without_mailbox.status is RunStatus.FAILED
    assert codes(world.full()) == []
    assert (bc_id in world.bc.rows, key in world.mailbox().entries) == (True, True)


def test_r24_what_a_user_types_while_the_contact_is_being_removed_stands_in_a_note(world: World) -> None:
    bc_id, key = linked(world)
    world.bc.delete(bc_id)
    world.faults.before("graph.remove", lambda: world.mailbox().edit(key, job_title="Chief"))

    first = world.sync()
    assert key in world.mailbox().entries and first.to_outlook.deleted == 0
    second = world.sync()

    assert key not in world.mailbox().entries
    assert note(second, "lost-by-deletion").value == "Chief"
