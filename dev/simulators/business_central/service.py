"""The Business Central simulator: who is asking, within which limits, and what for (1, 8, 9, 11)."""

from collections.abc import Mapping, Sequence

from dev.simulators.business_central import errors
from dev.simulators.business_central.actions import Actions
from dev.simulators.business_central.automation import API as AUTOMATION
from dev.simulators.business_central.automation import ROLE as AUTOMATION_ROLE
from dev.simulators.business_central.automation import Automation
from dev.simulators.business_central.batch import run_batch
from dev.simulators.business_central.environment import Environment
from dev.simulators.business_central.resources import Resources
from dev.simulators.business_central.subscription_requests import SubscriptionRequests
from dev.simulators.business_central.webhook_actions import WebhookActions
from dev.simulators.business_central.webhooks import Webhooks
from dev.simulators.control import Action
from dev.simulators.exchange import Answer, Request
from dev.simulators.serving import perform
from dev.simulators.tokens import TokenRefused
from dev.simulators.world import BC_AUDIENCE, TENANT, World

_ROLE = "API.ReadWrite.All"
_RUNTIME = ("api", "microsoft", "runtime", "beta")
_HTML = b"<html><body><h1>Service Unavailable</h1></body></html>"


class BusinessCentral:
    """API v2.0 of one environment, at /v2.0/{tenant}/{environment}/api/v2.0."""

    name = "bc"

    def __init__(self, world: World) -> None:
        """Start with one company, CRONUS, that has no contacts."""
        self._world = world
        self._environment = Environment(world.clock)
        self._resources = Resources(self._environment, lambda: world.roots.get("bc", ""))
        self._automation = Automation(self._environment, self._resources)
        webhooks = Webhooks(world, self._environment)
        self._subscriptions = SubscriptionRequests(world, self._environment, webhooks)
        others = Actions(self._environment).by_name()
        self.actions: Mapping[str, Action] = WebhookActions(self._environment, webhooks).by_name(others)

    async def answer(self, request: Request) -> Answer:
        """Answer one request, or one part of a batch."""
        try:
            if request.item is not None:
                return await self._answer_part(request)
            return await self._answer_request(request)
        except errors.BcError as refused:
            return self._refusal(request, refused)

    async def _answer_request(self, request: Request) -> Answer:
        switches, limits = self._environment.switches, self._environment.limits
        if len(self._world.roots.get("bc", "")) + len(request.target) > switches.url_limit:
            raise errors.BcError(400, "BadRequest_InvalidRequestUrl", "The URL is too long.")
        user = request.facts["user"] = self._authenticate(request)
        limits.count(user, switches.retry_after_on_429)
        async with limits.slot(user, switches.retry_after_on_429):
            await self._world.wait(request)
            if (below := self._below(request, AUTOMATION)) is not None:
                return self._automation.answer(request, below, request.facts["roles"])
            if _ROLE not in request.facts["roles"]:
                raise errors.not_authenticated()
            if (below := self._below(request, _RUNTIME)) is not None:
                return self._subscriptions.supported(request, below)
            path = self._path(request)
            if path != ["$batch"]:
                return await self._answer_resource(request, path)
            request.kind = "batch"
            if request.method != "POST":
                raise errors.wrong_method(request.method, "$batch")
            return await run_batch(
                self._environment, request, self._world.next_batch(),
                lambda part: perform(self._world, self, part),
            )  # fmt: skip

    async def _answer_part(self, request: Request) -> Answer:
        switches = self._environment.switches
        if switches.batch_parts_count:
            self._environment.limits.count(request.facts["user"], switches.retry_after_on_429)
        await self._world.wait(request)
        path = self._path(request)
        if path == ["$batch"]:
            raise errors.bad_request("A batch cannot contain a batch.")
        return await self._answer_resource(request, path)

    async def _answer_resource(self, request: Request, path: Sequence[str]) -> Answer:
        if path[0].partition("(")[0] == "subscriptions":
            return await self._subscriptions.answer(request, path)
        if request.method == "GET" or request.facts.get("in_transaction"):
            return self._resources.answer(request, path)
        async with self._environment.writing:
            return self._resources.answer(request, path)

    def _authenticate(self, request: Request) -> str:
        """Return the user behind the token; raises BcError (401)."""
        audiences = frozenset({BC_AUDIENCE, self._world.roots.get("bc", BC_AUDIENCE)})
        segments = request.segments
        tenant = segments[1] if len(segments) > 3 and segments[3] == "api" else TENANT
        try:
            claims = self._world.tokens.check(request.headers.get("authorization"), audiences, tenant.lower())
        except TokenRefused:
            raise errors.not_authenticated() from None
        if not claims.roles & {_ROLE, AUTOMATION_ROLE} or not self._environment.switches.app_enabled:
            raise errors.not_authenticated()
        request.facts["roles"] = claims.roles
        return claims.client_id

    def _path(self, request: Request) -> list[str]:
        """Return the resource's path below api/v2.0; raises BcError for other places (1.1)."""
        path = self._below(request, ("api", "v2.0"))
        if path is None:
            raise errors.no_endpoint(f"{self._world.roots.get('bc', '')}{request.path}")
        return path

    def _below(self, request: Request, api: tuple[str, ...]) -> list[str] | None:
        """Return the path below an API of this environment, None for other places."""
        for start in (3, 2):  # with and without the tenant
            head, rest = request.segments[:start], request.segments[start:]
            if len(head) < start or head[0] != "v2.0" or rest[: len(api)] != api:
                continue
            path = list(rest[len(api) :])
            known = head[-1].lower() == self._environment.name.lower()
            return path if known and path and path[0] else None
        return None

    def _refusal(self, request: Request, refused: errors.BcError) -> Answer:
        form = self._environment.switches.error_body
        if form == "empty" or not refused.code:
            return Answer(refused.status, headers=refused.headers)
        if form == "html":
            return Answer(refused.status, headers={"Content-Type": "text/html", **refused.headers}, raw=_HTML)
        return Answer(refused.status, refused.body(self._wants_german(request)), refused.headers)

    def _wants_german(self, request: Request) -> bool:
        accepted = request.headers.get("accept-language", "").lower()
        if accepted.startswith(("en", "de")):
            return accepted.startswith("de")
        return self._environment.switches.server_language == "de"
