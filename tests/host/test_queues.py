"""Queue and timer functions through the real worker library and the storage emulator."""

import queue
from collections.abc import Callable

import pytest
from azure.storage.queue import QueueClient

from dev.host import DevelopmentHost
from tests.host.conftest import encoded
from tests.host.witness import Witness

pytestmark = pytest.mark.integration

StartHost = Callable[..., DevelopmentHost]


def test_queues_are_created_and_messages_arrive_with_their_properties(
    sample_host: StartHost, work_queue: QueueClient, witness: Witness
) -> None:
    sample_host()
    sent = work_queue.send_message(encoded("hello ä"))
    seen = witness.next("work")
    assert (seen["text"], seen["attempt"], seen["id"]) == ("hello ä", 1, sent.id)
    assert seen["inserted"].startswith(sent.inserted_on.isoformat(" ")[:19])
    witness.next("worked")


def test_a_failing_message_is_retried_and_then_poison(
    sample_host: StartHost, work_queue: QueueClient, witness: Witness
) -> None:
    sample_host()
    work_queue.send_message(encoded("fail"))
    assert [witness.next("work")["attempt"] for _ in range(2)] == [1, 2]
    assert witness.next("given_up")["text"] == "fail"


def test_text_that_is_not_base64_is_poison(sample_host: StartHost, work_queue: QueueClient, witness: Witness) -> None:
    host = sample_host()
    work_queue.send_message("not base64!")
    work_queue.send_message(encoded("after it"))
    assert witness.next("worked")["text"] == "after it"
    host.stop()
    assert "not base64-encoded text" in host.log_text()


def test_plain_messages_are_read_when_host_json_says_so(
    sample_host: StartHost, work_queue: QueueClient, witness: Witness
) -> None:
    sample_host(AzureFunctionsJobHost__extensions__queues__messageEncoding="none")
    work_queue.send_message("plain")
    assert witness.next("worked")["text"] == "plain"


def test_batch_size_and_threshold_limit_the_messages_in_work(
    sample_host: StartHost, work_queue: QueueClient, witness: Witness
) -> None:
    work_queue.create_queue()
    for number in range(1, 6):
        work_queue.send_message(encoded(f"go:{number}"))
    sample_host(PYTHON_THREADPOOL_THREAD_COUNT="8")
    # a batch is two; with two in work, more than the threshold of one, nothing is fetched
    first = [witness.next("work")["text"] for _ in range(2)]
    assert len(work_queue.peek_messages(max_messages=32)) == 3
    # with one left in work, the next batch comes: that makes three at most
    witness.open(first[0].partition(":")[2])
    then = [witness.next("work")["text"] for _ in range(2)]
    assert len(work_queue.peek_messages(max_messages=32)) == 1
    assert len({*first, *then}) == 4
    assert witness.has_nothing("work")


def test_a_message_whose_host_was_killed_comes_back(
    sample_host: StartHost, work_queue: QueueClient, witness: Witness
) -> None:
    host = sample_host(DEVHOST_MESSAGE_LEASE="00:00:02")
    work_queue.send_message(encoded("go:later"))
    first = witness.next("work")
    host.kill()
    witness.open("later")
    host.start().wait_ready()
    again = witness.next("work")
    assert (again["attempt"], again["id"]) == (2, first["id"])
    assert again["pid"] != first["pid"]
    witness.next("worked")


def test_stopping_lets_a_running_function_end_and_deletes_its_message(
    sample_host: StartHost, work_queue: QueueClient, witness: Witness
) -> None:
    host = sample_host(DEVHOST_MESSAGE_LEASE="00:00:01")
    work_queue.send_message(encoded("go:soon"))
    witness.next("work")
    host.terminate()
    witness.open("soon")
    witness.next("worked")
    assert host.stop() == 0
    assert not list(work_queue.peek_messages())
    assert "Stopped" in host.log_text()


def test_a_timer_can_run_on_startup(sample_host: StartHost, witness: Witness) -> None:
    sample_host(**{"AzureWebJobs.at_start.Disabled": "false"})
    witness.next("at_start")


def test_a_disabled_queue_function_leaves_its_queue_alone(
    sample_host: StartHost, work_queue: QueueClient, witness: Witness
) -> None:
    work_queue.create_queue()
    work_queue.send_message(encoded("wait"))
    host = sample_host(**{"AzureWebJobs.work.Disabled": "true", "AzureWebJobs.at_start.Disabled": "0"})
    witness.next("at_start")
    host.stop()
    assert len(work_queue.peek_messages()) == 1


def test_timers_run_on_schedule_without_overlap(sample_host: StartHost, witness: Witness) -> None:
    sample_host(**{"AzureWebJobs.tick.Disabled": "false", "TICK_GATE": "tock"})
    witness.next("tick")
    # its next occurrence passes while it still runs
    with pytest.raises(queue.Empty):
        witness.next("tick", timeout=1.5)
    witness.open("tock")
    witness.next("tick")
