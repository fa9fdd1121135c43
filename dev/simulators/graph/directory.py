"""The tenant's users, as far as /users shows them (reference 11)."""

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dev.simulators.exchange import Request
from dev.simulators.graph.mailbox import Mailbox
from dev.simulators.graph.query import read_select
from dev.simulators.graph.refusals import Refused, bad_query
from dev.simulators.graph.schema import USER, USER_DEFAULTS
from dev.simulators.graph.switches import Switches

_CLAUSE = re.compile(
    r"\s*(?:(?P<flag>accountEnabled)\s+eq\s+(?P<truth>true|false)"
    r"|(?P<name>userType|mail|userPrincipalName|id)\s+eq\s+'(?P<text>(?:[^']|'')*)')\s*"
)


@dataclass(slots=True)
class User:
    """A user of the tenant, with a mailbox that may not be usable."""

    id: str
    properties: dict[str, Any]  #: names of `schema.USER`
    mailbox: Mailbox
    mailbox_state: str = "licensed"  #: a key of `access.MAILBOX_STATES`
    is_full: bool = False
    purpose: str = "user"  #: mailboxSettings/userPurpose: user, linked, shared, room, equipment, others


class Directory:
    """All users."""

    def __init__(self, make_mailbox: Callable[[str], Mailbox]) -> None:
        """Start empty; `make_mailbox` makes the mailbox of a user id."""
        self._make_mailbox = make_mailbox
        self.users: dict[str, User] = {}

    def add(self, user_principal_name: str, **properties: Any) -> User:
        """Add a user; unnamed properties get what a licensed member has."""
        user_id = str(properties.pop("id", None) or uuid.uuid5(uuid.NAMESPACE_URL, user_principal_name.lower()))
        state = properties.pop("mailbox_state", "licensed")
        purpose = str(properties.pop("purpose", "user"))
        if unknown := set(properties) - set(USER):
            raise ValueError(f"unknown user properties: {sorted(unknown)}")
        if user_id in self.users or self.find(user_principal_name, Switches()):
            raise ValueError("that user exists")
        known = {
            "displayName": user_principal_name.partition("@")[0],
            "mail": user_principal_name,
            "accountEnabled": True,
            "userType": "Member",
            "businessPhones": [],
            "proxyAddresses": [f"SMTP:{user_principal_name}"],
            **properties,
            "id": user_id,
            "userPrincipalName": user_principal_name,
        }
        self.users[user_id] = User(user_id, known, self._make_mailbox(user_id), state, purpose=purpose)
        return self.users[user_id]

    def find(self, name: str, switches: Switches) -> User | None:
        """Return the user with this id or user principal name (or mail, where that is switched on)."""
        wanted = name.lower()
        if wanted in self.users:
            return self.users[wanted]
        keys = ("userPrincipalName", "mail") if switches.users_by_mail else ("userPrincipalName",)
        for key in keys:
            for user in self.users.values():
                if (user.properties.get(key) or "").lower() == wanted:
                    return user
        return None

    def get(self, name: str, request: Request, switches: Switches, root: str) -> dict[str, Any]:
        """Answer GET /users/{name}."""
        user = self.find(name, switches)
        if user is None:
            raise Refused(
                404,
                "Request_ResourceNotFound",
                f"Resource '{name}' does not exist or one of its queried reference-property objects are not present.",
            )
        select: tuple[str, ...] = USER_DEFAULTS
        for option, value in request.options:
            if option != "$select":
                raise bad_query(f"The query option '{option}' is not supported here.")
            select = read_select(value, USER, "User")
        return {"@odata.context": f"{root}/v1.0/$metadata#users/$entity", **_shown(user, select)}

    def list(self, request: Request, root: str) -> dict[str, Any]:
        """Answer GET /users: $select, $filter, $top, $count with ConsistencyLevel, paging by $skiptoken."""
        options = dict(request.options)
        if unknown := set(options) - {"$select", "$filter", "$top", "$skiptoken", "$count"}:
            raise Refused(400, "Request_UnsupportedQuery", f"Unsupported query option {sorted(unknown)}.")
        test = _test(options["$filter"]) if "$filter" in options else lambda _: True
        select = selected(options)
        found = [_shown(user, select) for user in self.users.values() if test(user)]
        return page_of(found, request, root, "users")


def selected(options: Mapping[str, str]) -> tuple[str, ...]:
    """Return the properties of users that a request wants."""
    return read_select(options["$select"], USER, "User") if "$select" in options else USER_DEFAULTS


def page_of(rows: Sequence[Mapping[str, Any]], request: Request, root: str, context: str) -> dict[str, Any]:
    """Answer one page of a directory collection: $top, $skiptoken, $count with ConsistencyLevel."""
    options = dict(request.options)
    if "$count" in options and not is_eventual(request):
        raise Refused(400, "Request_UnsupportedQuery", "$count needs the header ConsistencyLevel: eventual.")
    top = options.get("$top", "100")
    if not re.fullmatch(r"\d{1,9}", top) or not 1 <= int(top) <= 999:
        raise Refused(400, "Request_UnsupportedQuery", f"Invalid page size specified: '{top}'. Must be 1 to 999.")
    start = _position(options.get("$skiptoken"))
    page: dict[str, Any] = {"@odata.context": f"{root}/v1.0/$metadata#{context}"}
    if options.get("$count") == "true" and not start:
        page["@odata.count"] = len(rows)
    end = start + int(top)
    if end < len(rows):
        kept = "&".join(
            part for part in request.query.split("&") if not part.lower().startswith(("$skiptoken=", "%24skiptoken="))
        )
        page["@odata.nextLink"] = f"{root}{request.path}?{kept}{'&' if kept else ''}$skiptoken=RFNwd{end}"
    return {**page, "value": list(rows[start:end])}


def is_eventual(request: Request) -> bool:
    """Tell whether a request takes answers that may lag (reference 11)."""
    return request.headers.get("consistencylevel", "").lower() == "eventual"


def _shown(user: User, select: tuple[str, ...]) -> dict[str, Any]:
    return {name: user.properties.get(name) for name in select}


def _position(token: str | None) -> int:
    if token is None:
        return 0
    if not re.fullmatch(r"RFNwd\d+", token):
        raise Refused(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
    return int(token.removeprefix("RFNwd"))


def _test(text: str) -> Callable[[User], bool]:
    """Return a test for equality clauses joined by `and`, or by `or`."""
    parts = re.split(r"\s+(and|or)\s+(?=\w+\s+eq\s)", text)
    joins = set(parts[1::2])
    clauses = [_clause(part) for part in parts[::2]]
    if len(joins) > 1:
        raise _unsupported()
    combine = any if joins == {"or"} else all
    return lambda user: combine(clause(user) for clause in clauses)


def _clause(text: str) -> Callable[[User], bool]:
    found = _CLAUSE.fullmatch(text)
    if found is None:
        raise _unsupported()
    if found["flag"]:
        truth = found["truth"] == "true"
        return lambda user: user.properties["accountEnabled"] is truth
    name, wanted = found["name"], found["text"].replace("''", "'").lower()
    return lambda user: (user.properties.get(name) or "").lower() == wanted


def _unsupported() -> Refused:
    return Refused(400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified.")
