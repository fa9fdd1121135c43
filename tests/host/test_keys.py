"""Function keys."""

import pytest

from dev.host.errors import HostStartError
from dev.host.functions import Function, HttpTrigger
from dev.host.keys import KeyRing, sent_key


def function(name: str, level: str = "FUNCTION") -> Function:
    return Function(name, name, HttpTrigger("req", name, frozenset(), level), {}, disabled=False)


def ring(text: str) -> KeyRing:
    return KeyRing.read({"DEVHOST_KEYS": text})


@pytest.mark.parametrize(
    ("keys", "allowed", "refused"),
    [
        ('{"sync": "a", "erase": "b"}', ["a"], ["b", "", None]),
        ('{"sync": ["a", "b"]}', ["a", "b"], ["c", None]),
        ('{"*": "d"}', ["d"], ["a", None]),
        ('{"*": "d", "sync": "a"}', ["a"], ["d"]),
        ('{"sync": "a", "_master": "m"}', ["a", "m"], ["x"]),
        ('{"SYNC": "a"}', ["a"], ["A"]),
        ('{"erase": "b"}', ["b", None], []),
    ],
)
def test_a_key_opens_its_function(keys: str, allowed: list[str | None], refused: list[str | None]) -> None:
    found = ring(keys)
    assert all(found.allows(function("sync"), key) for key in allowed)
    assert not any(found.allows(function("sync"), key) for key in refused)


def test_the_authorization_level_decides_which_key_is_asked() -> None:
    keys = ring('{"*": "d", "_master": "m"}')
    assert keys.allows(function("open", "ANONYMOUS"), None)
    assert not keys.allows(function("admin", "ADMIN"), "d")
    assert keys.allows(function("admin", "ADMIN"), "m")
    assert not keys.allows_administration("d")
    assert keys.allows_administration("m")


@pytest.mark.parametrize(
    ("headers", "query", "key"),
    [
        ({"x-functions-key": "h"}, {"code": "q"}, "h"),
        ({}, {"code": "q"}, "q"),
        ({}, {"Code": "q"}, "q"),
        ({}, {"CODE": "q"}, "q"),
        ({}, {"coder": "q"}, None),
    ],
)
def test_a_key_comes_by_header_or_query_in_any_letter_case(
    headers: dict[str, str], query: dict[str, str], key: str | None
) -> None:
    assert sent_key(headers, query) == key


@pytest.mark.parametrize("text", ["secret", "[]", '{"sync": 1}', '{"sync": [1]}'])
def test_keys_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(HostStartError, match="DEVHOST_KEYS"):
        ring(text)


def test_a_misspelt_function_is_refused() -> None:
    with pytest.raises(HostStartError, match="snyc"):
        ring('{"snyc": "a"}').check_names((function("sync"),))
