"""What the host refuses before it starts, as the real host does."""

from typing import Any

import pytest

from dev.host.errors import HostStartError
from dev.host.functions import Function, HttpTrigger, IndexedFunction, QueueOutput, QueueTrigger, TimerTrigger, describe

SETTINGS = {"AzureWebJobsStorage": "storage", "QUEUE": "Jobs", "SCHEDULE": "0 */5 * * * *"}


def indexed(name: str, *bindings: dict[str, Any]) -> IndexedFunction:
    return IndexedFunction(name, f"id of {name}", bindings)


def route(template: str | None, *methods: str, name: str = "f") -> IndexedFunction:
    return indexed(name, {"type": "httpTrigger", "name": "req", "route": template, "methods": list(methods)})


def timer(schedule: str) -> IndexedFunction:
    return indexed("t", {"type": "timerTrigger", "name": "timer", "schedule": schedule, "runOnStartup": True})


def test_triggers_and_outputs_are_read_with_their_settings() -> None:
    queue = {"name": "message", "queueName": "%QUEUE%", "connection": "AzureWebJobsStorage"}
    functions = describe(
        [
            indexed("work", {"type": "queueTrigger", **queue}, {"type": "queue", **queue, "name": "out"}),
            timer("%SCHEDULE%"),
            route(None, "GET", name="Answer"),
        ],
        {**SETTINGS, "AzureWebJobs.work.Disabled": "true"},
    )
    assert functions == (
        Function(
            "Answer", "id of Answer", HttpTrigger("req", "Answer", frozenset({"GET", "HEAD"}), "FUNCTION"), {}, False
        ),
        Function("t", "id of t", TimerTrigger("timer", "0 */5 * * * *", True), {}, False),
        Function(
            "work",
            "id of work",
            QueueTrigger("message", "jobs", "storage"),
            {"out": QueueOutput("jobs", "storage")},
            True,
        ),
    )


def test_an_app_without_functions_is_refused() -> None:
    with pytest.raises(HostStartError, match="no functions"):
        describe([], SETTINGS)


@pytest.mark.parametrize("template", ["admin", "admin/sync", "Administration", "runtime/x"])
def test_routes_that_the_platform_keeps_for_itself_are_refused(template: str) -> None:
    with pytest.raises(HostStartError, match="conflicts with one or more built in routes"):
        describe([route(template)], SETTINGS)


def test_a_function_name_can_be_a_reserved_route() -> None:
    with pytest.raises(HostStartError, match="built in routes"):
        describe([route(None, name="admin_sync")], SETTINGS)


def test_two_functions_with_one_route_and_a_common_verb_are_refused() -> None:
    with pytest.raises(HostStartError, match="conflicts with the route defined by function a"):
        describe([route("x/{id}", "GET", name="a"), route("X/{id}", name="b")], SETTINGS)
    describe([route("x/{id}", "GET", name="a"), route("x/{id}", "PUT", name="b")], SETTINGS)


def test_names_that_differ_only_by_letter_case_are_refused() -> None:
    with pytest.raises(HostStartError, match="Two functions"):
        describe([route("a", name="sync"), route("b", name="Sync")], SETTINGS)


@pytest.mark.parametrize(
    "schedule", ["*/5 * * * *", "0 0 25 * * *", "0 0 0 L * *", "@daily", "00:05:00", "0 0 0 1 1 * 2030", "0 61 * * * *"]
)
def test_schedules_without_six_valid_fields_are_refused(schedule: str) -> None:
    with pytest.raises(HostStartError, match="schedule of six fields"):
        describe([timer(schedule)], SETTINGS)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (timer("%NOT_SET%"), "Function t.*NOT_SET"),
        (indexed("q", {"type": "queueTrigger", "name": "m", "queueName": "%NOT_SET%"}), "Function q.*NOT_SET"),
        (indexed("q", {"type": "queueTrigger", "name": "m", "queueName": "x", "connection": "Other"}), "q.*Other"),
        (indexed("b", {"type": "blobTrigger", "name": "b"}), "Function b.*blobTrigger"),
        (indexed("n", {"type": "queue", "name": "o", "queueName": "x"}), "Function n has no trigger"),
    ],
)
def test_what_is_missing_or_not_known_is_named(function: IndexedFunction, message: str) -> None:
    with pytest.raises(HostStartError, match=message):
        describe([function], SETTINGS)
