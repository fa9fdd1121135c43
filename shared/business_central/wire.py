"""How BC's API v2.0 writes things: fields, headers, literals, addresses (BC reference 2, 3, 5)."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from shared.cards.model import Field
from shared.filters.fields import CONTACT_FIELDS

#: All fields: a filter may name any of them (R5).
SELECT = ",".join(CONTACT_FIELDS)

#: Error texts are only recognised in English (11.1).
LANGUAGE: Mapping[str, str] = {"Accept-Language": "en-US"}

#: Without it the answer may come from a replica that lags behind (3.5).
PRIMARY: Mapping[str, str] = {**LANGUAGE, "Data-Access-Intent": "ReadWrite"}

#: Without it BC stops a batch at the first error (5).
GO_ON: Mapping[str, str] = {**LANGUAGE, "Prefer": "odata.continue-on-error"}

MOST_PARTS = 100  #: of a batch (5)
NO_DATE = "0001-01-01"

#: The order in a body: what other fields' validation looks at comes first (2.3, 2.12).
WRITE_ORDER: tuple[str, ...] = (
    "type",
    "displayName",
    "companyNumber",
    "country",
    *(each.value for each in Field if each not in {Field.NAME, Field.COMPANY, Field.COUNTRY}),
)

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?Z")


def is_guid(text: str) -> bool:
    """Whether the text can be a key; anything else never gets into a URL."""
    return _GUID.fullmatch(text.lower()) is not None


def is_stamp(text: str) -> bool:
    """Whether the text is a point in time as BC writes it."""
    return _STAMP.fullmatch(text) is not None


def query(path: str, **options: str) -> str:
    """A path with query options, their `$` added, encoded."""
    return f"{path}?" + "&".join(f"${name}={quote(text, safe=',:()')}" for name, text in options.items())
