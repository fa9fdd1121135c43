"""What the service itself does with subscriptions, and what tests let it do; see `control.py` for the client."""

from typing import Any

from dev.simulators.control import Action
from dev.simulators.graph.notifications import Notifications
from dev.simulators.graph.subscriptions import Subscription


class SubscriptionActions:
    """Actions of the control interface on subscriptions, which are named by id."""

    def __init__(self, notifications: Notifications) -> None:
        """Act on the subscriptions of `notifications`."""
        self._notifications = notifications

    def actions(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "subscriptions": self.subscriptions,
            "remove_subscription": self.remove_subscription,
            "send_lifecycle": self.send_lifecycle,
            "lose_authorization": self.lose_authorization,
            "burst": self.burst,
        }

    def subscriptions(self, user: str | None = None) -> list[dict[str, Any]]:
        """Return all subscriptions that have not expired, or those of a user (by id)."""
        return [_facts(one) for one in self._notifications.subscriptions if user in (None, one.user_id)]

    def remove_subscription(self, subscription: str, lifecycle: bool = True) -> None:
        """Take a subscription away; tell it with subscriptionRemoved, or not."""
        self._notifications.remove(self._subscription(subscription), tells=lifecycle)

    def send_lifecycle(self, subscription: str, event: str) -> None:
        """Send a lifecycle notification."""
        self._notifications.lifecycle(self._subscription(subscription), event)

    def lose_authorization(self, subscription: str, lifecycle: bool = True) -> None:
        """Stop delivering until the subscription is reauthorized or renewed; tell it, or not."""
        found = self._subscription(subscription)
        if lifecycle:
            self._notifications.lifecycle(found, "reauthorizationRequired")
        found.authorized = False

    def burst(self, subscription: str, count: int, seconds: float = 0.0, together: bool = False) -> None:
        """Send made-up notifications: one POST each, spread over real seconds, or all in one POST."""
        self._notifications.burst(self._subscription(subscription), count, seconds, together)

    def _subscription(self, id: str) -> Subscription:  # noqa: A002 - the contract's word
        found = self._notifications.subscriptions.get(id)
        if found is None:
            raise LookupError(f"no subscription {id}")
        return found


def _facts(one: Subscription) -> dict[str, Any]:
    return {
        "id": one.id,
        "user": one.user_id,
        "folder": one.folder,
        "resource": one.resource,
        "changeType": ",".join(one.changes),
        "notificationUrl": one.notification_url,
        "lifecycleNotificationUrl": one.lifecycle_url,
        "clientState": one.client_state,
        "expirationDateTime": one.expires_text,
        "immutable": one.immutable,
        "authorized": one.authorized,
    }
