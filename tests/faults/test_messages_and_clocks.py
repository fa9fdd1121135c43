"""Messages that come twice, late and at once, and instances whose clocks differ: everything happens once (R29, R30)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.engine.fan_out import serve_company
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import Profile
from shared.engine.run import run_mailbox
from shared.engine.services import Services
from tests.faults import story
from tests.faults.scene import Scene

pytestmark = pytest.mark.integration

SKEW = timedelta(minutes=5)


def deliver(services: Services, profile: Profile) -> None:
    """The host hands over a message of the mailbox's worker."""
    run_mailbox(services, profile.mailbox_id, services.new_id())


def each_name_once(scene: Scene, profile: Profile) -> None:
    """`in_bc` and `in_folder` fail when two have the same name."""
    assert set(scene.in_bc()) == set(scene.in_folder(profile.mailbox_id)) == story.EVERYBODY


def test_messages_that_are_delivered_twice_change_nothing_the_second_time(scene: Scene) -> None:
    profile = story.begin(scene)
    story.edit(scene, profile)
    job = CompanyJob(scene.company_id, Reason.TIMER, scene.services.now())
    for _ in range(2):
        serve_company(scene.services, job)
        deliver(scene.services, profile)
    scene.work(profile)
    since = scene.graph.log_number()

    serve_company(scene.services, job)
    for _ in range(2):
        deliver(scene.services, profile)

    assert scene.writes(since) == 0
    story.assert_converged(scene, profile)


@pytest.mark.parametrize("hours", [1, 24 * 6])
def test_messages_that_come_late_do_nothing_twice_and_keep_nothing_back(scene: Scene, hours: int) -> None:
    profile = story.begin(scene)
    story.edit(scene, profile)
    late = CompanyJob(scene.company_id, Reason.TIMER, scene.services.now())
    scene.clock.sleep(hours * 3600)
    scene.good_sync(profile)  # somebody asked meanwhile
    each_name_once(scene, profile)
    scene.edit_in_bc("Person E", mobilePhoneNumber="+49 30 5")
    since = scene.graph.log_number()

    for _ in range(2):
        serve_company(scene.services, late)
        deliver(scene.services, profile)
    assert scene.writes(since) == 0, "what it was about is done"

    serve_company(scene.services, CompanyJob(scene.company_id, Reason.TIMER, scene.services.now()))
    scene.work(profile)
    assert scene.writes(since) == 1
    assert scene.in_folder(profile.mailbox_id)["Person E"]["mobilePhone"] == "+49 30 5"


def test_messages_that_are_delivered_at_once_write_everything_once(scene: Scene) -> None:
    """The queue promises "at least once", not "one after another"."""
    profile = story.begin(scene)
    story.edit(scene, profile)
    run_id = scene.ask(profile)
    processes = [scene.stage.new_process() for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda services: deliver(services, profile), processes))
    scene.work(profile)

    report = scene.services.reports.get(run_id)
    assert report is not None
    assert report.status.value.startswith("succeeded")
    story.assert_converged(scene, profile)


@pytest.mark.parametrize("first", [SKEW, -SKEW], ids=["the fast one first", "the slow one first"])
def test_two_instances_whose_clocks_are_ten_minutes_apart_take_turns(scene: Scene, first: timedelta) -> None:
    profile = story.begin(scene)
    processes = [scene.stage.new_process(skew=skew) for skew in (first, -first)]
    edits: list[Callable[[], object]] = [
        lambda: story.edit(scene, profile),
        lambda: scene.edit_in_bc("Person E", jobTitle="Later"),
        lambda: scene.edit_in_outlook(profile.mailbox_id, "Person F", mobilePhone="+49 30 7"),
    ]
    for edit in edits:
        edit()
        for services in processes:
            scene.stage.services = services
            serve_company(services, CompanyJob(scene.company_id, Reason.TIMER, services.now()))
            scene.good_sync(profile)

    each_name_once(scene, profile)
    assert scene.in_folder(profile.mailbox_id)["Person E"]["jobTitle"] == "Later"
    assert scene.in_bc()["Person F"]["mobilePhoneNumber"] == "+49 30 7"
    since = scene.graph.log_number()
    for services in processes:
        scene.stage.services = services
        scene.good_sync(profile)
    assert scene.writes(since) == 0
