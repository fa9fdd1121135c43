"""JSON that can be sent and stored, whatever people typed into their contacts."""

import json
from typing import Any


def json_text(value: Any, *, separators: tuple[str, str] | None = None) -> str:
    """A value as JSON with its characters as they are; `separators` as for `json.dumps`."""
    text = json.dumps(value, ensure_ascii=False, separators=separators)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair has no UTF-8: written as an escape
        text = json.dumps(value, separators=separators)
    return text
