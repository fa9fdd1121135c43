"""Graph's subscriptions to change notifications (Graph reference 9): the port `Notifications`.

Decided by code and status where they tell. Of a refused subscription they often do not, so that messages are searched
too: for the status inside an "ExtensionError", for the webhook, the quota and the id of the one that is there already.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from shared.engine.watching import GRAPH_LIFECYCLE_PATH, GRAPH_PATH, Draft, Granted, Listed
from shared.errors import (
    MailboxUnavailable,
    OutcomeUnknown,
    RetryableError,
    SubscriptionExists,
    SubscriptionRefused,
    SyncError,
)
from shared.outlook import wire
from shared.outlook.errors import MAILBOX_TEXTS, Meaning, inner_status, label, mailbox_failure, meaning
from shared.outlook.service import Requests
from shared.transport.client import Answer

CHANGES = "created,updated,deleted"

_WEBHOOK = re.compile(r"validation request|(?:lifecycle)?notification\s*(?:endpoint|url)", re.IGNORECASE)
_QUOTA = re.compile(r"quota|\blimit\b|maximum number", re.IGNORECASE)
_UNSUPPORTED = re.compile(r"not supported", re.IGNORECASE)
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
#: Where the id of one that exists stands, the surest first: the message may name the user, too.
_IDS = tuple(map(re.compile, (rf"[Ss]ubscription [Ii]d\W{{1,4}}({_GUID})", r"<([^<>\s]+)>", f"({_GUID})")))

_REFUSALS = {
    "subscription-exists": (
        "Another deployment that uses the same app registration is told of this folder's changes; Microsoft Graph "
        "tells only one of them. Give each deployment an app registration of its own."
    ),
    "webhook-unreachable": (
        "Microsoft Graph could not reach the app's webhook. Check that PUBLIC_ADDRESS is the app's address, can be "
        "reached from the internet with a trusted certificate, and answers within 10 seconds."
    ),
    "subscription-quota": (
        "The mailbox has as many subscriptions as Microsoft Graph allows (1,000 of all apps). End those that other "
        "apps do not need."
    ),
    "no-permission": (
        "The app may not subscribe to this mailbox's contacts. Grant it the application permission Contacts.Read as "
        "well as Contacts.ReadWrite, with admin consent, and put the mailbox into the app's scope."
    ),
    "not-supported": (
        "Microsoft Graph offers no notifications for the contacts of this mailbox. Nothing needs to be done."
    ),
    "folder-missing": (
        "The contact folder does not exist any more. The next run makes it anew; then the app subscribes again."
    ),
}
_MEANWHILE = " Meanwhile the profile is polled."


class GraphNotifications:
    """The subscriptions of the app registration, for one run."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    def subscribe(self, draft: Draft) -> Granted:
        """See `Notifications`: on the folder, else on the mailbox; the documentation is not of one mind whether
        folders are taken (reference 9.1)."""
        resource = wire.watched(draft.mailbox_id, draft.folder_id)
        answer = self._create(draft, resource)
        whole_mailbox = not answer.ok and _takes_no_folder(answer)
        if whole_mailbox:
            resource = wire.watched(draft.mailbox_id)
            answer = self._create(draft, resource)
        if not answer.ok:
            refusal = _refusal(answer)
            if isinstance(refusal, SubscriptionExists) and self._tells_another(refusal.id, draft):
                raise SubscriptionRefused(_REFUSALS["subscription-exists"] + _MEANWHILE, code="subscription-exists")
            raise refusal
        subscription_id = wire.raw_text(answer.body.get("id")) if isinstance(answer.body, dict) else ""
        if not subscription_id:
            raise _unreadable()
        confirmed = wire.raw_text(answer.body.get("resource")) or resource
        return Granted(subscription_id, confirmed, _end(answer), whole_mailbox=whole_mailbox)

    def renew(self, subscription_id: str, draft: Draft) -> datetime | None:
        """See `Notifications`."""
        answer = self._requests.send(
            "PATCH",
            wire.subscription_path(subscription_id),
            what="subscription.renew",
            json={"expirationDateTime": _asked_end(draft)},
        )
        if answer.status == 404:
            return None
        if not answer.ok:
            raise _refusal(answer)
        return _end(answer)

    def unsubscribe(self, subscription_id: str) -> None:
        """See `Notifications`."""
        answer = self._requests.send("DELETE", wire.subscription_path(subscription_id), what="subscription.end")
        if not answer.ok and answer.status != 404:
            raise _refusal(answer)

    def listed(self) -> Sequence[Listed]:
        """See `Notifications`. The service takes this 25 times in 20 seconds (reference 8.1): not for every profile."""
        rows = self._requests.rows(wire.SUBSCRIPTIONS, what="subscriptions", failure=_refusal)
        return [
            Listed(
                id=wire.raw_text(row.get("id")),
                resource=wire.raw_text(row.get("resource")),
                address=wire.raw_text(row.get("notificationUrl")),
                expires_at=wire.moment(row.get("expirationDateTime")),
            )
            for row in rows
            if wire.raw_text(row.get("id"))
        ]

    def _tells_another(self, subscription_id: str, draft: Draft) -> bool:
        """Whether one that exists delivers to somebody else: it is not ours to end."""
        answer = self._requests.send("GET", wire.subscription_path(subscription_id), what="subscription.look")
        if not answer.ok or not isinstance(answer.body, dict):
            return False  # gone meanwhile, as a rule
        return wire.raw_text(answer.body.get("notificationUrl")) != draft.address + GRAPH_PATH

    def _create(self, draft: Draft, resource: str) -> Answer:
        body = {
            "changeType": CHANGES,
            "resource": resource,
            "notificationUrl": draft.address + GRAPH_PATH,
            "lifecycleNotificationUrl": draft.address + GRAPH_LIFECYCLE_PATH,
            "expirationDateTime": _asked_end(draft),
            "clientState": draft.client_state,
            "latestSupportedTlsVersion": "v1_2",
        }
        try:
            return self._requests.send("POST", wire.SUBSCRIPTIONS, what="subscription.create", json=body)
        except OutcomeUnknown as error:
            # if it was made after all, the next attempt hears that it exists
            raise RetryableError("Microsoft Graph did not answer whether it subscribed; it is asked again.") from error


def _takes_no_folder(answer: Answer) -> bool:
    """Whether a refusal may be because of the folder, so that the mailbox is worth a try."""
    inner = inner_status(answer)
    if inner:
        return inner in {"badrequest", "notfound"}
    return answer.status == 400 and meaning(answer) is Meaning.REFUSED and not _is_about_webhook(answer)


def _is_about_webhook(answer: Answer) -> bool:
    return answer.status == 400 and _WEBHOOK.search(answer.error()[1]) is not None


def _refusal(answer: Answer) -> SyncError:
    """Our error for a request about a subscription that was refused."""
    says, inner = meaning(answer), inner_status(answer)
    if answer.status == 409 and (there := _id_in(answer.error()[1])):
        return SubscriptionExists("Microsoft Graph has this subscription already.", id=there)
    if says in {Meaning.BUSY, Meaning.CONFLICT, Meaning.NO_MAILBOX, Meaning.UNKNOWN_USER}:
        return mailbox_failure(answer)
    if inner == "notfound":
        return MailboxUnavailable(MAILBOX_TEXTS[Meaning.NO_MAILBOX], code=Meaning.NO_MAILBOX.value)
    if code := _refusal_code(answer, says, inner):
        return SubscriptionRefused(_REFUSALS[code] + _MEANWHILE, code=code)
    return SubscriptionRefused(
        f"Microsoft Graph refused the subscription ({label(answer)}). It is asked again later; if it stays, report it."
        + _MEANWHILE
    )


def _id_in(message: str) -> str:
    """The id of the subscription that a message says exists; blank when it names none."""
    return next((found[1] for each in _IDS if (found := each.search(message))), "")


def _refusal_code(answer: Answer, says: Meaning, inner: str) -> str:
    """Why, blank when it cannot be told."""
    message = answer.error()[1]
    if _is_about_webhook(answer):
        return "webhook-unreachable"
    if says is Meaning.FULL or (answer.status == 403 and _QUOTA.search(message)):
        return "subscription-quota"
    if inner in {"unauthorized", "forbidden"} or says in {Meaning.NO_PERMISSION, Meaning.NO_DIRECTORY}:
        return "no-permission"
    if answer.status in {405, 501} or _UNSUPPORTED.search(message):
        return "not-supported"
    if says in {Meaning.GONE, Meaning.FOLDER_GONE, Meaning.BAD_ID}:
        return "folder-missing"
    return ""


def _asked_end(draft: Draft) -> str:
    if draft.expires_at is None:
        raise ValueError("Graph must be told when a subscription ends")
    return wire.written(draft.expires_at)


def _end(answer: Answer) -> datetime:
    """When it ends; the service may have chosen another time than it was asked for."""
    end = wire.moment(answer.body.get("expirationDateTime")) if isinstance(answer.body, dict) else None
    if end is None:
        raise _unreadable()
    return end


def _unreadable() -> RetryableError:
    return RetryableError("Microsoft Graph's answer about a subscription cannot be read; it is asked again later.")
