"""What the control interface can do with subscriptions, which are named by id; the client is in `control.py`."""

from collections.abc import Mapping
from typing import Any

from dev.simulators.business_central.environment import Environment
from dev.simulators.business_central.subscriptions import Subscription, shown
from dev.simulators.business_central.webhooks import Webhooks
from dev.simulators.control import Action


class WebhookActions:
    """The actions on one environment's subscriptions, and those that take them away."""

    def __init__(self, environment: Environment, webhooks: Webhooks) -> None:
        """Act on `webhooks`."""
        self._environment = environment
        self._webhooks = webhooks

    def by_name(self, others: Mapping[str, Action]) -> Mapping[str, Action]:
        """Return the actions by name, among them those of `others` that do something to subscriptions too."""

        def reset() -> None:
            others["reset"]()
            self._webhooks.reset()

        def restore(**arguments: Any) -> None:
            others["restore"](**arguments)
            self._webhooks.clear()

        return {
            **others,
            "subscriptions": self.subscriptions,
            "remove_subscription": self.remove_subscription,
            "burst": self.burst,
            "recreate_environment": self._webhooks.clear,
            "reset": reset,
            "restore": restore,
        }

    def subscriptions(self) -> list[dict[str, Any]]:
        """Return all subscriptions that have not expired."""
        living = self._webhooks.subscriptions.living(self._environment.now())
        return [{**shown(one, None), "company": one.company} for one in living]

    def remove_subscription(self, subscription: str) -> None:
        """Delete a subscription without a word."""
        self._webhooks.subscriptions.remove(self._subscription(subscription))

    def burst(self, subscription: str, count: int, seconds: float = 0.0, together: bool = False) -> None:
        """Send made-up updates: one POST each, spread over real seconds, or all in one POST."""
        self._webhooks.burst(self._subscription(subscription), count, seconds, together)

    def _subscription(self, id: str) -> Subscription:  # noqa: A002 - the field's name
        found = self._webhooks.subscriptions.get(id, self._environment.now())
        if found is None:
            raise LookupError(f"no subscription {id}")
        return found
