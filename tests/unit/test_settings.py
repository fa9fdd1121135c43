"""Settings: read once, checked as a whole, the same in code, sample and documentation."""

import json
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from shared.engine.limits import LeaverLimits, Limits, SafetyLimits, SwingLimits
from shared.errors import SettingsError
from shared.settings import Settings, get_settings, read, reset_settings, setting_name

ROOT = Path(__file__).resolve().parents[2]
NAMES = {setting_name(each): each for each in fields(Settings)}
#: what the platform reads, not the app
PLATFORM = {"FUNCTIONS_WORKER_RUNTIME", "PYTHON_THREADPOOL_THREAD_COUNT", "AzureWebJobsStorage__credential"}
LEAST = {
    "ENTRA_TENANT_ID": "tenant",
    "ENTRA_CLIENT_ID": "client",
    "ENTRA_CLIENT_SECRET": "s3cret",
    "BC_ENVIRONMENT": "Production",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}


def documented() -> dict[str, str]:
    """Name -> default, from the tables of the documentation."""
    text = (ROOT / "docs/configuration.md").read_text()
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) \|", text, re.MULTILINE))


def test_a_few_settings_are_enough_and_the_rest_has_defaults() -> None:
    settings = read(LEAST)
    assert settings.bc_tenant == "tenant"
    assert settings.graph_scope == "https://graph.microsoft.com/.default"
    assert settings.lease_seconds == 60


def test_everything_missing_or_wrong_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        read({"GRAPH_ROOT": "http://graph", "SWEEP_MINUTES": "often", "HOLD_FEED_SHARE": "5", "STORAGE_PREFIX": "A-b"})
    for name in (
        "ENTRA_TENANT_ID", "ENTRA_CLIENT_ID", "ENTRA_CLIENT_SECRET", "BC_ENVIRONMENT", "AzureWebJobsStorage",
        "GRAPH_ROOT", "SWEEP_MINUTES", "HOLD_FEED_SHARE", "STORAGE_PREFIX",
    ):  # fmt: skip
        assert name in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "ok"),
    [
        ("LEASE_SECONDS", "61", False),
        ("LEASE_SECONDS", "30.5", True),
        ("ENUMERATION_MINUTES", "1.5", False),
        ("SWEEP_MINUTES", "0", False),
        ("HOLD_REMOVALS_SHARE", "nan", False),
        ("HOLD_REMOVALS_SHARE", "0,2", False),
        ("HOLD_REMOVALS_SHARE", "1", True),
        ("BC_ROOT", "https://bc.example:7048/BC/api", True),
        ("BC_ROOT", "https://", False),
        ("STORAGE_PREFIX", "test1a2b3c", True),
        ("STORAGE_PREFIX", "ab", False),
        ("WAIT_MOST_SECONDS", "231", False),
    ],
)
def test_a_value_that_cannot_work_is_refused(name: str, value: str, ok: bool) -> None:
    if ok:
        read(LEAST | {name: value})
        return
    with pytest.raises(SettingsError, match=name):
        read(LEAST | {name: value})


def test_a_blank_setting_counts_as_missing() -> None:
    assert read(LEAST | {"CATEGORY": " "}).category == "Business Central"
    with pytest.raises(SettingsError, match="BC_ENVIRONMENT is missing"):
        read(LEAST | {"BC_ENVIRONMENT": ""})


def test_roots_lose_their_last_slash() -> None:
    assert read(LEAST | {"GRAPH_ROOT": "https://graph.microsoft.us/"}).graph_root == "https://graph.microsoft.us"


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, ""),
        ({"WEBSITE_HOSTNAME": "sync.azurewebsites.net"}, "https://sync.azurewebsites.net"),
        ({"WEBSITE_HOSTNAME": "localhost:7071"}, ""),
        ({"WEBSITE_HOSTNAME": "LOCALHOST"}, ""),
        ({"WEBSITE_HOSTNAME": "127.0.0.1:7071"}, ""),
        ({"WEBSITE_HOSTNAME": "0.0.0.0"}, ""),  # noqa: S104 - what the platform's image says on a machine of its own
        ({"WEBSITE_HOSTNAME": "[::1]:7071"}, ""),
        ({"WEBSITE_HOSTNAME": " "}, ""),
        ({"PUBLIC_ADDRESS": "https://sync.contoso.com/"}, "https://sync.contoso.com"),
        (
            {"PUBLIC_ADDRESS": "https://sync.contoso.com", "WEBSITE_HOSTNAME": "sync.azurewebsites.net"},
            "https://sync.contoso.com",
        ),
        ({"PUBLIC_ADDRESS": "https://127.0.0.1:7072", "WEBSITE_HOSTNAME": "localhost"}, "https://127.0.0.1:7072"),
    ],
)
def test_the_public_address_is_the_apps_own_where_others_can_reach_it(given: dict[str, str], address: str) -> None:
    assert read(LEAST | given).public_address == address


def test_the_public_address_must_be_https() -> None:
    for wrong in ("http://sync.contoso.com", "sync.contoso.com", "https://sync.contoso.com?code=1"):
        with pytest.raises(SettingsError, match="PUBLIC_ADDRESS"):
            read(LEAST | {"PUBLIC_ADDRESS": wrong})


def test_storage_by_identity_needs_no_connection_string() -> None:
    by_identity = {name: value for name, value in LEAST.items() if name != "AzureWebJobsStorage"}
    assert read(by_identity | {"AzureWebJobsStorage__accountName": "stored"}).storage_account == "stored"
    addresses = {
        "AzureWebJobsStorage__tableServiceUri": "https://stored.table.core.usgovcloudapi.net/",
        "AzureWebJobsStorage__queueServiceUri": "https://stored.queue.core.usgovcloudapi.net/",
    }
    assert read(by_identity | addresses).storage_tables.startswith("https://stored.table")


def test_secrets_do_not_show() -> None:
    assert "s3cret" not in repr(read(LEAST))
    with pytest.raises(SettingsError) as error:
        read(LEAST | {"BC_ENVIRONMENT": ""})
    assert "s3cret" not in str(error.value)


def test_the_environment_is_read_once_and_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    reset_settings()
    try:
        with pytest.raises(SettingsError):
            get_settings()
        for name, value in LEAST.items():
            monkeypatch.setenv(name, value)
        first = get_settings()
        monkeypatch.setenv("BC_ENVIRONMENT", "Sandbox")
        assert get_settings() is first
    finally:
        reset_settings()


def test_nothing_else_reads_the_environment() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("shared", "functions")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text())
    }
    assert readers == {"shared/settings.py"}


def test_every_setting_is_used() -> None:
    read_by_the_host = {"sync_schedule", "upkeep_schedule", "import_schedule"}
    sources = [path for path in (ROOT / "shared").rglob("*.py") if path.name != "settings.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    unused = {each.name for each in fields(Settings) if not re.search(rf"\bsettings\.{each.name}\b", text)}
    assert unused == read_by_the_host


def test_the_defaults_are_those_of_the_engine() -> None:
    limits = Limits()
    ours = {each.name: each.default for each in fields(Settings)}
    for values in (limits, SafetyLimits(), SwingLimits(), LeaverLimits()):
        for each in fields(values):
            if each.name not in ("safety", "swings", "leavers"):
                assert ours[each.name] == getattr(values, each.name), each.name


def test_the_documentation_lists_every_setting_with_its_default() -> None:
    table = documented()
    assert table.keys() - PLATFORM == NAMES.keys()
    for name, each in NAMES.items():
        shown = "required" if each.default is MISSING else _as_written(each.default)
        assert table[name].strip("`") == shown, name


def _as_written(default: object) -> str:
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_the_sample_lists_the_same_settings_and_works() -> None:
    values = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    assert values.keys() - PLATFORM == {name for name in NAMES if "__" not in name}
    settings = read(values)
    for name, each in NAMES.items():
        if each.default is not MISSING and each.default != "" and name in values:
            assert getattr(settings, each.name) == each.default, name
