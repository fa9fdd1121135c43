"""How BC's API v2.0 writes things: fields, headers, literals, addresses (BC reference 2, 3, 5)."""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from shared.cards.model import Field
from shared.filters.fields import CONTACT_FIELDS

API = "api/v2.0"  #: end of the service's root
RUNTIME_API = "api/microsoft/runtime/beta"  #: another API of the same environment (6.1)
AUTOMATION_API = "api/microsoft/automation/v2.0"  #: and one more (9.3)

#: All fields: a filter may name any of them (R5).
SELECT = ",".join(CONTACT_FIELDS)

#: Error texts are only recognised in English (11.1).
LANGUAGE: Mapping[str, str] = {"Accept-Language": "en-US"}

#: Without it the answer may come from a replica that lags behind (3.5).
PRIMARY: Mapping[str, str] = {**LANGUAGE, "Data-Access-Intent": "ReadWrite"}

#: Without it BC stops a batch at the first error (5).
GO_ON: Mapping[str, str] = {**LANGUAGE, "Prefer": "odata.continue-on-error"}

#: Required where a subscription is changed (6.4); what the last version says does not matter to us.
ANY_VERSION: Mapping[str, str] = {**LANGUAGE, "If-Match": "*"}

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


def runtime_address(root: str, path: str) -> str:
    """The full address of a path of the runtime API; `root` is the service's, which lies beside it."""
    return f"{root.removesuffix(API)}{RUNTIME_API}/{path}"


def automation_address(root: str, path: str) -> str:
    """The same of the automation API."""
    return f"{root.removesuffix(API)}{AUTOMATION_API}/{path}"


def subscription_path(subscription_id: str) -> str:
    """One subscription: its key is a text, in quotes (6.4)."""
    return f"subscriptions('{quote(subscription_id.replace("'", "''"), safe="'")}')"


def moment(value: object) -> datetime | None:
    """A point in time, None for everything that is none."""
    return datetime.fromisoformat(value) if isinstance(value, str) and is_stamp(value) else None


def query(path: str, **options: str) -> str:
    """A path with query options, their `$` added, encoded."""
    return f"{path}?" + "&".join(f"${name}={quote(text, safe=',:()')}" for name, text in options.items())
