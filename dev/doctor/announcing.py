"""Whether the services take our webhook: a subscription is made, which lets them try it, and ended at once."""

import secrets
from dataclasses import replace
from datetime import timedelta

from dev.doctor.scratch import surely
from dev.doctor.surroundings import Patient
from shared.engine.checks import Check
from shared.engine.sides import Notifications
from shared.engine.watching import Draft
from shared.errors import SubscriptionExists, SubscriptionRefused, SyncError

GRAPH = "handshake Microsoft Graph"
BC = "handshake Business Central"
_LASTS = timedelta(hours=1)  #: should the doctor be stopped before it ends it


def graph_takes_it(patient: Patient, mailbox_id: str) -> Check:
    """On the contacts of a mailbox. Raises what the service answers instead."""
    draft = Draft("", mailbox_id=mailbox_id, expires_at=patient.services.now() + _LASTS)
    return _try(GRAPH, patient.services.directory(patient.pace()).notifications(), _at(patient, draft))


def bc_takes_it(patient: Patient, company_id: str) -> Check:
    """On the contacts of a company."""
    draft = Draft(company_id)
    return _try(BC, patient.services.business_central(patient.pace()).notifications(), _at(patient, draft))


def _at(patient: Patient, draft: Draft) -> Draft:
    return replace(draft, address=patient.services.public_address, client_state=secrets.token_urlsafe(32))


def _try(name: str, service: Notifications, draft: Draft) -> Check:
    try:
        granted = service.subscribe(draft)
    except SubscriptionExists:
        return Check(name, True, "There is a subscription of this app already: its handshake went well.")
    except SubscriptionRefused as refused:
        return Check(name, False, "The service gives no subscription.", str(refused))
    try:
        surely(lambda: service.unsubscribe(granted.id))
    except SyncError as error:
        ends = f"The subscription that was made for it ends by itself at {granted.expires_at:%Y-%m-%d %H:%M} UTC."
        return Check(name, True, f"The service reached the app. {ends}", str(error))
    return Check(name, True, "The service reached the app. The subscription that was made for it is ended.")
