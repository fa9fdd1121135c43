"""Groups and their transitive members (reference 11; Microsoft's page group-list-transitivemembers for the rest).

From that page: only GET; `GroupMember.Read.All` or more; the cast to users needs ConsistencyLevel and $count; without a
permission to read users their members come with the id alone, everything else null. A hidden membership is not here.
"""

import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dev.simulators.exchange import Request
from dev.simulators.graph.directory import Directory, is_eventual, page_of, selected
from dev.simulators.graph.refusals import Refused

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_USERS = "microsoft.graph.user"


@dataclass(slots=True)
class Group:
    """A group; members are ids of users and of other groups, in the order in which they came."""

    id: str
    name: str
    members: list[str] = field(default_factory=list)


class Groups:
    """All groups of the tenant."""

    def __init__(self, directory: Directory) -> None:
        """Members are users of `directory` or groups."""
        self._directory = directory
        self.all: dict[str, Group] = {}

    def add(self, name: str, id: str | None = None) -> Group:  # noqa: A002
        """Add an empty group."""
        group = Group(id or str(uuid.uuid4()), name)
        self.all[group.id] = group
        return group

    def members(self, group: Group) -> list[str]:
        """Return the ids of all members, each once, those of nested groups after the direct ones."""
        return list(dict.fromkeys(self._walk(group, frozenset())))

    def _walk(self, group: Group, above: frozenset[str]) -> Iterator[str]:
        if group.id in above:
            return
        known = [each for each in group.members if each in self._directory.users or each in self.all]
        yield from known
        for each in known:
            if each in self.all:
                yield from self._walk(self.all[each], above | {group.id})

    def list(self, key: str, rest: tuple[str, ...], request: Request, root: str, *, whole: bool) -> dict[str, Any]:
        """Answer GET /groups/{key}/{rest}; `whole`: users are shown with their properties."""
        if rest not in (("transitiveMembers",), ("transitiveMembers", _USERS)):
            raise Refused(400, "BadRequest", f"Resource not found for the segment '{rest[0] if rest else 'groups'}'.")
        options = dict(request.options)
        if unknown := set(options) - {"$select", "$top", "$skiptoken", "$count"}:
            raise Refused(400, "Request_UnsupportedQuery", f"Unsupported query option {sorted(unknown)}.")
        cast = len(rest) == 2
        if cast and not (is_eventual(request) and options.get("$count") == "true"):
            message = "An OData cast needs the header ConsistencyLevel: eventual and $count=true."
            raise Refused(400, "Request_UnsupportedQuery", message)
        if not _GUID.fullmatch(key):
            raise Refused(400, "Request_BadRequest", f"Invalid object identifier '{key}'.")
        group = self.all.get(key.lower())
        if group is None:
            raise Refused(
                404,
                "Request_ResourceNotFound",
                f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
            )
        select = selected(options)
        ids = [each for each in self.members(group) if not cast or each in self._directory.users]
        rows = [self._shown(each, select, whole=whole, cast=cast) for each in ids]
        return page_of(rows, request, root, "users" if cast else "directoryObjects")

    def _shown(self, key: str, select: Iterable[str], *, whole: bool, cast: bool) -> dict[str, Any]:
        user = self._directory.users.get(key)
        kind = {} if cast else {"@odata.type": f"#{_USERS if user else 'microsoft.graph.group'}"}
        if user is None:
            return {**kind, "id": key, "displayName": self.all[key].name}
        known = user.properties if whole else {"id": key}
        return kind | {name: known.get(name) for name in select}
