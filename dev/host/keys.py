"""Function keys: who may call which HTTP function.

`DEVHOST_KEYS` holds a JSON object of function name to key (or list of keys). The name `*` stands for every function
without an entry of its own, `_master` for the key that opens everything, the administration routes included. A function
without any key is open, as it is with `func start`.
"""

import hmac
import json
from collections.abc import Mapping

from dev.host.errors import HostStartError
from dev.host.functions import Function, HttpTrigger


class KeyRing:
    """The keys that each function accepts."""

    def __init__(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        self._keys = {name.lower(): values for name, values in keys.items()}

    @classmethod
    def read(cls, settings: Mapping[str, str]) -> "KeyRing":
        """Read `DEVHOST_KEYS`; raises HostStartError when it is not an object of strings."""
        text = settings.get("DEVHOST_KEYS") or "{}"
        try:
            content = json.loads(text)
            keys = {
                name: (value,) if isinstance(value, str) else tuple(map(_string, value))
                for name, value in content.items()
            }
        except (ValueError, TypeError, AttributeError):
            raise HostStartError(
                'DEVHOST_KEYS must be a JSON object of function name to key, for example {"sync": "secret"}.'
            ) from None
        return cls(keys)

    def check_names(self, functions: tuple[Function, ...]) -> None:
        """Refuse keys for functions that do not exist: a misspelt name would leave a function open."""
        known = {function.name.lower() for function in functions} | {"*", "_master"}
        if unknown := sorted(set(self._keys) - known):
            raise HostStartError(f"DEVHOST_KEYS names functions that the app does not have: {', '.join(unknown)}.")

    def allows(self, function: Function, key: str | None) -> bool:
        """Whether a caller who sent this key may call an HTTP function."""
        if isinstance(function.trigger, HttpTrigger) and function.trigger.auth_level == "ANONYMOUS":
            return True
        if isinstance(function.trigger, HttpTrigger) and function.trigger.auth_level == "ADMIN":
            return self.allows_administration(key)
        accepted = self._keys.get(function.name.lower(), self._keys.get("*", ()))
        return not accepted or _is_one_of(key, (*accepted, *self._keys.get("_master", ())))

    def allows_administration(self, key: str | None) -> bool:
        """Whether a caller who sent this key may use the routes below /admin."""
        master = self._keys.get("_master", ())
        return not master or _is_one_of(key, master)


def sent_key(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """The key that a caller sent: the header, else the query parameter `code` in any letter case."""
    if header := headers.get("x-functions-key"):
        return header
    return next((value for name, value in query.items() if name.lower() == "code"), None)


def _is_one_of(key: str | None, accepted: tuple[str, ...]) -> bool:
    return key is not None and any(hmac.compare_digest(key.encode(), each.encode()) for each in accepted)


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
