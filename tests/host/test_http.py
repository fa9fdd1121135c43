"""HTTP functions through the real worker library."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest
import requests
from azure.storage.queue import QueueClient

from dev.azurite import Azurite
from dev.host import DevelopmentHost
from tests.host.conftest import SAMPLE_APP, encoded, sample_settings
from tests.host.witness import Witness, running_witness

pytestmark = pytest.mark.integration

QUEUE = "http-tests"
KEYS = {"guarded": "key-1", "*": "key-2"}


@pytest.fixture(scope="module")
def shared_witness() -> Iterator[Witness]:
    with running_witness() as running:
        yield running


@pytest.fixture(scope="module")
def host(azurite: Azurite, shared_witness: Witness) -> Iterator[DevelopmentHost]:
    settings = sample_settings(azurite, shared_witness, QUEUE) | {
        "DEVHOST_KEYS": json.dumps(KEYS),
        "PYTHON_THREADPOOL_THREAD_COUNT": "2",
        "AzureWebJobs.optional.Disabled": "1",
    }
    with DevelopmentHost(SAMPLE_APP, settings=settings) as running:
        yield running


@pytest.fixture
def call(host: DevelopmentHost) -> Callable[..., requests.Response]:
    def send(method: str, path: str, **arguments: object) -> requests.Response:
        return requests.request(method, host.url + path, timeout=20, allow_redirects=False, **arguments)  # type: ignore[arg-type]

    return send


def test_a_request_arrives_whole_and_the_answer_too(call: Callable[..., requests.Response]) -> None:
    answer = call("POST", "/API/Items/a%40b?Mode=full&empty=&n=1&N=2", data=b"{}", headers={"X-Actor": "Ada"})
    assert (answer.status_code, answer.headers["x-answer"]) == (201, "42")
    assert answer.headers["content-type"] == "application/json"
    seen = answer.json()
    assert seen["method"] == "POST"
    assert seen["url"].endswith("/API/Items/a%40b?Mode=full&empty=&n=1&N=2")
    assert seen["headers"]["x-actor"] == "Ada"
    assert seen["query"] == {"Mode": "full", "n": "1,2"}
    assert seen["route"] == {"id": "a@b"}
    assert seen["body"] == "{}"
    assert seen["function"] == "echo"


@pytest.mark.parametrize("content_type", [None, "text/plain; charset=utf-8", "application/json", "nonsense"])
def test_any_content_type_and_none_are_accepted(host: DevelopmentHost, content_type: str | None) -> None:
    connection = HTTPConnection("127.0.0.1", host.port, timeout=20)
    headers = {"Content-Type": content_type} if content_type else {}
    connection.request("POST", "/api/items/1", b'{"a": "\xc3\xa4"}', headers)
    assert json.loads(connection.getresponse().read())["body"] == '{"a": "ä"}'
    connection.close()


def test_a_post_without_body_and_length_is_accepted(host: DevelopmentHost) -> None:
    connection = HTTPConnection("127.0.0.1", host.port, timeout=20)
    connection.putrequest("POST", "/api/items/1")
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 201
    assert json.loads(answer.read())["body"] == ""
    connection.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/numbers/12", 200), ("/api/numbers/x", 404), ("/api/files/a/b", 200), ("/api/nowhere", 404), ("/", 404)],
)
def test_paths_that_fit_no_route_are_not_found(call: Callable[..., requests.Response], path: str, status: int) -> None:
    assert call("GET", path).status_code == status


def test_a_verb_that_does_not_fit_is_answered_405_with_those_that_do(call: Callable[..., requests.Response]) -> None:
    answer = call("DELETE", "/api/items/1")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert call("PATCH", "/api/fails").status_code == 500, "a function without methods takes every verb"


def test_a_disabled_function_is_not_found(call: Callable[..., requests.Response]) -> None:
    assert call("GET", "/api/optional/1").status_code == 404


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/guarded", {}, 401),
        ("/api/guarded", {"x-functions-key": "key-1"}, 200),
        ("/api/guarded", {"x-functions-key": "key-2"}, 401),
        ("/api/guarded?code=key-1", {}, 200),
        ("/api/guarded?Code=key-1", {}, 200),
        ("/api/guarded?Code=key-2", {}, 401),
        ("/api/guarded-too?CODE=key-2", {}, 200),
        ("/api/guarded-too?code=key-1", {}, 401),
    ],
)
def test_each_function_has_its_own_key(
    call: Callable[..., requests.Response], path: str, headers: dict[str, str], status: int
) -> None:
    assert call("POST", path, headers=headers).status_code == status


def test_an_exception_is_answered_500_without_its_text(call: Callable[..., requests.Response]) -> None:
    answer = call("GET", "/api/fails")
    assert (answer.status_code, answer.content) == (500, b"")


def test_an_answer_may_have_no_body_and_cookies(call: Callable[..., requests.Response]) -> None:
    answer = call("GET", "/api/no-content")
    assert (answer.status_code, answer.content, answer.headers["set-cookie"]) == (204, b"", "a=1; Path=/")


def test_head_is_answered_like_get_without_the_body(call: Callable[..., requests.Response]) -> None:
    answer = call("HEAD", "/api/items/1")
    assert (answer.status_code, answer.content) == (201, b"")


def test_settings_reach_the_app_and_the_environment_wins(call: Callable[..., requests.Response]) -> None:
    assert call("GET", "/api/setting/WORK_QUEUE").text == QUEUE


def test_plain_functions_share_the_workers_threads_and_async_ones_need_none(
    call: Callable[..., requests.Response], shared_witness: Witness
) -> None:
    with ThreadPoolExecutor(8) as pool:
        # two plain functions take both threads of PYTHON_THREADPOOL_THREAD_COUNT
        plain = [pool.submit(call, "GET", "/api/waits/plain") for _ in range(3)]
        threads = {shared_witness.next("waiting")["thread"] for _ in range(2)}
        assert len(threads) == 2
        # asynchronous functions run on the loop meanwhile, several at once, and the host answers
        coroutines = [pool.submit(call, "GET", "/api/waits-async/loop") for _ in range(3)]
        assert {shared_witness.next("waiting")["thread"] for _ in range(3)} == {"worker"}
        assert call("GET", "/admin/host/status").json()["state"] == "Running"
        assert shared_witness.has_nothing("waiting"), "the third plain function has no thread yet"
        shared_witness.open("loop")
        assert [each.result().text for each in coroutines] == ["done"] * 3
        shared_witness.open("plain")
        assert [each.result().text for each in plain] == ["done"] * 3


def test_queue_outputs_become_messages(call: Callable[..., requests.Response], azurite: Azurite) -> None:
    assert call("POST", "/api/send-one", data="one ä".encode()).text == "sent"
    assert call("POST", "/api/send-many", data=b'two\n{"three": 3}').text == "sent"
    assert call("POST", "/api/send-and-fail").status_code == 500
    with QueueClient.from_connection_string(
        azurite.connection_string, f"{QUEUE}-out", api_version="2025-11-05"
    ) as queue:
        found = [message.content for message in queue.receive_messages(messages_per_page=32)]
    assert sorted(found) == sorted(map(encoded, ["one ä", "two", '{"three": 3}']))


def test_the_functions_can_be_listed(call: Callable[..., requests.Response]) -> None:
    listed = {each["name"]: each for each in call("GET", "/admin/functions").json()}
    assert listed["echo"]["methods"] == ["GET", "HEAD", "POST"]
    assert listed["echo"]["authLevel"] == "ANONYMOUS"
    assert listed["work"]["queueName"] == QUEUE
    assert listed["tick"] == {
        "name": "tick",
        "trigger": "timerTrigger",
        "isDisabled": True,
        "schedule": "* * * * * *",
    }


@pytest.mark.parametrize(
    ("function", "body", "status"),
    [
        ("nobody", b"{}", 404),
        ("echo", b"{}", 400),
        ("work", b"{}", 400),
        ("work", b"[]", 400),
        ("work", b"text", 400),
    ],
)
def test_what_cannot_be_fired_by_hand_is_refused(
    call: Callable[..., requests.Response], function: str, body: bytes, status: int
) -> None:
    answer = call("POST", f"/admin/functions/{function}", data=body)
    assert (answer.status_code, "error" in answer.json()) == (status, True)


def test_timers_and_queue_functions_are_fired_by_hand(
    call: Callable[..., requests.Response], shared_witness: Witness
) -> None:
    assert call("POST", "/admin/functions/TICK", data=b"").status_code == 202, "disabled, and yet"
    assert shared_witness.next("tick") == {"event": "tick", "past_due": False}
    assert call("POST", "/admin/functions/work", json={"input": "by hand"}).status_code == 202
    assert shared_witness.next("work")["attempt"] == 1
    assert shared_witness.next("worked")["text"] == "by hand"


def test_who_fires_a_function_by_hand_may_wait_for_its_end(
    call: Callable[..., requests.Response], shared_witness: Witness
) -> None:
    answer = call("POST", "/admin/functions/work", json={"input": "and wait", "wait": True})
    assert answer.status_code == 202
    assert shared_witness.next("work")["attempt"] == 1
    assert shared_witness.next("worked", timeout=0)["text"] == "and wait", "it had ended before the answer came"
