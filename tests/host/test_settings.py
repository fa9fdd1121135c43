"""Settings and host.json."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dev.host.errors import HostStartError
from dev.host.settings import (
    connection_string,
    expand,
    is_disabled,
    load_options,
    load_settings,
    parse_time_span,
)


def write(folder: Path, name: str, content: object) -> Path:
    (folder / name).write_text(json.dumps(content))
    return folder


def host_json(folder: Path, **queues: Any) -> Path:
    return write(folder, "host.json", {"version": "2.0", "extensions": {"queues": queues}})


def test_the_environment_wins_over_local_settings(tmp_path: Path) -> None:
    write(tmp_path, "local.settings.json", {"Values": {"A": "file", "B": "file"}})
    environment = {"A": "environment"}
    load_settings(tmp_path, environment)
    assert environment == {"A": "environment", "B": "file"}


def test_local_settings_may_be_missing(tmp_path: Path) -> None:
    load_settings(tmp_path, {})


@pytest.mark.parametrize("content", [{"IsEncrypted": True}, {"Values": {"A": 1}}, []])
def test_local_settings_that_cannot_be_used_are_refused(tmp_path: Path, content: object) -> None:
    write(tmp_path, "local.settings.json", content)
    with pytest.raises(HostStartError, match=r"local\.settings\.json"):
        load_settings(tmp_path, {})


def test_options_not_set_have_the_platforms_defaults(tmp_path: Path) -> None:
    options = load_options(write(tmp_path, "host.json", {"version": "2.0"}), {})
    assert options.route_prefix == "api"
    assert (options.queues.batch_size, options.queues.new_batch_threshold) == (16, 8)
    assert options.queues.max_dequeue_count == 5
    assert options.queues.visibility_timeout == timedelta(0)
    assert options.queues.max_polling_interval == timedelta(minutes=1)
    assert options.queues.base64
    assert options.queues.lease == timedelta(minutes=10)


def test_settings_override_host_json_whatever_the_letter_case(tmp_path: Path) -> None:
    host_json(tmp_path, batchSize=4, newBatchThreshold=2, messageEncoding="none")
    options = load_options(
        tmp_path,
        {
            "AzureFunctionsJobHost__extensions__queues__batchSize": "8",
            "AZUREFUNCTIONSJOBHOST__extensions__http__ROUTEPREFIX": "other/",
        },
    )
    assert (options.queues.batch_size, options.queues.new_batch_threshold) == (8, 2)
    assert not options.queues.base64
    assert options.route_prefix == "other"


@pytest.mark.parametrize(
    "queues",
    [
        {"batchSize": 33},
        {"batchSize": 0},
        {"batchSize": "many"},
        {"newBatchThreshold": -1},
        {"maxDequeueCount": 0},
        {"visibilityTimeout": "30"},
        {"maxPollingInterval": "00:00:00.05"},
        {"messageEncoding": "utf8"},
    ],
)
def test_values_out_of_range_are_refused_by_name(tmp_path: Path, queues: dict[str, Any]) -> None:
    with pytest.raises(HostStartError, match=next(iter(queues))):
        load_options(host_json(tmp_path, **queues), {})


def test_a_folder_without_host_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostStartError, match=r"host\.json"):
        load_options(tmp_path, {})


@pytest.mark.parametrize("text", ["soon", "00:00:00.5"])
def test_a_lease_that_is_no_time_or_too_short_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(HostStartError, match="DEVHOST_MESSAGE_LEASE"):
        load_options(host_json(tmp_path), {"DEVHOST_MESSAGE_LEASE": text})


def test_settings_between_percent_signs_are_replaced() -> None:
    assert expand("%A%-%B%", {"A": "x", "B": "y"}, "f") == "x-y"
    assert expand("100 % sure", {}, "f") == "100 % sure"


def test_a_missing_setting_is_named_with_its_function() -> None:
    with pytest.raises(HostStartError, match=r"Function tick.*SCHEDULE, which is missing"):
        expand("%SCHEDULE%", {}, "Function tick")


def test_a_connection_may_leave_out_its_prefix() -> None:
    assert connection_string("Storage", {"AzureWebJobsStorage": "x"}, "f") == "x"
    assert connection_string("AzureWebJobsStorage", {"AzureWebJobsStorage": "x"}, "f") == "x"
    with pytest.raises(HostStartError, match="Other is missing"):
        connection_string("Other", {"Other": ""}, "f")


@pytest.mark.parametrize(
    ("name", "value", "disabled"),
    [
        ("AzureWebJobs.sync.Disabled", "true", True),
        ("AzureWebJobs.Sync.Disabled", "1", True),
        ("AzureWebJobs_sync_Disabled", "True", True),
        ("AzureWebJobs__sync__Disabled", "true", True),
        ("AzureWebJobs.sync.Disabled", "false", False),
        ("AzureWebJobs.other.Disabled", "true", False),
    ],
)
def test_a_function_is_disabled_by_setting(name: str, value: str, disabled: bool) -> None:
    assert is_disabled("sync", {name: value}) is disabled


def test_time_spans_have_days_and_fractions() -> None:
    assert parse_time_span("1.02:03:04.5") == timedelta(days=1, hours=2, minutes=3, seconds=4.5)
