"""The Graph simulator's entry: token, batch or single request, user or mailbox, limits, then the handler.

Made from the Graph reference (its section 13 is the checklist). Choices where it is silent are in `switches.py`. Not
here: notifications that carry the resource (9.7), photos, open extensions, folder delta, translateExchangeIds.
"""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from dev.simulators.control import Action
from dev.simulators.exchange import Answer, Request
from dev.simulators.graph import contact_requests as contacts
from dev.simulators.graph import folder_requests as folders
from dev.simulators.graph.access import Access
from dev.simulators.graph.batch import read_batch, run_batch
from dev.simulators.graph.call import Call, json_body, no_options, wants_immutable_ids
from dev.simulators.graph.delta_requests import delta
from dev.simulators.graph.directory import Directory
from dev.simulators.graph.groups import Groups
from dev.simulators.graph.mailbox import Mailbox
from dev.simulators.graph.notifications import Notifications
from dev.simulators.graph.people import People
from dev.simulators.graph.refusals import Refused, wrong_verb
from dev.simulators.graph.routes import Target, no_segment, read_path, verb_of
from dev.simulators.graph.subscription_actions import SubscriptionActions
from dev.simulators.graph.subscription_requests import SubscriptionRequests
from dev.simulators.graph.switches import Switches
from dev.simulators.graph.throttle import Throttle
from dev.simulators.serving import perform
from dev.simulators.tokens import Claims
from dev.simulators.world import World

_LARGEST_BODY = 4 * 1024 * 1024


class Graph:
    """Microsoft Graph v1.0 for users, groups, contact folders, contacts, and subscriptions to contacts."""

    name = "graph"

    def __init__(self, world: World) -> None:
        """Start with no users."""
        self._world = world
        self._switches = Switches()
        self._directory = Directory(self._mailbox)
        self._groups = Groups(self._directory)
        self._access = Access(world, self._directory, self._switches)
        self._throttle = Throttle(world.clock, self._switches)
        self._notifications = Notifications(world, self._switches)
        self._subscriptions = SubscriptionRequests(
            world, self._switches, self._access, self._throttle, self._notifications
        )
        people = People(
            world, self._switches, self._directory, self._groups, self._access, self._throttle, self._notifications
        )
        self.actions: Mapping[str, Action] = people.actions() | SubscriptionActions(self._notifications).actions()

    async def answer(self, request: Request) -> Answer:
        """Answer one request, or one item of a batch."""
        try:
            answer = await self._answer(request)
        except Refused as refused:
            return refused.answer(request, self._world.clock.stamp())
        headers = {"request-id": str(uuid.uuid4()), **answer.headers}
        if "client-request-id" in request.headers:
            headers["client-request-id"] = request.headers["client-request-id"]
        if wants_immutable_ids(request):
            headers.setdefault("Preference-Applied", 'IdType="ImmutableId"')
        return replace(answer, headers=headers)

    def describe(self, request: Request) -> None:
        """Fill in what the address tells about a request, for the log."""
        match request.segments:
            case ("v1.0", "$batch"):
                request.kind = "batch"
            case ("v1.0", "groups", *_):
                request.kind = "groups.members"
            case ("v1.0", "users", _, "mailboxSettings", *_):
                request.kind = "mailbox.purpose"
            case ("v1.0", "users", name, *rest) if rest:
                user = self._directory.find(name, self._switches)
                request.mailbox = user.id if user else None
                with suppress(Refused):
                    request.kind = _kind(request, read_path(tuple(rest)))
            case ("v1.0", "subscriptions", *rest):
                with suppress(Refused):
                    request.kind = f"subscriptions.{self._subscriptions.verb(request, tuple(rest))}"
            case ("v1.0", "users", *name):
                request.kind = "users.get" if name else "users.list"

    async def _answer(self, request: Request) -> Answer:
        if len(request.body) > _LARGEST_BODY:
            raise Refused(413, "RequestEntityTooLarge", "The request is too large.")
        claims = self._access.claims(request)
        match request.segments:
            case ("v1.0", "$batch"):
                return await self._batch(request)
            case ("v1.0", "subscriptions", *rest):
                return await self._subscriptions.answer(request, claims, tuple(rest))
            case ("v1.0", "users"):
                return await self._users(request, claims, None)
            case ("v1.0", "users", name):
                return await self._users(request, claims, name)
            case ("v1.0", "groups", key, *rest):
                return await self._members(request, claims, key, tuple(rest))
            case ("v1.0", "users", name, "mailboxSettings", "userPurpose"):
                return await self._purpose(request, claims, name)
            case ("v1.0", "users", name, *rest):
                return await self._in_mailbox(request, claims, name, tuple(rest))
            case _:
                raise no_segment(request.segments[min(1, len(request.segments) - 1)])

    async def _batch(self, request: Request) -> Answer:
        request.kind = "batch"
        if request.method != "POST":
            raise wrong_verb(request.method)
        if not request.headers.get("content-type"):
            raise Refused(400, "BadRequest", "A batch needs Content-Type: application/json.")
        items = read_batch(json_body(request), ignore_unknown=self._switches.batch_unknown_members == "ignore")
        await self._world.wait(request)
        number = self._world.next_batch()
        inherit = self._switches.batch_inherits_prefer
        requests = [item.request(request, number, inherit_prefer=inherit) for item in items]
        responses = await run_batch(items, requests, lambda one: perform(self._world, self, one))
        if self._switches.batch_shuffle:
            self._world.random.shuffle(responses)
        return Answer(200, {"responses": responses})

    async def _users(self, request: Request, claims: Claims, name: str | None) -> Answer:
        request.kind = "users.list" if name is None else "users.get"
        if request.method != "GET":
            raise wrong_verb(request.method)
        self._access.check_directory(claims)
        await self._world.wait(request)
        root = self._world.roots["graph"]
        if name is None:
            return Answer(200, self._directory.list(request, root))
        return Answer(200, self._directory.get(name, request, self._switches, root))

    async def _members(self, request: Request, claims: Claims, key: str, rest: tuple[str, ...]) -> Answer:
        request.kind = "groups.members"
        if request.method != "GET":
            raise wrong_verb(request.method)
        self._access.check_groups(claims)
        await self._world.wait(request)
        root, whole = self._world.roots["graph"], self._access.sees_users(claims)
        return Answer(200, self._groups.list(key, rest, request, root, whole=whole))

    async def _purpose(self, request: Request, claims: Claims, name: str) -> Answer:
        request.kind = "mailbox.purpose"
        if request.method != "GET":
            raise wrong_verb(request.method)
        no_options(request)
        purpose = self._access.purpose(claims, name)
        await self._world.wait(request)
        context = f"{self._world.roots['graph']}/v1.0/$metadata#users('{name}')/mailboxSettings/userPurpose"
        return Answer(200, {"@odata.context": context, "value": purpose})

    async def _in_mailbox(self, request: Request, claims: Claims, name: str, rest: tuple[str, ...]) -> Answer:
        target = read_path(rest)
        request.kind = _kind(request, target)
        mailbox = self._access.mailbox(claims, name, request)
        with self._throttle.admitted(claims.client_id, mailbox.user_id, request):
            await self._world.wait(request)
            call = Call(request, mailbox, self._switches, self._world)
            return _HANDLERS[verb_of(target, request.method)](call, target.folder, target.contact or "")

    def _mailbox(self, user_id: str) -> Mailbox:
        clock = self._world.clock
        return Mailbox(user_id, self._switches, clock.timestamp, clock.stamp, self._notifications.hear)


def _kind(request: Request, target: Target) -> str:
    verb = verb_of(target, request.method)
    filters = any(option == "$filter" for option, _ in request.options)
    return "contacts.find" if verb == "contacts.list" and filters else verb


#: By verb; a folder of None is the default one (the whole mailbox for a contact's short path).
_HANDLERS: dict[str, Callable[[Call, str | None, str], Answer]] = {
    "folders.list": lambda call, folder, _: folders.list_folders(call, folder),
    "folders.create": lambda call, folder, _: folders.create_folder(call, folder),
    "folders.get": lambda call, folder, _: folders.get_folder(call, folder),
    "folders.update": lambda call, folder, _: folders.update_folder(call, folder),
    "folders.delete": lambda call, folder, _: folders.delete_folder(call, folder, purge=False),
    "folders.purge": lambda call, folder, _: folders.delete_folder(call, folder, purge=True),
    "contacts.delta": lambda call, folder, _: delta(call, folder),
    "contacts.list": lambda call, folder, _: contacts.list_contacts(call, folder),
    "contacts.create": lambda call, folder, _: contacts.create_contact(call, folder),
    "contacts.get": contacts.get_contact,
    "contacts.update": contacts.update_contact,
    "contacts.delete": lambda call, folder, one: contacts.delete_contact(call, folder, one, purge=False),
    "contacts.purge": lambda call, folder, one: contacts.delete_contact(call, folder, one, purge=True),
}
