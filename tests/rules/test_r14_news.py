"""R14: a run for news of one side reads that side's news, and each contact again on the other before writing to it."""

from datetime import timedelta

import pytest

from shared.engine import fan_out
from shared.engine.fan_out import serve_company
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import Retry, Trigger
from shared.engine.state import Mark
from shared.planning.model import OnOutlookDelete
from tests.fakes.world import COMPANY, World


@pytest.fixture
def world() -> World:
    """Ada and Ben hold Ann; Ben's filter leaves Bob out."""
    world = World.new()
    world.bc.put(displayName="Ann Ash", email="ann@contoso.example", city="Basel")
    world.bc.put(displayName="Bob Birch", email="bob@contoso.example", city="Bern")
    world.profile("ada")
    world.profile("ben", filter={"city": "Basel"})
    world.sync("ada")
    world.sync("ben")
    tell(world, Reason.TIMER)
    for user in ("ada", "ben"):
        world.work(user)
    world.clock.advance(minutes=5)
    world.faults.calls.clear()
    return world


def tell(world: World, reason: Reason = Reason.BC) -> None:
    world.clock.advance(seconds=5)
    serve_company(world.services, CompanyJob(COMPANY, reason, world.clock()))


def key_of(world: World, name: str) -> str:
    return next(each.id for each in world.bc.contacts() if each.card.name == name)


def waiting(world: World, user: str) -> list[Trigger]:
    return [each.trigger for each in world.state.mailboxes.waiting(user)]


def calls(world: World, *starts: str) -> list[str]:
    return [each for each in world.faults.calls if each.startswith(starts)]


def change_cy(world: World) -> None:
    """Cy Cedar, whom Ben has made, is changed in BC when all have heard of the making."""
    tell(world, Reason.NEWS)
    world.work("ada")
    world.work("ben")
    world.bc.edit(key_of(world, "Cy Cedar"), jobTitle="Buyer")
    tell(world)


def job_title(world: World, user: str, name: str) -> str:
    entries = world.mailbox(user).in_folder(world.folder(user)).values()
    return next(each.card.job_title for each in entries if each.card.name == name)


def test_r14_news_of_bc_ask_the_folder_about_the_contacts_they_name_and_nothing_else(world: World) -> None:
    world.bc.edit(key_of(world, "Ann Ash"), jobTitle="Buyer")
    tell(world)
    assert waiting(world, "ada") == waiting(world, "ben") == [Trigger.BC]
    world.faults.calls.clear()
    world.work("ada")
    assert calls(world, "graph.", "bc.") == ["graph.read", "graph.write"]
    assert job_title(world, "ada", "Ann Ash") == "Buyer"


def test_r14_an_edit_in_outlook_that_nobody_announced_yet_is_not_overwritten(world: World) -> None:
    box = world.mailbox("ada")
    ours = world.cards("ada")["Ann Ash"]
    box.edit(ours, mobile="+41 79 1")
    world.bc.edit(key_of(world, "Ann Ash"), jobTitle="Buyer")
    tell(world)
    world.work("ada")
    assert box.entries[ours].contact.card.mobile == "+41 79 1"
    assert job_title(world, "ada", "Ann Ash") == "Buyer"
    ann = next(each for each in world.bc.contacts() if each.card.name == "Ann Ash")
    assert ann.values["mobilePhoneNumber"] == "+41 79 1"


def test_r14_news_of_bc_reach_only_those_whose_scope_the_contact_is_or_was_in(world: World) -> None:
    bob = key_of(world, "Bob Birch")
    world.bc.edit(bob, jobTitle="Buyer")
    tell(world)
    assert (waiting(world, "ada"), waiting(world, "ben")) == ([Trigger.BC], [])
    world.work("ada")
    world.bc.edit(bob, city="Basel")
    tell(world)
    assert waiting(world, "ben") == [Trigger.BC]
    world.work("ada")
    world.work("ben")
    assert "Bob Birch" in world.cards("ben")
    world.bc.edit(bob, city="Bern")
    tell(world)
    world.work("ben")
    assert "Bob Birch" not in world.cards("ben")


def test_r4_a_contact_that_is_held_outside_the_filter_is_news_for_its_holder(world: World) -> None:
    world.mailbox("ben").add(world.folder("ben"), name="Cy Cedar", email="cy@contoso.example", city="Chur")
    world.sync("ben")
    change_cy(world)
    assert waiting(world, "ben") == [Trigger.BC]
    world.work("ben")
    assert job_title(world, "ben", "Cy Cedar") == "Buyer"


def test_r11_what_a_run_wrote_is_told_to_the_others_at_once_and_not_to_itself(world: World) -> None:
    world.mailbox("ada").edit(world.cards("ada")["Ann Ash"], job_title="Buyer")
    world.request("ada", trigger=Trigger.GRAPH, fresh_feed=False)
    world.work("ada")
    told = [each for each in world.state.messages.sent if each.queue == "company"]
    assert [(each.id, each.reason) for each in told] == [(COMPANY, Reason.NEWS)]
    world.faults.calls.clear()
    tell(world, Reason.NEWS)
    assert calls(world, "bc.") == []
    assert (waiting(world, "ada"), waiting(world, "ben")) == ([], [Trigger.BC])
    world.work("ben")
    assert job_title(world, "ben", "Ann Ash") == "Buyer"


def test_r30_what_was_put_in_line_is_told_again_when_its_message_may_be_lost(world: World) -> None:
    world.bc.edit(key_of(world, "Ann Ash"), jobTitle="Buyer")
    world.faults.fail(1, call="messages.sync_job")
    job = CompanyJob(COMPANY, Reason.BC, world.clock())
    with pytest.raises(Exception, match="busy"):
        serve_company(world.services, job)
    world.state.messages.sent.clear()
    serve_company(world.services, job)  # the message comes back at once
    assert {each.id for each in world.state.messages.sent if each.queue == "sync"} == {"ada", "ben"}


def test_many_profiles_are_put_in_line_and_woken_some_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many a company has: none is held in memory longer than it takes to put some hundred in line."""
    monkeypatch.setattr(fan_out, "AT_A_TIME", 2)
    users = ["ada", *(f"user{number}" for number in range(4))]
    for user in users[1:]:
        world.profile(user)
        world.sync(user)
    tell(world, Reason.TIMER)
    for user in [*users, "ben"]:
        world.work(user)
    world.bc.edit(key_of(world, "Bob Birch"), jobTitle="Buyer")
    world.faults.calls.clear()
    tell(world)
    order = [each.partition(".")[2] for each in calls(world, "mailboxes.submit", "messages.sync_job")]
    assert order == ["submit", "submit", "sync_job", "sync_job"] * 2 + ["submit", "sync_job"]
    assert [waiting(world, user) for user in [*users, "ben"]] == [*([[Trigger.BC]] * 5), []]


def test_r7_somebody_who_came_into_scope_is_looked_for_among_the_folders_news_first(world: World) -> None:
    world.mailbox("ada").add(world.folder("ada"), name="Dan Dorn", email="dan@contoso.example")
    world.bc.put(displayName="Dan Dorn", email="dan@contoso.example", city="Bern")
    tell(world)
    world.work("ada")
    assert list(world.cards("ada")).count("Dan Dorn") == 1
    entries = world.mailbox("ada").in_folder(world.folder("ada")).values()
    assert sum(each.card.name == "Dan Dorn" for each in entries) == 1
    assert sum(each.card.name == "Dan Dorn" for each in world.bc.contacts()) == 1


@pytest.mark.parametrize("policy", list(OnOutlookDelete))
def test_r25_a_contact_that_is_not_where_it_was_is_judged_with_the_folder_in_view(
    world: World, policy: OnOutlookDelete
) -> None:
    world.profile("ada", policies={"on_outlook_delete": policy})
    world.mailbox("ada").delete_folder(world.folder("ada"))
    world.bc.edit(key_of(world, "Ann Ash"), jobTitle="Buyer")
    tell(world)
    world.work("ada")
    assert {each.card.name for each in world.bc.contacts()} == {"Ann Ash", "Bob Birch"}
    assert sorted(world.cards("ada")) == ["Ann Ash", "Bob Birch"]


def test_r24_one_deleted_in_outlook_and_edited_in_bc_comes_back(world: World) -> None:
    world.mailbox("ada").delete(world.cards("ada")["Ann Ash"])
    world.bc.edit(key_of(world, "Ann Ash"), jobTitle="Buyer")
    tell(world)
    world.work("ada")
    assert job_title(world, "ada", "Ann Ash") == "Buyer"


def test_r15_a_run_for_news_leaves_nothing_to_do(world: World) -> None:
    world.bc.edit(key_of(world, "Ann Ash"), jobTitle="Buyer")
    tell(world)
    world.work("ada")
    world.work("ben")
    before = world.written()
    for user in ("ada", "ben"):
        world.request(user, trigger=Trigger.GRAPH, fresh_feed=False)
        world.work(user)
        world.sync(user)
        world.full(user)
    assert world.written() == before


def test_r14_a_new_filter_is_applied_by_whatever_run_comes_first(world: World) -> None:
    world.profile("ben", filter={"city": "Bern"})
    world.bc.edit(key_of(world, "Bob Birch"), jobTitle="Buyer")
    tell(world)
    world.work("ben")
    assert sorted(world.cards("ben")) == ["Bob Birch"]


def test_r22_a_new_filter_removes_nobody_for_a_value_that_bc_has_changed_since_the_feed_was_read(world: World) -> None:
    world.bc.edit(key_of(world, "Bob Birch"), city="Basel")
    world.profile("ada", filter={"city": "Basel"})
    world.request("ada", trigger=Trigger.GRAPH, fresh_feed=False)
    world.work("ada")
    assert "Bob Birch" in world.cards("ada")
    assert "Bob Birch" not in {each.contact.card.name for each in world.mailbox("ada").removed}


def test_r31_a_run_that_failed_is_tried_again_soon_although_its_changes_are_announced(world: World) -> None:
    world.bc.edit(key_of(world, "Ann Ash"), jobTitle="Buyer")
    tell(world)
    world.directory.unavailable.add("ada")
    world.work("ada")
    world.directory.unavailable.clear()
    world.clock.advance(minutes=6)
    marks = {each.profile_id for each in world.state.marks.due(COMPANY, world.clock())}
    assert "ada" in marks


def test_r9_a_person_whom_bc_knows_by_a_newer_address_does_not_come_twice(world: World) -> None:
    """The feed is taken as it is: it shows Eve by her old address, while Ada has added her by the new one."""
    eve = world.bc.put(displayName="Eve Elm", email="old@contoso.example", city="Bern")
    tell(world)
    world.bc.edit(eve, email="new@contoso.example")
    world.mailbox("ada").add(world.folder("ada"), name="Eve Elm", email="new@contoso.example")
    world.request("ada", trigger=Trigger.GRAPH, fresh_feed=False)
    world.work("ada")
    world.sync("ada")
    entries = world.mailbox("ada").in_folder(world.folder("ada")).values()
    assert [each.card.email for each in entries if each.card.name == "Eve Elm"] == ["new@contoso.example"]
    assert sum(each.card.name == "Eve Elm" for each in world.bc.contacts()) == 1


def outlook_news(world: World, user: str = "ada") -> None:
    world.request(user, trigger=Trigger.GRAPH, fresh_feed=False)
    world.work(user)


@pytest.mark.parametrize("what", ["blocked", "deleted"])
def test_r22_nobody_is_restored_who_was_blocked_or_deleted_since_the_feed_was_read(world: World, what: str) -> None:
    ann = key_of(world, "Ann Ash")
    if what == "blocked":
        world.bc.edit(ann, privacyBlocked=True)
    else:
        world.bc.delete(ann)
    before = world.mailbox("ada").writes.count("create")
    world.mailbox("ada").delete(world.cards("ada")["Ann Ash"])
    outlook_news(world)
    assert "Ann Ash" not in world.cards("ada")
    assert world.mailbox("ada").writes.count("create") == before


def test_r7_nobody_is_linked_by_an_address_that_another_person_had(world: World) -> None:
    world.bc.edit(key_of(world, "Bob Birch"), email="new@contoso.example")
    world.mailbox("ada").add(world.folder("ada"), name="Zoe Zander", email="bob@contoso.example")
    outlook_news(world)
    assert "Zoe Zander" in world.cards("ada")
    assert {each.card.name for each in world.bc.contacts()} == {"Ann Ash", "Bob Birch", "Zoe Zander"}


def test_r4_own_creations_that_a_new_filter_puts_outside_are_news_for_their_holder(world: World) -> None:
    world.mailbox("ben").add(world.folder("ben"), name="Cy Cedar", email="cy@contoso.example", city="Basel")
    world.sync("ben")
    world.profile("ben", filter={"city": "Bern"})
    world.sync("ben")
    change_cy(world)
    assert waiting(world, "ben") == [Trigger.BC]


def test_r31_a_retry_is_not_forgotten_when_another_comes_sooner(world: World) -> None:
    world.state.mailboxes.of("ada", COMPANY, "ada").retries["bc", "later"] = Retry(
        "later", "bc", "failed", 3, world.clock() + timedelta(minutes=20)
    )
    world.state.marks.put(Mark(COMPANY, "ada", "ada", world.clock(), "subscribed"))
    world.tick("ada")
    world.state.marks.settle(Mark(COMPANY, "ada", "ada", world.clock(), "subscribed"), None)
    (mark,) = world.state.marks.due(COMPANY, world.clock() + timedelta(minutes=25))
    assert mark.due <= world.clock() + timedelta(minutes=20)


def test_news_that_come_while_the_message_of_the_first_waits_are_read_with_it(world: World) -> None:
    asked_at = world.clock()
    assert world.services.companies.ask(COMPANY, asked_at)
    world.clock.advance(seconds=3)
    world.sync("ada")  # reads the company meanwhile
    world.clock.advance(seconds=3)
    world.bc.edit(key_of(world, "Ann Ash"), jobTitle="Buyer")
    assert not world.services.companies.ask(COMPANY, world.clock())
    serve_company(world.services, CompanyJob(COMPANY, Reason.BC, asked_at))
    assert waiting(world, "ben") == [Trigger.BC]


def test_r31_who_cannot_be_asked_for_before_the_restoring_is_restored_later(world: World) -> None:
    world.mailbox("ada").delete(world.cards("ada")["Ann Ash"])
    with pytest.MonkeyPatch.context() as silent:
        silent.setattr(type(world.bc), "read", lambda _self, _ids: {})
        outlook_news(world)
    assert "Ann Ash" not in world.cards("ada")
    world.clock.advance(minutes=10)
    world.tick("ada")
    assert "Ann Ash" in world.cards("ada")
