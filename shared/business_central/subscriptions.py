"""Business Central's subscriptions to change notifications (BC reference 6): the port `Notifications`.

What BC answers to a duplicate, to too many subscriptions or to a webhook that it cannot reach is not documented. So the
list is looked at before one is made, and every other refusal counts as a webhook that was not reached.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.business_central.reactions import company_error, no_such_company
from shared.business_central.walk import walk
from shared.business_central.wire import (
    ANY_VERSION,
    API,
    LANGUAGE,
    is_guid,
    moment,
    query,
    runtime_address,
    subscription_path,
)
from shared.engine.watching import BC_PATH, Draft, Granted, Listed
from shared.errors import (
    OutcomeUnknown,
    RetryableError,
    SubscriptionExists,
    SubscriptionRefused,
    SyncError,
)
from shared.pace import Pace
from shared.transport.client import Answer, Client

CONTACTS = "v2.0/contacts"  #: what BC calls the contacts of this API where it lists what it notifies of
_DOING = "subscribe to changes"
_NOT_THE_COMPANY = frozenset(
    {"bc-endpoint-missing", "bc-request-refused"}
)  #: codes that say nothing about rights or the company


class EnvironmentNotifications:
    """The subscriptions of one environment, for one run."""

    def __init__(self, client: Client, pace: Pace) -> None:
        self._client = client
        self._pace = pace

    def announces_contacts(self, company_id: str) -> bool:
        """What the environment itself says: the documentation's list leaves contacts out (6.1)."""
        path = f"companies({company_id.lower()})/webhookSupportedResources"
        for wanted in (CONTACTS, "v2.0*"):
            address = runtime_address(self._client.service.root, query(path, filter=f"resource eq '{wanted}'"))
            try:
                rows = list(walk(self._client, self._pace, address, what="subscriptions.supported"))
            except SyncError as error:
                if error.code not in _NOT_THE_COMPANY:
                    raise
                continue
            if any(_text(row.get("resource")).strip("/").lower() == CONTACTS for row in rows):
                return True
        return False

    def subscribe(self, draft: Draft) -> Granted:
        """See `Notifications`. BC decides how long it lasts: 3 days."""
        if not is_guid(draft.company_id):
            raise no_such_company()
        if not self.announces_contacts(draft.company_id):
            raise SubscriptionRefused(
                "Business Central offers no notifications for contacts in this environment. Nothing needs to be done: "
                "the company is polled.",
                code="not-supported",
            )
        self._look_for_ours(draft)
        answer = self._with_handshake("POST", "subscriptions", draft, LANGUAGE, what="subscription.create")
        body: Any = answer.body if isinstance(answer.body, dict) else {}
        subscription_id, end = body.get("subscriptionId"), moment(body.get("expirationDateTime"))
        if not isinstance(subscription_id, str) or not subscription_id or end is None:
            raise _unreadable()
        return Granted(subscription_id, _text(body.get("resource")) or _resource(draft), end)

    def renew(self, subscription_id: str, draft: Draft) -> datetime | None:
        """See `Notifications`: with the draft's address and secret, which may be new ones."""
        path = subscription_path(subscription_id)
        answer = self._with_handshake("PATCH", path, draft, ANY_VERSION, what="subscription.renew")
        if answer.status == 404:
            return None
        end = moment(answer.body.get("expirationDateTime")) if isinstance(answer.body, dict) else None
        if end is None:
            raise _unreadable()
        return end

    def unsubscribe(self, subscription_id: str) -> None:
        """See `Notifications`."""
        answer = self._client.request(
            "DELETE",
            subscription_path(subscription_id),
            pace=self._pace,
            what="subscription.end",
            headers=ANY_VERSION,
        )
        if not answer.ok and answer.status != 404:
            raise company_error(answer, doing=_DOING)

    def listed(self) -> Sequence[Listed]:
        """See `Notifications`. Whether BC shows those of other apps is not documented."""
        rows = walk(self._client, self._pace, "subscriptions", what="subscriptions")
        return [
            Listed(
                id=_text(row.get("subscriptionId")),
                resource=_text(row.get("resource")),
                address=_text(row.get("notificationUrl")),
                expires_at=moment(row.get("expirationDateTime")),
            )
            for row in rows
            if _text(row.get("subscriptionId"))
        ]

    def _look_for_ours(self, draft: Draft) -> None:
        """Raises SubscriptionExists. Resources come back in several forms, with and without what stands before the
        company."""
        company = _of_company(draft)
        for each in self.listed():
            if each.address == draft.address + BC_PATH and each.resource.lower().endswith(company):
                raise SubscriptionExists("Business Central has this subscription already.", id=each.id)

    def _with_handshake(self, method: str, path: str, draft: Draft, headers: Mapping[str, str], *, what: str) -> Answer:
        """A request during which BC calls our webhook and waits 5 seconds. Sent once more when refused: a cold start
        takes longer, and has happened then. Answers 2xx, or 404 when the one to renew is gone."""
        body = {
            "notificationUrl": draft.address + BC_PATH,
            "resource": _resource(draft),
            "clientState": draft.client_state,
        }
        renewing = method == "PATCH"
        answer = self._send(method, path, body, headers, what)
        error = _refusal(answer, renewing=renewing)
        if isinstance(error, SubscriptionRefused):
            answer = self._send(method, path, body, headers, what)
            error = _refusal(answer, renewing=renewing)
        if error is not None:
            raise error
        return answer

    def _send(self, method: str, path: str, body: Mapping[str, str], headers: Mapping[str, str], what: str) -> Answer:
        try:
            return self._client.request(method, path, pace=self._pace, what=what, headers=headers, json=body)
        except OutcomeUnknown as error:
            # if it was made after all, the next attempt finds it in the list
            raise RetryableError("Business Central did not answer whether it subscribed; it is asked again.") from error


def _refusal(answer: Answer, *, renewing: bool) -> SyncError | None:
    """Our error for a subscription that BC did not make or renew; None when it did, or the one to renew is gone."""
    if answer.ok or (renewing and answer.status == 404):
        return None
    error = company_error(answer, doing=_DOING)
    if error.code not in _NOT_THE_COMPANY:
        return error
    return SubscriptionRefused(
        f"Business Central did not take the subscription ({answer.status}), most likely because it could not reach the "
        "app's webhook. Check that PUBLIC_ADDRESS is the app's address, can be reached from the internet with a "
        "trusted certificate, and answers within 5 seconds. Meanwhile the company is polled.",
        code="webhook-unreachable",
    )


def _resource(draft: Draft) -> str:
    return f"/{API}/{_of_company(draft)}"


def _of_company(draft: Draft) -> str:
    return f"companies({draft.company_id.lower()})/contacts"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _unreadable() -> RetryableError:
    return RetryableError("Business Central's answer about a subscription cannot be read; it is asked again later.")
