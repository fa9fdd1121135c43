"""Whatever is wrong with a request: the answer says what and where, and nothing changes."""

import json

import pytest
from jsonschema import Draft202012Validator

from functions import bodies
from functions.incoming import MOST_BYTES
from shared.errors import RetryableError, Throttled
from tests.functions.desk import ADA, Desk, openapi, resolved

REMOVALS, BE = "confirmRemovals", "input should be"
SYNC = {"user": ADA, "mode": "full"}


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"{", "The body is not JSON: Expecting property name enclosed in double quotes, line 1, column 2."),
        (b'{"user": "a",\n "mode" "full"}', "The body is not JSON: Expecting ':' delimiter, line 2, column 9."),
        (b"hello", "The body is not JSON: Expecting value, line 1, column 1."),
        (b'{"user": NaN}', "The body is not JSON: NaN is no number."),
        (b"[]", 'The body must be a JSON object, such as {"user": "..."}.'),
        (b'"text"', 'The body must be a JSON object, such as {"user": "..."}.'),
        (b"\xff\xfe{\x00}\x00", "The body is not UTF-8 text."),
        (b'{"mode": "full", "mode": "incremental"}', "The member `mode` stands twice."),
        (b"[" * 100_000, "The body is nested too deeply."),
        (b'{"confirmRemovals": ' + b"9" * 5_000 + b"}", "The body holds a number that is too long."),
        (b"user=ada&mode=full", "The body is not JSON: Expecting value, line 1, column 1."),
        (b"null", 'The body must be a JSON object, such as {"user": "..."}.'),
    ],
)
def test_a_body_that_is_no_json_object(desk: Desk, raw: bytes, detail: str) -> None:
    response = desk.call("POST", "/api/sync", raw=raw)
    assert response.problem[:2] == (400, "malformed-json")
    assert response.body["detail"] == detail


def test_a_body_that_is_too_large(desk: Desk) -> None:
    raw = json.dumps(SYNC | {"actor": "x" * MOST_BYTES}).encode()
    assert desk.call("POST", "/api/sync", raw=raw).problem == (413, "body-too-large", "")


@pytest.mark.parametrize(
    ("body", "code", "field", "detail"),
    [
        ({}, "missing-member", "user", "The member `user` is missing."),
        ({"user": ADA}, "missing-member", "mode", "The member `mode` is missing."),
        (SYNC | {"mode": "partial"}, "bad-member", "mode", "`mode`: input should be 'incremental' or 'full'."),
        (SYNC | {"mode": "Full"}, "bad-member", "mode", "`mode`: input should be 'incremental' or 'full'."),
        (SYNC | {"user": 7}, "bad-member", "user", "`user`: input should be a valid string."),
        (SYNC | {"user": None}, "bad-member", "user", "`user`: input should be a valid string."),
        (SYNC | {"preveiw": 1}, "unknown-member", "preveiw", "There is no member `preveiw`. Did you mean `preview`?"),
        (SYNC | {"modes": 1}, "unknown-member", "modes", "There is no member `modes`. Did you mean `mode`?"),
        (SYNC | {"zzz": 1}, "unknown-member", "zzz", "There is no member `zzz`."),
        (SYNC | {"preview": "yes"}, "bad-member", "preview", "`preview`: input should be a valid boolean."),
        (SYNC | {"confirmRemovals": -1}, "bad-member", REMOVALS, f"`{REMOVALS}`: {BE} greater than or equal to 0."),
        (SYNC | {"confirmRemovals": True}, "bad-member", REMOVALS, f"`{REMOVALS}`: {BE} a valid integer."),
        (SYNC | {"confirmRemovals": "3"}, "bad-member", REMOVALS, f"`{REMOVALS}`: {BE} a valid integer."),
        (SYNC | {"filter": "city=Basel"}, "bad-member", "filter", "`filter`: input should be a valid dictionary."),
        (SYNC | {"filter": {"city": 7}}, "bad-member", "filter.city", "`filter.city`: input should be a valid string."),
        (SYNC | {"filter": {"town": "x"}}, "filter", "town", None),
        (SYNC | {"filter": {"city": "a|"}}, "filter", "city", None),
        (SYNC | {"user": "ada"}, "bad-user", "user", None),
    ],
)  # fmt: skip
def test_a_run_that_cannot_be_asked_for_like_this(
    desk: Desk, body: dict[str, object], code: str, field: str, detail: str | None
) -> None:
    desk.save()
    response = desk.call("POST", "/api/sync", body)
    assert response.problem == (400, code, field)
    if detail is not None:
        assert response.body["detail"] == detail
    assert not desk.services.mailboxes.waiting(ADA)
    assert not desk.world.state.reports.rows


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"foldername": "x"}, "unknown-member", "foldername"),
        ({"policies": {"onBCDelete": "keep"}}, "unknown-member", "policies.onBCDelete"),
        ({"policies": {"onBcDelete": "erase"}}, "bad-member", "policies.onBcDelete"),
        ({"policies": "keep"}, "bad-member", "policies"),
        ({"enabled": "true"}, "bad-member", "enabled"),
        ({"direction": "toBc"}, "bad-member", "direction"),
        ({"user": ADA}, "unknown-member", "user"),
        ({"actor": "x" * 401}, "bad-member", "actor"),
    ],
)
@pytest.mark.parametrize(
    ("verb", "address"),
    [
        ("PUT", f"/api/profiles/{ADA}"),
        ("PATCH", f"/api/profiles/{ADA}"),
        ("PUT", f"/api/admin/profiles/{ADA}"),
    ],
)
def test_a_profile_that_cannot_be_saved_like_this(
    desk: Desk, verb: str, address: str, body: dict[str, object], code: str, field: str
) -> None:
    desk.save(filter={"city": "Basel"})
    before = dict(desk.world.state.profiles.rows)
    assert desk.call(verb, address, body).problem == (400, code, field)
    assert desk.world.state.profiles.rows == before


def test_unknown_users_and_profiles_are_told_apart(desk: Desk) -> None:
    unknown = {"user": "nobody@contoso.example", "mode": "full"}
    assert desk.call("POST", "/api/sync", unknown).problem == (404, "unknown-user", "")
    assert desk.call("POST", "/api/sync", SYNC).problem == (404, "no-profile", "user")
    assert desk.call("GET", f"/api/profiles/{ADA}").problem == (404, "no-profile", "user")
    desk.save()
    elsewhere = desk.call("POST", "/api/sync", SYNC | {"company": "Adatum"})
    assert elsewhere.problem == (404, "no-profile", "company")
    assert "CRONUS AG" in elsewhere.body["detail"]


@pytest.mark.parametrize("broken", ["\ud83d", "\x00", "x\udc00y"])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filter": {"city": "?"}}, "filter.city"),
        ({"filter": {"?": "Basel"}}, "filter"),
        ({"folder": "?"}, "folder"),
        ({"bcUserName": "?"}, "bcUserName"),
        ({"actor": "?"}, "actor"),
        ({"?": 1}, ""),
    ],
)
def test_characters_that_no_service_takes_are_refused(
    desk: Desk, broken: str, body: dict[str, object], field: str
) -> None:
    desk.save(filter={"city": "Basel"})
    before = dict(desk.world.state.profiles.rows)
    raw = json.dumps(body).replace("?", json.dumps(broken)[1:-1]).encode()
    response = desk.call("PUT", f"/api/profiles/{ADA}", raw=raw)
    assert response.problem == (400, "bad-member", field)
    assert "remove it" in response.body["detail"]
    assert desk.world.state.profiles.rows == before


def test_a_report_that_quotes_such_a_character_can_be_read_all_the_same(desk: Desk) -> None:
    desk.save()
    desk.world.bc.put(displayName="Half \ud83d", email="half@x.example")
    run = desk.call("POST", "/api/sync", SYNC | {"preview": True}).body["run"]
    desk.work()
    report = desk.call("GET", run).body
    assert "\ud83d" in json.dumps(report, ensure_ascii=False)


@pytest.mark.parametrize("name", ["", " ", "x" * 5_000])
def test_r05_a_filter_field_that_is_none_is_named_shortly(desk: Desk, name: str) -> None:
    response = desk.call("PUT", f"/api/profiles/{ADA}", {"filter": {name: "x"}})
    assert response.problem[:2] == (400, "filter")
    assert len(response.body["detail"]) < 400
    assert name.strip() or "a field without a name" in response.body["detail"]
    assert not desk.world.state.profiles.rows


@pytest.mark.parametrize("text", ["x" * 100_000, "(" * 100_000, "a|" * 50_000])
def test_r05_a_filter_of_100_kb_is_refused_with_the_limit(desk: Desk, text: str) -> None:
    response = desk.call("PUT", f"/api/profiles/{ADA}", {"filter": {"city": text}})
    assert response.problem == (400, "filter", "city")
    assert response.body["column"] == 8001
    assert response.body["expected"] == "at most 8000 characters"
    assert not desk.world.state.profiles.rows


@pytest.mark.parametrize("depth", [500, 2_000])
def test_deep_json_in_a_member_is_refused_like_any_other_value(desk: Desk, depth: int) -> None:
    raw = b'{"user": "a@b.example", "mode": "full", "filter": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    assert desk.call("POST", "/api/sync", raw=raw).problem[:2] == (400, "bad-member")


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_the_content_type_does_not_matter_the_body_does(desk: Desk, kind: str) -> None:
    desk.save()
    wrong = desk.call("POST", "/api/sync", SYNC | {"mode": "fuzzy"}, headers={"Content-Type": kind})
    assert wrong.problem == (400, "bad-member", "mode")
    assert desk.call("POST", "/api/sync", SYNC, headers={"Content-Type": kind}).status == 202


@pytest.mark.parametrize(
    ("user", "code"), [("x", (400, "bad-user", "users")), ("nobody@contoso.example", (404, "unknown-user", "users"))]
)
def test_who_of_a_list_is_wrong_is_named_and_nobody_is_run(desk: Desk, user: str, code: tuple[int, str, str]) -> None:
    desk.save()
    response = desk.call("POST", "/api/admin/sync", {"mode": "full", "users": [ADA, user]})
    assert response.problem == code
    assert response.body["detail"].startswith(f"{user}: ")
    assert not desk.services.mailboxes.waiting(ADA)


def test_a_service_that_is_busy_is_said_with_when_to_come_back(desk: Desk) -> None:
    desk.save()
    desk.world.faults.fail(1, RetryableError("Storage is busy."), call="mailboxes.submit")
    busy = desk.call("POST", "/api/sync", SYNC)
    assert busy.problem[:2] == (503, "temporarily-unavailable")
    assert busy.headers["Retry-After"] == "10"
    desk.world.faults.fail(1, Throttled("Wait.", retry_after=37.0), call="mailboxes.submit")
    assert desk.call("POST", "/api/sync", SYNC).headers["Retry-After"] == "37"


def test_what_nobody_expected_is_answered_with_a_number_and_logged_without_data(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.save()
    desk.world.faults.fail(1, ValueError("ann@contoso.example"), call="mailboxes.submit")
    response = desk.call("POST", "/api/sync", SYNC)
    assert response.problem[:2] == (500, "unexpected")
    assert response.body["id"] in response.body["detail"]
    logged = [each.getMessage() for each in caplog.records if "request_broke" in each.getMessage()]
    assert len(logged) == 1
    assert response.body["id"] in logged[0]
    assert "ann@" not in caplog.text


def test_the_described_members_are_those_that_are_taken() -> None:
    schemas = openapi()["components"]["schemas"]
    for model, name in (
        (bodies.PlainBody, "PlainRequest"),
        (bodies.ProfileBody, "ProfileRequest"),
        (bodies.SyncBody, "SyncRequest"),
        (bodies.SyncAllBody, "SyncAllRequest"),
        (bodies.ContactBody, "ContactRequest"),
        (bodies.CompanyBody, "CompanyRequest"),
        (bodies.ImportBody, "ImportRequest"),
        (bodies.SourceBody, "Source"),
    ):
        members = {each.alias for each in model.model_fields.values()}
        needed = {each.alias for each in model.model_fields.values() if each.is_required()}
        assert set(schemas[name]["properties"]) == members, name
        assert set(schemas[name].get("required", ())) == needed, name
    policies = schemas["ProfileRequest"]["properties"]["policies"]["oneOf"][0]["properties"]
    assert set(policies) == {each.alias for each in bodies.PoliciesBody.model_fields.values()}


def test_the_examples_fit_their_descriptions() -> None:
    found = 0
    for verbs in openapi()["paths"].values():
        for verb, operation in verbs.items():
            if verb == "parameters":
                continue
            parts = [resolved(operation["requestBody"])] if "requestBody" in operation else []
            parts += [resolved(each) for each in operation["responses"].values()]
            for content in (kind for part in parts for kind in part.get("content", {}).values()):
                examples = [each["value"] for each in content.get("examples", {}).values()]
                examples += [content["example"]] if "example" in content else []
                for example in examples:
                    schema = content["schema"] | {"components": openapi()["components"]}
                    Draft202012Validator(schema).validate(example)
                    found += 1
    assert found > 10
