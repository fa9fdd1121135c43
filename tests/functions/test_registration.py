"""Which functions there are, and which door each belongs to: keys are per function, so a door is a set of keys."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import azure.functions as func
import pytest

import function_app
import functions
from dev.system.settings import ADMIN_FUNCTIONS
from functions.queues import COMPANY_JOBS, SYNC_JOBS
from shared.storage import queues as stored
from tests.functions.desk import FUNCTIONS, bindings, openapi

ROOT = Path(__file__).parents[2]

USER_DOOR = {
    "user_explain": ("api/profiles/{user}/contacts/explain", {"POST"}),
    "user_profile": ("api/profiles/{user}", {"GET", "PUT", "PATCH"}),
    "user_resume_contact": ("api/profiles/{user}/contacts/{id}/resume", {"POST"}),
    "user_run": ("api/runs/{id}", {"GET"}),
    "user_runs": ("api/profiles/{user}/runs", {"GET"}),
    "user_sync": ("api/sync", {"POST"}),
    "user_unhide": ("api/profiles/{user}/contacts/{id}/unhide", {"POST"}),
    "user_validate": ("api/profiles/{user}/validate", {"POST"}),
}
ADMIN_DOOR = {
    "admin_pause": ("api/admin/pause", {"POST"}),
    "admin_resume": ("api/admin/resume", {"POST"}),
    "admin_approve": ("api/admin/runs/{id}/approve", {"POST"}),
    "admin_company": ("api/admin/companies/{company}", {"GET", "PUT"}),
    "admin_erase": ("api/admin/contacts/erase", {"POST"}),
    "admin_find": ("api/admin/contacts/find", {"POST"}),
    "admin_health": ("api/admin/health", {"GET"}),
    "admin_import": ("api/admin/profiles/import", {"POST"}),
    "admin_import_approve": ("api/admin/import-runs/{id}/approve", {"POST"}),
    "admin_import_run": ("api/admin/import-runs/{id}", {"GET"}),
    "admin_imports": ("api/admin/imports", {"GET"}),
    "admin_saved_import": ("api/admin/imports/{name}", {"GET", "DELETE"}),
    "admin_profile": ("api/admin/profiles/{user}", {"PUT", "DELETE"}),
    "admin_profiles": ("api/admin/profiles", {"GET"}),
    "admin_sync": ("api/admin/sync", {"POST"}),
    "admin_undo": ("api/admin/runs/{id}/undo", {"POST"}),
}
OPEN = {
    "health": ("api/health", {"GET"}),
    "webhook_business_central": ("api/webhooks/business-central", {"GET", "POST"}),
    "webhook_graph": ("api/webhooks/graph", {"POST"}),
    "webhook_graph_lifecycle": ("api/webhooks/graph/lifecycle", {"POST"}),
}
BEHIND = {
    "company_jobs", "company_jobs_poison", "fan_out", "nightly_imports", "sync_jobs", "sync_jobs_poison", "upkeep",
}  # fmt: skip


def trigger(function: str) -> dict[str, object]:
    return next(each for each in bindings(function) if each["type"].endswith("Trigger"))


def test_the_app_has_exactly_these_functions() -> None:
    assert set(FUNCTIONS) == USER_DOOR.keys() | ADMIN_DOOR.keys() | OPEN.keys() | BEHIND


def test_each_function_belongs_to_exactly_one_door() -> None:
    assert not USER_DOOR.keys() & ADMIN_DOOR.keys()
    for name, (route, verbs) in (USER_DOOR | ADMIN_DOOR | OPEN).items():
        binding = trigger(name)
        assert (binding["route"], set(binding["methods"])) == (route, verbs)  # type: ignore[call-overload]
        assert binding["authLevel"].lower() == ("anonymous" if name in OPEN else "function")
        assert ("/admin/" in f"/{route}") == (name in ADMIN_DOOR)


def test_the_users_key_of_local_runs_opens_nothing_of_the_admin_door() -> None:
    assert set(ADMIN_FUNCTIONS) == ADMIN_DOOR.keys()


def test_every_module_with_triggers_is_registered() -> None:
    registered = set(FUNCTIONS)
    for each in pkgutil.iter_modules(functions.__path__):
        blueprint = getattr(importlib.import_module(f"functions.{each.name}"), "bp", None)
        if isinstance(blueprint, func.Blueprint):
            names = {builder._function.get_function_name() for builder in blueprint._function_builders}
            assert names and names <= registered, each.name


def test_the_description_names_every_route_verb_and_function_and_no_other() -> None:
    described = {
        (path, verb.upper(), operation["x-function"], operation["tags"][0])
        for path, verbs in openapi()["paths"].items()
        for verb, operation in verbs.items()
        if verb != "parameters"
    }
    registered = {
        (f"/{route}", verb, name, door)
        for door, doors in (("user", USER_DOOR), ("admin", ADMIN_DOOR), ("open", OPEN))
        for name, (route, verbs) in doors.items()
        for verb in verbs
    }
    assert described == registered
    ids = [
        operation["operationId"]
        for verbs in openapi()["paths"].values()
        for verb, operation in verbs.items()
        if verb != "parameters"
    ]
    assert len(ids) == len(set(ids))


def test_triggers_and_storage_use_the_same_queues() -> None:
    assert stored.queue_name("%STORAGE_PREFIX%", stored.SYNC_JOBS) == SYNC_JOBS
    assert stored.queue_name("%STORAGE_PREFIX%", stored.COMPANY_JOBS) == COMPANY_JOBS
    assert trigger("sync_jobs")["queueName"] == SYNC_JOBS
    assert trigger("sync_jobs_poison")["queueName"] == f"{SYNC_JOBS}-poison"
    assert trigger("company_jobs")["queueName"] == COMPANY_JOBS
    assert trigger("company_jobs_poison")["queueName"] == f"{COMPANY_JOBS}-poison"
    assert trigger("fan_out")["schedule"] == "%SYNC_SCHEDULE%"
    assert trigger("upkeep")["schedule"] == "%UPKEEP_SCHEDULE%"
    assert trigger("nightly_imports")["schedule"] == "%IMPORT_SCHEDULE%"


LIBRARIES = ("pydantic", "msal", "requests", "azure.data", "azure.storage", "azure.identity")
ENGINE = ("shared.engine.model", "shared.planning", "shared.filters", "shared.transport")


@pytest.mark.parametrize("package", LIBRARIES + ENGINE)
def test_an_idle_start_imports_nothing_that_it_does_not_need(package: str) -> None:
    script = f"import sys, function_app; sys.exit(any(f'{{name}}.'.startswith('{package}.') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_the_entry_point_shows_one_app_only() -> None:
    assert [each for each in vars(function_app).values() if isinstance(each, func.FunctionApp)] == [function_app.app]
