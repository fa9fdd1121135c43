"""What `Subscriptions` promises."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.engine.watching import Source, Subscription
from shared.errors import RequestError
from shared.storage.subscriptions import TableSubscriptions
from tests.contract.storage_kinds import START, World

SECRET = "a-secret-that-must-not-show"


def graphs(world: World, profile_id: str = "", **changes: object) -> Subscription:
    made = Subscription(
        Source.GRAPH, world.company, profile_id or world.user, world.mailbox, id=f"Sub-{world.user}",
        resource="users/1/contactFolders/AAMk=/contacts", whole_mailbox=True, folder_id="AAMk=",
        address="https://sync.example.com", client_state=SECRET, expires_at=START + timedelta(days=6), renewed_at=START,
        problem="webhook-unreachable", detail="Check this.", tries=2, try_again_at=START,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def of_company(world: World, **changes: object) -> Subscription:
    made = Subscription(Source.BC, world.company, id=f"bc{world.company}", client_state=SECRET)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_subscription_is_found_as_it_was_saved(world: World) -> None:
    saved = world.subscriptions.save(graphs(world))
    assert saved == replace(graphs(world), etag=saved.etag) and saved.etag
    assert world.subscriptions.get(Source.GRAPH, world.company, world.user) == saved
    assert world.subscriptions.by_id(Source.GRAPH, saved.id) == [saved]
    assert world.subscriptions.get_many(Source.GRAPH, world.company, [world.user, "other"]) == {world.user: saved}
    assert saved in list(world.subscriptions.all(Source.GRAPH))


def test_a_company_has_one_without_a_profile(world: World) -> None:
    saved = world.subscriptions.save(of_company(world))
    assert world.subscriptions.get(Source.BC, world.company) == saved
    assert world.subscriptions.by_id(Source.BC, saved.id) == [saved]
    assert saved in list(world.subscriptions.all(Source.BC))


def test_the_two_sources_do_not_see_each_other(world: World) -> None:
    saved = world.subscriptions.save(graphs(world))
    assert world.subscriptions.get(Source.BC, world.company, world.user) is None
    assert world.subscriptions.by_id(Source.BC, saved.id) == []
    assert saved not in list(world.subscriptions.all(Source.BC))


def test_an_id_is_compared_exactly(world: World) -> None:
    saved = world.subscriptions.save(graphs(world))
    for other in (saved.id.lower(), saved.id[:-1], f"{saved.id}x", "", "id/with?odd#letters"):
        assert world.subscriptions.by_id(Source.GRAPH, other) == []


def test_profiles_of_a_mailbox_can_share_one(world: World) -> None:
    first, second = (world.subscriptions.save(graphs(world, each)) for each in ("profile-1", "profile-2"))
    assert world.subscriptions.by_id(Source.GRAPH, first.id) == [first, second]
    world.subscriptions.delete(first)
    assert world.subscriptions.by_id(Source.GRAPH, first.id) == [second]


def test_one_that_got_another_id_is_found_by_that_only(world: World) -> None:
    saved = world.subscriptions.save(graphs(world))
    moved = world.subscriptions.save(replace(saved, id=f"New-{world.user}"))
    assert world.subscriptions.by_id(Source.GRAPH, saved.id) == []
    assert world.subscriptions.by_id(Source.GRAPH, moved.id) == [moved]


def test_one_that_lost_its_id_is_still_there(world: World) -> None:
    saved = world.subscriptions.save(graphs(world))
    lost = world.subscriptions.save(replace(saved, id=""))
    assert world.subscriptions.by_id(Source.GRAPH, saved.id) == []
    assert world.subscriptions.by_id(Source.GRAPH, "") == []
    assert world.subscriptions.get(Source.GRAPH, world.company, world.user) == lost
    found = world.subscriptions.save(replace(lost, id=saved.id))
    assert world.subscriptions.by_id(Source.GRAPH, saved.id) == [found]


def test_one_is_saved_only_as_it_was_read(world: World) -> None:
    saved = world.subscriptions.save(graphs(world))
    with pytest.raises(RequestError) as error:
        world.subscriptions.save(graphs(world, id="overwrites-it"))
    assert error.value.code == "changed-meanwhile"
    newer = world.subscriptions.save(replace(saved, tries=3))
    with pytest.raises(RequestError):
        world.subscriptions.save(replace(saved, id="overwrites-it"))
    assert world.subscriptions.by_id(Source.GRAPH, "overwrites-it") == []
    assert world.subscriptions.get(Source.GRAPH, world.company, world.user) == newer


@pytest.mark.parametrize("new_id", [True, False])
def test_of_many_that_save_at_once_one_wins_and_only_its_id_leads_there(world: World, new_id: bool) -> None:
    saved = world.subscriptions.save(graphs(world))

    def save(number: int) -> Subscription | None:
        try:
            key = f"{world.user}-{number}" if new_id else saved.id
            return world.subscriptions.save(replace(saved, id=key, tries=number))
        except RequestError:
            return None

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(save, range(8)))
    (winner,) = [each for each in outcomes if each is not None]
    assert world.subscriptions.get(Source.GRAPH, world.company, world.user) == winner
    ids = [saved.id, *(f"{world.user}-{number}" for number in range(8))]
    assert [each for key in ids for each in world.subscriptions.by_id(Source.GRAPH, key)] == [winner]


def test_what_was_found_by_id_can_be_saved(world: World) -> None:
    world.subscriptions.save(graphs(world))
    (found,) = world.subscriptions.by_id(Source.GRAPH, f"Sub-{world.user}")
    changed = world.subscriptions.save(replace(found, tries=7))
    assert world.subscriptions.get(Source.GRAPH, world.company, world.user) == changed
    with pytest.raises(RequestError):
        world.subscriptions.save(replace(found, tries=8))


def test_one_that_was_deleted_is_gone_and_cannot_be_changed(world: World) -> None:
    saved = world.subscriptions.save(graphs(world))
    world.subscriptions.delete(saved)
    world.subscriptions.delete(saved)
    assert world.subscriptions.get(Source.GRAPH, world.company, world.user) is None
    assert world.subscriptions.by_id(Source.GRAPH, saved.id) == []
    with pytest.raises(RequestError):
        world.subscriptions.save(saved)
    assert world.subscriptions.save(graphs(world)).etag


def test_one_is_deleted_as_it_is_now(world: World) -> None:
    saved = world.subscriptions.save(graphs(world))
    moved = world.subscriptions.save(replace(saved, id=f"New-{world.user}"))
    world.subscriptions.delete(saved)
    assert world.subscriptions.by_id(Source.GRAPH, moved.id) == []
    assert world.subscriptions.get(Source.GRAPH, world.company, world.user) is None


def test_the_secret_does_not_show(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    saved = world.subscriptions.save(graphs(world))
    with pytest.raises(RequestError) as error:
        world.subscriptions.save(graphs(world))
    for text in (repr(saved), str(error.value), caplog.text):
        assert SECRET not in text


def test_it_is_known_when_each_source_was_compared_with_its_service(world: World) -> None:
    for at in (START, START + timedelta(days=1)):
        world.subscriptions.has_compared(Source.GRAPH, at)
        assert world.subscriptions.compared_at(Source.GRAPH) == at
    assert world.subscriptions.compared_at(Source.BC) is None
    assert all(each.company_id for each in world.subscriptions.all(Source.GRAPH))


def test_all_instances_have_one_key_for_signatures_and_it_is_not_a_subscription(world: World) -> None:
    key = world.subscriptions.signing_key()
    assert len(key) >= 16 and world.subscriptions.signing_key() == key
    if world.tables is not None:
        with ThreadPoolExecutor(4) as pool:
            others = pool.map(lambda _: TableSubscriptions(world.tables).signing_key(), range(4))
            assert set(others) == {key}
    assert all(each.company_id for source in Source for each in world.subscriptions.all(source))
