"""Requests to /subscriptions, and the handshake (reference 9.2, 9.3, 9.5, 9.6)."""

import re
import uuid
from typing import Any
from urllib.parse import quote_plus

from dev.simulators.exchange import Answer, Request
from dev.simulators.graph.access import Access
from dev.simulators.graph.call import json_body, no_options, wants_immutable_ids
from dev.simulators.graph.ids import Form, form_of
from dev.simulators.graph.notifications import Notifications
from dev.simulators.graph.refusals import Refused, wrong_verb
from dev.simulators.graph.subscriptions import (
    Subscription,
    Wish,
    extension_error,
    https_url,
    read_expiry,
    read_wish,
)
from dev.simulators.graph.switches import Switches
from dev.simulators.graph.throttle import Throttle
from dev.simulators.tokens import Claims
from dev.simulators.world import World

#: Verb for the request log and limit by what the path names and method; what is missing is 405.
_VERBS = {
    ("all", "POST"): ("create", "writes"),
    ("all", "GET"): ("list", "lists"),
    ("one", "GET"): ("get", "reads"),
    ("one", "PATCH"): ("renew", "writes"),
    ("one", "DELETE"): ("delete", "writes"),
    ("reauthorize", "POST"): ("reauthorize", "reauthorize"),
}
#: Status of refusals behind the subscription service: the outer one, and the inner one in the message.
_INNER = {400: (400, "BadRequest"), 403: (403, "Forbidden"), 404: (404, "NotFound"), 503: (403, "ServiceUnavailable")}


class SubscriptionRequests:
    """Answers requests to subscriptions."""

    def __init__(
        self, world: World, switches: Switches, access: Access, throttle: Throttle, notifications: Notifications
    ) -> None:
        """Act on the subscriptions of `notifications`."""
        self._world = world
        self._switches = switches
        self._access = access
        self._throttle = throttle
        self._subscriptions = notifications.subscriptions
        self._notifications = notifications

    def verb(self, request: Request, rest: tuple[str, ...]) -> str:
        """Return what a request is about, for the log; raises 400 and 405."""
        return self._read(request, rest)[0]

    async def answer(self, request: Request, claims: Claims, rest: tuple[str, ...]) -> Answer:
        """Answer a request whose path is /subscriptions and `rest`."""
        verb, limit = self._read(request, rest)
        request.kind = f"subscriptions.{verb}"
        self._throttle.count_subscription(claims.client_id, limit)
        await self._world.wait(request)
        if verb == "list":
            return self._list(request, claims)
        no_options(request)
        if verb == "create":
            return await self._create(request, claims)
        subscription = self._own(claims, rest[0])
        request.mailbox = subscription.user_id
        match verb:
            case "get":
                return Answer(200, self._shown(subscription))
            case "renew":
                return await self._renew(request, claims, subscription)
            case "delete":
                self._subscriptions.remove(subscription.id)
                return Answer(204)
            case _:
                self._permitted(claims, subscription.user_id)
                self._notifications.authorize(subscription)
                return Answer(204)

    def _read(self, request: Request, rest: tuple[str, ...]) -> tuple[str, str]:
        match rest:
            case ():
                named = "all"
            case (name,) if name:
                named = "one"
            case (name, "reauthorize") if name:
                named = "reauthorize"
            case _:
                raise Refused(400, "BadRequest", f"Resource not found for the segment '{rest[-1]}'.")
        found = _VERBS.get((named, request.method))
        if found is None:
            raise wrong_verb(request.method)
        return found

    async def _create(self, request: Request, claims: Claims) -> Answer:
        wish = read_wish(json_body(request), self._switches, self._world.clock.now())
        user_id = request.mailbox = self._permitted(claims, wish.user)
        self._check_folder(wish, user_id)
        quota = self._switches.subscriptions_per_mailbox
        self._subscriptions.refuse_taken(wish, claims.client_id, user_id, quota)
        await self._shake_hands(wish.notification_url)
        if wish.lifecycle_url is not None:
            await self._shake_hands(wish.lifecycle_url)
        self._subscriptions.refuse_taken(wish, claims.client_id, user_id, quota)  # another may have come meanwhile
        made = self._subscriptions.add(wish, claims.client_id, user_id, wants_immutable_ids(request))
        return Answer(201, self._shown(made, tells_state=True))

    async def _renew(self, request: Request, claims: Claims, subscription: Subscription) -> Answer:
        body = json_body(request)
        if not body or not set(body) <= {"expirationDateTime", "notificationUrl"}:
            raise Refused(400, "InvalidRequest", "Only expirationDateTime and notificationUrl can be updated.")
        self._permitted(claims, subscription.user_id)
        expires, url = subscription.expires, subscription.notification_url
        if "expirationDateTime" in body:
            expires = read_expiry(body["expirationDateTime"], self._switches, self._world.clock.now())
        if "notificationUrl" in body:
            url = https_url(body["notificationUrl"], "notificationUrl")
        how = self._switches.handshake_on_patch
        if how == "always" or (how == "url" and url != subscription.notification_url):
            await self._shake_hands(url)
            self._own(claims, subscription.id)  # it may have gone meanwhile
        subscription.expires, subscription.notification_url = expires, url
        self._notifications.authorize(subscription)
        return Answer(200, self._shown(subscription, tells_state=True))

    def _list(self, request: Request, claims: Claims) -> Answer:
        options = dict(request.options)
        start = options.pop("$skiptoken", "0")
        if options or not re.fullmatch(r"\d{1,6}", start):
            raise Refused(400, "InvalidRequest", "Query options are not supported here.")
        own = [one for one in self._subscriptions if one.client_id == claims.client_id]
        end = int(start) + self._switches.subscription_page_size
        root = self._world.roots["graph"]
        page: dict[str, Any] = {"@odata.context": f"{root}/v1.0/$metadata#subscriptions"}
        if end < len(own):
            page["@odata.nextLink"] = f"{root}{request.path}?$skiptoken={end}"
        page["value"] = [self._shown(one, context=False) for one in own[int(start) : end]]
        return Answer(200, page)

    def _own(self, claims: Claims, id: str) -> Subscription:  # noqa: A002 - the contract's word
        found = self._subscriptions.get(id)
        if found is None or found.client_id != claims.client_id:
            raise Refused(404, "ResourceNotFound", "The object was not found.")
        return found

    def _permitted(self, claims: Claims, user: str) -> str:
        """Return the id of a user whose contacts the app may subscribe to; raises 403, 404."""
        try:
            return self._access.subscribed_user(claims, user).id
        except Refused as refused:
            outer, inner = _INNER[refused.status]
            raise extension_error(outer, inner, refused.message) from None

    def _check_folder(self, wish: Wish, user_id: str) -> None:
        if wish.folder is None:
            return
        if not self._switches.folder_subscriptions:
            raise extension_error(400, "BadRequest", f"Resource '{wish.resource}' is not supported.")
        mailbox = self._access.directory.users[user_id].mailbox
        if form_of(wish.folder) is not Form.FOLDER:
            raise extension_error(400, "BadRequest", "Id is malformed.")
        if wish.folder not in mailbox.folders or wish.folder == mailbox.deleted_items:
            raise extension_error(400, "BadRequest", "The specified object was not found in the store.")

    async def _shake_hands(self, url: str) -> None:
        """Ask an endpoint to answer with a token; raises 400."""
        token = f"Validation: Testing client application reachability for subscription Request-Id: {uuid.uuid4()}"
        got = await self._world.outgoing.send(
            "graph",
            "handshake",
            f"{url}{'&' if '?' in url else '?'}validationToken={quote_plus(token)}",
            headers={"Content-Type": "text/plain; charset=utf-8"},
            timeout=self._switches.handshake_timeout,
        )
        is_plain = got.content_type.partition(";")[0].strip().lower() == "text/plain"
        if got.status != 200 or not is_plain or got.text != token:
            raise Refused(
                400,
                "InvalidRequest",
                "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation "
                "request.",
            )

    def _shown(self, one: Subscription, *, tells_state: bool = False, context: bool = True) -> dict[str, Any]:
        start = f"{self._world.roots['graph']}/v1.0/$metadata#subscriptions/$entity"
        return ({"@odata.context": start} if context else {}) | {
            "id": one.id,
            "resource": one.resource,
            "applicationId": one.client_id,
            "changeType": ",".join(one.changes),
            "clientState": one.client_state if tells_state or self._switches.subscription_shows_client_state else None,
            "notificationUrl": one.notification_url,
            "lifecycleNotificationUrl": one.lifecycle_url,
            "notificationQueryOptions": None,
            "expirationDateTime": one.expires_text,
            "creatorId": str(uuid.uuid5(uuid.NAMESPACE_URL, one.client_id)),
            "includeResourceData": None,
            "latestSupportedTlsVersion": one.tls,
            "encryptionCertificate": None,
            "encryptionCertificateId": None,
            "notificationUrlAppId": None,
        }
