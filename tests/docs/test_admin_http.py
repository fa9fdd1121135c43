"""docs/admin.http has every operation of docs/openapi.yaml, and says nothing that openapi.yaml does not know."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.docs.http_file import HttpFile, Request, as_json, filled, read

OPENAPI: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "docs" / "openapi.yaml").read_text())
VERBS = ("get", "put", "patch", "post", "delete")
KEYS = {"admin": "{{adminKey}}", "user": "{{userKey}}", "open": None}
FILE = read()
#: what stands for answers and keys, so that addresses and bodies can be read
GIVEN = {
    **FILE.variables,
    "adminKey": "a",
    "userKey": "u",
    "company": "c",
    "runId": "r",
    "importRunId": "i",
    "bcId": "3b2a1c4d-0000-4000-8000-000000000001",
}


def resolved(part: Any) -> Any:
    """A part of the description, or what its reference leads to."""
    while "$ref" in part:
        found: Any = OPENAPI
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def operation(request: Request) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    """The operation that a request is about: its id, itself, and its parameters."""
    path = urlsplit(filled(request.address, GIVEN, {})).path
    fitting = [each for each in OPENAPI["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path)]
    fixed = [each for each in fitting if each == path] or fitting
    assert len(fixed) == 1, f"admin.http, line {request.line}: openapi.yaml has no path {path}"
    described = OPENAPI["paths"][fixed[0]]
    assert request.method.lower() in described, f"line {request.line}: {path} has no {request.method}"
    found = described[request.method.lower()]
    parameters = [resolved(each) for each in [*described.get("parameters", []), *found.get("parameters", [])]]
    return found["operationId"], found, parameters


def findings(file: HttpFile) -> list[str]:
    """What is wrong with the file's requests."""
    return [f"line {each.line}: {wrong}" for each in file.requests for wrong in _wrong(each)]


def _wrong(request: Request) -> list[str]:
    _, described, parameters = operation(request)
    wrong = []
    query = dict(parse_qsl(urlsplit(filled(request.address, GIVEN, {})).query))
    schemas = {each["name"]: each["schema"] for each in parameters if each["in"] == "query"}
    for name, value in query.items():
        if name not in schemas:
            wrong.append(f"there is no parameter {name}")
        elif schemas[name].get("type") == "integer" and not value.isdigit():
            wrong.append(f"{name} is a number")
        elif value not in schemas[name].get("enum", [value]):
            wrong.append(f"{name} is one of {schemas[name]['enum']}")
    if request.headers.get("x-functions-key") != KEYS[described["tags"][0]]:
        wrong.append(f"the key is that of the door {described['tags'][0]}")
    taken = resolved(described["requestBody"]) if "requestBody" in described else {}
    body = as_json(filled(request.body, GIVEN, {}))
    if body is None:
        return [*wrong, "a body is required"] if taken.get("required") else wrong
    if not taken:
        return [*wrong, "no body is taken"]
    schema = {**OPENAPI, **taken["content"]["application/json"]["schema"]}
    return wrong + [error.message for error in Draft202012Validator(schema).iter_errors(body)]


def test_every_operation_is_in_the_file() -> None:
    all_of_them = {each[verb]["operationId"] for each in OPENAPI["paths"].values() for verb in VERBS if verb in each}
    assert {operation(each)[0] for each in FILE.requests} == all_of_them


def test_no_call_names_what_the_description_does_not_have() -> None:
    assert findings(FILE) == []


def test_every_name_is_given_and_used() -> None:
    named = {name for each in FILE.requests for name in (each.name,) if name}
    texts = [each.address + each.body + "".join(each.headers.values()) for each in FILE.requests]
    for text in texts:
        filled(text, GIVEN, {})
    used = set(re.findall(r"\{\{(\w+)", " ".join([*texts, *FILE.variables.values()])))
    assert used == set(FILE.variables) | named


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("/api/admin/health\n", "/api/admin/healths\n", "no path"),
        ("PATCH {{app}}/api/profiles", "DELETE {{app}}/api/profiles", "has no DELETE"),
        ('"confirmRemovals"', '"confirmRemovals"', ""),
        ('"excludedFields"', '"excludeFields"', "excludeFields"),
        ('"preview": true, "actor"', '"preview": "yes", "actor"', "yes"),
        ("contacts=keep", "contacts=kept", "contacts is one of"),
        ("sync?wait=60", "sync?wait=long", "wait is a number"),
        ("profiles?top=100", "profiles?first=100", "no parameter first"),
        ('{"contact": "{{number}}"}', "", "a body is required"),
        ("{{app}}/api/admin/pause\nx-functions-key: {{adminKey}}", "{{app}}/api/admin/pause", "door admin"),
    ],
)
def test_a_wrong_call_is_found(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "admin.http").read_text(encoding="utf-8")
    assert old in text
    page = tmp_path / "admin.http"
    page.write_text(text.replace(old, new, 1), encoding="utf-8")
    try:
        found = " ".join(findings(read(page)))
    except AssertionError as error:
        found = str(error)
    assert words in found
    assert bool(words) == bool(found)
