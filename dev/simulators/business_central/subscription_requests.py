"""Requests to subscriptions, the handshake, and which resources can be subscribed to (6.1 to 6.4)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

from dev.simulators.business_central import errors
from dev.simulators.business_central.environment import Environment
from dev.simulators.business_central.fields import Entity, Field, Kind, entity
from dev.simulators.business_central.query import SmallTable, read_page, read_query
from dev.simulators.business_central.resources import ODATA, Shown, body_of, segment, tag_of
from dev.simulators.business_central.subscriptions import SUBSCRIPTION, Subscription, shown
from dev.simulators.business_central.webhooks import Webhooks
from dev.simulators.exchange import Answer, Request
from dev.simulators.world import World

_WRITABLE = ("notificationUrl", "resource", "clientState")
_LONGEST = 2048
_RESOURCE = re.compile(r"(?P<base>https://.+(?=/api/v2\.0/))?/?(?:api/v2\.0/)?companies\((?P<id>[^()]+)\)/contacts")
_SUPPORTED = entity("webhookSupportedResource", Field("resource", "resource", Kind.TEXT, 250))
_OTHERS = ("v2.0/countriesRegions", "v2.0/customers", "v2.0/items", "v2.0/vendors")


@dataclass(frozen=True, slots=True)
class _Supported:
    id: str
    resource: str


class SubscriptionRequests:
    """Answers requests to the subscriptions of one environment."""

    def __init__(self, world: World, environment: Environment, webhooks: Webhooks) -> None:
        """Act on the subscriptions of `webhooks`."""
        self._world = world
        self._environment = environment
        self._webhooks = webhooks
        self._subscriptions = webhooks.subscriptions

    async def answer(self, request: Request, path: Sequence[str]) -> Answer:
        """Answer a request for `subscriptions` or one of them; raises BcError."""
        head = segment(path[0])
        if len(path) > 1:
            raise errors.no_segment(path[1])
        if head.key is not None:
            return await self._one(request, head.key)
        match request.method:
            case "GET":
                request.kind = "list subscriptions"
                own = [one for one in self._living() if self._is_visible(one, request)]
                return self._list(request, SUBSCRIPTION, own, shown)
            case "POST":
                request.kind = "create subscription"
                return await self._create(request)
        raise errors.wrong_method(request.method, "subscriptions")

    def supported(self, request: Request, path: Sequence[str]) -> Answer:
        """Answer a request below the runtime API: which resources of a company can be subscribed to (6.1)."""
        request.kind = "list webhook resources"
        head, *rest = [segment(text) for text in path]
        if head.name != "companies" or head.key is None or [one.name for one in rest] != ["webhookSupportedResources"]:
            raise errors.no_segment(head.name)
        self._environment.company(head.key)
        if request.method != "GET":
            raise errors.wrong_method(request.method, "webhookSupportedResources")
        state = self._environment.switches.webhook_contacts
        names = list(_OTHERS) if state == "unsupported" else ["v2.0/contacts", *_OTHERS]
        if state == "hidden" and "*" not in dict(request.options).get("$filter", "*"):
            names = []
        rows = [_Supported(name, name) for name in names]
        return self._list(request, _SUPPORTED, rows, lambda row, _: {"resource": row.resource})

    async def _one(self, request: Request, key: str) -> Answer:
        if not re.fullmatch(r"'[^']+'", key):
            raise errors.bad_key()
        one = self._subscriptions.get(key.strip("'"), self._environment.now())
        if one is None or not self._is_visible(one, request):
            raise errors.no_segment("subscriptions")
        match request.method:
            case "GET":
                request.kind = "get subscription"
                return self._answer(request, 200, one)
            case "PATCH":
                request.kind = "renew subscription"
                self._check_tag(request, one, needed=True)
                return await self._renew(request, one)
            case "DELETE":
                request.kind = "delete subscription"
                self._check_tag(request, one, needed=self._environment.switches.delete_without_if_match == "refused")
                self._subscriptions.remove(one)
                return Answer(204, headers=ODATA)
        raise errors.wrong_method(request.method, "subscriptions")

    async def _create(self, request: Request) -> Answer:
        values = _values(request)
        for name in ("notificationUrl", "resource"):
            if not values.get(name):
                raise errors.bad_request(f"{name} must have a value.")
        company = self._company(values["resource"])
        url = values["notificationUrl"]
        self._refuse_taken(company, url)
        await self._shake_hands(url)
        self._refuse_taken(company, url)  # another may have come meanwhile
        now = self._environment.now()
        user = request.facts["user"]
        made = Subscription(company, user, url, values["resource"], values.get("clientState", ""), now)
        self._subscriptions.add(made)
        return self._answer(request, 201, made)

    async def _renew(self, request: Request, one: Subscription) -> Answer:
        values = _values(request)
        if "resource" in values and self._company(values["resource"]) != one.company:
            raise errors.bad_request("The resource of a subscription cannot be changed.")
        url = values.get("notificationUrl", one.url)
        await self._shake_hands(url)
        now = self._environment.now()
        if self._subscriptions.get(one.id, now) is None:  # gone meanwhile
            raise errors.no_segment("subscriptions")
        one.url = url
        one.client_state = values.get("clientState", one.client_state)
        one.renew(now)
        return self._answer(request, 200, one)

    async def _shake_hands(self, url: str) -> None:
        """Ask the receiver to answer with a token; raises BcError (6.3)."""
        switches, token = self._environment.switches, str(uuid4())
        got = await self._world.outgoing.send(
            "bc",
            "handshake",
            f"{url}{'&' if '?' in url else '?'}validationToken={quote(token)}",
            headers={},
            timeout=switches.handshake_timeout,
            method=switches.handshake_method,
        )
        right = token == got.text if switches.handshake_body == "exact" else token in got.text
        if got.status != 200 or not right:
            message = "The notification URL did not answer the validation request with the token."
            raise errors.dialog(message)

    def _company(self, resource: str) -> str:
        """Return the id of the company whose contacts a resource names; raises BcError."""
        named = _RESOURCE.fullmatch(resource)
        root = self._world.roots.get("bc", "")
        if named is None or not (named["base"] or root).startswith(root):
            raise errors.bad_request(f"The resource '{resource}' cannot be subscribed to.")
        if self._environment.switches.webhook_contacts == "unsupported":
            raise errors.bad_request("Webhooks are not supported for contacts.")
        return self._environment.company(named["id"]).id

    def _refuse_taken(self, company: str, url: str) -> None:
        switches, living = self._environment.switches, list(self._living())
        status = switches.duplicate_subscription
        if status != "accepted" and any((one.company, one.url) == (company, url) for one in living):
            message = "A subscription to this resource with this notification URL exists."
            raise errors.BcError(status, "Internal_EntityWithSameKeyExists", message)
        if len(living) >= switches.subscription_maximum:
            raise errors.dialog(f"There are {len(living)} webhook subscriptions, which is the maximum.")

    def _living(self) -> list[Subscription]:
        return list(self._subscriptions.living(self._environment.now()))

    def _is_visible(self, one: Subscription, request: Request) -> bool:
        return self._environment.switches.subscriptions_visible == "all" or one.client_id == request.facts["user"]

    def _check_tag(self, request: Request, one: Subscription, *, needed: bool) -> None:
        tag = tag_of(request)
        if tag is None and needed:
            raise errors.token_missing()
        if tag not in (None, "*", shown(one, None)["@odata.etag"]):
            raise errors.entity_changed()

    def _list(self, request: Request, kind: Entity, rows: Sequence[Any], show: Shown) -> Answer:
        switches = self._environment.switches
        query = read_query(request.options, request.preferences(), kind, switches)
        page = read_page(SmallTable(rows), query, self._environment.walks, switches)
        return Answer(200, {"value": [show(row, query.select) for row in page.rows]}, ODATA)

    def _answer(self, request: Request, status: int, one: Subscription) -> Answer:
        start = f"{self._world.roots.get('bc', '')}{request.path}".partition("/subscriptions")[0]
        context = {"@odata.context": f"{start}/$metadata#subscriptions/$entity"}
        return Answer(status, context | shown(one, None), ODATA)


def _values(request: Request) -> dict[str, str]:
    """Return what a body sets; raises BcError."""
    body = body_of(request)
    for name, value in body.items():
        if name not in SUBSCRIPTION.fields:
            raise errors.unknown_field(name, "subscription")
        if name not in _WRITABLE:
            raise errors.read_only(name)
        if not isinstance(value, str) or len(value) > _LONGEST:
            raise errors.bad_request(f"{name} must be a text of at most {_LONGEST} characters.")
    url = body.get("notificationUrl")
    if url is not None and not _is_https(url):
        raise errors.bad_request("The notification URL must be an https address.")
    return body


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)
