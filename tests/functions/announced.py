"""A desk whose contacts' changes are announced: what the services send, and what keeps their subscriptions alive."""

from collections.abc import Callable

from functions.fan_out import fan_out
from functions.upkeep import upkeep
from shared.engine.model import Trigger
from shared.engine.watching import Source, Subscription
from tests.fakes.watching import MemoryNotifications
from tests.fakes.world import COMPANY, MAILBOX_TENANT
from tests.functions.desk import ADA, BEN, Desk, Sent
from tests.functions.test_jobs import Tick, woken

ADDRESS = "https://sync.contoso.example"
GRAPH, LIFECYCLE, BC = "/api/webhooks/graph", "/api/webhooks/graph/lifecycle", "/api/webhooks/business-central"


def subscription(desk: Desk, user: str = ADA) -> Subscription:
    source, owner = (Source.BC, "") if user == "" else (Source.GRAPH, user)
    found = desk.services.subscriptions.get(source, COMPANY, owner)
    assert found is not None
    return found


def item(desk: Desk, user: str = ADA, **more: object) -> dict[str, object]:
    """A notification as the service would send it."""
    known = subscription(desk, user)
    body: dict[str, object] = {"subscriptionId": known.id, "clientState": known.client_state}
    if user:
        assert known.expires_at is not None
        body |= {
            "tenantId": MAILBOX_TENANT,
            "changeType": "updated",
            "subscriptionExpirationDateTime": known.expires_at.isoformat(),
            "resource": "Users/x/Contacts/y",
            "resourceData": {"id": "y"},
        }
    return body | more


def waiting(desk: Desk, user: str = ADA) -> list[Trigger]:
    return [each.trigger for each in desk.services.mailboxes.waiting(user)]


def keep_up(desk: Desk) -> None:
    upkeep(Tick())  # type: ignore[arg-type]


def tick(desk: Desk) -> list[str]:
    woken(desk)
    fan_out(Tick(), Sent())  # type: ignore[arg-type]
    return woken(desk)


def graph(desk: Desk) -> MemoryNotifications:
    return desk.world.directory.watch


def share_a_mailbox(desk: Desk) -> None:
    """Ada and Ben have a folder each in Ada's mailbox, are synced, and what changes is to be announced."""
    desk.announce_at(ADDRESS)
    desk.save(ADA)
    desk.call("PUT", f"/api/admin/profiles/{BEN}", {"mailbox": "ada@contoso.example", "folder": "Ben's"})
    for user in (ADA, BEN):
        desk.call("POST", "/api/sync", {"user": user, "mode": "incremental"})
        desk.work(ADA)


def asked(desk: Desk, act: Callable[[], object]) -> list[str]:
    """What Graph's subscriptions were asked for meanwhile, beside the list of a day."""
    return [each for each in asked_at_all(desk, act) if each != "listed"]


def asked_at_all(desk: Desk, act: Callable[[], object]) -> list[str]:
    before = len(graph(desk).asked)
    act()
    return graph(desk).asked[before:]
