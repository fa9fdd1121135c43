"""Who may do what in which mailbox: tokens, permissions, mailbox states (reference 10.3 to 10.5)."""

from dataclasses import dataclass, field

from dev.simulators.exchange import Request
from dev.simulators.graph.directory import Directory, User
from dev.simulators.graph.mailbox import Mailbox
from dev.simulators.graph.refusals import Refused
from dev.simulators.graph.switches import Switches
from dev.simulators.tokens import Claims, TokenRefused
from dev.simulators.world import TENANT, World

#: What mailbox calls answer by state of the mailbox.
MAILBOX_STATES: dict[str, Refused | None] = {
    "licensed": None,
    "inactive": Refused(
        404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
    ),
    "unsupported": Refused(404, "MailboxNotSupportedForRESTAPI", "REST API is not yet supported for this mailbox."),
    "unlicensed": Refused(404, "ResourceNotFound", "Resource could not be discovered."),
    "invalid": Refused(404, "ErrorInvalidUser", "The requested user is invalid."),
    "nonexistent": Refused(404, "ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it."),
    "moving": Refused(503, "ErrorMailboxMoveInProgress", "The mailbox is being moved.", {"Retry-After": "30"}),
}
_DIRECTORY_ROLES = {"User.Read.All", "User.ReadWrite.All", "User.ReadBasic.All", "Directory.Read.All"}
_FULL_DIRECTORY_ROLES = {"User.Read.All", "User.ReadWrite.All", "Directory.Read.All"}
_GROUP_ROLES = {"GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"}
_SETTINGS_ROLES = {"MailboxSettings.Read", "MailboxSettings.ReadWrite"}
_TOKEN_TEXTS = {
    "expired": "Access token has expired or is not yet valid.",
    "empty": "Access token is empty.",
    "audience": "Access token validation failure. Invalid audience.",
    "tenant": "Access token validation failure. Invalid tenant.",
    "malformed": "CompactToken parsing failed with error code: 80049217",
}


@dataclass(slots=True)
class Grant:
    """RBAC for Applications: access of one app to some mailboxes, in force from a moment on."""

    client_id: str
    users: frozenset[str]
    write: bool
    starts: float  #: simulated seconds since 1970


@dataclass
class Access:
    """Permissions that do not stand in the token, and the checks."""

    world: World
    directory: Directory
    switches: Switches
    grants: list[Grant] = field(default_factory=list)
    blocked_by_policy: set[str] = field(default_factory=set)  #: user ids outside the application access policy

    def claims(self, request: Request) -> Claims:
        """Return what the request's token says; raises 401."""
        audiences = frozenset({self.world.roots["graph"]})
        try:
            return self.world.tokens.check(request.headers.get("authorization"), audiences, TENANT)
        except TokenRefused as refused:
            challenge = {"WWW-Authenticate": 'Bearer realm="", error="invalid_token"'}
            text = _TOKEN_TEXTS[refused.reason]
            raise Refused(401, "InvalidAuthenticationToken", text, challenge) from None

    def check_directory(self, claims: Claims) -> None:
        """Require a permission to read users."""
        if not claims.roles & _DIRECTORY_ROLES:
            raise Refused(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")

    def check_groups(self, claims: Claims) -> None:
        """Require a permission to read members of groups."""
        if not claims.roles & _GROUP_ROLES:
            raise Refused(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")

    def sees_users(self, claims: Claims) -> bool:
        """Tell whether users met as members of a group are shown whole (group-list-transitivemembers)."""
        return bool(claims.roles & _FULL_DIRECTORY_ROLES)

    def purpose(self, claims: Claims, name: str) -> str:
        """Return a mailbox's user purpose; raises 403, 404, 503."""
        user = self.directory.find(name, self.switches)
        if user is None:
            raise Refused(404, self.switches.unknown_user_code, f"The requested user '{name}' is invalid.")
        self._check_permission(user, bool(claims.roles & _SETTINGS_ROLES))
        if (refusal := MAILBOX_STATES[user.mailbox_state]) is not None:
            raise refusal
        return user.purpose

    def mailbox(self, claims: Claims, name: str, request: Request) -> Mailbox:
        """Return the mailbox that a path names, if the caller may read or write it; raises 403, 404, 503, 507."""
        user = self.directory.find(name, self.switches)
        if user is None:
            raise Refused(404, self.switches.unknown_user_code, f"The requested user '{name}' is invalid.")
        request.mailbox = user.id
        writes = request.method != "GET"
        self._check_permission(user, self._is_permitted(claims, user, writes))
        if (refusal := MAILBOX_STATES[user.mailbox_state]) is not None:
            raise Refused(refusal.status, refusal.code, refusal.message, refusal.headers)
        if user.is_full and request.method in ("POST", "PATCH"):
            raise Refused(507, "ErrorQuotaExceeded", "The mailbox is full.")
        return user.mailbox

    def subscribed_user(self, claims: Claims, name: str) -> User:
        """Return the user whose contacts the caller may subscribe to; raises 403, 404, 503 (9.1, 14)."""
        user = self.directory.find(name, self.switches)
        if user is None:
            raise Refused(404, self.switches.unknown_user_code, f"The requested user '{name}' is invalid.")
        enough = {"Contacts.Read"} if self.switches.subscription_needs_read else {"Contacts.Read", "Contacts.ReadWrite"}
        by_rbac = self.switches.subscription_by_rbac and self._is_granted(claims, user, writes=False)
        self._check_permission(user, bool(claims.roles & enough) or by_rbac)
        if (refusal := MAILBOX_STATES[user.mailbox_state]) is not None:
            raise refusal
        return user

    def _is_permitted(self, claims: Claims, user: User, writes: bool) -> bool:
        consented = {"Contacts.ReadWrite"} if writes else {"Contacts.ReadWrite", "Contacts.Read"}
        return bool(claims.roles & consented) or self._is_granted(claims, user, writes)

    def _is_granted(self, claims: Claims, user: User, writes: bool) -> bool:
        now = self.world.clock.timestamp()
        return any(
            grant.client_id == claims.client_id
            and user.id in grant.users
            and grant.starts <= now
            and (grant.write or not writes)
            for grant in self.grants
        )

    def _check_permission(self, user: User, is_permitted: bool) -> None:
        if not is_permitted:
            raise Refused(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        if user.id in self.blocked_by_policy:
            raise Refused(
                403,
                "ErrorAccessDenied",
                "Access to OData is disabled.: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.",
            )
