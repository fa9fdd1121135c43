"""The engine's values as JSON text and back: profiles, requests, reports, positions and the like.

Fields added later take their defaults when an older row is read; fields that are gone are ignored.
"""

import functools
import json
from collections.abc import Hashable
from typing import Any, cast

from shared.storage.wire import Row, packed, unpacked


def encoded(value: object) -> Row:
    """A dataclass as properties of a row."""
    plain = _adapter(cast(Hashable, type(value))).dump_python(value, mode="json")
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    # half of a surrogate pair, which somebody's text may hold, cannot be stored
    return packed(text.encode("utf-8", "replace").decode())


def decoded[T](kind: type[T], row: Row) -> T:
    """The dataclass that a row holds."""
    value: T = _adapter(cast(Hashable, kind)).validate_json(unpacked(row))
    return value


@functools.cache
def _adapter(kind: Hashable) -> Any:
    from pydantic import TypeAdapter  # slow to import; an idle start needs no rows

    adapter: Any = TypeAdapter(cast(Any, kind))
    return adapter
