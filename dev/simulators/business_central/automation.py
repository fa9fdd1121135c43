"""The users of the environment, at the Automation API (9.3): read only, tenant-wide, whatever company is named.

Choices where the contract is silent: a token without Automation.ReadWrite.All is refused like one without any role
(9.1); `usersPermissions`, which is new, is there by a switch. External users are left out of `users` (9.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from dev.simulators.business_central import errors
from dev.simulators.business_central.environment import Environment
from dev.simulators.business_central.fields import USER, USER_PERMISSIONS
from dev.simulators.business_central.query import SmallTable
from dev.simulators.business_central.resources import Resources, only_get, plain_json, segment
from dev.simulators.exchange import Answer, Request

API = ("api", "microsoft", "automation", "v2.0")
ROLE = "Automation.ReadWrite.All"
NOBODY = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class BcUser:
    """A row of table User."""

    user_name: str
    display_name: str = ""
    contact_email: str = ""
    authentication_email: str = ""
    state: str = "Enabled"
    license_type: str = "Full User"
    application_id: str = NOBODY
    exchange_identifier: str = ""
    expiry_date: str = "0001-01-01T00:00:00Z"
    id: str = field(default_factory=lambda: str(uuid4()))


class Automation:
    """Answers requests for users."""

    def __init__(self, environment: Environment, resources: Resources) -> None:
        """Lists look like those of `resources`."""
        self._environment = environment
        self._resources = resources

    def answer(self, request: Request, path: Sequence[str], roles: frozenset[str]) -> Answer:
        """Answer a request for the resource at `path` below the API; raises BcError."""
        if ROLE not in roles:
            raise errors.not_authenticated()
        request.kind = "list users"
        parts = [segment(text) for text in path]
        if [each.name for each in parts[:1]] != ["companies"] or len(parts) != 2 or parts[0].key is None:
            raise errors.no_segment(parts[-1].name)
        self._environment.company(parts[0].key)
        users = self._environment.users
        match parts[1].name:
            case "users":
                entity, users = USER, [each for each in users if each.license_type != "External User"]
            case "usersPermissions" if self._environment.switches.users_permissions:
                entity = USER_PERMISSIONS
            case other:
                raise errors.no_segment(other)
        only_get(request)
        return self._resources.list(request, entity, SmallTable(users), plain_json(entity))
